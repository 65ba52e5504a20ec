/* SPDX-License-Identifier: Apache-2.0 */
#include "store/views.h"

#define COLUMNS "SELECT id, name, of, query, sort, columns, owner, shared, created_ns FROM view"

int view_put(struct connection *connection, struct saved_view *view, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO view (name, of, query, sort, columns, owner, shared, created_ns)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT (owner, of, name) DO UPDATE SET query = ?3, sort = ?4, columns = ?5,"
		" shared = ?7 RETURNING id",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, view->name);
	sql_bind_i64(statement, 2, view->of);
	sql_bind_text(statement, 3, view->query);
	sql_bind_text(statement, 4, view->sort);
	sql_bind_text(statement, 5, view->columns);
	sql_bind_text(statement, 6, view->owner);
	sql_bind_i64(statement, 7, view->shared);
	sql_bind_i64(statement, 8, view->created_ns);
	int step = sql_step(statement, err);
	if (step > 0)
		view->id = (uint64_t)sql_i64(statement, 0);
	return step < 0 ? -1 : sql_run(statement, err);
}

static void read_view(sqlite3_stmt *statement, struct arena *arena, struct saved_view *view)
{
	*view = (struct saved_view){
		.id = (uint64_t)sql_i64(statement, 0),
		.name = arena_copy(arena, sql_text(statement, 1)),
		.of = (enum query_of)sql_i64(statement, 2),
		.query = arena_copy(arena, sql_text(statement, 3)),
		.sort = arena_copy(arena, sql_text(statement, 4)),
		.columns = arena_copy(arena, sql_text(statement, 5)),
		.owner = arena_copy(arena, sql_text(statement, 6)),
		.shared = sql_i64(statement, 7) != 0,
		.created_ns = sql_i64(statement, 8),
	};
}

int view_find(struct connection *connection, uint64_t id, struct arena *arena,
	struct saved_view *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, COLUMNS " WHERE id = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)id);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (!found)
		return err_set(err, ERR_MISSING, "there is no view %llu", (unsigned long long)id);
	read_view(statement, arena, out);
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory for a view") : 0;
}

int view_remove(struct connection *connection, uint64_t id, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "DELETE FROM view WHERE id = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)id);
	return sql_run(statement, err);
}

int views_count(struct connection *connection, const struct saved_view *view, uint64_t *n_own,
	uint64_t *n_all, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT count(*), total(owner = ?1) FROM view"
		" WHERE NOT (owner = ?1 AND of = ?2 AND name = ?3)",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, view->owner);
	sql_bind_i64(statement, 2, view->of);
	sql_bind_text(statement, 3, view->name);
	int step = sql_step(statement, err);
	*n_all = step > 0 ? (uint64_t)sql_i64(statement, 0) : 0;
	*n_own = step > 0 ? (uint64_t)sql_i64(statement, 1) : 0;
	sqlite3_reset(statement);
	return step < 0 ? -1 : 0;
}

int views_read(struct connection *connection, struct text owner, struct arena *arena,
	struct view_list *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		COLUMNS " WHERE owner = ?1 OR shared = 1 ORDER BY name, id LIMIT ?2", err);
	int step = -1;
	*out = (struct view_list){arena_array(arena, SAVED_VIEWS_MAX, sizeof *out->items), 0};
	if (!statement)
		return -1;
	if (!out->items)
		return err_set(err, ERR_MEMORY, "out of memory for views");
	sql_bind_text(statement, 1, owner);
	sql_bind_i64(statement, 2, SAVED_VIEWS_MAX);
	while ((step = sql_step(statement, err)) > 0)
		read_view(statement, arena, &out->items[out->n++]);
	if (step == 0 && arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory for views");
	return step;
}
