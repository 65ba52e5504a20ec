/* SPDX-License-Identifier: Apache-2.0 */
#include "store/leaving.h"

#include <string.h>

#include "base/cleanup.h"
#include "model/piece.h"
#include "store/alert_rows.h"
#include "store/changes.h"
#include "store/frozen.h"
#include "store/incidents.h"
#include "store/slot_alerts.h"

enum { ARENA_BYTES = 256 * 1024 * 1024, ALERTS_AT_ONCE = 128 };

static int read_leaving(
	sqlite3_stmt *statement, struct arena *arena, struct leaving *out, struct err *err)
{
	*out = (struct leaving){0};
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	*out = (struct leaving){.number = (uint64_t)sql_i64(statement, 0),
		.first_slot = sql_i64(statement, 1),
		.last_slot = sql_i64(statement, 2),
		.revision = (uint64_t)sql_i64(statement, 4),
		.n_alerts = (uint64_t)sql_i64(statement, 5)};
	bool valid = claims_read(sql_blob(statement, 3), arena, &out->claims);
	sqlite3_reset(statement);
	return valid ? 0 : err_set(err, ERR_MEMORY, "out of memory for what an incident claims");
}

/* From the stored tables also where shadows of one key's stand before them (store/shadow.h). */
int leaving_find(
	struct connection *connection, struct arena *arena, struct leaving *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT number, first_slot, last_slot, claims, revision, n FROM main.piece WHERE "
		"frozen = 1"
		" LIMIT 1",
		err);
	return statement ? read_leaving(statement, arena, out, err) : -1;
}

static int mark(struct connection *connection, uint64_t number, int frozen, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "UPDATE piece SET frozen = ?2 WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_i64(statement, 2, frozen);
	return sql_run(statement, err);
}

/* Keeps what will not be told by slots any more. */
static int keep_document(struct connection *connection, uint64_t number,
	const struct digest *content, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct incident incident;
	arena_init(&arena, ARENA_BYTES);
	if (incident_summary_read(connection, number, &arena, &incident, err) < 0)
		return -1;
	incident.content = *content;
	incident.has_content = true;
	return frozen_begin(connection, &incident, err);
}

int leaving_next(struct connection *connection, int64_t before_slot, struct arena *arena,
	struct leaving *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT number, first_slot, last_slot, claims, revision, n FROM piece"
		" WHERE frozen = 0 AND last_slot < ?1 ORDER BY last_slot LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, before_slot);
	return read_leaving(statement, arena, out, err);
}

int leaving_begin(struct connection *connection, const struct leaving *leaving,
	const struct digest *content, struct err *err)
{
	return keep_document(connection, leaving->number, content, err) < 0 ||
			       mark(connection, leaving->number, 1, err) < 0 ||
			       incident_changed(connection, leaving->number, err) < 0
		       ? -1
		       : 0;
}

/* A member whose rows are still there. 1: *out is one; 0: none is left. */
static int next_member(
	struct connection *connection, uint64_t number, struct piece_member *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT entity, from_ns, to_ns FROM member WHERE number = ?1 LIMIT 1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	int found = sql_step(statement, err);
	if (found > 0)
		*out = (struct piece_member){
			sql_i64(statement, 0), sql_i64(statement, 1), sql_i64(statement, 2)};
	sqlite3_reset(statement);
	return found;
}

static int remove_member(struct connection *connection, uint64_t number,
	const struct piece_member *member, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"DELETE FROM member WHERE number = ?1 AND entity = ?2 AND from_ns = ?3", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_i64(statement, 2, member->entity);
	sql_bind_i64(statement, 3, member->from_ns);
	return sql_run(statement, err);
}

/* The part's next alerts, by leaf. */
struct alert_scan {
	const struct slot_part *part;
	int64_t next_leaf;
	size_t n;
	struct {
		uint64_t leaf;
		int64_t fingerprint;
	} found[ALERTS_AT_ONCE];
};

