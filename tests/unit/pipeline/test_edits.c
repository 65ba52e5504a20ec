/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/edits.h"

#include <check.h>
#include <stdlib.h>

#include "model/slot.h"
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

static void send(int64_t time_ns, uint64_t occ)
{
	struct sent sent = {.time_ns = time_ns, .uid = "u", .occ = occ};
	batch_free(rig_send(&rig, &sent, 1));
}

/* @n cuts of the first alert's entity; cut i is at slot @first_slot + i % @slots. */
static void insert_cuts(int n, int64_t first_slot, int slots)
{
	struct err err;
	char sql[600];
	text_format(sql, sizeof sql,
		"WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < %d)"
		" INSERT INTO edit (id, kind, anchor, from_slot, to_slot, entity, anchor_ns)"
		" SELECT 'many' || i, 1, x'%032d', %lld + i %% %d, 0, (SELECT min(id) FROM entity),"
		" (SELECT min(time_ns) FROM alert) FROM c",
		n - 1, 0, (long long)first_slot, slots);
	int failed = connection_run(store_connection(rig.store), sql, &err);
	ck_assert_msg(!failed, "%s", err.text);
}

static int64_t n_pieces(void)
{
	return rig_count(&rig, "SELECT count(*) FROM piece WHERE frozen = 0");
}

/* Years of them, which reach nothing that may still change, cost no memory and no time. */
START_TEST(old_edits_are_not_read)
{
	enum { MANY = 600000 };
	send(T0, 1);
	insert_cuts(MANY, slot_of(T0) - 100000, 90000);
	rig.wall_ns = T0 + (HORIZON_DAYS + 3) * DAY_NS;
	rig_retain_all(&rig);
	rig_reopen(&rig);
	send(rig.wall_ns, 2);
	send(rig.wall_ns + 30 * 60 * NS_PER_S, 3);
	ck_assert_int_eq(n_pieces(), 1);
}
END_TEST

START_TEST(many_edits_of_one_entity_take_room_for_each_once)
{
	enum { MANY = 20000 };
	send(T0, 1);
	insert_cuts(MANY, slot_of(T0) + 2, 6000);
	rig_reopen(&rig);
	send(T0 + SLOT_NS, 2);
	ck_assert_int_eq(n_pieces(), 1);
	send(T0 + 2 * SLOT_NS, 3);
	send(T0 + 3 * SLOT_NS, 4);
	ck_assert_int_eq(n_pieces(), 3);
}
END_TEST

static void cut(const char *id, int64_t slot)
{
	const struct edit edit = {.kind = EDIT_CUT, .id = text_of(id), .from_slot = slot};
	rig_edit(&rig, &edit, 1, "Terminal shell");
}

/*
 * The horizon has come into the middle of an incident: its cut, which lies before the horizon,
 * holds when its later part is computed again.
 */
START_TEST(an_edit_of_what_may_still_change_is_read)
{
	send(T0, 1);
	for (uint64_t i = 1; i < 20; i++)
		send(T0 + (int64_t)i * SLOT_NS, 1 + i);
	cut("one", slot_of(T0) + 5);
	ck_assert_int_eq(n_pieces(), 2);
	rig.wall_ns = T0 + HORIZON_DAYS * DAY_NS + 12 * SLOT_NS;
	rig_retain_all(&rig);
	ck_assert_int_eq(n_pieces(), 1);
	rig_reopen(&rig);
	send(T0 + 14 * SLOT_NS + 1, 100);
	struct edit undo = {.kind = EDIT_UNDO, .id = TEXT("undo"), .target = TEXT("other")};
	rig_edit(&rig, &undo, 1, "Terminal shell");
	ck_assert_int_eq(n_pieces(), 1);
	ck_assert_int_eq(
		rig_count(&rig, "SELECT first_slot FROM piece WHERE frozen = 0"), slot_of(T0) + 5);
	rig_check(&rig);
}
END_TEST

/* Also when nothing of it was in memory in between. */
START_TEST(an_undo_may_come_first)
{
	struct edit undo = {.kind = EDIT_UNDO, .id = TEXT("undo"), .target = TEXT("one")};
	for (uint64_t i = 0; i < 10; i++)
		send(T0 + (int64_t)i * SLOT_NS, 1 + i);
	rig_edit(&rig, &undo, 1, "Terminal shell");
	if (_i)
		rig_reopen(&rig);
	cut("one", slot_of(T0) + 5);
	ck_assert_int_eq(n_pieces(), 1);
	cut("two", slot_of(T0) + 5);
	ck_assert_int_eq(n_pieces(), 2);
	if (_i)
		rig_reopen(&rig);
	undo.id = TEXT("undo2");
	undo.target = TEXT("two");
	rig_edit(&rig, &undo, 1, "Terminal shell");
	ck_assert_int_eq(n_pieces(), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edits");
	TCase *tests = tcase_create("edits");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, old_edits_are_not_read);
	tcase_add_test(tests, many_edits_of_one_entity_take_room_for_each_once);
	tcase_add_test(tests, an_edit_of_what_may_still_change_is_read);
	tcase_add_loop_test(tests, an_undo_may_come_first, 0, 2);
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
