/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "store/heard.h"
#include "tests/lib/store_rig.h"

static struct store_rig rig;

static void setup(void)
{
	struct err err = {0};
	store_rig_init(&rig, NULL);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	store_rig_done(&rig);
}

static void flush(void)
{
	struct err err = {0};
	ck_assert_msg(store_idle(rig.store, &err) >= 0, "%s", err.text);
}

/* One sender's row; there must be no other. */
static struct heard_row only_row(struct arena *arena)
{
	struct err err = {0};
	struct heard_list list;
	flush();
	ck_assert(heard_list(store_connection(rig.store), arena, &list, &err) == 0);
	ck_assert_uint_eq(list.n, 1);
	return list.items[0];
}

START_TEST(counts_outcomes_across_restarts)
{
	struct err err = {0};
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, 65536);
	ck_assert(store_rig_add(&rig, 0, 10, &err) == 0);
	ck_assert(store_rig_add(&rig, 5, 12, &err) == 0);
	flush();
	store_rig_close(&rig);
	ck_assert(store_rig_open(&rig, &err) == 0);
	ck_assert(store_rig_add(&rig, 12, 13, &err) == 0);
	struct heard_row row = only_row(&arena);
	ck_assert_uint_eq(row.accepted, 13);
	ck_assert_uint_eq(row.duplicate, 5);
	ck_assert(text_is(row.node, "node-1") && text_is(row.sensor, "rig"));
	ck_assert(text_is(row.source, "tocsin") && text_is(row.cluster, "c"));
	ck_assert_uint_eq(row.credential, 1);
	ck_assert_int_eq(row.first_received_ns, (RIG_TIME_S + 1) * NS_PER_S);
	ck_assert_int_eq(row.last_received_ns, (RIG_TIME_S + 13) * NS_PER_S);
	ck_assert_int_eq(row.last_event_ns, (RIG_TIME_S + 12) * NS_PER_S);
}
END_TEST

/*
 * A transaction that fails counts nothing itself and takes nothing away: neither what was counted
 * before it nor, if it had written that, what was to be written.
 */
START_TEST(a_rollback_keeps_what_was_counted_before)
{
	struct err err = {0};
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, 65536);
	ck_assert(store_rig_add(&rig, 0, 1, &err) == 0);
	flush();
	ck_assert(store_rig_add(&rig, 1, 5, &err) == 0); /* within a second: not written */
	for (int i = 0; i < 2; i++) {
		struct batch *batch = store_rig_batch();
		for (unsigned j = 0; j < 3; j++)
			store_rig_alert(batch, 5 + j);
		ck_assert(store_begin(rig.store, &err) == 0);
		ck_assert(store_add_batch(rig.store, batch, &err) == 0);
		if (i == 1) {
			rig.clock.wall_ns += 5 * NS_PER_S;
			ck_assert(store_flush(rig.store, &err) == 0);
		}
		store_rollback(rig.store);
		batch_free(batch);
	}
	if (_i == 1)
		ck_assert(store_recover(rig.store, &err) == 0);
	ck_assert(store_rig_add(&rig, 4, 6, &err) == 0);
	struct heard_row row = only_row(&arena);
	ck_assert_uint_eq(row.accepted, 6);
	ck_assert_uint_eq(row.duplicate, 1);
	ck_assert_int_eq(row.last_received_ns, (RIG_TIME_S + 6) * NS_PER_S);
}
END_TEST

/* What a sensor says of itself: losses add up, its output queue's counter is one already. */
START_TEST(health_adds_what_adds_up)
{
	struct err err = {0};
	AUTO(arena_done) struct arena arena;
	struct health_fact facts[] = {{HEALTH_DROPS, TEXT_NONE, -1, 7, -1, -1, 0},
		{HEALTH_DROPS, TEXT_NONE, -1, 5, -1, -1, 0},
		{HEALTH_METRICS, TEXT_NONE, 100, -1, 3, 77, 0},
		{HEALTH_METRICS, TEXT_NONE, 200, -1, 2, -1, 0}};
	arena_init(&arena, 65536);
	struct batch *batch = store_rig_batch();
	for (unsigned i = 0; i < 4; i++) {
		struct alert *alert = store_rig_alert(batch, i);
		alert->flags |= ALERT_HEALTH;
		alert->health = &facts[i];
	}
	ck_assert_msg(store_rig_commit(&rig, batch, &err) == 0, "%s", err.text);
	batch_free(batch);
	struct heard_row row = only_row(&arena);
	ck_assert_uint_eq(row.drops, 12);
	ck_assert_uint_eq(row.output_drops, 3);
	ck_assert_int_eq(row.started_ns, 77);
	ck_assert_int_eq(row.health_ns, (RIG_TIME_S + 4) * NS_PER_S);
	ck_assert_int_eq(store_rig_number(store_connection(rig.store),
				 "SELECT count(*) FROM alert WHERE slot IS NOT NULL"),
		0);
}
END_TEST

START_TEST(origins_nodes_and_sensors_are_told_apart)
{
	struct err err = {0};
	struct heard_list list;
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, 65536);
	for (unsigned i = 0; i < 8; i++) {
		struct batch *batch = store_rig_batch();
		struct alert *alert = store_rig_alert(batch, i);
		batch->credential_id = 1 + i % 2;
		alert->node = i / 2 % 2 ? TEXT("n1") : TEXT("n");
		alert->sensor = i / 4 ? TEXT("s") : TEXT("1s"); /* "n1" "s" is not "n" "1s" */
		ck_assert_msg(store_rig_commit(&rig, batch, &err) == 0, "%s", err.text);
		batch_free(batch);
	}
	flush();
	ck_assert(heard_list(store_connection(rig.store), &arena, &list, &err) == 0);
	ck_assert_uint_eq(list.n, 8);
	for (size_t i = 0; i < 8; i++)
		ck_assert_uint_eq(list.items[i].accepted, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/heard");
	TCase *tests = tcase_create("heard");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, counts_outcomes_across_restarts);
	tcase_add_test(tests, health_adds_what_adds_up);
	tcase_add_test(tests, origins_nodes_and_sensors_are_told_apart);
	tcase_add_loop_test(tests, a_rollback_keeps_what_was_counted_before, 0, 2);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
