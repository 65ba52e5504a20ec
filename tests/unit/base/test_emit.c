/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "base/tree.h"

static struct buf out;
static struct emitter emitter;

static void setup(void)
{
	buf_init(&out, 1 << 16);
	emit_init(&emitter, &out);
}

static void teardown(void)
{
	buf_done(&out);
}

START_TEST(commas_and_nesting_are_its_work)
{
	emit_object(&emitter);
	emit_member_text(&emitter, "a", TEXT("x"));
	emit_member_text(&emitter, "left out", TEXT(""));
	emit_key(&emitter, "b");
	emit_array(&emitter);
	emit_array(&emitter);
	emit_array_end(&emitter);
	emit_object(&emitter);
	emit_object_end(&emitter);
	emit_null(&emitter);
	emit_bool(&emitter, false);
	emit_raw(&emitter, TEXT("[1]"));
	emit_array_end(&emitter);
	emit_member_bool(&emitter, "c", true);
	emit_object_end(&emitter);
	ck_assert_str_eq(buf_string(&out), "{\"a\":\"x\",\"b\":[[],{},null,false,[1]],\"c\":true}");
	ck_assert_uint_eq(emitter.depth, 0);
}
END_TEST

START_TEST(numbers)
{
	emit_array(&emitter);
	emit_i64(&emitter, INT64_MIN);
	emit_u64(&emitter, UINT64_MAX);
	emit_big(&emitter, UINT64_MAX);
	static const int64_t thousandths[] = {58700, 0, 49, 50, 99950, -1, -50, -58749, INT64_MIN};
	for (size_t i = 0; i < sizeof thousandths / sizeof thousandths[0]; i++)
		emit_milli(&emitter, thousandths[i]);
	emit_array_end(&emitter);
	ck_assert_str_eq(buf_string(&out),
		"[-9223372036854775808,18446744073709551615,\"18446744073709551615\",58.7,0.0,0.0,"
		"0.1,100.0,-0.0,-0.1,-58.7,-9223372036854775.8]");
}
END_TEST

/* Whatever the bytes: the output is JSON, safe inside HTML and one line of JavaScript. */
START_TEST(any_bytes_are_safe)
{
	char all[256];
	for (unsigned i = 0; i < 256; i++)
		all[i] = (char)i;
	emit_text(&emitter, (struct text){all, 256});
	ck_assert_ptr_null(strpbrk(buf_string(&out), "<>&\n\r\t\x7f"));
	buf_clear(&out);
	emit_init(&emitter, &out);
	emit_text(&emitter,
		TEXT("\"\\</script>\n\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\0\xff\xe2\x80"));
	ck_assert_str_eq(buf_string(&out),
		"\"\\\"\\\\\\u003c/script\\u003e\\n\\u2028\\u2029\\u202a\\u0000"
		"\xef\xbf\xbd\xef\xbf\xbd\"");
	/* what hides or turns, in all lengths; what does not stands for itself */
	buf_clear(&out);
	emit_init(&emitter, &out);
	emit_text(&emitter,
		TEXT("\xc2\x9b\xe2\x80\x8b\xf3\xa0\x81\x81\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80"));
	ck_assert_str_eq(buf_string(&out),
		"\"\\u009b\\u200b\\udb40\\udc41\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80\"");
}
END_TEST

START_TEST(reads_back)
{
	struct text text = TEXT("a\"\\\n<\xe2\x80\xa8\0\x1f\xf0\x9f\x98\x80");
	struct arena arena;
	struct node *root;
	struct err err;
	emit_object(&emitter);
	emit_key_text(&emitter, text);
	emit_text(&emitter, text);
	emit_object_end(&emitter);
	arena_init(&arena, 1 << 20);
	ck_assert_int_eq(tree_read(buf_text(&out), &arena, &root, &err), 0);
	ck_assert(text_equal(root->first->key, text));
	ck_assert(text_equal(root->first->value, text));
	arena_done(&arena);
}
END_TEST

START_TEST(the_maximum_is_the_bufs)
{
	buf_done(&out);
	buf_init(&out, 5);
	emit_text(&emitter, TEXT("abc"));
	ck_assert(buf_ok(&out));
	emit_text(&emitter, TEXT(""));
	ck_assert(!buf_ok(&out));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("emit");
	TCase *tests = tcase_create("emit");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, commas_and_nesting_are_its_work);
	tcase_add_test(tests, numbers);
	tcase_add_test(tests, any_bytes_are_safe);
	tcase_add_test(tests, reads_back);
	tcase_add_test(tests, the_maximum_is_the_bufs);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
