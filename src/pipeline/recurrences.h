/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Alerts that come after an incident was resolved have an incident of their own, which says so. */

#include "model/piece.h"
#include "store/connection.h"

/**
 * A piece got a new number; @before is the piece of the same key in front of it. If that one was
 * resolved, and the cut of its resolution lies between the two, the new one recurs: both note it.
 */
CHECKED int recurrence_note(struct connection *connection, uint64_t before,
	const struct piece *piece, int64_t now_ns, struct err *err);
