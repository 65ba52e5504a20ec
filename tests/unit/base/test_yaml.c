/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/yaml.h"

static struct buf seen;
static struct err err;

static int note(void *ctx, struct text path, struct text value, struct err *error)
{
	struct buf *out = ctx;
	if (text_is(value, "wrong"))
		return err_set(error, ERR_INPUT, "no such value");
	buf_add(out, path);
	buf_add_byte(out, '=');
	buf_add(out, value);
	buf_add_byte(out, ';');
	return 0;
}

static int read(struct text source)
{
	buf_clear(&seen);
	err = (struct err){0};
	return yaml_read(source, note, &seen, &err);
}

static void setup(void)
{
	buf_init(&seen, 1 << 20);
}

static void teardown(void)
{
	buf_done(&seen);
}

START_TEST(names_scalars_by_their_path)
{
	ck_assert_int_eq(
		read(TEXT(
			"a: 1\nb:\n  c: {d: x, 'e f': \"y\\n\"}\n  g: ~\nh: |\n  two\n  lines\n")),
		0);
	ck_assert_str_eq(buf_string(&seen), "a=1;b.c.d=x;b.c.e f=y\n;b.g=~;h=two\nlines\n;");
	ck_assert_int_eq(read(TEXT("")), 0);
	ck_assert_int_eq(read(TEXT_NONE), 0);
	ck_assert_int_eq(read(TEXT("# only\n---\n...\n")), -1); /* a document that is no mapping */
	ck_assert_int_eq(read(TEXT("{}")), 0);
}
END_TEST

static const struct {
	const char *source, *text;
} refused[] = {
	{"a: 1\na: 2\n", "2:1: this name was given before"},
	{"a: {b: 1}\na.b: 2\n", "2:1: this name was given before"},
	{"a: [1]\n", "1:4: lists are not read here"},
	{"- a\n", "1:1: lists are not read here"},
	{"a\n", "1:1: expected 'name: value'"},
	{"a: &x 1\n", "1:4: anchors are not read"},
	{"&x a: 1\n", "1:1: anchors are not read"},
	{"a: &x {b: 1}\n", "1:4: anchors are not read"},
	{"a: *x\n", "1:4: anchors are not read"},
	{"a: !!int 1\n", "1:4: tags are not read"},
	{"a: !x {b: 1}\n", "1:4: tags are not read"},
	{"? {a: b}\n: c\n", "1:3: a name must be a word"},
	{"? [a]\n: c\n", "1:3: lists are not read here"},
	{"a: 1\n---\nb: 2\n", "2:1: only one document is read"},
	{"a: wrong\n", "1:4: no such value"},
	{"a: 'x\n", "2:1: "},
	{"a: {b\n", "2:1: "},
	{"a: \"\\q\"\n", "1:5: "},
	{"\ta: 1\n", "1:1: "},
	{"a: \xff\n", "1:1: "},
};

START_TEST(refuses_with_the_place)
{
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		ck_assert_msg(read(text_of(refused[i].source)) == -1, "%s", refused[i].source);
		ck_assert_int_eq(err.kind, ERR_INPUT);
		ck_assert_msg(strncmp(err.text, refused[i].text, strlen(refused[i].text)) == 0,
			"'%s' gave '%s'", refused[i].source, err.text);
	}
}
END_TEST

static int read_nested(unsigned depth)
{
	char source[256] = "";
	for (unsigned i = 0; i < depth; i++)
		strcat(source, i + 1 < depth ? "{a: " : "{a: 1");
	for (unsigned i = 0; i < depth; i++)
		strcat(source, "}");
	return read(text_of(source));
}

static int read_name(size_t size)
{
	static char source[2048];
	text_format(source, sizeof source, "a:\n  %0*d: 1\n", (int)size, 0);
	return read(text_of(source));
}

static int read_size(size_t size)
{
	static char source[YAML_BYTES_MAX + 1];
	memset(source, ' ', sizeof source);
	memcpy(source, "a: 1\n", 5);
	return read((struct text){source, size});
}

START_TEST(limits_hold_at_their_edge)
{
	ck_assert_int_eq(read_nested(YAML_DEPTH_MAX), 0);
	ck_assert_int_eq(read_nested(YAML_DEPTH_MAX + 1), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	ck_assert_int_eq(read_name(509), 0); /* "a." and this: 511 bytes */
	ck_assert_int_eq(read_name(510), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	ck_assert_int_eq(read_size(YAML_BYTES_MAX), 0);
	ck_assert_int_eq(read_size(YAML_BYTES_MAX + 1), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
}
END_TEST

/* Whatever it is cut to, it reads or says where. */
START_TEST(may_be_cut_anywhere)
{
	struct text whole = TEXT("a: \"x\\u00e9\"\nb: {c: 'd', e: [}\nf: |\n  g\n");
	for (size_t size = 0; size <= whole.size; size++) {
		char *cut = malloc(size ? size : 1);
		memcpy(cut, whole.data, size);
		if (read((struct text){cut, size}) < 0)
			ck_assert(err.kind == ERR_INPUT && strchr(err.text, ':'));
		free(cut);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("yaml");
	TCase *tests = tcase_create("yaml");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, names_scalars_by_their_path);
	tcase_add_test(tests, refuses_with_the_place);
	tcase_add_test(tests, limits_hold_at_their_edge);
	tcase_add_test(tests, may_be_cut_anywhere);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
