/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tokens.h"

#include <string.h>

#include "base/cleanup.h"

enum { TOKENS_MAX = 100000 };

int token_insert(struct connection *connection, struct credential *credential, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO token (name, role, cluster, sources, node, digest, subject, "
		"created_ns,"
		" expires_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		" ON CONFLICT (name) DO NOTHING",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, credential->name);
	sql_bind_i64(statement, 2, credential->role);
	sql_bind_text(statement, 3, credential->cluster);
	sql_bind_i64(statement, 4, credential->sources);
	sql_bind_text_or_null(statement, 5, credential->node);
	sql_bind_blob(statement, 6, credential->digest.bytes, DIGEST_BYTES);
	sql_bind_text_or_null(statement, 7, credential->subject);
	sql_bind_i64(statement, 8, credential->created_at_ns);
	sql_bind_i64(statement, 9, credential->expires_at_ns);
	if (sql_run(statement, err) < 0)
		return -1;
	if (sqlite3_changes(connection->db) == 0)
		return err_set(err, ERR_INPUT,
			"there is a token '%.*s' already: choose another name",
			TEXT_ARG(credential->name));
	credential->id = (uint64_t)sqlite3_last_insert_rowid(connection->db);
	return 0;
}

int token_revoke(struct connection *connection, uint64_t id, int64_t now_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE token SET revoked_ns = ?2 WHERE id = ?1 AND revoked_ns = 0", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)id);
	sql_bind_i64(statement, 2, now_ns);
	if (sql_run(statement, err) < 0)
		return -1;
	if (sqlite3_changes(connection->db) == 0)
		return err_set(
			err, ERR_MISSING, "no token %llu is in force", (unsigned long long)id);
	return 0;
}

static void read_token(sqlite3_stmt *statement, struct arena *arena, struct credential *out)
{
	struct text digest = sql_blob(statement, 6);
	*out = (struct credential){
		.id = (uint64_t)sql_i64(statement, 0),
		.name = arena_copy(arena, sql_text(statement, 1)),
		.role = (enum role)sql_i64(statement, 2),
		.cluster = arena_copy(arena, sql_text(statement, 3)),
		.sources = (uint32_t)sql_i64(statement, 4),
		.node = arena_copy(arena, sql_text(statement, 5)),
		.subject = arena_copy(arena, sql_text(statement, 7)),
		.created_at_ns = sql_i64(statement, 8),
		.expires_at_ns = sql_i64(statement, 9),
		.revoked_at_ns = sql_i64(statement, 10),
	};
	if (digest.size == DIGEST_BYTES)
		memcpy(out->digest.bytes, digest.data, DIGEST_BYTES);
}

int tokens_list(struct connection *connection, struct arena *arena, struct credential_list *out,
	struct err *err)
{
	size_t capacity = 0;
	int step;
	*out = (struct credential_list){NULL, 0};
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id, name, role, cluster, sources, node, digest, subject, created_ns, "
		"expires_ns,"
		" revoked_ns FROM token ORDER BY id LIMIT ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, TOKENS_MAX);
	while ((step = sql_step(statement, err)) > 0) {
		if (out->n == capacity) {
			capacity = capacity ? capacity * 2 : 16;
			struct credential *items = arena_array(arena, capacity, sizeof *items);
			if (items && out->n)
				memcpy(items, out->items, out->n * sizeof *items);
			out->items = items;
		}
		if (out->items && !arena->failed)
			read_token(statement, arena, &out->items[out->n++]);
		/* A token whose node was not copied would be bound to none. */
		if (arena->failed) {
			sqlite3_reset(statement);
			return err_set(err, ERR_MEMORY, "out of memory reading tokens");
		}
	}
	return step;
}

int tokens_load(struct connection *connection, struct credential_set **out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct credential_list list;
	arena_init(&arena, SIZE_MAX);
	if (tokens_list(connection, &arena, &list, err) < 0)
		return -1;
	*out = credential_set_new(list.items, list.n);
	return *out ? 0 : err_set(err, ERR_MEMORY, "out of memory reading tokens");
}
