/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/queue.h"

static struct loop *loop;
static struct loop_timer *timer;
static struct queue *queue;
static struct err err;
static int n_calls;

static void count_and_stop(void *ctx)
{
	(void)ctx;
	n_calls++;
	ck_assert(loop_is_here(loop));
	loop_stop(loop);
}

static void count_three(void *ctx)
{
	if (++n_calls < 3)
		loop_timer_start(timer, 0);
	else
		loop_stop(ctx);
}

static void take(void *ctx)
{
	ck_assert_ptr_nonnull(queue_take(queue, SIZE_MAX, 0));
	count_and_stop(ctx);
}

START_TEST(stops_before_it_runs)
{
	loop_stop(loop);
	ck_assert_int_eq(loop_run(loop, &err), 0);
	ck_assert(!loop_is_here(loop));
}
END_TEST

START_TEST(a_timer_may_start_itself)
{
	timer = loop_timer_new(loop, count_three, loop);
	ck_assert_ptr_nonnull(timer);
	loop_timer_start(timer, 1);
	ck_assert_int_eq(loop_run(loop, &err), 0);
	ck_assert_int_eq(n_calls, 3);
	loop_timer_free(timer);
}
END_TEST

START_TEST(a_stopped_timer_is_silent)
{
	struct loop_timer *silent = loop_timer_new(loop, count_and_stop, NULL);
	timer = loop_timer_new(loop, count_and_stop, NULL);
	loop_timer_start(silent, 1);
	loop_timer_stop(silent);
	loop_timer_start(timer, 20);
	ck_assert_int_eq(loop_run(loop, &err), 0);
	ck_assert_int_eq(n_calls, 1);
	loop_timer_free(timer);
	loop_timer_free(silent);
}
END_TEST

static void *push(void *ctx)
{
	ck_assert(queue_push(queue, ctx));
	return NULL;
}

START_TEST(another_threads_push_wakes_it)
{
	struct queue_item item = {.weight_bytes = 1};
	pthread_t thread;
	queue = queue_new(10);
	struct loop_watch *watch = loop_watch_new(loop, queue_fd(queue), take, NULL);
	ck_assert_ptr_nonnull(watch);
	ck_assert_int_eq(pthread_create(&thread, NULL, push, &item), 0);
	ck_assert_int_eq(loop_run(loop, &err), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(n_calls, 1);
	loop_watch_free(watch);
	queue_free(queue);
}
END_TEST

START_TEST(signals_arrive_in_the_loop)
{
	ck_assert_int_eq(loop_signal(loop, SIGUSR1, count_and_stop, NULL, &err), 0);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(loop_run(loop, &err), 0);
	ck_assert_int_eq(n_calls, 1);
}
END_TEST

static void start(void)
{
	n_calls = 0;
	ck_assert_int_eq(loop_new(&loop, &err), 0);
}

static void stop(void)
{
	loop_free(loop);
}

int main(void)
{
	Suite *suite = suite_create("net/loop");
	TCase *tests = tcase_create("loop");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, stops_before_it_runs);
	tcase_add_test(tests, a_timer_may_start_itself);
	tcase_add_test(tests, a_stopped_timer_is_silent);
	tcase_add_test(tests, another_threads_push_wakes_it);
	tcase_add_test(tests, signals_arrive_in_the_loop);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
