/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "decode/body.h"

enum { RECEIVED_S = 1795478400 };
#define RECEIVED_NS (INT64_C(1000000000) * RECEIVED_S)
#define GOOD        "{\"rule\":\"r\",\"priority\":\"Notice\",\"time\":\"2026-11-21T19:52:28Z\"}"

static struct batch *batch;
static struct err err;

static int decode(enum source source, struct text body)
{
	batch_free(batch);
	batch = batch_new();
	ck_assert_ptr_nonnull(batch);
	batch->source = source;
	batch->cluster = TEXT("c");
	err = (struct err){0};
	return body_decode(body, RECEIVED_NS, batch, &err);
}

/* 'a' for each alert, 'q' for each quarantined event, in order */
static const char *kinds(const char *body)
{
	static char out[64];
	size_t n = 0;
	ck_assert_msg(decode(SOURCE_FALCO, text_of(body)) == 0, "%s", err.text);
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		out[n++] = alert->kind == LEAF_ALERT ? 'a' : 'q';
	out[n] = '\0';
	return out;
}

START_TEST(splits_bodies)
{
	ck_assert_str_eq(kinds(""), "");
	ck_assert_str_eq(kinds(" \r\n"), "");
	ck_assert_str_eq(kinds(GOOD), "a");
	ck_assert_str_eq(kinds("\n " GOOD "\r\n\r\n" GOOD "\n"), "aa");
	ck_assert_str_eq(kinds(GOOD GOOD), "aa");
	ck_assert_str_eq(kinds("[" GOOD ",\n" GOOD "]"), "aa");
	ck_assert_str_eq(kinds("[]"), "");
	ck_assert_str_eq(kinds("[[" GOOD "],1,null,\"s\"," GOOD "]\n" GOOD), "qqqqaa");
	ck_assert_str_eq(kinds("{\n \"rule\":\"r\"\n}\n{\n}\n" GOOD), "aqa");
}
END_TEST

START_TEST(keeps_the_bytes_of_each_event)
{
	ck_assert_str_eq(kinds("[ " GOOD " ,\t" GOOD "]"), "aa");
	for (const struct alert *alert = batch->first; alert; alert = alert->next) {
		ck_assert(text_is(alert->raw, GOOD));
		struct digest digest = digest_of(alert->raw);
		ck_assert_mem_eq(digest.bytes, alert->raw_digest.bytes, DIGEST_BYTES);
	}
}
END_TEST

START_TEST(keeps_good_events_beside_broken_ones)
{
	ck_assert_str_eq(kinds(GOOD "\n{\"rule\":}\n" GOOD "\n"), "aqa");
	ck_assert_str_eq(kinds("{\"rule\":\"cut\n" GOOD), "qa");
	ck_assert_str_eq(kinds(GOOD "\nnoise\n" GOOD), "aqa");
	ck_assert_str_eq(kinds("[" GOOD "," GOOD ",{\"ru"), "aaq");
	ck_assert_str_eq(kinds("[" GOOD " " GOOD "]"), "aq");
	ck_assert_str_eq(kinds(GOOD "\n{\n\"a\":1,\n\"b\"\n"), "aq");
	/* What is open swallows what follows: nobody can tell where it should have ended. */
	ck_assert_str_eq(kinds(GOOD "\n{\"rule\":\n" GOOD "\n"), "aq");
	ck_assert_str_eq(kinds("{"), "q");
	ck_assert_str_eq(kinds("["), "q");
}
END_TEST

START_TEST(reads_text_lines)
{
	ck_assert_str_eq(
		kinds("19:52:28.429697301: Notice a (b=c)\n19:52:28.429697302: Error d\n"), "aa");
	ck_assert_str_eq(kinds("19:52:28.429697301: Notice a\nof two lines\n"), "a");
	ck_assert_str_eq(kinds("noise\nmore noise\n19:52:28.429697301: Notice a\n"), "qa");
	ck_assert_str_eq(kinds(GOOD "\n19:52:28.429697301: Notice a\n" GOOD), "aaa");
	/* A message cannot make an alert of its own. */
	ck_assert_str_eq(kinds("19:52:28.429697301: Notice a\n" GOOD), "a");
}
END_TEST

START_TEST(refuses_what_is_no_json)
{
	static const char *const bodies[] = {"", "hello", "{\"a\":", "[", "42", "{'a':1}"};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		ck_assert_int_eq(decode(SOURCE_FALCOSIDEKICK, text_of(bodies[i])), -1);
		ck_assert_int_eq(err.kind, ERR_INPUT);
		ck_assert_ptr_nonnull(strstr(err.text, "offset "));
		ck_assert_uint_eq(batch->n_alerts, 0);
	}
	ck_assert_int_eq(decode(SOURCE_FALCOSIDEKICK, TEXT("  {\"a\":x}")), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "offset 7"));
	ck_assert_int_eq(decode(SOURCE_FALCOSIDEKICK, TEXT(GOOD "\n{\"a\":")), 0);
	ck_assert_uint_eq(batch->n_alerts, 2);
}
END_TEST

