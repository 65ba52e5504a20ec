/* SPDX-License-Identifier: Apache-2.0 */
#include "store/alert_sums.h"

#include <string.h>

#include "base/cleanup.h"
#include "model/entity.h"
#include "model/scope.h"
#include "store/alert_filter.h"
#include "store/alert_scan.h"

enum { HEAD_BYTES = 2048, ALERT_ARENA_BYTES = 64 * 1024 * 1024 };

/*
 * What rows say is of two kinds: which alerts match certainly (C), and which may match (M, more).
 * A condition of SQL says M of a query; so M of "not query" is "not C". C is counted by rows, "M
 * and not C" is read alert by alert.
 */
struct summing {
	struct connection *connection;
	struct alert_sums *sums;
	struct alert_scan scan;    /* its bounds; not its statement */
	struct query_sql refused;  /* not C */
	struct query_sql doubtful; /* M and not C */
	int64_t from_ns, to_ns;    /* from <= time < to */
	uint64_t before, first;    /* the step: leaves */
};

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory counting alerts");
}

static bool is_in_scope(const struct summing *run, const struct alert *like)
{
	return scope_includes(run->sums->filter->scope, like->cluster, like->namespace);
}

/* Is what an alert itself says of its namespace needed, where the tuple says nothing? */
static bool needs_names(const struct alert_sums *sums)
{
	return sums->by & SUM_BY_PLACE || !scope_is_all(sums->filter->scope);
}

static int visit(struct summing *run, const struct alert_sum *sum, struct err *err)
{
	return run->sums->visit(run->sums->ctx, sum) ? 0 : no_memory(err);
}

/* One alert by itself. */
static int visit_alert(struct summing *run, uint64_t leaf, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct alert *alert;
	arena_init(&arena, ALERT_ARENA_BYTES);
	if (alert_read_wanted(run->connection, run->sums->filter, leaf, &arena, &alert, err) < 0)
		return -1;
	if (!alert)
		return 0;
	struct alert_sum sum = {alert, 1, alert->time_ns, alert->time_ns};
	return visit(run, &sum, err);
}

/* The columns that are not told apart are 0. */
static void write_head(const struct summing *run, char *out, size_t size)
{
	unsigned by = run->sums->by;
	bool place = by & SUM_BY_PLACE || needs_names(run->sums);
	text_format(out, size,
		"SELECT e.packed, f.hash, r.name, s.name, o.source, i.name, g.severity, g.n, g.lo,"
		" g.hi FROM (SELECT %s AS entity, %s AS fingerprint, %s AS origin, %s AS image,"
		" %s AS apart, max(a.bits & 15) AS severity, count(*) AS n, min(a.time_ns) AS lo,"
		" max(a.time_ns) AS hi FROM alert a WHERE a.leaf < ?1 AND a.leaf >= ?2"
		" AND a.time_ns >= ?3 AND a.time_ns < ?4%s AND NOT ",
		place ? "a.entity" : "0", by & SUM_BY_KIND ? "a.fingerprint" : "0",
		by & SUM_BY_SOURCE ? "a.origin" : "0", by & SUM_BY_IMAGE ? "a.image" : "0",
		by & SUM_BY_SEVERITY ? "a.bits & 15" : "0",
		needs_names(run->sums)
			? " AND a.entity IN (SELECT id FROM entity WHERE name IS NOT NULL)"
			: "");
}

static void bind_step(sqlite3_stmt *statement, const struct summing *run)
{
	sql_bind_i64(statement, 1, (int64_t)run->before);
	sql_bind_i64(statement, 2, (int64_t)run->first);
	sql_bind_i64(statement, 3, run->from_ns);
	sql_bind_i64(statement, 4, run->to_ns);
}

static void read_place(struct text packed, struct alert *like)
{
	struct identity_seen seen;
	if (!packed.size || !identity_seen_unpack(packed, &seen))
		return;
	like->cluster = seen.cluster;
	like->pod_uid = seen.uid;
	like->container_id = seen.container;
	like->node = seen.node;
	like->pod = seen.name;
	text_split(&like->pod, '/', &like->namespace);
}

static int visit_row(struct summing *run, sqlite3_stmt *statement, struct err *err)
{
	struct alert like = {.rule = sql_text(statement, 2),
		.sensor = sql_text(statement, 3),
		.source = (enum source)sql_i64(statement, 4),
		.image = sql_text(statement, 5),
		.severity = (enum severity)sql_i64(statement, 6)};
	struct text hash = sql_blob(statement, 1);
	if (hash.size == FINGERPRINT_BYTES)
		memcpy(like.fingerprint, hash.data, FINGERPRINT_BYTES);
	read_place(sql_blob(statement, 0), &like);
	struct alert_sum sum = {&like, (uint64_t)sql_i64(statement, 7), sql_i64(statement, 8),
		sql_i64(statement, 9)};
	return is_in_scope(run, &like) ? visit(run, &sum, err) : 0;
}

/* Those that match certainly. */
static int count_rows(struct summing *run, struct err *err)
{
	AUTO(query_statement) sqlite3_stmt *statement = NULL;
	char head[HEAD_BYTES];
	int step;
	write_head(run, head, sizeof head);
	statement = query_sql_prepare(run->connection, &run->refused, head,
		" GROUP BY 1, 2, 3, 4, 5) g LEFT JOIN entity e ON e.id = g.entity"
		" LEFT JOIN fingerprint f ON f.id = g.fingerprint LEFT JOIN rule r ON r.id = f.rule"
		" LEFT JOIN sensor s ON s.id = f.sensor LEFT JOIN origin o ON o.id = g.origin"
		" LEFT JOIN image i ON i.id = g.image",
		err);
	if (!statement)
		return -1;
	bind_step(statement, run);
	while ((step = sql_step(statement, err)) > 0)
		if (visit_row(run, statement, err) < 0)
			return -1;
	return step;
}

