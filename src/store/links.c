/* SPDX-License-Identifier: Apache-2.0 */
#include "store/links.h"

int link_add(
	struct connection *connection, struct text edit, uint64_t a, uint64_t b, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "INSERT INTO link (edit, a, b) VALUES (?1, ?2, ?3)", err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, edit);
	sql_bind_i64(statement, 2, (int64_t)a);
	sql_bind_i64(statement, 3, (int64_t)b);
	return sql_run(statement, err);
}

int link_undo(struct connection *connection, struct text edit, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "UPDATE link SET undone = 1 WHERE edit = ?1", err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, edit);
	return sql_run(statement, err);
}

int link_find(
	struct connection *connection, struct text edit, struct link_row *out, struct err *err)
{
	*out = (struct link_row){0};
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT a, b, undone FROM link WHERE edit = ?1", err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, edit);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	*out = (struct link_row){(uint64_t)sql_i64(statement, 0), (uint64_t)sql_i64(statement, 1),
		sql_i64(statement, 2) != 0};
	sqlite3_reset(statement);
	return 0;
}

int links_read(struct connection *connection, struct incident *incident, struct arena *arena,
	struct err *err)
{
	enum { LINKS_MAX = 1000 };
	int step;
	incident->n_links = 0;
	incident->links = arena_array(arena, LINKS_MAX, sizeof *incident->links);
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT edit, CASE a WHEN ?1 THEN b ELSE a END FROM link"
		" WHERE (a = ?1 OR b = ?1) AND a <> b AND undone = 0 ORDER BY 2, 1 LIMIT ?2",
		err);
	if (!incident->links)
		return err_set(err, ERR_MEMORY, "out of memory reading links");
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)incident->number);
	sql_bind_i64(statement, 2, LINKS_MAX);
	while ((step = sql_step(statement, err)) > 0)
		incident->links[incident->n_links++] = (struct incident_link){
			arena_copy(arena, sql_text(statement, 0)), (uint64_t)sql_i64(statement, 1)};
	if (arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory reading links");
	return step;
}

int links_move(struct connection *connection, uint64_t from, uint64_t to, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE link SET a = CASE a WHEN ?1 THEN ?2 ELSE a END,"
		" b = CASE b WHEN ?1 THEN ?2 ELSE b END WHERE a = ?1 OR b = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)from);
	sql_bind_i64(statement, 2, (int64_t)to);
	return sql_run(statement, err);
}
