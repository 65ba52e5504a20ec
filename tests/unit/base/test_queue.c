/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/queue.h"

enum { N_MAKERS = 2, N_ITEMS = 20000, MAX_BYTES = 100, N_LANES = 40, N_TURNS = 20000 };

struct thing {
	struct queue_item item; /* first */
	unsigned maker, number;
};

static struct queue *queue;

static void setup(void)
{
	queue = queue_new(MAX_BYTES);
	ck_assert_ptr_nonnull(queue);
}

static void teardown(void)
{
	queue_free(queue);
}

static bool is_readable(void)
{
	struct pollfd wait = {.fd = queue_fd(queue), .events = POLLIN};
	return poll(&wait, 1, 0) == 1;
}

START_TEST(holds_up_to_its_weight)
{
	struct queue_item items[4] = {{.weight_bytes = 60}, {.weight_bytes = 40},
		{.weight_bytes = 1}, {.weight_bytes = 0}};
	ck_assert(queue_push(queue, &items[0]));
	ck_assert(queue_push(queue, &items[1])); /* exactly full */
	ck_assert(!queue_push(queue, &items[2]));
	ck_assert(queue_push(queue, &items[3]));
	ck_assert_uint_eq(queue_weight(queue), MAX_BYTES);
	ck_assert_uint_eq(queue_max(queue), MAX_BYTES);
	struct queue_item *chain = queue_take(queue, SIZE_MAX, 0);
	ck_assert_ptr_eq(chain, &items[0]);
	ck_assert_ptr_eq(chain->next, &items[1]);
	ck_assert_ptr_eq(chain->next->next, &items[3]);
	ck_assert_ptr_null(items[3].next);
	ck_assert_uint_eq(queue_weight(queue), 0);
	ck_assert_ptr_null(queue_take(queue, SIZE_MAX, 0));
}
END_TEST

START_TEST(an_empty_one_takes_any_item)
{
	struct queue_item large = {.weight_bytes = SIZE_MAX}, small = {.weight_bytes = 1};
	ck_assert(queue_push(queue, &large));
	ck_assert(!queue_push(queue, &small)); /* no overflow */
	ck_assert_ptr_eq(queue_take(queue, 1, 0), &large);
	ck_assert(queue_push(queue, &small));
	ck_assert_ptr_eq(queue_take(queue, 0, 0), &small); /* at least one */
}
END_TEST

START_TEST(takes_at_most_what_was_asked_for)
{
	struct queue_item items[4];
	for (unsigned i = 0; i < 4; i++) {
		items[i] = (struct queue_item){.weight_bytes = 10};
		ck_assert(queue_push(queue, &items[i]));
	}
	struct queue_item *chain = queue_take(queue, 20, 0);
	ck_assert_ptr_eq(chain->next, &items[1]);
	ck_assert_ptr_null(items[1].next);
	ck_assert_ptr_null(queue_take(queue, 19, 0)->next);
	ck_assert_uint_eq(queue_weight(queue), 10);
	ck_assert_ptr_eq(queue_take(queue, SIZE_MAX, 0), &items[3]);
	ck_assert(queue_push(queue, &items[0])); /* the end was found again */
	ck_assert_ptr_eq(queue_take(queue, SIZE_MAX, 0), &items[0]);
}
END_TEST

START_TEST(the_descriptor_says_when_items_wait)
{
	struct queue_item items[2] = {{.weight_bytes = 10}, {.weight_bytes = 10}};
	ck_assert(!is_readable());
	ck_assert(queue_push(queue, &items[0]) && queue_push(queue, &items[1]));
	ck_assert(is_readable());
	queue_take(queue, 10, 0);
	ck_assert(is_readable());
	queue_take(queue, 10, 0);
	ck_assert(!is_readable());
	queue_wake(queue);
	ck_assert(is_readable());
	queue_take(queue, 10, 0);
	ck_assert(!is_readable());
	queue_close(queue);
	ck_assert(is_readable());
}
END_TEST

