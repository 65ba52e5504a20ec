/* SPDX-License-Identifier: Apache-2.0 */
#include "store/recent.h"

int recent_count(struct connection *connection, int64_t since_ns, uint64_t *n, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT count(*) FROM (SELECT received_ns FROM alert ORDER BY leaf DESC LIMIT ?1)"
		" WHERE received_ns >= ?2",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, RECENT_SCANNED_MAX);
	sql_bind_i64(statement, 2, since_ns);
	if (sql_step(statement, err) < 0)
		return -1;
	*n = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}
