/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rollups.h"

static void bind_rollup(sqlite3_stmt *statement, const struct rollup *rollup)
{
	sql_bind_text(statement, 1, rollup->cluster);
	sql_bind_text(statement, 2, rollup->namespace);
	sql_bind_i64(statement, 3, rollup->rule);
	sql_bind_i64(statement, 4, rollup->hour);
}

int rollup_intern(
	struct connection *connection, const struct rollup *rollup, int64_t *id, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id FROM rollup WHERE cluster = ?1 AND namespace = ?2 AND rule = ?3"
		" AND hour = ?4",
		err);
	if (!statement)
		return -1;
	bind_rollup(statement, rollup);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (found) {
		*id = sql_i64(statement, 0);
		sqlite3_reset(statement);
		return 0;
	}
	if (connection->mode == CONNECTION_SHADOW) {
		*id = -1; /* one that is not there yet, and is not made for looking */
		return 0;
	}
	statement = connection_statement(connection,
		"INSERT INTO rollup (cluster, namespace, rule, hour) VALUES (?1, ?2, ?3, ?4)", err);
	if (!statement)
		return -1;
	bind_rollup(statement, rollup);
	if (sql_run(statement, err) < 0)
		return -1;
	*id = sqlite3_last_insert_rowid(connection->db);
	return 0;
}

/* Looks at no more incidents than it takes to know, and at the last of the index. */
int rollup_newest(struct connection *connection, int64_t id, uint64_t *number, struct err *err)
{
	*number = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT (SELECT count(*) FROM (SELECT 1 FROM piece WHERE rollup = ?1 LIMIT ?2)),"
		" (SELECT max(number) FROM piece WHERE rollup = ?1)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, id);
	sql_bind_i64(statement, 2, ROLLUP_SHOWN_MAX + 1);
	int found = sql_step(statement, err);
	if (found > 0 && sql_i64(statement, 0) > ROLLUP_SHOWN_MAX)
		*number = (uint64_t)sql_i64(statement, 1);
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

int rollup_read(
	struct connection *connection, int64_t id, struct rollup_extent *extent, struct err *err)
{
	*extent = (struct rollup_extent){0};
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT count(*), sum(n), min(lo), max(hi) FROM piece WHERE rollup = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, id);
	int found = sql_step(statement, err);
	if (found > 0)
		*extent = (struct rollup_extent){(uint64_t)sql_i64(statement, 0),
			(uint64_t)sql_i64(statement, 1), sql_i64(statement, 2),
			sql_i64(statement, 3)};
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}
