/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Values of queries, by the kind of their field. For model/query.c. */

#include "model/query.h"

/* One value as it was read: without quotes and escapes, with MATCH_STAR where '*' stood. */
struct query_value {
	struct text text;
	bool quoted;
};

/**
 * Fills what @term tests from an operator and a value; its field is set. An operator that negates
 * is read as what it negates. ERR_INPUT and ERR_LIMIT, of a regular expression with the place in
 * the value, else without one.
 */
CHECKED int query_value_read(const struct query_value *value, enum query_operator op,
	const struct query_options *options, struct arena *arena, struct query_term *term,
	struct err *err);
