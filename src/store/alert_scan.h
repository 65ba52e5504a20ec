/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Leaves of alerts that a filter may want, newest first: those named by the filter, else all that
 * its query's rows let through (store/query_sql.h). Times that the query or the filter bound first
 * bound the leaves, by the index that leads with the time.
 */

#include "store/alerts.h"
#include "store/query_sql.h"

enum { ALERT_SCAN_STEP = 200000 }; /* leaves that are looked at between two answers */

struct alert_scan {
	struct connection *connection;
	const struct alert_filter *filter;
	uint64_t before; /* all from here on were looked at; INT64_MAX + 1: none */
	/* of scans through rows */
	struct query_sql sql;
	sqlite3_stmt *statement; /* NULL: none runs */
	uint64_t first;          /* the lowest leaf that can be wanted */
	uint64_t step_first;     /* where the statement that runs ends */
};

/* What alert_scan_next gives. */
enum alert_scan_found {
	ALERT_SCAN_FAILED = -1,
	ALERT_SCAN_END,
	ALERT_SCAN_LEAF,
	ALERT_SCAN_PAUSE, /* it has looked at a lot: go on, or tell the caller to ask again */
};

/** @before 0: from the newest. End it with alert_scan_done, after a failure too. */
CHECKED int alert_scan_init(struct alert_scan *scan, struct connection *connection,
	const struct alert_filter *filter, uint64_t before, struct arena *arena, struct err *err);
void alert_scan_done(struct alert_scan *scan);

/** `before` becomes a number of leaves that there may be. Done by alert_scan_next, too. */
CHECKED int alert_scan_skip_to_newest(struct alert_scan *scan, struct err *err);

enum alert_scan_found alert_scan_next(struct alert_scan *scan, uint64_t *leaf, struct err *err);

static inline void alert_scan_done_auto(struct alert_scan *scan)
{
	alert_scan_done(scan);
}
