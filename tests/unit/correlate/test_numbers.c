/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "correlate/numbers.h"
#include "tests/lib/random.h"

enum { OLDS_MAX = 6, NEWS_MAX = 6, SLOTS_MAX = 40 };

/* Two entities; a piece has the alerts of the first, unless it says otherwise. */
static const struct piece_member members[] = {{1, INT64_MIN, INT64_MAX}, {2, INT64_MIN, INT64_MAX}};

static struct old_piece old_of(uint64_t number, int64_t key, int64_t first, int64_t last)
{
	return (struct old_piece){.number = number,
		.key = key,
		.first_slot = first,
		.last_slot = last,
		.lo_ns = first * 300,
		.members = members,
		.n_members = 1};
}

static struct new_piece new_of(int64_t key, const struct counted_rows *rows, size_t n)
{
	return (struct new_piece){.key = key, .rows = rows, .n_rows = n};
}

START_TEST(a_piece_that_grows_keeps_its_number)
{
	const struct counted_rows slots[] = {{8, 1, 8 * 300, 8 * 300, 1},
		{10, 1, 10 * 300, 10 * 300, 5}, {15, 1, 15 * 300, 15 * 300, 1}};
	struct old_piece olds[] = {old_of(3, 1, 10, 12)};
	struct new_piece news[] = {new_of(1, slots, 3)};
	numbers_match(olds, 1, news, 1);
	ck_assert_uint_eq(news[0].number, 3);
	ck_assert_uint_eq(news[0].split_from, 0);
	ck_assert_uint_eq(olds[0].redirect_to, 0);
}
END_TEST

/* The older by first event time survives, whatever its number. */
START_TEST(the_older_of_two_that_meet_survives)
{
	const struct counted_rows slots[] = {
		{10, 1, 10 * 300, 10 * 300, 1}, {20, 1, 20 * 300, 20 * 300, 100}};
	struct old_piece olds[] = {old_of(3, 1, 20, 22), old_of(9, 1, 10, 12)};
	struct new_piece news[] = {new_of(1, slots, 2)};
	numbers_match(olds, 2, news, 1);
	ck_assert_uint_eq(news[0].number, 9);
	ck_assert_uint_eq(olds[0].redirect_to, 1);
	ck_assert_uint_eq(olds[1].redirect_to, 0);
}
END_TEST

START_TEST(the_number_goes_where_most_alerts_are)
{
	const struct counted_rows early[] = {{10, 1, 10 * 300, 10 * 300, 2}},
				  late[] = {{14, 1, 14 * 300, 14 * 300, 7}};
	struct old_piece olds[] = {old_of(3, 1, 10, 14)};
	struct new_piece news[] = {new_of(1, early, 1), new_of(1, late, 1)};
	numbers_match(olds, 1, news, 2);
	ck_assert_uint_eq(news[0].number, 0);
	ck_assert_uint_eq(news[0].split_from, 3);
	ck_assert_uint_eq(news[1].number, 3);
	ck_assert_uint_eq(news[1].split_from, 0);
}
END_TEST

/* One alert under the same key weighs more than a thousand that moved to another. */
START_TEST(the_same_key_comes_first)
{
	const struct counted_rows few[] = {{10, 1, 10 * 300, 10 * 300, 1}},
				  many[] = {{11, 1, 11 * 300, 11 * 300, 1000}};
	struct old_piece olds[] = {old_of(3, 1, 10, 14)};
	struct new_piece news[] = {new_of(2, many, 1), new_of(1, few, 1)};
	numbers_match(olds, 1, news, 2);
	ck_assert_uint_eq(news[1].number, 3);
	ck_assert_uint_eq(news[0].number, 0);
	ck_assert_uint_eq(news[0].split_from, 3);
}
END_TEST

START_TEST(a_piece_that_is_gone_goes_nowhere)
{
	const struct counted_rows slots[] = {{50, 1, 50 * 300, 50 * 300, 1}};
	struct old_piece olds[] = {old_of(3, 1, 10, 14)};
	struct new_piece news[] = {new_of(1, slots, 1)};
	numbers_match(olds, 1, news, 1);
	ck_assert_uint_eq(olds[0].redirect_to, 0);
	ck_assert_uint_eq(news[0].number, 0);
	ck_assert_uint_eq(news[0].split_from, 0);
}
END_TEST

/* In the slots of the old piece lie more alerts of another entity, and of its own at other times.
 */
START_TEST(the_number_goes_with_its_own_alerts)
{
	static const struct piece_member first_half = {1, INT64_MIN, 3100};
	const struct counted_rows others[] = {{10, 2, 3000, 3299, 1000}},
				  later[] = {{10, 1, 3100, 3299, 500}},
				  own[] = {{10, 1, 3000, 3099, 1}};
	struct old_piece olds[] = {old_of(3, 1, 10, 10)};
	struct new_piece news[] = {new_of(2, others, 1), new_of(3, later, 1), new_of(4, own, 1)};
	olds[0].members = &first_half;
	numbers_match(olds, 1, news, 3);
	ck_assert_uint_eq(news[2].number, 3);
	ck_assert_uint_eq(news[0].number, 0);
	ck_assert_uint_eq(news[0].split_from, 0);
	ck_assert_uint_eq(news[1].split_from, 0);
}
END_TEST

