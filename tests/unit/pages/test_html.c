/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/html.h"

#include <check.h>
#include <stdlib.h>

static struct buf out;
static struct html html;

static void setup(void)
{
	buf_init(&out, 1024 * 1024);
	html_init(&html, &out);
}

static void teardown(void)
{
	buf_done(&out);
}

#define IS(expected) ck_assert_str_eq(buf_string(&out), expected)

START_TEST(text_is_text_whatever_it_holds)
{
	html_leaf(&html, "td", NULL, TEXT("<script>alert('x')</script> & \"y\""));
	IS("<td>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;</td>");
}
END_TEST

START_TEST(attributes_stay_in_their_quotes)
{
	html_open(&html, "a", "b");
	html_set(&html, "title", TEXT("\" onclick=\"alert(1)"));
	html_set_flag(&html, "hidden");
	html_set_u64(&html, "data-n", UINT64_MAX);
	html_close(&html);
	IS("<a class=\"b\" title=\"&quot; onclick=&quot;alert(1)\" hidden"
	   " data-n=\"18446744073709551615\"></a>");
}
END_TEST

START_TEST(what_misleads_is_shown)
{
	html_text(&html, TEXT("a\xe2\x80\xae"
			      "b"));
	IS("a<i class=\"mark\">⟨U+202E⟩</i>b");
	buf_clear(&out);
	html_text(&html, TEXT("\x1b[2J\r\n\t\x7f\xc2\x85\xe2\x80\x8b\xef\xbb\xbf\xe2\x81\xa6"));
	IS("<i class=\"mark\">⟨U+001B⟩</i>[2J<i class=\"mark\">⟨U+000D⟩</i>"
	   "<i class=\"mark\">⟨U+000A⟩</i><i class=\"mark\">⟨U+0009⟩</i>"
	   "<i class=\"mark\">⟨U+007F⟩</i><i class=\"mark\">⟨U+0085⟩</i>"
	   "<i class=\"mark\">⟨U+200B⟩</i><i class=\"mark\">⟨U+FEFF⟩</i>"
	   "<i class=\"mark\">⟨U+2066⟩</i>");
	buf_clear(&out);
	html_text(&html, ((struct text){"a\0b", 3}));
	IS("a<i class=\"mark\">⟨U+0000⟩</i>b");
}
END_TEST

START_TEST(marks_in_attributes_are_plain)
{
	html_open(&html, "a", NULL);
	html_set(&html, "title",
		TEXT("a\xe2\x80\xae"
		     "b\n"));
	html_close(&html);
	IS("<a title=\"a⟨U+202E⟩b⟨U+000A⟩\"></a>");
}
END_TEST

START_TEST(broken_bytes_do_not_swallow_what_follows)
{
	html_text(&html, TEXT("\xff<\xe2\x80<\xc3"));
	IS("\xef\xbf\xbd&lt;\xef\xbf\xbd\xef\xbf\xbd&lt;\xef\xbf\xbd");
}
END_TEST

START_TEST(lines_stay_lines_in_raw_bytes)
{
	html_lines(&html, TEXT("a\n\tb\r"));
	IS("a\n\tb<i class=\"mark\">⟨U+000D⟩</i>");
}
END_TEST

START_TEST(other_writing_is_left_alone)
{
	html_text(&html, TEXT("事件 עברית 🙂"));
	IS("事件 עברית 🙂");
}
END_TEST

START_TEST(long_values_are_clipped_with_the_whole_as_title)
{
	html_clip(&html, "b", NULL, TEXT("abcdef"), 6);
	IS("<b>abcdef</b>");
	buf_clear(&out);
	html_clip(&html, "b", NULL, TEXT("abcdefg"), 6);
	IS("<b title=\"abcdefg\">abcdef…</b>");
	buf_clear(&out);
	/* not in the middle of a character */
	html_clip(&html, "b", NULL, TEXT("ab事件"), 4);
	IS("<b title=\"ab事件\">ab…</b>");
}
END_TEST

START_TEST(elements_nest_and_void_ones_have_no_end)
{
	html_open(&html, "p", NULL);
	html_void(&html, "input", NULL);
	html_set_string(&html, "name", "q");
	html_open(&html, "b", NULL);
	html_open(&html, "i", NULL);
	html_close_to(&html, 1);
	html_string(&html, "x");
	html_close(&html);
	IS("<p><input name=\"q\"><b><i></i></b>x</p>");
	ck_assert_uint_eq(html.depth, 0);
}
END_TEST

START_TEST(numbers_have_one_digit_behind_the_point)
{
	html_open(&html, "g", NULL);
	html_set_tenths(&html, "a", 105);
	html_set_tenths(&html, "b", -5);
	html_set_tenths(&html, "c", 20);
	html_close(&html);
	IS("<g a=\"10.5\" b=\"-0.5\" c=\"2\"></g>");
}
END_TEST

START_TEST(a_full_buffer_is_told_once_at_the_end)
{
	buf_done(&out);
	buf_init(&out, 16);
	html_init(&html, &out);
	for (int i = 0; i < 8; i++)
		html_leaf(&html, "p", NULL, TEXT("0123456789"));
	ck_assert(!buf_ok(&out));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pages/html");
	TCase *tests = tcase_create("html");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, text_is_text_whatever_it_holds);
	tcase_add_test(tests, attributes_stay_in_their_quotes);
	tcase_add_test(tests, what_misleads_is_shown);
	tcase_add_test(tests, marks_in_attributes_are_plain);
	tcase_add_test(tests, broken_bytes_do_not_swallow_what_follows);
	tcase_add_test(tests, lines_stay_lines_in_raw_bytes);
	tcase_add_test(tests, other_writing_is_left_alone);
	tcase_add_test(tests, long_values_are_clipped_with_the_whole_as_title);
	tcase_add_test(tests, elements_nest_and_void_ones_have_no_end);
	tcase_add_test(tests, numbers_have_one_digit_behind_the_point);
	tcase_add_test(tests, a_full_buffer_is_told_once_at_the_end);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
