/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A part of an incident became an incident of its own: both say so. */

#include "store/connection.h"

/**
 * Notes that the alerts of @number, a number just given, were part of @from. A number is given
 * once, so this is noted once, however often the same is computed again.
 */
CHECKED int split_note(struct connection *connection, uint64_t from, uint64_t number,
	int64_t now_ns, struct err *err);
