/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/coverage.h"

#include <check.h>
#include <stdlib.h>

#include "base/clock.h"

/* The picture over documents made by hand: where bars stand, what they say, and where it ends. */

enum { ARENA_BYTES = 16 * 1024 * 1024, HTML_BYTES = 1024 * 1024 };

#define FROM_NS (INT64_C(1795500000) * NS_PER_S)
#define HOUR_NS (INT64_C(3600) * NS_PER_S)

static struct arena arena;
static struct buf out;

static const struct node *read(const char *json)
{
	struct node *root;
	struct err err;
	ck_assert_msg(tree_read(text_of(json), &arena, &root, &err) == 0, "%s", err.text);
	return root;
}

static struct page begin_page(enum language language)
{
	static struct page_reader reader;
	reader = (struct page_reader){.role = ROLE_VIEWER, .language = language};
	struct page page = {.arena = &arena, .reader = &reader, .now_ns = FROM_NS + 100 * HOUR_NS};
	buf_clear(&out);
	html_init(&page.html, &out);
	return page;
}

static void draw(const char *json, int64_t to_ns)
{
	struct page page = begin_page(LANGUAGE_ENGLISH);
	coverage_write(&page, tree_member(read(json), "items"), FROM_NS, to_ns);
	ck_assert(page.html.depth == 0 && buf_ok(&out));
}

static size_t count(const char *needle)
{
	size_t n = 0;
	for (size_t at = 0; (at = text_find(buf_text(&out), text_of(needle), at)) != SIZE_MAX;
		at += text_of(needle).size)
		n++;
	return n;
}

#define HAS(needle)                                                                                \
	ck_assert_msg(count(needle) == 1, "%zu times %s in %s", count(needle), needle, out.data)

/* FROM_NS is 2026-11-24T06:00:00Z; the span is ten hours, 746 units wide. */
START_TEST(bars_stand_where_they_were)
{
	draw("{\"items\":[{\"source\":\"falco\",\"node\":\"n1\",\"sensor\":\"falco\",\"state\":"
	     "\"dropping\","
	     "\"from\":\"2026-11-24T11:00:00Z\",\"until\":\"2026-11-24T13:30:00Z\",\"n\":\"12\"}]}",
		FROM_NS + 10 * HOUR_NS);
	HAS("data-coverage=\"dropping\"");
	HAS("<rect x=\"583\" y=\"4\" width=\"186\" height=\"16\">");
	HAS("dropping: 2026-11-24 11:00:00 UTC to 2026-11-24 13:30:00 UTC, events lost: 12");
	HAS("falco · n1</text>");
	HAS("<td class=\"number\">12</td>");
}
END_TEST

START_TEST(what_was_shed_is_a_bar_with_an_edge_and_its_words)
{
	draw("{\"items\":[{\"source\":\"falco\",\"node\":\"n1\",\"sensor\":\"falco\",\"state\":"
	     "\"shed\",\"from\":\"2026-11-24T11:00:00Z\",\"until\":\"2026-11-24T13:30:00Z\","
	     "\"n\":\"12\"}]}",
		FROM_NS + 10 * HOUR_NS);
	HAS("data-coverage=\"shed\"");
	HAS("<rect x=\"583\" y=\"4\" width=\"186\" height=\"16\">");
	HAS("shed by a full spool: 2026-11-24 11:00:00 UTC to 2026-11-24 13:30:00 UTC, "
	    "events lost: 12");
	HAS("<td class=\"warn\">shed by a full spool</td>");
}
END_TEST

START_TEST(what_was_shed_is_listed_by_its_rule)
{
	struct page page = begin_page(LANGUAGE_ENGLISH);
	coverage_write_shed(&page, read("{\"items\":[]}"));
	ck_assert_uint_eq(buf_text(&out).size, 0);
	coverage_write_shed(&page,
		read("{\"shed\":[{\"source\":\"falco\",\"node\":\"n1\",\"severity\":\"low\","
		     "\"rule\":"
		     "\"<b>\",\"from\":\"2026-11-24T11:00:00Z\",\"until\":\"2026-11-24T13:30:00Z\","
		     "\"n\":\"9007199254740993\",\"bytes\":\"4711\",\"leaves\":2},"
		     "{\"source\":\"falco\",\"from\":\"2026-11-24T11:00:00Z\",\"until\":"
		     "\"2026-11-24T13:30:00Z\",\"n\":\"1\",\"bytes\":\"2\",\"leaves\":1}]}"));
	ck_assert(page.html.depth == 0 && buf_ok(&out));
	HAS("<td>&lt;b&gt;</td>");
	HAS("<td>low</td>");
	HAS("<td class=\"number warn\">9007199254740993</td><td class=\"number\">4711</td>");
	HAS("<td>several rules</td>");
}
END_TEST

START_TEST(what_goes_on_or_began_before_ends_with_the_picture)
{
	draw("{\"items\":[{\"node\":\"n1\",\"sensor\":\"falco\",\"state\":\"connected\","
	     "\"from\":\"2026-11-20T00:00:00Z\"},{\"node\":\"n1\",\"sensor\":\"falco\","
	     "\"state\":\"silent\",\"from\":\"2026-11-24T15:00:00Z\",\"until\":\"2027-01-01T00:00:"
	     "00Z\"},"
	     "{\"node\":\"n1\",\"sensor\":\"falco\",\"state\":\"throttled\",\"from\":\"2026-11-"
	     "24T07:00:00Z\","
	     "\"until\":\"2026-11-24T07:00:01Z\"}]}",
		FROM_NS + 10 * HOUR_NS);
	HAS("<rect x=\"210\" y=\"10\" width=\"746\" height=\"4\">");
	HAS("<rect x=\"881\" y=\"4\" width=\"75\" height=\"16\">");
	/* a second in ten hours is still seen */
	HAS("<rect x=\"284\" y=\"12\" width=\"3\" height=\"8\">");
	ck_assert_uint_eq(count("</text>"), 1);
	/* how much was lost is not known: that is not none */
	ck_assert_uint_eq(count("<td class=\"number\">?</td>"), 2);
	HAS("<td class=\"number\">still</td>");
}
END_TEST

