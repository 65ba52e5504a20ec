/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/body.h"
#include "model/alert_json.h"
#include "model/alert_record.h"

static struct buf body;

static void read_corpus(const char *name)
{
	char path[4096], bytes[4096];
	size_t n;
	text_format(path, sizeof path, "%s/tests/corpus/%s", getenv("TOCSIN_SOURCE"), name);
	FILE *file = fopen(path, "rb");
	ck_assert_ptr_nonnull(file);
	buf_init(&body, 64 * 1024 * 1024);
	while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
		buf_add_bytes(&body, bytes, n);
	fclose(file);
	ck_assert(buf_ok(&body));
}

static void shown(struct buf *out, const struct alert *alert)
{
	struct emitter writer;
	buf_init(out, 1024 * 1024);
	emit_init(&writer, out);
	alert_write_json(&writer, alert, 0);
}

/* All that the API shows comes back from the record, but for what the row and the leaf have. */
static void check_round_trip(const struct alert *alert)
{
	struct buf record, before, after;
	struct arena arena;
	struct alert again;
	struct err err;
	buf_init(&record, 1024 * 1024);
	arena_init(&arena, 1024 * 1024);
	alert_record_write(&record, alert);
	ck_assert_msg(
		alert_record_read(buf_text(&record), &arena, &again, &err) == 0, "%s", err.text);
	again.kind = alert->kind;
	again.source = alert->source;
	again.received_ns = alert->received_ns;
	memcpy(again.occ, alert->occ, sizeof again.occ);
	shown(&before, alert);
	shown(&after, &again);
	ck_assert_str_eq(buf_string(&before), buf_string(&after));
	for (size_t size = 1; size < record.size;
		size += 7) { /* cut short: an error or a part, no crash */
		struct text part = {record.data, size};
		ignore(alert_record_read(part, &arena, &again, &err)); /* either is right */
	}
	buf_done(&record);
	buf_done(&before);
	buf_done(&after);
	arena_done(&arena);
}

static void check_corpus(const char *name, enum source source)
{
	struct batch *batch = batch_new();
	struct err err = {0};
	ck_assert_ptr_nonnull(batch);
	read_corpus(name);
	batch->source = source;
	batch->cluster = TEXT("c");
	ck_assert_msg(body_decode(buf_text(&body), 1795478400000000000, batch, &err) == 0, "%s",
		err.text);
	ck_assert_uint_gt(batch->n_alerts, 0);
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		check_round_trip(alert);
	batch_free(batch);
	buf_done(&body);
}

START_TEST(comes_back_as_it_was)
{
	check_corpus("own/odd.jsonl", SOURCE_FALCO);
	check_corpus("own/broken.jsonl", SOURCE_FALCO);
	check_corpus("own/tocsin.jsonl", SOURCE_TOCSIN);
	check_corpus("falco-live/default-rules.jsonl", SOURCE_FALCO);
}
END_TEST

START_TEST(skips_what_it_does_not_know)
{
	struct arena arena;
	struct alert alert;
	struct err err;
	arena_init(&arena, 65536);
	struct text record = TEXT("\x01\xfe\x03"
				  "abc"
				  "\x0f\x04rule");
	ck_assert_int_eq(alert_record_read(record, &arena, &alert, &err), 0);
	ck_assert(text_is(alert.rule, "rule"));
	ck_assert_int_eq(alert_record_read(TEXT("\x02"), &arena, &alert, &err), -1);
	ck_assert_int_eq(err.kind, ERR_CORRUPT);
	arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("alert_record");
	TCase *tests = tcase_create("alert_record");
	tcase_add_test(tests, comes_back_as_it_was);
	tcase_add_test(tests, skips_what_it_does_not_know);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