static int scan_alerts(struct connection *connection, struct alert_scan *scan, struct err *err)
{
	int step;
	scan->n = 0;
	sqlite3_stmt *statement = slot_alerts(connection,
		SLOT_RUNS "SELECT a.leaf, a.fingerprint FROM " SLOT_ALERTS_FROM
			  " WHERE " SLOT_ALERTS_WHERE " LIMIT ?6",
		scan->part, (uint64_t)scan->next_leaf, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 6, ALERTS_AT_ONCE);
	while ((step = sql_step(statement, err)) > 0) {
		scan->found[scan->n].leaf = (uint64_t)sql_i64(statement, 0);
		scan->found[scan->n++].fingerprint = sql_i64(statement, 1);
		scan->next_leaf = sql_i64(statement, 0) + 1;
	}
	return step;
}

int part_alerts_remove(struct connection *connection, const struct slot_part *part,
	const struct claims *claims, struct slice *slice, struct err *err)
{
	struct alert_scan scan = {.part = part};
	int64_t before = slice->rows_left;
	do {
		if (scan_alerts(connection, &scan, err) < 0)
			return -1;
		for (size_t i = 0; i < scan.n; i++) {
			if (claims &&
				!claims_have(claims, part->slot, scan.found[i].fingerprint << 1))
				continue;
			if (alert_row_remove(connection, scan.found[i].leaf, err) < 0)
				return -1;
			slice_spend(slice, 1);
		}
		/* Others' alerts are passed over even so: nothing would move on. */
	} while (scan.n == ALERTS_AT_ONCE && (slice->rows_left == before || !slice_is_over(slice)));
	return scan.n == ALERTS_AT_ONCE;
}

/*
 * A slot of which another incident has a part of the time: what remains of it is computed from the
 * alerts that remain, so these must go at once, however many there are.
 */
static int share_slot(struct connection *connection, const struct leaving *leaving,
	const struct slot_part *part, struct slice *slice, struct err *err)
{
	int more;
	do
		more = part_alerts_remove(connection, part, &leaving->claims, slice, err);
	while (more > 0);
	return more < 0 ? -1 : slot_rebuild(connection, part->slot, part->entity, err);
}

/* Leaves the rows that are the leaving incident's own, or (@own false) the others. */
static void keep_rows(const struct leaving *leaving, bool own, struct slot_rows *rows)
{
	size_t n = 0;
	for (size_t i = 0; i < rows->n; i++) {
		const struct slot_row *row = &rows->rows[i];
		if (claims_have(&leaving->claims, row->slot, row->print) == own)
			rows->rows[n++] = *row;
	}
	rows->n = n;
}

static int fold_part(struct connection *connection, const struct leaving *leaving,
	const struct slot_part *part, struct slice *slice, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct slot_rows rows;
	arena_init(&arena, ARENA_BYTES);
	if (slots_read(connection, part, true, &arena, &rows, err) < 0)
		return -1;
	keep_rows(leaving, true, &rows);
	if (rows.n == 0)
		return 0;
	if (frozen_fold(connection, leaving->number, &rows, err) < 0)
		return -1;
	slice_spend(slice, rows.n);
	return slot_part_is_whole(part) ? slot_rows_remove(connection, part, &rows, err)
					: share_slot(connection, leaving, part, slice, err);
}

/* The slots of one day. 1: the slice is over; 0: none is left. */
static int fold_day(struct connection *connection, const struct leaving *leaving,
	const struct piece_member *member, int64_t day, struct slice *slice, struct err *err)
{
	unsigned char bits[PRESENCE_BYTES];
	if (presence_read(connection, day, member->entity, bits, err) < 0)
		return -1;
	for (unsigned i = 0; i < SLOTS_PER_DAY; i++) {
		int64_t slot = day * SLOTS_PER_DAY + i;
		if (!presence_has(bits, i) || slot < leaving->first_slot ||
			slot > leaving->last_slot || member->to_ns <= slot * SLOT_NS ||
			member->from_ns >= (slot + 1) * SLOT_NS)
			continue;
		int64_t before = slice->rows_left;
		struct slot_part part = {slot, member->entity, member->from_ns, member->to_ns};
		if (fold_part(connection, leaving, &part, slice, err) < 0)
			return -1;
		/* Looking in vain must not end a slice: nothing would move on. */
		if (slice->rows_left < before && slice_is_over(slice))
			return 1;
	}
	return 0;
}

