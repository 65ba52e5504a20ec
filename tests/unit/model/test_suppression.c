/* SPDX-License-Identifier: Apache-2.0 */
#include "model/suppression.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 4 * 1024 * 1024);
}

static void teardown(void)
{
	arena_done(&arena);
}

static struct matcher_list read(const char *source)
{
	struct err err;
	struct matcher_list list = {NULL, 0};
	ck_assert_msg(matchers_read(text_of(source), &arena, &list, &err) == 0, "%s: %s", source,
		err.text);
	return list;
}

static const struct {
	const char *source, *canonical;
} forms[] = {
	{"a=b", "{a=\"b\"}"},
	{" a = b ", "{a=\"b\"}"},
	{"{a=\"b\"}", "{a=\"b\"}"},
	{"{ a != \"b\" , c=~\"d|e\",f!~g, }", "{a!=\"b\",c=~\"d|e\",f!~\"g\"}"},
	{"a=\"\"", "{a=\"\"}"},
	{"a=\"x\\\"y\\\\z\\n\"", "{a=\"x\\\"y\\\\z\\n\"}"},
	{"a=~\"\\\\d+\"", "{a=~\"\\\\d+\"}"},
	{"a=~\"\\d+\"", "{a=~\"\\\\d+\"}"},
	{"\"odd name\"=x", "{\"odd name\"=\"x\"}"},
	{"a=\"\xe4\xb8\xad\"", "{a=\"\xe4\xb8\xad\"}"},
	{"pod=web-1.x:80", "{pod=\"web-1.x:80\"}"},
};

START_TEST(reads_and_writes_matchers)
{
	struct buf out;
	struct matcher_list list = read(forms[_i].source);
	buf_init(&out, 4096);
	matchers_write(&out, &list);
	ck_assert_str_eq(buf_string(&out), forms[_i].canonical);
	list = read(forms[_i].canonical);
	buf_clear(&out);
	matchers_write(&out, &list);
	ck_assert_str_eq(buf_string(&out), forms[_i].canonical);
	buf_done(&out);
}
END_TEST

static const char *const broken[] = {"", "a", "=", "a=", "=b", "a==b", "a=b c=d", "{a=b", "a=b}",
	"a=\"b", "a=\"b\\", "a=~(", "a=~\"[\"", ",", "a=b,,c=d", "a=\xff", "a\x01=\x7f\xff", "{}",
	"{,}"};

START_TEST(refuses_broken_matchers)
{
	struct err err;
	struct matcher_list list = {NULL, 0};
	ck_assert_msg(
		matchers_read(text_of(broken[_i]), &arena, &list, &err) < 0, "%s", broken[_i]);
	ck_assert_int_eq(err.kind, ERR_INPUT);
}
END_TEST

START_TEST(matchers_have_limits)
{
	struct err err;
	struct matcher_list list = {NULL, 0};
	char many[512] = "a=b", value[MATCHER_VALUE_BYTES_MAX + 8] = "a=";
	for (int i = 1; i < MATCHERS_MAX; i++)
		strcat(many, ",a=b");
	ck_assert_int_eq(matchers_read(text_of(many), &arena, &list, &err), 0);
	strcat(many, ",a=b");
	list = (struct matcher_list){NULL, 0};
	ck_assert_int_lt(matchers_read(text_of(many), &arena, &list, &err), 0);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	memset(value + 2, 'x', MATCHER_VALUE_BYTES_MAX);
	list = (struct matcher_list){NULL, 0};
	ck_assert_int_eq(matchers_read(text_of(value), &arena, &list, &err), 0);
	value[2 + MATCHER_VALUE_BYTES_MAX] = 'x';
	list = (struct matcher_list){NULL, 0};
	ck_assert_int_lt(matchers_read(text_of(value), &arena, &list, &err), 0);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
}
END_TEST

static const struct alert alert = {
	.rule = {"Read sensitive file", 19},
	.sensor = {"falco", 5},
	.severity = SEVERITY_MEDIUM,
	.cluster = {"prod", 4},
	.namespace = {"shop", 4},
	.pod = {"web-755f25fcf-799fh", 19},
	.node = {"n1", 2},
	.container_id = {"5b1c2d3e4f60", 12},
	.process = {.exe = {"/bin/cat", 8}},
	.fingerprint = {0xab, 0xcd},
};

