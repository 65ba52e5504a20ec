/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/words.h"

#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "pages/moment.h"
#include "pages/page.h"

/* Which of {0} … {9} stand in it, as a mask. */
static unsigned places(struct text text)
{
	unsigned mask = 0;
	for (size_t i = 0; i + 2 < text.size; i++)
		if (text.data[i] == '{' && text.data[i + 2] == '}' && text.data[i + 1] >= '0' &&
			text.data[i + 1] <= '9')
			mask |= 1U << (text.data[i + 1] - '0');
	return mask;
}

START_TEST(every_language_says_the_same)
{
	for (unsigned i = 0; i < N_WORDS; i++) {
		struct text english = word_text((enum word)i, LANGUAGE_ENGLISH);
		struct text chinese = word_text((enum word)i, LANGUAGE_CHINESE);
		ck_assert_msg(
			utf8_valid(english) && utf8_valid(chinese), "%s", word_key((enum word)i));
		/* "{1} started {0}" may be told the other way round, but not without one of them */
		ck_assert_msg(places(english) == places(chinese), "%s: not the same values",
			word_key((enum word)i));
	}
}
END_TEST

START_TEST(keys_are_their_own)
{
	for (unsigned i = 0; i < N_WORDS; i++)
		for (unsigned k = 0; k < i; k++)
			ck_assert_str_ne(word_key((enum word)i), word_key((enum word)k));
}
END_TEST

START_TEST(chooses_what_the_reader_wants)
{
	static const struct {
		const char *cookie, *accept;
		enum language wanted;
	} cases[] = {
		{NULL, NULL, LANGUAGE_ENGLISH},
		{NULL, "zh-CN,zh;q=0.9,en;q=0.8", LANGUAGE_CHINESE},
		{NULL, "en-GB,en;q=0.9,zh;q=0.8", LANGUAGE_ENGLISH},
		{NULL, "de,zh;q=0.2,en;q=0.3", LANGUAGE_ENGLISH},
		{NULL, "de, zh ; q=0.4 , en;q=0.3", LANGUAGE_CHINESE},
		{NULL, "zh;q=0,en;q=0", LANGUAGE_ENGLISH},
		{NULL, "de", LANGUAGE_ENGLISH},
		{NULL, "ZH-hans", LANGUAGE_CHINESE},
		{NULL, "zhx,,;q=1,=;", LANGUAGE_ENGLISH},
		{"zh-CN", "en", LANGUAGE_CHINESE},
		{"en", "zh", LANGUAGE_ENGLISH},
		{"tlh", "zh", LANGUAGE_CHINESE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(language_choose(text_of(cases[i].cookie), text_of(cases[i].accept)) ==
				      cases[i].wanted,
			"case %zu", i);
}
END_TEST

START_TEST(spans_have_two_units_at_most)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {{-5, "0 s"}, {59, "59 s"}, {60, "1 min"}, {3599, "59 min"}, {3600, "1 h"},
		{3660, "1 h 1 min"}, {5 * 3600 + 60, "5 h"}, {47 * 3600, "47 h"}, {172800, "2 d"},
		{INT64_C(90000000), "1041 d"}};
	struct arena arena;
	struct page_reader reader = {.language = LANGUAGE_ENGLISH};
	arena_init(&arena, 65536);
	struct page page = {.arena = &arena, .reader = &reader};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(
			text_is(moment_span(&page, cases[i].seconds * NS_PER_S), cases[i].text),
			"%s", cases[i].text);
	arena_done(&arena);
}
END_TEST

START_TEST(times_say_their_zone)
{
	struct arena arena;
	struct page_reader reader = {.local_time = true, .offset_minutes = 330};
	int64_t wall_ns;
	arena_init(&arena, 65536);
	struct page page = {.arena = &arena, .reader = &reader};
	ck_assert(clock_parse(TEXT("2026-11-24T20:00:00Z"), &wall_ns));
	ck_assert(
		text_is(moment_text(&page, wall_ns, MOMENT_FULL), "2026-11-25 01:30:00 UTC+05:30"));
	ck_assert(text_is(moment_text(&page, wall_ns, MOMENT_CLOCK), "01:30:00"));
	/* until the browser has said its offset, local is UTC and says so */
	reader.offset_minutes = 0;
	ck_assert(text_is(moment_text(&page, wall_ns, MOMENT_FULL), "2026-11-24 20:00:00 UTC"));
	reader.offset_minutes = -210;
	ck_assert(
		text_is(moment_text(&page, wall_ns, MOMENT_FULL), "2026-11-24 16:30:00 UTC-03:30"));
	reader.local_time = false;
	ck_assert(text_is(moment_text(&page, wall_ns, MOMENT_FULL), "2026-11-24 20:00:00 UTC"));
	arena_done(&arena);
}
END_TEST

START_TEST(links_keep_hostile_values_in_their_place)
{
	struct arena arena;
	struct page_reader reader = {0};
	arena_init(&arena, 65536);
	struct page page = {.arena = &arena, .reader = &reader};
	const struct page_pair pairs[] = {
		{"q", TEXT("a&b=c #\"事")}, {"none", TEXT_NONE}, {"pod", TEXT("x")}};
	ck_assert(text_is(page_link(&page, "/incidents", pairs, 3),
		"/incidents?q=a%26b%3Dc%20%23%22%E4%BA%8B&pod=x"));
	arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pages/words");
	TCase *tests = tcase_create("words");
	tcase_add_test(tests, every_language_says_the_same);
	tcase_add_test(tests, keys_are_their_own);
	tcase_add_test(tests, chooses_what_the_reader_wants);
	tcase_add_test(tests, spans_have_two_units_at_most);
	tcase_add_test(tests, times_say_their_zone);
	tcase_add_test(tests, links_keep_hostile_values_in_their_place);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
