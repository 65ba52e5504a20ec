/* SPDX-License-Identifier: Apache-2.0 */
#include "store/slots.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "store/slot_alerts.h"
#include "store/slot_cache.h"

enum {
	SAMPLE_BYTES = OCCURRENCE_BYTES + 8,
	TECHNIQUES_BYTES = SLOT_TECHNIQUES_MAX * 4,
	SAMPLES_BYTES = SLOT_SAMPLES_MAX * SAMPLE_BYTES,
	REBUILD_BYTES = 64 * 1024 * 1024
};

static void put_be(unsigned char *out, size_t size, uint64_t value)
{
	while (size--) {
		out[size] = (unsigned char)value;
		value >>= 8;
	}
}

static size_t pack_techniques(const struct slot_row *row, unsigned char out[TECHNIQUES_BYTES])
{
	for (size_t i = 0; i < row->n_techniques; i++)
		put_be(out + 4 * i, 4, row->techniques[i]);
	return 4 * row->n_techniques;
}

static size_t pack_samples(const struct slot_row *row, unsigned char out[SAMPLES_BYTES])
{
	for (size_t i = 0; i < row->n_samples; i++) {
		unsigned char *sample = out + i * SAMPLE_BYTES;
		memcpy(sample, row->samples[i].occ, OCCURRENCE_BYTES);
		put_be(sample + OCCURRENCE_BYTES, 8, row->samples[i].leaf);
	}
	return row->n_samples * SAMPLE_BYTES;
}

static void unpack_techniques(struct text packed, struct slot_row *row)
{
	struct cursor cursor = cursor_of(packed);
	while (cursor_left(&cursor) >= 4 && row->n_techniques < SLOT_TECHNIQUES_MAX)
		row->techniques[row->n_techniques++] = cursor_be32(&cursor);
}

static void unpack_samples(struct text packed, struct slot_row *row)
{
	struct cursor cursor = cursor_of(packed);
	while (cursor_left(&cursor) >= SAMPLE_BYTES && row->n_samples < SLOT_SAMPLES_MAX) {
		struct slot_sample *sample = &row->samples[row->n_samples++];
		memcpy(sample->occ, cursor_take(&cursor, OCCURRENCE_BYTES).data, OCCURRENCE_BYTES);
		sample->leaf = cursor_be64(&cursor);
	}
}

void slot_columns_read(sqlite3_stmt *statement, int at, bool whole, struct slot_row *row)
{
	row->lo_ns = sql_i64(statement, at);
	row->hi_ns = sql_i64(statement, at + 1);
	row->severity = (enum severity)sql_i64(statement, at + 2);
	row->n = (uint64_t)sql_i64(statement, at + 3);
	row->deliveries = (uint64_t)sql_i64(statement, at + 4);
	row->tactics = (tactic_mask)sql_i64(statement, at + 5);
	row->sensors = (uint64_t)sql_i64(statement, at + 6);
	row->mark = (uint64_t)sql_i64(statement, at + 7);
	row->terminals = (unsigned)sql_i64(statement, at + 8);
	if (whole) {
		unpack_techniques(sql_blob(statement, at + 9), row);
		unpack_samples(sql_blob(statement, at + 10), row);
	}
}

int slot_columns_write(sqlite3_stmt *statement, int at, const struct slot_row *row, struct err *err)
{
	unsigned char techniques[TECHNIQUES_BYTES], samples[SAMPLES_BYTES];
	sql_bind_i64(statement, at, row->lo_ns);
	sql_bind_i64(statement, at + 1, row->hi_ns);
	sql_bind_i64(statement, at + 2, row->severity);
	sql_bind_i64(statement, at + 3, (int64_t)row->n);
	sql_bind_i64(statement, at + 4, (int64_t)row->deliveries);
	sql_bind_i64(statement, at + 5, row->tactics);
	sql_bind_i64(statement, at + 6, (int64_t)row->sensors);
	sql_bind_i64(statement, at + 7, (int64_t)row->mark);
	sql_bind_i64(statement, at + 8, row->terminals);
	sql_bind_blob(statement, at + 9, techniques, pack_techniques(row, techniques));
	sql_bind_blob(statement, at + 10, samples, pack_samples(row, samples));
	return sql_run(statement, err);
}

static void bind_key(sqlite3_stmt *statement, const struct slot_row *row)
{
	sql_bind_i64(statement, 1, row->slot);
	sql_bind_i64(statement, 2, row->entity);
	sql_bind_i64(statement, 3, row->print);
}

