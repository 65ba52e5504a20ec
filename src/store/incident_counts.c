/* SPDX-License-Identifier: Apache-2.0 */
#include "store/incident_counts.h"

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory counting incidents");
}

static int read_states(
	struct connection *connection, struct incident_counts *counts, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT i.state, p.severity, count(*) FROM piece p"
		" JOIN incident i ON i.number = p.number WHERE i.redirect_to IS NULL GROUP BY 1, 2",
		err);
	if (!statement)
		return -1;
	int found;
	while ((found = sql_step(statement, err)) > 0) {
		int64_t state = sql_i64(statement, 0), severity = sql_i64(statement, 1);
		if (state >= 0 && state < N_INCIDENT_STATES && severity >= 0 &&
			severity < N_SEVERITIES)
			counts->n[state][severity] = (uint64_t)sql_i64(statement, 2);
	}
	return found;
}

/* A pod is known by what its alerts call it; two clusters' pods of one name are one series. */
static int read_pods(struct connection *connection, struct arena *arena,
	struct incident_counts *counts, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT e.name FROM piece p JOIN incident i ON i.number = p.number"
		" JOIN member m ON m.number = p.number JOIN entity e ON e.id = m.entity"
		" WHERE p.tactics & ?1 AND i.state < ?2 AND i.redirect_to IS NULL"
		" AND e.name IS NOT NULL GROUP BY e.name ORDER BY max(p.number) DESC, e.name",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, INT64_C(1) << (tactic_parse(TEXT("privilege-escalation")) - 1));
	sql_bind_i64(statement, 2, INCIDENT_RESOLVED);
	int found;
	while ((found = sql_step(statement, err)) > 0) {
		if (counts->n_pods == ESCALATED_PODS_MAX) {
			counts->n_pods_hidden++;
			continue;
		}
		struct escalated_pod *pod = &counts->pods[counts->n_pods++];
		pod->pod = arena_copy(arena, sql_text(statement, 0));
		text_split(&pod->pod, '/', &pod->namespace);
	}
	return found;
}

int incident_counts_read(struct connection *connection, struct arena *arena,
	struct incident_counts *out, struct err *err)
{
	struct incident_counts counts = {
		.pods = arena_array(arena, ESCALATED_PODS_MAX, sizeof *counts.pods)};
	if (!counts.pods)
		return no_memory(err);
	if (read_states(connection, &counts, err) < 0 ||
		read_pods(connection, arena, &counts, err) < 0)
		return -1;
	if (arena->failed)
		return no_memory(err);
	*out = counts;
	return 0;
}
