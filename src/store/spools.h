/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How far each spool is stored. Written in the transaction of the records themselves, so that after
 * a crash at any time the number and the alerts agree.
 */

#include "model/batch.h"
#include "store/connection.h"

/* The lane of coverage that says what this database lacks of what an agent has delivered. */
#define SPOOL_LACK_SENSOR "agent"

/**
 * What a batch's mark says: a question is answered (mark->acknowledged), records move the number.
 *
 * A spool that is not known, as after a restored backup, begins at what its sender says is settled.
 * If it has let go of records that are not known here, that is told once (mark->is_lacking): they
 * are settled with the answer.
 * ERR_MISSING when records before the batch's are not stored: an earlier batch was given up.
 */
CHECKED int spool_note(
	struct connection *connection, const struct batch *batch, int64_t now_ns, struct err *err);

/** Forgets spools that were not heard of since, unless their agent was: it may only have had
 * nothing to send. */
CHECKED int spools_expire(struct connection *connection, int64_t before_ns, struct err *err);
