/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How far each spool is stored. Written in the transaction of the records themselves, so that after
 * a crash at any time the number and the alerts agree.
 */

#include "model/batch.h"
#include "store/connection.h"

/**
 * What a batch's mark says: a question is answered (mark->acknowledged), records move the number.
 *
 * A spool that is not known, as after a restored backup, begins at what its sender says is settled.
 * ERR_MISSING when records before the batch's are not stored: an earlier batch was given up.
 */
CHECKED int spool_note(
	struct connection *connection, const struct batch *batch, int64_t now_ns, struct err *err);

/** Forgets spools that were not heard of since. */
CHECKED int spools_expire(struct connection *connection, int64_t before_ns, struct err *err);
