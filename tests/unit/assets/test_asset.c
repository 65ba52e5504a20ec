/* SPDX-License-Identifier: Apache-2.0 */
#include "assets/asset.h"

#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/compress.h"

START_TEST(embeds_what_browsers_need)
{
	size_t n;
	const struct asset *assets = asset_all(&n);
	ck_assert_uint_gt(n, 1);
	for (size_t i = 0; i < n; i++) {
		struct text url = text_of(assets[i].url), rest = url, part;
		struct buf plain;
		struct err err;
		ck_assert_str_eq(asset_url(assets[i].name), assets[i].url);
		ck_assert(text_starts(url, TEXT("/assets/")));
		ck_assert(text_split(&rest, '/', &part) && text_split(&rest, '/', &part) &&
			  text_split(&rest, '/', &part));
		ck_assert_ptr_eq(asset_find(part, text_of(assets[i].name)), &assets[i]);
		buf_init(&plain, 1024 * 1024);
		ck_assert_int_eq(gzip_expand(assets[i].zipped, &plain, &err), 0);
		ck_assert(text_equal(buf_text(&plain), assets[i].plain));
		ck_assert_ptr_nonnull(assets[i].type);
		buf_done(&plain);
	}
	ck_assert_ptr_null(asset_find(TEXT("0123456789abcdef"), TEXT("app.js")));
	ck_assert_ptr_null(asset_find(TEXT_NONE, TEXT("app.js")));
}
END_TEST

START_TEST(no_file_is_like_another)
{
	size_t n;
	const struct asset *assets = asset_all(&n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			ck_assert_str_ne(assets[i].name, assets[j].name);
			ck_assert_str_ne(assets[i].tag, assets[j].tag);
		}
}
END_TEST

START_TEST(reads_what_a_browser_takes)
{
	ck_assert(asset_takes_gzip(TEXT("gzip")));
	ck_assert(asset_takes_gzip(TEXT("br, GZIP;q=0.5, *")));
	ck_assert(asset_takes_gzip(TEXT("gzip;q=1.0")));
	ck_assert(!asset_takes_gzip(TEXT("gzip;q=0")));
	ck_assert(!asset_takes_gzip(TEXT("gzip; Q=0.000")));
	ck_assert(!asset_takes_gzip(TEXT("br, ,")));
	ck_assert(!asset_takes_gzip(TEXT("xgzip")));
	ck_assert(!asset_takes_gzip(TEXT_NONE));
}
END_TEST

START_TEST(finds_a_tag)
{
	ck_assert(asset_tag_listed(TEXT("\"a\""), "\"a\""));
	ck_assert(asset_tag_listed(TEXT("\"b\", W/\"a\""), "\"a\""));
	ck_assert(asset_tag_listed(TEXT("*"), "\"a\""));
	ck_assert(!asset_tag_listed(TEXT("\"b\",\"aa\""), "\"a\""));
	ck_assert(!asset_tag_listed(TEXT_NONE, "\"a\""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("assets/asset");
	TCase *tests = tcase_create("asset");
	tcase_add_test(tests, embeds_what_browsers_need);
	tcase_add_test(tests, no_file_is_like_another);
	tcase_add_test(tests, reads_what_a_browser_takes);
	tcase_add_test(tests, finds_a_tag);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
