/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Lists of fingerprints: alerts by kind and workload (store/print_days.h), any connection. */

#include "base/arena.h"
#include "model/print_group.h"
#include "store/connection.h"

struct query;
struct scope;

enum print_order { PRINTS_NEWEST, PRINTS_MOST };

struct print_filter {
	const struct query *query; /* of fingerprints; NULL: any */
	const struct scope *scope; /* NULL: all */
	enum print_order order;
};

/* Where a page ends: keys of its last group. */
struct print_position {
	int64_t order, fingerprint, workload;
};

struct print_page {
	bool has_after;
	struct print_position after;
	size_t limit;
	struct arena *arena;
	/* out */
	struct print_group *first; /* in order, linked by next */
	bool has_next;
	struct print_position next;
};

/**
 * One page. Where the query says since when they were seen last, only the days since then are
 * counted, whole; unless it asks when they began.
 */
CHECKED int print_groups_list(struct connection *connection, const struct print_filter *filter,
	struct print_page *page, struct err *err);
