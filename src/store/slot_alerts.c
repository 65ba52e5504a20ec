/* SPDX-License-Identifier: Apache-2.0 */
#include "store/slot_alerts.h"

sqlite3_stmt *slot_alerts(struct connection *connection, const char *sql,
	const struct slot_part *part, uint64_t first, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return NULL;
	sql_bind_i64(statement, 1, part->slot);
	sql_bind_i64(statement, 2, part->entity);
	sql_bind_i64(statement, 3, part->from_ns);
	sql_bind_i64(statement, 4, part->to_ns);
	sql_bind_i64(statement, 5, (int64_t)first);
	return statement;
}
