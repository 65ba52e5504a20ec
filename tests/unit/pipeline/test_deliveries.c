/* SPDX-License-Identifier: Apache-2.0 */

/* An incident says how often its alerts were delivered: distinct ones, repeats, senders' groups. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/incidents.h"
#include "tests/unit/store/retention_rig.h"

static struct rig rig;

static void setup(void)
{
	rig_start(&rig);
}

static void teardown(void)
{
	rig_stop(&rig);
}

static struct sent of_pod(uint64_t occ, uint64_t count)
{
	return (struct sent){.time_ns = T0 + (int64_t)occ * NS_PER_S,
		.uid = "u",
		.name = "ns/p",
		.occ = occ,
		.count = count};
}

static void send(const struct sent *sent, size_t n)
{
	batch_free(rig_send(&rig, sent, n));
}

/* What the story of an incident says; @alerts is checked beside it. */
static uint64_t deliveries(uint64_t number, uint64_t alerts, uint64_t revision)
{
	AUTO(arena_done) struct arena arena;
	struct err err;
	struct incident incident;
	arena_init(&arena, SIZE_MAX);
	int failed = incident_read(store_connection(rig.store), number, &arena, &incident, &err);
	ck_assert_msg(!failed, "%s", err.text);
	ck_assert_uint_eq(incident.n_alerts, alerts);
	ck_assert_uint_eq(incident.revision, revision);
	return incident.n_deliveries;
}

START_TEST(repeats_count_in_one_transaction_and_in_others)
{
	struct sent both[] = {of_pod(1, 0), of_pod(1, 0), of_pod(2, 0)};
	send(both, 3);
	ck_assert_uint_eq(deliveries(1, 2, 1), 3);
	send(both, 3);
	ck_assert_uint_eq(deliveries(1, 2, 1), 6);
	rig_reopen(&rig);
	send(both, 2);
	ck_assert_uint_eq(deliveries(1, 2, 1), 8);
	/* The row is kept in memory: a later alert must not take the repeats away. */
	struct sent third = of_pod(3, 0);
	send(&third, 1);
	ck_assert_uint_eq(deliveries(1, 3, 2), 9);
}
END_TEST

START_TEST(a_grouped_alert_counts_as_it_says)
{
	struct sent sent[] = {of_pod(1, 40), of_pod(2, 1)};
	send(sent, 2);
	ck_assert_uint_eq(deliveries(1, 2, 1), 41);
	send(sent, 1);
	ck_assert_uint_eq(deliveries(1, 2, 1), 81);
}
END_TEST

START_TEST(counts_end_at_what_can_be_stored)
{
	struct sent sent[] = {of_pod(1, INT64_MAX), of_pod(2, INT64_MAX), of_pod(400, 5)};
	for (int i = 0; i < 2; i++) {
		send(sent, 3);
		ck_assert_uint_eq(deliveries(1, 3, 1), INT64_MAX);
	}
}
END_TEST

START_TEST(context_is_counted_where_it_stands)
{
	struct sent sent[] = {of_pod(1, 0), of_pod(2, 0)};
	sent[1].flags = ALERT_CONTEXT;
	send(sent, 2);
	send(sent + 1, 1);
	ck_assert_uint_eq(deliveries(1, 2, 1), 3);
	ck_assert_int_eq(rig_count(&rig, "SELECT deliveries FROM slot WHERE print & 1 = 1"), 2);
}
END_TEST

START_TEST(frozen_incidents_keep_their_deliveries)
{
	struct sent sent[] = {of_pod(1, 3), of_pod(400, 0)};
	send(sent, 2);
	send(sent, 2);
	ck_assert_uint_eq(deliveries(1, 2, 1), 8);
	rig.wall_ns = T0 + (HORIZON_DAYS + 2) * DAY_NS;
	rig_retain_all(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM alert"), 0);
	ck_assert_uint_eq(deliveries(1, 2, 1), 8);
}
END_TEST

/* Too late to be correlated, or of nobody: nothing to count in. */
START_TEST(what_is_in_no_incident_counts_nowhere)
{
	struct sent late = of_pod(1, 0);
	late.time_ns = T0 - 40 * DAY_NS;
	for (int i = 0; i < 2; i++)
		send(&late, 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM slot"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("deliveries");
	TCase *tests = tcase_create("deliveries");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, repeats_count_in_one_transaction_and_in_others);
	tcase_add_test(tests, a_grouped_alert_counts_as_it_says);
	tcase_add_test(tests, counts_end_at_what_can_be_stored);
	tcase_add_test(tests, context_is_counted_where_it_stands);
	tcase_add_test(tests, frozen_incidents_keep_their_deliveries);
	tcase_add_test(tests, what_is_in_no_incident_counts_nowhere);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
