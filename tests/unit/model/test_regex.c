/* SPDX-License-Identifier: Apache-2.0 */
#include "model/match.h"

#include <check.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/random.h"

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

/* Anchors where they say nothing new, where they say something, and where nothing can match. */
START_TEST(test_pairs)
{
	check_match(pairs[_i].pattern, pairs[_i].yes, true);
	if (pairs[_i].no)
		check_match(pairs[_i].pattern, pairs[_i].no, false);
}
END_TEST

START_TEST(test_anchors)
{
	check_match("(^a|b)$", "a", true);
	check_match("a^b", "ab", false);
	check_match("a$b", "ab", false);
	check_match("(a$)?b*", "bb", true);
	check_match("^$", "", true);
	check_match("x*^y", "y", true);
	check_match("x*^y", "xy", false);
	check_match("[\\D]", "a", true);
	check_match("[\\D1]+", "a1", true);
	check_match("[\\D]", "7", false);
	check_match("\\D", "\xff", true);
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
		{"a\\", 1}, {"[b-a]", 1}, {"(?P<n", 0}, {"[[:alpha:]]", 1}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_refusal(rows[i].pattern, rows[i].place, ERR_INPUT);
}
END_TEST

static const char *const refused[] = {"(", ")", "a)", "(a", "[a", "[", "*", "a**", "a{", "a{x}",
	"a{3,2}", "a{9999}", "\\", "\\q", "\\1", "[b-a]", "[[:alpha:]]", "(?=a)", "(?<=a)b",
	"(?#x)", "a{500}{2}", "(((((a{9}){9}){9}){9}){9}){9}", "((((){500}){500}){500}){500}"};

START_TEST(test_refused_whatever_it_is)
{
	struct err err = {0};
	const struct regex *regex;
	ck_assert_msg(
		regex_parse(text_of(refused[_i]), &arena, &regex, &err) < 0, "%s", refused[_i]);
	ck_assert(err.kind == ERR_INPUT || err.kind == ERR_LIMIT);
	ck_assert_uint_gt(err.place_size, 0);
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
	parsed("a{500}");
	check_refusal("a{501}", 2, ERR_LIMIT);
	ck_assert_int_lt(regex_parse(TEXT("((a{100}){100}){100}"), &arena, &regex, &err), 0);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	char text[MATCH_REGEX_BYTES_MAX + 1];
	memset(text, 'a', sizeof text);
	struct match match = {.kind = MATCH_REGEX, .regex = parsed("a*")};
	ck_assert(match_has(&match, (struct text){text, MATCH_REGEX_BYTES_MAX}));
	ck_assert(!match_has(&match, (struct text){text, sizeof text}));
	ck_assert(regex_matches(match.regex, (struct text){text, sizeof text}));
}
END_TEST

/* What makes backtracking ones explode is done in a moment. */
START_TEST(test_hostile)
{
	char text[MATCH_REGEX_BYTES_MAX];
	memset(text, 'a', sizeof text);
	ck_assert(!regex_matches(parsed("(a*)*(a|aa)*(a+)+b"), (struct text){text, sizeof text}));
	ck_assert(!regex_matches(parsed("(.?){90}(.*)*x"), (struct text){text, sizeof text}));
	ck_assert(regex_matches(parsed(".{3}"), (struct text){"\xff\xc3z", 3}));
}
END_TEST

/* Empty parts make no steps: repeating them must end all the same. */
START_TEST(test_nothing_is_repeated_for_ever)
{
	struct err err;
	const struct regex *regex;
	ck_assert_int_lt(regex_parse(TEXT("((((((){500}){500}){500}){500}){500}){500}"), &arena,
				 &regex, &err),
		0);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
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

START_TEST(test_agrees_with_another_engine)
{
	struct random random = random_from_environment();
	for (size_t i = 0; i < 3000; i++) {
		char source[2048] = "", anchored[2100], text[9] = "";
		regex_t other;
		make_random(&random, source, 2);
		text_format(anchored, sizeof anchored, "^(%s)$", source);
		ck_assert_int_eq(regcomp(&other, anchored, REG_EXTENDED | REG_NOSUB), 0);
		for (size_t j = 0; j < 20; j++) {
			size_t size = random_below(&random, 8);
			for (size_t k = 0; k < size; k++)
				text[k] = "abc"[random_below(&random, 3)];
			text[size] = '\0';
			bool wanted = regexec(&other, text, 0, NULL, 0) == 0;
			ck_assert_msg(regex_matches(parsed(source), text_of(text)) == wanted,
				"%s on '%s'", source, text);
		}
		regfree(&other);
		if (i % 100 == 0) {
			arena_done(&arena);
			arena_init(&arena, 16 * 1024 * 1024);
		}
	}
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
	tcase_add_loop_test(tests, test_pairs, 0, sizeof pairs / sizeof pairs[0]);
	tcase_add_test(tests, test_anchors);
	tcase_add_loop_test(
		tests, test_refused_whatever_it_is, 0, sizeof refused / sizeof refused[0]);
	tcase_add_test(tests, test_nothing_is_repeated_for_ever);
	tcase_add_test(tests, test_agrees_with_another_engine);
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	arena_done(&arena);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
