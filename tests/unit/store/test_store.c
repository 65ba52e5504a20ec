/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "store/alerts.h"
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

static void commit(struct batch *batch)
{
	struct err err = {0};
	ck_assert_msg(store_rig_commit(&rig, batch, &err) == 0, "%s", err.text);
}

START_TEST(an_occurrence_is_stored_once)
{
	struct batch *batch = store_rig_batch();
	const struct alert *first = store_rig_alert(batch, 7), *second = store_rig_alert(batch, 7);
	commit(batch);
	ck_assert_int_eq(first->outcome, OUTCOME_ACCEPTED);
	ck_assert_int_eq(second->outcome, OUTCOME_DUPLICATE);
	ck_assert_uint_eq(second->leaf, first->leaf);
	ck_assert_uint_eq(batch->n_accepted, 1);
	ck_assert_uint_eq(batch->n_duplicate, 1);
	batch_free(batch);
}
END_TEST

/* Ids that agree in all that the duplicate key holds are told apart by the rest. */
START_TEST(ids_that_share_a_key_are_two)
{
	struct batch *batch = store_rig_batch();
	struct alert *alerts[3];
	for (unsigned i = 0; i < 3; i++) {
		alerts[i] = store_rig_alert(batch, i);
		alerts[i]->time_ns = RIG_TIME_S * NS_PER_S;
		for (size_t j = 0; j < OCCURRENCE_BYTES; j++)
			alerts[i]->occ[j] = 0;
		alerts[i]->occ[OCCURRENCE_BYTES - 1] = (unsigned char)(i % 2);
	}
	commit(batch);
	ck_assert_int_eq(alerts[0]->outcome, OUTCOME_ACCEPTED);
	ck_assert_int_eq(alerts[1]->outcome, OUTCOME_ACCEPTED);
	ck_assert_int_eq(alerts[2]->outcome, OUTCOME_DUPLICATE);
	ck_assert_uint_eq(alerts[2]->leaf, alerts[0]->leaf);
	batch_free(batch);
}
END_TEST

/* Without a usable time, a replay has another time of receipt and the same id. */
START_TEST(untrusted_times_do_not_hide_a_replay)
{
	for (unsigned round = 0; round < 2; round++) {
		struct batch *batch = store_rig_batch();
		struct alert *alert = store_rig_alert(batch, 3);
		alert->flags |= ALERT_TIME_UNTRUSTED;
		alert->received_ns += (int64_t)round * 4711 * NS_PER_S;
		alert->time_ns = alert->received_ns;
		commit(batch);
		ck_assert_int_eq(alert->outcome, round ? OUTCOME_DUPLICATE : OUTCOME_ACCEPTED);
		batch_free(batch);
	}
}
END_TEST

START_TEST(the_horizon_parts_late_from_orphan)
{
	int64_t horizon_ns = store_horizon_ns(rig.store);
	for (int64_t later = -1; later <= 1; later++) {
		struct batch *batch = store_rig_batch();
		struct alert *alert = store_rig_alert(batch, (unsigned)(later + 1));
		alert->time_ns = horizon_ns + later;
		commit(batch);
		ck_assert_int_eq(alert->outcome, OUTCOME_ACCEPTED);
		ck_assert_int_eq(alert_is(alert, ALERT_ORPHAN_LATE), later < 0);
		ck_assert_int_eq(alert->slot == -1, later < 0);
		batch_free(batch);
	}
	ck_assert_int_eq(
		store_rig_number(store_connection(rig.store), "SELECT sum(n) FROM piece"), 2);
}
END_TEST

START_TEST(broken_bytes_are_kept_once_a_day)
{
	static const struct {
		int64_t day;
		enum alert_outcome outcome;
	} steps[] = {{0, OUTCOME_QUARANTINED}, {0, OUTCOME_DUPLICATE}, {1, OUTCOME_QUARANTINED}};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct batch *batch = store_rig_batch();
		struct alert *alert = store_rig_quarantined(batch, 1);
		alert->received_ns += steps[i].day * 86400 * NS_PER_S;
		commit(batch);
		ck_assert_int_eq(alert->outcome, steps[i].outcome);
		batch_free(batch);
	}
	ck_assert_uint_eq(store_leaves(rig.store), 2);
}
END_TEST

