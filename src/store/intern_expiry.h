/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Interned rows that nothing refers to any more leave: images, processes, ATT&CK sets, entities,
 * workloads and keys. No alert is looked at: what an alert refers to was used in its epoch of
 * leaves or later (store/intern.h), and alerts are numbered in order, so a row that was used last
 * in an epoch before the oldest alert's is nobody's. What members, edits, incidents and hits of
 * suppressions refer to is asked for by index. The newest row of a table stays, so that no id is
 * ever given again.
 *
 * Rules, sensors, origins and fingerprints stay: frozen incidents tell of them.
 */

#include "store/connection.h"
#include "store/slice.h"

/* The row to look at next. A cursor is zeroed at a pass's start. */
struct intern_cursor {
	size_t table;
	int64_t next_id;
};

struct intern_expiry {
	uint64_t n_leaves; /* of the ledger */
	unsigned epoch_bits;
	int64_t before_day; /* what a workload showed before that day counts no more */
	bool names_removed; /* out: an entity or workload was: caches of them are to be dropped */
};

/** 1: the slice is over; 0: the end. */
CHECKED int interns_remove(struct connection *connection, struct intern_cursor *cursor,
	struct intern_expiry *expiry, struct slice *slice, struct err *err);