static const struct {
	const char *matchers;
	bool fits;
} fits[] = {
	{"rule=\"Read sensitive file\"", true},
	{"alertname=~\"Read.*|Write.*\"", true},
	{"alertname=~Read", false}, /* about the whole value */
	{"severity=medium", true},
	{"severity=high", false},
	{"source=falco,sensor!=tetragon", true},
	{"cluster=prod,namespace=shop", true},
	{"namespace=shop,namespace=dev", false}, /* all must fit */
	{"namespace!=dev", true},
	{"pod=~web-.*", true},
	{"pod!~web-.*", false},
	{"workload=web", true},
	{"node=n1,container=5b1c2d3e4f60,exe=/bin/cat", true},
	{"fingerprint=~abcd0*", true},
	{"node=\"\"", false},
};

START_TEST(compares_with_alerts)
{
	struct suppression suppression = {.matchers = read(fits[_i].matchers)};
	struct suppression_labels labels = {0};
	struct err err;
	suppression_labels_of_alert(&labels, &alert);
	ck_assert_msg(suppression_fits(&suppression, &labels, LABELS_ALL) == fits[_i].fits, "%s",
		fits[_i].matchers);
	bool says = !strstr(fits[_i].matchers, "=\"\"") &&
		    (strncmp(fits[_i].matchers, "namespace!=", 11) != 0) &&
		    (strncmp(fits[_i].matchers, "pod!~", 5) != 0);
	ck_assert_int_eq(suppression_matchers_check(&suppression.matchers, &err) == 0, says);
}
END_TEST

START_TEST(absent_is_empty)
{
	struct suppression suppression = {.matchers = read("pod=\"\",cluster=c")};
	struct suppression_labels labels = {0};
	struct alert bare = {.cluster = TEXT("c")};
	suppression_labels_of_alert(&labels, &bare);
	ck_assert(suppression_fits(&suppression, &labels, LABELS_ALL));
}
END_TEST

START_TEST(unknown_labels_are_refused)
{
	struct err err;
	struct matcher_list list = read("job!=x,cluster=c");
	ck_assert_int_lt(suppression_matchers_check(&list, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "'job' is no label"));
	ck_assert_ptr_nonnull(strstr(err.text, "fingerprint, exe"));
}
END_TEST

START_TEST(has_a_state_at_any_time)
{
	struct suppression item = {.starts_ns = 10, .ends_ns = 20};
	ck_assert_int_eq(suppression_state_at(&item, 9), SUPPRESSION_PENDING);
	ck_assert_int_eq(suppression_state_at(&item, 10), SUPPRESSION_ACTIVE);
	ck_assert_int_eq(suppression_state_at(&item, 19), SUPPRESSION_ACTIVE);
	ck_assert_int_eq(suppression_state_at(&item, 20), SUPPRESSION_EXPIRED);
}
END_TEST

START_TEST(ids_are_uuids)
{
	char id[SUPPRESSION_ID_BYTES], other[SUPPRESSION_ID_BYTES];
	suppression_id_make(id);
	suppression_id_make(other);
	ck_assert_uint_eq(strlen(id), 36);
	ck_assert_str_ne(id, other);
	ck_assert(id[8] == '-' && id[13] == '-' && id[14] == '4' && id[18] == '-' && id[23] == '-');
	ck_assert_ptr_nonnull(strchr("89ab", id[19]));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suppression");
	TCase *tests = tcase_create("suppression");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, reads_and_writes_matchers, 0, sizeof forms / sizeof forms[0]);
	tcase_add_loop_test(tests, refuses_broken_matchers, 0, sizeof broken / sizeof broken[0]);
	tcase_add_test(tests, matchers_have_limits);
	tcase_add_loop_test(tests, compares_with_alerts, 0, sizeof fits / sizeof fits[0]);
	tcase_add_test(tests, absent_is_empty);
	tcase_add_test(tests, unknown_labels_are_refused);
	tcase_add_test(tests, has_a_state_at_any_time);
	tcase_add_test(tests, ids_are_uuids);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
