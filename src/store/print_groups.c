/* SPDX-License-Identifier: Apache-2.0 */
#include "store/print_groups.h"

#include <string.h>

#include "base/clock.h"
#include "model/query_eval.h"
#include "model/scope.h"

enum { SCANNED_MAX = 20000 };

#define DAY_NS (86400 * NS_PER_S)

#define GROUPS                                                                                     \
	"SELECT g.fingerprint, g.workload, g.n, g.lo, g.hi, g.leaf, g.severity, f.hash, r.name,"   \
	" s.name, f.exe, f.parent, f.operation, f.resource, w.name, t.tactics"                     \
	" FROM (SELECT fingerprint, workload, sum(n) AS n, min(lo) AS lo, max(hi) AS hi,"          \
	" max(last_leaf) AS leaf, max(severity) AS severity, max(attack) AS attack"                \
	" FROM print_day WHERE day >= ?1 GROUP BY fingerprint, workload) g"                        \
	" JOIN fingerprint f ON f.id = g.fingerprint JOIN rule r ON r.id = f.rule"                 \
	" JOIN sensor s ON s.id = f.sensor LEFT JOIN attack t ON t.id = g.attack"                  \
	" LEFT JOIN workload w ON w.id = g.workload"

/* The first day that counts: what was not seen since then cannot match. Who asks when something
 * began wants to hear of all days. */
static int64_t first_day(const struct query *query)
{
	int64_t low = INT64_MIN, high = INT64_MAX;
	if (!query || query_asks_for(query, FIELD_FIRST))
		return INT64_MIN;
	query_bound(query, FIELD_LAST, &low, &high);
	return low / DAY_NS - (low % DAY_NS < 0);
}

static sqlite3_stmt *begin(struct connection *connection, const struct print_filter *filter,
	const struct print_page *page, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		filter->order == PRINTS_MOST
			? GROUPS " WHERE NOT ?2 OR (g.n, g.fingerprint, g.workload) < (?3, ?4, ?5)"
				 " ORDER BY g.n DESC, g.fingerprint DESC, g.workload DESC"
			: GROUPS " WHERE NOT ?2 OR (g.hi, g.fingerprint, g.workload) < (?3, ?4, ?5)"
				 " ORDER BY g.hi DESC, g.fingerprint DESC, g.workload DESC",
		err);
	if (!statement)
		return NULL;
	sql_bind_i64(statement, 1, first_day(filter->query));
	sql_bind_i64(statement, 2, page->has_after);
	sql_bind_i64(statement, 3, page->after.order);
	sql_bind_i64(statement, 4, page->after.fingerprint);
	sql_bind_i64(statement, 5, page->after.workload);
	return statement;
}

/* "cluster/namespace/name", or "node:cluster/node". */
static void read_place(struct text name, struct alert *like)
{
	struct text rest = name;
	if (text_starts(name, TEXT("node:"))) {
		rest = text_part(name, sizeof "node:" - 1, name.size);
		text_split(&rest, '/', &like->cluster);
		like->node = rest;
		return;
	}
	if (!name.size)
		return;
	text_split(&rest, '/', &like->cluster);
	text_split(&rest, '/', &like->namespace);
	like->workload.name = rest;
}

static void read_group(sqlite3_stmt *statement, const struct print_filter *filter,
	struct arena *arena, struct print_group *group)
{
	struct text hash = sql_blob(statement, 7);
	struct alert *like = &group->like;
	*group = (struct print_group){.fingerprint = sql_i64(statement, 0),
		.workload = sql_i64(statement, 1),
		.n = (uint64_t)sql_i64(statement, 2),
		.first_ns = sql_i64(statement, 3),
		.order = sql_i64(statement, filter->order == PRINTS_MOST ? 2 : 4),
		.like = {
			.time_ns = sql_i64(statement, 4),
			.leaf = (uint64_t)sql_i64(statement, 5),
			.severity = (enum severity)sql_i64(statement, 6),
			.rule = arena_copy(arena, sql_text(statement, 8)),
			.sensor = arena_copy(arena, sql_text(statement, 9)),
			.process = {.exe = arena_copy(arena, sql_text(statement, 10)),
				.parent = arena_copy(arena, sql_text(statement, 11))},
			.operation = arena_copy(arena, sql_text(statement, 12)),
			.resource = arena_copy(arena, sql_text(statement, 13)),
			.tactics = (tactic_mask)sql_i64(statement, 15),
		}};
	if (hash.size == FINGERPRINT_BYTES)
		memcpy(like->fingerprint, hash.data, FINGERPRINT_BYTES);
	read_place(arena_copy(arena, sql_text(statement, 14)), like);
}

static bool is_wanted(const struct print_filter *filter, const struct print_group *group)
{
	const struct alert *like = &group->like;
	return scope_includes(filter->scope, like->cluster, like->namespace) &&
	       (!filter->query || query_has_print(filter->query, group));
}

int print_groups_list(struct connection *connection, const struct print_filter *filter,
	struct print_page *page, struct err *err)
{
	sqlite3_stmt *statement = begin(connection, filter, page, err);
	struct print_group **last = &page->first;
	struct print_position seen = page->after;
	size_t n = 0, scanned = 0;
	int step = -1;
	page->first = NULL;
	page->has_next = false;
	while (statement && (step = sql_step(statement, err)) > 0) {
		if (n == page->limit || scanned++ == SCANNED_MAX) {
			page->has_next = true;
			page->next = seen;
			break;
		}
		struct print_group *group = arena_alloc(page->arena, sizeof *group);
		if (group)
			read_group(statement, filter, page->arena, group);
		if (!group || page->arena->failed) {
			step = err_set(err, ERR_MEMORY, "out of memory listing fingerprints");
			break;
		}
		seen = (struct print_position){group->order, group->fingerprint, group->workload};
		if (!is_wanted(filter, group))
			continue;
		*last = group;
		last = &group->next;
		n++;
	}
	if (statement)
		sqlite3_reset(statement);
	return step < 0 ? -1 : 0;
}
