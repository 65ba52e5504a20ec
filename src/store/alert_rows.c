/* SPDX-License-Identifier: Apache-2.0 */
#include "store/alert_rows.h"

#include "base/clock.h"
#include "base/cursor.h"
#include "store/alert_ends.h"

enum { HASH_BITS = 21, PROBES_MAX = 100000 };

/*
 * Where an occurrence would like to stand: by its time, so that a commit touches few pages; without
 * a trusted time by its hash alone, below all times, because a key with time 0 would soon be
 * crowded.
 */
static int64_t home_key(struct text occ, int64_t time_ns, uint32_t flags, int64_t *hash)
{
	struct cursor cursor = cursor_of(occ);
	uint64_t first = cursor_be64(&cursor);
	*hash = (int64_t)cursor_be64(&cursor);
	if (flags & ALERT_TIME_UNTRUSTED)
		return INT64_MIN + (int64_t)(first >> 2);
	int64_t time_ms = time_ns / NS_PER_MS;
	return (int64_t)((uint64_t)time_ms << HASH_BITS | first >> (64 - HASH_BITS));
}

/* 1: *leaf has the key; 0: the key is free. */
static int read_key(
	struct connection *connection, int64_t key, int64_t *hash, uint64_t *leaf, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT hash, leaf FROM duplicate WHERE key = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, key);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	*hash = sql_i64(statement, 0);
	*leaf = (uint64_t)sql_i64(statement, 1);
	sqlite3_reset(statement);
	return 1;
}

int occurrence_claim(struct connection *connection, const struct alert *alert, uint64_t leaf,
	bool *is_new, uint64_t *first_leaf, struct err *err)
{
	int64_t hash;
	struct text occ = {(const char *)alert->occ, OCCURRENCE_BYTES};
	int64_t key = home_key(occ, alert->time_ns, alert->flags, &hash);
	for (int probes = 0; probes < PROBES_MAX; probes++, key++) {
		sqlite3_stmt *statement = connection_statement(connection,
			"INSERT INTO duplicate (key, hash, leaf) VALUES (?1, ?2, ?3)"
			" ON CONFLICT (key) DO NOTHING",
			err);
		if (!statement)
			return -1;
		sql_bind_i64(statement, 1, key);
		sql_bind_i64(statement, 2, hash);
		sql_bind_i64(statement, 3, (int64_t)leaf);
		if (sql_run(statement, err) < 0)
			return -1;
		*is_new = sqlite3_changes(connection->db) > 0;
		if (*is_new)
			return 0;
		int64_t held_hash;
		int held = read_key(connection, key, &held_hash, first_leaf, err);
		if (held <= 0)
			return held < 0 ? -1
					: err_set(err, ERR_CORRUPT, "a duplicate key went away");
		if (held_hash == hash)
			return 0;
	}
	return err_set(err, ERR_LIMIT, "too many occurrences share one duplicate key");
}

/* What removing a row has to know of it. */
struct row_key {
	int64_t home, hash;
	uint32_t flags;
};

/* 1: read; 0: there is no such row. */
static int read_row_key(
	struct connection *connection, uint64_t leaf, struct row_key *row, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT occ, time_ns, bits FROM alert WHERE leaf = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)leaf);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	row->flags = (uint32_t)(sql_i64(statement, 2) >> 8);
	row->home = home_key(sql_blob(statement, 0), sql_i64(statement, 1), row->flags, &row->hash);
	sqlite3_reset(statement);
	return 1;
}

/* Lets the occurrence of @leaf stand at @key, which is another's or its own. */
static int move_key(
	struct connection *connection, int64_t key, int64_t hash, uint64_t leaf, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "UPDATE duplicate SET hash = ?2, leaf = ?3 WHERE key = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, key);
	sql_bind_i64(statement, 2, hash);
	sql_bind_i64(statement, 3, (int64_t)leaf);
	return sql_run(statement, err);
}

/*
 * Occurrences that had to stand behind their own key are looked for without a gap, so those behind
 * the freed key move up into it. *hole ends as the key that nobody needs.
 */
static int close_gap(struct connection *connection, int64_t *hole, struct err *err)
{
	for (int64_t key = *hole + 1;; key++) {
		struct row_key row;
		int64_t hash;
		uint64_t leaf;
		int found = read_key(connection, key, &hash, &leaf, err);
		if (found <= 0)
			return found;
		found = read_row_key(connection, leaf, &row, err);
		if (found < 0)
			return -1;
		if (!found || row.home > *hole)
			continue;
		if (move_key(connection, *hole, hash, leaf, err) < 0)
			return -1;
		*hole = key;
	}
}

static int release_key(
	struct connection *connection, int64_t home, uint64_t wanted, struct err *err)
{
	int64_t hole = home, hash;
	uint64_t leaf = 0;
	int found;
	while ((found = read_key(connection, hole, &hash, &leaf, err)) > 0 && leaf != wanted)
		hole++;
	if (found <= 0)
		return found;
	if (close_gap(connection, &hole, err) < 0)
		return -1;
	sqlite3_stmt *statement =
		connection_statement(connection, "DELETE FROM duplicate WHERE key = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, hole);
	return sql_run(statement, err);
}

static int delete_leaf(
	struct connection *connection, const char *sql, uint64_t leaf, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)leaf);
	return sql_run(statement, err);
}

