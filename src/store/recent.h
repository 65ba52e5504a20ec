/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How many alerts came in lately. */

#include "store/connection.h"

enum { RECENT_SCANNED_MAX = 30000 };

/** Alerts received since then, of the last RECENT_SCANNED_MAX. */
CHECKED int recent_count(
	struct connection *connection, int64_t since_ns, uint64_t *n, struct err *err);
