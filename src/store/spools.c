/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spools.h"

/* Binds ?1, ?2, ?3. */
static sqlite3_stmt *spool_statement(
	struct connection *connection, const char *sql, const struct batch *batch, struct err *err)
{
	const struct spool_mark *mark = batch->spool;
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return NULL;
	sql_bind_text(statement, 1, batch->cluster);
	sql_bind_text(statement, 2, mark->node);
	sql_bind_blob(statement, 3, mark->id, sizeof mark->id);
	return statement;
}

/* 1: known, with its number; 0: not known. */
static int read_number(
	struct connection *connection, const struct batch *batch, uint64_t *number, struct err *err)
{
	sqlite3_stmt *statement = spool_statement(connection,
		"SELECT acknowledged FROM spool WHERE cluster = ?1 AND node = ?2 AND id = ?3",
		batch, err);
	*number = 0;
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	if (found > 0)
		*number = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return found;
}

/* Of the spool by whatever node's or cluster's name: it may have got another. */
static int read_highest(
	struct connection *connection, const struct batch *batch, uint64_t *number, struct err *err)
{
	sqlite3_stmt *statement = spool_statement(connection,
		"SELECT coalesce(max(acknowledged), 0) FROM spool WHERE id = ?3", batch, err);
	if (!statement || sql_step(statement, err) < 0)
		return -1;
	*number = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

/* Up to when all that had arrived at the node was stored; 0: that is not known. */
static int read_complete(
	struct connection *connection, const struct batch *batch, int64_t *ns, struct err *err)
{
	sqlite3_stmt *statement = spool_statement(connection,
		"SELECT coalesce(min(ns), 0) FROM ("
		"SELECT heard_ns AS ns FROM spool WHERE cluster = ?1 AND node = ?2 AND id = ?3"
		" UNION ALL SELECT oldest_ns FROM agent"
		" WHERE cluster = ?1 AND node = ?2 AND spool = ?3)",
		batch, err);
	if (!statement || sql_step(statement, err) < 0)
		return -1;
	*ns = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

static int write_number(struct connection *connection, const struct batch *batch, uint64_t number,
	int64_t now_ns, struct err *err)
{
	sqlite3_stmt *statement = spool_statement(connection,
		"INSERT INTO spool (cluster, node, id, credential, acknowledged, heard_ns)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET"
		" credential = ?4, acknowledged = ?5, heard_ns = ?6",
		batch, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 4, (int64_t)batch->credential_id);
	sql_bind_i64(statement, 5, (int64_t)number);
	sql_bind_i64(statement, 6, now_ns);
	return sql_run(statement, err);
}

/* What was acknowledged is stored, unless this database is older than that, or another. */
static int find_lack(struct connection *connection, const struct batch *batch, struct err *err)
{
	struct spool_mark *mark = batch->spool;
	uint64_t highest;
	mark->is_lacking = false;
	if (mark->released <= mark->known)
		return 0;
	if (read_highest(connection, batch, &highest, err) < 0)
		return -1;
	mark->is_lacking = mark->released > highest;
	return mark->is_lacking ? read_complete(connection, batch, &mark->lacking_ns, err) : 0;
}

static int answer(struct connection *connection, const struct batch *batch, uint64_t number,
	int64_t now_ns, struct err *err)
{
	struct spool_mark *mark = batch->spool;
	uint64_t settled = mark->next ? mark->next - 1 : 0;
	mark->known = number;
	mark->acknowledged = settled > number ? settled : number;
	if (find_lack(connection, batch, err) < 0)
		return -1;
	return write_number(connection, batch, mark->acknowledged, now_ns, err);
}

int spool_note(
	struct connection *connection, const struct batch *batch, int64_t now_ns, struct err *err)
{
	uint64_t number;
	const struct spool_mark *mark = batch->spool;
	int known = read_number(connection, batch, &number, err);
	if (known < 0)
		return -1;
	if (mark->last == 0)
		return answer(connection, batch, number, now_ns, err);
	uint64_t before = mark->last - batch->n_alerts;
	if (known && number != before)
		return err_set(err, ERR_MISSING,
			"records after %llu of a spool, but it is stored up to %llu",
			(unsigned long long)before, (unsigned long long)number);
	return write_number(connection, batch, mark->last, now_ns, err);
}

int spools_expire(struct connection *connection, int64_t before_ns, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"DELETE FROM spool WHERE heard_ns < ?1 AND NOT EXISTS (SELECT 1 FROM agent a"
		" WHERE a.cluster = spool.cluster AND a.node = spool.node AND a.spool = spool.id"
		" AND a.heard_ns >= ?1)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, before_ns);
	return sql_run(statement, err);
}
