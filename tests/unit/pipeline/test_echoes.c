/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts that an Alertmanager posts: what of them is ours, and when they end. */
#include "decision_rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "store/alerts.h"

static struct rig rig;

static void setup(void)
{
	rig_open(&rig);
}

static void teardown(void)
{
	rig_close(&rig);
}

/* The occurrence is its name's. */
static struct alert *alert(const char *rule, int64_t at_s)
{
	rig_alert(&rig, &(struct rig_alert){at_s, "web-1", rule, SEVERITY_LOW, 0, false});
	struct alert *last = rig.batch->first;
	while (last->next)
		last = last->next;
	rig_fingerprint(rule, last->occ);
	return last;
}

static struct alert read_leaf(uint64_t leaf)
{
	struct err err;
	struct alert out;
	ck_assert_msg(alert_read(rig_connection(&rig), leaf, &rig.arena, &out, &err) == 0, "%s",
		err.text);
	return out;
}

START_TEST(what_we_sent_is_activity)
{
	alert("shell", 0);
	rig_commit(&rig);
	for (int i = 0; i < 3; i++) {
		alert("incident", 5)->echo_of = 1;
		rig_commit(&rig);
	}
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM incident"), 1);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_alerts, 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM activity WHERE number = 1"), 1);
	ck_assert(text_is(rig_words(&rig, "SELECT detail FROM activity"),
		"{\"source\":\"tocsin\",\"rule\":\"incident\","
		"\"since\":\"2026-09-21T14:20:05.000000000Z\",\"leaf\":\"1\"}"));
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM alert WHERE slot IS NULL"), 1);
	ck_assert(alert_is((struct alert[]){read_leaf(1)}, ALERT_ECHO));
}
END_TEST

START_TEST(a_mark_of_no_incident_is_an_alert)
{
	alert("incident", 0)->echo_of = 7;
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM incident"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM activity"), 0);
	ck_assert(!alert_is((struct alert[]){read_leaf(0)}, ALERT_ECHO));
}
END_TEST

START_TEST(an_echo_is_not_suppressed)
{
	alert("shell", 0);
	rig_suppress(&rig, "namespace=shop", 3600);
	rig_commit(&rig);
	alert("incident", 1)->echo_of = 1;
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT hits FROM suppression"), 1);
}
END_TEST

/* One delivery: firing until, or resolved at (seconds; 0: neither). */
static const struct {
	int64_t until_s, resolved_s;
} deliveries[] = {{60, 0}, {120, 0}, {0, 90}, {180, 0}};

static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}};

static void deliver(int i)
{
	struct alert *one = alert("down", 0);
	one->flags |= ALERT_STATEFUL;
	one->firing_until_ns = deliveries[i].until_s ? rig_time(deliveries[i].until_s) : 0;
	one->resolved_ns = deliveries[i].resolved_s ? rig_time(deliveries[i].resolved_s) : 0;
	rig_commit(&rig);
}

START_TEST(the_latest_end_counts_in_any_order)
{
	for (int i = 0; i < 4; i++)
		deliver(orders[_i][i]);
	struct alert stored = read_leaf(0);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM alert"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM alert_end"), 1);
	ck_assert_int_eq(stored.firing_until_ns, rig_time(180));
	ck_assert_int_eq(stored.resolved_ns, rig_time(90));
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_alerts, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("echoes");
	TCase *tests = tcase_create("echoes");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_we_sent_is_activity);
	tcase_add_test(tests, a_mark_of_no_incident_is_an_alert);
	tcase_add_test(tests, an_echo_is_not_suppressed);
	tcase_add_loop_test(tests, the_latest_end_counts_in_any_order, 0, 4);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
