/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/buf.h"
#include "base/tree.h"

static struct arena arena;
static struct node *root;
static struct err err;

static void setup(void)
{
	arena_init(&arena, 1 << 24);
}

static void teardown(void)
{
	arena_done(&arena);
}

START_TEST(keeps_order_keys_and_types)
{
	ck_assert_int_eq(
		tree_read(TEXT(" {\"a\":[1,\"x\",true,false,null,{}],\"b\":{\"c\":-2.5}} \n"),
			&arena, &root, &err),
		0);
	const struct node *a = tree_member(root, "a");
	static const enum pull_event types[] = {
		PULL_NUMBER, PULL_STRING, PULL_TRUE, PULL_FALSE, PULL_NULL, PULL_OBJECT};
	static const char *const texts[] = {"1", "x", "true", "false", "", ""};
	const struct node *child = a->first;
	for (size_t i = 0; i < 6; i++, child = child->next) {
		ck_assert_int_eq(child->type, types[i]);
		ck_assert(text_is(tree_text(child), texts[i]));
		ck_assert_uint_eq(child->key.size, 0);
	}
	ck_assert_ptr_null(child);
	ck_assert(text_is(tree_member_text(tree_member(root, "b"), "c"), "-2.5"));
	ck_assert(text_is(a->next->key, "b"));
	ck_assert_ptr_null(root->next);
}
END_TEST

START_TEST(what_is_not_there_is_absent)
{
	ck_assert_int_eq(tree_read(TEXT("[1]"), &arena, &root, &err), 0);
	ck_assert_ptr_null(tree_member(root, "a"));
	ck_assert_ptr_null(tree_member(NULL, "a"));
	ck_assert_ptr_null(tree_text(NULL).data);
	ck_assert_ptr_null(tree_member_text(root, "a").data);
}
END_TEST

START_TEST(the_first_of_two_keys_counts)
{
	ck_assert_int_eq(tree_read(TEXT("{\"a\":1,\"a\":2}"), &arena, &root, &err), 0);
	ck_assert(text_is(tree_member_text(root, "a"), "1"));
}
END_TEST

/* It says: the whole document. */
START_TEST(nothing_may_follow)
{
	ck_assert_int_eq(tree_read(TEXT("{} x"), &arena, &root, &err), -1);
	ck_assert_int_eq(err.kind, ERR_INPUT);
	ck_assert_str_eq(err.text, "offset 3: something follows the document");
	ck_assert_int_eq(tree_read(TEXT("[]]"), &arena, &root, &err), -1);
	ck_assert_int_eq(tree_read(TEXT("1\v"), &arena, &root, &err), -1);
	ck_assert_int_eq(tree_read(TEXT("1\r\n\t "), &arena, &root, &err), 0);
	ck_assert_int_eq(tree_read(TEXT(""), &arena, &root, &err), -1);
}
END_TEST

START_TEST(depth_holds_at_its_edge)
{
	struct buf source;
	buf_init(&source, 1024);
	for (unsigned i = 0; i < TREE_DEPTH_MAX; i++)
		buf_add_byte(&source, '[');
	buf_add_byte(&source, '1');
	for (unsigned i = 0; i < TREE_DEPTH_MAX; i++)
		buf_add_byte(&source, ']');
	ck_assert_int_eq(tree_read(buf_text(&source), &arena, &root, &err), 0);
	unsigned depth = 0;
	for (const struct node *node = root; node->type == PULL_ARRAY; node = node->first)
		depth++;
	ck_assert_uint_eq(depth, TREE_DEPTH_MAX);
	memset(source.data, '[', TREE_DEPTH_MAX + 1);
	ck_assert_int_eq(tree_read(buf_text(&source), &arena, &root, &err), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	buf_done(&source);
}
END_TEST

START_TEST(a_full_arena_is_out_of_memory)
{
	arena_done(&arena);
	arena_init(&arena, 1);
	ck_assert_int_eq(tree_read(TEXT("{}"), &arena, &root, &err), -1);
	ck_assert_int_eq(err.kind, ERR_MEMORY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tree");
	TCase *tests = tcase_create("tree");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, keeps_order_keys_and_types);
	tcase_add_test(tests, what_is_not_there_is_absent);
	tcase_add_test(tests, the_first_of_two_keys_counts);
	tcase_add_test(tests, nothing_may_follow);
	tcase_add_test(tests, depth_holds_at_its_edge);
	tcase_add_test(tests, a_full_arena_is_out_of_memory);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
