/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static struct buf buf;

static void setup(void)
{
	buf_init(&buf, 16);
}

static void teardown(void)
{
	buf_done(&buf);
}

START_TEST(takes_up_to_its_maximum)
{
	buf_add_string(&buf, "0123456789abcdef");
	ck_assert(buf_ok(&buf));
	ck_assert_str_eq(buf_string(&buf), "0123456789abcdef");
	buf_add(&buf, TEXT_NONE);
	ck_assert(buf_ok(&buf));
	buf_add_byte(&buf, 'x');
	ck_assert(!buf_ok(&buf));
	ck_assert_uint_eq(buf.size, 16);
}
END_TEST

/* The first failure is kept: what comes later would stand in the wrong place. */
START_TEST(a_failure_stays)
{
	struct err err;
	buf_add_string(&buf, "ab");
	buf_add_string(&buf, "0123456789abcde");
	buf_add_byte(&buf, 'c');
	buf_addf(&buf, "%d", 1);
	ck_assert_ptr_null(buf_reserve(&buf, 1));
	ck_assert_str_eq(buf_string(&buf), "ab");
	ck_assert_int_eq(buf_error(&buf, &err, "the page"), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	ck_assert_str_eq(err.text, "the page is longer than 16 bytes");
	buf_clear(&buf);
	ck_assert(buf_ok(&buf));
	buf_add_byte(&buf, 'c');
	ck_assert_str_eq(buf_string(&buf), "c");
	buf_reserve(&buf, SIZE_MAX); /* no overflow */
	ck_assert(!buf_ok(&buf));
}
END_TEST

START_TEST(writes_numbers)
{
	buf_done(&buf);
	buf_init(&buf, 256);
	buf_add_u64(&buf, 0);
	buf_add_byte(&buf, ' ');
	buf_add_u64(&buf, UINT64_MAX);
	buf_add_byte(&buf, ' ');
	buf_add_i64(&buf, INT64_MIN);
	buf_add_byte(&buf, ' ');
	buf_add_hex(&buf, "\x00\xfe", 2);
	ck_assert_str_eq(buf_string(&buf), "0 18446744073709551615 -9223372036854775808 00fe");
	buf_clear(&buf);
	buf_add_be32(&buf, 0x01020304);
	buf_add_be64(&buf, UINT64_C(0x0102030405060708));
	buf_add_varint(&buf, 127);
	buf_add_varint(&buf, 128);
	ck_assert_uint_eq(buf.size, 15);
	ck_assert_mem_eq(buf.data, "\1\2\3\4\1\2\3\4\5\6\7\x8\x7f\x80\1", 15);
	ck_assert_int_eq(buf.data[15], '\0');
}
END_TEST

/* All of it or nothing, with the size in as few bytes as a varint takes. */
START_TEST(writes_sized_texts)
{
	char long_text[128] = {0};
	buf_add_sized(&buf, TEXT("abc"));
	buf_add_sized(&buf, TEXT_NONE);
	ck_assert_uint_eq(buf.size, 5);
	ck_assert_mem_eq(buf.data, "\3abc\0", 6);
	buf_add_sized(&buf, TEXT("0123456789"));
	ck_assert(buf_ok(&buf));
	ck_assert_uint_eq(buf.size, 16);
	buf_add_sized(&buf, TEXT_NONE);
	ck_assert(!buf_ok(&buf));
	ck_assert_uint_eq(buf.size, 16);
	buf_done(&buf);
	buf_init(&buf, 256);
	buf_add_sized(&buf, (struct text){long_text, 127});
	ck_assert_uint_eq(buf.size, 128);
	buf_clear(&buf);
	buf_add_sized(&buf, (struct text){long_text, 128});
	ck_assert_uint_eq(buf.size, 130);
	ck_assert_mem_eq(buf.data, "\x80\1\0", 3);
}
END_TEST

START_TEST(grows_and_keeps)
{
	buf_done(&buf);
	buf_init(&buf, 100000);
	for (unsigned i = 0; i < 100000; i++)
		buf_add_byte(&buf, (unsigned char)('a' + i % 26));
	ck_assert(buf_ok(&buf));
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_int_eq(buf.data[i], 'a' + (int)(i % 26));
}
END_TEST

START_TEST(gives_its_bytes_away)
{
	size_t size = 7;
	ck_assert_ptr_null(buf_take(&buf, &size));
	ck_assert_uint_eq(size, 0);
	ck_assert_str_eq(buf_string(&buf), "");
	buf_add_string(&buf, "abc");
	char *bytes = buf_take(&buf, &size);
	ck_assert_uint_eq(size, 3);
	ck_assert_str_eq(bytes, "abc");
	free(bytes);
	ck_assert_uint_eq(buf.size, 0);
	buf_add_string(&buf, "0123456789abcdefg");
	ck_assert(!buf_ok(&buf)); /* the maximum stayed */
}
END_TEST

START_TEST(reserves_then_commits)
{
	char *room = buf_reserve(&buf, 16);
	ck_assert_ptr_nonnull(room);
	memcpy(room, "xyz", 3);
	buf_commit(&buf, 3);
	ck_assert_str_eq(buf_string(&buf), "xyz");
	ck_assert_ptr_nonnull(buf_reserve(&buf, 13));
	ck_assert_ptr_null(buf_reserve(&buf, 14));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tests = tcase_create("buf");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, takes_up_to_its_maximum);
	tcase_add_test(tests, a_failure_stays);
	tcase_add_test(tests, writes_numbers);
	tcase_add_test(tests, writes_sized_texts);
	tcase_add_test(tests, grows_and_keeps);
	tcase_add_test(tests, gives_its_bytes_away);
	tcase_add_test(tests, reserves_then_commits);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
