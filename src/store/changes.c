/* SPDX-License-Identifier: Apache-2.0 */
#include "store/changes.h"

#include "store/ledger.h"

int incident_changed(struct connection *connection, uint64_t number, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"UPDATE incident SET change_seq = (SELECT max(change_seq) + 1 FROM incident)"
		" WHERE number = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	return sql_run(statement, err);
}

/* One row with one number. */
static int read_number(sqlite3_stmt *statement, uint64_t *out, struct err *err)
{
	if (!statement || sql_step(statement, err) < 0)
		return -1;
	*out = (uint64_t)sql_i64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

int change_position_read(
	struct connection *connection, struct change_position *out, struct err *err)
{
	struct change_position position;
	if (read_number(connection_statement(connection,
				"SELECT coalesce(max(change_seq), 0) FROM incident", err),
		    &position.change_seq, err) < 0 ||
		ledger_count(connection, &position.n_leaves, err) < 0)
		return -1;
	*out = position;
	return 0;
}

int changes_read(struct connection *connection, struct change_page *page, struct err *err)
{
	int step;
	page->n = 0;
	page->items = arena_array(page->arena, page->limit, sizeof *page->items);
	if (!page->items)
		return err_set(err, ERR_MEMORY, "out of memory reading changes");
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT change_seq, number FROM incident WHERE change_seq > ?1"
		" ORDER BY change_seq LIMIT ?2",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)page->after);
	sql_bind_i64(statement, 2, (int64_t)page->limit);
	while ((step = sql_step(statement, err)) > 0)
		page->items[page->n++] = (struct change){
			(uint64_t)sql_i64(statement, 0), (uint64_t)sql_i64(statement, 1)};
	return step;
}

int alert_leaves_read(struct connection *connection, struct alert_leaves *leaves, struct err *err)
{
	int step;
	leaves->n = 0;
	leaves->items = arena_array(leaves->arena, leaves->limit, sizeof *leaves->items);
	if (!leaves->items)
		return err_set(err, ERR_MEMORY, "out of memory reading leaves");
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT leaf FROM alert WHERE leaf >= ?1 AND leaf < ?2 ORDER BY leaf LIMIT ?3",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)leaves->from);
	sql_bind_i64(statement, 2, (int64_t)leaves->to);
	sql_bind_i64(statement, 3, (int64_t)leaves->limit);
	while ((step = sql_step(statement, err)) > 0)
		leaves->items[leaves->n++] = (uint64_t)sql_i64(statement, 0);
	return step;
}

int first_leaf_read(struct connection *connection, uint64_t *leaf, struct err *err)
{
	return read_number(connection_statement(connection,
				   "SELECT coalesce(min(first), 0) FROM ("
				   "SELECT (SELECT min(leaf) FROM alert) AS first"
				   " UNION ALL SELECT (SELECT min(leaf) FROM quarantine))",
				   err),
		leaf, err);
}
