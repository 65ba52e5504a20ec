/* SPDX-License-Identifier: Apache-2.0 */
#include "model/query.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/alert.h"
#include "model/incident.h"
#include "model/query_eval.h"

/* 2026-11-24T03:00:00Z */
enum { NOW_S = 1795489200 };

static struct arena arena;
static const struct query_options alerts = {
	.of = QUERY_OF_ALERTS, .now_ns = NOW_S * NS_PER_S, .me = {"ann", 3}};
static const struct query_options incidents = {
	.of = QUERY_OF_INCIDENTS, .now_ns = NOW_S * NS_PER_S, .me = {"ann", 3}};

static const struct query *parsed(const char *text, const struct query_options *options)
{
	struct err err;
	const struct query *query;
	ck_assert_msg(query_parse(text_of(text), options, &arena, &query, &err) == 0, "%s: %s",
		text, err.text);
	return query;
}

static struct alert an_alert(void)
{
	static struct text tags[] = {{"container", 9}, {"mitre_execution", 15}};
	return (struct alert){.leaf = 17,
		.fingerprint = {0xab, 0xcd, 0xef, 0x01},
		.source = SOURCE_FALCO,
		.sensor = TEXT("falco"),
		.time_ns = (NOW_S - 3600) * NS_PER_S,
		.received_ns = (NOW_S - 3500) * NS_PER_S,
		.cluster = TEXT("default"),
		.node = TEXT("node-7"),
		.namespace = TEXT("prod"),
		.pod = TEXT("web-755f25fcf-799fh"),
		.container = TEXT("web"),
		.container_id = TEXT("0123456789ab"),
		.image = TEXT("registry.example/web:1.2"),
		.workload = {.kind = TEXT("Deployment"), .name = TEXT("web")},
		.rule = TEXT("Terminal shell in container"),
		.message = TEXT("A shell was spawned (user=root)"),
		.severity = SEVERITY_HIGH,
		.process = {.name = TEXT("bash"),
			.exe = TEXT("/bin/bash"),
			.cmdline = TEXT("bash -c \"id; cat /etc/shadow\""),
			.parent = TEXT("runc"),
			.user = TEXT("root")},
		.tactics = (tactic_mask)(1U << (tactic_parse(TEXT("execution")) - 1)),
		.techniques = {1059004},
		.n_techniques = 1,
		.tags = {tags, 2},
		.count = 3,
		.flags = ALERT_ATTACK_INFERRED};
}

static struct incident an_incident(void)
{
	static struct incident_rule rules[] = {{.name = {"Terminal shell in container", 27}},
		{.name = {"Read sensitive file", 19}}};
	static struct text sensors[] = {{"falco", 5}, {"tetragon", 8}};
	return (struct incident){.number = 12,
		.title = TEXT("Shell in web"),
		.state = INCIDENT_ACKNOWLEDGED,
		.severity = SEVERITY_CRITICAL,
		.risk_milli = 71234,
		.cluster = TEXT("default"),
		.namespace = TEXT("prod"),
		.pod = TEXT("web-1"),
		.assignee = TEXT("ann"),
		.first_seen_ns = (NOW_S - 7200) * NS_PER_S,
		.last_seen_ns = (NOW_S - 60) * NS_PER_S,
		.n_alerts = 40,
		.tactic_set = (tactic_mask)(1U << (tactic_parse(TEXT("TA0006")) - 1)),
		.rules = rules,
		.n_rules = 2,
		.sensors = {sensors, 2},
		.sealed_ns = 1};
}

