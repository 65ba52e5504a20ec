/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One SQLite connection: the writer's, the checkpointer's or a reader's. Owned by one thread.
 *
 * Statements are prepared once per connection and kept; connection_statement finds them by the
 * address of their SQL literal. Everything that reads or writes tables takes a connection, so the
 * writer and the readers use the same functions. sqlite3.h is included in store/ only.
 */

#include <sqlite3.h>

#include "base/err.h"
#include "base/text.h"

enum connection_mode {
	CONNECTION_WRITE,      /* makes the file, runs migrations, synchronous=FULL, WAL */
	CONNECTION_READ,       /* query_only */
	CONNECTION_SHADOW,     /* reads; writes go into tables of its own (store/shadow.h) */
	CONNECTION_CHECKPOINT, /* for wal_checkpoint alone */
};

/* How long a call waits for other connections. A checkpoint that waits holds the writer up: it is
 * tried again soon instead. */
enum { CONNECTION_BUSY_MS = 10000, CONNECTION_CHECKPOINT_BUSY_MS = 50 };

struct connection {
	sqlite3 *db;
	struct statement_cache *statements;
	struct frames *frames;  /* store/frames.h; NULL until a block is read or written */
	struct cache *slots;    /* store/slot_cache.h; NULL until a slot is joined */
	struct cache *contents; /* store/contents.h; NULL until a content id is computed */
	enum connection_mode mode;
	/* of a bounded read: is it time to give what was found? NULL: never */
	bool (*is_late)(void *ctx);
	void *late_ctx;
};

/** Is it? */
static inline bool connection_is_late(const struct connection *connection)
{
	return connection->is_late && connection->is_late(connection->late_ctx);
}

/**
 * Before the first other call of SQLite in a process; done again it does nothing. SQLite then does
 * not count its memory, which nobody asks for: that was a mutex of all threads for each malloc.
 */
void connection_set_up_library(void);

/** @vfs names an SQLite VFS, NULL the default. On failure *connection is closed and empty. */
CHECKED int connection_open(struct connection *connection, const char *path,
	enum connection_mode mode, const char *vfs, struct err *err);
void connection_close(struct connection *connection); /* accepts an empty one */

/**
 * The prepared statement for @sql, reset and with no bindings. @sql must be a string literal.
 * NULL with *err set on failure. Borrowed until connection_close.
 */
sqlite3_stmt *connection_statement(struct connection *connection, const char *sql, struct err *err);

/** Runs @sql (any number of statements, no parameters). */
CHECKED int connection_run(struct connection *connection, const char *sql, struct err *err);

/* Bindings; positions start at 1. Text and blobs must live until the statement is reset. */
void sql_bind_i64(sqlite3_stmt *statement, int at, int64_t value);
void sql_bind_text(sqlite3_stmt *statement, int at, struct text text); /* absent binds '' */
void sql_bind_text_or_null(sqlite3_stmt *statement, int at, struct text text);
void sql_bind_blob(sqlite3_stmt *statement, int at, const void *bytes, size_t size);
void sql_bind_null(sqlite3_stmt *statement, int at);

/** 1: a row is there; 0: done (the statement is reset); -1: *err is set (and it is reset). */
CHECKED int sql_step(sqlite3_stmt *statement, struct err *err);

/** Steps to the end: for statements whose rows do not matter. */
CHECKED int sql_run(sqlite3_stmt *statement, struct err *err);

/* Columns; positions start at 0. Borrowed until the next step. NULL gives 0 or the absent text. */
int64_t sql_i64(sqlite3_stmt *statement, int at);
struct text sql_text(sqlite3_stmt *statement, int at);
struct text sql_blob(sqlite3_stmt *statement, int at);
bool sql_is_null(sqlite3_stmt *statement, int at);

/** Sets *err from SQLite's last error on this connection; returns -1. */
int connection_error(sqlite3 *db, int code, struct err *err);
