/* SPDX-License-Identifier: Apache-2.0 */
#include "store/dictionaries.h"

#include <check.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "store/dictionary_train.h"
#include "tests/lib/filled_store.h"

static struct filled_store filled;
static struct buf bytes;
static bool enough;

static void setup(void)
{
	filled_store_init(&filled);
	buf_init(&bytes, DICTIONARY_BYTES + 1);
}

static void teardown(void)
{
	buf_done(&bytes);
	filled_store_done(&filled);
}

static int64_t number(const char *sql)
{
	return filled_store_number(&filled, sql);
}

static void add(size_t n, size_t per_commit)
{
	for (size_t i = 0; i < n; i += per_commit)
		filled_store_add(&filled, SOURCE_FALCO, per_commit);
}

/* As the trainer does, on a connection of its own. */
static int train(uint64_t from, int64_t newest)
{
	struct err err;
	struct connection reader;
	ck_assert_int_eq(connection_open(&reader, filled.path, CONNECTION_READ, NULL, &err), 0);
	const struct dictionary_wish wish = {SOURCE_FALCO, from, newest};
	int better = dictionary_train(&reader, &wish, &bytes, &enough, &err);
	ck_assert_msg(better >= 0, "%s", err.text);
	connection_close(&reader);
	return better;
}

static void put_dictionary(struct text content)
{
	struct err err;
	struct dictionary_made made = {SOURCE_FALCO, content};
	ck_assert_int_eq(store_add_dictionary(filled.store, &made, &err), 0);
}

static void keep_dictionary(void)
{
	filled_store_begin(&filled);
	put_dictionary(buf_text(&bytes));
	filled_store_commit(&filled);
}

START_TEST(needs_two_thousand_alerts)
{
	ck_assert_int_eq(train(0, 0), 0); /* a source that was never heard */
	ck_assert(!enough);
	add(DICTIONARY_SAMPLES_MIN - 1, 1);
	ck_assert_int_eq(train(0, 0), 0);
	ck_assert(!enough);
	add(1, 1);
	ck_assert_int_eq(train(0, 0), 1);
	ck_assert(enough);
	ck_assert_uint_gt(bytes.size, 1000);
	ck_assert_uint_le(bytes.size, DICTIONARY_BYTES);
	ck_assert_int_eq(train(1, 0), 0); /* one less from there on */
	ck_assert(!enough);
}
END_TEST

START_TEST(large_blocks_give_samples_too)
{
	add(3000, 1500);
	ck_assert_int_eq(train(0, 0), 1);
}
END_TEST

START_TEST(later_blocks_use_it)
{
	add(2000, 1);
	int64_t before = number("SELECT avg(length(frame)) FROM block");
	ck_assert_int_eq(train(0, 0), 1);
	keep_dictionary();
	ck_assert_int_eq(number("SELECT leaf FROM dictionary WHERE source = 1"), 2000);
	add(100, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE dictionary = 1"), 100);
	ck_assert_int_lt(
		number("SELECT avg(length(frame)) FROM block WHERE dictionary = 1"), before / 2);
	filled_store_add(&filled, SOURCE_FALCOSIDEKICK, 1); /* another's is not used */
	ck_assert_int_eq(number("SELECT dictionary FROM block WHERE id >> 44 = 2"), 0);
	filled_store_check(&filled);
	filled_store_reopen(&filled);
	filled_store_add(&filled, SOURCE_FALCO, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE dictionary = 1"), 101);
	filled_store_check(&filled);
}
END_TEST

START_TEST(joined_blocks_use_the_newest)
{
	add(2000, 1);
	ck_assert_int_eq(train(0, 0), 1);
	keep_dictionary();
	add(100, 1);
	filled_store_idle(&filled);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE n > 1 AND dictionary = 0"), 0);
	ck_assert_int_ge(number("SELECT count(*) FROM block WHERE n = 256 AND dictionary = 1"), 7);
	filled_store_check(&filled);
}
END_TEST

START_TEST(trained_anew_when_the_data_changed)
{
	add(2000, 1);
	ck_assert_int_eq(train(0, 0), 1);
	keep_dictionary();
	add(2100, 1);
	ck_assert_int_eq(train(2000, 1), 0); /* the same data: a tenth is not to be had */
	ck_assert(enough);
	filled.word = "unlike-everything-that-came-before/payments-gateway:v2";
	add(2100, 1);
	ck_assert_int_eq(train(4100, 1), 1);
	keep_dictionary();
	add(200, 1);
	ck_assert_int_eq(number("SELECT count(DISTINCT dictionary) FROM block"), 3);
	filled_store_check(&filled); /* none, the first, the second */
	struct dictionary_state state;
	struct err err;
	ck_assert_int_eq(
		dictionary_state_read(store_connection(filled.store), SOURCE_FALCO, &state, &err),
		0);
	ck_assert_uint_eq(state.n, 2);
	ck_assert_int_eq(state.newest, 2);
	ck_assert_uint_eq(state.leaf, 6200);
	filled_store_idle(&filled);
	filled_store_check(&filled);
	filled_store_reopen(&filled);
	filled_store_check(&filled);
}
END_TEST

START_TEST(noise_gets_none)
{
	filled.noise = true;
	filled.pad_bytes = 20000;
	add(2000, 100);
	ck_assert_int_eq(train(0, 0), 0);
	ck_assert(enough);
}
END_TEST

/* The id of a dictionary that was rolled back comes again, for other bytes. */
START_TEST(not_used_before_its_commit)
{
	add(2000, 1);
	ck_assert_int_eq(train(0, 0), 1);
	filled_store_begin(&filled);
	put_dictionary(TEXT("no dictionary at all, but bytes that zstd takes as one"));
	filled_store_put(&filled, SOURCE_FALCO, 1);
	struct err err;
	ck_assert_int_eq(store_flush(filled.store, &err), 0);
	ck_assert_int_eq(number("SELECT max(id) FROM dictionary"), 1);
	ck_assert_int_eq(number("SELECT max(dictionary) FROM block"), 0);
	store_rollback(filled.store);
	filled.n_leaves = 2000;
	filled_store_add(&filled, SOURCE_FALCO, 1);
	ck_assert_int_eq(number("SELECT max(dictionary) FROM block"), 0);
	keep_dictionary();
	ck_assert_int_eq(number("SELECT max(id) FROM dictionary"), 1);
	add(50, 1);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE dictionary = 1"), 50);
	filled_store_check(&filled);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/dictionaries");
	TCase *tests = tcase_create("dictionaries");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, needs_two_thousand_alerts);
	tcase_add_test(tests, large_blocks_give_samples_too);
	tcase_add_test(tests, later_blocks_use_it);
	tcase_add_test(tests, joined_blocks_use_the_newest);
	tcase_add_test(tests, trained_anew_when_the_data_changed);
	tcase_add_test(tests, noise_gets_none);
	tcase_add_test(tests, not_used_before_its_commit);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
