/* SPDX-License-Identifier: Apache-2.0 */
#include "model/scope.h"

#include <check.h>
#include <stdlib.h>

static struct arena arena;
static struct scope scope;

static void setup(void)
{
	arena_init(&arena, 1024 * 1024);
	scope = (struct scope){{NULL, 0}};
}

static void teardown(void)
{
	arena_done(&arena);
}

static int add(const char *pattern)
{
	struct err err;
	return scope_add(&scope, &arena, text_of(pattern), &err);
}

static bool has(const char *cluster, const char *namespace)
{
	return scope_includes(&scope, text_of(cluster), text_of(namespace));
}

START_TEST(without_patterns_nothing_is_hidden)
{
	ck_assert(scope_is_all(NULL) && scope_is_all(&scope));
	ck_assert(has("a", "b") && has("a", "") && has("", ""));
}
END_TEST

START_TEST(a_namespace_is_of_any_cluster)
{
	ck_assert_int_eq(add("shop"), 0);
	ck_assert(!scope_is_all(&scope));
	ck_assert(has("prod", "shop") && has("test", "shop"));
	ck_assert(!has("prod", "shopping") && !has("prod", "sho") && !has("shop", "pay"));
	ck_assert(!has("prod", "") && !has("shop", ""));
}
END_TEST

START_TEST(a_cluster_narrows_it)
{
	ck_assert_int_eq(add("prod/shop"), 0);
	ck_assert_int_eq(add("test/*"), 0);
	ck_assert_int_eq(add("*/pay"), 0);
	ck_assert(has("prod", "shop") && !has("other", "shop") && !has("prod", ""));
	ck_assert(has("test", "anything") && has("test", ""));
	ck_assert(has("prod", "pay") && has("", "pay") && !has("", ""));
}
END_TEST

START_TEST(what_is_no_pattern_is_refused)
{
	static const char *const bad[] = {"", "*", "/", "a/", "/a", "a/b/c", "a b", "a,b", "*a",
		"a*", "a/*b", "\xc3\xa4", "a\n"};
	char longest[SCOPE_PATTERN_BYTES_MAX + 2];
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(add(bad[i]) < 0, "%s", bad[i]);
	for (size_t i = 0; i <= SCOPE_PATTERN_BYTES_MAX; i++)
		longest[i] = 'a';
	longest[SCOPE_PATTERN_BYTES_MAX + 1] = '\0';
	ck_assert_int_lt(add(longest), 0);
	longest[SCOPE_PATTERN_BYTES_MAX] = '\0';
	ck_assert_int_eq(add(longest), 0);
}
END_TEST

START_TEST(so_many_and_no_more)
{
	for (size_t i = 0; i < SCOPE_PATTERNS_MAX; i++)
		ck_assert_int_eq(add("a"), 0);
	ck_assert_int_lt(add("a"), 0);
}
END_TEST

START_TEST(what_is_stored_reads_back)
{
	struct err err;
	struct scope read;
	ck_assert_int_eq(add("shop"), 0);
	ck_assert_int_eq(add("prod/*"), 0);
	struct text stored = scope_format(&scope, &arena);
	ck_assert(text_is(stored, "shop,prod/*"));
	ck_assert_int_eq(scope_parse(&read, &arena, stored, &err), 0);
	ck_assert_uint_eq(read.patterns.n, 2);
	ck_assert(text_is(read.patterns.items[1], "prod/*"));
	struct scope copy = scope_copy(&read, &arena);
	ck_assert_uint_eq(copy.patterns.n, 2);
	ck_assert(copy.patterns.items != read.patterns.items);
	/* Half a list would show too little, none at all would show everything: it fails. */
	ck_assert_int_lt(scope_parse(&read, &arena, TEXT("shop,,"), &err), 0);
	ck_assert_int_lt(scope_parse(&read, &arena, TEXT(","), &err), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scope");
	TCase *tests = tcase_create("scope");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, without_patterns_nothing_is_hidden);
	tcase_add_test(tests, a_namespace_is_of_any_cluster);
	tcase_add_test(tests, a_cluster_narrows_it);
	tcase_add_test(tests, what_is_no_pattern_is_refused);
	tcase_add_test(tests, so_many_and_no_more);
	tcase_add_test(tests, what_is_stored_reads_back);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
