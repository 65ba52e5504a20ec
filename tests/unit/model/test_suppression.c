/* SPDX-License-Identifier: Apache-2.0 */
#include "model/suppression_query.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/scope.h"

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

static struct suppression of_query(const char *matchers, const char *query)
{
	struct err err;
	struct suppression suppression = {0};
	if (*matchers)
		suppression.matchers = read(matchers);
	if (*query)
		ck_assert_msg(
			suppression_query_take(text_of(query), &arena, &suppression, &err) == 0,
			"%s: %s", query, err.text);
	return suppression;
}

START_TEST(a_query_is_judged_by_labels)
{
	static const struct {
		const char *query;
		bool fits;
	} rows[] = {{"ns:shop (rule:\"Read*\" OR sev>=high)", true}, {"ns:shop -pod:web-*", false},
		{"namespace=shop NOT workload=db", true}, {"exe=~/usr/.* node:n1", true},
		{"fp:0102 severity:low", true}, {"cluster:prod sev>low", false},
		{"sensor:falco container_id:abc*", true},
		{"{namespace=\"shop\",pod!=\"web-1\"}", false}};
	struct alert one_alert = {.rule = TEXT("Read secret"),
		.severity = SEVERITY_LOW,
		.sensor = TEXT("falco"),
		.cluster = TEXT("prod"),
		.namespace = TEXT("shop"),
		.pod = TEXT("web-1"),
		.node = TEXT("n1"),
		.container_id = TEXT("abcdef"),
		.fingerprint = {1, 2},
		.process = {.exe = TEXT("/usr/bin/cat")}};
	struct suppression_labels labels = {0};
	suppression_labels_of_alert(&labels, &one_alert);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct suppression one = of_query("", rows[i].query);
		ck_assert_msg(suppression_fits(&one, &labels, LABELS_ALL) == rows[i].fits, "%s",
			rows[i].query);
	}
	/* What is not known yet does not rule it out. */
	struct suppression later = of_query("", "ns:shop sev>=high");
	ck_assert(suppression_fits(&later, &labels, 1 << LABEL_NAMESPACE));
	ck_assert_uint_eq(suppression_names(&later), 1 << LABEL_NAMESPACE | 1 << LABEL_SEVERITY);
	struct suppression both = of_query("pod=web-2", "ns:shop");
	ck_assert(!suppression_fits(&both, &labels, LABELS_ALL));
}
END_TEST

START_TEST(refuses_queries_that_say_too_much_or_nothing)
{
	static const struct {
		const char *query;
		unsigned place;
		bool placed;
	} rows[] = {{"ns:shop cmdline:x", 8, true}, {"word", 0, true}, {"last<2h ns:a", 0, true},
		{"source:falco", 0, true}, {"incident:INC-1", 0, true}, {"ns:shop (", 9, false},
		{"-ns:shop", 0, false}, {"sev>=info", 0, false}, {"ns:*  OR -ns:*", 0, false}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct err err = {0};
		struct suppression out = {0};
		ck_assert_msg(
			suppression_query_take(text_of(rows[i].query), &arena, &out, &err) < 0,
			"%s", rows[i].query);
		ck_assert_int_eq(err.kind, ERR_INPUT);
		if (rows[i].placed)
			ck_assert_msg(err.place == rows[i].place && err.place_size, "%s: %u",
				rows[i].query, err.place);
	}
}
END_TEST

START_TEST(knows_what_is_inside_of_namespaces)
{
	static const struct {
		const char *matchers, *query;
		bool inside;
	} rows[] = {{"namespace=shop", "", true}, {"namespace=pay", "", false},
		{"namespace=~\"shop|bank\"", "", true}, {"namespace=~\"shop|pay\"", "", false},
		{"namespace=~\"sho.*\"", "", false}, {"namespace!=pay,pod=x", "", false},
		{"rule=x", "", false}, {"namespace=web", "", false},
		{"cluster=prod,namespace=web", "", true}, {"cluster=dev,namespace=web", "", false},
		{"cluster=test", "", true}, {"cluster=test,namespace=any", "", true},
		{"", "namespace=shop sev:low", true}, {"", "ns:shop", false},
		{"", "(namespace=shop OR namespace=bank) rule:x", true},
		{"", "namespace=shop OR rule:x", false}, {"", "NOT namespace=pay pod:x", false},
		{"", "cluster=prod namespace=web", true},
		{"namespace=shop", "rule:x OR pod:y", true},
		{"", "cluster=prod OR namespace=web", false}, {"namespace=~\"shop|\"", "", false}};
	struct err err;
	struct scope scope = {0};
	static const char *const patterns[] = {"shop", "bank", "prod/web", "test/*"};
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(scope_add(&scope, &arena, text_of(patterns[i]), &err), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct suppression one = of_query(rows[i].matchers, rows[i].query);
		ck_assert_msg(suppression_is_inside(&one, &scope) == rows[i].inside, "%s %s",
			rows[i].matchers, rows[i].query);
		ck_assert(suppression_is_inside(&one, NULL));
	}
}
END_TEST

START_TEST(becomes_matchers_where_they_can_say_it)
{
	static const struct {
		const char *matchers, *query, *as;
	} rows[] = {{"pod=x", "", "{pod=\"x\"}"},
		{"pod=x", "namespace=shop rule!=y exe=~/usr/.* NOT node=~n.*",
			"{pod=\"x\",namespace=\"shop\",alertname!=\"y\",exe=~\"/usr/"
			".*\",node!~\"n.*\"}"},
		{"", "namespace=a OR namespace=b", NULL}, {"", "ns:shop", NULL},
		{"", "sev>=high", NULL}, {"", "namespace=a NOT (pod=x rule=y)", NULL}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct err err;
		struct buf out;
		struct matcher_list list;
		struct suppression one = of_query(rows[i].matchers, rows[i].query);
		int failed = suppression_as_matchers(&one, &arena, &list, &err);
		ck_assert_msg(!failed == !!rows[i].as, "%s", rows[i].query);
		if (failed) {
			ck_assert_int_eq(err.kind, ERR_DENIED);
			continue;
		}
		buf_init(&out, 4096);
		matchers_write(&out, &list);
		ck_assert_str_eq(buf_string(&out), rows[i].as);
		buf_done(&out);
	}
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
	tcase_add_test(tests, a_query_is_judged_by_labels);
	tcase_add_test(tests, refuses_queries_that_say_too_much_or_nothing);
	tcase_add_test(tests, knows_what_is_inside_of_namespaces);
	tcase_add_test(tests, becomes_matchers_where_they_can_say_it);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
