/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the correlator knows of entities and facts, cached over the store. The writer thread's.
 *
 * Facts that alerts bring along (a container together with a pod, a name together with a uid) are
 * noted alert by alert and applied once per transaction; each change calls back with the keys that
 * it may have moved alerts from or to.
 */

#include "correlate/identity.h"
#include "model/alert.h"
#include "model/fact.h"
#include "store/connection.h"

struct identities;

/* One observed entity. Borrowed until the next call. */
struct entity_state {
	int64_t id;
	struct identity_seen seen;
	const struct identity_segment *segments;
	size_t n_segments;
	int64_t marked_slot;   /* the slot whose presence was marked last */
	int64_t name_start_ns; /* the start of its name that its facts gave; INT64_MAX: none yet */
	int64_t workload;      /* 0: its tuple tells none */
	struct text workload_name;
	bool facts_noted;
};

/* A part of an entity's time that resolves to one key. */
struct entity_part {
	int64_t entity;
	int64_t from_ns, to_ns;
};

struct entity_parts {
	struct entity_part *items;
	size_t n;
};

struct identities *identities_new(void); /* NULL without memory */
void identities_free(struct identities *identities);

/** Forgets everything that came from a transaction which was rolled back, and all caches. */
void identities_forget(struct identities *identities);

/** The entity, from the cache or the store. NULL with *err set on failure. */
struct entity_state *identities_entity(struct identities *identities, struct connection *connection,
	int64_t entity, struct err *err);

/** Notes the facts of an accepted alert for identities_apply. */
CHECKED int identities_note(struct identities *identities, struct entity_state *entity,
	const struct alert *alert, struct err *err);

/** Notes what another witness says, for identities_apply. @day: of the alert it came with, or
 * today. */
CHECKED int identities_fact(
	struct identities *identities, const struct fact *fact, int64_t day, struct err *err);

/** From now on identities_generation is raised when this entity may resolve to other keys than
 * before. false without memory. */
bool identities_watch(struct identities *identities, int64_t entity);
uint64_t identities_generation(const struct identities *identities);

/** The key that the entity resolves to at that time, borrowed until the next call; absent with *err
 * set. */
struct text identities_key(struct identities *identities, struct connection *connection,
	int64_t entity, int64_t time_ns, struct err *err);

/** Called for each key that a change of facts may have touched; @group ties keys of one change. */
typedef int key_moved(void *ctx, struct text key, unsigned group, struct err *err);

/** Writes the noted facts. */
CHECKED int identities_apply(struct identities *identities, struct connection *connection,
	key_moved *moved, void *ctx, struct err *err);

/** Every part of every entity that resolves to @key, in @arena. */
CHECKED int identities_parts(struct identities *identities, struct connection *connection,
	struct text key, struct arena *arena, struct entity_parts *out, struct err *err);
