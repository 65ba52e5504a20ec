/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "decode/falco_event.h"
#include "decode/fingerprint.h"
#include "model/workload.h"

static const struct {
	const char *resource, *pattern;
} cases[] = {
	{"", ""},
	{"/etc/shadow", "/etc/shadow"},
	{"/proc/4711/environ", "/proc/#/environ"},
	{"/dev/pts/12", "/dev/pts/#"},
	{"/tmp/tmp.Ab3dEf9xYz", "/tmp/tmp*"},
	{"/tmp/tmpa1b2c3d4/x", "/tmp/tmp*/x"},
	{"/tmp/tmpfile-of-mine", "/tmp/tmpfile-of-mine"},
	{"/var/lib/kubelet/pods/fd6875b8-0d84-4508-b37e-cf9d486e83f9/x",
		"/var/lib/kubelet/pods/U/x"},
	{"/run/1a1ce85b962d0011/x", "/run/H/x"},
	{"/opt/python3.11/lib", "/opt/python#.#/lib"},
	{"10.1.0.5:43812->10.96.0.1:443", "10.1.0.5:#->10.96.0.1:443"},
	{"fe80::1:43812->fe80::2:443", "fe80::1:#->fe80::2:443"},
	{"192.0.2.7", "192.0.2.7"},
	{"1.2.3", "#.#.#"},
	{"12:34:56", "#:#:#"},
};

START_TEST(replaces_what_changes)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char out[256];
		size_t n = resource_pattern(text_of(cases[i].resource), out, sizeof out);
		ck_assert_msg(text_is((struct text){out, n}, cases[i].pattern), "%s: %.*s",
			cases[i].resource, (int)n, out);
	}
}
END_TEST

START_TEST(stops_at_its_limit)
{
	char out[8], long_text[64];
	memset(long_text, 'x', sizeof long_text);
	struct text text = {long_text, sizeof long_text};
	ck_assert_uint_eq(resource_pattern(text, out, sizeof out), sizeof out);
}
END_TEST

START_TEST(changes_with_what_it_covers)
{
	struct alert a = {.sensor = TEXT("falco"), .rule = TEXT("r"), .operation = TEXT("open")};
	struct alert b = a, c = a;
	b.operation = TEXT("openat"); /* does the same */
	b.process.pid = 7;
	b.pod = TEXT("p");
	c.rule = TEXT("s");
	alert_fingerprint(&a);
	alert_fingerprint(&b);
	alert_fingerprint(&c);
	ck_assert_mem_eq(a.fingerprint, b.fingerprint, FINGERPRINT_BYTES);
	ck_assert_mem_ne(a.fingerprint, c.fingerprint, FINGERPRINT_BYTES);
}
END_TEST

START_TEST(guesses_workloads)
{
	struct workload web = workload_guess(TEXT("web-755f25fcf-799fh"));
	ck_assert(text_is(web.name, "web") && text_is(web.kind, "Deployment") && web.inferred);
	struct workload falco = workload_guess(TEXT("falco-x7k2q"));
	ck_assert(text_is(falco.name, "falco") && !falco.kind.size && falco.inferred);
	ck_assert(!workload_guess(TEXT("redis-cache")).name.size);
	ck_assert(!workload_guess(TEXT("db-0")).name.size);
	ck_assert(!workload_guess(TEXT("-x7k2q")).name.size);
	ck_assert(!workload_guess(TEXT("")).name.size);
}
END_TEST

/* Each name finds itself: the table is in the order that the search needs. */
START_TEST(finds_every_field)
{
	for (unsigned i = 0; i < N_FALCO_FIELDS; i++)
		ck_assert_msg(falco_field_find(text_of(falco_field_name((enum falco_field)i))) == i,
			"%s", falco_field_name((enum falco_field)i));
	ck_assert_uint_eq(falco_field_find(TEXT("fd.name ")), N_FALCO_FIELDS);
	ck_assert_uint_eq(falco_field_find(TEXT("")), N_FALCO_FIELDS);
	ck_assert_uint_eq(falco_field_find(TEXT("falco.outputs_queue_num_drops_")), N_FALCO_FIELDS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fingerprint");
	TCase *tests = tcase_create("fingerprint");
	tcase_add_test(tests, replaces_what_changes);
	tcase_add_test(tests, stops_at_its_limit);
	tcase_add_test(tests, changes_with_what_it_covers);
	tcase_add_test(tests, guesses_workloads);
	tcase_add_test(tests, finds_every_field);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
