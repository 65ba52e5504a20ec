/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/headline.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/title.h"

/*
 * Titles as the model composes them, told in Chinese: were they composed otherwise one day, they
 * would stay English here.
 */

enum { ARENA_BYTES = 1024 * 1024 };

static struct arena arena;

static struct text told(const struct incident *incident, enum language language)
{
	static struct page_reader reader;
	reader = (struct page_reader){.language = language};
	const struct page page = {.arena = &arena, .reader = &reader};
	return headline(&page, incident_title(incident, &arena));
}

static void expect(const struct incident *incident, const char *chinese)
{
	struct text title = told(incident, LANGUAGE_CHINESE);
	ck_assert_msg(text_is(title, chinese), "%.*s is not %s", TEXT_ARG(title), chinese);
	ck_assert(text_equal(told(incident, LANGUAGE_ENGLISH), incident_title(incident, &arena)));
}

static struct incident_rule rules[] = {{.name = TEXT("Read in /etc and more"), .points = 45},
	{.name = TEXT("Write"), .points = 20}, {.name = TEXT("Run"), .points = 20}};

static struct incident in_workload(size_t n_rules)
{
	return (struct incident){.namespace = TEXT("shop"),
		.workload = {.name = TEXT("front")},
		.rules = rules,
		.n_rules = n_rules,
		.n_alerts = 1};
}

START_TEST(ends_and_tactics_are_told)
{
	static const struct {
		unsigned terminal;
		const char *chinese;
	} ends[] = {{TERMINAL_IMPACT, "影响（shop/front）"},
		{TERMINAL_EXFILTRATION, "数据渗出（shop/front）"},
		{TERMINAL_COMMAND_AND_CONTROL, "命令与控制（shop/front）"},
		{TERMINAL_NODE_CREDENTIAL, "节点凭据访问（shop/front）"},
		{TERMINAL_ESCAPE, "容器逃逸尝试（shop/front）"}};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		struct incident incident = in_workload(2);
		incident.terminals = ends[i].terminal;
		expect(&incident, ends[i].chinese);
	}
	struct incident incident = in_workload(1);
	incident.terminals = TERMINAL_IMPACT;
	expect(&incident, "影响：Read in /etc and more（shop/front）");
	incident = in_workload(2);
	incident.tactic_set = 1U << 3 | 1U << 9;
	incident.tactics_credited = 2;
	expect(&incident, "执行，随后发现（shop/front）");
}
END_TEST

START_TEST(rules_and_places_are_told)
{
	struct incident incident = in_workload(1);
	expect(&incident, "Read in /etc and more（shop/front）");
	incident.n_alerts = 12345;
	expect(&incident, "Read in /etc and more ×12.3 k（shop/front）");
	incident = in_workload(2);
	expect(&incident, "Read in /etc and more 及另外 1 条规则（shop/front）");
	incident = in_workload(3);
	expect(&incident, "Read in /etc and more 及另外 2 条规则（shop/front）");
	incident = in_workload(0);
	expect(&incident, "告警（shop/front）");
	incident = (struct incident){.pod_uid = TEXT("a-b"), .rules = rules, .n_rules = 1};
	expect(&incident, "Read in /etc and more（Pod a-b）");
	incident = (struct incident){.container = TEXT("0f"), .rules = rules, .n_rules = 1};
	expect(&incident, "Read in /etc and more（容器 0f）");
	incident = (struct incident){.node = TEXT("n1"), .rules = rules, .n_rules = 1};
	expect(&incident, "Read in /etc and more（节点 n1）");
	incident = (struct incident){.cluster = TEXT("c1"), .rules = rules, .n_rules = 1};
	expect(&incident, "Read in /etc and more（集群 c1）");
	incident = in_workload(1);
	incident.n_rolled_up = 12;
	expect(&incident, "大范围出现：Read in /etc and more（shop，12 个 Pod）");
}
END_TEST

/* What is longer than a sentence may be stays as it is, and is not lost. */
START_TEST(a_long_title_is_not_lost)
{
	static char name[6000];
	memset(name, 'x', sizeof name);
	struct incident_rule rule = {.name = {name, sizeof name}, .points = 20};
	struct incident incident = in_workload(1);
	incident.rules = &rule;
	ck_assert(text_equal(told(&incident, LANGUAGE_CHINESE), incident_title(&incident, &arena)));
	incident.terminals = TERMINAL_IMPACT;
	ck_assert(text_equal(told(&incident, LANGUAGE_CHINESE), incident_title(&incident, &arena)));
	incident.n_rolled_up = 3;
	ck_assert(text_equal(told(&incident, LANGUAGE_CHINESE), incident_title(&incident, &arena)));
}
END_TEST

/* What is composed otherwise stays; no end of it is read beyond. */
START_TEST(others_stay)
{
	static const char *const titles[] = {"", " ", "x", " in ", "in x",
		"Widespread: ", "Widespread:  pods)", "Widespread: a pods)", "Impact",
		", then  in x", " and  more rules in x", "a and b more rules in x",
		"Impactful in x", "Impact: in x"};
	static const struct page_reader reader = {.language = LANGUAGE_CHINESE};
	const struct page page = {.arena = &arena, .reader = &reader};
	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
		for (size_t size = 0; size <= text_of(titles[i]).size; size++) {
			struct text title = {titles[i], size};
			struct text said = headline(&page, title);
			ck_assert(size == 0 || said.size > 0);
			headline_beside(&page, title, TEXT("x"));
		}
}
END_TEST

START_TEST(a_list_has_the_place_beside_it)
{
	static const struct page_reader reader = {.language = LANGUAGE_ENGLISH};
	const struct page page = {.arena = &arena, .reader = &reader};
	struct text place = TEXT("shop/front");
	ck_assert(text_is(headline_beside(&page, TEXT("Impact in shop/front"), place), "Impact"));
	ck_assert(text_is(
		headline_beside(&page, TEXT("Impact in shop/back"), place), "Impact in shop/back"));
	ck_assert(text_is(
		headline_beside(&page, TEXT("Impact on node n"), place), "Impact on node n"));
	ck_assert(text_is(headline_beside(&page, TEXT(" in shop/front"), place), " in shop/front"));
	ck_assert(text_is(headline_beside(&page, TEXT("A in b"), TEXT_NONE), "A in b"));
}
END_TEST

static void begin(void)
{
	arena_init(&arena, ARENA_BYTES);
}

static void end(void)
{
	arena_done(&arena);
}

int main(void)
{
	Suite *suite = suite_create("pages/headline");
	TCase *tests = tcase_create("headline");
	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, ends_and_tactics_are_told);
	tcase_add_test(tests, rules_and_places_are_told);
	tcase_add_test(tests, others_stay);
	tcase_add_test(tests, a_long_title_is_not_lost);
	tcase_add_test(tests, a_list_has_the_place_beside_it);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
