/* SPDX-License-Identifier: Apache-2.0 */
#include "store/idempotency.h"

#include <string.h>

#include "base/clock.h"

int idempotency_find(struct connection *connection, struct idempotency *item, struct arena *arena,
	struct err *err)
{
	item->status = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT request, status, answer FROM idempotency WHERE actor = ?1 AND key = ?2",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, item->actor);
	sql_bind_text(statement, 2, item->key);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	struct text request = sql_blob(statement, 0);
	item->same = request.size == DIGEST_BYTES &&
		     memcmp(request.data, item->request.bytes, DIGEST_BYTES) == 0;
	item->status = (unsigned)sql_i64(statement, 1);
	item->answer = arena_copy(arena, sql_text(statement, 2));
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory for a kept answer") : 0;
}

/* A few at a time: more go than come. */
static int expire(struct connection *connection, int64_t now_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"DELETE FROM idempotency WHERE (actor, key) IN (SELECT actor, key FROM idempotency"
		" WHERE time_ns < ?1 ORDER BY time_ns LIMIT 8)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, now_ns - IDEMPOTENCY_KEPT_HOURS * 3600 * NS_PER_S);
	return sql_run(statement, err);
}

int idempotency_keep(struct connection *connection, const struct idempotency *item, int64_t now_ns,
	struct err *err)
{
	if (expire(connection, now_ns, err) < 0)
		return -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO idempotency (actor, key, request, status, answer, time_ns)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, item->actor);
	sql_bind_text(statement, 2, item->key);
	sql_bind_blob(statement, 3, item->request.bytes, DIGEST_BYTES);
	sql_bind_i64(statement, 4, item->status);
	sql_bind_text(statement, 5, item->answer);
	sql_bind_i64(statement, 6, now_ns);
	return sql_run(statement, err);
}