/* Writes a row whether or not there is one of its key. */
static int put_row(struct connection *connection, const struct slot_row *row, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT OR REPLACE INTO slot (slot, entity, print, lo, hi, severity, n, deliveries,"
		" tactics, sensors, mark, terminals, techniques, samples)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
		err);
	if (!statement)
		return -1;
	bind_key(statement, row);
	return slot_columns_write(statement, 4, row, err);
}

/* 1: *row is the stored one of its key; 0: there is none, and *row is empty but for the key. */
static int read_row(struct connection *connection, struct slot_row *row, struct err *err)
{
	const struct slot_row *known = slot_cache_get(connection, row);
	if (known) {
		*row = *known;
		return 1;
	}
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT lo, hi, severity, n, deliveries, tactics, sensors, mark, terminals,"
		" techniques, samples FROM slot WHERE slot = ?1 AND entity = ?2 AND print = ?3",
		err);
	if (!statement)
		return -1;
	bind_key(statement, row);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	slot_columns_read(statement, 0, true, row);
	sqlite3_reset(statement);
	return 1;
}

int slot_join(
	struct connection *connection, const struct slot_row *row, bool *is_new, struct err *err)
{
	struct slot_row joined = {.slot = row->slot, .entity = row->entity, .print = row->print};
	int found = read_row(connection, &joined, err);
	if (found < 0)
		return -1;
	*is_new = !found;
	if (found)
		slot_row_join(&joined, row);
	else
		joined = *row;
	if (put_row(connection, &joined, err) < 0)
		return -1;
	slot_cache_put(connection, &joined);
	return 0;
}

int slot_count_deliveries(
	struct connection *connection, const struct slot_key *key, uint64_t n, struct err *err)
{
	struct slot_row row = {.slot = key->slot, .entity = key->entity, .print = key->print};
	int found = read_row(connection, &row, err);
	if (found <= 0)
		return found;
	row.deliveries = deliveries_add(row.deliveries, n);
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE slot SET deliveries = ?4 WHERE slot = ?1 AND entity = ?2 AND print = ?3",
		err);
	if (!statement)
		return -1;
	bind_key(statement, &row);
	sql_bind_i64(statement, 4, (int64_t)row.deliveries);
	if (sql_run(statement, err) < 0)
		return -1;
	slot_cache_put(connection, &row);
	return 0;
}

/* A growing array of rows in an arena: doubles, leaving the old one behind. */
struct row_list {
	struct arena *arena;
	struct slot_row *rows;
	size_t n, capacity;
};

static struct slot_row *list_add(struct row_list *list)
{
	if (list->n == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 4;
		struct slot_row *rows = arena_array(list->arena, capacity, sizeof *rows);
		if (!rows)
			return NULL;
		if (list->n)
			memcpy(rows, list->rows, list->n * sizeof *rows);
		list->rows = rows;
		list->capacity = capacity;
	}
	return &list->rows[list->n++];
}

static int read_stored(struct connection *connection, const struct slot_part *part, bool whole,
	struct row_list *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT s.print, f.rule, s.lo, s.hi, s.severity, s.n, s.deliveries, s.tactics, "
		"s.sensors,"
		" s.mark, s.terminals, s.techniques, s.samples FROM slot s JOIN fingerprint f ON "
		"f.id = s.print "
		">> 1"
		" WHERE s.slot = ?1 AND s.entity = ?2",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, part->slot);
	sql_bind_i64(statement, 2, part->entity);
	int step;
	while ((step = sql_step(statement, err)) > 0) {
		struct slot_row *row = list_add(out);
		if (!row) {
			sqlite3_reset(statement);
			return err_set(err, ERR_MEMORY, "out of memory reading a slot");
		}
		row->slot = part->slot;
		row->entity = part->entity;
		row->print = sql_i64(statement, 0);
		row->rule = sql_i64(statement, 1);
		slot_columns_read(statement, 2, whole, row);
	}
	return step;
}

