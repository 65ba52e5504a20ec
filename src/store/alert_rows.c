/* SPDX-License-Identifier: Apache-2.0 */
#include "store/alert_rows.h"

#include "base/clock.h"
#include "base/cursor.h"

enum { HASH_BITS = 21, PROBES_MAX = 100000 };

static void occurrence_key(const struct alert *alert, int64_t *key, int64_t *hash)
{
	struct cursor cursor = cursor_of((struct text){(const char *)alert->occ, OCCURRENCE_BYTES});
	uint64_t first = cursor_be64(&cursor);
	int64_t time_ms = alert_is(alert, ALERT_TIME_UNTRUSTED) ? 0 : alert->time_ns / NS_PER_MS;
	*hash = (int64_t)cursor_be64(&cursor);
	*key = (int64_t)((uint64_t)time_ms << HASH_BITS | first >> (64 - HASH_BITS));
}

/* What holds the key now. */
static int read_claim(
	struct connection *connection, int64_t key, int64_t *hash, uint64_t *leaf, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT hash, leaf FROM duplicate WHERE key = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, key);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found < 0 ? -1 : err_set(err, ERR_CORRUPT, "a duplicate key went away");
	*hash = sql_i64(statement, 0);
	*leaf = (uint64_t)sql_i64(statement, 1);
	sqlite3_reset(statement);
	return 0;
}

int occurrence_claim(struct connection *connection, const struct alert *alert, uint64_t leaf,
	bool *is_new, uint64_t *first_leaf, struct err *err)
{
	int64_t key, hash;
	occurrence_key(alert, &key, &hash);
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
		if (read_claim(connection, key, &held_hash, first_leaf, err) < 0)
			return -1;
		if (held_hash == hash)
			return 0;
	}
	return err_set(err, ERR_LIMIT, "too many occurrences share one duplicate key");
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
