/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What leaves, and when (correlation.md section 1, design.md "Storage"): the state of the writer's
 * store that store_retain drives slice by slice.
 *
 * One horizon: alert rows, duplicate keys, slots and facts leave together, incident by incident,
 * when it has passed the incident's last slot; it lies on a slot's border, so that no alert that is
 * still correlated falls into a slot that leaves. Raw bytes leave at their own age. At the size
 * limit raw leaves first and then the horizon moves forward, down to what may still be one
 * incident. The horizon never moves back: what has left cannot be correlated with. All progress is
 * in the rows themselves; a pass that was broken off begins again and finds what is left.
 *
 * Interned rows leave when nothing refers to them (store/intern_expiry.h). Frozen incidents (some
 * kilobytes each), what they tell of by number, and the audit trail stay.
 */

#include "model/slot.h"
#include "store/fact_expiry.h"
#include "store/intern_expiry.h"
#include "store/row_expiry.h"

struct retention_options {
	const struct clock *clock;
	int64_t horizon_s;
	int64_t raw_s;       /* 0, or more than horizon_s: as horizon_s */
	uint64_t size_bytes; /* of the database file; 0: no limit */
	unsigned epoch_bits; /* store/intern.h */
};

struct retention {
	struct retention_options options;
	int64_t floor_ns; /* the horizon has come to this */
	int64_t raw_ns;   /* raw received before this has left, or is held */
	int64_t audited_raw_ns;
	/* the running pass */
	size_t phase;
	int64_t before_slot;
	int64_t swept_hour; /* what was done once an hour of the horizon, was done in this one */
	bool sweeps;        /* this pass does it */
	struct stray_cursor stray;
	int64_t next_leaf, next_run, next_salt, next_tile;
	struct fact_cursor facts;
	struct intern_cursor interns;
	struct content_job *content; /* of the incident that leaves next; NULL: none yet */
	bool facts_removed;          /* or names: caches are wrong; cleared by who drops those */
	uint64_t n_leaves;           /* of the ledger; set before each slice */
	/* the size limit */
	bool full;                /* it is exceeded and nothing more may leave */
	int64_t blocked_until_ns; /* after a failure or when full, by the clock */
};

/* As it is stored, for any connection. */
struct retention_state {
	int64_t horizon_ns; /* 0: nothing has left yet */
	int64_t raw_ns;
	int64_t shortened_ns; /* when the size limit moved either of them last; 0: never */
};

void retention_init(struct retention *retention, const struct retention_options *options);
void retention_done(struct retention *retention);

/** Reads how far it has come; a running pass begins again. */
CHECKED int retention_load(
	struct retention *retention, struct connection *connection, struct err *err);

/** What is older is orphan_late. */
int64_t retention_horizon_ns(const struct retention *retention);

/** Is there anything to do now? 1, 0, -1. */
CHECKED int retention_is_due(
	struct retention *retention, struct connection *connection, struct err *err);

/** One slice, in the running transaction. 1: there is more; 0: nothing. */
CHECKED int retention_slice(
	struct retention *retention, struct connection *connection, struct err *err);

/** After a failure: leaves it alone for a minute. */
void retention_pause(struct retention *retention);

/** Bytes of the database's pages that are in use. */
CHECKED int retention_used_bytes(struct connection *connection, uint64_t *used, struct err *err);

CHECKED int retention_state_read(
	struct connection *connection, struct retention_state *out, struct err *err);
