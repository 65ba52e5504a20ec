/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "model/slot.h"
#include "store/activities.h"
#include "store/changes.h"
#include "store/pieces.h"
#include "store/sealing.h"
#include "tests/lib/store_rig.h"

enum { N_RESOLVED = 120, ARENA_BYTES = 16 * 1024 * 1024 };

static struct store_rig rig;
static struct connection *connection;
static struct arena arena;
static struct err err;

static void setup(void)
{
	store_rig_init(&rig, NULL);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
	connection = store_connection(rig.store);
	arena_init(&arena, ARENA_BYTES);
}

static void teardown(void)
{
	arena_done(&arena);
	store_rig_done(&rig);
}

/* Writes an incident anew, or with number 0 another one. */
static uint64_t write_piece(uint64_t number)
{
	struct piece piece = {.number = number, .first_slot = 10, .last_slot = 10, .revision = 1};
	ck_assert_int_eq(key_intern(connection, TEXT("k"), &piece.key, &err), 0);
	ck_assert_msg(piece_write(connection, &piece, NULL, 1000, &err) == 0, "%s", err.text);
	return piece.number;
}

static uint64_t last_change(void)
{
	struct change_position position;
	ck_assert_int_eq(change_position_read(connection, &position, &err), 0);
	return position.change_seq;
}

/* The incidents with changes after @after, in their order, are exactly these. */
static void expect_after(uint64_t after, size_t n, const uint64_t *numbers)
{
	struct change_page page = {.after = after, .limit = 1000, .arena = &arena};
	ck_assert_int_eq(changes_read(connection, &page, &err), 0);
	ck_assert_uint_eq(page.n, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(page.items[i].number, numbers[i]);
		ck_assert_uint_gt(page.items[i].seq, after);
		after = page.items[i].seq;
	}
	ck_assert_uint_eq(after, last_change());
}

START_TEST(tells_each_incident_once_in_the_order_of_last_changes)
{
	ck_assert_uint_eq(last_change(), 0);
	expect_after(0, 0, NULL);
	uint64_t a = write_piece(0), b = write_piece(0), c = write_piece(0);
	expect_after(0, 3, (uint64_t[]){a, b, c});
	uint64_t seen = last_change();
	expect_after(seen, 0, NULL);
	write_piece(a);
	write_piece(b);
	write_piece(a);
	expect_after(seen, 2, (uint64_t[]){b, a});
	expect_after(0, 3, (uint64_t[]){c, b, a});
}
END_TEST

START_TEST(pages_go_on_where_they_ended)
{
	for (int i = 0; i < 7; i++)
		write_piece(0);
	uint64_t after = 0;
	for (uint64_t expected = 1; expected <= 7;) {
		struct change_page page = {.after = after, .limit = 3, .arena = &arena};
		ck_assert_int_eq(changes_read(connection, &page, &err), 0);
		ck_assert_uint_eq(page.n, expected == 7 ? 1 : 3);
		for (size_t i = 0; i < page.n; i++)
			ck_assert_uint_eq(page.items[i].number, expected++);
		after = page.items[page.n - 1].seq;
	}
}
END_TEST

START_TEST(tells_of_what_is_removed_and_merged_away)
{
	uint64_t a = write_piece(0), b = write_piece(0), seen = last_change();
	ck_assert_int_eq(piece_remove(connection, b, &err), 0);
	expect_after(seen, 1, (uint64_t[]){b});
	seen = last_change();
	ck_assert_int_eq(incident_merge(connection, b, a, 1000, &err), 0);
	expect_after(seen, 1, (uint64_t[]){b});
}
END_TEST

/* What was given to the merged one goes on with the survivor: that one looks different too. */
START_TEST(tells_who_inherits)
{
	uint64_t a = write_piece(0), b = write_piece(0), seen = last_change();
	ck_assert_int_eq(
		connection_run(connection,
			"UPDATE incident SET touched = 1, assignee = 'me' WHERE number = 2", &err),
		0);
	ck_assert_int_eq(incident_merge(connection, b, a, 1000, &err), 0);
	expect_after(seen, 2, (uint64_t[]){b, a});
}
END_TEST

START_TEST(tells_of_sealing_and_of_what_breaks_it)
{
	uint64_t a = write_piece(0), seen = last_change();
	struct sealing sealing = {
		.watermark_ns = 1000 * SLOT_NS, .now_ns = 2000 * SLOT_NS, .arena = &arena};
	ck_assert_int_eq(sealing_slice(connection, &sealing, &err), 0);
	ck_assert_uint_eq(sealing.n_keys, 1);
	expect_after(seen, 1, (uint64_t[]){a});
	seen = last_change();
	ck_assert_int_eq(sealing_slice(connection, &sealing, &err), 0);
	expect_after(seen, 0, NULL);
	ck_assert_int_eq(sealing_break(connection, a, 2, 3000 * SLOT_NS, &err), 0);
	expect_after(seen, 1, (uint64_t[]){a});
}
END_TEST

/* More than one slice closes, so that none is closed without being told. */
START_TEST(tells_of_every_incident_that_is_closed)
{
	for (int i = 0; i < N_RESOLVED; i++)
		write_piece(0);
	ck_assert_int_eq(
		connection_run(connection,
			"UPDATE incident SET state = 4, sealed_ns = 1, resolved_ns = 1", &err),
		0);
	uint64_t seen = last_change();
	struct sealing sealing = {.now_ns = 2 * CLOSE_AFTER_NS, .arena = &arena};
	ck_assert_int_eq(sealing_slice(connection, &sealing, &err), 0);
	ck_assert_uint_eq(sealing.n_closed, 100);
	ck_assert_int_eq(sealing_slice(connection, &sealing, &err), 0);
	ck_assert_uint_eq(sealing.n_closed, N_RESOLVED - 100);
	struct change_page page = {.after = seen, .limit = 1000, .arena = &arena};
	ck_assert_int_eq(changes_read(connection, &page, &err), 0);
	ck_assert_uint_eq(page.n, N_RESOLVED);
	expect_after(last_change(), 0, NULL);
}
END_TEST

START_TEST(takes_back_what_is_rolled_back_and_goes_on_after_a_restart)
{
	uint64_t a = write_piece(0), seen = last_change();
	ck_assert_int_eq(store_begin(rig.store, &err), 0);
	write_piece(a);
	ck_assert_uint_eq(last_change(), seen + 1);
	store_rollback(rig.store);
	ck_assert_uint_eq(last_change(), seen);
	store_rig_close(&rig);
	ck_assert_int_eq(store_rig_open(&rig, &err), 0);
	connection = store_connection(rig.store);
	ck_assert_uint_eq(last_change(), seen);
	write_piece(a);
	ck_assert_uint_eq(last_change(), seen + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/changes");
	TCase *tests = tcase_create("changes");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, tells_each_incident_once_in_the_order_of_last_changes);
	tcase_add_test(tests, pages_go_on_where_they_ended);
	tcase_add_test(tests, tells_of_what_is_removed_and_merged_away);
	tcase_add_test(tests, tells_who_inherits);
	tcase_add_test(tests, tells_of_sealing_and_of_what_breaks_it);
	tcase_add_test(tests, tells_of_every_incident_that_is_closed);
	tcase_add_test(tests, takes_back_what_is_rolled_back_and_goes_on_after_a_restart);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
