/* SPDX-License-Identifier: Apache-2.0 */
/* What of a request is believed: forms, cookies, origins, how often somebody failed. */
#include <check.h>
#include <stdlib.h>

#include "access/attempts.h"
#include "access/form.h"
#include "access/origin.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1024 * 1024);
}

static void teardown(void)
{
	arena_done(&arena);
}

static bool form_is(const char *body, const char *wanted)
{
	return text_is(form_value(text_of(body), TEXT("a"), &arena), wanted);
}

START_TEST(fields_are_decoded_once_and_found_once)
{
	ck_assert(form_is("a=x", "x") && form_is("b=1&a=x+y&c=2", "x y") &&
		  form_is("a=%2B%26", "+&"));
	ck_assert(form_is("a=%2541", "%41") && form_is("a=", "") && form_is("a", ""));
	ck_assert(form_is("a=x&a=y", "") && form_is("a=%00", "") && form_is("a=%4", "") &&
		  form_is("a=%zz", "") && form_is("aa=x", "") && form_is("", ""));
}
END_TEST

static bool cookie_is(const char *header, const char *wanted)
{
	return text_is(cookie_value(text_of(header), TEXT("s")), wanted);
}

START_TEST(a_cookie_that_is_there_twice_is_none)
{
	ck_assert(cookie_is("s=x", "x") && cookie_is("a=1; s=x; b=2", "x") &&
		  cookie_is("s=x=y", "x=y"));
	ck_assert(cookie_is("s=x; s=y", "") && cookie_is("ss=x", "") && cookie_is("as=x", "") &&
		  cookie_is("", "") && cookie_is("s", ""));
}
END_TEST

