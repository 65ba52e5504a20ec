/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/body.h"

#define RECEIVED_NS INT64_C(1795478400000000000) /* 2026-11-24T00:00:00Z */
#define TIME        "\"time\":\"2026-11-23T10:00:00.000000001Z\",\"node_name\":\"n1\""
#define PROCESS                                                                                    \
	"\"process\":{\"exec_id\":\"e1\",\"pid\":7,\"uid\":0,\"binary\":\"/usr/bin/nsenter\","     \
	"\"arguments\":\"-t 1\",\"docker\":\"0123456789abcdef0123456789abcde\",\"tid\":7,"         \
	"\"pod\":{\"namespace\":\"shop\",\"name\":\"web-755f25fcf-799fh\",\"workload\":\"web\","   \
	"\"workload_kind\":\"Deployment\",\"container\":{\"id\":\"containerd://0123456789abcdef\"" \
	",\"name\":\"app\",\"image\":{\"id\":\"r.io/a@sha256:ff\",\"name\":\"r.io/a:1\"}}}},"      \
	"\"parent\":{\"binary\":\"/bin/bash\",\"docker\":\"0123456789abcdef0123456789abcde\"}"

static struct batch *batch;
static struct err err;
static char line[8192];

static const struct alert *decode(const char *event)
{
	batch_free(batch);
	batch = batch_new();
	ck_assert_ptr_nonnull(batch);
	batch->source = SOURCE_TETRAGON;
	batch->cluster = TEXT("c");
	ck_assert_msg(body_decode(text_of(event), RECEIVED_NS, batch, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(batch->n_alerts, 1);
	return batch->first;
}

/* A kprobe event on setns with more members of its own. */
static const struct alert *kprobe(const char *more)
{
	text_format(line, sizeof line,
		"{\"process_kprobe\":{" PROCESS ",\"function_name\":\"__x64_sys_setns\"%s}," TIME
		"}",
		more);
	return decode(line);
}

/* An exec whose process has these members, and whose parent those. */
static const struct alert *exec(const char *process, const char *parent)
{
	text_format(line, sizeof line,
		"{\"process_exec\":{\"process\":{\"exec_id\":\"e1\",\"binary\":\"/bin/sh\"%s},"
		"\"parent\":{\"binary\":\"/bin/p\"%s}}," TIME "}",
		process, parent);
	return decode(line);
}

static void check_text(struct text is, const char *wanted)
{
	ck_assert_msg(text_is(is, wanted), "'%.*s' is not '%s'", TEXT_ARG(is), wanted);
}

START_TEST(says_where_and_who)
{
	const struct alert *alert =
		kprobe(",\"policy_name\":\"ns\",\"args\":[{\"int_arg\":3},"
		       "{\"string_arg\":\"s\"},{\"file_arg\":{\"path\":\"/p\"}}]");
	check_text(alert->node, "n1");
	check_text(alert->namespace, "shop");
	check_text(alert->pod, "web-755f25fcf-799fh");
	check_text(alert->container_id, "0123456789ab");
	check_text(alert->container, "app");
	check_text(alert->image, "r.io/a:1");
	check_text(alert->image_digest, "sha256:ff");
	check_text(alert->workload.kind, "Deployment");
	check_text(alert->workload.name, "web");
	ck_assert(!alert->workload.inferred);
	check_text(alert->process.exec_id, "e1");
	check_text(alert->process.name, "nsenter");
	check_text(alert->process.cmdline, "/usr/bin/nsenter -t 1");
	check_text(alert->process.parent, "bash");
	ck_assert_int_eq(alert->process.pid, 7);
	ck_assert_int_eq(alert->process.uid, 0);
	check_text(alert->rule, "ns");
	check_text(alert->operation, "setns");
	check_text(alert->syscall, "setns");
	check_text(alert->resource, "/p");
	check_text(alert->sensor, "tetragon");
	check_text(alert->cluster, "c");
}
END_TEST

START_TEST(shortens_a_cut_container_id)
{
	check_text(exec(",\"docker\":\"0123456789abcdef0123456789abcde\"", "")->container_id,
		"0123456789ab");
	ck_assert_uint_eq(exec("", "")->container_id.size, 0);
}
END_TEST

START_TEST(tells_alerts_from_telemetry)
{
	const struct {
		const char *more;
		enum severity severity;
		bool context;
	} cases[] = {
		{",\"policy_name\":\"p\"", SEVERITY_INFO, true},
		{",\"action\":\"KPROBE_ACTION_POST\"", SEVERITY_INFO, true},
		{",\"tags\":[\"observability.process\"]", SEVERITY_INFO, true},
		{",\"message\":\"\"", SEVERITY_INFO, true},
		{",\"message\":\"m\"", SEVERITY_MEDIUM, false},
		{",\"tags\":[\"observability.process\",\"attack.t1611\"]", SEVERITY_MEDIUM, false},
		{",\"tags\":[\"mine\"]", SEVERITY_MEDIUM, false},
		{",\"action\":\"KPROBE_ACTION_SIGKILL\"", SEVERITY_HIGH, false},
		{",\"action\":\"KPROBE_ACTION_SIGNAL\"", SEVERITY_HIGH, false},
		{",\"return_action\":\"KPROBE_ACTION_OVERRIDE\"", SEVERITY_HIGH, false},
		{",\"tags\":[\"severity:critical\",\"low\"]", SEVERITY_CRITICAL, false},
		{",\"tags\":[\"Severity.Low\"],\"action\":\"KPROBE_ACTION_SIGKILL\"", SEVERITY_LOW,
			false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct alert *alert = kprobe(cases[i].more);
		ck_assert_msg(alert->severity == cases[i].severity &&
				      alert_is(alert, ALERT_CONTEXT) == cases[i].context,
			"%s: %s", cases[i].more, severity_name(alert->severity));
	}
	ck_assert_uint_eq(kprobe(",\"tags\":[\"attack.t1611\"]")->techniques[0], 1611000);
}
END_TEST

START_TEST(takes_enforcement_for_prevention)
{
	const struct {
		const char *action, *return_action;
		enum alert_action wanted;
	} cases[] = {
		{"POST", "POST", ACTION_OBSERVED},
		{"SIGNAL", "UNKNOWN", ACTION_OBSERVED},
		{"SIGKILL", "POST", ACTION_KILLED},
		{"OVERRIDE", "SIGKILL", ACTION_KILLED},
		{"SIGKILL", "OVERRIDE", ACTION_KILLED},
		{"POST", "OVERRIDE", ACTION_BLOCKED},
		{"NOTIFYENFORCER", "POST", ACTION_BLOCKED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char more[256];
		text_format(more, sizeof more,
			",\"action\":\"KPROBE_ACTION_%s\",\"return_action\":\"KPROBE_ACTION_%s\"",
			cases[i].action, cases[i].return_action);
		const struct alert *alert = kprobe(more);
		ck_assert_int_eq(alert->action, cases[i].wanted);
		ck_assert(alert_is(alert, ALERT_PREVENTED) == (alert->action != ACTION_OBSERVED));
	}
}
END_TEST

#define DOCKER    ",\"docker\":\"0123456789abcdef0123456789abcde\""
#define OUTSIDE   DOCKER ",\"in_init_tree\":false"
#define DELETED   ",\"binary_properties\":{\"file\":{\"inode\":{\"number\":\"5\"}}}"
#define PRIVILEGE ",\"binary_properties\":{\"privileges_changed\":[\"X\"]}"

START_TEST(judges_an_exec)
{
	ck_assert(alert_is(exec("", ""), ALERT_CONTEXT));
	ck_assert(alert_is(exec(DOCKER, ""), ALERT_CONTEXT));
	const struct alert *alert = exec(OUTSIDE, "");
	check_text(alert->rule, "Exec into a running container");
	ck_assert_int_eq(alert->severity, SEVERITY_LOW);
	ck_assert(alert->entered_container && alert_is(alert, ALERT_ATTACK_INFERRED));
	ck_assert_uint_eq(alert->techniques[0], 1609000);
	ck_assert_uint_eq(alert->tactics, 1U << 3);
	/* a child of it, and a probe, are not another one */
	ck_assert(!exec(OUTSIDE, DOCKER)->entered_container);
	alert = exec(OUTSIDE ",\"pod\":{\"container\":{\"maybe_exec_probe\":true}}", "");
	ck_assert(!alert->entered_container && alert_is(alert, ALERT_CONTEXT));
	ck_assert_int_eq(exec(DOCKER DELETED, DOCKER)->severity, SEVERITY_HIGH);
	ck_assert(alert_is(exec(DELETED, ""), ALERT_CONTEXT));
	ck_assert(alert_is(exec(DOCKER DELETED, ",\"binary\":\"/usr/bin/runc\""), ALERT_CONTEXT));
	ck_assert(!alert_is(
		exec(DOCKER DELETED, DOCKER ",\"binary\":\"/usr/bin/runc\""), ALERT_CONTEXT));
	check_text(exec(DOCKER PRIVILEGE, DOCKER)->rule, "Exec that gains privileges");
	ck_assert(alert_is(exec(PRIVILEGE, ""), ALERT_CONTEXT));
}
END_TEST

START_TEST(knows_what_is_of_itself)
{
	const struct alert *alert = decode(
		"{\"rate_limit_info\":{\"number_of_dropped_process_events\":\"12\"}," TIME "}");
	ck_assert(alert_is(alert, ALERT_HEALTH) && alert->health);
	ck_assert_int_eq(alert->health->kind, HEALTH_DROPS);
	ck_assert_int_eq(alert->health->n_drops, 12);
	alert = decode(
		"{\"process_throttle\":{\"type\":\"THROTTLE_START\",\"cgroup\":\"g\"}," TIME "}");
	ck_assert(alert_is(alert, ALERT_HEALTH) && alert->health->n_drops == -1);
	check_text(alert->message, "process_throttle THROTTLE_START g");
}
END_TEST

START_TEST(names_system_calls)
{
	const struct {
		const char *event, *syscall, *operation;
	} cases[] = {
		{"process_kprobe\":{\"function_name\":\"__arm64_sys_write\"", "write", "write"},
		{"process_kprobe\":{\"function_name\":\"security_file_open\"", "",
			"security_file_open"},
		{"process_lsm\":{\"function_name\":\"sys_x\"", "", "sys_x"},
		{"process_tracepoint\":{\"subsys\":\"syscalls\",\"event\":\"sys_enter_openat\"",
			"openat", "openat"},
		{"process_tracepoint\":{\"subsys\":\"sched\",\"event\":\"sys_enter_openat\"", "",
			"sys_enter_openat"},
		{"process_uprobe\":{\"path\":\"/l.so\",\"symbol\":\"f\"", "", "f"},
		{"process_usdt\":{\"provider\":\"pg\",\"name\":\"q\"", "", "pg:q"},
		{"process_exec\":{\"x\":1", "", "execve"},
		{"process_exit\":{\"signal\":\"SIGKILL\"", "", "exit"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		text_format(line, sizeof line, "{\"%s," PROCESS "}," TIME "}", cases[i].event);
		const struct alert *alert = decode(line);
		check_text(alert->syscall, cases[i].syscall);
		check_text(alert->operation, cases[i].operation);
	}
}
END_TEST

START_TEST(names_what_is_acted_on)
{
	const struct {
		const char *argument, *wanted;
	} cases[] = {
		{"{\"string_arg\":\"a\"},{\"string_arg\":\"b\"}", "a"},
		{"{\"string_arg\":\"a\"},{\"path_arg\":{\"path\":\"/p\"}}", "/p"},
		{"{\"path_arg\":{\"path\":\"\"}},{\"string_arg\":\"a\"}", "a"},
		{"{\"sock_arg\":{\"saddr\":\"10.0.0.1\",\"sport\":5,\"daddr\":\"1.2.3.4\","
		 "\"dport\":"
		 "443}}",
			"10.0.0.1:5->1.2.3.4:443"},
		{"{\"sockaddr_arg\":{\"addr\":\"::1\",\"port\":\"80\"}}", "::1:80"},
		{"{\"capability_arg\":{\"value\":21,\"name\":\"CAP_SYS_ADMIN\"}}", "CAP_SYS_ADMIN"},
		{"{\"bpf_attr_arg\":{\"ProgType\":\"x\",\"ProgName\":\"evil\"}}", "evil"},
		{"{\"int_arg\":3},{\"bytes_arg\":\"YQ==\",\"label\":\"l\"}", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char more[512];
		text_format(more, sizeof more, ",\"args\":[%s]", cases[i].argument);
		check_text(kprobe(more)->resource, cases[i].wanted);
	}
}
END_TEST

START_TEST(takes_the_best_time_there_is)
{
	const char *const started = ",\"start_time\":\"2026-11-23T09:00:00Z\"";
	ck_assert(!alert_is(exec(started, ""), ALERT_TIME_UNTRUSTED));
	text_format(line, sizeof line,
		"{\"process_exec\":{\"process\":{\"exec_id\":\"e\"%s}},\"time\":7}", started);
	ck_assert_int_eq(decode(line)->time_ns, INT64_C(1795424400000000000));
	text_format(line, sizeof line, "{\"process_kprobe\":{\"process\":{\"exec_id\":\"e\"%s}}}",
		started);
	ck_assert(alert_is(decode(line), ALERT_TIME_UNTRUSTED));
}
END_TEST

static bool same_id(const char *a, const char *b)
{
	unsigned char id[OCCURRENCE_BYTES];
	memcpy(id, decode(a)->occ, sizeof id);
	return memcmp(id, decode(b)->occ, sizeof id) == 0;
}

#define KPROBE(members, top) "{\"process_kprobe\":{" members "},\"node_name\":\"n\"" top "}"
#define ONE                                                                                        \
	"\"process\":{\"exec_id\":\"e\",\"tid\":1},\"function_name\":\"f\",\"policy_name\":\"p\""
#define AT ",\"time\":\"2026-11-23T10:00:00.000000001Z\""

START_TEST(identifies_by_what_no_road_changes)
{
	const char *event = KPROBE(ONE, AT);
	ck_assert(same_id(event, "{ \"time\" : \"2026-11-23T10:00:00.000000001Z\", "
				 "\"node_name\":\"n\",\"cluster_name\":\"x\","
				 "\"process_kprobe\":{\"policy_name\":\"p\",\"function_name\":"
				 "\"f\",\"message\":\"\","
				 "\"process\":{\"refcnt\":9,\"tid\":\"1\",\"pod\":{\"name\":"
				 "\"late\"},\"exec_id\":\"e\"}}}"));
	ck_assert(!same_id(event, KPROBE(ONE, ",\"time\":\"2026-11-23T10:00:00.000000002Z\"")));
	ck_assert(!same_id(event, KPROBE(ONE ",\"action\":\"KPROBE_ACTION_SIGKILL\"", AT)));
	ck_assert(!same_id(event, KPROBE(ONE ",\"new_in_v9\":\"x\"", AT)));
	ck_assert(!same_id(KPROBE(ONE ",\"a\":\"bc\"", AT), KPROBE(ONE ",\"ab\":\"c\"", AT)));
	ck_assert(!same_id(event, "{\"process_lsm\":{" ONE "},\"node_name\":\"n\"" AT "}"));
	/* zeros may be written or left out */
	ck_assert(same_id(event, KPROBE(ONE ",\"status\":0,\"x\":false,\"y\":\"\"", AT)));
	ck_assert(!same_id(event, KPROBE(ONE ",\"status\":1", AT)));
	/* without a time: all bytes, but an exec is known by its exec_id */
	ck_assert(!same_id(KPROBE(ONE, ""), KPROBE(ONE, " ")));
	ck_assert(same_id("{\"process_exit\":{\"process\":{\"exec_id\":\"e\"}}}",
		"{\"process_exit\" :{\"process\":{\"exec_id\":\"e\"}}}"));
}
END_TEST

static void check_quarantined(const char *event, const char *why)
{
	const struct alert *alert = decode(event);
	ck_assert_int_eq(alert->kind, LEAF_QUARANTINED);
	ck_assert_msg(text_find(alert->quarantine_reason, text_of(why), 0) != SIZE_MAX, "'%.*s'",
		TEXT_ARG(alert->quarantine_reason));
}

START_TEST(quarantines_what_is_no_event)
{
	check_quarantined("{}", "no event of Tetragon's");
	check_quarantined("{\"process_exec\":\"x\"," TIME "}", "no event of Tetragon's");
	check_quarantined("{\"process_Nope\":{" PROCESS "}}", "no event of Tetragon's");
	check_quarantined("{\"process_exec\":{}," TIME "}", "no process");
	check_quarantined(
		"{\"process_exec\":{" PROCESS "},\"process_exit\":{" PROCESS "}}", "more than one");
	check_quarantined(
		"{\"process_exec\":{" PROCESS "},\"process_exec\":{" PROCESS "}}", "more than one");
}
END_TEST

/* As many plain members as the limit has, or one more. */
static const struct alert *with_members(unsigned n)
{
	size_t at = text_format(line, sizeof line, "{\"process_kprobe\":{" PROCESS);
	for (unsigned i = 0; i < n; i++)
		at += text_format(line + at, sizeof line - at, ",\"m%u\":1", i);
	text_format(line + at, sizeof line - at, "}}");
	return decode(line);
}

START_TEST(has_a_limit_of_members)
{
	ck_assert_int_eq(with_members(32)->kind, LEAF_ALERT);
	ck_assert_int_eq(with_members(33)->kind, LEAF_QUARANTINED);
}
END_TEST

START_TEST(keeps_events_it_does_not_know)
{
	const struct alert *alert = decode(
		"{\"process_connect\":{" PROCESS ",\"destination_ip\":\"1.2.3.4\"}," TIME "}");
	ck_assert(alert_is(alert, ALERT_CONTEXT));
	check_text(alert->rule, "process_connect");
	check_text(alert->operation, "connect");
	check_text(alert->pod, "web-755f25fcf-799fh");
}
END_TEST

START_TEST(sniffs_what_is_its_own)
{
	kprobe("");
	const struct text event = text_of(line);
	for (size_t i = 0; decoders[i]; i++)
		ck_assert(decoders[i]->sniff(event) == (decoders[i] == &decoder_tetragon));
	ck_assert(decoder_tetragon.sniff(TEXT("{\"rate_limit_info\":{}}")));
	ck_assert(!decoder_tetragon.sniff(
		TEXT("{\"rule\":\"r\",\"severity\":\"low\",\"process\":{\"exec_id\":\"e\"}}")));
	ck_assert(!decoder_tetragon.sniff(TEXT("process_exec exec_id")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tetragon");
	TCase *tests = tcase_create("tetragon");
	tcase_add_test(tests, says_where_and_who);
	tcase_add_test(tests, shortens_a_cut_container_id);
	tcase_add_test(tests, tells_alerts_from_telemetry);
	tcase_add_test(tests, takes_enforcement_for_prevention);
	tcase_add_test(tests, judges_an_exec);
	tcase_add_test(tests, knows_what_is_of_itself);
	tcase_add_test(tests, names_system_calls);
	tcase_add_test(tests, names_what_is_acted_on);
	tcase_add_test(tests, takes_the_best_time_there_is);
	tcase_add_test(tests, identifies_by_what_no_road_changes);
	tcase_add_test(tests, quarantines_what_is_no_event);
	tcase_add_test(tests, has_a_limit_of_members);
	tcase_add_test(tests, keeps_events_it_does_not_know);
	tcase_add_test(tests, sniffs_what_is_its_own);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	batch_free(batch);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
