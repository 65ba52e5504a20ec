/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sheds.h"

#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/lib/store_rig.h"

/* What agents shed, from leaves to sums. */

enum { ARENA_BYTES = 8 * 1024 * 1024 };

static struct store_rig rig;
static struct arena arena;
static struct batch *batch;

static void setup(void)
{
	struct err err = {0};
	store_rig_init(&rig, NULL);
	arena_init(&arena, ARENA_BYTES);
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
	batch = store_rig_batch();
}

static void teardown(void)
{
	batch_free(batch);
	arena_done(&arena);
	store_rig_done(&rig);
}

/* @minute: it lasted that one. */
static void add(const char *node, const char *rule, int64_t minute, uint64_t n)
{
	struct alert *alert = batch_alert_new(batch);
	struct shed *shed = arena_alloc(&batch->arena, sizeof *shed);
	ck_assert(alert && shed);
	int64_t from_ns = (RIG_TIME_S + minute * 60) * NS_PER_S;
	*shed = (struct shed){.severity = TEXT("low"),
		.rule = arena_copy(&batch->arena, text_of(rule)),
		.from_ns = from_ns,
		.until_ns = from_ns + 60 * NS_PER_S - 1,
		.n = n,
		.bytes = n};
	alert->kind = LEAF_SHED;
	alert->shed = shed;
	alert->node = arena_copy(&batch->arena, text_of(node));
	alert->sensor = TEXT("falco");
	alert->received_ns = alert->time_ns = shed->until_ns;
	alert->raw = arena_format(
		&batch->arena, "{\"%s\":\"%s\",\"%lld\":0}", node, rule, (long long)minute);
	alert->raw_digest = digest_of(alert->raw);
	batch_add(batch, alert);
}

static struct shed_list list(const struct coverage_filter *filter)
{
	struct err err = {0};
	struct shed_list out;
	if (batch->n_alerts)
		ck_assert_msg(store_rig_commit(&rig, batch, &err) == 0, "%s", err.text);
	batch_free(batch);
	batch = store_rig_batch();
	ck_assert_msg(sheds_list(store_connection(rig.store), filter, &arena, &out, &err) == 0,
		"%s", err.text);
	return out;
}

static const struct coverage_filter all = {.until_ns = INT64_MAX};

START_TEST(one_sum_for_a_rule_on_a_node)
{
	ck_assert_uint_eq(list(&all).n, 0);
	add("n1", "Shell", 0, 5);
	add("n1", "Shell", 9, 6);
	add("n1", "", 9, 100);
	add("n2", "Shell", 9, 1);
	struct shed_list sheds = list(&all);
	ck_assert_uint_eq(sheds.n, 3);
	ck_assert(text_is(sheds.items[0].rule, "")); /* the most come first */
	const struct shed_sum *sum = &sheds.items[1];
	ck_assert(text_is(sum->node, "n1") && text_is(sum->rule, "Shell"));
	ck_assert(text_is(sum->severity, "low"));
	ck_assert_int_eq(sum->source, SOURCE_TOCSIN);
	ck_assert_uint_eq(sum->n, 11);
	ck_assert_uint_eq(sum->bytes, 11);
	ck_assert_uint_eq(sum->n_leaves, 2);
	ck_assert_int_eq(sum->from_ns, RIG_TIME_S * NS_PER_S);
	ck_assert_int_eq(sum->until_ns, (RIG_TIME_S + 600) * NS_PER_S - 1);
	ck_assert(!sheds.is_cut);
}
END_TEST

START_TEST(of_a_span_a_node_and_a_source)
{
	add("n1", "Shell", 0, 5);
	add("n1", "Shell", 9, 6);
	add("n2", "Shell", 9, 1);
	struct coverage_filter filter = {
		.from_ns = (RIG_TIME_S + 60) * NS_PER_S, .until_ns = INT64_MAX, .node = TEXT("n1")};
	struct shed_list sheds = list(&filter);
	ck_assert_uint_eq(sheds.n, 1);
	ck_assert_uint_eq(sheds.items[0].n, 6);
	filter = (struct coverage_filter){.until_ns = (RIG_TIME_S + 60) * NS_PER_S};
	ck_assert_uint_eq(list(&filter).n, 1);
	filter = (struct coverage_filter){.until_ns = INT64_MAX, .source = TEXT("tetragon")};
	ck_assert_uint_eq(list(&filter).n, 0);
	filter.source = TEXT("tocsin");
	ck_assert_uint_eq(list(&filter).n, 2);
	filter.cluster = TEXT("elsewhere");
	ck_assert_uint_eq(list(&filter).n, 0);
}
END_TEST

START_TEST(numbers_that_are_no_ones_do_not_overflow)
{
	add("n1", "Shell", 0, UINT64_MAX);
	add("n1", "Shell", 1, UINT64_MAX);
	struct shed_list sheds = list(&all);
	ck_assert_uint_eq(sheds.n, 1);
	ck_assert_uint_eq(sheds.items[0].n, INT64_MAX);
}
END_TEST

START_TEST(a_list_is_cut)
{
	char rule[16];
	for (unsigned i = 0; i < SHEDS_MAX; i++) {
		text_format(rule, sizeof rule, "rule %u", i);
		add("n1", rule, 0, 1);
	}
	struct shed_list sheds = list(&all);
	ck_assert_uint_eq(sheds.n, SHEDS_MAX);
	ck_assert(!sheds.is_cut);
	add("n1", "one more", 0, 1);
	sheds = list(&all);
	ck_assert_uint_eq(sheds.n, SHEDS_MAX);
	ck_assert(sheds.is_cut);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sheds");
	TCase *tests = tcase_create("sheds");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, one_sum_for_a_rule_on_a_node);
	tcase_add_test(tests, of_a_span_a_node_and_a_source);
	tcase_add_test(tests, numbers_that_are_no_ones_do_not_overflow);
	tcase_add_test(tests, a_list_is_cut);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
