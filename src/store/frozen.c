/* SPDX-License-Identifier: Apache-2.0 */
#include "store/frozen.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/cursor.h"

enum { FIRST_SEEN_BYTES = N_TACTICS * 8 };

/* When each tactic was seen first, by rank - 1; 0: never. */
struct first_seen {
	uint64_t deliveries;
	int64_t at_ns[N_TACTICS];
};

int frozen_begin(struct connection *connection, const struct incident *incident, struct err *err)
{
	static const unsigned char never[FIRST_SEEN_BYTES];
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO frozen_incident"
		" (number, namespace, pod, container, node, deliveries, first_seen, content)"
		" VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)incident->number);
	sql_bind_text(statement, 2, incident->namespace);
	sql_bind_text(statement, 3, incident->pod);
	sql_bind_text(statement, 4, incident->container);
	sql_bind_text(statement, 5, incident->node);
	sql_bind_blob(statement, 6, never, sizeof never);
	if (incident->has_content)
		sql_bind_blob(statement, 7, incident->content.bytes, DIGEST_BYTES);
	return sql_run(statement, err);
}

static void unpack_first_seen(struct text packed, struct first_seen *out)
{
	struct cursor cursor = cursor_of(packed);
	for (size_t i = 0; i < N_TACTICS; i++)
		out->at_ns[i] = (int64_t)cursor_be64(&cursor);
}

static int no_document(uint64_t number, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "the frozen state of INC-%llu is not there",
		(unsigned long long)number);
}

static int read_first_seen(
	struct connection *connection, uint64_t number, struct first_seen *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT deliveries, first_seen FROM frozen_incident WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found < 0 ? -1 : no_document(number, err);
	out->deliveries = (uint64_t)sql_i64(statement, 0);
	unpack_first_seen(sql_blob(statement, 1), out);
	sqlite3_reset(statement);
	return 0;
}

static int write_first_seen(struct connection *connection, uint64_t number,
	const struct first_seen *seen, struct err *err)
{
	AUTO(buf_done) struct buf packed;
	buf_init(&packed, FIRST_SEEN_BYTES + 1);
	for (size_t i = 0; i < N_TACTICS; i++)
		buf_add_be64(&packed, (uint64_t)seen->at_ns[i]);
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE frozen_incident SET deliveries = ?2, first_seen = ?3 WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	if (!buf_ok(&packed))
		return err_set(err, ERR_MEMORY, "out of memory for a frozen incident");
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_i64(statement, 2, (int64_t)seen->deliveries);
	sql_bind_blob(statement, 3, packed.data, packed.size);
	return sql_run(statement, err);
}

/* As incident_story.c counts them: context shows no tactic. */
static void see_row(struct first_seen *seen, const struct slot_row *row)
{
	seen->deliveries = deliveries_add(seen->deliveries, row->deliveries);
	for (size_t i = 0; i < N_TACTICS && !slot_row_is_context(row); i++)
		if ((row->tactics & 1U << i) && (!seen->at_ns[i] || row->lo_ns < seen->at_ns[i]))
			seen->at_ns[i] = row->lo_ns;
}

static int join_print(
	struct connection *connection, uint64_t number, const struct slot_row *row, struct err *err)
{
	struct slot_row joined = {.print = row->print};
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT lo, hi, severity, n, deliveries, tactics, sensors, mark,"
		" terminals, techniques, samples FROM frozen_print WHERE number = ?1 AND print = "
		"?2",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_i64(statement, 2, row->print);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (found) {
		slot_columns_read(statement, 0, true, &joined);
		sqlite3_reset(statement);
		slot_row_join(&joined, row);
	}
	statement = connection_statement(connection,
		"INSERT OR REPLACE INTO frozen_print (number, print, lo, hi, severity, n,"
		" deliveries, tactics, sensors, mark, terminals, techniques, samples)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	sql_bind_i64(statement, 2, row->print);
	return slot_columns_write(statement, 3, found ? &joined : row, err);
}

int frozen_fold(struct connection *connection, uint64_t number, const struct slot_rows *rows,
	struct err *err)
{
	struct first_seen seen = {0};
	if (rows->n == 0)
		return 0;
	if (read_first_seen(connection, number, &seen, err) < 0)
		return -1;
	for (size_t i = 0; i < rows->n; i++) {
		see_row(&seen, &rows->rows[i]);
		if (join_print(connection, number, &rows->rows[i], err) < 0)
			return -1;
	}
	return write_first_seen(connection, number, &seen, err);
}

int frozen_read(struct connection *connection, struct incident *incident, struct arena *arena,
	struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT namespace, pod, container, node, content FROM frozen_incident"
		" WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)incident->number);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found < 0 ? -1 : no_document(incident->number, err);
	incident->namespace = arena_copy(arena, sql_text(statement, 0));
	incident->pod = arena_copy(arena, sql_text(statement, 1));
	incident->container = arena_copy(arena, sql_text(statement, 2));
	incident->node = arena_copy(arena, sql_text(statement, 3));
	struct text content = sql_blob(statement, 4);
	incident->has_content = content.size == DIGEST_BYTES;
	if (incident->has_content)
		memcpy(incident->content.bytes, content.data, DIGEST_BYTES);
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading incidents") : 0;
}

static int read_prints(struct connection *connection, uint64_t number, struct arena *arena,
	struct slot_rows *out, struct err *err)
{
	size_t capacity = 0;
	int step;
	*out = (struct slot_rows){NULL, 0};
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT print, lo, hi, severity, n, deliveries, tactics, sensors, mark,"
		" terminals, techniques, samples FROM frozen_print WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	while ((step = sql_step(statement, err)) > 0) {
		if (out->n == capacity) {
			capacity = capacity ? capacity * 2 : 8;
			struct slot_row *rows = arena_array(arena, capacity, sizeof *rows);
			if (!rows) {
				sqlite3_reset(statement);
				return err_set(err, ERR_MEMORY, "out of memory reading incidents");
			}
			if (out->n)
				memcpy(rows, out->rows, out->n * sizeof *rows);
			out->rows = rows;
		}
		struct slot_row *row = &out->rows[out->n++];
		row->print = sql_i64(statement, 0);
		slot_columns_read(statement, 1, true, row);
	}
	return step;
}

int frozen_story_read(struct connection *connection, struct incident *incident, struct arena *arena,
	struct slot_rows *out, struct err *err)
{
	struct first_seen seen = {0};
	if (read_first_seen(connection, incident->number, &seen, err) < 0)
		return -1;
	incident->n_deliveries = seen.deliveries;
	for (unsigned rank = 1; rank <= N_TACTICS; rank++)
		if (seen.at_ns[rank - 1])
			incident->tactics[incident->n_tactics++] =
				(struct incident_tactic){rank, seen.at_ns[rank - 1]};
	return read_prints(connection, incident->number, arena, out, err);
}
