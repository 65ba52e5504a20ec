/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sessions.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* One statement whose parameters are numbers. */
static int run_numbers(struct connection *connection, const char *sql, const int64_t *numbers,
	size_t n, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	for (size_t i = 0; i < n; i++)
		sql_bind_i64(statement, (int)i + 1, numbers[i]);
	return sql_run(statement, err);
}

/* The same person's ones beyond the limit end, old rows go: the table stays small. */
static int make_room(struct connection *connection, const struct session *session, int64_t now_ns,
	struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE session SET ended_ns = ?3 WHERE id IN (SELECT id FROM session"
		" WHERE token = ?1 AND subject = ?2 AND ended_ns = 0 AND expires_ns > ?3"
		" ORDER BY used_ns DESC, id DESC LIMIT -1 OFFSET ?4)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)session->token);
	sql_bind_text(statement, 2, session->subject);
	sql_bind_i64(statement, 3, now_ns);
	sql_bind_i64(statement, 4, SESSIONS_PER_PERSON - 1);
	if (sql_run(statement, err) < 0)
		return -1;
	const int64_t kept[] = {now_ns - ENDED_KEPT_S * NS_PER_S};
	return run_numbers(connection,
		"DELETE FROM session WHERE expires_ns < ?1 OR (ended_ns > 0 AND ended_ns < ?1)",
		kept, 1, err);
}

static int check_room(struct connection *connection, int64_t now_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT count(*) FROM session WHERE ended_ns = 0 AND expires_ns > ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, now_ns);
	int step = sql_step(statement, err);
	int64_t n = step > 0 ? sql_i64(statement, 0) : 0;
	sqlite3_reset(statement);
	if (step < 0)
		return -1;
	return n < SESSIONS_MAX
		       ? 0
		       : err_set(err, ERR_LIMIT, "%d sessions run already: end some of them first",
				 SESSIONS_MAX);
}

int session_insert(
	struct connection *connection, struct session *session, int64_t now_ns, struct err *err)
{
	struct arena arena;
	if (make_room(connection, session, now_ns, err) < 0 ||
		check_room(connection, now_ns, err) < 0)
		return -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO session (digest, token, name, role, namespaces, way, address, "
		"created_ns, used_ns, expires_ns, subject)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10)",
		err);
	if (!statement)
		return -1;
	arena_init(&arena, SIZE_MAX);
	sql_bind_blob(statement, 1, session->digest.bytes, DIGEST_BYTES);
	sql_bind_i64(statement, 2, (int64_t)session->token);
	sql_bind_text(statement, 3, session->name);
	sql_bind_i64(statement, 4, session->role);
	sql_bind_text(statement, 5, scope_format(&session->scope, &arena));
	sql_bind_i64(statement, 6, session->way);
	sql_bind_text(statement, 7, session->address);
	sql_bind_i64(statement, 8, now_ns);
	sql_bind_i64(statement, 9, session->expires_at_ns);
	sql_bind_text(statement, 10, session->subject);
	/* Without memory for its namespaces it would see everything. */
	int failed = arena.failed ? err_set(err, ERR_MEMORY, "out of memory for a session")
				  : sql_run(statement, err);
	sqlite3_reset(statement);
	arena_done(&arena);
	if (failed)
		return -1;
	session->created_at_ns = session->used_at_ns = now_ns;
	session->id = (uint64_t)sqlite3_last_insert_rowid(connection->db);
	return 0;
}

int session_end(
	struct connection *connection, uint64_t id, int64_t now_ns, bool *ended, struct err *err)
{
	const int64_t numbers[] = {(int64_t)id, now_ns};
	int failed = run_numbers(connection,
		"UPDATE session SET ended_ns = ?2 WHERE id = ?1 AND ended_ns = 0", numbers, 2, err);
	*ended = !failed && sqlite3_changes(connection->db) > 0;
	return failed;
}

int sessions_end_of(struct connection *connection, uint64_t token, int64_t now_ns, struct err *err)
{
	const int64_t numbers[] = {(int64_t)token, now_ns};
	if (run_numbers(connection,
		    "UPDATE session SET ended_ns = ?2 WHERE token = ?1 AND ended_ns = 0", numbers,
		    2, err) < 0)
		return -1;
	return run_numbers(
		connection, "DELETE FROM sign_in_link WHERE token = ?1", numbers, 1, err);
}

int session_used(struct connection *connection, uint64_t id, int64_t now_ns, struct err *err)
{
	const int64_t numbers[] = {(int64_t)id, now_ns};
	return run_numbers(connection,
		"UPDATE session SET used_ns = max(used_ns, ?2) WHERE id = ?1 AND ended_ns = 0",
		numbers, 2, err);
}

int sign_in_link_insert(
	struct connection *connection, const struct sign_in_link *link, struct err *err)
{
	const int64_t kept[] = {(int64_t)link->token, LINKS_PER_TOKEN - 1};
	if (run_numbers(connection,
		    "DELETE FROM sign_in_link WHERE id IN (SELECT id FROM sign_in_link"
		    " WHERE token = ?1 ORDER BY id DESC LIMIT -1 OFFSET ?2)",
		    kept, 2, err) < 0)
		return -1;
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO sign_in_link (digest, token, expires_ns) VALUES (?1, ?2, ?3)", err);
	if (!statement)
		return -1;
	sql_bind_blob(statement, 1, link->digest.bytes, DIGEST_BYTES);
	sql_bind_i64(statement, 2, (int64_t)link->token);
	sql_bind_i64(statement, 3, link->expires_at_ns);
	return sql_run(statement, err);
}

