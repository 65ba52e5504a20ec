/* SPDX-License-Identifier: Apache-2.0 */
#include "console/token_wish.h"

#include <check.h>
#include <stdlib.h>

#include "model/source.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1024 * 1024);
}

static void teardown(void)
{
	arena_done(&arena);
}

static int ask(const char *body, struct credential *out)
{
	struct err err;
	return token_wish_read(text_of(body), &arena, out, &err);
}

START_TEST(reads_all_members)
{
	struct credential got;
	ck_assert_int_eq(ask("{\"name\":\"n\",\"role\":\"viewer\",\"cluster\":\"c\",\"node\":\"x\","
			     "\"sources\":[\"falco\"],\"expires\":\"2027-01-01T00:00:00Z\"} ",
				 &got),
		0);
	ck_assert(text_is(got.name, "n"));
	ck_assert(text_is(got.cluster, "c"));
	ck_assert(text_is(got.node, "x"));
	ck_assert_int_eq(got.role, ROLE_VIEWER);
	ck_assert_uint_eq(got.sources, 1U << SOURCE_FALCO);
	ck_assert_int_eq(got.expires_at_ns, 1798761600LL * 1000000000LL);
}
END_TEST

START_TEST(takes_subjects_as_rfc_4514_writes_them)
{
	struct credential got;
	ck_assert_int_eq(ask("{\"name\":\"n\",\"subject\":\"CN=a\\\\, b,O=x y\"}", &got), 0);
	ck_assert(text_is(got.subject, "CN=a\\, b,O=x y"));
}
END_TEST

/* A token whose bounds were lost would have none. */
START_TEST(needs_memory_for_its_bounds)
{
	static const char body[] = "{\"name\":\"n\",\"node\":\"node-1\"}";
	struct credential got;
	bool was_short = false;
	for (size_t limit = 0;; limit += 16) {
		struct err err = {0};
		struct arena small;
		arena_init(&small, limit);
		int failed = token_wish_read(text_of(body), &small, &got, &err);
		ck_assert_int_eq(err.kind, failed ? ERR_MEMORY : ERR_NONE);
		if (!failed)
			ck_assert(text_is(got.node, "node-1"));
		arena_done(&small);
		was_short |= failed;
		if (!failed)
			break;
	}
	ck_assert(was_short);
}
END_TEST

START_TEST(gives_least_role_by_default)
{
	struct credential got;
	ck_assert_int_eq(ask("{\"name\":\"n\"}", &got), 0);
	ck_assert_int_eq(got.role, ROLE_SOURCE);
	ck_assert(text_is(got.cluster, "default"));
	ck_assert_int_eq(got.expires_at_ns, 0);
}
END_TEST

/* Each of these would give more than was asked for, if it were overlooked. */
static const char *const refused[] = {
	"{\"name\":\"n\",\"role\":\"viewer\",\"junk\":{\"role\":\"admin\"}}",
	"{\"name\":\"n\",\"node\":{\"role\":\"admin\"}}",
	"{\"name\":\"n\",\"node\":[\"x\"]}",
	"{\"name\":\"n\",\"expires\":1700000000}",
	"{\"name\":\"n\",\"expires\":\"\"}",
	"{\"name\":\"n\",\"expires\":\"soon\"}",
	"{\"name\":\"n\",\"subject\":\"node-1\"}",
	"{\"name\":\"n\",\"subject\":\"=node-1\"}",
	"{\"name\":\"n\",\"subject\":\"CN=node-1, O=x\"}",
	"{\"name\":\"n\",\"subject\":\"CN = node-1\"}",
	"{\"name\":\"n\",\"subject\":\"CN=a\\nb\"}",
	"{\"name\":\"n\",\"subject\":[\"CN=node-1\"]}",
	"{\"name\":\"n\",\"expire\":\"2027-01-01T00:00:00Z\"}",
	"{\"name\":\"n\",\"sources\":[]}",
	"{\"name\":\"n\",\"sources\":\"falco\"}",
	"{\"name\":\"n\",\"sources\":[\"falco\",\"nosuch\"]}",
	"{\"name\":\"n\",\"sources\":[[\"falco\"]]}",
	"{\"name\":\"n\",\"role\":\"root\"}",
	"{\"name\":\"n\",\"role\":\"viewer\"",
	"{\"name\":\"n\"}{\"role\":\"admin\"}",
	"{\"name\":\"a b\"}",
	"{\"name\":\"\"}",
	"[\"name\",\"n\"]",
	"{}",
	"",
};

START_TEST(refuses_what_it_does_not_understand)
{
	struct credential got = {.role = ROLE_VIEWER};
	ck_assert_msg(ask(refused[_i], &got) < 0, "accepted: %s", refused[_i]);
	ck_assert_int_eq(got.role, ROLE_VIEWER); /* outputs are written only on success */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("console/token_wish");
	TCase *tests = tcase_create("token_wish");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, reads_all_members);
	tcase_add_test(tests, takes_subjects_as_rfc_4514_writes_them);
	tcase_add_test(tests, needs_memory_for_its_bounds);
	tcase_add_test(tests, gives_least_role_by_default);
	tcase_add_loop_test(tests, refuses_what_it_does_not_understand, 0,
		(int)(sizeof refused / sizeof refused[0]));
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
