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

static void read_sum(sqlite3_stmt *statement, struct arena *arena, struct shed_sum *out)
{
	*out = (struct shed_sum){.source = (enum source)sql_i64(statement, 0),
		.cluster = arena_copy(arena, sql_text(statement, 1)),
		.node = arena_copy(arena, sql_text(statement, 2)),
		.severity = arena_copy(arena, sql_text(statement, 3)),
		.rule = arena_copy(arena, sql_text(statement, 4)),
		.from_ns = sql_i64(statement, 5),
		.until_ns = sql_i64(statement, 6),
		.n = (uint64_t)sql_i64(statement, 7),
		.bytes = (uint64_t)sql_i64(statement, 8),
		.n_leaves = (uint64_t)sql_i64(statement, 9)};
}

/* total() and not sum(): numbers of a peer may be such that sum() fails. What is too large for 63
 * bits becomes the largest that is not. */
int sheds_list(struct connection *connection, const struct coverage_filter *filter,
	struct arena *arena, struct shed_list *out, struct err *err)
{
	int step;
	*out = (struct shed_list){.items = arena_array(arena, SHEDS_MAX, sizeof *out->items)};
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT o.source, o.cluster, s.node, s.severity, s.rule, min(s.from_ns),"
		" max(s.until_ns), CAST(total(s.n) AS INTEGER), CAST(total(s.bytes) AS INTEGER),"
		" count(*) FROM shed s JOIN origin o ON o.id = s.origin"
		" WHERE (?1 = '' OR o.cluster = ?1) AND (?2 = '' OR s.node = ?2)"
		" AND (?3 = 0 OR o.source = ?3) AND s.until_ns >= ?4 AND s.from_ns <= ?5"
		" GROUP BY o.source, o.cluster, s.node, s.severity, s.rule"
		" ORDER BY 8 DESC, 2, 3, 1, 4, 5",
		err);
	if (!statement)
		return -1;
	coverage_filter_bind(statement, filter);
	sql_bind_i64(statement, 4, filter->from_ns);
	sql_bind_i64(statement, 5, filter->until_ns);
	while ((step = sql_step(statement, err)) > 0 && !arena->failed) {
		out->is_cut = out->n == SHEDS_MAX;
		if (out->is_cut)
			break;
		read_sum(statement, arena, &out->items[out->n++]);
	}
	sqlite3_reset(statement);
	if (step < 0)
		return -1;
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading what was shed") : 0;
}
