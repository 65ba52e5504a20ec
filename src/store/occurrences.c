/* SPDX-License-Identifier: Apache-2.0 */
#include "store/occurrences.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/cursor.h"

/* An entry: the first eight bytes of the id, and the leaf's distance from the run's first. */
enum {
	PREFIX_BYTES = 8,
	ENTRY_BYTES = PREFIX_BYTES + 4,
	PART_SHIFT = 44,            /* as of a block's id */
	RUN_ROWS = OCCURRENCE_PARTS /* what removing one costs */
};

/* In which part of a run an id is: by its first 6 bits. */
static unsigned part_of(const unsigned char *occ)
{
	return occ[0] / (256 / OCCURRENCE_PARTS);
}

static int64_t part_id(unsigned part, int64_t first_leaf)
{
	return (int64_t)part << PART_SHIFT | first_leaf;
}

struct entry {
	unsigned char prefix[PREFIX_BYTES];
	uint32_t distance;
};

/* The first leaf behind the last run. */
static int runs_end(struct connection *connection, int64_t *leaf, struct err *err)
{
	*leaf = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT last_leaf + 1 FROM occurrence_run ORDER BY first_leaf DESC LIMIT 1", err);
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	if (found > 0)
		*leaf = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = memcmp(a->prefix, b->prefix, PREFIX_BYTES);
	return order ? order : (a->distance > b->distance) - (a->distance < b->distance);
}

/* Up to OCCURRENCE_RUN alerts from @first on. */
static int read_entries(struct connection *connection, int64_t first, struct entry *entries,
	size_t *n, int64_t *last, struct err *err)
{
	int step;
	*n = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT leaf, occ FROM alert WHERE leaf >= ?1 ORDER BY leaf LIMIT ?2", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, first);
	sql_bind_i64(statement, 2, OCCURRENCE_RUN);
	while ((step = sql_step(statement, err)) > 0) {
		struct text occ = sql_blob(statement, 1);
		*last = sql_i64(statement, 0);
		if (occ.size != OCCURRENCE_BYTES || *last - first > UINT32_MAX)
			continue;
		memcpy(entries[*n].prefix, occ.data, PREFIX_BYTES);
		entries[(*n)++].distance = (uint32_t)(*last - first);
	}
	return step;
}

static int write_part(
	struct connection *connection, int64_t id, const struct buf *packed, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "INSERT INTO occurrence_part (id, entries) VALUES (?1, ?2)", err);
	if (!statement)
		return -1;
	if (!buf_ok(packed))
		return err_set(err, ERR_MEMORY, "out of memory for a run of occurrence ids");
	sql_bind_i64(statement, 1, id);
	sql_bind_blob(statement, 2, packed->data, packed->size);
	return sql_run(statement, err);
}

static int write_parts(struct connection *connection, int64_t first, const struct entry *entries,
	size_t n, struct err *err)
{
	AUTO(buf_done) struct buf packed;
	buf_init(&packed, OCCURRENCE_RUN * ENTRY_BYTES + 1);
	for (size_t i = 0; i < n;) {
		unsigned part = part_of(entries[i].prefix);
		buf_clear(&packed);
		for (; i < n && part_of(entries[i].prefix) == part; i++) {
			buf_add_bytes(&packed, entries[i].prefix, PREFIX_BYTES);
			buf_add_be32(&packed, entries[i].distance);
		}
		if (write_part(connection, part_id(part, first), &packed, err) < 0)
			return -1;
	}
	return 0;
}

static int write_run(struct connection *connection, int64_t first, int64_t last, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO occurrence_run (first_leaf, last_leaf) VALUES (?1, ?2)", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, first);
	sql_bind_i64(statement, 2, last);
	return sql_run(statement, err);
}

int occurrence_run_make(struct connection *connection, struct err *err)
{
	int64_t first, last = 0;
	size_t n;
	AUTO(free) struct entry *entries = calloc(OCCURRENCE_RUN, sizeof *entries);
	if (!entries)
		return err_set(err, ERR_MEMORY, "out of memory for a run of occurrence ids");
	if (runs_end(connection, &first, err) < 0 ||
		read_entries(connection, first, entries, &n, &last, err) < 0)
		return -1;
	if (n < OCCURRENCE_RUN)
		return 0;
	qsort(entries, n, sizeof *entries, compare_entries);
	return write_parts(connection, first, entries, n, err) < 0 ||
			       write_run(connection, first, last, err) < 0
		       ? -1
		       : 1;
}

/* Does this leaf have the whole id? The prefix alone may be another's. */
static int is_alert(struct connection *connection, int64_t leaf, const unsigned char *occ, bool *is,
	struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT occ FROM alert WHERE leaf = ?1", err);
	*is = false;
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, leaf);
	int found = sql_step(statement, err);
	if (found > 0) {
		struct text stored = sql_blob(statement, 0);
		*is = stored.size == OCCURRENCE_BYTES &&
		      memcmp(stored.data, occ, OCCURRENCE_BYTES) == 0;
	}
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

