/* SPDX-License-Identifier: Apache-2.0 */

/* What people wish, when there is no memory to read it: a fault of ours (503), never of theirs. */

#include <check.h>
#include <stdlib.h>

#include "console/suppression_wish.h"
#include "console/view_wish.h"

#define NOW_NS INT64_C(1790000000000000000)

static bool read_suppression(struct text body, struct arena *arena, struct wish_refusal *refusal)
{
	struct suppression suppression;
	return suppression_wish_read(body, false, NOW_NS, arena, &suppression, refusal);
}

static bool read_preview(struct text body, struct arena *arena, struct wish_refusal *refusal)
{
	struct suppression suppression;
	return suppression_wish_read(body, true, NOW_NS, arena, &suppression, refusal);
}

static bool read_view(struct text body, struct arena *arena, struct wish_refusal *refusal)
{
	struct saved_view view;
	return view_wish_read(body, arena, &view, refusal);
}

static const struct {
	bool (*read)(struct text body, struct arena *arena, struct wish_refusal *refusal);
	const char *body;
} wishes[] = {
	{read_suppression,
		"{\"matchers\": [\"namespace=~\\\"dev.*\\\"\", {\"name\": \"pod\", \"op\": "
		"\"=\", \"value\": \"web\"}], \"reason\": \"a test\", \"for\": \"2h\"}"},
	{read_suppression, "{\"query\": \"ns:dev rule:\\\"Terminal*\\\"\", \"reason\": \"a test\", "
			   "\"for\": \"2h\"}"},
	{read_preview, "{\"query\": \"ns:dev\", \"matchers\": [\"pod=web\"]}"},
	{read_view, "{\"name\": \"mine\", \"of\": \"incidents\", \"query\": \"ns:dev\", "
		    "\"columns\": [\"risk\"]}"},
};

START_TEST(is_no_fault_of_who_asks)
{
	size_t n_short = 0;
	for (size_t limit = 0;; limit += 64) {
		struct wish_refusal refusal = {0};
		struct arena arena;
		arena_init(&arena, limit);
		bool good = wishes[_i].read(text_of(wishes[_i].body), &arena, &refusal);
		bool failed = arena.failed;
		arena_done(&arena);
		if (good && !failed)
			break;
		n_short++;
		if (!good)
			ck_assert_msg(refusal.status == 503 && refusal.err.kind == ERR_MEMORY,
				"%zu bytes: %u: %s", limit, refusal.status, refusal.err.text);
		ck_assert_uint_lt(limit, 1024 * 1024);
	}
	ck_assert_uint_gt(n_short, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wish memory");
	TCase *tests = tcase_create("wish memory");
	tcase_add_loop_test(
		tests, is_no_fault_of_who_asks, 0, (int)(sizeof wishes / sizeof wishes[0]));
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
