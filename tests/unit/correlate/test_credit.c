/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "correlate/credit.h"
#include "tests/lib/random.h"

enum { RULES_MAX = 7 };

/* Every way to give the rules from @rule on a free tactic or none. */
static unsigned best_of_all(const struct piece_rule *rules, size_t n, size_t rule, unsigned taken)
{
	if (rule == n)
		return 0;
	unsigned best = best_of_all(rules, n, rule + 1, taken);
	for (unsigned tactic = 0; tactic < N_TACTICS; tactic++) {
		unsigned bit = 1U << tactic;
		if (!(rules[rule].tactics & bit) || (taken & bit))
			continue;
		unsigned found = 1 + best_of_all(rules, n, rule + 1, taken | bit);
		best = found > best ? found : best;
	}
	return best;
}

START_TEST(finds_what_trying_everything_finds)
{
	struct random random = random_from_environment();
	for (int round = 0; round < 3000; round++) {
		struct piece_rule rules[RULES_MAX];
		size_t n = random_below(&random, RULES_MAX + 1);
		unsigned width = 1 + (unsigned)random_below(&random, 6);
		for (size_t i = 0; i < n; i++)
			rules[i] = (struct piece_rule){(int64_t)i, 20,
				(tactic_mask)(random_below(&random, 1U << width)
					      << random_below(&random, N_TACTICS + 1 - width))};
		ck_assert_uint_eq(credited_tactics(rules, n), best_of_all(rules, n, 0, 0));
	}
}
END_TEST

START_TEST(one_rule_credits_one_tactic)
{
	struct piece_rule rules[20] = {{1, 90, 0x7fff}};
	ck_assert_uint_eq(credited_tactics(rules, 0), 0);
	ck_assert_uint_eq(credited_tactics(rules, 1), 1);
	for (size_t i = 1; i < 20; i++)
		rules[i] = (struct piece_rule){(int64_t)i + 1, 90, 0x7fff};
	ck_assert_uint_eq(credited_tactics(rules, 20), N_TACTICS);
	for (size_t i = 0; i < 20; i++)
		rules[i].tactics = 1;
	ck_assert_uint_eq(credited_tactics(rules, 20), 1);
}
END_TEST

/* A chain in which each later rule moves all earlier ones to their alternatives. */
START_TEST(moves_rules_to_their_alternatives)
{
	struct piece_rule rules[N_TACTICS];
	for (unsigned i = 0; i < N_TACTICS - 1; i++)
		rules[i] = (struct piece_rule){i, 20, (tactic_mask)(3U << i)};
	rules[N_TACTICS - 1] = (struct piece_rule){N_TACTICS, 20, 1};
	ck_assert_uint_eq(credited_tactics(rules, N_TACTICS), N_TACTICS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("correlate/credit");
	TCase *tests = tcase_create("credit");
	tcase_add_test(tests, finds_what_trying_everything_finds);
	tcase_add_test(tests, one_rule_credits_one_tactic);
	tcase_add_test(tests, moves_rules_to_their_alternatives);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