/* The first entry that is not less than the id's prefix. */
static size_t lower_bound(struct text entries, const unsigned char *occ)
{
	size_t low = 0, high = entries.size / ENTRY_BYTES;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (memcmp(entries.data + middle * ENTRY_BYTES, occ, PREFIX_BYTES) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int search_part(struct connection *connection, int64_t first, struct text entries,
	const unsigned char *occ, int64_t *leaf, struct err *err)
{
	for (size_t i = lower_bound(entries, occ); i < entries.size / ENTRY_BYTES; i++) {
		struct text entry = text_part(entries, i * ENTRY_BYTES, ENTRY_BYTES);
		struct cursor cursor = cursor_of(text_part(entry, PREFIX_BYTES, 4));
		bool is;
		if (memcmp(entry.data, occ, PREFIX_BYTES) != 0)
			return 0;
		*leaf = first + cursor_be32(&cursor);
		if (is_alert(connection, *leaf, occ, &is, err) < 0)
			return -1;
		if (is)
			return 1;
	}
	return 0;
}

/* Newest first. */
static int search_runs(
	struct connection *connection, const unsigned char *occ, int64_t *leaf, struct err *err)
{
	int step, found = 0;
	const int64_t leaf_mask = (INT64_C(1) << PART_SHIFT) - 1;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id, entries FROM occurrence_part WHERE id >= ?1 AND id < ?2"
		" ORDER BY id DESC",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, part_id(part_of(occ), 0));
	sql_bind_i64(statement, 2, part_id(part_of(occ) + 1, 0));
	while (!found && (step = sql_step(statement, err)) > 0)
		found = search_part(connection, sql_i64(statement, 0) & leaf_mask,
			sql_blob(statement, 1), occ, leaf, err);
	if (!found && step < 0)
		found = -1;
	sqlite3_reset(statement);
	return found;
}

static int search_tail(
	struct connection *connection, const unsigned char *occ, int64_t *leaf, struct err *err)
{
	int64_t first;
	if (runs_end(connection, &first, err) < 0)
		return -1;
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT leaf FROM alert WHERE leaf >= ?1 AND occ = ?2 LIMIT 1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, first);
	sql_bind_blob(statement, 2, occ, OCCURRENCE_BYTES);
	int found = sql_step(statement, err);
	if (found > 0)
		*leaf = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return found;
}

int occurrence_find(struct connection *connection, const unsigned char occ[OCCURRENCE_BYTES],
	uint64_t *leaf, struct err *err)
{
	int64_t at = 0;
	int found = search_tail(connection, occ, &at, err);
	if (found == 0)
		found = search_runs(connection, occ, &at, err);
	*leaf = (uint64_t)at;
	if (found > 0)
		return 0;
	return found < 0 ? -1
			 : err_set(err, ERR_MISSING,
				   "there is no alert with this id, or it has left with its age");
}

/* Behind *next_leaf: the run that is there, and whether any of its alerts is. 0: no such run. */
static int next_run(struct connection *connection, int64_t *next_leaf, int64_t *run, bool *is_used,
	struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT first_leaf, last_leaf, EXISTS (SELECT 1 FROM alert"
		" WHERE leaf >= first_leaf AND leaf <= last_leaf) FROM occurrence_run"
		" WHERE first_leaf >= ?1"
		" AND first_leaf < (SELECT max(first_leaf) FROM occurrence_run)"
		" ORDER BY first_leaf LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, *next_leaf);
	int found = sql_step(statement, err);
	if (found > 0) {
		*run = sql_i64(statement, 0);
		*next_leaf = sql_i64(statement, 1) + 1;
		*is_used = sql_i64(statement, 2) != 0;
	}
	sqlite3_reset(statement);
	return found;
}

static int remove_run(struct connection *connection, int64_t first, struct err *err)
{
	for (unsigned part = 0; part < OCCURRENCE_PARTS; part++) {
		sqlite3_stmt *statement = connection_statement(
			connection, "DELETE FROM occurrence_part WHERE id = ?1", err);
		if (!statement)
			return -1;
		sql_bind_i64(statement, 1, part_id(part, first));
		if (sql_run(statement, err) < 0)
			return -1;
	}
	sqlite3_stmt *statement = connection_statement(
		connection, "DELETE FROM occurrence_run WHERE first_leaf = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, first);
	return sql_run(statement, err);
}

int occurrence_runs_remove(
	struct connection *connection, int64_t *next_leaf, struct slice *slice, struct err *err)
{
	while (!slice_is_over(slice)) {
		int64_t run;
		bool is_used;
		int found = next_run(connection, next_leaf, &run, &is_used, err);
		if (found <= 0)
			return found;
		slice_spend(slice, is_used ? 1 : RUN_ROWS);
		if (is_used)
			continue;
		if (remove_run(connection, run, err) < 0)
			return -1;
	}
	return 1;
}