START_TEST(waits_no_longer_than_it_is_told)
{
	int64_t before_ms = clock_monotonic_ms(&clock_system);
	ck_assert_ptr_null(queue_take(queue, 1, 30));
	ck_assert_int_ge(clock_monotonic_ms(&clock_system) - before_ms, 29);
	queue_wake(queue); /* before anybody waits: not lost */
	ck_assert_ptr_null(queue_take(queue, 1, -1));
}
END_TEST

START_TEST(a_closed_one_gives_what_it_has)
{
	struct queue_item items[2] = {{.weight_bytes = 1}, {.weight_bytes = 1}};
	ck_assert(queue_push(queue, &items[0]));
	queue_close(queue);
	ck_assert(queue_closed(queue));
	ck_assert(!queue_push(queue, &items[1]));
	ck_assert_ptr_eq(queue_take(queue, 1, -1), &items[0]);
	ck_assert_ptr_null(queue_take(queue, 1, -1));
}
END_TEST

/* Pushes its items in order, again when the queue is full. */
static void *make(void *ctx)
{
	struct thing *things = ctx;
	for (unsigned i = 0; i < N_ITEMS; i++)
		while (!queue_push(queue, &things[i].item))
			sched_yield();
	return NULL;
}

START_TEST(many_push_one_takes)
{
	pthread_t makers[N_MAKERS];
	static struct thing things[N_MAKERS][N_ITEMS];
	unsigned next[N_MAKERS] = {0}, n = 0;
	for (unsigned i = 0; i < N_MAKERS; i++) {
		for (unsigned j = 0; j < N_ITEMS; j++)
			things[i][j] = (struct thing){{.weight_bytes = 1 + j % 7}, i, j};
		ck_assert_int_eq(pthread_create(&makers[i], NULL, make, things[i]), 0);
	}
	while (n < N_MAKERS * N_ITEMS) {
		struct queue_item *item = queue_take(queue, 50, -1);
		ck_assert_uint_le(queue_weight(queue), MAX_BYTES);
		for (; item; item = item->next, n++) {
			const struct thing *thing = (const struct thing *)(const void *)item;
			ck_assert_uint_eq(thing->number, next[thing->maker]++);
		}
	}
	for (unsigned i = 0; i < N_MAKERS; i++)
		pthread_join(makers[i], NULL);
	ck_assert_uint_eq(queue_weight(queue), 0);
}
END_TEST

static void *close_it(void *ctx)
{
	(void)ctx;
	queue_close(queue);
	return NULL;
}

START_TEST(closing_ends_a_wait)
{
	pthread_t closer;
	ck_assert_int_eq(pthread_create(&closer, NULL, close_it, NULL), 0);
	ck_assert_ptr_null(queue_take(queue, 1, -1));
	pthread_join(closer, NULL);
}
END_TEST

static struct queue_item *next_of(struct queue *from)
{
	struct queue_item *item = queue_take(from, 1, 0);
	ck_assert_ptr_nonnull(item);
	ck_assert_ptr_null(item->next);
	return item;
}

START_TEST(who_sends_little_comes_before_what_others_have)
{
	struct queue_lane greedy = {0}, quiet = {0};
	struct queue_item many[4], few[2] = {{.weight_bytes = 1}, {.weight_bytes = 1}};
	for (unsigned i = 0; i < 4; i++) {
		many[i] = (struct queue_item){.weight_bytes = 20};
		ck_assert(queue_push_lane(queue, &greedy, &many[i]));
	}
	ck_assert_ptr_eq(next_of(queue), &many[0]);
	ck_assert(queue_push_lane(queue, &quiet, &few[0]));
	ck_assert(queue_push_lane(queue, &quiet, &few[1]));
	struct queue_item *chain = queue_take(queue, 22, 0); /* both, and one of the greedy */
	ck_assert_ptr_eq(chain, &few[0]);
	ck_assert_ptr_eq(chain->next, &few[1]);
	ck_assert_ptr_eq(few[1].next, &many[1]);
	ck_assert_ptr_null(many[1].next);
	ck_assert_uint_eq(queue_weight(queue), 40);
	ck_assert_ptr_eq(next_of(queue), &many[2]);
	ck_assert_ptr_eq(next_of(queue), &many[3]);
	ck_assert_ptr_null(queue_take(queue, 1, 0));
}
END_TEST

