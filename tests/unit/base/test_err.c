/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static struct err err;

START_TEST(says_kind_and_text)
{
	ck_assert_int_eq(err_set(&err, ERR_INPUT, "line %d", 7), -1);
	ck_assert_int_eq(err.kind, ERR_INPUT);
	ck_assert_str_eq(err.text, "line 7");
	ck_assert_int_eq(err_prefix(&err, "file %s", "f"), -1);
	ck_assert_int_eq(err.kind, ERR_INPUT);
	ck_assert_str_eq(err.text, "file f: line 7");
}
END_TEST

/* Cut, never overrun, always ended. */
START_TEST(long_texts_are_cut)
{
	char longest[1024];
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	ck_assert_int_eq(err_set(&err, ERR_IO, "%s", longest), -1);
	ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
	ck_assert_int_eq(err_prefix(&err, "in front"), -1);
	ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
	ck_assert_int_eq(strncmp(err.text, "in front: xxx", 13), 0);
	ck_assert_int_eq(err_prefix(&err, "%s", longest), -1);
	ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
}
END_TEST

START_TEST(errno_keeps_its_reason)
{
	char longest[512];
	memset(longest, 'y', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	ck_assert_int_eq(err_errno(&err, ENOENT, "opening %s", "f"), -1);
	ck_assert_int_eq(err.kind, ERR_IO);
	ck_assert_str_eq(err.text, "opening f: No such file or directory");
	ck_assert_int_eq(err_errno(&err, ENOMEM, "x"), -1);
	ck_assert_int_eq(err.kind, ERR_MEMORY);
	ck_assert_int_eq(err_errno(&err, EACCES, "%s", longest), -1);
	ck_assert_ptr_nonnull(strstr(err.text, ": Permission denied"));
}
END_TEST

START_TEST(every_kind_has_a_word)
{
	for (int kind = ERR_NONE; kind <= ERR_CORRUPT; kind++)
		for (int other = ERR_NONE; other < kind; other++)
			ck_assert_str_ne(err_kind_name((enum err_kind)kind),
				err_kind_name((enum err_kind)other));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("err");
	TCase *tests = tcase_create("err");
	tcase_add_test(tests, says_kind_and_text);
	tcase_add_test(tests, long_texts_are_cut);
	tcase_add_test(tests, errno_keeps_its_reason);
	tcase_add_test(tests, every_kind_has_a_word);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
