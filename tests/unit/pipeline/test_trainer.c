/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/trainer.h"

#include <check.h>
#include <stdlib.h>

#include "model/batch.h"
#include "pipeline/writer.h"
#include "store/dictionaries.h"
#include "tests/lib/filled_store.h"

enum { WAIT_MS = 60000, STEP_MS = 5 };

static struct filled_store filled;
static struct status status;
static struct queue *queue, *never; /* nothing is ever put into the second: it only waits */
static struct trainer *trainer;

static void setup(void)
{
	filled_store_init(&filled);
	queue = queue_new(1024 * 1024);
	never = queue_new(1);
	atomic_store(&status.n_leaves, 0);
	atomic_store(&status.store_state, STORE_WORKS);
}

static void teardown(void)
{
	trainer_stop(trainer);
	trainer = NULL;
	queue_free(queue);
	queue_free(never);
	filled_store_done(&filled);
}

static void start_trainer(void)
{
	struct err err;
	struct trainer_options options = {.database = filled.path,
		.writer = queue,
		.status = &status,
		.clock = &filled.clock.clock,
		.every_ms = STEP_MS};
	ck_assert_int_eq(trainer_start(&trainer, &options, &err), 0);
}

static void add(size_t n)
{
	for (size_t i = 0; i < n; i += 10)
		filled_store_add(&filled, SOURCE_FALCO, 10);
	atomic_store(&status.n_leaves, store_leaves(filled.store));
}

/* This thread is the writer. */
static void store_what_comes(void)
{
	struct err err;
	struct batch *batch = (struct batch *)(void *)queue_take(queue, SIZE_MAX, WAIT_MS);
	ck_assert_ptr_nonnull(batch);
	ck_assert_ptr_nonnull(batch->dictionary);
	ck_assert_int_eq(batch->dictionary->source, SOURCE_FALCO);
	filled_store_begin(&filled);
	ck_assert_int_eq(store_add_dictionary(filled.store, batch->dictionary, &err), 0);
	filled_store_commit(&filled);
	batch_free(batch);
}

START_TEST(hands_over_when_there_is_enough)
{
	start_trainer();
	add(1990);
	add(20);
	store_what_comes();
	filled_store_add(&filled, SOURCE_FALCO, 1);
	ck_assert_int_eq(
		filled_store_number(&filled, "SELECT count(*) FROM block WHERE dictionary = 1"), 1);
	filled_store_check(&filled);
}
END_TEST

START_TEST(looks_again_after_a_day)
{
	start_trainer();
	add(2000);
	store_what_comes();
	filled.word = "unlike-everything-that-came-before/payments-gateway:v2";
	add(2000);
	filled.clock.wall_ns += TRAINER_AGAIN_S * NS_PER_S;
	add(10);
	store_what_comes();
	/* A new thread knows from the table what the old one knew. */
	trainer_stop(trainer);
	start_trainer();
	filled.word = "yet-another-kind-of-workload/batch-jobs:2027-01";
	filled.clock.wall_ns += TRAINER_AGAIN_S * NS_PER_S;
	add(2010);
	store_what_comes();
	filled_store_add(&filled, SOURCE_FALCO, 1);
	ck_assert_int_eq(filled_store_number(&filled, "SELECT max(dictionary) FROM block"), 3);
	filled_store_check(&filled);
}
END_TEST

static void never_called(void *ctx)
{
	(void)ctx;
	ck_abort_msg("the writer gave up");
}

START_TEST(the_writer_stores_it)
{
	struct err err;
	struct writer *writer;
	struct connection reader;
	struct dictionary_state state = {0};
	add(2500);
	struct writer_options options = {.store = filled.store,
		.queue = queue,
		.status = &status,
		.clock = &filled.clock.clock,
		.failed = never_called};
	ck_assert_int_eq(writer_start(&writer, &options, &err), 0);
	start_trainer();
	ck_assert_int_eq(connection_open(&reader, filled.path, CONNECTION_READ, NULL, &err), 0);
	for (int64_t waited = 0; state.n == 0 && waited < WAIT_MS; waited += STEP_MS) {
		ck_assert_ptr_null(queue_take(never, 1, STEP_MS));
		ck_assert_int_eq(dictionary_state_read(&reader, SOURCE_FALCO, &state, &err), 0);
	}
	connection_close(&reader);
	ck_assert_uint_eq(state.n, 1);
	ck_assert_uint_eq(state.leaf, 2500);
	queue_close(queue);
	writer_stop(writer);
	filled_store_add(&filled, SOURCE_FALCO, 1);
	ck_assert_int_eq(
		filled_store_number(&filled, "SELECT count(*) FROM block WHERE dictionary = 1"),
		filled_store_number(&filled, "SELECT count(*) FROM block WHERE dictionary"));
	/* The writer was idle: what was small has been joined. */
	ck_assert_int_gt(filled_store_number(&filled, "SELECT max(n) FROM block"), 200);
	filled_store_check(&filled);
}
END_TEST

START_TEST(a_closed_queue_ends_nothing)
{
	queue_close(queue);
	add(2500);
	start_trainer();
	trainer_stop(trainer);
	trainer = NULL;
	ck_assert_uint_eq(queue_weight(queue), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pipeline/trainer");
	TCase *tests = tcase_create("trainer");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, hands_over_when_there_is_enough);
	tcase_add_test(tests, looks_again_after_a_day);
	tcase_add_test(tests, the_writer_stores_it);
	tcase_add_test(tests, a_closed_queue_ends_nothing);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
