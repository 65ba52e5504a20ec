/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Stored coverage: which sensor was connected, silent, throttled or dropping, or had what it said
 * shed, and when.
 *
 * Intervals are a set: told again, or in another order, they are the same. None crosses midnight
 * (UTC) in the table; a list puts them together again.
 */

#include "base/arena.h"
#include "model/coverage.h"
#include "store/connection.h"

/* Longer ones keep their end. */
enum { COVERAGE_DAYS_MAX = 32, COVERAGE_LIST_MAX = 5000 };

#define COVERAGE_GOES_ON_NS INT64_MAX /* the end of what has not ended */

/** Adds an interval. Its n counts once: told again with a later end it is what is lost in all. */
CHECKED int coverage_note(
	struct connection *connection, const struct coverage *coverage, struct err *err);

/* Of which intervals a list is made; absent texts: any. */
struct coverage_filter {
	int64_t from_ns, until_ns;
	int64_t now_ns; /* who is silent by now is told too, without an end; 0: is not */
	struct text cluster, node, source;
	bool gaps_only;
};

/** Binds ?1, ?2, ?3: cluster, node ('': any) and source (0: any). */
void coverage_filter_bind(sqlite3_stmt *statement, const struct coverage_filter *filter);

struct coverage_list {
	struct coverage *items; /* by place, then state, then time */
	size_t n;
	bool is_cut; /* there are more than COVERAGE_LIST_MAX */
};

CHECKED int coverage_list(struct connection *connection, const struct coverage_filter *filter,
	struct arena *arena, struct coverage_list *out, struct err *err);

/** Whose last interval lies before leaves. */
CHECKED int coverage_expire(struct connection *connection, int64_t before_ns, struct err *err);
