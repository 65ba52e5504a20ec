/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static char text[CLOCK_TEXT_BYTES];

START_TEST(bounds_have_no_end)
{
	int64_t ns;
	ck_assert(clock_parse_bound(TEXT("0001-01-01T00:00:00Z"), &ns) && ns == INT64_MIN);
	ck_assert(clock_parse_bound(TEXT("9999-12-31T23:59:59.5Z"), &ns) && ns == INT64_MAX);
	ck_assert(clock_parse_bound(TEXT("1970-01-01T00:00:01Z"), &ns) && ns == NS_PER_S);
	ck_assert(!clock_parse_bound(TEXT("9999-13-01T00:00:00Z"), &ns));
	ck_assert(!clock_parse(TEXT("9999-12-31T23:59:59.5Z"), &ns));
}
END_TEST

START_TEST(there_and_back)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000000000Z"},
		{-1, "1969-12-31T23:59:59.999999999Z"},
		{INT64_C(951782400000000001), "2000-02-29T00:00:00.000000001Z"},
		{INT64_C(1795290748429697301), "2026-11-21T19:52:28.429697301Z"},
		{INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
		{INT64_C(-9223372036000000000), "1677-09-21T00:12:44.000000000Z"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t ns;
		ck_assert_str_eq(clock_format(rows[i].ns, text), rows[i].text);
		ck_assert_msg(clock_parse(text_of(rows[i].text), &ns), "%s", rows[i].text);
		ck_assert_int_eq(ns, rows[i].ns);
	}
	ck_assert_str_eq(clock_format(INT64_MIN, text), "1677-09-21T00:12:43.145224192Z");
}
END_TEST

START_TEST(every_day_is_counted)
{
	int64_t days = clock_days(1600, 1, 1);
	for (int64_t year = 1600; year < 2500; year++) {
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
		ck_assert_int_eq(clock_days(year, 1, 1), days);
		ck_assert_int_eq(clock_days(year, 3, 1), days + 59 + leap);
		days += 365 + leap;
	}
	ck_assert_int_eq(clock_days(1970, 1, 1), 0);
}
END_TEST

START_TEST(takes_the_forms_of_rfc_3339)
{
	static const char *const same[] = {"2026-11-21T19:52:28Z", "2026-11-21t19:52:28z",
		"2026-11-21 19:52:28.0Z", "2026-11-21T20:52:28+01:00", "2026-11-21T20:52:28+0100",
		"2026-11-21T00:22:28.000000000-19:30", "2026-11-22T19:51:28+23:59"};
	int64_t first, ns;
	ck_assert(clock_parse(text_of(same[0]), &first));
	for (size_t i = 1; i < sizeof same / sizeof same[0]; i++) {
		ck_assert_msg(clock_parse(text_of(same[i]), &ns), "%s", same[i]);
		ck_assert_msg(ns == first, "%s", same[i]);
	}
	ck_assert(clock_parse(TEXT("2016-12-31T23:59:60Z"), &ns)); /* a leap second */
	ck_assert_str_eq(clock_format(ns, text), "2017-01-01T00:00:00.000000000Z");
}
END_TEST

START_TEST(refuses_what_is_no_time)
{
	static const char *const none[] = {"", "2026", "2026-11-21", "2026-11-21T19:52:28",
		"2026-11-21T19:52Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.0123456789Z",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00+00",
		"2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z", "26-01-01T00:00:00Z",
		"1677-09-21T00:12:43Z", "2262-04-11T23:47:16.854775808Z", "9999-12-31T23:59:59Z",
		"0000-01-01T00:00:00Z", "2026-01-01T-1:00:00Z", "+026-01-01T00:00:00Z"};
	int64_t ns;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		ck_assert_msg(!clock_parse(text_of(none[i]), &ns), "%s", none[i]);
}
END_TEST

START_TEST(a_manual_clock_stands_still)
{
	struct clock_manual manual;
	clock_manual_init(&manual, 7);
	ck_assert_int_eq(clock_wall_ns(&manual.clock), 7);
	manual.wall_ns = 8;
	manual.monotonic_ms = 9;
	ck_assert_int_eq(clock_wall_ns(&manual.clock), 8);
	ck_assert_int_eq(clock_monotonic_ms(&manual.clock), 9);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clock");
	TCase *tests = tcase_create("clock");
	tcase_add_test(tests, there_and_back);
	tcase_add_test(tests, bounds_have_no_end);
	tcase_add_test(tests, every_day_is_counted);
	tcase_add_test(tests, takes_the_forms_of_rfc_3339);
	tcase_add_test(tests, refuses_what_is_no_time);
	tcase_add_test(tests, a_manual_clock_stands_still);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