struct world {
	struct counted_rows rows[NEWS_MAX][SLOTS_MAX];
	struct old_piece olds[OLDS_MAX];
	struct new_piece news[NEWS_MAX];
	size_t n_olds, n_news;
};

/* Pieces of two keys over the same hundred slots; those of one key do not overlap. */
static void draw_world(struct random *random, struct world *world)
{
	int64_t old_at[2] = {0}, new_at[2] = {0};
	world->n_olds = random_below(random, OLDS_MAX + 1);
	world->n_news = random_below(random, NEWS_MAX + 1);
	for (size_t i = 0; i < world->n_olds; i++) {
		int64_t key = (int64_t)random_below(random, 2);
		int64_t first = old_at[key] + (int64_t)random_below(random, 6);
		old_at[key] = first + 1 + (int64_t)random_below(random, 20);
		world->olds[i] = old_of(i + 1, key, first, old_at[key] - 1);
		world->olds[i].members += random_below(random, 2);
		if (world->olds[i].members == members)
			world->olds[i].n_members += random_below(random, 2);
	}
	for (size_t i = 0; i < world->n_news; i++) {
		int64_t key = (int64_t)random_below(random, 2);
		size_t n = 1 + random_below(random, SLOTS_MAX - 1);
		for (size_t j = 0; j < n; j++) {
			new_at[key] += 1 + (int64_t)random_below(random, 2);
			world->rows[i][j] = (struct counted_rows){new_at[key],
				1 + (int64_t)random_below(random, 2), new_at[key] * 300,
				new_at[key] * 300 + 299, 1 + random_below(random, 9)};
		}
		world->news[i] = new_of(key, world->rows[i], n);
	}
}

static const struct new_piece *new_like(const struct world *world, const struct new_piece *piece)
{
	for (size_t i = 0; i < world->n_news; i++)
		if (world->news[i].rows == piece->rows)
			return &world->news[i];
	return NULL;
}

static void check_world(const struct world *world)
{
	for (size_t i = 0; i < world->n_news; i++) {
		const struct new_piece *piece = &world->news[i];
		ck_assert(!piece->number || !piece->split_from);
		for (size_t j = 0; j < i; j++)
			ck_assert(!piece->number || piece->number != world->news[j].number);
	}
	for (size_t i = 0; i < world->n_olds; i++) {
		const struct old_piece *old = &world->olds[i];
		ck_assert_uint_le(old->redirect_to, world->n_news);
		if (old->redirect_to)
			ck_assert_uint_ne(world->news[old->redirect_to - 1].number, old->number);
		if (old->redirect_to)
			ck_assert_uint_ne(world->news[old->redirect_to - 1].number, 0);
	}
}

/* No number is given twice, who redirects redirects to a number, and order does not matter. */
START_TEST(is_a_function_of_sets)
{
	static struct world world, other;
	struct random random = random_from_environment();
	for (int round = 0; round < 3000; round++) {
		draw_world(&random, &world);
		other = world;
		for (size_t i = 0; i < other.n_news; i++) {
			size_t j = random_below(&random, other.n_news);
			struct new_piece kept = other.news[i];
			other.news[i] = other.news[j];
			other.news[j] = kept;
		}
		for (size_t i = 0; i < other.n_olds / 2; i++) {
			struct old_piece kept = other.olds[i];
			other.olds[i] = other.olds[other.n_olds - 1 - i];
			other.olds[other.n_olds - 1 - i] = kept;
		}
		numbers_match(world.olds, world.n_olds, world.news, world.n_news);
		numbers_match(other.olds, other.n_olds, other.news, other.n_news);
		check_world(&world);
		for (size_t i = 0; i < other.n_news; i++) {
			const struct new_piece *same = new_like(&world, &other.news[i]);
			ck_assert_ptr_nonnull(same);
			ck_assert_uint_eq(other.news[i].number, same->number);
			ck_assert_uint_eq(other.news[i].split_from, same->split_from);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("correlate/numbers");
	TCase *tests = tcase_create("numbers");
	tcase_add_test(tests, a_piece_that_grows_keeps_its_number);
	tcase_add_test(tests, the_older_of_two_that_meet_survives);
	tcase_add_test(tests, the_number_goes_where_most_alerts_are);
	tcase_add_test(tests, the_same_key_comes_first);
	tcase_add_test(tests, a_piece_that_is_gone_goes_nowhere);
	tcase_add_test(tests, the_number_goes_with_its_own_alerts);
	tcase_add_test(tests, is_a_function_of_sets);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
