/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "correlate/criticality.h"

static struct criticality_rule items[CRITICALITY_RULES_MAX];
static size_t n_items;

static void add(const char *list, enum criticality level)
{
	struct err err;
	ck_assert_int_eq(criticality_add(items, &n_items, text_of(list), level, &err), 0);
}

static unsigned level_of(const char *key)
{
	struct criticality_rules rules = {items, n_items};
	return criticality_of(&rules, text_of(key));
}

START_TEST(patterns_name_pods_or_any_entity)
{
	n_items = 0;
	add("prod/payments/*, node:prod/gpu-*,pod:prod/u-1", CRITICALITY_HIGH);
	ck_assert_uint_eq(level_of("podname:prod/payments/checkout-1"), CRITICALITY_HIGH);
	ck_assert_uint_eq(level_of("podname:test/payments/checkout-1"), 0);
	ck_assert_uint_eq(level_of("podname:prod/payment/x"), 0);
	ck_assert_uint_eq(level_of("node:prod/gpu-7"), CRITICALITY_HIGH);
	ck_assert_uint_eq(level_of("node:prod/cpu-7"), 0);
	ck_assert_uint_eq(level_of("pod:prod/u-1"), CRITICALITY_HIGH);
	ck_assert_uint_eq(level_of("pod:prod/u-12"), 0);
}
END_TEST

START_TEST(the_strongest_wins)
{
	n_items = 0;
	add("*", CRITICALITY_LOW);
	ck_assert_uint_eq(level_of("podname:c/a/b"), CRITICALITY_LOW);
	add("c/a/*", CRITICALITY_EXTREME);
	add("c/*/b", CRITICALITY_HIGH);
	ck_assert_uint_eq(level_of("podname:c/a/b"), CRITICALITY_EXTREME);
	ck_assert_uint_eq(level_of("podname:c/x/b"), CRITICALITY_HIGH);
	ck_assert_uint_eq(level_of("podname:c/x/y"), CRITICALITY_LOW);
}
END_TEST

START_TEST(stars_stand_for_any_bytes)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {{"*", "", true}, {"a*", "a", true}, {"a*b", "ab", true}, {"a*b", "axxb", true},
		{"a*b", "axxbx", false}, {"*a*a*", "aa", true}, {"*a*a*", "a", false},
		{"a**b", "ab", true}, {"", "", true}, {"", "a", false}, {"*aab", "aaaab", true}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char key[64], pattern[64];
		text_format(key, sizeof key, "node:%s", cases[i].name);
		text_format(pattern, sizeof pattern, "node:%s", cases[i].pattern);
		n_items = 0;
		add(pattern, CRITICALITY_HIGH);
		ck_assert_msg(
			(level_of(key) != 0) == cases[i].matches, "'%s' on '%s'", pattern, key);
	}
}
END_TEST

START_TEST(patterns_have_a_limit)
{
	char list[2 * CRITICALITY_RULES_MAX + 4];
	struct err err;
	n_items = 0;
	for (size_t i = 0; i <= CRITICALITY_RULES_MAX; i++) {
		list[2 * i] = 'a';
		list[2 * i + 1] = ',';
	}
	struct text all = {list, 2 * CRITICALITY_RULES_MAX};
	ck_assert_int_eq(criticality_add(items, &n_items, all, CRITICALITY_LOW, &err), 0);
	ck_assert_uint_eq(n_items, CRITICALITY_RULES_MAX);
	n_items = 0;
	all.size += 2;
	ck_assert_int_eq(criticality_add(items, &n_items, all, CRITICALITY_LOW, &err), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("correlate/criticality");
	TCase *tcase = tcase_create("criticality");
	tcase_add_test(tcase, patterns_name_pods_or_any_entity);
	tcase_add_test(tcase, the_strongest_wins);
	tcase_add_test(tcase, stars_stand_for_any_bytes);
	tcase_add_test(tcase, patterns_have_a_limit);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
