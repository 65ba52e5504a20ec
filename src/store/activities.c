/* SPDX-License-Identifier: Apache-2.0 */
#include "store/activities.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "store/changes.h"
#include "store/links.h"
#include "store/overlays.h"

int activity_append(struct connection *connection, struct activity *activity, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO activity (number, time_ns, actor, kind, revision, detail, edit, "
		"origin)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, 0))",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)activity->number);
	sql_bind_i64(statement, 2, activity->time_ns);
	sql_bind_text(statement, 3, activity->actor);
	sql_bind_i64(statement, 4, activity->kind);
	sql_bind_i64(statement, 5, (int64_t)activity->revision);
	sql_bind_text(statement, 6, activity->detail);
	sql_bind_text_or_null(statement, 7, activity->edit);
	sql_bind_i64(statement, 8, (int64_t)activity->origin);
	if (sql_run(statement, err) < 0)
		return -1;
	activity->id = (uint64_t)sqlite3_last_insert_rowid(connection->db);
	return 0;
}

static void read_row(sqlite3_stmt *statement, struct arena *arena, struct activity *out)
{
	*out = (struct activity){
		.id = (uint64_t)sql_i64(statement, 0),
		.number = (uint64_t)sql_i64(statement, 1),
		.time_ns = sql_i64(statement, 2),
		.actor = arena_copy(arena, sql_text(statement, 3)),
		.kind = (enum activity_kind)sql_i64(statement, 4),
		.revision = (uint64_t)sql_i64(statement, 5),
		.detail = arena_copy(arena, sql_text(statement, 6)),
		.edit = arena_copy(arena, sql_text(statement, 7)),
		.origin = (uint64_t)sql_i64(statement, 8),
	};
}

int activity_of_edit(struct connection *connection, uint64_t number, struct text edit,
	enum activity_kind *kind, struct err *err)
{
	*kind = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT kind FROM activity WHERE number = ?1 AND edit = ?2 ORDER BY id LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_text(statement, 2, edit);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	*kind = (enum activity_kind)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

int activities_count(struct connection *connection, uint64_t number, uint64_t *n, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT count(*) FROM activity WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	if (sql_step(statement, err) < 0)
		return -1;
	*n = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

#define COLUMNS "id, number, time_ns, actor, kind, revision, detail, edit, origin"

int activities_read(struct connection *connection, struct activity_page *page, struct err *err)
{
	int step = 0;
	page->n = 0;
	page->items = arena_array(page->arena, page->limit + 1, sizeof *page->items);
	sqlite3_stmt *statement =
		page->number
			? connection_statement(connection,
				  "SELECT " COLUMNS " FROM activity WHERE number = ?1 AND id > ?2"
				  " ORDER BY id LIMIT ?3",
				  err)
			: connection_statement(connection,
				  "SELECT " COLUMNS " FROM activity WHERE ?1 = 0 AND id > ?2"
				  " ORDER BY id LIMIT ?3",
				  err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)page->number);
	sql_bind_i64(statement, 2, (int64_t)page->after);
	sql_bind_i64(statement, 3, (int64_t)page->limit);
	while (page->items && (step = sql_step(statement, err)) > 0)
		read_row(statement, page->arena, &page->items[page->n++]);
	if (page->arena->failed) {
		sqlite3_reset(statement);
		return err_set(err, ERR_MEMORY, "out of memory reading activities");
	}
	return step;
}

static bool disagree(const struct overlay *a, const struct overlay *b)
{
	return (a->verdict && b->verdict && a->verdict != b->verdict) ||
	       (a->assignee.size && b->assignee.size && !text_equal(a->assignee, b->assignee));
}

static int copy_activities(
	struct connection *connection, uint64_t from, uint64_t to, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO activity (number, time_ns, actor, kind, revision, detail, edit, "
		"origin)"
		" SELECT ?2, time_ns, actor, kind, revision, detail, edit, coalesce(origin, ?1)"
		" FROM activity WHERE number = ?1 ORDER BY id",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)from);
	sql_bind_i64(statement, 2, (int64_t)to);
	return sql_run(statement, err);
}

static int redirect(
	struct connection *connection, uint64_t from, uint64_t to, bool alias, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE incident SET redirect_to = ?2, alias_of = CASE WHEN ?3 THEN ?2 END"
		" WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)from);
	sql_bind_i64(statement, 2, (int64_t)to);
	sql_bind_i64(statement, 3, alias);
	return sql_run(statement, err) < 0 ? -1 : incident_changed(connection, from, err);
}

/* What only the merged one had been given goes on with the survivor: who works on it, how far. */
static int inherit(
	struct connection *connection, const struct overlay *from, uint64_t to, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE incident SET touched = 1, assignee = coalesce(assignee, ?2),"
		" state = CASE WHEN state = ?3 AND ?4 IN (?5, ?6) THEN ?4 ELSE state END"
		" WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)to);
	sql_bind_text_or_null(statement, 2, from->assignee);
	sql_bind_i64(statement, 3, INCIDENT_NEW);
	sql_bind_i64(statement, 4, from->state);
	sql_bind_i64(statement, 5, INCIDENT_ACKNOWLEDGED);
	sql_bind_i64(statement, 6, INCIDENT_INVESTIGATING);
	return sql_run(statement, err) < 0 ? -1 : incident_changed(connection, to, err);
}

static int note_merge(struct connection *connection, uint64_t number, uint64_t other,
	int64_t now_ns, struct err *err)
{
	char detail[64];
	size_t size =
		text_format(detail, sizeof detail, "{\"incident\":\"INC-%" PRIu64 "\"}", other);
	struct activity activity = {.number = number,
		.time_ns = now_ns,
		.actor = TEXT("tocsin"),
		.kind = ACTIVITY_MERGED,
		.detail = {detail, size}};
	return activity_append(connection, &activity, err);
}

int incident_merge(
	struct connection *connection, uint64_t from, uint64_t to, int64_t now_ns, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct overlay merged, survivor;
	arena_init(&arena, 1024 * 1024);
	if (overlay_read(connection, from, &arena, &merged, err) < 0 ||
		overlay_read(connection, to, &arena, &survivor, err) < 0 ||
		redirect(connection, from, to, disagree(&merged, &survivor), err) < 0 ||
		copy_activities(connection, from, to, err) < 0 ||
		links_move(connection, from, to, err) < 0 ||
		note_merge(connection, to, from, now_ns, err) < 0)
		return -1;
	return merged.touched ? inherit(connection, &merged, to, err) : 0;
}
