/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

START_TEST(the_absent_text_is_an_empty_one)
{
	ck_assert(text_equal(TEXT_NONE, TEXT("")));
	ck_assert(text_equal(text_of(NULL), TEXT("")));
	ck_assert_int_eq(text_compare(TEXT_NONE, TEXT("")), 0);
	ck_assert(text_starts(TEXT("a"), TEXT_NONE) && text_ends(TEXT("a"), TEXT_NONE));
	ck_assert_uint_eq(text_trim(TEXT_NONE).size, 0);
	ck_assert_uint_eq(text_find(TEXT_NONE, TEXT_NONE, 0), 0);
	ck_assert_uint_eq(text_find(TEXT_NONE, TEXT("a"), 0), SIZE_MAX);
	ck_assert_uint_eq(text_find_byte(TEXT_NONE, 'a', 0), SIZE_MAX);
	ck_assert_uint_eq(text_part(TEXT_NONE, 3, 4).size, 0);
}
END_TEST

START_TEST(compares_bytes)
{
	ck_assert_int_lt(text_compare(TEXT("a"), TEXT("ab")), 0);
	ck_assert_int_gt(text_compare(TEXT("\xff"), TEXT("a")), 0);
	ck_assert_int_gt(text_compare(TEXT("a\0b"), TEXT("a\0a")), 0);
	ck_assert(!text_equal(TEXT("a\0b"), TEXT("a\0c")));
	ck_assert(text_equal_nocase(TEXT("aZ[@"), TEXT("Az[@")));
	ck_assert(!text_equal_nocase(TEXT("["), TEXT("{")));
	ck_assert(!text_equal_nocase(TEXT("\xc3\x84"), TEXT("\xc3\xa4")));
	ck_assert(text_equal_secret(TEXT("abc"), TEXT("abc")));
	ck_assert(!text_equal_secret(TEXT("abc"), TEXT("abd")));
	ck_assert(!text_equal_secret(TEXT("abc"), TEXT("ab")));
}
END_TEST

START_TEST(parts_stay_inside)
{
	struct text text = TEXT("abc");
	ck_assert(text_is(text_part(text, 1, SIZE_MAX), "bc"));
	ck_assert(text_is(text_part(text, 1, 1), "b"));
	ck_assert_uint_eq(text_part(text, 3, 1).size, 0);
	ck_assert_uint_eq(text_part(text, SIZE_MAX, SIZE_MAX).size, 0);
	ck_assert(!text_starts(TEXT("a"), TEXT("ab")) && !text_ends(TEXT("b"), TEXT("ab")));
}
END_TEST

START_TEST(finds)
{
	struct text text = TEXT("abcabc");
	ck_assert_uint_eq(text_find(text, TEXT("ca"), 0), 2);
	ck_assert_uint_eq(text_find(text, TEXT("bc"), 2), 4);
	ck_assert_uint_eq(text_find(text, TEXT("bc"), 5), SIZE_MAX);
	ck_assert_uint_eq(text_find(text, TEXT("c"), 6), SIZE_MAX);
	ck_assert_uint_eq(text_find(text, TEXT(""), 6), 6);
	ck_assert_uint_eq(text_find(text, TEXT(""), 7), SIZE_MAX);
	ck_assert_uint_eq(text_find_byte(text, 'c', 3), 5);
	ck_assert_uint_eq(text_find_byte(text, 'c', 6), SIZE_MAX);
}
END_TEST

/* The parts, joined again by "|". */
static const char *split(const char *string)
{
	static char out[64];
	struct text rest = text_of(string), part;
	size_t at = 0;
	while (text_split(&rest, ',', &part))
		at += text_format(out + at, sizeof out - at, "%.*s|", TEXT_ARG(part));
	return at ? out : "";
}

START_TEST(splits)
{
	ck_assert_str_eq(split("a,b"), "a|b|");
	ck_assert_str_eq(split(",a,,b,"), "|a||b||");
	ck_assert_str_eq(split(""), "|");
	ck_assert_str_eq(split(NULL), "");
}
END_TEST

START_TEST(trims_ascii_space_only)
{
	ck_assert(text_is(text_trim(TEXT(" \t\r\n\v\fa b\n ")), "a b"));
	ck_assert(text_is(text_trim(TEXT("\xc2\xa0")), "\xc2\xa0"));
	ck_assert_uint_eq(text_trim(TEXT(" \n")).size, 0);
}
END_TEST

