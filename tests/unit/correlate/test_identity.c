/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "correlate/identity.h"
#include "model/fact.h"
#include "tests/lib/random.h"

#define S INT64_C(1000000000)

static struct arena arena;
static struct identity_segment *segments;
static size_t n;

static void resolve(const struct identity_seen *seen, const struct identity_known *known)
{
	arena_init(&arena, 1024 * 1024);
	ck_assert(identity_resolve(seen, known, &arena, &segments, &n));
	ck_assert_uint_ge(n, 1);
	ck_assert_int_eq(segments[0].from_ns, INT64_MIN);
	ck_assert_int_eq(segments[n - 1].to_ns, INT64_MAX);
	for (size_t i = 1; i < n; i++)
		ck_assert_int_eq(segments[i].from_ns, segments[i - 1].to_ns);
}

static void check_key(size_t i, const char *key)
{
	ck_assert_uint_lt(i, n);
	ck_assert_msg(text_is(segments[i].key, key), "segment %zu is %.*s, not %s", i,
		TEXT_ARG(segments[i].key), key);
}

static void teardown(void)
{
	arena_done(&arena);
}

static const struct identity_known nothing;

/* One after another is taken away: the strongest of what is left names the key. */
START_TEST(the_strongest_name_is_the_key)
{
	struct identity_seen seen = {
		TEXT("c"), TEXT("u1"), TEXT("0123456789ab"), TEXT("ns/web"), TEXT("node-1")};
	const char *const keys[] = {
		"pod:c/u1", "podname:c/ns/web", "ctr:c/0123456789ab", "node:c/node-1", "cluster:c"};
	struct text *const parts[] = {&seen.uid, &seen.name, &seen.container, &seen.node};
	for (size_t i = 0; i < 5; i++) {
		resolve(&seen, &nothing);
		ck_assert_uint_eq(n, 1);
		check_key(0, keys[i]);
		arena_done(&arena);
		if (i < 4)
			*parts[i] = TEXT_NONE;
	}
}
END_TEST

START_TEST(a_container_leads_to_its_pod)
{
	struct identity_seen seen = {.cluster = TEXT("c"), .container = TEXT("0123456789ab")};
	struct identity_known known = {
		.container_uid = TEXT("u1"), .container_name = TEXT("ns/web")};
	resolve(&seen, &known);
	check_key(0, "pod:c/u1");
	arena_done(&arena);
	known.container_uid = TEXT_NONE;
	resolve(&seen, &known);
	check_key(0, "podname:c/ns/web");
	arena_done(&arena);
	seen.uid = TEXT("u2"); /* its own word comes first */
	known.container_uid = TEXT("u1");
	resolve(&seen, &known);
	check_key(0, "pod:c/u2");
}
END_TEST

/* The name is its first owner's from a minute before the start, then the next one's. */
START_TEST(a_name_passes_from_pod_to_pod)
{
	const struct name_owner owners[] = {
		{5000 * S, FACT_WATCH, TEXT("second")}, {1000 * S, FACT_WATCH, TEXT("first")}};
	struct identity_seen seen = {.cluster = TEXT("c"), .name = TEXT("ns/web")};
	struct identity_known known = {.owners = owners, .n_owners = 2};
	resolve(&seen, &known);
	ck_assert_uint_eq(n, 3);
	check_key(0, "podname:c/ns/web");
	check_key(1, "pod:c/first");
	check_key(2, "pod:c/second");
	ck_assert_int_eq(segments[1].from_ns, 940 * S);
	ck_assert_int_eq(segments[2].from_ns, 5000 * S);
}
END_TEST

START_TEST(later_words_of_weaker_witnesses_are_not_heard)
{
	const struct name_owner owners[] = {{1000 * S, FACT_SENSOR, TEXT("early")},
		{2000 * S, FACT_WATCH, TEXT("true")}, {3000 * S, FACT_SENSOR, TEXT("forged")},
		{2000 * S, FACT_AGENT, TEXT("also-forged")}};
	struct identity_seen seen = {.cluster = TEXT("c"), .name = TEXT("ns/web")};
	struct identity_known known = {.owners = owners, .n_owners = 4};
	resolve(&seen, &known);
	ck_assert_uint_eq(n, 3);
	check_key(1, "pod:c/early");
	check_key(2, "pod:c/true");
}
END_TEST

START_TEST(at_one_start_the_smallest_uid_wins)
{
	const struct name_owner owners[] = {
		{1000 * S, FACT_AGENT, TEXT("b")}, {1000 * S, FACT_AGENT, TEXT("a")}};
	struct identity_seen seen = {.cluster = TEXT("c"), .name = TEXT("ns/web")};
	struct identity_known known = {.owners = owners, .n_owners = 2};
	resolve(&seen, &known);
	ck_assert_uint_eq(n, 2);
	check_key(1, "pod:c/a");
}
END_TEST

START_TEST(a_start_at_the_beginning_of_time_stays_in_it)
{
	const struct name_owner owners[] = {{INT64_MIN + 1, FACT_AGENT, TEXT("a")}};
	struct identity_seen seen = {.cluster = TEXT("c"), .name = TEXT("ns/web")};
	struct identity_known known = {.owners = owners, .n_owners = 1};
	resolve(&seen, &known);
	check_key(n - 1, "pod:c/a");
}
END_TEST

/* Facts are a set. */
START_TEST(does_not_depend_on_the_order_of_owners)
{
	static const struct text uids[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}};
	struct random random = random_from_environment();
	struct identity_seen seen = {.cluster = TEXT("c"), .name = TEXT("ns/web")};
	for (int round = 0; round < 2000; round++) {
		struct name_owner owners[8], turned[8];
		size_t n_owners = random_below(&random, 9);
		for (size_t i = 0; i < n_owners; i++)
			owners[i] = (struct name_owner){(int64_t)random_below(&random, 5) * S,
				(enum fact_rank)random_below(&random, 3),
				uids[random_below(&random, 4)]};
		for (size_t i = 0; i < n_owners; i++)
			turned[i] = owners[n_owners - 1 - i];
		struct identity_known known = {.owners = owners, .n_owners = n_owners};
		struct arena first_arena;
		resolve(&seen, &known);
		first_arena = arena;
		const struct identity_segment *first = segments;
		size_t n_first = n;
		known.owners = turned;
		resolve(&seen, &known);
		ck_assert_uint_eq(n, n_first);
		for (size_t i = 0; i < n; i++) {
			ck_assert_int_eq(segments[i].from_ns, first[i].from_ns);
			ck_assert(text_equal(segments[i].key, first[i].key));
		}
		arena_done(&first_arena);
		arena_done(&arena);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("correlate/identity");
	TCase *tests = tcase_create("identity");
	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, the_strongest_name_is_the_key);
	tcase_add_test(tests, a_container_leads_to_its_pod);
	tcase_add_test(tests, a_name_passes_from_pod_to_pod);
	tcase_add_test(tests, later_words_of_weaker_witnesses_are_not_heard);
	tcase_add_test(tests, at_one_start_the_smallest_uid_wins);
	tcase_add_test(tests, a_start_at_the_beginning_of_time_stays_in_it);
	tcase_add_test(tests, does_not_depend_on_the_order_of_owners);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
