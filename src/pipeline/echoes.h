/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What Tocsin tells others of an incident carries a mark, and may come back as an alert. Such an
 * alert is stored like all others, but it is activity of that incident and takes no part in the
 * correlation: else each round would make another. A mark of no incident of ours means nothing. The
 * writer thread's.
 */

#include "model/batch.h"
#include "store/connection.h"

/** Before they are stored: sets ALERT_ECHO where the mark names an incident. */
CHECKED int echoes_mark(struct connection *connection, struct batch *batch, struct err *err);

/** After they were stored: notes those that are new with their incidents. */
CHECKED int echoes_note(
	struct connection *connection, const struct batch *batch, int64_t now_ns, struct err *err);