int alert_row_remove(struct connection *connection, uint64_t leaf, struct err *err)
{
	struct row_key row;
	int found = read_row_key(connection, leaf, &row, err);
	if (found <= 0)
		return found;
	if (release_key(connection, row.home, leaf, err) < 0 ||
		delete_leaf(connection, "DELETE FROM alert WHERE leaf = ?1", leaf, err) < 0)
		return -1;
	if ((row.flags & ALERT_STATEFUL) && alert_end_remove(connection, leaf, err) < 0)
		return -1;
	return row.flags & ALERT_HEALTH
		       ? delete_leaf(connection, "DELETE FROM health WHERE leaf = ?1", leaf, err)
		       : 0;
}

int alert_row_insert(struct connection *connection, const struct alert *alert,
	const struct alert_place *place, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO alert (leaf, slot, entity, occ, time_ns, received_ns, fingerprint, "
		"attack,"
		" process, image, origin, stream, bits, count)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
		err);
	if (!statement)
		return -1;
	int64_t bits =
		(int64_t)alert->severity | (int64_t)alert->action << 4 | (int64_t)alert->flags << 8;
	sql_bind_i64(statement, 1, (int64_t)alert->leaf);
	if (alert->slot >= 0)
		sql_bind_i64(statement, 2, alert->slot);
	sql_bind_i64(statement, 3, place->ids.entity);
	sql_bind_blob(statement, 4, alert->occ, OCCURRENCE_BYTES);
	sql_bind_i64(statement, 5, alert->time_ns);
	sql_bind_i64(statement, 6, alert->received_ns);
	sql_bind_i64(statement, 7, place->ids.fingerprint);
	sql_bind_i64(statement, 8, place->ids.attack);
	sql_bind_i64(statement, 9, place->ids.process);
	sql_bind_i64(statement, 10, place->ids.image);
	sql_bind_i64(statement, 11, place->ids.origin);
	sql_bind_i64(statement, 12, place->stream);
	sql_bind_i64(statement, 13, bits);
	sql_bind_i64(statement, 14, (int64_t)alert->count);
	return sql_run(statement, err);
}

int alert_row_place(struct connection *connection, struct alert *alert, struct err *err)
{
	alert->slot = -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT slot, entity, fingerprint, bits FROM alert WHERE leaf = ?1"
		" AND slot IS NOT NULL",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)alert->leaf);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	alert->slot = sql_i64(statement, 0);
	alert->entity_id = sql_i64(statement, 1);
	alert->fingerprint_id = sql_i64(statement, 2);
	alert->flags &= ~(uint32_t)ALERT_CONTEXT;
	alert->flags |= (uint32_t)(sql_i64(statement, 3) >> 8) & ALERT_CONTEXT;
	sqlite3_reset(statement);
	return 0;
}

static int64_t day_of(int64_t wall_ns)
{
	return wall_ns / (86400 * NS_PER_S);
}

int quarantine_is_known(struct connection *connection, const struct alert *alert, int64_t origin,
	bool *known, struct err *err)
{
	*known = false;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT received_ns FROM quarantine WHERE digest = ?1 AND origin = ?2", err);
	if (!statement)
		return -1;
	sql_bind_blob(statement, 1, alert->raw_digest.bytes, DIGEST_BYTES);
	sql_bind_i64(statement, 2, origin);
	int step;
	while ((step = sql_step(statement, err)) > 0)
		*known |= day_of(sql_i64(statement, 0)) == day_of(alert->received_ns);
	return step;
}

int quarantine_row_insert(struct connection *connection, const struct alert *alert,
	const struct alert_place *place, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO quarantine (leaf, received_ns, origin, stream, digest, reason)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)alert->leaf);
	sql_bind_i64(statement, 2, alert->received_ns);
	sql_bind_i64(statement, 3, place->ids.origin);
	sql_bind_i64(statement, 4, place->stream);
	sql_bind_blob(statement, 5, alert->raw_digest.bytes, DIGEST_BYTES);
	sql_bind_text(statement, 6, alert->quarantine_reason);
	return sql_run(statement, err);
}

static void bind_if_said(sqlite3_stmt *statement, int at, int64_t value)
{
	if (value >= 0)
		sql_bind_i64(statement, at, value);
}

int health_row_insert(
	struct connection *connection, const struct alert *alert, int64_t origin, struct err *err)
{
	const struct health_fact *health = alert->health;
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO health (leaf, origin, node, time_ns, kind, events, drops, "
		"output_drops)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)alert->leaf);
	sql_bind_i64(statement, 2, origin);
	sql_bind_text(statement, 3, alert->node);
	sql_bind_i64(statement, 4, alert->time_ns);
	sql_bind_i64(statement, 5, health->kind);
	bind_if_said(statement, 6, health->n_events);
	bind_if_said(statement, 7, health->n_drops);
	bind_if_said(statement, 8, health->n_output_drops);
	return sql_run(statement, err);
}
