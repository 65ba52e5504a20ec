/* SPDX-License-Identifier: Apache-2.0 */
#include "store/incident_ranks.h"

#include "base/cleanup.h"
#include "store/query_sql.h"

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory ranking incidents");
}

/* Numbers by falling risk. */
static int read_ranks(struct connection *connection, const struct incident_filter *filter,
	struct arena *arena, uint64_t *numbers, size_t *n, struct err *err)
{
	AUTO(query_sql_done) struct query_sql condition;
	AUTO(query_statement) sqlite3_stmt *statement = NULL;
	if (query_sql_init(&condition, connection, filter->query, arena, err) < 0)
		return -1;
	statement = query_sql_prepare(connection, &condition,
		"SELECT number FROM (SELECT i.number, p.risk FROM incident i"
		" JOIN piece p ON p.number = i.number JOIN key k ON k.id = p.key"
		" WHERE i.redirect_to IS NULL"
		" AND p.severity >= ?1 AND p.risk >= ?2 AND p.hi >= ?3 AND ",
		" ORDER BY i.number DESC LIMIT ?4) ORDER BY risk DESC, number DESC", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, filter->severity_min);
	sql_bind_i64(statement, 2, filter->risk_min_milli);
	sql_bind_i64(statement, 3, filter->since_ns ? filter->since_ns : INT64_MIN);
	sql_bind_i64(statement, 4, RANKED_MAX);
	int found;
	while ((found = sql_step(statement, err)) > 0)
		numbers[(*n)++] = (uint64_t)sql_i64(statement, 0);
	return found;
}

int incidents_by_risk(struct connection *connection, const struct incident_filter *filter,
	struct incident_page *page, struct err *err)
{
	struct incident **last = &page->first;
	size_t n_ranked = 0, n = 0;
	uint64_t *numbers = arena_array(page->arena, RANKED_MAX, sizeof *numbers);
	page->first = NULL;
	page->next_before = 0;
	if (!numbers)
		return no_memory(err);
	if (read_ranks(connection, filter, page->arena, numbers, &n_ranked, err) < 0)
		return -1;
	for (size_t i = 0; i < n_ranked && n < page->limit; i++) {
		struct arena_mark mark = arena_mark(page->arena);
		struct incident *incident = arena_alloc(page->arena, sizeof *incident);
		if (!incident)
			return no_memory(err);
		if (incident_summary_read(connection, numbers[i], page->arena, incident, err) < 0)
			return -1;
		bool shown;
		if (incident_is_shown(connection, filter, incident, page->arena, &shown, err) < 0)
			return -1;
		if (!shown) {
			arena_back(page->arena, mark);
			continue;
		}
		*last = incident;
		last = &incident->next;
		n++;
	}
	return 0;
}
