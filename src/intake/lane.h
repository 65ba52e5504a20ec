/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whose order is kept, and who takes turns at the writer: a spool, or else an address with a
 * credential. Agents of a cluster may share a credential, nodes may share an address: neither alone
 * says who is greedy. Private to intake/; the loop's thread.
 */

#include "base/queue.h"
#include "base/text.h"

struct table;

struct lane {
	struct queue_lane turn; /* in the writer's queue */
	struct table *home;     /* of all lanes */
	size_t n_joined;        /* streams and deliveries; it goes with the last */
	size_t in_flight_bytes; /* with the writer */
	size_t n_held;
	uint64_t waits_in_pass; /* of hold_retry: one of its batches must wait, so all do */
	size_t key_size;
	char key[];
};

/** Lanes join and leave; free it (table_free) when all have left. NULL without memory. */
struct table *lanes_new(void);

/** Joins the lane of this key, which nobody else's is like. NULL without memory. */
struct lane *lane_of(struct table *lanes, struct text key);
/** Joins once more; -> @lane. */
struct lane *lane_join(struct lane *lane);
void lane_leave(struct lane *lane); /* accepts NULL */
