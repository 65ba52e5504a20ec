/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tokens.h"

#include <string.h>

#include "base/cleanup.h"
#include "store/sessions.h"

enum { TOKENS_MAX = 100000 };

/* Two that a certificate stands for: the elder would win, and its node. */
static int check_subject(
	struct connection *connection, const struct credential *credential, struct err *err)
{
	if (!credential->subject.size)
		return 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT name FROM token WHERE subject = ?1 AND revoked_ns = 0"
		" AND (expires_ns = 0 OR expires_ns > ?2) LIMIT 1",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, credential->subject);
	sql_bind_i64(statement, 2, credential->created_at_ns);
	int step = sql_step(statement, err);
	if (step > 0)
		ignore(err_set(err, ERR_INPUT,
			"the certificate's subject stands for the token '%.*s': revoke that first",
			TEXT_ARG(sql_text(statement, 0))));
	sqlite3_reset(statement);
	return step == 0 ? 0 : -1;
}

int token_insert(struct connection *connection, struct credential *credential, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO token (name, role, cluster, sources, node, digest, subject, "
		"created_ns, expires_ns, namespaces)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
		" ON CONFLICT (name) DO NOTHING",
		err);
	if (!statement || check_subject(connection, credential, err) < 0)
		return -1;
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, SIZE_MAX);
	struct text namespaces = scope_format(&credential->scope, &arena);
	/* Without memory for them it would see everything. */
	if (arena.failed)
		return err_set(err, ERR_MEMORY, "out of memory for a token");
	sql_bind_text(statement, 1, credential->name);
	sql_bind_i64(statement, 2, credential->role);
	sql_bind_text(statement, 3, credential->cluster);
	sql_bind_i64(statement, 4, credential->sources);
	sql_bind_text_or_null(statement, 5, credential->node);
	sql_bind_blob(statement, 6, credential->digest.bytes, DIGEST_BYTES);
	sql_bind_text_or_null(statement, 7, credential->subject);
	sql_bind_i64(statement, 8, credential->created_at_ns);
	sql_bind_i64(statement, 9, credential->expires_at_ns);
	sql_bind_text(statement, 10, namespaces);
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
	return sessions_end_of(connection, id, now_ns, err);
}

static int read_token(
	sqlite3_stmt *statement, struct arena *arena, struct credential *out, struct err *err)
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
	return scope_parse(&out->scope, arena, sql_text(statement, 11), err);
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
		" revoked_ns, namespaces FROM token ORDER BY id LIMIT ?1",
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
		int failed = 0;
		if (out->items && !arena->failed)
			failed = read_token(statement, arena, &out->items[out->n++], err);
		/* A token whose node was not copied would be bound to none. */
		if (arena->failed) {
			sqlite3_reset(statement);
			return err_set(err, ERR_MEMORY, "out of memory reading tokens");
		}
		if (failed) {
			sqlite3_reset(statement);
			return err_prefix(err, "reading tokens");
		}
	}
	return step;
}

int tokens_load(struct connection *connection, struct credential_set **out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct credential_list list;
	struct credential_set read = {0};
	arena_init(&arena, SIZE_MAX);
	if (tokens_list(connection, &arena, &list, err) < 0 ||
		sessions_list(connection, &arena, &read, err) < 0)
		return -1;
	read.items = list.items;
	read.n = list.n;
	*out = credential_set_new(&read);
	return *out ? 0 : err_set(err, ERR_MEMORY, "out of memory reading tokens");
}
