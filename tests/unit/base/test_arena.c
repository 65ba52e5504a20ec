/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1 << 20);
}

static void teardown(void)
{
	arena_done(&arena);
}

START_TEST(goes_back_to_a_mark)
{
	struct arena own;
	arena_init(&own, 16 * 1024 * 1024);
	for (int round = 0; round < 2; round++) { /* of an empty arena, then of a used one */
		struct arena_mark mark = arena_mark(&own);
		for (int i = 0; i < 100; i++) {
			ck_assert_ptr_nonnull(arena_alloc(&own, 100));
			ck_assert_ptr_nonnull(arena_alloc(&own, 100000)); /* of its own */
		}
		arena_back(&own, mark);
		ck_assert_uint_eq(own.used_bytes, mark.used_bytes);
		struct text kept = arena_copy(&own, TEXT("kept"));
		struct text large = arena_format(&own, "%05000d", 7);
		mark = arena_mark(&own);
		for (int i = 0; i < 100; i++)
			ck_assert_ptr_nonnull(arena_alloc(&own, 5000));
		arena_back(&own, mark);
		ck_assert(text_is(kept, "kept"));
		ck_assert_uint_eq(large.size, 5000);
		ck_assert(text_ends(large, TEXT("0007")));
	}
	arena_done(&own);
}
END_TEST

START_TEST(gives_zeroed_aligned_pieces_that_do_not_overlap)
{
	unsigned char *pieces[400];
	for (size_t i = 0; i < 400; i++) {
		size_t size = 1 + i * 7;
		pieces[i] = i % 3 ? arena_alloc(&arena, size)
				  : (unsigned char *)arena_bytes(&arena, size);
		ck_assert_ptr_nonnull(pieces[i]);
		ck_assert(i % 3 == 0 || (uintptr_t)pieces[i] % 16 == 0);
		for (size_t j = 0; j < size && i % 3; j++)
			ck_assert_uint_eq(pieces[i][j], 0);
		memset(pieces[i], (int)(i % 251), size);
	}
	for (size_t i = 0; i < 400; i++)
		for (size_t j = 0; j < 1 + i * 7; j++)
			ck_assert_uint_eq(pieces[i][j], i % 251);
	ck_assert(!arena.failed);
}
END_TEST

START_TEST(a_small_one_grows_by_little)
{
	struct arena small;
	arena_init_small(&small, 8192);
	ck_assert_ptr_nonnull(arena_alloc(&small, 10));
	ck_assert_uint_le(small.used_bytes, 1024);
	for (int i = 0; i < 20; i++)
		ck_assert_ptr_nonnull(arena_alloc(&small, 200));
	ck_assert_uint_le(small.used_bytes, 8192);
	arena_done(&small);
	ck_assert_ptr_nonnull(arena_alloc(&small, 10));
	ck_assert_uint_le(small.used_bytes, 1024); /* still */
	ck_assert_ptr_nonnull(arena_alloc(&small, 5000));
	ck_assert_ptr_null(arena_alloc(&small, 5000));
	ck_assert(small.failed);
	arena_done(&small);
}
END_TEST

START_TEST(copies_and_formats)
{
	char source[] = "abc";
	struct text copy = arena_copy(&arena, text_of(source));
	const char *string = arena_string(&arena, text_of(source));
	struct text made = arena_format(&arena, "%s-%d", source, 7);
	source[0] = 'x';
	ck_assert(text_is(copy, "abc"));
	ck_assert_str_eq(string, "abc");
	ck_assert(text_is(made, "abc-7"));
	ck_assert_ptr_nonnull(arena_copy(&arena, TEXT_NONE).data); /* there, and empty */
	ck_assert_str_eq(arena_string(&arena, TEXT_NONE), "");
	ck_assert_ptr_nonnull(arena_alloc(&arena, 0));
}
END_TEST

START_TEST(lists_grow)
{
	struct text_list list = {0};
	char letters[20];
	for (size_t i = 0; i < sizeof letters; i++) {
		letters[i] = (char)('a' + i);
		arena_list_add(&arena, &list, (struct text){letters + i, 1});
		ck_assert_uint_eq(list.n, i + 1);
		for (size_t j = 0; j <= i; j++)
			ck_assert_int_eq(*list.items[j].data, letters[j]);
	}
	struct arena none;
	struct text_list empty = {0};
	arena_init(&none, 0);
	arena_list_add(&none, &empty, TEXT("a"));
	ck_assert(none.failed && empty.n == 0);
}
END_TEST

START_TEST(stops_at_its_limit)
{
	arena_init(&arena, 40000);
	ck_assert_ptr_nonnull(arena_alloc(&arena, 40000));
	ck_assert_uint_eq(arena.used_bytes, 40000);
	arena_done(&arena);
	ck_assert_ptr_null(arena_alloc(&arena, 40001));
	ck_assert(arena.failed);
	ck_assert_ptr_null(arena_copy(&arena, TEXT("a")).data);
	arena_done(&arena); /* empty and usable again */
	ck_assert(!arena.failed);
	ck_assert_ptr_nonnull(arena_alloc(&arena, 40000));
}
END_TEST

START_TEST(huge_sizes_fail)
{
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
	arena_done(&arena);
	ck_assert_ptr_null(arena_array(&arena, SIZE_MAX / 8, 16));
	ck_assert(arena.failed);
	arena_done(&arena);
	arena_init(&arena, SIZE_MAX);
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX - 8));
	ck_assert(arena.failed);
}
END_TEST

/* A large piece does not waste the rest of the current chunk. */
START_TEST(large_pieces_stand_apart)
{
	arena_alloc(&arena, 16);
	size_t before = arena.used_bytes;
	arena_alloc(&arena, 100000);
	ck_assert_uint_eq(arena.used_bytes, before + 100000);
	arena_alloc(&arena, 16);
	ck_assert_uint_eq(arena.used_bytes, before + 100000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tests = tcase_create("arena");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, gives_zeroed_aligned_pieces_that_do_not_overlap);
	tcase_add_test(tests, goes_back_to_a_mark);
	tcase_add_test(tests, a_small_one_grows_by_little);
	tcase_add_test(tests, copies_and_formats);
	tcase_add_test(tests, lists_grow);
	tcase_add_test(tests, stops_at_its_limit);
	tcase_add_test(tests, huge_sizes_fail);
	tcase_add_test(tests, large_pieces_stand_apart);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
