/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/coverage.h"

#include <check.h>
#include <stdlib.h>

enum { LOSSES_MAX = 64 }; /* as coverage.c has it */

#define T0     (INT64_C(1795489200) * NS_PER_S)
#define MINUTE (60 * NS_PER_S)

static struct clock_manual manual;
static struct agent_coverage *coverage;

static void setup(void)
{
	clock_manual_init(&manual, T0);
	coverage = agent_coverage_new(&manual.clock);
	ck_assert_ptr_nonnull(coverage);
}

static void teardown(void)
{
	agent_coverage_free(coverage);
}

static void pass(int64_t seconds)
{
	manual.wall_ns += seconds * NS_PER_S;
	manual.monotonic_ms += seconds * 1000;
}

/* An alert of Falco's; with the metrics that it tells, if @health. */
static void hear(struct health_fact *health)
{
	const struct alert alert = {
		.source = SOURCE_FALCO, .received_ns = manual.wall_ns, .health = health};
	agent_coverage_heard(coverage, &alert);
}

static void hear_metrics(int64_t n_drops, int64_t n_output_drops)
{
	struct health_fact fact = {.kind = HEALTH_METRICS,
		.version = TEXT("0.44.0"),
		.n_drops = n_drops,
		.n_output_drops = n_output_drops};
	hear(&fact);
}

/* The n-th interval of that state that would be reported now; NULL: there are not so many. */
static const struct coverage *find(enum coverage_state state, unsigned n)
{
	const struct coverage *at = agent_coverage_report(coverage);
	while (at && (at->state != state || n-- > 0))
		at = at->next;
	return at;
}

static void expect(enum coverage_state state, int64_t from_ns, int64_t until_ns, uint64_t n)
{
	const struct coverage *found = find(state, 0);
	ck_assert_ptr_nonnull(found);
	ck_assert_int_eq(found->from_ns, from_ns);
	ck_assert_int_eq(found->until_ns, until_ns);
	ck_assert_uint_eq(found->n, n);
	ck_assert_ptr_null(find(state, 1));
}

START_TEST(tells_of_nobody_at_first)
{
	ck_assert_ptr_null(agent_coverage_report(coverage));
}
END_TEST

START_TEST(a_sensor_is_connected_while_it_is_heard)
{
	hear(NULL);
	pass(30);
	hear(NULL);
	expect(COVERAGE_CONNECTED, T0, T0 + MINUTE / 2, 0);
	agent_coverage_reported(coverage);
	expect(COVERAGE_CONNECTED, T0, T0 + MINUTE / 2, 0); /* it has not ended */
}
END_TEST

/* Without metrics a quiet sensor and a dead one look the same. */
START_TEST(only_who_speaks_regularly_is_silent)
{
	hear(NULL);
	pass(3600);
	ck_assert_ptr_null(find(COVERAGE_SILENT, 0));
	hear_metrics(0, 0);
	pass(180);
	ck_assert_ptr_null(find(COVERAGE_SILENT, 0));
	pass(1);
	int64_t heard_ns = T0 + 60 * MINUTE;
	expect(COVERAGE_SILENT, heard_ns, heard_ns + 181 * NS_PER_S, 0);
}
END_TEST

START_TEST(silence_ends_when_it_speaks)
{
	hear_metrics(0, 0);
	pass(600);
	expect(COVERAGE_SILENT, T0, T0 + 10 * MINUTE, 0);
	agent_coverage_reported(coverage);
	pass(60);
	hear(NULL);
	expect(COVERAGE_SILENT, T0, T0 + 11 * MINUTE, 0);
	expect(COVERAGE_CONNECTED, T0 + 11 * MINUTE, T0 + 11 * MINUTE, 0);
	agent_coverage_reported(coverage);
	ck_assert_ptr_null(find(COVERAGE_SILENT, 0));
}
END_TEST

/* The collector reads it from the same alert: told here, too, it would be there twice. */
/* As while there is no collector. */
START_TEST(silence_that_nobody_asked_for_is_told_later)
{
	hear_metrics(0, 0);
	pass(60);
	hear_metrics(0, 0);
	pass(4 * 3600);
	hear_metrics(0, 0);
	const int64_t heard_ns = T0 + MINUTE, again_ns = T0 + 241 * MINUTE;
	expect(COVERAGE_SILENT, heard_ns, again_ns, 0);
	const struct coverage *now = find(COVERAGE_CONNECTED, 0);
	ck_assert_ptr_nonnull(now);
	ck_assert_int_eq(now->from_ns, again_ns);
	const struct coverage *before = find(COVERAGE_CONNECTED, 1);
	ck_assert_ptr_nonnull(before);
	ck_assert_int_eq(before->from_ns, T0);
	ck_assert_int_eq(before->until_ns, heard_ns);
}
END_TEST

START_TEST(what_a_sensor_says_that_it_lost_is_not_ours_to_tell)
{
	struct health_fact fact = {.kind = HEALTH_DROPS, .n_drops = 3};
	hear_metrics(100, 7);
	pass(60);
	hear_metrics(103, 9);
	hear(&fact);
	ck_assert_ptr_null(find(COVERAGE_DROPPING, 0));
}
END_TEST

START_TEST(names_the_sensor_as_its_alerts_do)
{
	const struct alert alert = {.source = SOURCE_FALCO,
		.received_ns = manual.wall_ns,
		.sensor = TEXT("falco-of-gke")};
	agent_coverage_heard(coverage, &alert);
	agent_coverage_lost(coverage, SOURCE_FALCO, T0, T0, 1);
	agent_coverage_throttled(coverage, SOURCE_TETRAGON, T0, T0, 1); /* never heard */
	ck_assert(text_is(find(COVERAGE_CONNECTED, 0)->sensor, "falco-of-gke"));
	ck_assert(text_is(find(COVERAGE_DROPPING, 0)->sensor, "falco-of-gke"));
	ck_assert(text_is(find(COVERAGE_THROTTLED, 0)->sensor, "tetragon"));
}
END_TEST

