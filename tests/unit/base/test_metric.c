/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric.h"

enum { MAX_SERIES = 3 };

static const double bounds[] = {0.1, 1, 0};
static struct clock_manual manual;
static struct buf out;

static struct metric_family counter, gauge, histogram, plain;
static struct metric_family *const families[] = {&counter, &gauge, &histogram, &plain, NULL};

static void setup(void)
{
	counter = (struct metric_family){.name = "c_total",
		.help = "C.",
		.type = METRIC_COUNTER,
		.n_labels = 2,
		.labels = {"priority", "rule"},
		.max_series = MAX_SERIES,
		.overflow_label = 1};
	gauge = (struct metric_family){.name = "g", .help = "G.", .type = METRIC_GAUGE};
	histogram = (struct metric_family){
		.name = "h", .help = "H.", .type = METRIC_HISTOGRAM, .buckets = bounds};
	plain = (struct metric_family){.name = "p_total", .help = "P.", .type = METRIC_COUNTER};
	clock_manual_init(&manual, 0);
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	for (struct metric_family *const *family = families; *family; family++)
		metric_family_done(*family);
	buf_done(&out);
}

static struct metric_series *count(const char *priority, const char *rule, uint64_t n)
{
	struct text labels[] = {text_of(priority), text_of(rule)};
	struct metric_series *series = metric_series(&counter, &manual.clock, labels);
	metric_add(series, n);
	return series;
}

/* What stands behind the series @name in a scrape now; "" if it is not there. */
static const char *scrape(const char *name)
{
	static char value[64];
	buf_clear(&out);
	metric_write(&out, families, &manual.clock);
	struct text rest = buf_text(&out), line;
	while (text_split(&rest, '\n', &line))
		if (text_starts(line, text_of(name)) && line.data[strlen(name)] == ' ') {
			struct text found = text_part(line, strlen(name) + 1, line.size);
			text_format(value, sizeof value, "%.*s", TEXT_ARG(found));
			return value;
		}
	return "";
}

#define NOTICE_A "c_total{priority=\"Notice\",rule=\"a\"}"

/* A counter born at 1 has no rate(): rules would miss the first event. */
START_TEST(a_new_series_is_zero_until_it_was_scraped)
{
	count("Notice", "a", 5);
	ck_assert_str_eq(scrape(NOTICE_A), "0");
	ck_assert_str_eq(scrape(NOTICE_A), "5");
	count("Notice", "a", 2);
	ck_assert_str_eq(scrape(NOTICE_A), "7");
}
END_TEST

START_TEST(or_until_it_is_a_minute_old)
{
	manual.monotonic_ms = 1000;
	count("Notice", "a", 5);
	manual.monotonic_ms = 60999;
	count("Notice", "b", 3);
	ck_assert_str_eq(scrape(NOTICE_A), "0"); /* and not scraped before */
	teardown();
	setup();
	count("Notice", "a", 5);
	manual.monotonic_ms = 60000;
	ck_assert_str_eq(scrape(NOTICE_A), "5");
}
END_TEST

START_TEST(over_the_cap_a_label_is_other)
{
	count("Notice", "a", 1);
	count("Notice", "b", 1);
	struct metric_series *last = count("Error", "c", 1); /* exactly full */
	ck_assert_ptr_eq(count("Error", "c", 1), last);
	struct metric_series *other = count("Notice", "d", 1);
	ck_assert_ptr_eq(count("Notice", "e", 1), other);
	ck_assert_ptr_ne(other, last);
	ck_assert_ptr_eq(count("Error", "c", 1), last); /* who was there stays */
	scrape("");
	ck_assert_str_eq(scrape("c_total{priority=\"Error\",rule=\"c\"}"), "3");
	ck_assert_str_eq(scrape("c_total{priority=\"Notice\",rule=\"other\"}"), "2");
	ck_assert_str_eq(scrape("c_total{priority=\"Notice\",rule=\"d\"}"), "");
}
END_TEST

/* The other labels are senders' words as well: no label is unbounded. */
START_TEST(the_other_labels_are_bounded_too)
{
	for (unsigned i = 0; i < 100; i++) {
		char priority[16];
		text_format(priority, sizeof priority, "p%u", i);
		ck_assert_ptr_nonnull(count(priority, "a", 1));
	}
	ck_assert_uint_le(counter.n_series, 2 * MAX_SERIES + 1);
	scrape("");
	ck_assert_str_eq(scrape("c_total{priority=\"other\",rule=\"other\"}"), "94");
}
END_TEST

START_TEST(labels_are_escaped)
{
	count("a\"b\\c\nd", "\xff", 1);
	ck_assert_str_eq(
		scrape("c_total{priority=\"a\\\"b\\\\c\\nd\",rule=\"\xef\xbf\xbd\"}"), "0");
	char *longest = malloc(5000);
	memset(longest, 'x', 4999);
	longest[4999] = '\0';
	ck_assert_ptr_nonnull(count(longest, "a", 1));
	free(longest);
}
END_TEST

START_TEST(gauges_and_plain_counters_say_what_they_are)
{
	metric_set(metric_series(&gauge, &manual.clock, NULL), -7);
	metric_add(metric_series(&plain, &manual.clock, NULL), 3);
	ck_assert_str_eq(scrape("g"), "-7");
	ck_assert_str_eq(scrape("p_total"), "3");
	metric_add(NULL, 1);
	metric_set(NULL, 1);
	metric_observe(NULL, 1);
	ck_assert_uint_eq(metric_value(NULL), 0);
}
END_TEST

START_TEST(histograms_add_up)
{
	struct metric_series *series = metric_series(&histogram, &manual.clock, NULL);
	metric_observe(series, 0.1); /* at its bound */
	metric_observe(series, 0.5);
	metric_observe(series, 7);
	metric_observe(series, -3); /* a clock that went back */
	ck_assert_str_eq(scrape("h_bucket{le=\"0.1\"}"), "2");
	ck_assert_str_eq(scrape("h_bucket{le=\"1\"}"), "3");
	ck_assert_str_eq(scrape("h_bucket{le=\"+Inf\"}"), "4");
	ck_assert_str_eq(scrape("h_count"), "4");
	ck_assert_str_eq(scrape("h_sum"), "7.600000000");
}
END_TEST

START_TEST(families_have_a_head)
{
	scrape("");
	ck_assert_ptr_nonnull(
		strstr(buf_string(&out), "# HELP c_total C.\n# TYPE c_total counter\n"));
	ck_assert_ptr_nonnull(strstr(buf_string(&out), "# TYPE g gauge\n"));
	ck_assert_ptr_nonnull(strstr(buf_string(&out), "# TYPE h histogram\n"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metric");
	TCase *tests = tcase_create("metric");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_new_series_is_zero_until_it_was_scraped);
	tcase_add_test(tests, or_until_it_is_a_minute_old);
	tcase_add_test(tests, over_the_cap_a_label_is_other);
	tcase_add_test(tests, the_other_labels_are_bounded_too);
	tcase_add_test(tests, labels_are_escaped);
	tcase_add_test(tests, gauges_and_plain_counters_say_what_they_are);
	tcase_add_test(tests, histograms_add_up);
	tcase_add_test(tests, families_have_a_head);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
