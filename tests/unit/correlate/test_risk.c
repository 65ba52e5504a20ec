/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>

#include "correlate/risk.h"
#include "tests/lib/random.h"

enum { INFO = 3, LOW = 20, MEDIUM = 45, HIGH = 70, CRITICAL = 90 };

static const struct risk_context plain = {CRITICALITY_NORMAL, NOVELTY_NONE};

START_TEST(severities_have_their_points)
{
	ck_assert_uint_eq(severity_points(SEVERITY_INFO), INFO);
	ck_assert_uint_eq(severity_points(SEVERITY_LOW), LOW);
	ck_assert_uint_eq(severity_points(SEVERITY_MEDIUM), MEDIUM);
	ck_assert_uint_eq(severity_points(SEVERITY_HIGH), HIGH);
	ck_assert_uint_eq(severity_points(SEVERITY_CRITICAL), CRITICAL);
}
END_TEST

/* The worked table of the specification, section 6: base with two decimals, risk with one. */
static const struct {
	const char *what;
	unsigned points[10];
	size_t n;
	unsigned credited;
	struct risk_context context;
	int64_t base_milli, risk_milli;
} worked[] = {
	{"a shell, notice", {LOW}, 1, 1, {100, 100}, 20000, 20000},
	{"one warning rule, however often", {MEDIUM}, 1, 1, {100, 100}, 45000, 45000},
	{"drop and execute, critical", {CRITICAL}, 1, 1, {100, 100}, 90000, 90000},
	{"shell and secret read", {LOW, MEDIUM}, 2, 2, {100, 100}, 48640, 58700},
	{"four weak signals", {LOW, MEDIUM, LOW, LOW}, 4, 4, {100, 100}, 51510, 80900},
	{"the same, extreme impact", {LOW, MEDIUM, LOW, LOW}, 4, 4, {200, 100}, 51510, 89500},
	{"web shell to miner", {HIGH, MEDIUM, CRITICAL, HIGH}, 4, 4, {100, 100}, 93050, 98200},
	{"fires here every day", {MEDIUM}, 1, 1, {100, 50}, 45000, 29000},
	{"ten low rules, one tactic", {20, 20, 20, 20, 20, 20, 20, 20, 20, 20}, 10, 1, {100, 100},
		33280, 33300},
	{"ten low rules, five tactics", {20, 20, 20, 20, 20, 20, 20, 20, 20, 20}, 10, 5, {100, 100},
		33280, 66600},
};

START_TEST(gives_the_worked_table)
{
	for (size_t i = 0; i < sizeof worked / sizeof worked[0]; i++) {
		int64_t base, risk;
		risk_compute(worked[i].points, worked[i].n, worked[i].credited, &worked[i].context,
			&base, &risk);
		ck_assert_msg(llabs(base - worked[i].base_milli) <= 5, "%s: base %lld",
			worked[i].what, (long long)base);
		ck_assert_msg(llabs(risk - worked[i].risk_milli) <= 50, "%s: risk %lld",
			worked[i].what, (long long)risk);
	}
}
END_TEST

START_TEST(novelty_counts_days)
{
	for (unsigned days = 0; days <= NOVELTY_DAYS; days++) {
		unsigned expected = days == 0  ? NOVELTY_NEW
				    : days < 5 ? NOVELTY_NONE
					       : NOVELTY_DAILY;
		ck_assert_uint_eq(risk_novelty(true, days), expected);
		ck_assert_uint_eq(risk_novelty(false, days), NOVELTY_NONE);
	}
}
END_TEST

/* Only the ten greatest count, in whatever order they come. */
START_TEST(does_not_depend_on_the_order)
{
	struct random random = random_from_environment();
	for (int round = 0; round < 2000; round++) {
		unsigned points[14];
		int64_t base, risk, base_again, risk_again;
		size_t n = 1 + random_below(&random, 14);
		for (size_t i = 0; i < n; i++)
			points[i] =
				severity_points((enum severity)random_below(&random, N_SEVERITIES));
		unsigned credited = (unsigned)random_below(&random, 16);
		risk_compute(points, n, credited, &plain, &base, &risk);
		for (size_t i = n; i > 1; i--) {
			size_t j = random_below(&random, i);
			unsigned kept = points[j];
			points[j] = points[i - 1];
			points[i - 1] = kept;
		}
		risk_compute(points, n, credited, &plain, &base_again, &risk_again);
		ck_assert_int_eq(base, base_again);
		ck_assert_int_eq(risk, risk_again);
	}
}
END_TEST

/* Another alert never lowers anything, and nothing reaches 100. */
START_TEST(more_is_never_less)
{
	struct random random = random_from_environment();
	for (int round = 0; round < 2000; round++) {
		unsigned points[15];
		int64_t base, risk, base_more, risk_more;
		size_t n = 1 + random_below(&random, 14);
		unsigned credited = (unsigned)random_below(&random, 15);
		for (size_t i = 0; i <= n; i++)
			points[i] =
				severity_points((enum severity)random_below(&random, N_SEVERITIES));
		risk_compute(points, n, credited, &plain, &base, &risk);
		risk_compute(points, n + 1, credited, &plain, &base_more, &risk_more);
		ck_assert_int_ge(base_more, base);
		ck_assert_int_ge(risk_more, risk);
		risk_compute(points, n, credited + 1, &plain, &base_more, &risk_more);
		ck_assert_int_eq(base_more, base);
		ck_assert_int_ge(risk_more, risk);
		ck_assert_int_lt(risk_more, 100000);
	}
}
END_TEST

/* A rule counts with its greatest severity, and a tactic once per rule. */
START_TEST(a_piece_is_scored_from_its_rules)
{
	struct piece piece = {.number = 1};
	int64_t base, risk;
	struct piece_rule *rule = piece_sums_rule(&piece.sums, 7);
	*rule = (struct piece_rule){7, LOW, 1};
	rule = piece_sums_rule(&piece.sums, 3);
	*rule = (struct piece_rule){3, MEDIUM, 2 | 4};
	risk_of_piece(&piece, &plain);
	risk_compute((const unsigned[]){LOW, MEDIUM}, 2, 2, &plain, &base, &risk);
	ck_assert_int_eq(piece.base_milli, base);
	ck_assert_int_eq(piece.risk_milli, risk);
	ck_assert_uint_eq(piece.tactics, 7);
	ck_assert_uint_eq(piece.credited, 2);
	piece_sums_done(&piece.sums);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("correlate/risk");
	TCase *tests = tcase_create("risk");
	tcase_add_test(tests, severities_have_their_points);
	tcase_add_test(tests, gives_the_worked_table);
	tcase_add_test(tests, novelty_counts_days);
	tcase_add_test(tests, does_not_depend_on_the_order);
	tcase_add_test(tests, more_is_never_less);
	tcase_add_test(tests, a_piece_is_scored_from_its_rules);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
