/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a stored batch tells of who watched when: intervals of coverage and the reports of agents.
 * The writer thread's, in its transaction. */

#include "model/batch.h"
#include "store/connection.h"

CHECKED int coverages_keep(
	struct connection *connection, const struct batch *batch, int64_t now_ns, struct err *err);
