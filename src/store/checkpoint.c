/* SPDX-License-Identifier: Apache-2.0 */
#include "store/checkpoint.h"

static int run(struct connection *connection, const char *sql, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	bool busy = found > 0 && sql_i64(statement, 0) != 0;
	sqlite3_reset(statement);
	return busy ? err_set(err, ERR_BUSY, "database: a reader keeps the log from being emptied")
		    : 0;
}

int checkpoint_run(struct connection *connection, bool restart, struct err *err)
{
	return restart ? run(connection, "PRAGMA wal_checkpoint(RESTART)", err)
		       : run(connection, "PRAGMA wal_checkpoint(PASSIVE)", err);
}

int checkpoint_soon(struct connection *connection, struct err *err)
{
	sqlite3_busy_timeout(connection->db, CONNECTION_CHECKPOINT_BUSY_MS);
	int failed = run(connection, "PRAGMA wal_checkpoint(TRUNCATE)", err);
	sqlite3_busy_timeout(connection->db, CONNECTION_BUSY_MS);
	return failed;
}

int checkpoint_all(struct connection *connection, struct err *err)
{
	return run(connection, "PRAGMA wal_checkpoint(TRUNCATE)", err);
}
