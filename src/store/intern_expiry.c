/* SPDX-License-Identifier: Apache-2.0 */
#include "store/intern_expiry.h"

/* Ids that are looked at in one go, and how many cost as much as a row that is removed. */
enum { IDS_AT_ONCE = 256, IDS_A_ROW = 8 };

/*
 * ?1 <= id < ?2, and not the newest; ?3: the epoch of the oldest alert; ?4: a day. Entities before
 * workloads: what refers goes first.
 */
static const struct {
	const char *next, *remove;
	bool is_name;
} tables[] = {
	{"SELECT id FROM image WHERE id >= ?1 ORDER BY id LIMIT 1",
		"DELETE FROM image WHERE id >= ?1 AND id < ?2 AND used < ?3 AND ?4 = ?4"
		" AND id < (SELECT max(id) FROM image)",
		false},
	{"SELECT id FROM process WHERE id >= ?1 ORDER BY id LIMIT 1",
		"DELETE FROM process WHERE id >= ?1 AND id < ?2 AND used < ?3 AND ?4 = ?4"
		" AND id < (SELECT max(id) FROM process)",
		false},
	{"SELECT id FROM attack WHERE id >= ?1 ORDER BY id LIMIT 1",
		"DELETE FROM attack WHERE id >= ?1 AND id < ?2 AND used < ?3 AND ?4 = ?4"
		" AND id < (SELECT max(id) FROM attack)",
		false},
	{"SELECT id FROM entity WHERE id >= ?1 ORDER BY id LIMIT 1",
		"DELETE FROM entity WHERE id >= ?1 AND id < ?2 AND used < ?3 AND ?4 = ?4"
		" AND id < (SELECT max(id) FROM entity)"
		" AND NOT EXISTS (SELECT 1 FROM member WHERE member.entity = entity.id)"
		" AND NOT EXISTS (SELECT 1 FROM edit WHERE edit.entity = entity.id)"
		" AND NOT EXISTS (SELECT 1 FROM suppression_hit h WHERE h.entity = entity.id)",
		true},
	{"SELECT id FROM workload WHERE id >= ?1 ORDER BY id LIMIT 1",
		"DELETE FROM workload WHERE id >= ?1 AND id < ?2 AND used < ?3"
		" AND id < (SELECT max(id) FROM workload)"
		" AND (last_day IS NULL OR last_day < ?4)"
		" AND NOT EXISTS (SELECT 1 FROM entity WHERE entity.workload = workload.id)",
		true},
	{"SELECT id FROM key WHERE id >= ?1 ORDER BY id LIMIT 1",
		"DELETE FROM key WHERE id >= ?1 AND id < ?2 AND ?3 = ?3 AND ?4 = ?4"
		" AND id < (SELECT max(id) FROM key)"
		" AND NOT EXISTS (SELECT 1 FROM piece WHERE piece.key = key.id)",
		false},
};

enum { N_TABLES = sizeof tables / sizeof tables[0] };

/* The epoch of the oldest alert; without alerts, of the next one. */
static int first_epoch(struct connection *connection, const struct intern_expiry *expiry,
	int64_t *epoch, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT leaf FROM alert ORDER BY leaf LIMIT 1", err);
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	uint64_t leaf = found > 0 ? (uint64_t)sql_i64(statement, 0) : expiry->n_leaves;
	sqlite3_reset(statement);
	*epoch = (int64_t)(leaf >> expiry->epoch_bits);
	return found < 0 ? -1 : 0;
}

/* Moves the cursor to a row that is there. 1: it is on one; 0: the table has none behind it. */
static int find_next(struct connection *connection, struct intern_cursor *cursor, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, tables[cursor->table].next, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, cursor->next_id);
	int found = sql_step(statement, err);
	if (found > 0)
		cursor->next_id = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return found;
}

static int remove_range(struct connection *connection, struct intern_cursor *cursor,
	struct intern_expiry *expiry, struct slice *slice, struct err *err)
{
	int64_t epoch;
	if (first_epoch(connection, expiry, &epoch, err) < 0)
		return -1;
	sqlite3_stmt *statement =
		connection_statement(connection, tables[cursor->table].remove, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, cursor->next_id);
	sql_bind_i64(statement, 2, cursor->next_id + IDS_AT_ONCE);
	sql_bind_i64(statement, 3, epoch);
	sql_bind_i64(statement, 4, expiry->before_day);
	if (sql_run(statement, err) < 0)
		return -1;
	int n = sqlite3_changes(connection->db);
	expiry->names_removed |= n > 0 && tables[cursor->table].is_name;
	cursor->next_id += IDS_AT_ONCE;
	slice_spend(slice, IDS_AT_ONCE / IDS_A_ROW + (size_t)n);
	return 0;
}

int interns_remove(struct connection *connection, struct intern_cursor *cursor,
	struct intern_expiry *expiry, struct slice *slice, struct err *err)
{
	while (cursor->table < N_TABLES) {
		int found = find_next(connection, cursor, err);
		if (found < 0)
			return -1;
		if (!found) {
			cursor->table++;
			cursor->next_id = 0;
			continue;
		}
		if (remove_range(connection, cursor, expiry, slice, err) < 0)
			return -1;
		if (slice_is_over(slice))
			return 1;
	}
	return 0;
}
