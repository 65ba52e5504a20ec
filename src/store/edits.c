/* SPDX-License-Identifier: Apache-2.0 */
#include "store/edits.h"

#include <string.h>

#include "model/activity.h"
#include "store/occurrences.h"
#include "store/retention.h"

static void bind_edit(sqlite3_stmt *statement, const struct edit *edit)
{
	sql_bind_text(statement, 1, edit->id);
	sql_bind_i64(statement, 2, edit->kind);
	if (edit->kind != EDIT_UNDO) {
		sql_bind_blob(statement, 3, edit->anchor, OCCURRENCE_BYTES);
		sql_bind_i64(statement, 4, edit->from_slot);
		sql_bind_i64(statement, 5, edit->to_slot);
	}
	sql_bind_text_or_null(statement, 6, edit->target);
	if (edit->n_prints)
		sql_bind_blob(statement, 7, edit->prints, edit->n_prints * sizeof edit->prints[0]);
}

int edit_insert(struct connection *connection, const struct edit *edit, int64_t *seq, bool *is_new,
	struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO edit (id, kind, anchor, from_slot, to_slot, target, prints)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
		err);
	if (!statement)
		return -1;
	bind_edit(statement, edit);
	if (sql_run(statement, err) < 0)
		return -1;
	*is_new = sqlite3_changes(connection->db) > 0;
	*seq = sqlite3_last_insert_rowid(connection->db);
	return 0;
}

int edit_anchor(struct connection *connection, int64_t seq, int64_t entity, int64_t time_ns,
	struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "UPDATE edit SET entity = ?2, anchor_ns = ?3 WHERE seq = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, seq);
	sql_bind_i64(statement, 2, entity);
	sql_bind_i64(statement, 3, time_ns);
	return sql_run(statement, err);
}

int edit_anchor_find(struct connection *connection, const unsigned char occ[OCCURRENCE_BYTES],
	bool *found, int64_t *entity, int64_t *time_ns, struct err *err)
{
	uint64_t leaf;
	*found = false;
	if (occurrence_find(connection, occ, &leaf, err) < 0)
		return err->kind == ERR_MISSING ? 0 : -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT entity, time_ns FROM alert WHERE leaf = ?1 AND slot IS NOT NULL", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)leaf);
	int step = sql_step(statement, err);
	if (step <= 0)
		return step;
	*found = true;
	*entity = sql_i64(statement, 0);
	*time_ns = sql_i64(statement, 1);
	sqlite3_reset(statement);
	return 0;
}

static bool read_prints(struct text stored, struct edit *edit)
{
	edit->n_prints = stored.size / FINGERPRINT_BYTES;
	if (edit->n_prints > EDIT_PRINTS_MAX || stored.size % FINGERPRINT_BYTES)
		return false;
	if (stored.size)
		memcpy(edit->prints, stored.data, stored.size);
	return true;
}

static bool read_edit(sqlite3_stmt *statement, struct stored_edit *out)
{
	struct text anchor = sql_blob(statement, 3);
	*out = (struct stored_edit){
		.seq = sql_i64(statement, 0),
		.edit.id = sql_text(statement, 1),
		.edit.kind = (enum edit_kind)sql_i64(statement, 2),
		.edit.from_slot = sql_i64(statement, 4),
		.edit.to_slot = sql_i64(statement, 5),
		.edit.target = sql_text(statement, 6),
		.anchored = !sql_is_null(statement, 8),
		.entity = sql_i64(statement, 8),
		.anchor_ns = sql_i64(statement, 9),
	};
	if (anchor.size == OCCURRENCE_BYTES)
		memcpy(out->edit.anchor, anchor.data, OCCURRENCE_BYTES);
	return read_prints(sql_blob(statement, 7), &out->edit);
}

/* The first slot that an edit must reach to matter. The horizon that is stored is never ahead of
 * the one in force. */