/* One alert row as the slot row it would make alone. */
static void read_alert(sqlite3_stmt *statement, bool whole, struct slot_row *row)
{
	int64_t bits = sql_i64(statement, 4);
	int64_t context = (bits >> 8 & ALERT_CONTEXT) ? 1 : 0;
	struct text occ = sql_blob(statement, 1);
	row->print = sql_i64(statement, 3) << 1 | context;
	row->lo_ns = row->hi_ns = sql_i64(statement, 2);
	row->severity = (enum severity)(bits & 15);
	row->n = 1;
	row->deliveries = (uint64_t)sql_i64(statement, 9);
	row->rule = sql_i64(statement, 5);
	row->sensors = UINT64_C(1) << sql_i64(statement, 6);
	row->tactics = (tactic_mask)sql_i64(statement, 7);
	if (occ.size == OCCURRENCE_BYTES)
		row->mark = slot_mark((const unsigned char *)occ.data);
	unpack_techniques(sql_blob(statement, 8), row);
	/* A part of a slot is of an entity with a name: nothing that runs on the node itself. */
	row->terminals = attack_terminals(row->tactics, row->techniques, row->n_techniques, false);
	if (!whole || occ.size != OCCURRENCE_BYTES)
		return;
	row->n_samples = 1;
	row->samples[0].leaf = (uint64_t)sql_i64(statement, 0);
	memcpy(row->samples[0].occ, occ.data, OCCURRENCE_BYTES);
}

static bool join_into(struct row_list *list, const struct slot_row *row)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->rows[i].print == row->print) {
			slot_row_join(&list->rows[i], row);
			return true;
		}
	struct slot_row *place = list_add(list);
	if (place)
		*place = *row;
	return place != NULL;
}

static int read_part(struct connection *connection, const struct slot_part *part, bool whole,
	struct row_list *out, struct err *err)
{
	sqlite3_stmt *statement = slot_alerts(connection,
		SLOT_RUNS
		"SELECT a.leaf, a.occ, a.time_ns, a.fingerprint, a.bits, f.rule, f.sensor,"
		" t.tactics, t.techniques, a.count FROM " SLOT_ALERTS_FROM
		" JOIN fingerprint f ON f.id = a.fingerprint JOIN attack t ON t.id = a.attack"
		" WHERE " SLOT_ALERTS_WHERE,
		part, 0, err);
	if (!statement)
		return -1;
	int step;
	while ((step = sql_step(statement, err)) > 0) {
		struct slot_row row = {.slot = part->slot, .entity = part->entity};
		read_alert(statement, whole, &row);
		if (!join_into(out, &row)) {
			sqlite3_reset(statement);
			return err_set(err, ERR_MEMORY, "out of memory reading a slot");
		}
	}
	return step;
}

int slots_read(struct connection *connection, const struct slot_part *part, bool whole,
	struct arena *arena, struct slot_rows *out, struct err *err)
{
	struct row_list list = {.arena = arena};
	int failed = slot_part_is_whole(part) ? read_stored(connection, part, whole, &list, err)
					      : read_part(connection, part, whole, &list, err);
	*out = (struct slot_rows){list.rows, list.n};
	return failed;
}

int slot_part_count(struct connection *connection, const struct slot_part *part, uint64_t leaf,
	uint64_t *n, struct err *err)
{
	sqlite3_stmt *statement = slot_alerts(connection,
		SLOT_RUNS "SELECT count(*) FROM " SLOT_ALERTS_FROM " WHERE " SLOT_ALERTS_WHERE
			  " AND a.leaf < ?6",
		part, 0, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 6, (int64_t)leaf);
	if (sql_step(statement, err) < 0)
		return -1;
	*n = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

int64_t day_of_slot(int64_t slot)
{
	return slot / SLOTS_PER_DAY - (slot % SLOTS_PER_DAY < 0);
}

int presence_read(struct connection *connection, int64_t day, int64_t entity,
	unsigned char bits[PRESENCE_BYTES], struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT bits FROM presence WHERE day = ?1 AND entity = ?2", err);
	memset(bits, 0, PRESENCE_BYTES);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, day);
	sql_bind_i64(statement, 2, entity);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	struct text stored = sql_blob(statement, 0);
	if (stored.size == PRESENCE_BYTES)
		memcpy(bits, stored.data, PRESENCE_BYTES);
	sqlite3_reset(statement);
	return 0;
}

static int presence_write(struct connection *connection, int64_t day, int64_t entity,
	const unsigned char bits[PRESENCE_BYTES], struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO presence (day, entity, bits) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (day, entity) DO UPDATE SET bits = excluded.bits",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, day);
	sql_bind_i64(statement, 2, entity);
	sql_bind_blob(statement, 3, bits, PRESENCE_BYTES);
	return sql_run(statement, err);
}

