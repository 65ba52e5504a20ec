/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rules.h"

int rule_name_read(struct connection *connection, int64_t rule, struct arena *arena,
	struct text *name, struct err *err)
{
	*name = TEXT_NONE;
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT name FROM rule WHERE id = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, rule);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	*name = arena_copy(arena, sql_text(statement, 0));
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory for a rule's name") : 0;
}
