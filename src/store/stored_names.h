/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Stored names that a value of a query may be: rules, namespaces, pods … Any connection. */

#include "base/arena.h"
#include "model/query_fields.h"
#include "model/scope.h"
#include "store/connection.h"

enum { STORED_NAMES_MAX = 20 };

struct stored_names_wish {
	enum query_field_id field;
	struct text prefix;        /* whatever its case (ASCII) */
	const struct scope *scope; /* NULL: all; else only what says nothing of other namespaces */
	struct arena *arena;
	/* out, in order */
	struct text items[STORED_NAMES_MAX];
	size_t n;
};

/** None for fields whose values are not kept apart. */
CHECKED int stored_names_find(
	struct connection *connection, struct stored_names_wish *wish, struct err *err);
