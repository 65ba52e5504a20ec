/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/record.h"

static const struct spool_id id = {"0123456789abcdef"};
static struct buf bytes;
static struct record found;
static size_t size;

static void setup(void)
{
	buf_init(&bytes, 1 << 20);
}

static void teardown(void)
{
	buf_done(&bytes);
}

static char cuts[2 * RECORD_CUT_BYTES];

static const struct record alert = {
	.number = 7,
	.kind = RECORD_ALERT,
	.severity = SEVERITY_HIGH,
	.source = SOURCE_FALCO,
	.received_ns = -5,
	.rule = {"Terminal shell", 14},
	.cuts = {cuts, sizeof cuts},
	.raw = {"{\"rule\":1}", 10},
};
static const struct record shed = {
	.number = UINT64_MAX,
	.kind = RECORD_SHED,
	.severity = SEVERITY_INFO,
	.source = SOURCE_TETRAGON,
	.rule = {"r", 1},
	.shed = {1, 2, 3, 4},
};

static enum record_found read_whole(void)
{
	return record_read(buf_text(&bytes), &id, &found, &size);
}

START_TEST(reads_what_was_written)
{
	record_write(&alert, &id, &bytes);
	ck_assert_uint_eq(bytes.size, record_size(&alert));
	ck_assert_int_eq(read_whole(), RECORD_WHOLE);
	ck_assert_uint_eq(size, bytes.size);
	ck_assert_uint_eq(found.number, 7);
	ck_assert_int_eq(found.kind, RECORD_ALERT);
	ck_assert_int_eq(found.severity, SEVERITY_HIGH);
	ck_assert_int_eq(found.source, SOURCE_FALCO);
	ck_assert_int_eq(found.received_ns, -5);
	ck_assert(text_equal(found.rule, alert.rule));
	ck_assert(text_equal(found.cuts, alert.cuts));
	ck_assert(text_equal(found.raw, alert.raw));
}
END_TEST

START_TEST(reads_what_was_shed)
{
	record_write(&shed, &id, &bytes);
	ck_assert_uint_eq(bytes.size, record_size(&shed));
	ck_assert_int_eq(read_whole(), RECORD_WHOLE);
	ck_assert_uint_eq(found.number, UINT64_MAX);
	ck_assert(text_is(found.rule, "r"));
	ck_assert_mem_eq(&found.shed, &shed.shed, sizeof found.shed);
}
END_TEST

START_TEST(what_is_cut_short_is_short)
{
	record_write(&alert, &id, &bytes);
	for (size_t n = 0; n < bytes.size; n++) {
		enum record_found what =
			record_read(text_part(buf_text(&bytes), 0, n), &id, &found, &size);
		ck_assert_int_eq(what, RECORD_SHORT);
		ck_assert_uint_gt(size, n);
	}
}
END_TEST

/* Each bit of it, and of a record of the other kind. */
START_TEST(no_bit_may_change)
{
	record_write(_i ? &shed : &alert, &id, &bytes);
	for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
		bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ 1 << bit % 8);
		ck_assert_int_ne(read_whole(), RECORD_WHOLE);
		bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ 1 << bit % 8);
	}
	ck_assert_int_eq(read_whole(), RECORD_WHOLE);
}
END_TEST

START_TEST(another_spools_record_is_none)
{
	const struct spool_id other = {"0123456789abcdeF"};
	record_write(&alert, &other, &bytes);
	ck_assert_int_eq(read_whole(), RECORD_BROKEN);
}
END_TEST

START_TEST(the_next_mark_is_found)
{
	buf_add_string(&bytes, "01 012 0123");
	ck_assert_uint_eq(record_seek(buf_text(&bytes), &id, 0), 7);
	ck_assert_uint_eq(record_seek(buf_text(&bytes), &id, 8), 8);
	buf_clear(&bytes);
	buf_add_string(&bytes, "xxxxxxx012");
	ck_assert_uint_eq(record_seek(buf_text(&bytes), &id, 0), 7);
	ck_assert_uint_eq(record_seek(buf_text(&bytes), &id, 9), 9);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *tests = tcase_create("record");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, reads_what_was_written);
	tcase_add_test(tests, reads_what_was_shed);
	tcase_add_test(tests, what_is_cut_short_is_short);
	tcase_add_loop_test(tests, no_bit_may_change, 0, 2);
	tcase_add_test(tests, another_spools_record_is_none);
	tcase_add_test(tests, the_next_mark_is_found);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