START_TEST(test_alerts)
{
	static const struct {
		const char *query;
		bool wanted;
	} rows[] = {
		{"", true},
		{"  ", true},
		{"sev>=high", true},
		{"sev>high", false},
		{"severity:high,critical", true},
		{"severity!=high,critical", false},
		{"sev<critical", true},
		{"sev<=medium", false},
		{"ns:prod", true},
		{"ns:PROD", true},
		{"ns=PROD", false},
		{"ns:pro*", true},
		{"ns=pro*", false},
		{"ns:\"pro\\*\"", false},
		{"ns:*", true},
		{"pod_uid:*", false},
		{"pod_uid:\"\"", true},
		{"-ns:prod", false},
		{"NOT ns:prod", false},
		{"ns:dev OR rule:\"terminal shell*\"", true},
		{"ns:dev AND rule:\"terminal shell*\"", false},
		{"ns:prod (sev:low OR sev:high)", true},
		{"-(ns:prod sev:high)", false},
		{"shell", true},
		{"SHADOW", true},
		{"\"cat /etc\"", true},
		{"cat*shadow", true},
		{"nosuchword", false},
		{"tactic:execution", true},
		{"tactic:TA0002", true},
		{"tactic:exfiltration", false},
		{"technique:T1059", true},
		{"technique:T1059.004", true},
		{"technique:T1611", false},
		{"technique!=T1059", false},
		{"last<2h", true},
		{"last<30m", false},
		{"last>30m", true},
		{"last<1h", false},
		{"last<=1h", true},
		{"time:2026-11-24", true},
		{"time:2026-11-23", false},
		{"time>=2026-11-24T02:00:00Z", true},
		{"time>2026-11-24T02:00:00Z", false},
		{"received>1h received<59m", false},
		{"received<59m", true},
		{"fp:abcdef01", true},
		{"fp:abce", false},
		{"leaf:17", true},
		{"leaf>17", false},
		{"incident:INC-5", true},
		{"incident:4", false},
		{"count>2", true},
		{"source:falco", true},
		{"source:kubearmor", false},
		{"is:attack_inferred", true},
		{"is:health", false},
		{"tag:mitre_*", true},
		{"image:*web:1.2", true},
		{"user:root process:bash parent:runc exe:/bin/bash", true},
		{"cmdline:\"bash -c \\\"id*\"", true},
		{"container:web", true},
		{"container:0123456789ab", true},
		{"wl:web", true},
		{"{alertname=\"Terminal shell in container\",namespace=~\"a|prod\"}", true},
		{"{ namespace !~ \"prod\" }", false},
		{"{severity=~\"high|critical\"}", true},
		{"{pod_uid=\"\", namespace!=\"dev\",}", true},
		{"{namespace=\"PROD\"}", false},
		{"ns=~\"p.*\" ns!~\"d.*\"", true},
		{"rule=~Terminal.*", true},
		{"cmdline=~\".*\\\\wshadow\\\"\"", false},
		{"cmdline=~\".*/\\\\w+\\\"\"", true},
		{"cmdline=~\".*/\\w+\\\"\"", true},
	};
	struct alert alert = an_alert();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(query_has_alert(parsed(rows[i].query, &alerts), &alert, 5) ==
				      rows[i].wanted,
			"%s is not %d", rows[i].query, rows[i].wanted);
}
END_TEST

START_TEST(test_incidents)
{
	static const struct {
		const char *query;
		bool wanted;
	} rows[] = {
		{"sev>=high ns:prod tactic:credential-access -rule:\"Network*\" risk>70 last<2h "
		 "state:open shell",
			true},
		{"state:acknowledged", true},
		{"state:open", true},
		{"state:closed", false},
		{"state:new,resolved", false},
		{"risk:71.2", true},
		{"risk:71", false},
		{"risk>71.234", false},
		{"risk>=71.234", true},
		{"assignee:me", true},
		{"who=me", true},
		{"assignee:none", false},
		{"-assignee:none", true},
		{"verdict:none", true},
		{"verdict:*positive", false},
		{"number:INC-12", true},
		{"number>12", false},
		{"alerts>=40", true},
		{"rule:\"read sens*\"", true},
		{"-rule:\"read sens*\"", false},
		{"sensor:tetragon", true},
		{"is:sealed", true},
		{"is:snoozed", false},
		{"first>1h", true},
		{"resolved<9w", false},
		{"resolved>1s", false},
		{"tactic!=TA0006", false},
		{"\"sensitive\"", true},
	};
	struct incident incident = an_incident();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(query_has_incident(parsed(rows[i].query, &incidents), &incident) ==
				      rows[i].wanted,
			"%s is not %d", rows[i].query, rows[i].wanted);
}
END_TEST

static void check_refusal(const char *text, const struct query_options *options, unsigned place,
	unsigned size, enum err_kind kind)
{
	struct err err;
	const struct query *query;
	ck_assert_msg(query_parse(text_of(text), options, &arena, &query, &err) < 0, "%s", text);
	ck_assert_msg(err.kind == kind && err.place == place && err.place_size == size,
		"'%s': kind %u at %u, %u bytes: %s", text, err.kind, err.place, err.place_size,
		err.text);
}

