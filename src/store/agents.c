/* SPDX-License-Identifier: Apache-2.0 */
#include "store/agents.h"

#include <string.h>

/* Those of its node that had nothing to say and say nothing more: their disk was made anew. */
static int succeed(struct connection *connection, const struct agent_report *report, int64_t now_ns,
	struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"DELETE FROM agent WHERE cluster = ?1 AND node = ?2 AND spool <> ?3"
		" AND waiting = 0 AND heard_ns < ?4",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, report->cluster);
	sql_bind_text(statement, 2, report->node);
	sql_bind_blob(statement, 3, report->spool, sizeof report->spool);
	sql_bind_i64(statement, 4, now_ns - AGENT_NOT_HEARD_NS);
	return sql_run(statement, err);
}

int agent_note(struct connection *connection, const struct agent_report *report, int64_t now_ns,
	struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO agent (cluster, node, version, heard_ns, oldest_ns, waiting, "
		"waiting_bytes, boot, boot_ns, spool)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?4, ?9)"
		" ON CONFLICT DO UPDATE SET version = ?3, heard_ns = ?4, oldest_ns = ?5,"
		" waiting = ?6, waiting_bytes = ?7, boot = ?8,"
		" boot_ns = CASE boot WHEN ?8 THEN boot_ns ELSE ?4 END",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, report->cluster);
	sql_bind_text(statement, 2, report->node);
	sql_bind_text(statement, 3, report->version);
	sql_bind_i64(statement, 4, now_ns);
	sql_bind_i64(statement, 5, report->oldest_ns);
	sql_bind_i64(statement, 6, (int64_t)report->n_waiting);
	sql_bind_i64(statement, 7, (int64_t)report->waiting_bytes);
	sql_bind_text(statement, 8, report->boot);
	sql_bind_blob(statement, 9, report->spool, sizeof report->spool);
	return sql_run(statement, err) < 0 ? -1 : succeed(connection, report, now_ns, err);
}

static int count(struct connection *connection, size_t *n, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT min(count(*), ?1) FROM agent", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, AGENTS_MAX);
	if (sql_step(statement, err) < 0)
		return -1;
	*n = (size_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

int agents_list(
	struct connection *connection, struct arena *arena, struct agent_list *out, struct err *err)
{
	size_t n;
	int step;
	*out = (struct agent_list){0};
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT cluster, node, version, heard_ns, oldest_ns, waiting, waiting_bytes,"
		" boot, iif(boot = '', 0, boot_ns), spool FROM agent"
		" ORDER BY cluster, node, spool",
		err);
	if (!statement || count(connection, &n, err) < 0)
		return -1;
	out->items = arena_array(arena, n ? n : 1, sizeof *out->items);
	if (!out->items)
		return err_set(err, ERR_MEMORY, "out of memory reading agents");
	while (out->n < n && (step = sql_step(statement, err)) != 0) {
		if (step < 0)
			return -1;
		struct agent_row *row = &out->items[out->n++];
		struct text spool = sql_blob(statement, 9);
		*row = (struct agent_row){
			.report = {.cluster = arena_copy(arena, sql_text(statement, 0)),
				.node = arena_copy(arena, sql_text(statement, 1)),
				.version = arena_copy(arena, sql_text(statement, 2)),
				.oldest_ns = sql_i64(statement, 4),
				.n_waiting = (uint64_t)sql_i64(statement, 5),
				.waiting_bytes = (uint64_t)sql_i64(statement, 6),
				.boot = arena_copy(arena, sql_text(statement, 7))},
			.heard_ns = sql_i64(statement, 3),
			.boot_ns = sql_i64(statement, 8)};
		if (spool.size == sizeof row->report.spool)
			memcpy(row->report.spool, spool.data, spool.size);
	}
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading agents") : 0;
}

int agents_expire(struct connection *connection, int64_t before_ns, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "DELETE FROM agent WHERE heard_ns < ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, before_ns);
	return sql_run(statement, err);
}