START_TEST(a_rollback_leaves_nothing)
{
	struct err err = {0};
	ck_assert(store_rig_add(&rig, 0, 300, &err) == 0); /* over the edge of a tile */
	struct batch *batch = store_rig_batch();
	for (unsigned i = 300; i < 900; i++)
		store_rig_alert(batch, i);
	ck_assert(store_begin(rig.store, &err) == 0);
	ck_assert(store_add_batch(rig.store, batch, &err) == 0);
	ck_assert(store_flush(rig.store, &err) == 0);
	store_rollback(rig.store);
	batch_free(batch);
	ck_assert_uint_eq(store_leaves(rig.store), 300);
	ck_assert(store_rig_add(&rig, 290, 600, &err) == 0);
	ck_assert_uint_eq(store_leaves(rig.store), 600);
	store_rig_close(&rig);
	store_rig_check(&rig);
}
END_TEST

/* Ids that were given out in a transaction that is undone are given to others. */
START_TEST(a_rollback_forgets_ids)
{
	struct err err = {0};
	struct connection *connection = store_connection(rig.store);
	struct batch *batch = store_rig_batch();
	store_rig_alert(batch, 0);
	ck_assert(store_begin(rig.store, &err) == 0);
	ck_assert(store_add_batch(rig.store, batch, &err) == 0);
	store_rollback(rig.store);
	batch_free(batch);
	ck_assert(store_rig_add(&rig, 1, 2, &err) == 0);
	ck_assert(store_rig_add(&rig, 0, 1, &err) == 0);
	ck_assert_int_eq(store_rig_number(connection, "SELECT count(DISTINCT r.name) FROM alert a"
						      " JOIN fingerprint f ON f.id = a.fingerprint"
						      " JOIN rule r ON r.id = f.rule"),
		2);
	ck_assert_int_eq(store_rig_number(connection, "SELECT count(DISTINCT e.uid) FROM alert a"
						      " JOIN entity e ON e.id = a.entity"),
		2);
}
END_TEST

START_TEST(recovery_keeps_what_was_committed)
{
	struct err err = {0};
	ck_assert(store_rig_add(&rig, 0, 100, &err) == 0);
	ck_assert(store_begin(rig.store, &err) == 0);
	ck_assert_msg(store_rig_recover(&rig, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(store_wal_bytes(rig.store), 0);
	ck_assert(store_rig_add(&rig, 50, 150, &err) == 0);
	ck_assert_uint_eq(store_leaves(rig.store), 150);
	store_rig_close(&rig);
	store_rig_check(&rig);
}
END_TEST

/* The salts of what was cut lie beside the leaf; without them its commitment cannot be guessed. */
START_TEST(salts_are_kept_beside_the_leaf)
{
	struct batch *batch = store_rig_batch();
	struct redaction cut[2] = {{.path = TEXT("/a"), .value = TEXT("secret"), .salt = {1}},
		{.path = TEXT("/b"), .value = TEXT("x"), .salt = {2}}};
	struct alert *alert = store_rig_alert(batch, 1);
	alert->redactions = cut;
	alert->n_redactions = 2;
	commit(batch);
	batch_free(batch);
	ck_assert_int_eq(store_rig_number(store_connection(rig.store),
				 "SELECT length(salts) FROM salt WHERE leaf = 0"),
		32);
	store_rig_close(&rig);
	rig.tried[1] = rig.acknowledged[1] = true;
	store_rig_check(&rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tests = tcase_create("store");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_occurrence_is_stored_once);
	tcase_add_test(tests, ids_that_share_a_key_are_two);
	tcase_add_test(tests, untrusted_times_do_not_hide_a_replay);
	tcase_add_test(tests, the_horizon_parts_late_from_orphan);
	tcase_add_test(tests, broken_bytes_are_kept_once_a_day);
	tcase_add_test(tests, a_rollback_leaves_nothing);
	tcase_add_test(tests, a_rollback_forgets_ids);
	tcase_add_test(tests, recovery_keeps_what_was_committed);
	tcase_add_test(tests, salts_are_kept_beside_the_leaf);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
