/* SPDX-License-Identifier: Apache-2.0 */
#include "store/row_expiry.h"

#include "store/alert_rows.h"
#include "store/leaving.h"

enum { ROWS_AT_ONCE = 128 };

/* 1: the cursor stands on the next pair; 0: there is none. */
static int next_pair(struct connection *connection, struct stray_cursor *cursor,
	int64_t before_slot, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT slot, entity FROM slot WHERE (slot, entity) > (?1, ?2) AND slot < ?3"
		" ORDER BY slot, entity LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, cursor->begun ? cursor->slot : INT64_MIN);
	sql_bind_i64(statement, 2, cursor->begun ? cursor->entity : INT64_MIN);
	sql_bind_i64(statement, 3, before_slot);
	int found = sql_step(statement, err);
	if (found > 0)
		*cursor = (struct stray_cursor){true, sql_i64(statement, 0), sql_i64(statement, 1)};
	sqlite3_reset(statement);
	return found;
}

/*
 * Does an incident have a part in this slot and entity? Then its strays wait until it has left, and
 * are found alone.
 */
static int has_incident(
	struct connection *connection, int64_t slot, int64_t entity, bool *has, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT 1 FROM member m JOIN piece p ON p.number = m.number"
		" WHERE m.entity = ?1 AND p.first_slot <= ?2 AND p.last_slot >= ?2"
		" AND m.from_ns < ?4 AND m.to_ns > ?3 LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, entity);
	sql_bind_i64(statement, 2, slot);
	sql_bind_i64(statement, 3, slot * SLOT_NS);
	sql_bind_i64(statement, 4, (slot + 1) * SLOT_NS);
	int found = sql_step(statement, err);
	sqlite3_reset(statement);
	*has = found > 0;
	return found < 0 ? -1 : 0;
}

/* The alerts go first: by the slot's row they are found again. */
static int remove_stray(struct connection *connection, const struct stray_cursor *at,
	struct slice *slice, struct err *err)
{
	struct slot_part part = {at->slot, at->entity, INT64_MIN, INT64_MAX};
	int more = part_alerts_remove(connection, &part, NULL, slice, err);
	if (more)
		return more;
	slice_spend(slice, 1);
	return slot_remove(connection, at->slot, at->entity, err);
}

int strays_remove(struct connection *connection, struct stray_cursor *cursor, int64_t before_slot,
	struct slice *slice, struct err *err)
{
	int found = 1;
	while (!slice_is_over(slice)) {
		bool has;
		struct stray_cursor here = *cursor;
		found = next_pair(connection, &here, before_slot, err);
		if (found <= 0)
			return found;
		if (has_incident(connection, here.slot, here.entity, &has, err) < 0)
			return -1;
		int more = has ? 0 : remove_stray(connection, &here, slice, err);
		if (more)
			return more;
		*cursor = here;
	}
	return 1;
}

struct loose_leaf {
	uint64_t leaf;
	bool leaves;
};

/* The next alerts from *next_leaf on that were received before the horizon. */
static int read_loose(struct connection *connection, int64_t next_leaf, int64_t horizon_ns,
	struct loose_leaf out[ROWS_AT_ONCE], size_t *n, struct err *err)
{
	int step;
	*n = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT leaf, slot IS NULL AND time_ns < ?2, received_ns < ?2 FROM alert"
		" WHERE leaf >= ?1 ORDER BY leaf LIMIT ?3",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, next_leaf);
	sql_bind_i64(statement, 2, horizon_ns);
	sql_bind_i64(statement, 3, ROWS_AT_ONCE);
	while ((step = sql_step(statement, err)) > 0) {
		if (!sql_i64(statement, 2)) {
			sqlite3_reset(statement);
			return 0;
		}
		out[(*n)++] = (struct loose_leaf){
			(uint64_t)sql_i64(statement, 0), sql_i64(statement, 1) != 0};
	}
	return step;
}

int loose_alerts_remove(struct connection *connection, int64_t *next_leaf, int64_t horizon_ns,
	struct slice *slice, struct err *err)
{
	struct loose_leaf found[ROWS_AT_ONCE];
	size_t n;
	do {
		if (slice_is_over(slice))
			return 1;
		if (read_loose(connection, *next_leaf, horizon_ns, found, &n, err) < 0)
			return -1;
		for (size_t i = 0; i < n; i++) {
			if (found[i].leaves && alert_row_remove(connection, found[i].leaf, err) < 0)
				return -1;
			slice_spend(slice, found[i].leaves);
			*next_leaf = (int64_t)found[i].leaf + 1;
		}
	} while (n == ROWS_AT_ONCE);
	return 0;
}

/* By a literal that deletes some of the oldest rows of a table, received before ?1, at most ?2. */
static int oldest_remove(struct connection *connection, const char *sql, int64_t horizon_ns,
	struct slice *slice, struct err *err)
{
	int n;
	do {
		if (slice_is_over(slice))
			return 1;
		sqlite3_stmt *statement = connection_statement(connection, sql, err);
		if (!statement)
			return -1;
		sql_bind_i64(statement, 1, horizon_ns);
		sql_bind_i64(statement, 2, ROWS_AT_ONCE);
		if (sql_run(statement, err) < 0)
			return -1;
		n = sqlite3_changes(connection->db);
		slice_spend(slice, (size_t)n);
	} while (n > 0);
	return 0;
}

int uncorrelated_remove(
	struct connection *connection, int64_t horizon_ns, struct slice *slice, struct err *err)
{
	int more = oldest_remove(connection,
		"DELETE FROM quarantine WHERE received_ns < ?1 AND leaf IN"
		" (SELECT leaf FROM quarantine ORDER BY leaf LIMIT ?2)",
		horizon_ns, slice, err);
	if (more)
		return more;
	return oldest_remove(connection,
		"DELETE FROM shed WHERE received_ns < ?1 AND leaf IN"
		" (SELECT leaf FROM shed ORDER BY leaf LIMIT ?2)",
		horizon_ns, slice, err);
}
