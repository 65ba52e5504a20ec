/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sealing.h"

#include "base/cleanup.h"
#include "base/emit.h"
#include "model/entity.h"
#include "model/incident.h"
#include "model/slot.h"
#include "store/activities.h"
#include "store/changes.h"

enum { CLOSING_SLICE = 100 }; /* as the SQL below says */
enum { UNHEARD_NOTED_MAX = 20, UNHEARD_BYTES_MAX = 64 * 1024 };

#define GAP_NS (INT64_C(3600) * 1000000000)

struct candidate {
	uint64_t number, revision;
	int64_t hi_ns, first_slot;
	struct text key;
};

static bool is_complete(const struct candidate *candidate, int64_t watermark_ns)
{
	int64_t span_end_ns = (candidate->first_slot + SLOTS_PER_DAY) * SLOT_NS;
	return watermark_ns > candidate->hi_ns + GAP_NS || watermark_ns >= span_end_ns;
}

/* The nodes of its cluster that were not heard, as a JSON array; empty: all were. */
static void write_unheard(
	const struct unheard_nodes *unheard, const struct candidate *candidate, struct buf *out)
{
	struct emitter emitter;
	enum entity_kind kind;
	struct text cluster = TEXT_NONE, value;
	size_t n = 0;
	if (!entity_key_parse(candidate->key, &kind, &cluster, &value))
		return;
	emit_init(&emitter, out);
	emit_array(&emitter);
	for (size_t i = 0; i < unheard->n && n < UNHEARD_NOTED_MAX; i++) {
		if (!text_equal(unheard->items[i].cluster, cluster) ||
			unheard->items[i].oldest_ns > candidate->hi_ns)
			continue;
		emit_text(&emitter, unheard->items[i].node);
		n++;
	}
	emit_array_end(&emitter);
	if (n == 0)
		buf_clear(out);
}

static int seal(struct connection *connection, const struct candidate *candidate,
	const struct sealing *sealing, struct err *err)
{
	AUTO(buf_done) struct buf unheard = {0};
	buf_init(&unheard, UNHEARD_BYTES_MAX);
	write_unheard(&sealing->unheard, candidate, &unheard);
	if (!buf_ok(&unheard))
		return buf_error(&unheard, err, "the nodes that were not heard");
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE incident SET sealed_ns = ?2, sealed_revision = ?3, unheard = ?4"
		" WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)candidate->number);
	sql_bind_i64(statement, 2, sealing->now_ns);
	sql_bind_i64(statement, 3, (int64_t)candidate->revision);
	sql_bind_text_or_null(statement, 4, buf_text(&unheard));
	return sql_run(statement, err) < 0 ? -1
					   : incident_changed(connection, candidate->number, err);
}

/* Up to SEALING_SLICE open incidents from sealing->after on. */
static int read_candidates(struct connection *connection, const struct sealing *sealing,
	struct candidate *out, size_t *n, struct err *err)
{
	int step;
	*n = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT i.number, p.revision, p.hi, p.first_slot, k.text FROM incident i"
		" JOIN piece p ON p.number = i.number JOIN key k ON k.id = p.key"
		" WHERE i.sealed_ns IS NULL AND i.redirect_to IS NULL AND i.number > ?1"
		" ORDER BY i.number LIMIT ?2",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)sealing->after);
	sql_bind_i64(statement, 2, SEALING_SLICE);
	while ((step = sql_step(statement, err)) > 0)
		out[(*n)++] = (struct candidate){
			.number = (uint64_t)sql_i64(statement, 0),
			.revision = (uint64_t)sql_i64(statement, 1),
			.hi_ns = sql_i64(statement, 2),
			.first_slot = sql_i64(statement, 3),
			.key = arena_copy(sealing->arena, sql_text(statement, 4)),
		};
	return step;
}

/* Up to CLOSING_SLICE incidents whose state @statement sets and whose numbers it returns. */
static int close_some(struct connection *connection, sqlite3_stmt *statement, struct err *err)
{
	uint64_t numbers[CLOSING_SLICE];
	size_t n = 0;
	int step;
	while ((step = sql_step(statement, err)) > 0 && n < CLOSING_SLICE)
		numbers[n++] = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	for (size_t i = 0; i < n && step == 0; i++)
		step = incident_changed(connection, numbers[i], err);
	return step;
}

static int close_resolved(struct connection *connection, struct sealing *sealing, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO activity (number, time_ns, actor, kind, revision, detail)"
		" SELECT number, ?1, 'tocsin', ?3, coalesce(sealed_revision, 0), '{}' FROM incident"
		" WHERE state = 4 AND sealed_ns IS NOT NULL AND resolved_ns < ?2 LIMIT 100",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, sealing->now_ns);
	sql_bind_i64(statement, 2, sealing->now_ns - CLOSE_AFTER_NS);
	sql_bind_i64(statement, 3, ACTIVITY_CLOSED);
	if (sql_run(statement, err) < 0)
		return -1;
	sealing->n_closed = (size_t)sqlite3_changes(connection->db);
	if (sealing->n_closed == 0)
		return 0;
	statement = connection_statement(connection,
		"UPDATE incident SET state = 5 WHERE number IN (SELECT number FROM incident"
		" WHERE state = 4 AND sealed_ns IS NOT NULL AND resolved_ns < ?1 LIMIT 100)"
		" RETURNING number",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, sealing->now_ns - CLOSE_AFTER_NS);
	return close_some(connection, statement, err);
}

int sealing_slice(struct connection *connection, struct sealing *sealing, struct err *err)
{
	size_t n;
	_Static_assert(INCIDENT_RESOLVED == 4 && INCIDENT_CLOSED == 5, "as the SQL above says");
	struct candidate *found = arena_array(sealing->arena, SEALING_SLICE, sizeof *found);
	sealing->keys = arena_array(sealing->arena, SEALING_SLICE, sizeof *sealing->keys);
	sealing->n_keys = 0;
	if (!found || !sealing->keys)
		return err_set(err, ERR_MEMORY, "out of memory sealing incidents");
	if (read_candidates(connection, sealing, found, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!is_complete(&found[i], sealing->watermark_ns))
			continue;
		if (seal(connection, &found[i], sealing, err) < 0)
			return -1;
		sealing->keys[sealing->n_keys++] = found[i].key;
	}
	sealing->after = n == SEALING_SLICE ? found[n - 1].number : 0;
	return close_resolved(connection, sealing, err);
}

int sealing_break(struct connection *connection, uint64_t number, uint64_t revision, int64_t now_ns,
	struct err *err)
{
	struct activity activity = {.number = number,
		.time_ns = now_ns,
		.actor = TEXT("tocsin"),
		.kind = ACTIVITY_AMENDED,
		.revision = revision,
		.detail = TEXT("{\"why\":\"alerts came after the incident was sealed\"}")};
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE incident SET sealed_ns = NULL, unheard = NULL WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	return sql_run(statement, err) < 0 || incident_changed(connection, number, err) < 0
		       ? -1
		       : activity_append(connection, &activity, err);
}