/* Leaves of a statement, each by itself. *late: the time is over, and not all were looked at. */
static int count_leaves(struct summing *run, const struct query_sql *condition, const char *head,
	bool *late, struct err *err)
{
	AUTO(query_statement)
	sqlite3_stmt *statement = query_sql_prepare(run->connection, condition, head, "", err);
	int step;
	if (!statement)
		return -1;
	bind_step(statement, run);
	while ((step = sql_step(statement, err)) > 0) {
		if (connection_is_late(run->connection)) {
			*late = true;
			return 0;
		}
		if (visit_alert(run, (uint64_t)sql_i64(statement, 0), err) < 0)
			return -1;
	}
	return step;
}

#define LEAVES                                                                                     \
	"SELECT a.leaf FROM alert a WHERE a.leaf < ?1 AND a.leaf >= ?2 AND a.time_ns >= ?3"        \
	" AND a.time_ns < ?4 AND "

static int count_step(struct summing *run, bool *late, struct err *err)
{
	if (count_rows(run, err) < 0 || count_leaves(run, &run->doubtful, LEAVES, late, err) < 0)
		return -1;
	if (*late || !needs_names(run->sums))
		return 0;
	return count_leaves(run, &run->refused,
		LEAVES "a.entity IN (SELECT id FROM entity WHERE name IS NULL) AND NOT ", late,
		err);
}

static struct query_node *node_of(
	struct arena *arena, enum query_node_kind kind, struct query_node *first)
{
	struct query_node *node = arena_alloc(arena, sizeof *node);
	if (node)
		*node = (struct query_node){.kind = kind, .first = first};
	return node;
}

/* A copy of the root, so that it can have another sibling. */
static struct query_node *copy_root(struct arena *arena, const struct query *query)
{
	struct query_node *node = arena_alloc(arena, sizeof *node);
	if (node) {
		*node = *query->root;
		node->next = NULL;
	}
	return node;
}

static int compile(struct summing *run, struct err *err)
{
	struct arena *arena = run->sums->arena;
	const struct query *query = alert_filter_query(run->sums->filter, arena);
	if (!query)
		return no_memory(err);
	struct query_node *inner = copy_root(arena, query), *both = copy_root(arena, query);
	struct query_node *refused = node_of(arena, QUERY_NOT, inner);
	struct query_node *second = node_of(arena, QUERY_NOT, inner);
	struct query_node *doubtful = node_of(arena, QUERY_AND, both);
	if (!inner || !both || !refused || !second || !doubtful)
		return no_memory(err);
	both->next = second;
	struct query not_certain = {QUERY_OF_ALERTS, refused};
	struct query in_doubt = {QUERY_OF_ALERTS, doubtful};
	return query_sql_init(&run->refused, run->connection, &not_certain, arena, err) < 0
		       ? -1
		       : query_sql_init(&run->doubtful, run->connection, &in_doubt, arena, err);
}

/* Only some leaves are wanted: each is read. */
static int count_named(struct summing *run, struct err *err)
{
	const struct alert_filter *filter = run->sums->filter;
	for (size_t i = filter->n_leaves; i > 0; i--) {
		if (i < filter->n_leaves && connection_is_late(run->connection)) {
			run->sums->complete = false;
			run->sums->from_leaf = filter->leaves[i];
			return 0;
		}
		if (visit_alert(run, filter->leaves[i - 1], err) < 0)
			return -1;
	}
	return 0;
}

static int count_all(struct summing *run, struct err *err)
{
	struct alert_sums *sums = run->sums;
	struct alert_scan *scan = &run->scan;
	bool late = false;
	while (scan->before > scan->first && !late) {
		run->before = scan->before;
		run->first = scan->before > ALERT_SCAN_STEP ? scan->before - ALERT_SCAN_STEP : 0;
		run->first = run->first < scan->first ? scan->first : run->first;
		if (count_step(run, &late, err) < 0)
			return -1;
		scan->before = run->first;
		if (scan->before > scan->first && connection_is_late(run->connection))
			late = true;
	}
	sums->complete = !late;
	sums->from_leaf = late ? scan->before : 0;
	return 0;
}

static int sum_up(struct summing *run, struct err *err)
{
	const struct alert_sums *sums = run->sums;
	if (alert_scan_init(&run->scan, run->connection, sums->filter, 0, sums->arena, err) < 0 ||
		alert_scan_skip_to_newest(&run->scan, err) < 0 || compile(run, err) < 0)
		return -1;
	return count_all(run, err);
}

int alert_sums_read(struct connection *connection, struct alert_sums *sums, struct err *err)
{
	const struct alert_filter *filter = sums->filter;
	struct summing *run = arena_alloc(sums->arena, sizeof *run);
	sums->complete = true;
	sums->from_leaf = 0;
	if (!run)
		return no_memory(err);
	run->connection = connection;
	run->sums = sums;
	run->from_ns = filter->since_ns ? filter->since_ns : INT64_MIN;
	run->to_ns = filter->until_ns ? filter->until_ns : INT64_MAX;
	if (filter->leaves)
		return count_named(run, err);
	int failed = sum_up(run, err);
	query_sql_done(&run->refused);
	query_sql_done(&run->doubtful);
	alert_scan_done(&run->scan);
	return failed;
}
