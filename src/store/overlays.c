/* SPDX-License-Identifier: Apache-2.0 */
#include "store/overlays.h"

#include "model/activity.h"
#include "store/changes.h"

static int missing(uint64_t number, struct err *err)
{
	return err_set(err, ERR_MISSING, "no incident INC-%llu", (unsigned long long)number);
}

int overlay_read(struct connection *connection, uint64_t number, struct arena *arena,
	struct overlay *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT i.state, i.verdict, i.assignee, i.title, i.touched, i.snoozed_until_ns,"
		" i.snoozed_from, i.resolved_ns, i.redirect_to, k.text, p.revision, p.frozen"
		" FROM incident i"
		" LEFT JOIN piece p ON p.number = i.number LEFT JOIN key k ON k.id = p.key"
		" WHERE i.number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found < 0 ? -1 : missing(number, err);
	*out = (struct overlay){
		.number = number,
		.state = (enum incident_state)sql_i64(statement, 0),
		.verdict = (enum verdict)sql_i64(statement, 1),
		.assignee = arena_copy(arena, sql_text(statement, 2)),
		.title = arena_copy(arena, sql_text(statement, 3)),
		.touched = sql_i64(statement, 4) != 0,
		.snoozed_until_ns = sql_i64(statement, 5),
		.snoozed_from = arena_copy(arena, sql_text(statement, 6)),
		.resolved_ns = sql_i64(statement, 7),
		.redirect_to = (uint64_t)sql_i64(statement, 8),
		.key = arena_copy(arena, sql_text(statement, 9)),
		.revision = (uint64_t)sql_i64(statement, 10),
		.frozen = sql_i64(statement, 11) != 0,
	};
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading an incident") : 0;
}

int overlay_survivor(struct connection *connection, uint64_t number, uint64_t *out, struct err *err)
{
	uint64_t next = number;
	do {
		*out = next;
		sqlite3_stmt *statement = connection_statement(
			connection, "SELECT redirect_to FROM incident WHERE number = ?1", err);
		if (!statement)
			return -1;
		sql_bind_i64(statement, 1, (int64_t)next);
		int found = sql_step(statement, err);
		if (found <= 0)
			return found < 0 ? -1 : missing(next, err);
		next = (uint64_t)sql_i64(statement, 0);
		sqlite3_reset(statement);
	} while (next);
	return 0;
}

static void bind_or_null(sqlite3_stmt *statement, int at, int64_t value)
{
	if (value)
		sql_bind_i64(statement, at, value);
}

static int raise_revision(
	struct connection *connection, uint64_t number, int64_t now_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE piece SET revision = revision + 1, changed_ns = ?2 WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_i64(statement, 2, now_ns);
	return sql_run(statement, err);
}

int overlay_write(
	struct connection *connection, struct overlay *overlay, int64_t now_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE incident SET state = ?2, verdict = ?3, assignee = ?4, title = ?5,"
		" touched = ?6, snoozed_until_ns = ?7, snoozed_from = ?8, resolved_ns = ?9"
		" WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)overlay->number);
	sql_bind_i64(statement, 2, overlay->state);
	sql_bind_i64(statement, 3, overlay->verdict);
	if (overlay->assignee.size)
		sql_bind_text(statement, 4, overlay->assignee);
	if (overlay->title.size)
		sql_bind_text(statement, 5, overlay->title);
	sql_bind_i64(statement, 6, overlay->touched);
	bind_or_null(statement, 7, overlay->snoozed_until_ns);
	if (overlay->snoozed_until_ns)
		sql_bind_text(statement, 8, overlay->snoozed_from);
	bind_or_null(statement, 9, overlay->resolved_ns);
	if (sql_run(statement, err) < 0 ||
		raise_revision(connection, overlay->number, now_ns, err) < 0 ||
		incident_changed(connection, overlay->number, err) < 0)
		return -1;
	overlay->revision++;
	return 0;
}

int overlay_snooze_over(
	struct connection *connection, int64_t now_ns, uint64_t *number, struct err *err)
{
	*number = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT number FROM incident WHERE snoozed_until_ns IS NOT NULL"
		" AND snoozed_until_ns <= ?1 ORDER BY snoozed_until_ns, number LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, now_ns);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	*number = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

int overlay_wake(struct connection *connection, uint64_t number, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE incident SET snoozed_until_ns = NULL, snoozed_from = NULL WHERE number = "
		"?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	return sql_run(statement, err) < 0 ? -1 : incident_changed(connection, number, err);
}

int overlay_recurs(
	struct connection *connection, uint64_t number, uint64_t resolved, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "UPDATE incident SET recurrence_of = ?2 WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_i64(statement, 2, (int64_t)resolved);
	return sql_run(statement, err) < 0 ? -1 : incident_changed(connection, number, err);
}

int overlay_resolve_cut(struct connection *connection, uint64_t number, struct arena *arena,
	struct text *edit, int64_t *slot, struct err *err)
{
	*edit = TEXT_NONE;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT e.id, e.from_slot FROM incident i JOIN activity a ON a.number = i.number"
		" JOIN edit e ON e.id = a.edit WHERE i.number = ?1 AND i.resolved_ns IS NOT NULL"
		" AND a.kind = ?2 AND a.origin IS NULL ORDER BY a.id DESC LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_i64(statement, 2, ACTIVITY_RESOLVED);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	*edit = arena_copy(arena, sql_text(statement, 0));
	*slot = sql_i64(statement, 1);
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading an edit") : 0;
}
