/* SPDX-License-Identifier: Apache-2.0 */
#include "store/connection.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/table.h"
#include "store/frames.h"
#include "store/migrations.h"
#include "store/wal_gather.h"

enum { STATEMENTS_MAX = 256, STATEMENT_PLACES = 1024 };

struct cached_statement {
	const char *sql;
	sqlite3_stmt *statement;
};

/* By the address of the literal; open addressing, a quarter full at most. */
struct statement_cache {
	struct cached_statement places[STATEMENT_PLACES];
	size_t n;
};

static struct cached_statement *place_of(struct statement_cache *cache, const char *sql)
{
	uint64_t hash = (uint64_t)(uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(hash >> 54);
	while (cache->places[at].sql && cache->places[at].sql != sql)
		at = (at + 1) % STATEMENT_PLACES;
	return &cache->places[at];
}

int connection_error(sqlite3 *db, int code, struct err *err)
{
	enum err_kind kind = ERR_IO;
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		kind = ERR_MEMORY;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		kind = ERR_BUSY;
		break;
	case SQLITE_INTERRUPT:
		return err_set(err, ERR_BUSY,
			"reading this takes too long: ask for less time, as last<2h, or a smaller "
			"limit");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR:
	case SQLITE_CONSTRAINT:
		kind = ERR_CORRUPT;
		break;
	case SQLITE_FULL:
		kind = ERR_FULL;
		break;
	default:
		break;
	}
	return err_set(err, kind, "database: %s (SQLite code %d)",
		db ? sqlite3_errmsg(db) : sqlite3_errstr(code), code);
}

int connection_run(struct connection *connection, const char *sql, struct err *err)
{
	int code = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : connection_error(connection->db, code, err);
}

static int configure(struct connection *connection, struct err *err)
{
	sqlite3_extended_result_codes(connection->db, 1);
	sqlite3_busy_timeout(connection->db, connection->mode == CONNECTION_CHECKPOINT
						     ? CONNECTION_CHECKPOINT_BUSY_MS
						     : CONNECTION_BUSY_MS);
	sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(connection->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(connection->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
		connection->mode != CONNECTION_WRITE, NULL);
	if (connection->mode == CONNECTION_READ)
		return connection_run(connection,
			"PRAGMA query_only=ON; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY",
			err);
	if (connection->mode == CONNECTION_SHADOW)
		return connection_run(
			connection, "PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY", err);
	if (connection->mode == CONNECTION_CHECKPOINT)
		return connection_run(
			connection, "PRAGMA cache_size=-256; PRAGMA synchronous=FULL", err);
	if (connection_run(connection,
		    "PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA "
		    "journal_mode=WAL;"
		    "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA "
		    "journal_size_limit=134217728; PRAGMA cache_size=-16384;"
		    "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA "
		    "secure_delete=FAST",
		    err) < 0)
		return -1;
	return migrations_run(connection, err);
}

static void set_up(void)
{
	/* Refused where somebody was first, as tests are with a VFS of theirs: then it is slower.
	 */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

void connection_set_up_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, set_up);
}

int connection_open(struct connection *connection, const char *path, enum connection_mode mode,
	const char *vfs, struct err *err)
{
	int flags = SQLITE_OPEN_NOMUTEX |
		    (mode == CONNECTION_SHADOW ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	if (mode == CONNECTION_WRITE)
		flags |= SQLITE_OPEN_CREATE;
	connection_set_up_library();
	*connection = (struct connection){.mode = mode};
	connection->statements = calloc(1, sizeof *connection->statements);
	if (!connection->statements)
		return err_set(err, ERR_MEMORY, "database %s: out of memory", path);
	const char *gathered = mode == CONNECTION_WRITE ? wal_gather_over(vfs) : NULL;
	int code = sqlite3_open_v2(path, &connection->db, flags, gathered ? gathered : vfs);
	if (code != SQLITE_OK)
		connection_error(connection->db, code, err);
	if (code != SQLITE_OK || configure(connection, err) < 0) {
		connection_close(connection);
		return err_prefix(err, "opening %s", path);
	}
	return 0;
}

void connection_close(struct connection *connection)
{
	for (size_t i = 0; connection->statements && i < STATEMENT_PLACES; i++)
		sqlite3_finalize(connection->statements->places[i].statement);
	free(connection->statements);
	frames_free(connection->frames);
	cache_free(connection->slots);
	cache_free(connection->contents);
	sqlite3_close_v2(connection->db);
	*connection = (struct connection){0};
}

sqlite3_stmt *connection_statement(struct connection *connection, const char *sql, struct err *err)
{
	struct statement_cache *cache = connection->statements;
	struct cached_statement *place = place_of(cache, sql);
	if (place->sql) {
		sqlite3_reset(place->statement);
		sqlite3_clear_bindings(place->statement);
		return place->statement;
	}
	if (cache->n == STATEMENTS_MAX) {
		err_set(err, ERR_LIMIT, "database: more than %d statements", STATEMENTS_MAX);
		return NULL;
	}
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v3(
		connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
	if (code != SQLITE_OK) {
		connection_error(connection->db, code, err);
		return NULL;
	}
	*place = (struct cached_statement){sql, statement};
	cache->n++;
	return statement;
}

void sql_bind_i64(sqlite3_stmt *statement, int at, int64_t value)
{
	sqlite3_bind_int64(statement, at, value);
}

void sql_bind_text(sqlite3_stmt *statement, int at, struct text text)
{
	sqlite3_bind_text64(
		statement, at, text.data ? text.data : "", text.size, SQLITE_STATIC, SQLITE_UTF8);
}

void sql_bind_text_or_null(sqlite3_stmt *statement, int at, struct text text)
{
	if (text.size)
		sql_bind_text(statement, at, text);
	else
		sqlite3_bind_null(statement, at);
}

void sql_bind_blob(sqlite3_stmt *statement, int at, const void *bytes, size_t size)
{
	sqlite3_bind_blob64(statement, at, size ? bytes : "", size, SQLITE_STATIC);
}

void sql_bind_null(sqlite3_stmt *statement, int at)
{
	sqlite3_bind_null(statement, at);
}

int sql_step(sqlite3_stmt *statement, struct err *err)
{
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return 1;
	if (code == SQLITE_DONE) {
		sqlite3_reset(statement);
		return 0;
	}
	connection_error(sqlite3_db_handle(statement), code, err);
	sqlite3_reset(statement);
	return -1;
}

int sql_run(sqlite3_stmt *statement, struct err *err)
{
	for (;;) {
		int step = sql_step(statement, err);
		if (step <= 0)
			return step;
	}
}

int64_t sql_i64(sqlite3_stmt *statement, int at)
{
	return sqlite3_column_int64(statement, at);
}

struct text sql_text(sqlite3_stmt *statement, int at)
{
	const char *data = (const char *)sqlite3_column_text(statement, at);
	return (struct text){data, data ? (size_t)sqlite3_column_bytes(statement, at) : 0};
}

struct text sql_blob(sqlite3_stmt *statement, int at)
{
	const char *data = sqlite3_column_blob(statement, at);
	return (struct text){data, data ? (size_t)sqlite3_column_bytes(statement, at) : 0};
}

bool sql_is_null(sqlite3_stmt *statement, int at)
{
	return sqlite3_column_type(statement, at) == SQLITE_NULL;
}
