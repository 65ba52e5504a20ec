/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A snoozed incident wakes when its time is over, or when it becomes more than what was put to
 * sleep: by a tactic, a rule or a severity that it did not have. The writer thread's.
 */

#include "base/buf.h"
#include "model/piece.h"
#include "pipeline/correlator.h"
#include "store/connection.h"

/** What the incident is now, to be compared with later: JSON. */
CHECKED int snooze_mark(
	struct connection *connection, uint64_t number, struct buf *out, struct err *err);

/** The piece was written: wakes it if it is snoozed and there is a reason. */
CHECKED int snooze_check(
	struct connection *connection, struct piece *piece, int64_t now_ns, struct err *err);

/** *over: is there one whose time is over? */
CHECKED int snooze_is_over(
	struct connection *connection, int64_t now_ns, bool *over, struct err *err);

/** Wakes those whose time is over. */
CHECKED int snoozes_end(struct correlator *correlator, struct connection *connection,
	int64_t now_ns, struct err *err);
