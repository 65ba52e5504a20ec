/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Partitions keys anew from their stored slots, where extending the newest incident does not
 * decide: late alerts, new incidents, facts that moved alerts between keys. The writer thread's.
 */

#include "pipeline/identities.h"
#include "pipeline/key_state.h"

/* One key to partition. */
struct key_task {
	struct key_task *next;
	struct text key;
	int64_t from_slot, to_slot; /* where something changed; INT64_MIN, INT64_MAX: anywhere */
	unsigned group;             /* keys of one group may hand alerts to each other; 0: alone */
	struct key_state *state;    /* out: filled for the key; state->newest.number 0: not known */
};

/**
 * Brings the stored pieces of the tasks' keys up to date and gives their numbers. All tasks of one
 * group must be in one call. @arena holds what lives until the call returns.
 */
CHECKED int repartition(struct identities *identities, struct connection *connection,
	struct key_task *tasks, int64_t now_ns, struct err *err);