int sign_in_link_use(struct connection *connection, const struct digest *digest, int64_t now_ns,
	uint64_t *token, struct err *err)
{
	*token = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT token FROM sign_in_link WHERE digest = ?1 AND expires_ns > ?2", err);
	if (!statement)
		return -1;
	sql_bind_blob(statement, 1, digest->bytes, DIGEST_BYTES);
	sql_bind_i64(statement, 2, now_ns);
	int step = sql_step(statement, err);
	if (step > 0)
		*token = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	if (step < 0)
		return -1;
	statement = connection_statement(
		connection, "DELETE FROM sign_in_link WHERE digest = ?1 OR expires_ns <= ?2", err);
	if (!statement)
		return -1;
	sql_bind_blob(statement, 1, digest->bytes, DIGEST_BYTES);
	sql_bind_i64(statement, 2, now_ns);
	return sql_run(statement, err);
}

static int read_session(
	sqlite3_stmt *statement, struct arena *arena, struct session *out, struct err *err)
{
	struct text digest = sql_blob(statement, 6);
	*out = (struct session){
		.id = (uint64_t)sql_i64(statement, 0),
		.token = (uint64_t)sql_i64(statement, 1),
		.name = arena_copy(arena, sql_text(statement, 2)),
		.role = (enum role)sql_i64(statement, 3),
		.way = (enum sign_in_way)sql_i64(statement, 5),
		.address = arena_copy(arena, sql_text(statement, 7)),
		.created_at_ns = sql_i64(statement, 8),
		.used_at_ns = sql_i64(statement, 9),
		.expires_at_ns = sql_i64(statement, 10),
		.subject = arena_copy(arena, sql_text(statement, 11)),
	};
	if (digest.size == DIGEST_BYTES)
		memcpy(out->digest.bytes, digest.data, DIGEST_BYTES);
	return scope_parse(&out->scope, arena, sql_text(statement, 4), err);
}

static int list_sessions(struct connection *connection, struct arena *arena,
	struct credential_set *set, struct err *err)
{
	int step;
	set->n_sessions = 0;
	set->sessions = NULL;
	size_t capacity = 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT id, token, name, role, namespaces, way, digest, address, created_ns, "
		"used_ns, expires_ns, subject FROM session WHERE ended_ns = 0 ORDER BY id LIMIT ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, 2 * SESSIONS_MAX); /* expired ones are among them */
	while ((step = sql_step(statement, err)) > 0) {
		if (set->n_sessions == capacity) {
			capacity = capacity ? capacity * 2 : 16;
			struct session *more = arena_array(arena, capacity, sizeof *more);
			if (more && set->n_sessions)
				memcpy(more, set->sessions, set->n_sessions * sizeof *more);
			set->sessions = more;
		}
		if (!set->sessions || arena->failed) {
			sqlite3_reset(statement);
			return err_set(err, ERR_MEMORY, "out of memory reading sessions");
		}
		if (read_session(statement, arena, &set->sessions[set->n_sessions++], err) < 0) {
			sqlite3_reset(statement);
			return err_prefix(err, "reading sessions");
		}
	}
	return step;
}

static int list_links(struct connection *connection, struct arena *arena,
	struct credential_set *set, struct err *err)
{
	int step;
	size_t capacity = 0;
	set->n_links = 0;
	set->links = NULL;
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT digest, token, expires_ns FROM sign_in_link ORDER BY id", err);
	if (!statement)
		return -1;
	while ((step = sql_step(statement, err)) > 0) {
		if (set->n_links == capacity) {
			capacity = capacity ? capacity * 2 : 16;
			struct sign_in_link *more = arena_array(arena, capacity, sizeof *more);
			if (more && set->n_links)
				memcpy(more, set->links, set->n_links * sizeof *more);
			set->links = more;
		}
		struct text digest = sql_blob(statement, 0);
		if (!set->links || arena->failed)
			break;
		if (digest.size != DIGEST_BYTES) { /* none that we made: it opens nothing */
			log_warning("store",
				"a sign-in link has a digest of %zu bytes, not %d: it is passed "
				"over",
				digest.size, DIGEST_BYTES);
			continue;
		}
		struct sign_in_link *link = &set->links[set->n_links++];
		memcpy(link->digest.bytes, digest.data, DIGEST_BYTES);
		link->token = (uint64_t)sql_i64(statement, 1);
		link->expires_at_ns = sql_i64(statement, 2);
	}
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading links") : step;
}

int sessions_list(struct connection *connection, struct arena *arena, struct credential_set *set,
	struct err *err)
{
	return list_sessions(connection, arena, set, err) < 0 ||
			       list_links(connection, arena, set, err) < 0
		       ? -1
		       : 0;
}
