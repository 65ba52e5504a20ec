/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spools.h"

/* 1: known, with its number; 0: not known. */
static int read_number(
	struct connection *connection, const struct batch *batch, uint64_t *number, struct err *err)
{
	const struct spool_mark *mark = batch->spool;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT acknowledged FROM spool WHERE cluster = ?1 AND node = ?2 AND id = ?3", err);
	*number = 0;
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, batch->cluster);
	sql_bind_text(statement, 2, mark->node);
	sql_bind_blob(statement, 3, mark->id, sizeof mark->id);
	int found = sql_step(statement, err);
	if (found > 0)
		*number = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return found;
}

static int write_number(struct connection *connection, const struct batch *batch, uint64_t number,
	int64_t now_ns, struct err *err)
{
	const struct spool_mark *mark = batch->spool;
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO spool (cluster, node, id, credential, acknowledged, heard_ns)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET"
		" credential = ?4, acknowledged = ?5, heard_ns = ?6",
		err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, batch->cluster);
	sql_bind_text(statement, 2, mark->node);
	sql_bind_blob(statement, 3, mark->id, sizeof mark->id);
	sql_bind_i64(statement, 4, (int64_t)batch->credential_id);
	sql_bind_i64(statement, 5, (int64_t)number);
	sql_bind_i64(statement, 6, now_ns);
	return sql_run(statement, err);
}

static int answer(struct connection *connection, const struct batch *batch, uint64_t number,
	int64_t now_ns, struct err *err)
{
	struct spool_mark *mark = batch->spool;
	uint64_t settled = mark->next ? mark->next - 1 : 0;
	mark->known = number;
	mark->acknowledged = settled > number ? settled : number;
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
	sqlite3_stmt *statement =
		connection_statement(connection, "DELETE FROM spool WHERE heard_ns < ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, before_ns);
	return sql_run(statement, err);
}