START_TEST(test_places)
{
	static const struct {
		const char *query;
		unsigned place, size;
	} rows[] = {
		{"ns:prod foo:bar", 8, 3},
		{"risk>70", 0, 4}, /* alerts have none */
		{"sev:hgih", 4, 4},
		{"ns>prod", 2, 1},
		{">=high", 0, 2},
		{"sev:", 0, 4},
		{"sev: high", 0, 4},
		{"a OR", 4, 1},
		{"OR a", 0, 1},
		{"a AND OR b", 6, 1},
		{"a AND", 5, 1},
		{"a (b", 2, 1},
		{"a b)", 3, 1},
		{"a ()", 2, 2},
		{"a -", 3, 1},
		{"a - b", 3, 1},
		{"rule:\"a b", 5, 4},
		{"rule:a\"b\"", 6, 1},
		{"rule:\"a\"b", 8, 1},
		{"time:yesterday", 5, 9},
		{"time:2026-13-01", 5, 10},
		{"technique:T9999", 10, 5},
		{"fp:xyz", 3, 3},
		{"fp:abc", 3, 3},
		{"leaf:-1", 5, 2},
		{"ns=~\"a(b\"", 6, 1},
		{"ns=~a**", 6, 1},
		{"{ns=\"a\"", 0, 7},
		{"{ns:\"a\"}", 3, 1},
		{"{=\"a\"}", 1, 1},
		{"{team=\"a\"}", 1, 4},
		{"{a b}", 1, 1},
		{"x {ns=\"a\" pod=\"b\"}", 2, 8},
		{"ns:a,", 0, 5},
		{"\x01", 0, 1},
		{"a \xff", 2, 1},
		{"\xc3\xbc foo:a", 3, 3},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_refusal(rows[i].query, &alerts, rows[i].place, rows[i].size, ERR_INPUT);
	check_refusal("cmdline:a", &incidents, 0, 7, ERR_INPUT);
	check_refusal("risk:101", &incidents, 5, 3, ERR_INPUT);
	struct query_options nobody = {.of = QUERY_OF_INCIDENTS};
	check_refusal("assignee:me", &nobody, 9, 2, ERR_INPUT);
}
END_TEST

START_TEST(test_limits)
{
	char text[QUERY_BYTES_MAX + 2];
	memset(text, 'a', sizeof text);
	text[QUERY_BYTES_MAX + 1] = '\0';
	check_refusal(text, &alerts, QUERY_BYTES_MAX, 1, ERR_LIMIT);
	text[QUERY_VALUE_MAX] = '\0';
	parsed(text, &alerts);
	text[QUERY_VALUE_MAX] = 'a';
	text[QUERY_VALUE_MAX + 1] = '\0';
	check_refusal(text, &alerts, QUERY_VALUE_MAX, 1, ERR_LIMIT);
	for (unsigned i = 0; i < QUERY_TERMS_MAX + 1; i++)
		memcpy(text + 2 * (size_t)i, "a ", 2);
	text[2 * QUERY_TERMS_MAX] = '\0';
	parsed(text, &alerts);
	text[2 * QUERY_TERMS_MAX] = 'a';
	text[2 * QUERY_TERMS_MAX + 1] = '\0';
	check_refusal(text, &alerts, 2 * QUERY_TERMS_MAX, 1, ERR_LIMIT);
	memset(text, '-', sizeof text);
	text[QUERY_DEPTH_MAX] = 'a';
	text[QUERY_DEPTH_MAX + 1] = '\0';
	parsed(text, &alerts);
	memset(text, '(', QUERY_DEPTH_MAX + 1);
	text[QUERY_DEPTH_MAX + 1] = '\0';
	check_refusal(text, &alerts, QUERY_DEPTH_MAX, 1, ERR_LIMIT);
}
END_TEST

/* Every name and alias is found, in what has it, and nothing is called the same twice. */
START_TEST(test_fields)
{
	unsigned elsewhere;
	for (const struct query_field *field = query_fields; field->name; field++) {
		for (unsigned of = QUERY_OF_INCIDENTS; of <= QUERY_OF_FINGERPRINTS; of *= 2) {
			const char *const names[] = {field->name, field->aliases[0],
				field->aliases[1], field->aliases[2]};
			for (size_t i = 0; i < 4; i++)
				if (names[i] && field->of & of)
					ck_assert_ptr_eq(query_field_find(text_of(names[i]),
								 (enum query_of)of, &elsewhere),
						field);
		}
		ck_assert_uint_ne(strlen(field->text), 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("query");
	TCase *tests = tcase_create("query");
	arena_init(&arena, 64 * 1024 * 1024);
	tcase_add_test(tests, test_alerts);
	tcase_add_test(tests, test_incidents);
	tcase_add_test(tests, test_places);
	tcase_add_test(tests, test_limits);
	tcase_add_test(tests, test_fields);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	arena_done(&arena);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
