/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tables of incidents of a connection's own, in front of the stored ones: what is written through
 * it is seen by nobody else and gone when it closes. For computing aside what incidents would be.
 */

#include "base/arena.h"
#include "store/connection.h"

enum shadow_kind {
	SHADOW_OF_KEY,    /* for shadow_begin: incidents */
	SHADOW_OF_FAMILY, /* for shadow_begin_family: also keys, and what people changed about them
			   */
};

/** Makes the tables, empty. Of a CONNECTION_SHADOW, once. */
CHECKED int shadow_make(struct connection *connection, enum shadow_kind kind, struct err *err);

/** Begins to read, with the stored incidents of one key in the tables. */
CHECKED int shadow_begin(struct connection *connection, int64_t key, struct err *err);

/**
 * Begins to read, with the stored incidents of an entity's key (@base: without "#…") and of all
 * that unlinks carved from it, and with the edits that are anchored in them.
 */
CHECKED int shadow_begin_family(struct connection *connection, struct text base, struct err *err);

/** Ends reading; the tables are empty again. */
CHECKED int shadow_end(struct connection *connection, struct err *err);

/* A key that has incidents. */
struct shadow_key {
	int64_t id;
	struct text text; /* whole, with "#…" when carved */
	bool carved;
};

struct shadow_keys {
	int64_t from_ns; /* in: with an alert at or after */
	int64_t after;   /* in: ids above this */
	size_t limit;    /* in */
	struct arena *arena;
	struct shadow_key *items; /* by id */
	size_t n;
};

/** Keys of stored, open to change incidents. Outside shadow_begin. */
CHECKED int shadow_keys_read(
	struct connection *connection, struct shadow_keys *keys, struct err *err);

/** The ids of the family's keys, also of those made meanwhile: keys->items, without text. */
CHECKED int shadow_family_keys(
	struct connection *connection, struct shadow_keys *keys, struct err *err);

/** How many keys shadow_keys_read would give in all. */
CHECKED int shadow_keys_count(
	struct connection *connection, int64_t from_ns, uint64_t *n, struct err *err);
