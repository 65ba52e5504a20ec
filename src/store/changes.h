/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which incidents look different since when: what the event stream is read from.
 *
 * Each incident has the number of its last change, from one counter that goes on where it was after
 * a restart, because it is the greatest number stored (incident rows never leave). A change is not
 * logged: who has seen all up to some number reads the present state of what has a greater one.
 * Alerts need nothing of the kind: they have their leaf number.
 */

#include "base/arena.h"
#include "store/connection.h"

/**
 * People see something else of the incident from this transaction on: its piece was written or
 * removed, it was merged away, sealed, or decided about. Every such write calls this. Writer.
 */
CHECKED int incident_changed(struct connection *connection, uint64_t number, struct err *err);

/* How far somebody has seen everything. */
struct change_position {
	uint64_t change_seq; /* incidents with changes up to this one */
	uint64_t n_leaves;   /* alerts with leaves below this one */
};

/** Where a transaction that reads now is. */
CHECKED int change_position_read(
	struct connection *connection, struct change_position *out, struct err *err);

struct change {
	uint64_t seq, number;
};

/* Incidents in the order of their last changes. */
struct change_page {
	uint64_t after; /* changes above this */
	size_t limit;
	struct arena *arena;
	/* out */
	struct change *items;
	size_t n; /* less than the limit: the end was reached */
};

CHECKED int changes_read(struct connection *connection, struct change_page *page, struct err *err);

/* Leaves of alerts in the order in which they were stored. */
struct alert_leaves {
	uint64_t from, to; /* from <= leaf < to */
	size_t limit;
	struct arena *arena;
	/* out */
	uint64_t *items;
	size_t n;
};

CHECKED int alert_leaves_read(
	struct connection *connection, struct alert_leaves *leaves, struct err *err);

/** The first leaf whose row is still there (retention takes the oldest); 0 when there is none. */
CHECKED int first_leaf_read(struct connection *connection, uint64_t *leaf, struct err *err);
