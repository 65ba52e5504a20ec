/* SPDX-License-Identifier: Apache-2.0 */
#include "store/slot_cache.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "store/slots.h"
#include "tests/lib/filled_store.h"

static struct filled_store filled;

static void setup(void)
{
	filled_store_init(&filled);
}

static void teardown(void)
{
	filled_store_done(&filled);
}

static struct connection *connection(void)
{
	return store_connection(filled.store);
}

/* An occurrence of slot 7 and entity 1; true: it is the first of its print there. */
static bool join(int64_t print, unsigned char occurrence)
{
	struct err err;
	bool is_new = false;
	struct slot_row row = {.slot = 7,
		.entity = 1,
		.print = print,
		.n = 1,
		.deliveries = 1,
		.n_techniques = 1,
		.techniques = {occurrence},
		.n_samples = 1};
	memset(row.samples[0].occ, occurrence, OCCURRENCE_BYTES);
	row.samples[0].leaf = occurrence;
	int failed = slot_join(connection(), &row, &is_new, &err);
	ck_assert_msg(!failed, "%s", err.text);
	return is_new;
}

static int64_t stored_n(void)
{
	return filled_store_number(&filled, "SELECT coalesce(sum(n), 0) FROM slot WHERE slot = 7");
}

/* What was joined in other transactions is there, whether it was known or is read. */
static void check_row(struct connection *reader)
{
	struct err err;
	struct arena arena;
	struct slot_rows rows;
	const struct slot_part whole = {7, 1, INT64_MIN, INT64_MAX};
	arena_init(&arena, 1024 * 1024);
	ck_assert_int_eq(slots_read(reader, &whole, true, &arena, &rows, &err), 0);
	ck_assert_uint_eq(rows.n, 1);
	ck_assert_uint_eq(rows.rows[0].n, 3);
	ck_assert_uint_eq(rows.rows[0].n_techniques, 3);
	ck_assert_uint_eq(rows.rows[0].n_samples, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(rows.rows[0].samples[i].leaf, i + 1);
	arena_done(&arena);
}

static int64_t print_of_first_alert(void)
{
	filled_store_add(&filled, SOURCE_FALCO, 1);
	return filled_store_number(&filled, "SELECT id << 1 FROM fingerprint LIMIT 1");
}

START_TEST(rows_are_joined_across_transactions)
{
	struct err err;
	int64_t print = print_of_first_alert();
	for (unsigned char i = 0; i < 3; i++) {
		filled_store_begin(&filled);
		ck_assert_int_eq(join(print, (unsigned char)(3 - i)), i == 0);
		filled_store_commit(&filled);
	}
	struct connection reader;
	ck_assert_int_eq(connection_open(&reader, filled.path, CONNECTION_READ, NULL, &err), 0);
	check_row(&reader);
	connection_close(&reader);
}
END_TEST

START_TEST(a_row_is_new_after_a_rollback)
{
	filled_store_begin(&filled);
	ck_assert(join(2, 1));
	ck_assert(!join(2, 2));
	store_rollback(filled.store);
	ck_assert_int_eq(stored_n(), 0);
	filled_store_begin(&filled);
	ck_assert(join(2, 3));
	filled_store_commit(&filled);
	ck_assert_int_eq(stored_n(), 1);
	filled_store_begin(&filled);
	ck_assert(!join(2, 4));
	store_rollback(filled.store);
	filled_store_begin(&filled);
	ck_assert(!join(2, 5));
	filled_store_commit(&filled);
	ck_assert_int_eq(stored_n(), 2);
}
END_TEST

START_TEST(a_removed_row_is_new)
{
	struct err err;
	struct slot_part whole = {7, 1, INT64_MIN, INT64_MAX};
	struct slot_row one = {.slot = 7, .entity = 1, .print = 2};
	filled_store_begin(&filled);
	join(2, 1);
	join(4, 1);
	ck_assert_int_eq(
		slot_rows_remove(connection(), &whole, &(struct slot_rows){&one, 1}, &err), 0);
	ck_assert(join(2, 2));
	ck_assert_int_eq(slot_remove(connection(), 7, 1, &err), 0);
	ck_assert(join(4, 2));
	ck_assert_int_eq(slot_rebuild(connection(), 7, 1, &err), 0); /* there are no alerts */
	ck_assert(join(4, 3));
	filled_store_commit(&filled);
	ck_assert_int_eq(stored_n(), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slot_cache");
	TCase *tests = tcase_create("slot_cache");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, rows_are_joined_across_transactions);
	tcase_add_test(tests, a_row_is_new_after_a_rollback);
	tcase_add_test(tests, a_removed_row_is_new);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
