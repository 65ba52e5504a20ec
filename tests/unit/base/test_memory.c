/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PIECES = 32768, PIECE_BYTES = 2048, ALL_BYTES = PIECES * PIECE_BYTES };

/* Sanitizers have an allocator of their own, which keeps what is freed to see who still uses it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool is_malloc_ours = false;
#else
static const bool is_malloc_ours = true;
#endif

START_TEST(what_is_freed_goes_back)
{
	static void *pieces[PIECES];
	size_t before = memory_idle_bytes();
	for (unsigned i = 0; i < PIECES; i++) {
		pieces[i] = malloc(PIECE_BYTES);
		ck_assert_ptr_nonnull(pieces[i]);
		memset(pieces[i], 1, PIECE_BYTES);
	}
	size_t used = memory_idle_bytes();
	for (unsigned i = 0; i < PIECES - 1; i++) /* the last keeps all below it */
		free(pieces[i]);
	size_t freed = memory_idle_bytes();
	memory_give_back();
	size_t after = memory_idle_bytes();
	free(pieces[PIECES - 1]);
	if (!is_malloc_ours)
		return;
	ck_assert_uint_lt(used, before + ALL_BYTES / 4);
	ck_assert_uint_gt(freed, used + ALL_BYTES / 2);
	ck_assert_uint_lt(after, used + ALL_BYTES / 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tests = tcase_create("memory");
	tcase_add_test(tests, what_is_freed_goes_back);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
