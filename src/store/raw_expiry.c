/* SPDX-License-Identifier: Apache-2.0 */
#include "store/raw_expiry.h"

#include "store/block.h"
#include "store/ledger.h"

/*
 * A block says when its first leaf was received. The last one's row says it for the whole; when
 * that has left, a block still is of one day.
 */
static int find_oldest(
	struct connection *connection, int64_t *id, int64_t *until_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT b.id, coalesce((SELECT received_ns FROM alert WHERE leaf = b.last_leaf),"
		" (SELECT received_ns FROM quarantine WHERE leaf = b.last_leaf),"
		" (SELECT received_ns FROM shed WHERE leaf = b.last_leaf),"
		" b.received_ns + 86400000000000) AS until FROM stream s"
		" JOIN block b ON b.id = (SELECT id FROM block WHERE id >= s.id << 44"
		" AND id < (s.id + 1) << 44 ORDER BY id LIMIT 1)"
		" WHERE s.class = 0 ORDER BY until LIMIT 1",
		err);
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	if (found > 0) {
		*id = sql_i64(statement, 0);
		*until_ns = sql_i64(statement, 1);
	}
	sqlite3_reset(statement);
	return found;
}

static int delete_by_id(struct connection *connection, const char *sql, int64_t id, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, id);
	return sql_run(statement, err);
}

int oldest_raw_remove(
	struct connection *connection, int64_t before_ns, int64_t *received_ns, struct err *err)
{
	int64_t id = 0;
	int found = find_oldest(connection, &id, received_ns, err);
	if (found <= 0 || *received_ns >= before_ns)
		return found < 0 ? -1 : 0;
	return delete_by_id(connection, "DELETE FROM block WHERE id = ?1", id, err) < 0 ? -1 : 1;
}

/* 1: a stored row answers; 0: none. */
static int is_any(struct connection *connection, const char *sql, int64_t first_leaf,
	int64_t last_leaf, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, first_leaf);
	sql_bind_i64(statement, 2, last_leaf);
	int found = sql_step(statement, err);
	sqlite3_reset(statement);
	return found;
}

/* May raw of these leaves be there? By the extent of blocks, which may have other leaves between.
 */
static int has_raw(
	struct connection *connection, int64_t first_leaf, int64_t last_leaf, struct err *err)
{
	return is_any(connection,
		"SELECT 1 FROM stream s WHERE (SELECT last_leaf FROM block"
		" WHERE id >= s.id << 44 AND id <= (s.id << 44 | ?2) ORDER BY id DESC LIMIT 1)"
		" >= ?1 LIMIT 1",
		first_leaf, last_leaf, err);
}

/* 1: the row at or behind *next; 0: none. */
static int next_row(struct connection *connection, const char *sql, int64_t *next, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, *next);
	int found = sql_step(statement, err);
	if (found > 0)
		*next = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return found;
}

int salts_remove(
	struct connection *connection, int64_t *next_leaf, struct slice *slice, struct err *err)
{
	while (!slice_is_over(slice)) {
		int found = next_row(connection,
			"SELECT leaf FROM salt WHERE leaf >= ?1 ORDER BY leaf LIMIT 1", next_leaf,
			err);
		if (found <= 0)
			return found;
		int kept = has_raw(connection, *next_leaf, *next_leaf, err);
		if (kept < 0 ||
			(!kept && delete_by_id(connection, "DELETE FROM salt WHERE leaf = ?1",
					  *next_leaf, err) < 0))
			return -1;
		++*next_leaf;
		slice_spend(slice, 1);
	}
	return 1;
}

/* The first leaf whose raw waits for its age: everything behind it has some. */
static int raw_begin(struct connection *connection, int64_t *leaf, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT min((SELECT id FROM block WHERE id >= s.id << 44 AND id < (s.id + 1) << 44"
		" ORDER BY id LIMIT 1) & ?1) FROM stream s WHERE s.class = 0",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)block_first_leaf(-1));
	int found = sql_step(statement, err);
	*leaf = found > 0 && !sql_is_null(statement, 0) ? sql_i64(statement, 0) : INT64_MAX;
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}

/* 1: every leaf's raw and row have left. */
static int is_expired(struct connection *connection, int64_t tile, struct err *err)
{
	int64_t first = tile * TILE_HASHES, last = first + TILE_HASHES - 1;
	int kept = is_any(connection, "SELECT 1 FROM alert WHERE leaf >= ?1 AND leaf <= ?2 LIMIT 1",
		first, last, err);
	if (kept == 0)
		kept = is_any(connection,
			"SELECT 1 FROM quarantine WHERE leaf >= ?1 AND leaf <= ?2 LIMIT 1", first,
			last, err);
	if (kept == 0)
		kept = is_any(connection,
			"SELECT 1 FROM shed WHERE leaf >= ?1 AND leaf <= ?2 LIMIT 1", first, last,
			err);
	if (kept == 0)
		kept = has_raw(connection, first, last, err);
	return kept < 0 ? -1 : !kept;
}

int tiles_reduce(
	struct connection *connection, int64_t *next_tile, struct slice *slice, struct err *err)
{
	int64_t raw_leaf;
	if (raw_begin(connection, &raw_leaf, err) < 0)
		return -1;
	while (!slice_is_over(slice)) {
		/* Ids of level 0 are the numbers; a tile behind this one makes it a full one. */
		int found = next_row(connection,
			"SELECT id FROM tile WHERE id >= ?1 AND id < (SELECT max(id) FROM tile"
			" WHERE id < 1 << 48) ORDER BY id LIMIT 1",
			next_tile, err);
		if (found <= 0 || (*next_tile + 1) * TILE_HASHES > raw_leaf)
			return found < 0 ? -1 : 0;
		int expired = is_expired(connection, *next_tile, err);
		if (expired < 0 ||
			(expired && delete_by_id(connection, "DELETE FROM tile WHERE id = ?1",
					    *next_tile, err) < 0))
			return -1;
		++*next_tile;
		slice_spend(slice, BLOCK_ROWS);
	}
	return 1;
}
