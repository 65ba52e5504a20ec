/* SPDX-License-Identifier: Apache-2.0 */
#include "model/query_complete.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* "|" is where the cursor is. */
static struct query_spot spot_of(const char *text, enum query_of of)
{
	static char without[256];
	struct query_spot spot;
	size_t at = strcspn(text, "|");
	text_format(without, sizeof without, "%.*s%s", (int)at, text, text + at + (text[at] != 0));
	query_spot_find(text_of(without), at, of, &spot);
	return spot;
}

START_TEST(finds_what_could_stand_there)
{
	static const struct {
		const char *text;
		enum query_wanted wanted;
		const char *prefix, *field;
		size_t place, size;
	} rows[] = {
		{"|", QUERY_WANTS_FIELD, "", NULL, 0, 0},
		{"se|", QUERY_WANTS_FIELD, "se", NULL, 0, 2},
		{"ns:a -st|", QUERY_WANTS_FIELD, "st", NULL, 6, 2},
		{"(sta|te:open)", QUERY_WANTS_FIELD, "sta", NULL, 1, 3},
		{"severity|", QUERY_WANTS_FIELD, "severity", "severity", 0, 8},
		{"sev>=|", QUERY_WANTS_VALUE, "", "severity", 5, 0},
		{"sev>=hi|", QUERY_WANTS_VALUE, "hi", "severity", 5, 2},
		{"state:new,cl|", QUERY_WANTS_VALUE, "cl", "state", 10, 2},
		{"rule:\"Term sh|", QUERY_WANTS_VALUE, "Term sh", "rule", 5, 8},
		{"rule:\"a, b\",\"c|", QUERY_WANTS_VALUE, "c", "rule", 12, 2},
		{"{namespace=~\"pr|", QUERY_WANTS_VALUE, "pr", "namespace", 12, 3},
		{"foo:ba|", QUERY_WANTS_NOTHING, "foo:ba", NULL, 0, 6},
		{"\"quoted se|", QUERY_WANTS_NOTHING, "\"quoted se", NULL, 0, 10},
		{"cmdline:x|", QUERY_WANTS_NOTHING, "cmdline:x", NULL, 0, 9},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query_spot spot = spot_of(rows[i].text, QUERY_OF_INCIDENTS);
		ck_assert_msg(spot.wanted == rows[i].wanted &&
				      text_is(spot.prefix, rows[i].prefix) &&
				      spot.place == rows[i].place && spot.size == rows[i].size,
			"%s: wants %u, '%.*s' at %zu, %zu bytes", rows[i].text, spot.wanted,
			TEXT_ARG(spot.prefix), spot.place, spot.size);
		ck_assert_str_eq(spot.field ? spot.field->name : "none",
			rows[i].field ? rows[i].field : "none");
	}
	ck_assert_str_eq(spot_of("cmdline:x|", QUERY_OF_ALERTS).field->name, "cmdline");
}
END_TEST

/* What is written reads back as what it was. */
START_TEST(writes_values_that_read_back)
{
	static const char *const values[] = {"plain", "two words", "a,b", "quote\" star* back\\",
		"(x)", "{y}", "", "\xc3\xbc", "a:b=c"};
	struct arena arena;
	struct err err;
	arena_init(&arena, 1024 * 1024);
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct buf text;
		const struct query *query;
		const struct query_options options = {.of = QUERY_OF_ALERTS};
		buf_init(&text, 1024);
		buf_add_string(&text, "rule:");
		query_value_write(text_of(values[i]), &text);
		ck_assert_msg(query_parse(buf_text(&text), &options, &arena, &query, &err) == 0,
			"%s: %s", buf_string(&text), err.text);
		ck_assert_msg(
			text_is(query->root->term.match.text, values[i]), "%s", buf_string(&text));
		buf_done(&text);
	}
	arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("query_complete");
	TCase *tests = tcase_create("query_complete");
	tcase_add_test(tests, finds_what_could_stand_there);
	tcase_add_test(tests, writes_values_that_read_back);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