START_TEST(intervals_that_touch_are_one)
{
	agent_coverage_throttled(coverage, SOURCE_FALCO, T0, T0 + MINUTE, 1);
	agent_coverage_throttled(coverage, SOURCE_FALCO, T0 + MINUTE, T0 + 2 * MINUTE, 2);
	expect(COVERAGE_THROTTLED, T0, T0 + 2 * MINUTE, 3);
	agent_coverage_throttled(coverage, SOURCE_FALCO, T0 + 5 * MINUTE, T0 + 6 * MINUTE, 1);
	ck_assert_ptr_nonnull(find(COVERAGE_THROTTLED, 1));
	agent_coverage_throttled(coverage, SOURCE_TETRAGON, T0, T0 + 6 * MINUTE, 1);
	ck_assert_ptr_nonnull(find(COVERAGE_THROTTLED, 2)); /* another source's */
	agent_coverage_lost(coverage, SOURCE_FALCO, T0, T0 + MINUTE, 4);
	expect(COVERAGE_DROPPING, T0, T0 + MINUTE, 4);
}
END_TEST

/* A report that is under way when more comes. */
START_TEST(what_comes_behind_a_report_is_in_the_next)
{
	agent_coverage_lost(coverage, SOURCE_FALCO, T0, T0 + MINUTE, 1);
	ck_assert_ptr_nonnull(agent_coverage_report(coverage));
	agent_coverage_lost(coverage, SOURCE_FALCO, T0, T0 + MINUTE, 2);
	agent_coverage_reported(coverage);
	expect(COVERAGE_DROPPING, T0, T0 + MINUTE, 2);
}
END_TEST

START_TEST(a_report_that_was_not_sent_is_not_forgotten)
{
	agent_coverage_lost(coverage, SOURCE_FALCO, T0, T0 + MINUTE, 1);
	ck_assert_ptr_nonnull(agent_coverage_report(coverage));
	expect(COVERAGE_DROPPING, T0, T0 + MINUTE, 1);
}
END_TEST

START_TEST(at_most_so_many_wait_and_none_is_lost)
{
	uint64_t n = 0;
	unsigned rows = 0;
	for (int i = 0; i < 3 * LOSSES_MAX; i++)
		agent_coverage_lost(coverage, SOURCE_FALCO, T0 + 2 * i * MINUTE,
			T0 + 2 * i * MINUTE + NS_PER_S, 1);
	for (const struct coverage *at = agent_coverage_report(coverage); at; at = at->next) {
		n += at->n;
		rows++;
	}
	ck_assert_uint_eq(rows, LOSSES_MAX);
	ck_assert_uint_eq(n, 3 * LOSSES_MAX);
}
END_TEST

/* All places are taken by what was reported, and is not known to be stored. */
START_TEST(a_loss_behind_a_full_report_is_told)
{
	uint64_t n = 0;
	for (int i = 0; i < LOSSES_MAX; i++)
		agent_coverage_lost(coverage, SOURCE_FALCO, T0 + 2 * i * MINUTE,
			T0 + 2 * i * MINUTE + NS_PER_S, 1);
	ck_assert_ptr_nonnull(agent_coverage_report(coverage));
	agent_coverage_throttled(coverage, SOURCE_TETRAGON, T0, T0 + MINUTE, 5);
	agent_coverage_lost(coverage, SOURCE_FALCO, T0 + 500 * MINUTE, T0 + 501 * MINUTE, 7);
	agent_coverage_reported(coverage);
	expect(COVERAGE_THROTTLED, T0, T0 + MINUTE, 5);
	int64_t until_ns = 0;
	for (const struct coverage *at = agent_coverage_report(coverage); at; at = at->next) {
		if (at->state != COVERAGE_DROPPING)
			continue;
		until_ns = at->until_ns > until_ns ? at->until_ns : until_ns;
		n += at->n;
	}
	ck_assert_int_eq(until_ns, T0 + 501 * MINUTE);
	ck_assert_uint_ge(n, 7);
}
END_TEST

START_TEST(a_clock_that_goes_back_gives_no_negative_interval)
{
	hear_metrics(0, 0);
	manual.wall_ns -= 3600 * NS_PER_S;
	hear_metrics(0, 0);
	for (const struct coverage *at = agent_coverage_report(coverage); at; at = at->next)
		ck_assert_int_le(at->from_ns, at->until_ns);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent/coverage");
	TCase *tests = tcase_create("coverage");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, tells_of_nobody_at_first);
	tcase_add_test(tests, a_sensor_is_connected_while_it_is_heard);
	tcase_add_test(tests, only_who_speaks_regularly_is_silent);
	tcase_add_test(tests, silence_ends_when_it_speaks);
	tcase_add_test(tests, silence_that_nobody_asked_for_is_told_later);
	tcase_add_test(tests, what_a_sensor_says_that_it_lost_is_not_ours_to_tell);
	tcase_add_test(tests, names_the_sensor_as_its_alerts_do);
	tcase_add_test(tests, intervals_that_touch_are_one);
	tcase_add_test(tests, what_comes_behind_a_report_is_in_the_next);
	tcase_add_test(tests, a_report_that_was_not_sent_is_not_forgotten);
	tcase_add_test(tests, at_most_so_many_wait_and_none_is_lost);
	tcase_add_test(tests, a_loss_behind_a_full_report_is_told);
	tcase_add_test(tests, a_clock_that_goes_back_gives_no_negative_interval);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