START_TEST(each_sensor_of_each_node_has_a_lane_worst_rows_first)
{
	draw("{\"items\":[{\"source\":\"falco\",\"cluster\":\"a\",\"node\":\"n1\",\"sensor\":"
	     "\"falco\",\"state\":\"connected\"},"
	     "{\"source\":\"falco\",\"cluster\":\"b\",\"node\":\"n1\",\"sensor\":\"falco\","
	     "\"state\":\"silent\"},"
	     "{\"source\":\"tetragon\",\"cluster\":\"a\",\"node\":\"n1\",\"sensor\":\"tetragon\","
	     "\"state\":\"dropping\"},"
	     "{\"source\":\"kubearmor\",\"cluster\":\"c<b>\",\"state\":\"throttled\"}]}",
		FROM_NS + HOUR_NS);
	ck_assert_uint_eq(count("</text>"), 4);
	HAS("kubearmor · c&lt;b&gt;</text>");
	struct text page = buf_text(&out);
	size_t dropping = text_find(page, TEXT(">dropping</td>"), 0);
	size_t throttled = text_find(page, TEXT(">throttled</td>"), 0);
	size_t silent = text_find(page, TEXT(">silent</td>"), 0);
	size_t watching = text_find(page, TEXT(">watching</td>"), 0);
	ck_assert(dropping < throttled && throttled < silent && silent < watching &&
		  watching != SIZE_MAX);
}
END_TEST

START_TEST(many_are_cut_and_counted)
{
	struct buf json;
	buf_init(&json, HTML_BYTES);
	buf_add_string(&json, "{\"items\":[");
	for (unsigned i = 0; i < 90; i++)
		buf_addf(&json, "%s{\"node\":\"n%u\",\"sensor\":\"falco\",\"state\":\"silent\"}",
			i ? "," : "", i);
	buf_add_string(&json, "]}");
	draw(json.data, FROM_NS + HOUR_NS);
	ck_assert_uint_eq(count("</text>"), 40);
	ck_assert_uint_eq(count("<tr>") - 1, 50);
	HAS("50 of 90 are shown.");
	buf_done(&json);
	draw("{\"items\":[]}", FROM_NS);
	HAS("Nothing is known yet");
	draw("{}", FROM_NS);
	HAS("Nothing is known yet");
	/* a span of nothing, and one that ends before it begins */
	draw("{\"items\":[{\"state\":\"silent\"}]}", FROM_NS);
	draw("{\"items\":[{\"state\":\"silent\",\"until\":\"2026-11-24T15:00:00Z\"}]}", 0);
}
END_TEST

START_TEST(an_incident_says_what_it_may_lack)
{
	static const char json[] =
		"{\"number\":\"INC-7\",\"not_yet_heard\":[\"n2\",\"n3\"],\"coverage\":["
		"{\"sensor\":\"falco\",\"node\":\"n1\",\"state\":\"silent\",\"from\":\"2026-11-"
		"24T07:00:00Z\"},"
		"{\"sensor\":\"falco\",\"state\":\"dropping\",\"from\":\"2026-11-24T07:00:00Z\","
		"\"until\":\"2026-11-24T08:00:00Z\",\"n\":\"12\"}]}";
	struct page page = begin_page(LANGUAGE_ENGLISH);
	ck_assert(coverage_doubts(&page, read(json)));
	HAS("falco on any node: dropping, 07:00:00 to 08:00:00, lost: 12.");
	HAS("falco on n1: silent, 07:00:00 to still.");
	HAS("2 nodes have not sent all yet: n2 …");
	HAS("/incidents/7/tactics#coverage");
	page = begin_page(LANGUAGE_CHINESE);
	ck_assert(coverage_doubts(&page, read("{\"not_yet_heard\":[\"n2\"]}")));
	HAS("n2");
	page = begin_page(LANGUAGE_ENGLISH);
	ck_assert(!coverage_doubts(&page, read("{\"coverage\":[]}")));
	ck_assert_uint_eq(out.size, 0);
}
END_TEST

static void begin(void)
{
	arena_init(&arena, ARENA_BYTES);
	buf_init(&out, HTML_BYTES);
}

static void end(void)
{
	buf_done(&out);
	arena_done(&arena);
}

int main(void)
{
	Suite *suite = suite_create("pages/coverage");
	TCase *tests = tcase_create("coverage");
	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, bars_stand_where_they_were);
	tcase_add_test(tests, what_was_shed_is_listed_by_its_rule);
	tcase_add_test(tests, what_was_shed_is_a_bar_with_an_edge_and_its_words);
	tcase_add_test(tests, what_goes_on_or_began_before_ends_with_the_picture);
	tcase_add_test(tests, each_sensor_of_each_node_has_a_lane_worst_rows_first);
	tcase_add_test(tests, many_are_cut_and_counted);
	tcase_add_test(tests, an_incident_says_what_it_may_lack);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
