/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "decode/body.h"

#define RECEIVED_NS INT64_C(1795478400000000000) /* 2026-11-24T00:00:00Z */
#define EVENT       "{\"UpdatedTime\":\"2026-11-23T10:00:00.000001Z\",\"HostName\":\"n1\","

static struct batch *batch;
static struct err err;
static char line[4096];

static const struct alert *decode(const char *members)
{
	batch_free(batch);
	batch = batch_new();
	ck_assert_ptr_nonnull(batch);
	batch->source = SOURCE_KUBEARMOR;
	batch->cluster = TEXT("c");
	text_format(line, sizeof line, EVENT "%s}", members);
	ck_assert_msg(body_decode(text_of(line), RECEIVED_NS, batch, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(batch->n_alerts, 1);
	return batch->first;
}

START_TEST(is_sniffed_as_nothing_else)
{
	static const char *const events[] = {
		EVENT "\"Timestamp\":1,\"Severity\":\"7\",\"PolicyName\":\"p\"}",
		"{\"timestamp\":1,\"updatedTime\":\"x\",\"hostName\":\"n1\",\"severity\":\"7\"}",
	};
	static const char *const others[] = {
		"{\"rule\":\"r\",\"output\":\"o\",\"hostname\":\"n\",\"time\":\"t\"}",
		"{\"rule\":\"r\",\"severity\":\"low\",\"node\":\"n\"}",
		"{\"rule\":\"r\",\"message\":\"\\\"HostName\\\" \\\"Timestamp\\\"\"}",
		"{}",
	};
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
		for (size_t j = 0; decoders[j]; j++)
			ck_assert_msg(decoders[j]->sniff(text_of(events[i])) ==
					      (decoders[j] == &decoder_kubearmor),
				"%s: %s", decoders[j]->name, events[i]);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		ck_assert_msg(!decoder_kubearmor.sniff(text_of(others[i])), "%s", others[i]);
}
END_TEST

START_TEST(names_system_calls)
{
	static const struct {
		const char *data, *syscall;
	} cases[] = {
		{"syscall=SYS_OPENAT fd=-100 flags=O_RDONLY", "openat"},
		{"syscall=SYS_EXECVE", "execve"},
		{"lsm=SOCKET_CREATE", ""},
		{"kprobe=tcp_accept domain=AF_INET", ""},
		{"x syscall=SYS_OPENAT", ""},
		{"syscall=SYS_", ""},
		{"syscall=SYS_AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDD",
			"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"},
		{"syscall=SYS_AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDE", ""},
		{"syscall", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char members[256];
		text_format(members, sizeof members, "\"PolicyName\":\"p\",\"Data\":\"%s\"",
			cases[i].data);
		const struct alert *alert = decode(members);
		ck_assert_msg(text_is(alert->syscall, cases[i].syscall), "%s: '%.*s'",
			cases[i].data, TEXT_ARG(alert->syscall));
	}
}
END_TEST

START_TEST(knows_what_founds_an_incident)
{
	static const struct {
		const char *members;
		uint32_t flags;
		const char *rule;
	} cases[] = {
		{"\"PolicyName\":\"p\",\"Action\":\"Audit\"", 0, "p"},
		{"\"PolicyName\":\"p\",\"Action\":\"Block\"", ALERT_PREVENTED, "p"},
		{"\"PolicyName\":\"p\",\"Action\":\"Block\",\"Result\":\"Passed\"", 0, "p"},
		{"\"PolicyName\":\"DefaultPosture\"", ALERT_CONTEXT, "DefaultPosture"},
		{"\"Type\":\"HostLog\",\"PolicyName\":\"p\",\"Action\":\"Block\"", ALERT_CONTEXT,
			"HostLog"},
		{"\"Type\":\"SystemEvent\",\"Operation\":\"AlertThreshold\"", ALERT_CONTEXT,
			"AlertThreshold"},
		{"\"Type\":\"SystemEvent\",\"PolicyName\":\"p\"", 0, "p"},
		{"\"Type\":\"Message\",\"PolicyName\":\"p\"", ALERT_HEALTH, "KubeArmor message"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct alert *alert = decode(cases[i].members);
		ck_assert_msg(alert->flags == cases[i].flags && text_is(alert->rule, cases[i].rule),
			"%s: %x %.*s", cases[i].members, alert->flags, TEXT_ARG(alert->rule));
		bool speaks_of_itself = (cases[i].flags & ALERT_HEALTH) ||
					text_is(alert->operation, "AlertThreshold");
		ck_assert(!alert->health == !speaks_of_itself);
		ck_assert(!alert->health || (alert->health->kind == HEALTH_THROTTLED) ==
						    text_is(alert->operation, "AlertThreshold"));
	}
}
END_TEST

START_TEST(says_root_where_an_old_relay_says_nothing)
{
	ck_assert_int_eq(decode("\"PolicyName\":\"p\",\"HostPID\":7")->process.uid, 0);
	ck_assert_int_eq(decode("\"PolicyName\":\"p\",\"PID\":7,\"UID\":33")->process.uid, 33);
	ck_assert_int_eq(decode("\"PolicyName\":\"p\"")->process.uid, -1);
	ck_assert_int_eq(decode("\"PolicyName\":\"p\",\"PID\":7,\"UID\":\"x\"")->process.uid, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kubearmor");
	TCase *tests = tcase_create("decode");
	tcase_add_test(tests, is_sniffed_as_nothing_else);
	tcase_add_test(tests, names_system_calls);
	tcase_add_test(tests, knows_what_founds_an_incident);
	tcase_add_test(tests, says_root_where_an_old_relay_says_nothing);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	batch_free(batch);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