/* 1: the slice is over; 0: the member's slots are folded. */
static int fold_member(struct connection *connection, const struct leaving *leaving,
	const struct piece_member *member, struct slice *slice, struct err *err)
{
	for (int64_t day = day_of_slot(leaving->first_slot); day <= day_of_slot(leaving->last_slot);
		day++) {
		int more = fold_day(connection, leaving, member, day, slice, err);
		if (more)
			return more;
	}
	return 0;
}

/* 1: the slice is over; 0: the member's alerts are gone. */
static int remove_alerts(struct connection *connection, const struct leaving *leaving,
	const struct piece_member *member, struct slice *slice, struct err *err)
{
	for (int64_t slot = leaving->first_slot; slot <= leaving->last_slot; slot++) {
		struct slot_part part = {slot, member->entity, member->from_ns, member->to_ns};
		int64_t before = slice->rows_left;
		int more = part_alerts_remove(connection, &part, &leaving->claims, slice, err);
		if (more || (slice->rows_left < before && slice_is_over(slice)))
			return more < 0 ? -1 : 1;
	}
	return 0;
}

int leaving_step(struct connection *connection, const struct leaving *leaving, struct slice *slice,
	struct err *err)
{
	struct piece_member member;
	int found;
	while ((found = next_member(connection, leaving->number, &member, err)) > 0) {
		int more = fold_member(connection, leaving, &member, slice, err);
		if (more == 0)
			more = remove_alerts(connection, leaving, &member, slice, err);
		if (more)
			return more;
		if (remove_member(connection, leaving->number, &member, err) < 0)
			return -1;
		slice_spend(slice, 1);
	}
	return found < 0 ? -1 : mark(connection, leaving->number, 2, err);
}

/* Takes [from, to) out of the part; a leaving member lies at one of its ends, or all over it. */
static void take_out(struct slot_part *part, int64_t from_ns, int64_t to_ns)
{
	if (from_ns <= part->from_ns)
		part->from_ns = to_ns > part->from_ns ? to_ns : part->from_ns;
	else if (from_ns < part->to_ns)
		part->to_ns = from_ns;
}

/* What remains of the part beside the members that are leaving. */
static int clip_part(struct connection *connection, const struct leaving *leaving,
	struct slot_part *part, struct err *err)
{
	int step;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT from_ns, to_ns FROM main.member WHERE number = ?1 AND entity = ?2"
		" ORDER BY from_ns",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)leaving->number);
	sql_bind_i64(statement, 2, part->entity);
	while ((step = sql_step(statement, err)) > 0)
		take_out(part, sql_i64(statement, 0), sql_i64(statement, 1));
	return step;
}

static bool is_empty(const struct slot_part *part)
{
	return part->from_ns >= (part->slot + 1) * SLOT_NS || part->to_ns <= part->slot * SLOT_NS ||
	       part->from_ns >= part->to_ns;
}

static bool join_rows(struct arena *arena, struct slot_rows *into, const struct slot_rows *more)
{
	if (more->n == 0)
		return true;
	struct slot_row *rows = arena_array(arena, into->n + more->n, sizeof *rows);
	if (!rows)
		return false;
	if (into->n)
		memcpy(rows, into->rows, into->n * sizeof *rows);
	memcpy(rows + into->n, more->rows, more->n * sizeof *rows);
	*into = (struct slot_rows){rows, into->n + more->n};
	return true;
}

int leaving_others_read(struct connection *connection, const struct leaving *leaving,
	const struct slot_part *part, struct arena *arena, struct slot_rows *out, struct err *err)
{
	struct slot_rows rest = {NULL, 0};
	struct slot_part clipped = *part;
	if (slots_read(connection, part, false, arena, out, err) < 0)
		return -1;
	if (leaving->number == 0 || part->slot < leaving->first_slot ||
		part->slot > leaving->last_slot)
		return 0;
	if (clip_part(connection, leaving, &clipped, err) < 0)
		return -1;
	if (clipped.from_ns == part->from_ns && clipped.to_ns == part->to_ns)
		return 0;
	if (!is_empty(&clipped) && slots_read(connection, &clipped, false, arena, &rest, err) < 0)
		return -1;
	keep_rows(leaving, false, out);
	keep_rows(leaving, true, &rest);
	return join_rows(arena, out, &rest)
		       ? 0
		       : err_set(err, ERR_MEMORY, "out of memory reading a slot");
}
