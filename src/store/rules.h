/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Names of interned rules. */

#include "base/arena.h"
#include "store/connection.h"

/** The rule's name in @arena; absent when there is no such rule. */
CHECKED int rule_name_read(struct connection *connection, int64_t rule, struct arena *arena,
	struct text *name, struct err *err);
