/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sheds.h"

/* Numbers of a peer in a column of 63 bits. */
static int64_t bounded(uint64_t number)
{
	return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

int shed_row_insert(struct connection *connection, const struct alert *alert,
	const struct alert_place *place, struct err *err)
{
	const struct shed *shed = alert->shed;
	sqlite3_stmt *statement = connection_statement(connection,
		"INSERT INTO shed (leaf, received_ns, origin, stream, node, severity, rule,"
		" from_ns, until_ns, n, bytes)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)alert->leaf);
	sql_bind_i64(statement, 2, alert->received_ns);
	sql_bind_i64(statement, 3, place->ids.origin);
	sql_bind_i64(statement, 4, place->stream);
	sql_bind_text(statement, 5, alert->node);
	sql_bind_text(statement, 6, shed->severity);
	sql_bind_text(statement, 7, shed->rule);
	sql_bind_i64(statement, 8, shed->from_ns);
	sql_bind_i64(statement, 9, shed->until_ns);
	sql_bind_i64(statement, 10, bounded(shed->n));
	sql_bind_i64(statement, 11, bounded(shed->bytes));
	return sql_run(statement, err);
}