int presence_mark(struct connection *connection, int64_t slot, int64_t entity, struct err *err)
{
	unsigned char bits[PRESENCE_BYTES];
	int64_t day = day_of_slot(slot);
	unsigned of_day = (unsigned)(slot - day * SLOTS_PER_DAY);
	if (presence_read(connection, day, entity, bits, err) < 0)
		return -1;
	if (presence_has(bits, of_day))
		return 0;
	bits[of_day / 8] = (unsigned char)(bits[of_day / 8] | 1U << of_day % 8);
	return presence_write(connection, day, entity, bits, err);
}

static int presence_clear(
	struct connection *connection, int64_t slot, int64_t entity, struct err *err)
{
	static const unsigned char none[PRESENCE_BYTES];
	unsigned char bits[PRESENCE_BYTES];
	int64_t day = day_of_slot(slot);
	unsigned of_day = (unsigned)(slot - day * SLOTS_PER_DAY);
	if (presence_read(connection, day, entity, bits, err) < 0)
		return -1;
	if (!presence_has(bits, of_day))
		return 0;
	bits[of_day / 8] = (unsigned char)(bits[of_day / 8] & ~(1U << of_day % 8));
	if (memcmp(bits, none, sizeof bits) != 0)
		return presence_write(connection, day, entity, bits, err);
	sqlite3_stmt *statement = connection_statement(
		connection, "DELETE FROM presence WHERE day = ?1 AND entity = ?2", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, day);
	sql_bind_i64(statement, 2, entity);
	return sql_run(statement, err);
}

static int delete_rows(struct connection *connection, int64_t slot, int64_t entity, struct err *err)
{
	slot_cache_forget(connection);
	sqlite3_stmt *statement = connection_statement(
		connection, "DELETE FROM slot WHERE slot = ?1 AND entity = ?2", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, slot);
	sql_bind_i64(statement, 2, entity);
	return sql_run(statement, err);
}

int slot_remove(struct connection *connection, int64_t slot, int64_t entity, struct err *err)
{
	return delete_rows(connection, slot, entity, err) < 0 ||
			       presence_clear(connection, slot, entity, err) < 0
		       ? -1
		       : 0;
}

static int is_slot(struct connection *connection, int64_t slot, int64_t entity, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT 1 FROM slot WHERE slot = ?1 AND entity = ?2 LIMIT 1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, slot);
	sql_bind_i64(statement, 2, entity);
	int found = sql_step(statement, err);
	sqlite3_reset(statement);
	return found;
}

int slot_rows_remove(struct connection *connection, const struct slot_part *part,
	const struct slot_rows *rows, struct err *err)
{
	slot_cache_forget(connection);
	for (size_t i = 0; i < rows->n; i++) {
		sqlite3_stmt *statement = connection_statement(connection,
			"DELETE FROM slot WHERE slot = ?1 AND entity = ?2 AND print = ?3", err);
		if (!statement)
			return -1;
		bind_key(statement, &rows->rows[i]);
		if (sql_run(statement, err) < 0)
			return -1;
	}
	int more = is_slot(connection, part->slot, part->entity, err);
	if (more)
		return more < 0 ? -1 : 0;
	return presence_clear(connection, part->slot, part->entity, err);
}

int slot_rebuild(struct connection *connection, int64_t slot, int64_t entity, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct slot_part whole = {slot, entity, INT64_MIN, INT64_MAX};
	arena_init(&arena, REBUILD_BYTES);
	struct row_list list = {.arena = &arena};
	if (read_part(connection, &whole, true, &list, err) < 0)
		return -1;
	if (list.n == 0)
		return slot_remove(connection, slot, entity, err);
	if (delete_rows(connection, slot, entity, err) < 0)
		return -1;
	for (size_t i = 0; i < list.n; i++)
		if (put_row(connection, &list.rows[i], err) < 0)
			return -1;
	return 0;
}

bool slot_part_is_whole(const struct slot_part *part)
{
	return part->from_ns <= part->slot * SLOT_NS && part->to_ns >= (part->slot + 1) * SLOT_NS;
}

int presence_days(struct connection *connection, int64_t *first, int64_t *last, struct err *err)
{
	*first = 0;
	*last = -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT (SELECT day FROM presence ORDER BY day LIMIT 1),"
		" (SELECT day FROM presence ORDER BY day DESC LIMIT 1)",
		err);
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (found && !sql_is_null(statement, 0)) {
		*first = sql_i64(statement, 0);
		*last = sql_i64(statement, 1);
	}
	sqlite3_reset(statement);
	return 0;
}