static int first_slot(struct connection *connection, int64_t *slot, struct err *err)
{
	struct retention_state state;
	*slot = INT64_MIN;
	if (retention_state_read(connection, &state, err) < 0)
		return -1;
	if (state.horizon_ns == 0)
		return 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT last_slot FROM piece WHERE frozen = 0 ORDER BY last_slot LIMIT 1", err);
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	*slot = slot_of(state.horizon_ns);
	if (found > 0 && sql_i64(statement, 0) < *slot)
		*slot = sql_i64(statement, 0);
	*slot -= SLOTS_PER_DAY;
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

int edits_read(struct connection *connection, edit_visit *visit, void *ctx, struct err *err)
{
	int64_t slot;
	int step;
	if (first_slot(connection, &slot, err) < 0)
		return -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT seq, id, kind, anchor, from_slot, to_slot, target, prints, entity, "
		"anchor_ns"
		" FROM edit WHERE kind <> 3"
		" AND CASE kind WHEN 1 THEN from_slot ELSE to_slot END >= ?1"
		" AND NOT EXISTS (SELECT 1 FROM edit u WHERE u.target = edit.id AND u.kind = 3)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, slot);
	while ((step = sql_step(statement, err)) > 0) {
		struct stored_edit stored;
		int failed = 0;
		if (!read_edit(statement, &stored))
			failed = err_set(err, ERR_CORRUPT, "edit %lld does not read back",
				(long long)stored.seq);
		else if (!visit(ctx, &stored))
			failed = err_set(err, ERR_MEMORY, "out of memory for people's edits");
		if (failed) {
			sqlite3_reset(statement);
			return -1;
		}
	}
	return step;
}

int edit_print_find(struct connection *connection,
	const unsigned char fingerprint[FINGERPRINT_BYTES], int64_t *id, struct err *err)
{
	*id = 0;
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT id FROM fingerprint WHERE hash = ?1", err);
	if (!statement)
		return -1;
	sql_bind_blob(statement, 1, fingerprint, FINGERPRINT_BYTES);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	*id = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

int edit_find(
	struct connection *connection, struct text id, bool *exists, bool *undone, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT EXISTS (SELECT 1 FROM edit WHERE id = ?1)"
		" OR EXISTS (SELECT 1 FROM link WHERE edit = ?1),"
		" EXISTS (SELECT 1 FROM edit WHERE target = ?1 AND kind = ?2)"
		" OR EXISTS (SELECT 1 FROM link WHERE edit = ?1 AND undone)",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, id);
	sql_bind_i64(statement, 2, EDIT_UNDO);
	if (sql_step(statement, err) < 0)
		return -1;
	*exists = sql_i64(statement, 0) != 0;
	*undone = sql_i64(statement, 1) != 0;
	sqlite3_reset(statement);
	return 0;
}

/* People make few edits: all unlinks are looked at. */
int edit_carver_find(struct connection *connection, struct text carved, struct arena *arena,
	struct text *id, struct err *err)
{
	int step = 0;
	*id = TEXT_NONE;
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT id FROM edit WHERE kind = ?1 ORDER BY id", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, EDIT_UNLINK);
	while (!id->size && (step = sql_step(statement, err)) > 0) {
		char digits[CARVED_BYTES + 1];
		edit_carved(sql_text(statement, 0), digits);
		if (text_is(carved, digits))
			*id = arena_copy(arena, sql_text(statement, 0));
	}
	sqlite3_reset(statement);
	if (arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory reading edits");
	return step < 0 ? -1 : 0;
}

static const char *name_of(enum activity_kind kind)
{
	return kind == ACTIVITY_LINKED ? "merge" : kind == ACTIVITY_UNLINKED ? "unlink" : "cut";
}

/* An unlink can be undone where it was made, and from the incident that it made. */
static struct text carver_of(const struct incident *incident)
{
	if (!incident->claims.carved || incident->key.size <= CARVED_BYTES)
		return TEXT_NONE;
	return text_part(incident->key, incident->key.size - CARVED_BYTES, CARVED_BYTES);
}

int edits_of_incident(struct connection *connection, struct incident *incident, struct arena *arena,
	struct err *err)
{
	enum { SHOWN_MAX = 1000 };
	int step;
	struct text carver = TEXT_NONE, carved = carver_of(incident);
	incident->n_edits = 0;
	incident->edits = arena_array(arena, SHOWN_MAX, sizeof *incident->edits);
	if (!incident->edits)
		return err_set(err, ERR_MEMORY, "out of memory reading edits");
	if (carved.size && edit_carver_find(connection, carved, arena, &carver, err) < 0)
		return -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT a.edit, a.kind, a.actor, min(a.time_ns) FROM activity a"
		" WHERE ((a.number = ?1 AND a.edit IS NOT NULL) OR a.edit = ?2)"
		" AND (a.kind IN (?3, ?4, ?5) OR (a.kind = ?8 AND (a.origin IS NOT NULL OR ?9)))"
		" AND NOT EXISTS (SELECT 1 FROM edit u WHERE u.target = a.edit AND u.kind = ?6)"
		" AND NOT EXISTS (SELECT 1 FROM link l WHERE l.edit = a.edit AND l.undone)"
		" AND (a.kind = ?5 OR NOT ?10)"
		" GROUP BY a.edit ORDER BY min(a.id) LIMIT ?7",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)incident->number);
	sql_bind_text_or_null(statement, 2, carver);
	sql_bind_i64(statement, 3, ACTIVITY_CUT);
	sql_bind_i64(statement, 4, ACTIVITY_UNLINKED);
	sql_bind_i64(statement, 5, ACTIVITY_LINKED);
	sql_bind_i64(statement, 6, EDIT_UNDO);
	sql_bind_i64(statement, 7, SHOWN_MAX);
	/* The cut of its own resolution is undone by reopening. */
	sql_bind_i64(statement, 8, ACTIVITY_RESOLVED);
	sql_bind_i64(statement, 9, incident->resolved_ns == 0);
	sql_bind_i64(statement, 10, incident->frozen);
	while ((step = sql_step(statement, err)) > 0)
		incident->edits[incident->n_edits++] =
			(struct incident_edit){arena_copy(arena, sql_text(statement, 0)),
				name_of((enum activity_kind)sql_i64(statement, 1)),
				arena_copy(arena, sql_text(statement, 2)), sql_i64(statement, 3)};
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading edits") : step;
}
