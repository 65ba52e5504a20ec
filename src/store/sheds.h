/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What agents had to shed: one row beside each LEAF_SHED. */

#include "model/alert.h"
#include "store/alert_rows.h"
#include "store/coverages.h"

enum { SHEDS_MAX = 500 };

/* What was shed of one kind on one node: any number of leaves. */
struct shed_sum {
	struct text cluster, node;
	struct text severity, rule; /* as its agent says; rule absent: several */
	enum source source;
	int64_t from_ns, until_ns; /* of all of them: there may be pauses */
	uint64_t n, bytes;         /* at most INT64_MAX: their sum, or that it is more */
	uint64_t n_leaves;
};

struct shed_list {
	struct shed_sum *items; /* the most alerts first */
	size_t n;
	bool is_cut; /* there are more than SHEDS_MAX */
};

CHECKED int shed_row_insert(struct connection *connection, const struct alert *alert,
	const struct alert_place *place, struct err *err);

/** What was shed in the filter's span, by place, severity and rule. Texts live in @arena. */
CHECKED int sheds_list(struct connection *connection, const struct coverage_filter *filter,
	struct arena *arena, struct shed_list *out, struct err *err);