START_TEST(only_paths_of_ours_are_gone_to)
{
	static const char *const good[] = {"/", "/a", "/a?b=c&d=%2f", "/a//b", "/.."};
	static const char *const bad[] = {"", "a", "//a", "/\\a", "\\/a", "https://a", "/a b",
		"/a\n", "/a\tb", "\t/a", "/\xc3\xa4", "/\x7f", "javascript:x"};
	char longest[2050];
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert_msg(next_is_ours(text_of(good[i])), "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!next_is_ours(text_of(bad[i])), "%s", bad[i]);
	for (size_t i = 0; i < sizeof longest; i++)
		longest[i] = i ? 'a' : '/';
	ck_assert(next_is_ours((struct text){longest, 2048}));
	ck_assert(!next_is_ours((struct text){longest, 2049}));
}
END_TEST

START_TEST(origins_must_be_ours)
{
	struct origin origin = {.host = TEXT("h:1")};
	ck_assert(!origin_is_ours(&origin, false) && !origin_is_ours(&origin, true));
	origin.origin = TEXT("http://h:1");
	ck_assert(origin_is_ours(&origin, false));
	origin.origin = TEXT("https://h:1");
	ck_assert(!origin_is_ours(&origin, false));
	origin.tls = true;
	ck_assert(origin_is_ours(&origin, false));
	origin.fetch_site = TEXT("same-site");
	ck_assert(!origin_is_ours(&origin, false));
	origin.fetch_site = TEXT("same-origin");
	ck_assert(origin_is_ours(&origin, false));
	origin.origin = TEXT("https://h:2");
	ck_assert(!origin_is_ours(&origin, false));
	origin.origin = TEXT("null");
	ck_assert(!origin_is_ours(&origin, false) && origin_is_ours(&origin, true));
	origin.fetch_site = TEXT("cross-site");
	ck_assert(!origin_is_ours(&origin, true));
}
END_TEST

START_TEST(behind_a_proxy_the_setting_says_what_is_ours)
{
	struct origin origin = {.host = TEXT("inner:8789"),
		.origin = TEXT("https://tocsin.example.com"),
		.url = TEXT("https://tocsin.example.com")};
	ck_assert(origin_is_ours(&origin, false));
	origin.origin = TEXT("http://inner:8789");
	ck_assert(!origin_is_ours(&origin, false));
	origin.origin = TEXT("https://tocsin.example.com.evil.example");
	ck_assert(!origin_is_ours(&origin, false));
}
END_TEST

START_TEST(each_failure_doubles_the_wait)
{
	struct attempts *attempts = attempts_new();
	struct text who = TEXT("192.0.2.1");
	int64_t now_ms = 1000000;
	ck_assert_ptr_nonnull(attempts);
	for (int i = 0; i < ATTEMPTS_FREE; i++) {
		ck_assert_uint_eq(attempts_wait_s(attempts, who, now_ms), 0);
		attempts_failed(attempts, who, now_ms);
	}
	for (unsigned wait_s = 1; wait_s < ATTEMPTS_WAIT_MAX_S; wait_s *= 2) {
		ck_assert_uint_eq(attempts_wait_s(attempts, who, now_ms), wait_s);
		ck_assert_uint_eq(attempts_wait_s(attempts, TEXT("192.0.2.2"), now_ms), 0);
		now_ms += (int64_t)wait_s * 1000;
		ck_assert_uint_eq(attempts_wait_s(attempts, who, now_ms), 0);
		attempts_failed(attempts, who, now_ms);
	}
	for (int i = 0; i < 40; i++)
		attempts_failed(attempts, who, now_ms);
	ck_assert_uint_eq(attempts_wait_s(attempts, who, now_ms), ATTEMPTS_WAIT_MAX_S);
	now_ms += ATTEMPTS_FORGET_MS;
	attempts_failed(attempts, who, now_ms);
	ck_assert_uint_eq(attempts_wait_s(attempts, who, now_ms), 0);
	attempts_free(attempts);
}
END_TEST

START_TEST(a_network_of_ipv6_is_one_address)
{
	struct attempts *attempts = attempts_new();
	for (int i = 0; i < ATTEMPTS_FREE; i++)
		attempts_failed(attempts, TEXT("2001:db8::1"), 1);
	ck_assert_uint_gt(attempts_wait_s(attempts, TEXT("2001:db8:0:0:a:b:c:d"), 1), 0);
	ck_assert_uint_eq(attempts_wait_s(attempts, TEXT("2001:db8:0:1::1"), 1), 0);
	for (int i = 0; i < ATTEMPTS_FREE; i++)
		attempts_failed(attempts, TEXT("::ffff:192.0.2.1"), 1);
	ck_assert_uint_eq(attempts_wait_s(attempts, TEXT("::ffff:192.0.2.2"), 1), 0);
	attempts_free(attempts);
}
END_TEST

START_TEST(many_strangers_wait_but_not_who_signed_in)
{
	struct attempts *attempts = attempts_new();
	char address[32];
	attempts_succeeded(attempts, TEXT("198.51.100.1"));
	for (unsigned i = 0; i < ATTEMPTS_FREE_ALL + 20; i++) {
		size_t size = text_format(address, sizeof address, "192.0.2.%u", i);
		attempts_failed(attempts, (struct text){address, size}, 1);
	}
	ck_assert_uint_eq(
		attempts_wait_s(attempts, TEXT("203.0.113.1"), 1), ATTEMPTS_WAIT_ALL_MAX_S);
	ck_assert_uint_eq(attempts_wait_s(attempts, TEXT("198.51.100.1"), 1), 0);
	attempts_free(attempts);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("request");
	TCase *tests = tcase_create("request");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, fields_are_decoded_once_and_found_once);
	tcase_add_test(tests, a_cookie_that_is_there_twice_is_none);
	tcase_add_test(tests, only_paths_of_ours_are_gone_to);
	tcase_add_test(tests, origins_must_be_ours);
	tcase_add_test(tests, behind_a_proxy_the_setting_says_what_is_ours);
	tcase_add_test(tests, each_failure_doubles_the_wait);
	tcase_add_test(tests, a_network_of_ipv6_is_one_address);
	tcase_add_test(tests, many_strangers_wait_but_not_who_signed_in);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
