/* SPDX-License-Identifier: Apache-2.0 */
#include "store/workloads.h"

#include <string.h>

static int read_span(struct connection *connection, int64_t workload, struct workload_news *news,
	struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT first_day, last_day FROM workload WHERE id = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, workload);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (found) {
		news->has_first = !sql_is_null(statement, 0);
		news->has_last = !sql_is_null(statement, 1);
		news->first_day = sql_i64(statement, 0);
		news->last_day = sql_i64(statement, 1);
		sqlite3_reset(statement);
	}
	return 0;
}

static int widen_span(struct connection *connection, int64_t workload, int64_t day, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE workload SET first_day = min(coalesce(first_day, ?2), ?2),"
		" last_day = max(coalesce(last_day, ?2), ?2) WHERE id = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, workload);
	sql_bind_i64(statement, 2, day);
	return sql_run(statement, err);
}

int workload_note(struct connection *connection, int64_t workload, int64_t rule, int64_t day,
	struct workload_news *news, struct err *err)
{
	*news = (struct workload_news){0};
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT OR IGNORE INTO workload_day (day, workload, rule) VALUES (?1, ?2, ?3)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, day);
	sql_bind_i64(statement, 2, workload);
	sql_bind_i64(statement, 3, rule);
	if (sql_run(statement, err) < 0)
		return -1;
	news->is_new = sqlite3_changes(connection->db) > 0;
	if (!news->is_new)
		return 0;
	if (read_span(connection, workload, news, err) < 0)
		return -1;
	return news->has_first && news->has_last && news->first_day <= day && news->last_day >= day
		       ? 0
		       : widen_span(connection, workload, day, err);
}

int workload_note_context(
	struct connection *connection, int64_t workload, int64_t day, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE workload SET last_day = max(coalesce(last_day, ?2), ?2) WHERE id = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, workload);
	sql_bind_i64(statement, 2, day);
	return sql_run(statement, err);
}

/* 1: the workload showed the rule on that day; 0: it did not. */
static int shows(struct connection *connection, const struct workload_past *past, int64_t day,
	struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT 1 FROM workload_day WHERE day = ?1 AND workload = ?2 AND rule = ?3", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, day);
	sql_bind_i64(statement, 2, past->workload);
	sql_bind_i64(statement, 3, past->rule);
	int found = sql_step(statement, err);
	sqlite3_reset(statement);
	return found;
}

int workload_past_read(struct connection *connection, struct workload_past *past, struct err *err)
{
	struct workload_news span = {0};
	past->n_days = 0;
	if (read_span(connection, past->workload, &span, err) < 0)
		return -1;
	past->has_history = span.has_first && span.first_day <= past->day - past->n_before;
	for (unsigned i = 1; i <= past->n_before && past->has_history; i++) {
		int found = shows(connection, past, past->day - i, err);
		if (found < 0)
			return -1;
		past->n_days += found > 0;
	}
	return 0;
}

int workload_of_entity(struct connection *connection, int64_t entity, struct arena *arena,
	int64_t *workload, struct text *name, struct err *err)
{
	*workload = 0;
	*name = TEXT_NONE;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT w.id, w.name FROM entity e JOIN workload w ON w.id = e.workload"
		" WHERE e.id = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, entity);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	*workload = sql_i64(statement, 0);
	*name = arena_copy(arena, sql_text(statement, 1));
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory for a workload") : 0;
}

static int add_piece(
	sqlite3_stmt *statement, size_t *capacity, struct workload_pieces *pieces, struct err *err)
{
	struct arena *arena = pieces->arena;
	if (pieces->n == *capacity) {
		size_t wanted = *capacity ? *capacity * 2 : 8;
		struct workload_piece *items = arena_array(arena, wanted, sizeof *items);
		if (items && pieces->n)
			memcpy(items, pieces->items, pieces->n * sizeof *items);
		pieces->items = items;
		*capacity = wanted;
	}
	struct text key = arena_copy(arena, sql_text(statement, 0));
	if (arena->failed || !pieces->items) {
		sqlite3_reset(statement);
		return err_set(err, ERR_MEMORY, "out of memory for a workload's incidents");
	}
	pieces->items[pieces->n++] = (struct workload_piece){
		key, sql_i64(statement, 3) != 0, sql_i64(statement, 1), sql_i64(statement, 2)};
	return 0;
}

int workload_pieces_read(
	struct connection *connection, struct workload_pieces *pieces, struct err *err)
{
	size_t capacity = 0;
	int step;
	pieces->items = NULL;
	pieces->n = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT DISTINCT k.text, p.first_slot, p.last_slot,"
		" coalesce(substr(p.claims, 1, 1) = x'01', 0) FROM entity e"
		" JOIN member m ON m.entity = e.id JOIN piece p ON p.number = m.number"
		" JOIN key k ON k.id = p.key"
		" WHERE e.workload = ?1 AND p.frozen = 0 AND p.lo >= ?2 AND p.lo < ?3",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, pieces->workload);
	sql_bind_i64(statement, 2, pieces->from_ns);
	sql_bind_i64(statement, 3, pieces->to_ns);
	while ((step = sql_step(statement, err)) > 0)
		if (add_piece(statement, &capacity, pieces, err) < 0)
			return -1;
	return step;
}

int workload_days_remove(struct connection *connection, int64_t before_day, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"DELETE FROM workload_day WHERE (day, workload, rule) IN"
		" (SELECT day, workload, rule FROM workload_day WHERE day < ?1"
		" ORDER BY day, workload, rule LIMIT 200)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, before_day);
	return sql_run(statement, err) < 0 ? -1 : sqlite3_changes(connection->db);
}
