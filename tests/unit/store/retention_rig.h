/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A store with its correlator under a clock that the test sets, for tests of retention. */

#include "documents/documents.h"
#include "model/edit.h"
#include "pipeline/correlator.h"
#include "store/store.h"

#define DAY_NS  (86400 * NS_PER_S)
#define HOUR_NS (3600 * NS_PER_S)
#define T0      (INT64_C(1790035200) * NS_PER_S) /* a UTC midnight */

enum { HORIZON_DAYS = 30 };

struct rig {
	struct clock clock; /* first: it is the clock */
	int64_t wall_ns;
	int64_t monotonic_ms, tick_ms; /* each look moves it by a tick: short slices */
	char path[64];
	struct store_options options;
	struct store *store;
	struct correlator *correlator;
	uint64_t n_sent; /* makes occurrences and raw bytes differ */
};

/* One alert; what is NULL is absent. */
struct sent {
	int64_t time_ns;
	const char *uid, *name, *container, *rule;
	uint32_t flags;
	uint64_t occ;     /* 0: a new one */
	uint64_t count;   /* 0: 1 */
	uint64_t process; /* its number, which is its name */
	const char *image;
	size_t raw_size; /* 0: short */
	bool quarantined;
};

void rig_start(struct rig *rig); /* an empty database, now = T0 + 2 days */
void rig_stop(struct rig *rig);
void rig_reopen(struct rig *rig); /* as after a crash between two commits */

/** Sends them in one transaction, received now. Returns the batch; batch_free. */
struct batch *rig_send(struct rig *rig, const struct sent *sent, size_t n);
/** Sends one; its outcome. */
enum alert_outcome rig_send_one(struct rig *rig, struct sent sent, uint64_t *leaf);

/** Gives an edit in a transaction of its own; it means the alert with @occ and prints of @rule. */
void rig_edit(struct rig *rig, const struct edit *edit, uint64_t occ, const char *rule);

/** @n alerts of a pod in one transaction, a minute apart. */
void rig_send_row(struct rig *rig, const char *uid, int64_t from_ns, size_t n);

/** One slice. true: more is due. */
bool rig_retain(struct rig *rig);
/** All slices; how many. */
size_t rig_retain_all(struct rig *rig);

int64_t rig_count(struct rig *rig, const char *sql);
/** Do tables that speak of the same things agree? Only when no incident is leaving. */
void rig_check(struct rig *rig);

/** The document as text, malloc'ed; NULL with *err. */
char *rig_incident(struct rig *rig, uint64_t number, struct err *err);
/** The number of the incident the alert belongs to; 0: none. */
uint64_t rig_incident_of(struct rig *rig, uint64_t leaf);
