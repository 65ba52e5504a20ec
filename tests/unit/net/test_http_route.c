/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_route.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct http_route routes_of_test[] = {
	{.method = HTTP_POST, .path = "/ingest/{source}/{token}"},
	{.method = HTTP_POST, .path = "/ingest/{source}"},
	{.method = HTTP_GET, .path = "/ingest/{source}"},
	{.method = HTTP_POST, .path = "/ingest/status"},
	{.method = HTTP_GET, .path = "/a/b"},
	{.method = HTTP_POST, .path = "/a/b"},
	{.method = HTTP_GET, .path = "/"},
	{.path = NULL},
};
static const struct http_route *const routes[] = {routes_of_test, NULL};
static struct arena arena;
static struct http_match match;

static bool find(enum http_method method, struct text path)
{
	http_route_find(routes, method, path, &arena, &match);
	return match.route != NULL;
}

START_TEST(finds_by_path_and_method)
{
	ck_assert(find(HTTP_POST, TEXT("/ingest/falco/secret")));
	ck_assert_uint_eq(match.n_parts, 2);
	ck_assert(text_is(match.parts[0], "falco") && text_is(match.parts[1], "secret"));
	ck_assert(find(HTTP_POST, TEXT("/ingest/falco")));
	ck_assert_uint_eq(match.n_parts, 1);
	ck_assert(find(HTTP_HEAD, TEXT("/a/b")));
	ck_assert_int_eq(match.route->method, HTTP_GET);
	ck_assert(find(HTTP_GET, TEXT("/")));
}
END_TEST

START_TEST(finds_nothing_else)
{
	static const char *const none[] = {"", "/ingest", "/ingest/", "/ingest//x", "/ingest/a/b/c",
		"/ingest/a/", "/a/b/", "//a/b", "/A/b", "ingest/a", "*", "/a%2Fb"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		ck_assert_msg(!find(HTTP_POST, text_of(none[i])), "%s", none[i]);
		ck_assert_msg(match.methods == 0, "%s", none[i]);
	}
	ck_assert(!find(HTTP_DELETE, TEXT("/a/b")));
	ck_assert_uint_eq(match.methods, 1U << HTTP_GET | 1U << HTTP_POST);
}
END_TEST

/* A word that a path spells out is not a part of it. */
START_TEST(words_come_before_parts)
{
	ck_assert(find(HTTP_POST, TEXT("/ingest/status")));
	ck_assert_uint_eq(match.n_parts, 0);
	ck_assert(!find(HTTP_GET, TEXT("/ingest/status")));
	ck_assert_uint_eq(match.methods, 1U << HTTP_POST);
	ck_assert(find(HTTP_GET, TEXT("/ingest/statuses")));
	ck_assert_uint_eq(match.n_parts, 1);
}
END_TEST

START_TEST(decodes_after_splitting)
{
	ck_assert(find(HTTP_POST, TEXT("/ingest/a%2fb%25/%C3%A9")));
	ck_assert(!match.is_malformed);
	ck_assert(text_is(match.parts[0], "a/b%"));
	ck_assert(text_is(match.parts[1], "\xC3\xA9"));
}
END_TEST

START_TEST(knows_broken_escapes)
{
	static const char *const broken[] = {"/ingest/%", "/ingest/%4", "/ingest/%zz",
		"/ingest/a%00", "/ingest/%+1", "/ingest/% 1"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		ck_assert(find(HTTP_POST, text_of(broken[i])));
		ck_assert_msg(match.is_malformed, "%s", broken[i]);
	}
}
END_TEST

START_TEST(has_a_longest_path)
{
	static char path[HTTP_PATH_MAX + 1];
	memset(path, 'x', sizeof path);
	memcpy(path, "/ingest/", 8);
	ck_assert(find(HTTP_POST, (struct text){path, HTTP_PATH_MAX}));
	ck_assert(!find(HTTP_POST, (struct text){path, HTTP_PATH_MAX + 1}));
}
END_TEST

START_TEST(lists_methods)
{
	char out[64];
	http_methods_write(1U << HTTP_GET | 1U << HTTP_POST, out, sizeof out);
	ck_assert_str_eq(out, "GET, HEAD, POST");
	ck_assert_int_eq(http_method_parse(TEXT("POST")), HTTP_POST);
	ck_assert_int_eq(http_method_parse(TEXT("post")), HTTP_OTHER);
	ck_assert_int_eq(http_method_parse(TEXT("PATCH")), HTTP_OTHER);
}
END_TEST

static void start(void)
{
	arena_init(&arena, 65536);
}

static void stop(void)
{
	arena_done(&arena);
}

int main(void)
{
	Suite *suite = suite_create("net/http_route");
	TCase *tests = tcase_create("http_route");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, finds_by_path_and_method);
	tcase_add_test(tests, finds_nothing_else);
	tcase_add_test(tests, decodes_after_splitting);
	tcase_add_test(tests, knows_broken_escapes);
	tcase_add_test(tests, has_a_longest_path);
	tcase_add_test(tests, words_come_before_parts);
	tcase_add_test(tests, lists_methods);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
