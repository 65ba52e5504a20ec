/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

static char hex[2 * DIGEST_BYTES + 1];

static const char *hex_of(struct digest digest)
{
	text_hex(hex, digest.bytes, DIGEST_BYTES);
	return hex;
}

/* FIPS 180-4's examples. */
START_TEST(is_sha_256)
{
	ck_assert_str_eq(hex_of(digest_of(TEXT_NONE)),
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ck_assert_str_eq(hex_of(digest_of(TEXT("abc"))),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(pieces_are_the_whole)
{
	struct digest_state room, *state = digest_start(&room);
	digest_add(state, TEXT("a"));
	digest_add(state, TEXT_NONE);
	digest_add(state, TEXT("bc"));
	struct digest digest = digest_end(state);
	ck_assert_mem_eq(digest.bytes, digest_of(TEXT("abc")).bytes, DIGEST_BYTES);
}
END_TEST

/* Around what is gathered before it is handed on, in pieces of any size. */
START_TEST(pieces_of_any_size_are_the_whole)
{
	static char bytes[DIGEST_GATHERED_BYTES + 9];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)i;
	for (size_t size = DIGEST_GATHERED_BYTES - 2; size <= sizeof bytes; size++)
		for (size_t first = 0; first <= size; first += first % 7 + 1) {
			struct text whole = {bytes, size};
			struct digest_state room, *state = digest_start(&room);
			digest_add(state, text_part(whole, 0, first));
			digest_add(state, text_part(whole, first, 3));
			digest_add(state, text_part(whole, first + 3, size));
			struct digest digest = digest_end(state);
			ck_assert_mem_eq(digest.bytes, digest_of(whole).bytes, DIGEST_BYTES);
		}
}
END_TEST

static struct digest digest_of_parts(struct text a, struct text b)
{
	struct digest_state room, *state = digest_start(&room);
	digest_add_part(state, a);
	digest_add_part(state, b);
	return digest_end(state);
}

START_TEST(parts_do_not_run_together)
{
	struct digest one = digest_of_parts(TEXT("ab"), TEXT("c"));
	struct digest other = digest_of_parts(TEXT("a"), TEXT("bc"));
	ck_assert_mem_ne(one.bytes, other.bytes, DIGEST_BYTES);
	struct digest bytes = digest_of(TEXT("\0\0\0\2ab\0\0\0\1c"));
	ck_assert_mem_eq(one.bytes, bytes.bytes, DIGEST_BYTES);
}
END_TEST

START_TEST(random_bytes_differ)
{
	unsigned char a[32] = {0}, b[32] = {0};
	digest_random(a, sizeof a);
	digest_random(b, sizeof b);
	ck_assert_mem_ne(a, b, sizeof a);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("digest");
	TCase *tests = tcase_create("digest");
	tcase_add_test(tests, is_sha_256);
	tcase_add_test(tests, pieces_are_the_whole);
	tcase_add_test(tests, pieces_of_any_size_are_the_whole);
	tcase_add_test(tests, parts_do_not_run_together);
	tcase_add_test(tests, random_bytes_differ);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
