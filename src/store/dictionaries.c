/* SPDX-License-Identifier: Apache-2.0 */
#include "store/dictionaries.h"

#include <assert.h>

#include "base/compress.h"

static_assert((N_SOURCES - 1) * DICTIONARIES_PER_SOURCE <= FRAME_DICTIONARIES_MAX,
	"a codec must hold every dictionary");

int dictionaries_load(
	struct dictionaries *dictionaries, struct connection *connection, struct err *err)
{
	int step;
	*dictionaries = (struct dictionaries){0};
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT source, max(id) FROM dictionary GROUP BY source", err);
	if (!statement)
		return -1;
	while ((step = sql_step(statement, err)) > 0) {
		int64_t source = sql_i64(statement, 0);
		if (source > 0 && source < N_SOURCES)
			dictionaries->newest[source] = sql_i64(statement, 1);
	}
	return step;
}

int dictionary_insert(struct connection *connection, const struct dictionary_made *made,
	int64_t now_ns, uint64_t leaf, int64_t *id, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO dictionary (source, created_ns, leaf, bytes) VALUES (?1, ?2, ?3, ?4)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, made->source);
	sql_bind_i64(statement, 2, now_ns);
	sql_bind_i64(statement, 3, (int64_t)leaf);
	sql_bind_blob(statement, 4, made->bytes.data, made->bytes.size);
	if (sql_run(statement, err) < 0)
		return -1;
	*id = sqlite3_last_insert_rowid(connection->db);
	return 0;
}

int dictionary_load(
	struct connection *connection, struct frame_codec *codec, int64_t id, struct err *err)
{
	if (id == 0 || frame_dictionary_known(codec, id))
		return 0;
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT bytes FROM dictionary WHERE id = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, id);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (!found)
		return err_set(err, ERR_CORRUPT, "dictionary %lld is not there", (long long)id);
	int failed = frame_dictionary_add(codec, id, sql_blob(statement, 0), err);
	sqlite3_reset(statement);
	return failed;
}

int dictionary_state_read(struct connection *connection, enum source source,
	struct dictionary_state *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT count(*) OVER (), id, created_ns, leaf FROM dictionary WHERE source = ?1"
		" ORDER BY id DESC LIMIT 1",
		err);
	*out = (struct dictionary_state){0};
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, source);
	int found = sql_step(statement, err);
	if (found > 0)
		*out = (struct dictionary_state){
			.n = (unsigned)sql_i64(statement, 0),
			.newest = sql_i64(statement, 1),
			.created_ns = sql_i64(statement, 2),
			.leaf = (uint64_t)sql_i64(statement, 3),
		};
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}
