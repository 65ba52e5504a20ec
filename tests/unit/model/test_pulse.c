/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pulse.h"

#include <check.h>
#include <stdlib.h>

#include "base/clock.h"

enum { START_S = 1790000000 };

static struct pulse pulse;
static struct pulse_told told;

static void setup(void)
{
	pulse = PULSE_NONE;
}

static int64_t at(int64_t s)
{
	return (START_S + s) * NS_PER_S;
}

/* Metrics at @s of a process that started at START_S, with its counters. */
static void beat(int64_t s, int64_t drops, int64_t output_drops)
{
	struct health_fact health = {.kind = HEALTH_METRICS,
		.n_drops = drops,
		.n_output_drops = output_drops,
		.started_at_ns = at(0)};
	pulse_beat(&pulse, &health, at(s), &told);
}

static const struct coverage *find(enum coverage_state state)
{
	for (size_t i = 0; i < told.n; i++)
		if (told.items[i].state == state)
			return &told.items[i];
	return NULL;
}

static bool is_told(enum coverage_state state, int64_t from_s, int64_t until_s, uint64_t n)
{
	const struct coverage *item = find(state);
	return item && item->from_ns == at(from_s) && item->until_ns == at(until_s) && item->n == n;
}

START_TEST(regular_beats_mean_connected)
{
	beat(60, 0, 0);
	ck_assert(is_told(COVERAGE_CONNECTED, 60, 60, 0) && told.n == 1);
	ck_assert_int_eq(
		pulse_silent_since(&pulse, at(100000)), 0); /* one beat tells no interval */
	beat(120, 0, 0);
	ck_assert(is_told(COVERAGE_CONNECTED, 60, 120, 0) && told.n == 1);
	beat(270, 0, 0); /* exactly two and a half intervals */
	ck_assert(is_told(COVERAGE_CONNECTED, 120, 270, 0));
}
END_TEST

START_TEST(a_long_pause_was_silence)
{
	beat(60, 0, 0);
	beat(120, 0, 0);
	ck_assert_int_eq(pulse_silent_since(&pulse, at(120 + 150)), 0);
	ck_assert_int_eq(pulse_silent_since(&pulse, at(120 + 151)), at(120));
	beat(120 + 3600, 0, 0);
	ck_assert(is_told(COVERAGE_SILENT, 120, 3720, 0) && told.n == 1);
	/* It does not get used to it: two such are needed to make four minutes usual. */
	ck_assert_int_eq(pulse.usual_ns, 75 * NS_PER_S);
}
END_TEST

START_TEST(counters_tell_of_losses)
{
	beat(60, 10, -1);
	ck_assert(is_told(COVERAGE_DROPPING, 0, 60, 10));
	beat(120, 10, 0);
	ck_assert(!find(COVERAGE_DROPPING));
	beat(180, 14, 3);
	ck_assert(is_told(COVERAGE_DROPPING, 120, 180, 7));
	beat(240, 14, 3);
	ck_assert(!find(COVERAGE_DROPPING));
}
END_TEST

START_TEST(a_restart_begins_its_counters_again)
{
	beat(60, 10, 10);
	struct health_fact health = {.kind = HEALTH_METRICS,
		.n_drops = 4,
		.n_output_drops = 0,
		.started_at_ns = at(100)};
	pulse_beat(&pulse, &health, at(120), &told);
	ck_assert(is_told(COVERAGE_DROPPING, 100, 120, 4));
	/* Without a start nobody knows since when. */
	pulse = PULSE_NONE;
	health.started_at_ns = -1;
	pulse_beat(&pulse, &health, at(120), &told);
	ck_assert(!find(COVERAGE_DROPPING));
}
END_TEST

START_TEST(two_sources_of_one_process_beat_together)
{
	beat(60, 0, 0);
	beat(120, 0, 0);
	struct health_fact health = {.kind = HEALTH_METRICS, .started_at_ns = at(0)};
	pulse_beat(&pulse, &health, at(120) + 5, &told);
	ck_assert_int_eq(pulse.usual_ns, 60 * NS_PER_S);
}
END_TEST

START_TEST(an_old_beat_changes_nothing)
{
	beat(60, 0, 0);
	beat(120, 0, 0);
	struct pulse before = pulse;
	beat(90, 100, 100);
	ck_assert_uint_eq(told.n, 0);
	ck_assert(before.spoke_ns == pulse.spoke_ns && before.n_drops == pulse.n_drops);
}
END_TEST

START_TEST(what_is_told_of_one_moment)
{
	struct health_fact health = {.kind = HEALTH_DROPS, .n_drops = 5};
	pulse_beat(&pulse, &health, at(10), &told);
	ck_assert(is_told(COVERAGE_DROPPING, 9, 10, 5));
	health = (struct health_fact){.kind = HEALTH_THROTTLED, .lasts_s = 20};
	pulse_beat(&pulse, &health, at(10), &told);
	ck_assert(is_told(COVERAGE_THROTTLED, 10, 30, 0));
	health = (struct health_fact){.kind = HEALTH_OTHER};
	pulse_beat(&pulse, &health, at(10), &told);
	ck_assert_uint_eq(told.n, 0);
	ck_assert_int_eq(pulse.spoke_ns, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model/pulse");
	TCase *tests = tcase_create("pulse");
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, regular_beats_mean_connected);
	tcase_add_test(tests, a_long_pause_was_silence);
	tcase_add_test(tests, counters_tell_of_losses);
	tcase_add_test(tests, a_restart_begins_its_counters_again);
	tcase_add_test(tests, two_sources_of_one_process_beat_together);
	tcase_add_test(tests, an_old_beat_changes_nothing);
	tcase_add_test(tests, what_is_told_of_one_moment);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
