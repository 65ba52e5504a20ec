/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A query as a condition of SQL, so that what cannot match is never read.
 *
 * The condition lets through at least what the evaluator finds (model/query_eval.h), which has the
 * last word: what rows cannot say is true in it, and under a "not" false. No value is ever part of
 * the text: words, numbers and patterns are bound, patterns as pointers to the tree's own, matched
 * by the evaluator's own code in functions of ours (query_functions.h).
 */

#include "base/arena.h"
#include "base/buf.h"
#include "model/query.h"
#include "store/connection.h"

enum {
	QUERY_SQL_FIRST = 10, /* number of the first parameter: below are the statement's own */
	QUERY_SQL_BINDINGS_MAX = 4 * QUERY_TERMS_MAX
};

struct query_binding {
	enum { BINDING_NUMBER, BINDING_TEXT, BINDING_BLOB, BINDING_POINTER } kind;
	int64_t number;
	struct text text;
	const void *pointer;
};

struct query_sql {
	struct buf text; /* of alerts: about "alert a"; of incidents: "incident i", "piece p", "key
			    k" */
	struct query_binding bindings[QUERY_SQL_BINDINGS_MAX];
	size_t n_bindings;
	struct arena *arena;
};

/**
 * Compiles @query. What it refers to is the query's and @arena's, and must outlive its statements.
 * @query NULL: the condition "1". End it with query_sql_done, after a failure too.
 */
CHECKED int query_sql_init(struct query_sql *sql, struct connection *connection,
	const struct query *query, struct arena *arena, struct err *err);
void query_sql_done(struct query_sql *sql);

/**
 * A statement of its own: @head, the condition in parentheses, @tail; its parameters are bound, the
 * caller's below QUERY_SQL_FIRST are not. Finalise it (query_statement_auto). NULL with *err set.
 */
sqlite3_stmt *query_sql_prepare(struct connection *connection, const struct query_sql *sql,
	const char *head, const char *tail, struct err *err);

static inline void query_sql_done_auto(struct query_sql *sql)
{
	query_sql_done(sql);
}

static inline void query_statement_auto(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}