/* As kinds; alerts that have not the bytes of GOOD are 'b'. */
static const char *kinds_of_lines(enum source source, const char *lines)
{
	static char out[64];
	size_t n = 0;
	batch_free(batch);
	batch = batch_new();
	ck_assert_ptr_nonnull(batch);
	batch->source = source;
	ck_assert_msg(lines_decode(text_of(lines), RECEIVED_NS, batch, &err) == 0, "%s", err.text);
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		if (alert->kind == LEAF_QUARANTINED)
			out[n++] = 'q';
		else
			out[n++] = text_is(alert->raw, GOOD) ? 'a' : 'b';
	out[n] = '\0';
	return out;
}

START_TEST(refuses_no_line)
{
	static const enum source sources[] = {SOURCE_FALCO, SOURCE_FALCOSIDEKICK};
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		enum source source = sources[i];
		ck_assert_str_eq(kinds_of_lines(source, ""), "");
		ck_assert_str_eq(kinds_of_lines(source, GOOD "\n" GOOD "\n"), "aa");
		ck_assert_str_eq(
			kinds_of_lines(source, "ue,\"n\":\"x\"}}\n" GOOD "\n" GOOD "\n"), "qaa");
		ck_assert_str_eq(kinds_of_lines(source, "{\"a\":x}\n" GOOD "\n"), "qa");
		ck_assert_str_eq(kinds_of_lines(source, "{\"a\":\n" GOOD "\n" GOOD "\n"), "qaa");
		ck_assert_str_eq(kinds_of_lines(source, "{\"a\":\n" GOOD "\n}\n"), "qaq");
		ck_assert_str_eq(kinds_of_lines(source, "[1,\n" GOOD "\n"), "qa");
		ck_assert_str_eq(kinds_of_lines(source, GOOD "\n{\n\"a\":1,\n"), "aq");
		ck_assert_str_eq(kinds_of_lines(source, "hello\n"), "q");
	}
	ck_assert_str_eq(kinds_of_lines(SOURCE_TETRAGON, "42\n"), "q");
}
END_TEST

START_TEST(text_after_the_rest_of_a_line_is_text)
{
	ck_assert_str_eq(kinds_of_lines(SOURCE_FALCO,
				 "of two lines\n19:52:28.429697301: Notice a\n" GOOD "\n"),
		"qb");
}
END_TEST

START_TEST(stops_at_the_limit_of_events)
{
	size_t size = 3 * (size_t)BODY_EVENTS_MAX;
	char *many = malloc(size + 3);
	ck_assert_ptr_nonnull(many);
	for (size_t i = 0; i < size + 3; i++)
		many[i] = "{}\n"[i % 3];
	ck_assert_int_eq(decode(SOURCE_FALCO, (struct text){many, size}), 0);
	ck_assert_uint_eq(batch->n_alerts, BODY_EVENTS_MAX);
	ck_assert_int_eq(decode(SOURCE_FALCO, (struct text){many, size + 3}), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	batch_free(batch);
	batch = batch_new();
	batch->source = SOURCE_FALCO;
	ck_assert_int_eq(lines_decode((struct text){many, size + 3}, RECEIVED_NS, batch, &err), 0);
	ck_assert_uint_eq(batch->n_alerts, BODY_EVENTS_MAX + 1);
	free(many);
}
END_TEST

START_TEST(has_complete_tables)
{
	for (size_t i = 0; decoders[i]; i++) {
		const struct decoder *decoder = decoders[i];
		ck_assert(decoder_of(decoder->source) == decoder);
		ck_assert(decoder->decode && decoder->sniff && decoder->sensor);
		ck_assert_str_eq(decoder->name, source_info(decoder->source)->name);
		ck_assert(
			source_info(decoder->source)->text_lines == (decoder->decode_text != NULL));
	}
	ck_assert(!decoder_of(SOURCE_NONE));
	ck_assert(decoder_falco.sniff(TEXT("19:52:28.429697301: Notice a")));
	ck_assert(!decoder_falco.sniff(TEXT(GOOD)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("body");
	TCase *tests = tcase_create("body");
	tcase_add_test(tests, splits_bodies);
	tcase_add_test(tests, keeps_the_bytes_of_each_event);
	tcase_add_test(tests, keeps_good_events_beside_broken_ones);
	tcase_add_test(tests, reads_text_lines);
	tcase_add_test(tests, refuses_what_is_no_json);
	tcase_add_test(tests, refuses_no_line);
	tcase_add_test(tests, text_after_the_rest_of_a_line_is_text);
	tcase_add_test(tests, stops_at_the_limit_of_events);
	tcase_add_test(tests, has_complete_tables);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