START_TEST(reads_numbers_to_their_edges)
{
	uint64_t u = 5;
	int64_t i = 5;
	ck_assert(text_to_u64(TEXT("18446744073709551615"), &u) && u == UINT64_MAX);
	ck_assert(text_to_u64(TEXT("007"), &u) && u == 7);
	ck_assert(text_to_i64(TEXT("9223372036854775807"), &i) && i == INT64_MAX);
	ck_assert(text_to_i64(TEXT("-9223372036854775808"), &i) && i == INT64_MIN);
	ck_assert(text_to_i64(TEXT("-0"), &i) && i == 0);
	u = 5;
	i = 5;
	static const char *const not_u[] = {"", "-1", "+1", " 1", "1 ", "1x", "0x1",
		"18446744073709551616", "99999999999999999999"};
	static const char *const not_i[] = {
		"", "-", "--1", "+1", "9223372036854775808", "-9223372036854775809", "1.0"};
	for (size_t n = 0; n < sizeof not_u / sizeof not_u[0]; n++)
		ck_assert_msg(!text_to_u64(text_of(not_u[n]), &u), "%s", not_u[n]);
	for (size_t n = 0; n < sizeof not_i / sizeof not_i[0]; n++)
		ck_assert_msg(!text_to_i64(text_of(not_i[n]), &i), "%s", not_i[n]);
	ck_assert(u == 5 && i == 5); /* written on success only */
}
END_TEST

START_TEST(hex_goes_both_ways)
{
	unsigned char bytes[3] = {9, 9, 9};
	char hex[7];
	ck_assert(text_to_bytes(TEXT("00aBfF"), bytes, 3));
	text_hex(hex, bytes, 3);
	ck_assert_str_eq(hex, "00abff");
	ck_assert(!text_to_bytes(TEXT("00abf"), bytes, 3));
	ck_assert(!text_to_bytes(TEXT("00abffff"), bytes, 3));
	ck_assert(!text_to_bytes(TEXT("00abfg"), bytes, 3));
	ck_assert(
		text_is_hex(TEXT("09afAF")) && !text_is_hex(TEXT("/")) && !text_is_hex(TEXT("@")));
}
END_TEST

START_TEST(format_is_always_ended)
{
	char out[4] = "zzz";
	ck_assert_uint_eq(text_format(out, sizeof out, "%s", "abc"), 3);
	ck_assert_str_eq(out, "abc");
	ck_assert_uint_eq(text_format(out, sizeof out, "%s", "abcd"), 3);
	ck_assert_str_eq(out, "abc");
	ck_assert_uint_eq(text_format(out, 1, "%s", "abcd"), 0);
	ck_assert_str_eq(out, "");
	out[0] = 'z';
	ck_assert_uint_eq(text_format(out, 0, "%s", "abcd"), 0);
	ck_assert_int_eq(out[0], 'z');
}
END_TEST

START_TEST(sizes_do_not_overflow)
{
	size_t out;
	ck_assert(size_add(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
	ck_assert(!size_add(SIZE_MAX, 1, &out));
	ck_assert(size_mul(SIZE_MAX / 2, 2, &out));
	ck_assert(!size_mul(SIZE_MAX / 2 + 1, 2, &out));
}
END_TEST

START_TEST(writes_decimal_digits)
{
	char room[TEXT_DECIMAL_BYTES];
	ck_assert(text_is(text_decimal(0, room), "0"));
	ck_assert(text_is(text_decimal(10, room), "10"));
	ck_assert(text_is(text_decimal(UINT64_MAX, room), "18446744073709551615"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tests = tcase_create("text");
	tcase_add_test(tests, writes_decimal_digits);
	tcase_add_test(tests, the_absent_text_is_an_empty_one);
	tcase_add_test(tests, compares_bytes);
	tcase_add_test(tests, parts_stay_inside);
	tcase_add_test(tests, finds);
	tcase_add_test(tests, splits);
	tcase_add_test(tests, trims_ascii_space_only);
	tcase_add_test(tests, reads_numbers_to_their_edges);
	tcase_add_test(tests, hex_goes_both_ways);
	tcase_add_test(tests, format_is_always_ended);
	tcase_add_test(tests, sizes_do_not_overflow);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
