/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "base/base64.h"
#include "net/grpc_header.h"

static struct arena arena;
static struct buf out;

static int64_t read_timeout(const char *text)
{
	int64_t timeout_ms = -7;
	return grpc_timeout_read(text_of(text), &timeout_ms) ? timeout_ms : -1;
}

START_TEST(reads_timeouts)
{
	ck_assert_int_eq(read_timeout("0m"), 0);
	ck_assert_int_eq(read_timeout("1n"), 1); /* rounded up: a caller is never cut short */
	ck_assert_int_eq(read_timeout("1000000n"), 1);
	ck_assert_int_eq(read_timeout("1000001n"), 2);
	ck_assert_int_eq(read_timeout("1500u"), 2);
	ck_assert_int_eq(read_timeout("250m"), 250);
	ck_assert_int_eq(read_timeout("3S"), 3000);
	ck_assert_int_eq(read_timeout("2M"), 120000);
	ck_assert_int_eq(read_timeout("99999999H"), INT64_C(99999999) * 3600000);
}
END_TEST

START_TEST(knows_what_is_no_timeout)
{
	static const char *const wrong[] = {"", "m", "1", "100000000m", "-1m", "+1m", "1 m", " 1m",
		"1m ", "1s", "1h", "0x1m", "1.5S"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_msg(read_timeout(wrong[i]) == -1, "'%s' was taken", wrong[i]);
}
END_TEST

START_TEST(writes_timeouts)
{
	char text[GRPC_TIMEOUT_BYTES];
	grpc_timeout_write(0, text);
	ck_assert_str_eq(text, "1m");
	grpc_timeout_write(99999999, text);
	ck_assert_str_eq(text, "99999999m");
	grpc_timeout_write(100000000, text);
	ck_assert_str_eq(text, "100000S");
	grpc_timeout_write(INT64_MAX, text);
	ck_assert_str_eq(text, "99999999S");
}
END_TEST

START_TEST(messages_are_escaped)
{
	grpc_message_write(&out, TEXT("no: 100 % w\xc3\xb6rong\r\n~"));
	ck_assert(text_is(buf_text(&out), "no: 100 %25 w%C3%B6rong%0D%0A~"));
	ck_assert(text_equal(
		grpc_message_read(buf_text(&out), &arena), TEXT("no: 100 % w\xc3\xb6rong\r\n~")));
}
END_TEST

START_TEST(what_is_no_escape_stays)
{
	ck_assert(text_is(grpc_message_read(TEXT("100% %zz %4"), &arena), "100% %zz %4"));
	ck_assert(text_is(grpc_message_read(TEXT("%%41"), &arena), "%A"));
	ck_assert(text_is(grpc_message_read(TEXT("%41%"), &arena), "A%"));
	ck_assert_uint_eq(grpc_message_read(TEXT_NONE, &arena).size, 0);
}
END_TEST

START_TEST(bytes_are_letters)
{
	static const struct {
		struct text bytes;
		const char *letters;
	} rows[] = {{TEXT(""), ""}, {TEXT("\x00"), "AA"}, {TEXT("\x00\xff"), "AP8"},
		{TEXT("\x00\xff\x3e"), "AP8+"}, {TEXT("\xff\xff\xff\xff"), "/////w"}};
	struct text back = TEXT_NONE;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&out);
		grpc_binary_write(&out, rows[i].bytes);
		ck_assert(text_is(buf_text(&out), rows[i].letters));
		ck_assert(base64_read(buf_text(&out), &arena, &back));
		ck_assert(text_equal(back, rows[i].bytes));
	}
	ck_assert(base64_read(TEXT("/////w=="), &arena, &back) && back.size == 4);
	ck_assert(!base64_read(TEXT("A"), &arena, &back));
	ck_assert(!base64_read(TEXT("A\nP8"), &arena, &back));
}
END_TEST

START_TEST(knows_types_and_encodings)
{
	ck_assert(grpc_content_type_is_ours(TEXT("application/grpc")));
	ck_assert(grpc_content_type_is_ours(TEXT("application/grpc+proto")));
	ck_assert(grpc_content_type_is_ours(TEXT("application/grpc;charset=utf-8")));
	ck_assert(!grpc_content_type_is_ours(TEXT("application/grpc-web")));
	ck_assert(!grpc_content_type_is_ours(TEXT("application/json")));
	ck_assert(!grpc_content_type_is_ours(TEXT_NONE));
	ck_assert(grpc_takes_gzip(TEXT("identity, deflate,gzip")));
	ck_assert(!grpc_takes_gzip(TEXT("identity,gzip2")));
	ck_assert(!grpc_takes_gzip(TEXT_NONE));
	ck_assert_int_eq(grpc_code_of_http(503), GRPC_UNAVAILABLE);
	ck_assert_int_eq(grpc_code_of_http(404), GRPC_UNIMPLEMENTED);
	ck_assert_int_eq(grpc_code_of_http(200), GRPC_UNKNOWN);
	ck_assert_str_eq(grpc_code_name(GRPC_UNAUTHENTICATED), "UNAUTHENTICATED");
	ck_assert_str_eq(grpc_code_name((enum grpc_code)17), "UNKNOWN");
}
END_TEST

static void start(void)
{
	arena_init(&arena, 65536);
	buf_init(&out, 65536);
}

static void stop(void)
{
	arena_done(&arena);
	buf_done(&out);
}

int main(void)
{
	Suite *suite = suite_create("net/grpc_header");
	TCase *tests = tcase_create("grpc_header");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, reads_timeouts);
	tcase_add_test(tests, knows_what_is_no_timeout);
	tcase_add_test(tests, writes_timeouts);
	tcase_add_test(tests, messages_are_escaped);
	tcase_add_test(tests, what_is_no_escape_stays);
	tcase_add_test(tests, bytes_are_letters);
	tcase_add_test(tests, knows_types_and_encodings);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
