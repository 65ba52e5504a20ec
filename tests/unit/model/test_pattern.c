/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pattern.h"

#include <check.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "tests/lib/random.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 64 * 1024 * 1024);
}

static void teardown(void)
{
	arena_done(&arena);
}

static bool matches(const char *source, const char *text)
{
	struct err err;
	struct pattern *pattern;
	ck_assert_msg(pattern_read(text_of(source), &arena, &pattern, &err) == 0, "%s: %s", source,
		err.text);
	return pattern_matches(pattern, text_of(text));
}

static const struct {
	const char *pattern, *yes, *no;
} pairs[] = {
	{"", "", "a"},
	{"abc", "abc", "abcd"},
	{"abc", "abc", "xabc"},
	{"a.c",
		"a\xc3\xa9"
		"c",
		"abbc"},
	{"a|b|cd", "cd", "abcd"},
	{"a|b|cd", "a", "ab"},
	{"(a|b)*c", "ababc", "abab"},
	{"web-.*", "web-1", "xweb-1"},
	{".*", "", NULL},
	{".+", "x", ""},
	{"a?b+", "bbb", "aab"},
	{"a{2}", "aa", "a"},
	{"a{2}", "aa", "aaa"},
	{"a{2,}", "aaaa", "a"},
	{"a{0,2}b", "b", "aaab"},
	{"(ab){1,2}", "abab", "ababab"},
	{"x{0}", "", "x"},
	{"[a-c]+", "abc", "abd"},
	{"[^a-c]+", "xyz", "xaz"},
	{"[]a]+", "]a", "b"},
	{"[a-]+", "a-", "b"},
	{"[\\d.]+", "10.0.0.1", "10.0.0.x"},
	{"\\d+\\.\\w*", "12.ab_9", "12-ab"},
	{"\\S+", "abc", "a c"},
	{"[\\W]", " ", "a"},
	{"a\\.b", "a.b", "axb"},
	{"\\\\", "\\", "/"},
	{"^a$", "a", "aa"},
	{"(?:a|b)c", "bc", "c"},
	{"(?P<name>a)b", "ab", "b"},
	{"(?i)Web-[a-c]+", "wEB-ABC", "web-d"},
	{"a*?b", "aab", "aa"},
	{"(a*)*", "aaa", "b"},
	{"(|a)b", "b", "c"},
	{"\xc3\xa9+", "\xc3\xa9\xc3\xa9", "e"},
	{"(a|ab)(c|bcd)", "abcd", "abc d"},
	{"a\\n", "a\n", "an"},
};

START_TEST(matches_what_it_should)
{
	ck_assert_msg(matches(pairs[_i].pattern, pairs[_i].yes), "%s", pairs[_i].pattern);
	if (pairs[_i].no)
		ck_assert_msg(!matches(pairs[_i].pattern, pairs[_i].no), "%s", pairs[_i].pattern);
}
END_TEST

static const char *const refused[] = {"(", ")", "a)", "(a", "[a", "[", "*", "a**", "a{", "a{x}",
	"a{3,2}", "a{9999}", "\\", "\\q", "\\1", "[b-a]", "[[:alpha:]]", "(?=a)", "(?<=a)b",
	"(?#x)", "a{500}{2}", "(((((a{9}){9}){9}){9}){9}){9}", "((((){500}){500}){500}){500}"};

START_TEST(refuses_what_it_does_not_know)
{
	struct err err = {0};
	struct pattern *pattern;
	ck_assert_msg(
		pattern_read(text_of(refused[_i]), &arena, &pattern, &err) < 0, "%s", refused[_i]);
	ck_assert(err.kind == ERR_INPUT || err.kind == ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(err.text, "pattern"));
}
END_TEST

START_TEST(has_limits)
{
	struct err err;
	struct pattern *pattern;
	char source[PATTERN_BYTES_MAX + 2];
	memset(source, 'a', sizeof source);
	ck_assert_int_lt(
		pattern_read((struct text){source, PATTERN_BYTES_MAX + 1}, &arena, &pattern, &err),
		0);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	ck_assert_int_eq(
		pattern_read((struct text){source, PATTERN_STEPS_MAX - 1}, &arena, &pattern, &err),
		0);
	ck_assert_int_lt(
		pattern_read((struct text){source, PATTERN_STEPS_MAX}, &arena, &pattern, &err), 0);
	memset(source, '(', sizeof source);
	ck_assert_int_lt(pattern_read((struct text){source, 100}, &arena, &pattern, &err), 0);
}
END_TEST

/* What makes others try for years. */
START_TEST(evil_patterns_take_no_time)
{
	static const char *const evil[] = {"(a*)*b", "(a|a)*b", "(a+)+b", "(.*)(.*)(.*)(.*)b"};
	char text[4096];
	struct timespec before, after;
	memset(text, 'a', sizeof text);
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (size_t i = 0; i < 4; i++) {
		struct err err;
		struct pattern *pattern;
		ck_assert_int_eq(pattern_read(text_of(evil[i]), &arena, &pattern, &err), 0);
		ck_assert(!pattern_matches(pattern, (struct text){text, sizeof text}));
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_lt(after.tv_sec - before.tv_sec, 5);
}
END_TEST

START_TEST(invalid_utf8_is_a_character_a_byte)
{
	ck_assert(matches("a.b", "a\xff"
				 "b"));
	ck_assert(matches("..", "\xc3\xff"));
	ck_assert(!matches("[a-z]", "\xff"));
	ck_assert(matches("[^a-z]", "\xff"));
}
END_TEST

/* A pattern that POSIX reads the same way. */
static void make_random(struct random *random, char *out, size_t depth)
{
	static const char *const atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]"};
	static const char *const repeats[] = {"", "", "", "*", "+", "?", "{1,2}"};
	size_t n = 1 + random_below(random, 3);
	for (size_t i = 0; i < n; i++) {
		if (depth && random_below(random, 3) == 0) {
			strcat(out, "(");
			make_random(random, out, depth - 1);
			if (random_below(random, 2)) {
				strcat(out, "|");
				make_random(random, out, depth - 1);
			}
			strcat(out, ")");
		} else {
			strcat(out, atoms[random_below(random, 6)]);
		}
		strcat(out, repeats[random_below(random, 7)]);
	}
}

START_TEST(agrees_with_another_engine)
{
	struct random random = random_from_environment();
	for (size_t i = 0; i < 3000; i++) {
		char source[2048] = "", anchored[2100], text[9] = "";
		regex_t regex;
		make_random(&random, source, 2);
		text_format(anchored, sizeof anchored, "^(%s)$", source);
		ck_assert_int_eq(regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB), 0);
		for (size_t j = 0; j < 20; j++) {
			size_t size = random_below(&random, 8);
			for (size_t k = 0; k < size; k++)
				text[k] = "abc"[random_below(&random, 3)];
			text[size] = '\0';
			bool wanted = regexec(&regex, text, 0, NULL, 0) == 0;
			ck_assert_msg(matches(source, text) == wanted, "%s on '%s'", source, text);
		}
		regfree(&regex);
		if (i % 100 == 0)
			arena_done(&arena);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pattern");
	TCase *tests = tcase_create("pattern");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, matches_what_it_should, 0, sizeof pairs / sizeof pairs[0]);
	tcase_add_loop_test(
		tests, refuses_what_it_does_not_know, 0, sizeof refused / sizeof refused[0]);
	tcase_add_test(tests, has_limits);
	tcase_add_test(tests, evil_patterns_take_no_time);
	tcase_add_test(tests, invalid_utf8_is_a_character_a_byte);
	tcase_add_test(tests, agrees_with_another_engine);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
