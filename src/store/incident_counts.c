/* SPDX-License-Identifier: Apache-2.0 */
#include "store/incident_counts.h"

#include "model/scope.h"

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

/* What the row of one incident says of where it is. */
struct counted {
	struct text cluster, name; /* "namespace/pod" */
	int64_t state, severity;
	bool escalates;
};

/* Pods of one name are one series. */
static void add_pod(
	struct text namespace, struct text pod, struct arena *arena, struct incident_counts *counts)
{
	for (size_t i = 0; i < counts->n_pods; i++)
		if (text_equal(counts->pods[i].namespace, namespace) &&
			text_equal(counts->pods[i].pod, pod))
			return;
	if (counts->n_pods == ESCALATED_PODS_MAX) {
		counts->n_pods_hidden++;
		return;
	}
	counts->pods[counts->n_pods++] =
		(struct escalated_pod){arena_copy(arena, namespace), arena_copy(arena, pod)};
}

static void count_one(const struct counted *row, const struct scope *scope, struct arena *arena,
	struct incident_counts *counts)
{
	struct text pod = row->name, namespace = TEXT_NONE;
	text_split(&pod, '/', &namespace);
	if (!scope_includes(scope, row->cluster, namespace))
		return;
	if (row->state >= 0 && row->state < N_INCIDENT_STATES && row->severity >= 0 &&
		row->severity < N_SEVERITIES)
		counts->n[row->state][row->severity]++;
	if (row->escalates && row->state < INCIDENT_RESOLVED && row->name.size)
		add_pod(namespace, pod, arena, counts);
}

/* Row by row: which namespaces are meant is no matter of SQL. */
static int count_scope(struct connection *connection, const struct scope *scope,
	struct arena *arena, struct incident_counts *counts, struct err *err)
{
	int found;
	int64_t escalation = INT64_C(1) << (tactic_parse(TEXT("privilege-escalation")) - 1);
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT i.state, p.severity, p.tactics, k.text,"
		" (SELECT e.name FROM member m JOIN entity e ON e.id = m.entity"
		"  WHERE m.number = p.number AND e.name IS NOT NULL LIMIT 1)"
		" FROM piece p JOIN incident i ON i.number = p.number JOIN key k ON k.id = p.key"
		" WHERE i.redirect_to IS NULL ORDER BY p.number DESC",
		err);
	if (!statement)
		return -1;
	while ((found = sql_step(statement, err)) > 0) {
		enum entity_kind kind;
		struct counted row = {.name = sql_text(statement, 4),
			.state = sql_i64(statement, 0),
			.severity = sql_i64(statement, 1),
			.escalates = sql_i64(statement, 2) & escalation};
		struct text value;
		if (!entity_key_parse(sql_text(statement, 3), &kind, &row.cluster, &value))
			continue;
		if (kind == ENTITY_POD_NAME && !row.name.size)
			row.name = value;
		count_one(&row, scope, arena, counts);
	}
	return found;
}

int incident_counts_read(struct connection *connection, const struct scope *scope,
	struct arena *arena, struct incident_counts *out, struct err *err)
{
	struct incident_counts counts = {
		.pods = arena_array(arena, ESCALATED_PODS_MAX, sizeof *counts.pods)};
	if (!counts.pods)
		return no_memory(err);
	int failed = scope_is_all(scope) ? read_states(connection, &counts, err) < 0 ||
						   read_pods(connection, arena, &counts, err) < 0
					 : count_scope(connection, scope, arena, &counts, err) < 0;
	if (failed)
		return -1;
	if (arena->failed)
		return no_memory(err);
	*out = counts;
	return 0;
}
