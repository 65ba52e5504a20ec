/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define R "\xef\xbf\xbd"

static struct buf out;

static void setup(void)
{
	buf_init(&out, 1 << 16);
}

static void teardown(void)
{
	buf_done(&out);
}

/* Every code point goes there and back; surrogates and what is above become U+FFFD. */
static bool goes_there_and_back(uint32_t code)
{
	bool exists = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
	size_t wanted = !exists ? 3 : code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	buf_clear(&out);
	utf8_add(&out, code);
	struct text text = buf_text(&out);
	for (size_t cut = 1; cut < text.size; cut++)
		if (utf8_length(text_part(text, 0, cut), 0) != 0)
			return false;
	return text.size == wanted && utf8_length(text, 0) == wanted &&
	       (exists || text_is(text, R));
}

START_TEST(every_code_point)
{
	for (uint32_t code = 0; code < 0x110100; code++)
		if (!goes_there_and_back(code))
			ck_abort_msg("%x", code);
}
END_TEST

/* Unicode 15, chapter 3, "U+FFFD Substitution of Maximal Subparts", and its table 3-8. */
static const struct {
	const char *bytes, *repaired;
} broken[] = {
	{"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", R R R R R R R R "A"},
	{"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", R R R R R R R R "A"},
	{"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", R R R R R "A" R R "B"},
	{"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", R R R R "A"},
	{"\x80", R},
	{"\xc3", R},
	{"a\xf0\x9f\x98", "a" R},
	{"\xc3\xa9\xc3", "\xc3\xa9" R},
	{"\xf8\x88\x80\x80\x80", R R R R R},
};

START_TEST(repairs_maximal_parts)
{
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		buf_clear(&out);
		ck_assert(!utf8_valid(text_of(broken[i].bytes)));
		utf8_repair(&out, text_of(broken[i].bytes));
		ck_assert_msg(text_is(buf_text(&out), broken[i].repaired), "row %zu", i);
		ck_assert(utf8_valid(buf_text(&out)));
	}
	buf_clear(&out);
	utf8_repair(&out, TEXT("a\0\xe2\x82\xac"));
	ck_assert(text_equal(buf_text(&out), TEXT("a\0\xe2\x82\xac")));
	ck_assert(utf8_valid(TEXT_NONE));
}
END_TEST

START_TEST(escapes_what_misleads)
{
	static const char *const rows[][2] = {
		{"a\xc3\xa9 b", "a\xc3\xa9 b"},
		{"\n\t\r\x1b[0m\x7f", "\\n\\t\\r\\x1b[0m\\x7f"},
		{"\xc2\x9b", "\\u{009b}"},
		{"a\\n", "a\\\\n"},
		{"\xe2\x80\xae\xe2\x80\x8b\xe2\x81\xa6", "\\u{202e}\\u{200b}\\u{2066}"},
		{"\xef\xbb\xbf\xf3\xa0\x80\x81", "\\u{feff}\\u{e0001}"},
		{"\xff\xc3", "\\xff\\xc3"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&out);
		utf8_escape(&out, text_of(rows[i][0]));
		ck_assert_str_eq(buf_string(&out), rows[i][1]);
	}
	buf_clear(&out);
	utf8_escape(&out, TEXT("\0"));
	ck_assert_str_eq(buf_string(&out), "\\x00");
}
END_TEST

START_TEST(a_prefix_splits_no_character)
{
	struct text text = TEXT("a\xc3\xa9\xf0\x9f\x98\x80z");
	static const size_t sizes[] = {0, 1, 1, 3, 3, 3, 3, 7, 8, 8};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		ck_assert_uint_eq(utf8_prefix(text, i).size, sizes[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tests = tcase_create("utf8");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, every_code_point);
	tcase_add_test(tests, repairs_maximal_parts);
	tcase_add_test(tests, escapes_what_misleads);
	tcase_add_test(tests, a_prefix_splits_no_character);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
