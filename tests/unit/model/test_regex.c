/* SPDX-License-Identifier: Apache-2.0 */
#include "model/regex.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static const struct regex *parsed(const char *pattern)
{
	struct err err;
	const struct regex *regex;
	ck_assert_msg(regex_parse(text_of(pattern), &arena, &regex, &err) == 0, "%s: %s", pattern,
		err.text);
	return regex;
}

static void check_match(const char *pattern, const char *text, bool wanted)
{
	ck_assert_msg(regex_matches(parsed(pattern), text_of(text)) == wanted,
		"'%s' with '%s' is not %d", pattern, text, wanted);
}

START_TEST(test_what_matches)
{
	static const struct {
		const char *pattern, *yes, *no;
	} rows[] = {
		{"abc", "abc", "abcd"},
		{"a|bc", "bc", "ac"},
		{"a|b|", "", "c"},
		{"(a|b)c", "bc", "ab"},
		{"(?:prod|stage)-.*", "prod-1", "prod"},
		{"a*", "aaaa", "ab"},
		{"a+b?", "aa", "b"},
		{"a{2}", "aa", "a"},
		{"a{2,}", "aaaaa", "a"},
		{"a{0,2}b", "aab", "aaab"},
		{"(ab){2,3}", "ababab", "abababab"},
		{"a*?b+?", "aabb", "aa"},
		{"[a-c]x", "bx", "dx"},
		{"[^a-c]x", "dx", "bx"},
		{"[]a]", "]", "b"},
		{"[a-]", "-", "b"},
		{"[\\d_]+", "12_", "a"},
		{"\\d+\\.\\d+", "1.5", "1x5"},
		{"\\w+\\s\\W", "ab -", "ab a"},
		{"^web$", "web", "webs"},
		{"a\\|b", "a|b", "a"},
		{"(?i)WeB", "wEb", "wes"},
		{"(?i)[a-c]", "B", "d"},
		{"(?i)[^a]", "b", "A"},
		{".", "ü", "üb"},
		{"[ä-ü]", "ö", "z"},
		{"(a*)*b", "aaab", "aaac"},
		{"(|a)+b", "ab", "a"},
		{"", "", "a"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		check_match(rows[i].pattern, rows[i].yes, true);
		check_match(rows[i].pattern, rows[i].no, false);
	}
}
END_TEST

static void check_refusal(const char *pattern, unsigned place, enum err_kind kind)
{
	struct err err;
	const struct regex *regex;
	ck_assert_msg(regex_parse(text_of(pattern), &arena, &regex, &err) < 0, "%s", pattern);
	ck_assert_msg(err.kind == kind && err.place == place && err.place_size > 0,
		"'%s': kind %u at %u: %s", pattern, err.kind, err.place, err.text);
}

START_TEST(test_what_is_refused)
{
	static const struct {
		const char *pattern;
		unsigned place;
	} rows[] = {{"a(b", 1}, {"a)b", 1}, {"[ab", 0}, {"a**", 2}, {"*a", 0}, {"a{", 2},
		{"a{2", 1}, {"a{3,2}", 1}, {"a\\bc", 1}, {"a\\1", 1}, {"(?=a)", 0}, {"(?<n>a)", 0},
		{"a\\", 1}, {"[b-a]", 1}, {"a^b", 1}, {"a$b", 1}, {"[\\D]", 1}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_refusal(rows[i].pattern, rows[i].place, ERR_INPUT);
}
END_TEST

/* "((…" as deep as asked. */
static void make_groups(char *out, unsigned depth)
{
	memset(out, '(', depth);
	out[depth] = 'a';
	memset(out + depth + 1, ')', depth);
	out[2 * depth + 1] = '\0';
}

START_TEST(test_limits)
{
	char long_one[REGEX_BYTES_MAX + 2], groups[2 * REGEX_DEPTH_MAX + 4];
	struct err err;
	const struct regex *regex;
	memset(long_one, 'a', sizeof long_one);
	long_one[REGEX_BYTES_MAX + 1] = '\0';
	check_refusal(long_one, REGEX_BYTES_MAX, ERR_LIMIT);
	make_groups(groups, REGEX_DEPTH_MAX);
	parsed(groups);
	make_groups(groups, REGEX_DEPTH_MAX + 1);
	check_refusal(groups, REGEX_DEPTH_MAX, ERR_LIMIT);
	parsed("a{100}");
	check_refusal("a{101}", 2, ERR_LIMIT);
	ck_assert_int_lt(regex_parse(TEXT("((a{100}){100}){100}"), &arena, &regex, &err), 0);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	char text[REGEX_TEXT_BYTES_MAX + 1];
	memset(text, 'a', sizeof text);
	ck_assert(regex_matches(parsed("a*"), (struct text){text, REGEX_TEXT_BYTES_MAX}));
	ck_assert(!regex_matches(parsed("a*"), (struct text){text, sizeof text}));
}
END_TEST

/* What makes backtracking ones explode is done in a moment. */
START_TEST(test_hostile)
{
	char text[REGEX_TEXT_BYTES_MAX];
	memset(text, 'a', sizeof text);
	ck_assert(!regex_matches(parsed("(a*)*(a|aa)*(a+)+b"), (struct text){text, sizeof text}));
	ck_assert(!regex_matches(parsed("(.?){90}(.*)*x"), (struct text){text, sizeof text}));
	ck_assert(regex_matches(parsed(".{3}"), (struct text){"\xff\xc3z", 3}));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("regex");
	TCase *tests = tcase_create("regex");
	arena_init(&arena, 16 * 1024 * 1024);
	tcase_add_test(tests, test_what_matches);
	tcase_add_test(tests, test_what_is_refused);
	tcase_add_test(tests, test_limits);
	tcase_add_test(tests, test_hostile);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	arena_done(&arena);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
