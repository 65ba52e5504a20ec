/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"

START_TEST(reads_what_buf_writes)
{
	static const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
	struct buf buf;
	buf_init(&buf, 4096);
	for (size_t i = 0; i < 8; i++) {
		buf_add_varint(&buf, numbers[i]);
		buf_add_be64(&buf, numbers[i]);
		buf_add_be32(&buf, (uint32_t)numbers[i]);
		buf_add_byte(&buf, (unsigned char)numbers[i]);
	}
	struct cursor cursor = cursor_of(buf_text(&buf));
	for (size_t i = 0; i < 8; i++) {
		ck_assert_uint_eq(cursor_varint(&cursor), numbers[i]);
		ck_assert_uint_eq(cursor_be64(&cursor), numbers[i]);
		ck_assert_uint_eq(cursor_be32(&cursor), (uint32_t)numbers[i]);
		ck_assert_uint_eq(cursor_u8(&cursor), (uint8_t)numbers[i]);
	}
	ck_assert(cursor_at_end(&cursor));
	buf_done(&buf);
}
END_TEST

/* From an exact copy, so that AddressSanitizer sees a read past the end. */
START_TEST(past_the_end_is_zero_for_ever)
{
	static const char whole[] = "\1\2\3\4\5\6\7\x8\x80\1";
	for (size_t size = 0; size < sizeof whole - 1; size++) {
		char *cut = malloc(size ? size : 1);
		memcpy(cut, whole, size);
		struct cursor cursor = cursor_of((struct text){cut, size});
		cursor_be64(&cursor);
		cursor_varint(&cursor);
		ck_assert_msg(cursor.failed, "cut at %zu", size);
		ck_assert_uint_eq(cursor_u8(&cursor), 0);
		ck_assert_uint_eq(cursor_be32(&cursor), 0);
		ck_assert_uint_eq(cursor_take(&cursor, 1).size, 0);
		ck_assert_uint_eq(cursor_left(&cursor), 0);
		ck_assert(!cursor_at_end(&cursor));
		free(cut);
	}
}
END_TEST

START_TEST(a_number_has_ten_bytes_at_most)
{
	struct cursor cursor = cursor_of(TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"));
	ck_assert_uint_eq(cursor_varint(&cursor), UINT64_MAX);
	ck_assert(cursor_at_end(&cursor));
	cursor = cursor_of(TEXT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1"));
	ck_assert_uint_eq(cursor_varint(&cursor), 0);
	ck_assert(cursor.failed);
}
END_TEST

START_TEST(takes_exactly_what_is_left)
{
	struct cursor cursor = cursor_of(TEXT("abc"));
	ck_assert(text_is(cursor_take(&cursor, 2), "ab"));
	ck_assert_uint_eq(cursor_left(&cursor), 1);
	ck_assert(text_is(cursor_take(&cursor, 1), "c"));
	ck_assert(cursor_at_end(&cursor));
	ck_assert_uint_eq(cursor_take(&cursor, SIZE_MAX).size, 0);
	ck_assert(cursor.failed);
	cursor = cursor_of(TEXT_NONE);
	ck_assert(cursor_at_end(&cursor));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cursor");
	TCase *tests = tcase_create("cursor");
	tcase_add_test(tests, reads_what_buf_writes);
	tcase_add_test(tests, past_the_end_is_zero_for_ever);
	tcase_add_test(tests, a_number_has_ten_bytes_at_most);
	tcase_add_test(tests, takes_exactly_what_is_left);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
