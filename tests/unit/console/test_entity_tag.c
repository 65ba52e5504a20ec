/* SPDX-License-Identifier: Apache-2.0 */
#include "console/entity_tag.h"

#include <check.h>
#include <stdlib.h>

static uint64_t revision_of(const char *header)
{
	uint64_t revision;
	return entity_tag_revision(text_of(header), &revision) ? revision : UINT64_MAX;
}

START_TEST(tags_follow_the_document)
{
	char one[ENTITY_TAG_BYTES], other[ENTITY_TAG_BYTES];
	entity_tag_make(one, 7, TEXT("a"));
	entity_tag_make(other, 7, TEXT("b"));
	ck_assert_str_ne(one, other);
	ck_assert_uint_eq(revision_of(one), 7);
	entity_tag_make(one, UINT64_MAX, TEXT("a"));
	ck_assert(text_ends(text_of(one), TEXT("\"")));
}
END_TEST

START_TEST(revisions_are_read)
{
	ck_assert_uint_eq(revision_of("\"12\""), 12);
	ck_assert_uint_eq(revision_of("12"), 12);
	ck_assert_uint_eq(revision_of("\"12-0123456789abcdef\""), 12);
	ck_assert_uint_eq(revision_of("12-0123456789abcdef"), UINT64_MAX);
	ck_assert_uint_eq(revision_of("\"12-0123\""), UINT64_MAX);
	ck_assert_uint_eq(revision_of("\"12-\""), UINT64_MAX);
	ck_assert_uint_eq(revision_of("\"\""), UINT64_MAX);
	ck_assert_uint_eq(revision_of("\"x\""), UINT64_MAX);
	ck_assert_uint_eq(revision_of("\"1\", \"2\""), UINT64_MAX);
}
END_TEST

START_TEST(lists_are_looked_through)
{
	ck_assert(entity_tag_listed(TEXT("\"7-a\""), "\"7-a\""));
	ck_assert(entity_tag_listed(TEXT("\"1\", W/\"7-a\""), "\"7-a\""));
	ck_assert(entity_tag_listed(TEXT("*"), "\"7-a\""));
	ck_assert(!entity_tag_listed(TEXT("\"7\", \"7-b\""), "\"7-a\""));
	ck_assert(!entity_tag_listed(TEXT_NONE, "\"7-a\""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("entity_tag");
	TCase *tests = tcase_create("entity_tag");
	tcase_add_test(tests, tags_follow_the_document);
	tcase_add_test(tests, revisions_are_read);
	tcase_add_test(tests, lists_are_looked_through);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
