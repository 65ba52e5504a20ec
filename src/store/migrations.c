/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrations.h"

#include "schema_sql.h"

static int get_pragma(struct connection *connection, const char *sql, int64_t *out, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement || sql_step(statement, err) < 0)
		return -1;
	*out = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

static int run_one(struct connection *connection, int number, const char *sql, struct err *err)
{
	char version[64];
	text_format(version, sizeof version, "PRAGMA user_version=%d", number);
	if (connection_run(connection, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	if (connection_run(connection, sql, err) < 0 ||
		connection_run(connection, version, err) < 0 ||
		connection_run(connection, "COMMIT", err) < 0) {
		struct err rollback;
		ignore(connection_run(
			connection, "ROLLBACK", &rollback)); /* the first error counts */
		return err_prefix(err, "migration %d", number);
	}
	return 0;
}

int migrations_newest(void)
{
	return (int)(sizeof schema_sql / sizeof schema_sql[0]);
}

int migrations_run(struct connection *connection, struct err *err)
{
	int64_t version, application;
	char mark[64];
	if (get_pragma(connection, "PRAGMA user_version", &version, err) < 0 ||
		get_pragma(connection, "PRAGMA application_id", &application, err) < 0)
		return -1;
	if (version > migrations_newest())
		return err_set(err, ERR_INPUT,
			"this database has layout %lld, this program knows %d: use the newer "
			"program",
			(long long)version, migrations_newest());
	if (version > 0 && application != APPLICATION_ID)
		return err_set(err, ERR_INPUT, "this is a database of another program");
	text_format(mark, sizeof mark, "PRAGMA application_id=%d", APPLICATION_ID);
	if (version == 0 && connection_run(connection, mark, err) < 0)
		return -1;
	for (int i = (int)version; i < migrations_newest(); i++)
		if (run_one(connection, i + 1, schema_sql[i], err) < 0)
			return -1;
	return 0;
}
