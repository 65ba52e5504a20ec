/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static bool reads(const char *text, const char *bytes, size_t size)
{
	AUTO(arena_done) struct arena arena;
	struct text out;
	arena_init(&arena, 1024 * 1024);
	return base64url_read(text_of(text), &arena, &out) && out.size == size &&
	       memcmp(out.data, bytes, size) == 0;
}

static bool is_refused(const char *text)
{
	AUTO(arena_done) struct arena arena;
	struct text out;
	arena_init(&arena, 1024 * 1024);
	return !base64url_read(text_of(text), &arena, &out);
}

/* RFC 4648, section 10, without padding; and the two letters that are not of base64 itself. */
START_TEST(writes_and_reads_what_the_rfc_says)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xbf", "-_-_"}};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		char out[16];
		base64url_write(pairs[i][0], strlen(pairs[i][0]), out);
		ck_assert_str_eq(out, pairs[i][1]);
		ck_assert(reads(pairs[i][1], pairs[i][0], strlen(pairs[i][0])));
	}
}
END_TEST

START_TEST(every_size_and_byte_comes_back)
{
	unsigned char bytes[256];
	char out[(sizeof bytes * 4 + 2) / 3 + 1];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * 167 + 13);
	for (size_t size = 0; size <= sizeof bytes; size++) {
		base64url_write(bytes, size, out);
		ck_assert_uint_eq(strlen(out), (size * 4 + 2) / 3);
		ck_assert(reads(out, (const char *)bytes, size));
	}
	char digest[BASE64URL_32_BYTES];
	base64url_write(bytes, 32, digest);
	ck_assert_uint_eq(strlen(digest), BASE64URL_32_BYTES - 1);
}
END_TEST

/* One text for each row of bytes: else a token could be spelled in several ways. */
START_TEST(refuses_all_other_spellings)
{
	static const char *const wrong[] = {"A", "AAAAA", "Zg==", "Zm9v\n", "Zm+v", "Zm/v", "Zm9 ",
		"Zh", "Zm9", "-_-_=", "\xc3\xa9\xc3\xa9"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_msg(is_refused(wrong[i]), "%s", wrong[i]);
}
END_TEST

/* What senders write: both alphabets, with padding and without. */
START_TEST(reads_what_is_spelled_otherwise)
{
	static const char *const right[] = {"-_-_Zg", "+/+/Zg", "+_-/Zg==", "-_-_Zg="};
	static const char *const wrong[] = {"A", "Zm9v\n", "Z=m9", "Zh==", "=A", "Zm 9"};
	AUTO(arena_done) struct arena arena;
	struct text out;
	char again[16];
	arena_init(&arena, 1024 * 1024);
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		ck_assert(base64_read(text_of(right[i]), &arena, &out) &&
			  text_equal(out, TEXT("\xfb\xff\xbf\x66")));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_msg(!base64_read(text_of(wrong[i]), &arena, &out), "%s", wrong[i]);
	ck_assert(base64_read(TEXT("="), &arena, &out) && out.size == 0);
	base64_write("\xfb\xff\xbf\x66", 4, again);
	ck_assert_str_eq(again, "+/+/Zg");
}
END_TEST

START_TEST(says_when_there_is_no_memory)
{
	struct arena arena;
	struct text out;
	arena_init(&arena, 1);
	ck_assert(!base64url_read(TEXT("Zm9vYmFy"), &arena, &out));
	arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/base64");
	TCase *tests = tcase_create("base/base64");
	tcase_add_test(tests, writes_and_reads_what_the_rfc_says);
	tcase_add_test(tests, every_size_and_byte_comes_back);
	tcase_add_test(tests, refuses_all_other_spellings);
	tcase_add_test(tests, reads_what_is_spelled_otherwise);
	tcase_add_test(tests, says_when_there_is_no_memory);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
