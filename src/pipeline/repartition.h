/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Partitions keys anew from their stored slots, where extending the newest incident does not
 * decide: late alerts, new incidents, facts that moved alerts between keys. The writer thread's.
 */

#include "pipeline/edits.h"
#include "pipeline/identities.h"
#include "pipeline/key_state.h"

/* One key to partition. */
struct key_task {
	struct key_task *next;
	struct text key;            /* whole, with "#…" when carved */
	bool carved;                /* an unlink made it */
	int64_t from_slot, to_slot; /* where something changed; INT64_MIN, INT64_MAX: anywhere */
	int64_t now_ns;             /* when: changes are dated by it */
	const struct key_delta
		*deltas;         /* what the transaction adds to the key; it is stored already */
	uint64_t first_leaf;     /* of the transaction's alerts, when there are deltas */
	unsigned group;          /* keys of one group may hand alerts to each other; 0: alone */
	struct key_state *state; /* out: filled for the key; state->newest.number 0: not known */
};

/* What the writer knows, to partition with. */
struct known {
	struct identities *identities;
	struct edits *edits;
	struct scoring *scoring;
};

/** The entity's key of a task: without "#…". */
struct text key_task_base(const struct key_task *task);

/** Brings the stored pieces of the tasks' keys up to date and gives their numbers. All tasks of one
 * group must be in one call. */
CHECKED int repartition(const struct known *known, struct connection *connection,
	struct key_task *tasks, struct err *err);
