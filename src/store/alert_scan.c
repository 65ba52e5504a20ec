/* SPDX-License-Identifier: Apache-2.0 */
#include "store/alert_scan.h"

#include "model/query_eval.h"
#include "model/slot.h"
#include "store/alert_filter.h"

static const uint64_t beyond_all = (uint64_t)INT64_MAX + 1;

/* Is the whole store not older than the slot? Then no bound is worth looking for. */
static int begins_after(struct connection *connection, int64_t slot, bool *after, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT slot FROM alert WHERE slot IS NOT NULL ORDER BY slot LIMIT 1", err);
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	*after = found > 0 && sql_i64(statement, 0) > slot;
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

/*
 * Leaves of the alerts with low <= time <= high, the first and the one behind the last. Alerts
 * without a slot have an index of their own.
 */
static int bound_by_time(struct alert_scan *scan, int64_t low, int64_t high, struct err *err)
{
	bool all = false;
	if (high == INT64_MAX && begins_after(scan->connection, slot_of(low), &all, err) < 0)
		return -1;
	if (all)
		return 0;
	sqlite3_stmt *statement = connection_statement(scan->connection,
		"SELECT min(leaf), max(leaf) FROM alert INDEXED BY alert_slot"
		" WHERE slot BETWEEN ?1 AND ?2"
		" UNION ALL SELECT min(leaf), max(leaf) FROM alert INDEXED BY alert_apart"
		" WHERE slot IS NULL AND time_ns BETWEEN ?3 AND ?4",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, slot_of(low));
	sql_bind_i64(statement, 2, slot_of(high));
	sql_bind_i64(statement, 3, low);
	sql_bind_i64(statement, 4, high);
	uint64_t first = beyond_all, behind = 0;
	int step;
	while ((step = sql_step(statement, err)) > 0) {
		if (sql_is_null(statement, 0))
			continue;
		uint64_t lowest = (uint64_t)sql_i64(statement, 0);
		uint64_t highest = (uint64_t)sql_i64(statement, 1);
		first = lowest < first ? lowest : first;
		behind = highest >= behind ? highest + 1 : behind;
	}
	scan->first = first;
	scan->before = behind < scan->before ? behind : scan->before;
	return step;
}

/* What filter and query say about time and leaf together. */
static int bound(struct alert_scan *scan, struct err *err)
{
	const struct alert_filter *filter = scan->filter;
	int64_t low = filter->since_ns ? filter->since_ns : INT64_MIN;
	int64_t high = filter->until_ns ? filter->until_ns - 1 : INT64_MAX;
	int64_t first = 0, last = INT64_MAX;
	query_bound(filter->query, FIELD_LAST, &low, &high);
	query_bound(filter->query, FIELD_FIRST, &low, &high);
	query_bound(filter->query, FIELD_LEAF, &first, &last);
	if ((low != INT64_MIN || high != INT64_MAX) && bound_by_time(scan, low, high, err) < 0)
		return -1;
	if (first > 0 && (uint64_t)first > scan->first)
		scan->first = (uint64_t)first;
	if (last < 0)
		scan->before = 0;
	else if ((uint64_t)last < scan->before)
		scan->before = (uint64_t)last + 1;
	return 0;
}

int alert_scan_init(struct alert_scan *scan, struct connection *connection,
	const struct alert_filter *filter, uint64_t before, struct arena *arena, struct err *err)
{
	*scan = (struct alert_scan){
		.connection = connection, .filter = filter, .before = before ? before : beyond_all};
	if (filter->leaves || filter->quarantined)
		return query_sql_init(&scan->sql, connection, NULL, arena, err);
	const struct query *query = alert_filter_query(filter, arena);
	if (!query)
		return err_set(err, ERR_MEMORY, "out of memory listing alerts");
	return query_sql_init(&scan->sql, connection, query, arena, err) < 0 ? -1
									     : bound(scan, err);
}

void alert_scan_done(struct alert_scan *scan)
{
	sqlite3_finalize(scan->statement);
	scan->statement = NULL;
	query_sql_done(&scan->sql);
}

static enum alert_scan_found next_named(struct alert_scan *scan, uint64_t *leaf)
{
	const struct alert_filter *filter = scan->filter;
	size_t at = filter->n_leaves;
	while (at > 0 && filter->leaves[at - 1] >= scan->before)
		at--;
	if (!at)
		return ALERT_SCAN_END;
	*leaf = scan->before = filter->leaves[at - 1];
	return ALERT_SCAN_LEAF;
}

static enum alert_scan_found next_quarantined(
	struct alert_scan *scan, uint64_t *leaf, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(scan->connection,
		"SELECT leaf FROM quarantine WHERE leaf < ?1 ORDER BY leaf DESC LIMIT 1", err);
	if (!statement)
		return ALERT_SCAN_FAILED;
	sql_bind_i64(statement, 1, scan->before < beyond_all ? (int64_t)scan->before : INT64_MAX);
	int found = sql_step(statement, err);
	if (found > 0)
		*leaf = scan->before = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return (enum alert_scan_found)found;
}

/* A statement for the next leaves. */
static bool begin_step(struct alert_scan *scan, struct err *err)
{
	uint64_t before = scan->before < beyond_all ? scan->before : INT64_MAX;
	sqlite3_finalize(scan->statement);
	scan->statement = query_sql_prepare(scan->connection, &scan->sql,
		"SELECT a.leaf FROM alert a WHERE a.leaf < ?1 AND a.leaf >= ?2 AND ",
		" ORDER BY a.leaf DESC", err);
	if (!scan->statement)
		return false;
	scan->step_first = before > ALERT_SCAN_STEP ? before - ALERT_SCAN_STEP : 0;
	if (scan->step_first < scan->first)
		scan->step_first = scan->first;
	sql_bind_i64(scan->statement, 1, (int64_t)before);
	sql_bind_i64(scan->statement, 2, (int64_t)scan->step_first);
	return true;
}

/* The step from the newest leaf on begins there, not at the end of all numbers. */
int alert_scan_skip_to_newest(struct alert_scan *scan, struct err *err)
{
	if (scan->before != beyond_all)
		return 0;
	sqlite3_stmt *statement =
		connection_statement(scan->connection, "SELECT max(leaf) FROM alert", err);
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	if (found > 0)
		scan->before = sql_is_null(statement, 0) ? 0 : (uint64_t)sql_i64(statement, 0) + 1;
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

enum alert_scan_found alert_scan_next(struct alert_scan *scan, uint64_t *leaf, struct err *err)
{
	if (scan->filter->leaves)
		return next_named(scan, leaf);
	if (scan->filter->quarantined)
		return next_quarantined(scan, leaf, err);
	if (alert_scan_skip_to_newest(scan, err) < 0)
		return ALERT_SCAN_FAILED;
	if (scan->before <= scan->first)
		return ALERT_SCAN_END;
	if (!scan->statement && !begin_step(scan, err))
		return ALERT_SCAN_FAILED;
	int found = sql_step(scan->statement, err);
	if (found < 0)
		return ALERT_SCAN_FAILED;
	if (found) {
		*leaf = scan->before = (uint64_t)sql_i64(scan->statement, 0);
		return ALERT_SCAN_LEAF;
	}
	scan->before = scan->step_first;
	sqlite3_finalize(scan->statement);
	scan->statement = NULL;
	return scan->before <= scan->first ? ALERT_SCAN_END : ALERT_SCAN_PAUSE;
}
