/* SPDX-License-Identifier: Apache-2.0 */
#include "store/alert_ends.h"

int alert_end_join(struct connection *connection, const struct alert *alert, struct err *err)
{
	if (!alert->firing_until_ns && !alert->resolved_ns)
		return 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO alert_end (leaf, firing_until_ns, resolved_ns) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (leaf) DO UPDATE SET"
		" firing_until_ns = max(firing_until_ns, excluded.firing_until_ns),"
		" resolved_ns = max(resolved_ns, excluded.resolved_ns)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)alert->leaf);
	sql_bind_i64(statement, 2, alert->firing_until_ns);
	sql_bind_i64(statement, 3, alert->resolved_ns);
	return sql_run(statement, err);
}

int alert_end_read(struct connection *connection, struct alert *alert, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT firing_until_ns, resolved_ns FROM alert_end WHERE leaf = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)alert->leaf);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	alert->firing_until_ns = sql_i64(statement, 0);
	alert->resolved_ns = sql_i64(statement, 1);
	sqlite3_reset(statement);
	return 0;
}

int alert_end_remove(struct connection *connection, uint64_t leaf, struct err *err)
{
	sqlite3_stmt *statement =
		connection_statement(connection, "DELETE FROM alert_end WHERE leaf = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)leaf);
	return sql_run(statement, err);
}
