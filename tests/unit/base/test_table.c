/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

enum { N_NAMES = 500, N_STEPS = 50000, GENERATION = 8 };

static unsigned n_freed;

static void count_free(void *pointer)
{
	n_freed += pointer != NULL;
}

static struct text name_of(unsigned i)
{
	static char name[16];
	return (struct text){name, text_format(name, sizeof name, "name %u", i)};
}

/* Against a plain array, with removals in the middle of rows of places. */
START_TEST(is_like_an_array)
{
	static int64_t model[N_NAMES]; /* 0: not there */
	uint64_t random = 88172645463325252U;
	size_t n = 0;
	struct table *table = table_new(NULL);
	for (unsigned step = 0; step < N_STEPS; step++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		unsigned i = (unsigned)(random % N_NAMES);
		union table_value *found = table_get(table, name_of(i));
		ck_assert_int_eq(found ? found->number : 0, model[i]);
		if (random >> 32 & 1) {
			n += !model[i];
			model[i] = (int64_t)step + 1;
			table_put(table, name_of(i))->number = model[i];
		} else {
			n -= model[i] != 0;
			ck_assert_int_eq(table_remove(table, name_of(i)), model[i] != 0);
			model[i] = 0;
		}
		ck_assert_uint_eq(table_count(table), n);
	}
	struct text key;
	union table_value *value;
	for (size_t at = 0; table_next(table, &at, &key, &value); n--) {
		uint64_t i;
		ck_assert(text_to_u64(text_part(key, 5, key.size), &i));
		ck_assert_int_eq(value->number, model[i]);
	}
	ck_assert_uint_eq(n, 0);
	table_free(table);
}
END_TEST

START_TEST(keys_are_any_bytes)
{
	struct table *table = table_new(NULL);
	static const struct text keys[] = {{NULL, 0}, {"\0", 1}, {"\0\0", 2}, {"12345678", 8},
		{"123456789", 9}, {"1234567\0", 8}};
	for (int64_t i = 0; i < 6; i++) {
		ck_assert_ptr_null(table_get(table, keys[i]));
		union table_value *value = table_put(table, keys[i]);
		ck_assert_int_eq(value->number, 0); /* new ones are zero */
		value->number = i + 1;
	}
	for (int64_t i = 0; i < 6; i++)
		ck_assert_int_eq(table_get(table, keys[i])->number, i + 1);
	ck_assert_int_eq(table_get(table, TEXT(""))->number, 1);
	table_free(table);
	table_free(NULL);
}
END_TEST

START_TEST(frees_what_leaves)
{
	struct table *table = table_new(count_free);
	n_freed = 0;
	for (unsigned i = 0; i < 100; i++)
		table_put(table, name_of(i))->pointer = table;
	ck_assert(table_remove(table, name_of(7)));
	ck_assert(!table_remove(table, name_of(7)));
	ck_assert_uint_eq(n_freed, 1);
	table_clear(table);
	ck_assert_uint_eq(n_freed, 100);
	ck_assert_uint_eq(table_count(table), 0);
	ck_assert_ptr_null(table_get(table, name_of(8)));
	table_put(table, name_of(8))->pointer = table;
	table_free(table);
	ck_assert_uint_eq(n_freed, 101);
}
END_TEST

static void cache_fill(struct cache *cache, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		cache_put(cache, name_of(i))->pointer = cache;
}

START_TEST(a_cache_forgets_generations)
{
	struct cache *cache = cache_new(GENERATION, count_free);
	n_freed = 0;
	cache_fill(cache, 0, 2 * GENERATION);
	ck_assert_uint_eq(n_freed, 0);                       /* two generations */
	ck_assert_ptr_nonnull(cache_get(cache, name_of(0))); /* moves: the oldest one goes */
	ck_assert_uint_eq(n_freed, GENERATION - 1);
	ck_assert_ptr_null(cache_get(cache, name_of(1)));
	ck_assert_ptr_nonnull(cache_get(cache, name_of(GENERATION)));
	cache_remove(cache, name_of(0));
	cache_remove(cache, name_of(GENERATION + 1)); /* one in each */
	ck_assert_uint_eq(n_freed, GENERATION + 1);
	ck_assert_ptr_null(cache_get(cache, name_of(0)));
	ck_assert_ptr_null(cache_get(cache, name_of(GENERATION + 1)));
	cache_clear(cache);
	ck_assert_uint_eq(n_freed, 2 * GENERATION);
	ck_assert_ptr_null(cache_get(cache, name_of(GENERATION)));
	cache_fill(cache, 0, 1);
	cache_free(cache);
	ck_assert_uint_eq(n_freed, 2 * GENERATION + 1);
}
END_TEST

/* What is used again and again is never freed, whatever passes by. */
START_TEST(a_cache_keeps_what_is_used)
{
	struct cache *cache = cache_new(GENERATION, NULL);
	cache_put(cache, TEXT("used"))->number = 7;
	for (unsigned i = 0; i < 1000; i++) {
		cache_put(cache, name_of(i))->number = 1;
		union table_value *used = cache_get(cache, TEXT("used"));
		ck_assert_ptr_nonnull(used);
		ck_assert_int_eq(used->number, 7);
	}
	cache_free(cache);
	cache_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table");
	TCase *tests = tcase_create("table");
	tcase_add_test(tests, is_like_an_array);
	tcase_add_test(tests, keys_are_any_bytes);
	tcase_add_test(tests, frees_what_leaves);
	tcase_add_test(tests, a_cache_forgets_generations);
	tcase_add_test(tests, a_cache_keeps_what_is_used);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