/* A large item is overtaken, but only by as much as it is large itself. */
START_TEST(nobody_waits_for_ever)
{
	struct queue_lane greedy = {0}, quiet = {0};
	struct queue_item large = {.weight_bytes = 50}, small[2];
	unsigned n_before = 0;
	ck_assert(queue_push_lane(queue, &greedy, &large));
	for (;; n_before++) {
		struct queue_item *one = &small[n_before % 2];
		*one = (struct queue_item){.weight_bytes = 1};
		ck_assert(queue_push_lane(queue, &quiet, one));
		if (next_of(queue) == &large)
			break;
		ck_assert_uint_lt(n_before, 60);
	}
	ck_assert_uint_ge(n_before, 48);
	ck_assert_ptr_eq(next_of(queue), &small[n_before % 2]);
}
END_TEST

/* Of lanes that always have something each gets the same weight, to within its largest item; the
 * order of each is kept. */
START_TEST(lanes_get_the_same)
{
	struct queue *wide = queue_new(SIZE_MAX);
	static struct queue_lane lanes[N_LANES];
	static struct thing things[N_TURNS + N_LANES * 4];
	unsigned next[N_LANES] = {0}, pushed[N_LANES] = {0}, n = 0;
	size_t got[N_LANES] = {0};
	ck_assert_ptr_nonnull(wide);
	for (unsigned i = 0; i < N_LANES * 4; i++, n++) {
		unsigned lane = i % N_LANES;
		things[n] = (struct thing){{.weight_bytes = 1 + lane}, lane, pushed[lane]++};
		ck_assert(queue_push_lane(wide, &lanes[lane], &things[n].item));
	}
	for (unsigned i = 0; i < N_TURNS; i++, n++) {
		const struct thing *thing = (const struct thing *)(const void *)next_of(wide);
		unsigned lane = thing->maker;
		ck_assert_uint_eq(thing->number, next[lane]++);
		got[lane] += thing->item.weight_bytes;
		things[n] = (struct thing){{.weight_bytes = 1 + lane}, lane, pushed[lane]++};
		ck_assert(queue_push_lane(wide, &lanes[lane], &things[n].item));
	}
	for (unsigned i = 0; i < N_LANES; i++)
		for (unsigned j = 0; j < i; j++) {
			size_t more = got[i] > got[j] ? got[i] - got[j] : got[j] - got[i];
			ck_assert_uint_le(more, N_LANES + 1);
		}
	struct queue_item *rest = queue_take(wide, SIZE_MAX, 0);
	for (n = 0; rest; rest = rest->next)
		n++;
	ck_assert_uint_eq(n, N_LANES * 4);
	ck_assert_uint_eq(queue_weight(wide), 0);
	queue_free(wide);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("queue");
	TCase *tests = tcase_create("queue");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, holds_up_to_its_weight);
	tcase_add_test(tests, an_empty_one_takes_any_item);
	tcase_add_test(tests, takes_at_most_what_was_asked_for);
	tcase_add_test(tests, the_descriptor_says_when_items_wait);
	tcase_add_test(tests, waits_no_longer_than_it_is_told);
	tcase_add_test(tests, a_closed_one_gives_what_it_has);
	tcase_add_test(tests, many_push_one_takes);
	tcase_add_test(tests, closing_ends_a_wait);
	tcase_add_test(tests, who_sends_little_comes_before_what_others_have);
	tcase_add_test(tests, nobody_waits_for_ever);
	tcase_add_test(tests, lanes_get_the_same);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
