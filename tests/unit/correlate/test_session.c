/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "correlate/session.h"
#include "model/slot.h"
#include "tests/lib/random.h"

enum { GAP_S = 3600, SPAN_SLOTS = 288, N_ALERTS = 60 };

#define S INT64_C(1000000000)

static struct session_slot slot_at(int64_t lo_ns, int64_t hi_ns, bool has_alerts)
{
	return (struct session_slot){slot_of(lo_ns), has_alerts, lo_ns, hi_ns};
}

static enum session_step feed(struct session *session, int64_t time_ns, bool has_alerts)
{
	struct session_slot slot = slot_at(time_ns, time_ns, has_alerts);
	bool reached = session_reaches(session, &slot, &session_rules_default);
	enum session_step step = session_feed(session, &slot, &session_rules_default);
	ck_assert_int_eq(reached, step == SESSION_EXTENDED);
	return step;
}

START_TEST(the_gap_ends_a_session)
{
	for (int64_t late_ns = -1; late_ns <= 1; late_ns++) {
		struct session session = {0};
		ck_assert_int_eq(feed(&session, 1000 * S, true), SESSION_FOUNDED);
		enum session_step step = feed(&session, (1000 + GAP_S) * S + late_ns, true);
		ck_assert_int_eq(step, late_ns <= 0 ? SESSION_EXTENDED : SESSION_FOUNDED);
	}
}
END_TEST

START_TEST(the_span_ends_a_session)
{
	for (int64_t more = -1; more <= 1; more++) {
		struct session session = {0};
		int64_t last = SPAN_SLOTS - 1 + more;
		enum session_step step = SESSION_ENDED;
		for (int64_t slot = 0; slot <= last; slot++)
			step = feed(&session, slot * SLOT_NS, true);
		ck_assert_int_eq(step, last < SPAN_SLOTS ? SESSION_EXTENDED : SESSION_FOUNDED);
		ck_assert_int_eq(session.first_slot, last < SPAN_SLOTS ? 0 : SPAN_SLOTS);
	}
}
END_TEST

START_TEST(the_span_counts_slots_before_1970_too)
{
	struct session session = {0};
	ck_assert_int_eq(feed(&session, -1, true), SESSION_FOUNDED);
	ck_assert_int_eq(session.first_slot, -1);
	ck_assert_int_eq(feed(&session, 0, true), SESSION_EXTENDED);
}
END_TEST

START_TEST(context_extends_and_never_founds_or_bridges)
{
	struct session session = {0};
	ck_assert_int_eq(feed(&session, 1000 * S, false), SESSION_ENDED);
	ck_assert(!session.open);
	ck_assert_int_eq(feed(&session, 2000 * S, true), SESSION_FOUNDED);
	ck_assert_int_eq(feed(&session, (2000 + GAP_S) * S, false), SESSION_EXTENDED);
	ck_assert_int_eq(session.last_slot, slot_of((2000 + GAP_S) * S));
	ck_assert_int_eq(session.hi_ns, 2000 * S);
	ck_assert_int_eq(feed(&session, (2000 + GAP_S + 700) * S, true), SESSION_FOUNDED);
	ck_assert_int_eq(feed(&session, (2000 + 3 * GAP_S) * S, false), SESSION_ENDED);
	ck_assert(!session.open);
}
END_TEST

START_TEST(a_cut_holds_in_its_slot_and_after_it)
{
	const int64_t cuts[] = {3};
	struct session_rules rules = session_rules_default;
	rules.cuts = cuts;
	rules.n_cuts = 1;
	for (int64_t second = 2; second <= 4; second++) {
		struct session session = {0};
		struct session_slot slot = slot_at(0, 0, true);
		ck_assert_int_eq(session_feed(&session, &slot, &rules), SESSION_FOUNDED);
		slot = slot_at(second * SLOT_NS, second * SLOT_NS, true);
		ck_assert_int_eq(session_feed(&session, &slot, &rules),
			second < 3 ? SESSION_EXTENDED : SESSION_FOUNDED);
	}
	/* What begins in the cut's own slot is not cut by it. */
	struct session session = {0};
	struct session_slot slot = slot_at(3 * SLOT_NS, 3 * SLOT_NS, true);
	ck_assert_int_eq(session_feed(&session, &slot, &rules), SESSION_FOUNDED);
	slot = slot_at(4 * SLOT_NS, 4 * SLOT_NS, true);
	ck_assert_int_eq(session_feed(&session, &slot, &rules), SESSION_EXTENDED);
}
END_TEST

struct event {
	int64_t time_ns;
	bool context;
	int by_slot, by_alert; /* number of its session; -1: none */
};

static int compare_events(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

/* Session windows as anybody would write them, alert by alert, looking at no context. */
static void number_by_alert(struct event *events)
{
	int number = -1;
	int64_t hi_ns = 0, first_slot = 0;
	for (int i = 0; i < N_ALERTS; i++) {
		int64_t slot = slot_of(events[i].time_ns);
		if (events[i].context)
			continue;
		if (number < 0 || events[i].time_ns - hi_ns > GAP_S * S ||
			slot - first_slot >= SPAN_SLOTS) {
			number++;
			first_slot = slot;
		}
		events[i].by_alert = number;
		hi_ns = events[i].time_ns;
	}
}

static struct session_slot sum_slot(const struct event *events, int from, int to)
{
	struct session_slot slot = slot_at(events[from].time_ns, events[to - 1].time_ns, false);
	for (int i = from; i < to; i++) {
		if (events[i].context)
			continue;
		if (!slot.has_alerts)
			slot.lo_ns = events[i].time_ns;
		slot.has_alerts = true;
		slot.hi_ns = events[i].time_ns;
	}
	return slot;
}

static void number_by_slot(struct event *events)
{
	struct session session = {0};
	int number = -1;
	for (int from = 0, to; from < N_ALERTS; from = to) {
		for (to = from; to < N_ALERTS &&
				slot_of(events[to].time_ns) == slot_of(events[from].time_ns);
			to++)
			;
		struct session_slot slot = sum_slot(events, from, to);
		number += session_feed(&session, &slot, &session_rules_default) == SESSION_FOUNDED;
		for (int i = from; i < to; i++)
			events[i].by_slot = number;
	}
}

/* Slots lose nothing: they link exactly what session windows over the alerts link. */
START_TEST(slots_give_the_sessions_of_alerts)
{
	struct random random = random_from_environment();
	for (int round = 0; round < 1000; round++) {
		struct event events[N_ALERTS];
		int64_t spread_s = INT64_C(1) << random_below(&random, 20);
		for (int i = 0; i < N_ALERTS; i++)
			events[i] = (struct event){
				(int64_t)random_below(&random, (uint64_t)(spread_s * S)),
				random_below(&random, 4) == 0, -1, -1};
		qsort(events, N_ALERTS, sizeof *events, compare_events);
		number_by_alert(events);
		number_by_slot(events);
		for (int i = 0; i < N_ALERTS; i++)
			ck_assert_msg(events[i].context || events[i].by_slot == events[i].by_alert,
				"round %d, alert %d: %d, not %d", round, i, events[i].by_slot,
				events[i].by_alert);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("correlate/session");
	TCase *tests = tcase_create("session");
	tcase_add_test(tests, the_gap_ends_a_session);
	tcase_add_test(tests, the_span_ends_a_session);
	tcase_add_test(tests, the_span_counts_slots_before_1970_too);
	tcase_add_test(tests, context_extends_and_never_founds_or_bridges);
	tcase_add_test(tests, a_cut_holds_in_its_slot_and_after_it);
	tcase_add_test(tests, slots_give_the_sessions_of_alerts);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
