/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "pipeline/writer.h"
#include "store/audit.h"
#include "store/checkpoint.h"
#include "store/tokens.h"
#include "tests/lib/fault_vfs.h"
#include "tests/lib/store_rig.h"

enum { WAIT_MS = 20000 };

static struct store_rig rig;
static struct queue *queue, *reply;
static struct snapshot_slot *credentials;
static struct status status;
static struct writer *writer;
static atomic_bool failed;

static void on_failed(void *ctx)
{
	(void)ctx;
	atomic_store(&failed, true);
}

enum { LOG_BYTES = 512 * 1024, COMMIT_BYTES = 1024 * 1024 };
static uint64_t log_bytes_max; /* of the next writer */

static void open_store(void)
{
	struct err err = {0};
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
	queue = queue_new(64 * 1024 * 1024);
	ck_assert_ptr_nonnull(queue);
	memset(&status, 0, sizeof status);
	atomic_store(&failed, false);
}

static void start_writer(void)
{
	struct err err = {0};
	struct writer_options options = {
		.store = rig.store,
		.queue = queue,
		.credentials = credentials,
		.status = &status,
		.clock = &rig.clock.clock,
		.log_bytes_max = log_bytes_max,
		.failed = on_failed,
	};
	ck_assert_msg(writer_start(&writer, &options, &err) == 0, "%s", err.text);
}

/* As at SIGTERM: no more input; what is queued is worked off. */
static void stop_writer(void)
{
	queue_close(queue);
	writer_stop(writer);
	writer = NULL;
}

/* What a writer that failed left behind is lost with its process. */
static void drop_queue(void)
{
	struct queue_item *item = queue ? queue_take(queue, SIZE_MAX, 0) : NULL;
	while (item) {
		struct batch *batch = (struct batch *)(void *)item;
		item = item->next;
		batch_free(batch);
	}
	queue_free(queue);
	queue = NULL;
}

static void setup(void)
{
	log_bytes_max = 0;
	fault_vfs_reset(1);
	store_rig_init(&rig, fault_vfs());
	reply = queue_new(SIZE_MAX);
	credentials = snapshot_slot_new();
	ck_assert(reply && credentials);
	open_store();
}

static void teardown(void)
{
	if (writer)
		stop_writer();
	drop_queue();
	queue_free(reply);
	snapshot_slot_free(credentials);
	store_rig_done(&rig);
}

static struct batch *batch_with(unsigned from, unsigned to)
{
	struct batch *batch = store_rig_batch();
	for (unsigned i = from; i < to; i++) {
		store_rig_alert(batch, i);
		rig.tried[i] = true;
	}
	batch->reply = reply;
	return batch;
}

static void push(struct batch *batch)
{
	ck_assert(queue_push(queue, &batch->item));
}

static void push_alerts(unsigned from, unsigned to)
{
	push(batch_with(from, to));
}

static struct batch *take_reply(void)
{
	struct queue_item *item = queue_take(reply, 1, WAIT_MS);
	ck_assert_msg(item != NULL, "no answer; the store %s",
		store_state_name((enum store_state)atomic_load(&status.store_state)));
	return (struct batch *)(void *)item;
}

/* What a sender does with the answer: true when it was told that all is stored. */
static bool note_reply(struct batch *batch)
{
	bool told = batch->err.kind == ERR_NONE;
	for (const struct alert *alert = batch->first; alert && told; alert = alert->next) {
		unsigned i = (unsigned)(alert->time_ns / NS_PER_S - RIG_TIME_S);
		rig.acknowledged[i] = true;
	}
	batch_free(batch);
	return told;
}

static void wait_for_state(enum store_state state)
{
	int64_t until_ms = clock_monotonic_ms(&clock_system) + WAIT_MS;
	while (atomic_load(&status.store_state) != (int)state) {
		ck_assert_msg(clock_monotonic_ms(&clock_system) < until_ms, "the store %s, not %s",
			store_state_name((enum store_state)atomic_load(&status.store_state)),
			store_state_name(state));
		sched_yield();
	}
}

static struct decision *decide(struct batch *batch, enum decision_kind kind)
{
	struct decision *decision = arena_alloc(&batch->arena, sizeof *decision);
	ck_assert_ptr_nonnull(decision);
	decision->kind = kind;
	decision->actor = TEXT("token:boss");
	decision->credential.role = ROLE_VIEWER;
	decision->credential.name = TEXT("watcher");
	batch->decisions = decision;
	return decision;
}

START_TEST(answers_after_the_commit)
{
	start_writer();
	push_alerts(0, 10);
	struct batch *batch = take_reply();
	ck_assert_uint_eq(batch->n_accepted, 10);
	ck_assert_uint_eq(batch->n_duplicate, 0);
	ck_assert(note_reply(batch));
	push_alerts(5, 12);
	batch = take_reply();
	ck_assert_uint_eq(batch->n_accepted, 2);
	ck_assert_uint_eq(batch->n_duplicate, 5);
	ck_assert(note_reply(batch));
	ck_assert_uint_eq(atomic_load(&status.n_leaves), 12);
	ck_assert_int_eq(atomic_load(&status.store_state), STORE_WORKS);
	stop_writer();
	store_rig_close(&rig);
	store_rig_check(&rig);
}
END_TEST

/* What waits when the writer looks is one transaction: one block, whoever sent it. */
START_TEST(what_waits_is_one_transaction)
{
	for (unsigned i = 0; i <= 50; i++)
		push_alerts(i, i + 1);
	start_writer();
	for (unsigned i = 0; i <= 50; i++)
		ck_assert(note_reply(take_reply()));
	stop_writer();
	ck_assert_int_eq(
		store_rig_number(store_connection(rig.store), "SELECT count(*) FROM block"), 1);
}
END_TEST

/* Batches that fail for their own sake fail alone, whatever they are queued with. */
START_TEST(isolates_a_poisoned_batch)
{
	static char name[128 * 1024];
	push_alerts(0, 5);
	struct batch *missing = store_rig_batch();
	missing->reply = reply;
	decide(missing, DECISION_TOKEN_REVOKE)->credential.id = 4711;
	push(missing);
	push_alerts(5, 10);
	struct batch *limit = store_rig_batch();
	limit->reply = reply;
	memset(name, 'a', sizeof name);
	decide(limit, DECISION_TOKEN_CREATE)->credential.name = (struct text){name, sizeof name};
	push(limit);
	push_alerts(10, 15);
	start_writer();
	for (int i = 0; i < 5; i++) {
		struct batch *batch = take_reply();
		if (batch == missing)
			ck_assert_int_eq(batch->err.kind, ERR_MISSING);
		else if (batch == limit)
			ck_assert_int_eq(batch->err.kind, ERR_LIMIT);
		else
			ck_assert_msg(batch->err.kind == ERR_NONE && batch->n_accepted == 5, "%s",
				batch->err.text);
		note_reply(batch);
	}
	stop_writer();
	ck_assert_int_eq(
		store_rig_number(store_connection(rig.store), "SELECT count(*) FROM token"), 0);
	store_rig_close(&rig);
	store_rig_check(&rig);
}
END_TEST

static uint64_t create_token(void)
{
	struct batch *batch = store_rig_batch();
	batch->reply = reply;
	struct decision *decision = decide(batch, DECISION_TOKEN_CREATE);
	digest_random(decision->credential.digest.bytes, DIGEST_BYTES);
	push(batch);
	batch = take_reply();
	ck_assert_msg(batch->err.kind == ERR_NONE, "%s", batch->err.text);
	uint64_t id = batch->decisions->credential.id;
	batch_free(batch);
	return id;
}

static const struct credential *published(struct snapshot *snapshot, uint64_t id)
{
	const struct credential_set *set = (const struct credential_set *)(const void *)snapshot;
	for (size_t i = 0; set && i < set->n; i++)
		if (set->items[i].id == id)
			return &set->items[i];
	return NULL;
}

START_TEST(audits_what_people_decide)
{
	struct err err = {0};
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, 1024 * 1024);
	start_writer();
	uint64_t id = create_token();
	struct snapshot *set = snapshot_ref(credentials);
	const struct credential *credential = published(set, id);
	ck_assert(credential && credential->revoked_at_ns == 0);
	snapshot_unref(set);
	struct batch *batch = store_rig_batch();
	batch->reply = reply;
	decide(batch, DECISION_TOKEN_REVOKE)->credential.id = id;
	push(batch);
	ck_assert(note_reply(take_reply()));
	set = snapshot_ref(credentials);
	credential = published(set, id);
	ck_assert(credential && credential->revoked_at_ns != 0);
	snapshot_unref(set);
	stop_writer();
	struct audit_page page = {.limit = 10, .arena = &arena};
	ck_assert(audit_list(store_connection(rig.store), &page, &err) == 0);
	ck_assert_uint_eq(page.n, 2);
	ck_assert(text_is(page.items[0].action, "token.revoke"));
	ck_assert(text_is(page.items[1].action, "token.create"));
	ck_assert(text_is(page.items[1].actor, "token:boss"));
}
END_TEST

START_TEST(works_off_its_queue_when_stopped)
{
	for (unsigned i = 0; i < 40; i++)
		push_alerts(i * 50, i * 50 + 50);
	start_writer();
	stop_writer();
	for (unsigned i = 0; i < 40; i++)
		ck_assert(note_reply(take_reply()));
	ck_assert_uint_eq(store_leaves(rig.store), 2000);
	store_rig_close(&rig);
	store_rig_check(&rig);
}
END_TEST

static atomic_uint n_done;

static void on_done(struct batch *batch)
{
	atomic_fetch_add(&n_done, batch->err.kind == ERR_NONE);
	batch_free(batch);
}

/* Without a reply queue: the callback; without that: nobody asks, the batch is freed. */
START_TEST(answers_by_callback_or_not_at_all)
{
	struct batch *called = batch_with(0, 1), *unasked = batch_with(1, 2);
	atomic_store(&n_done, 0);
	called->reply = unasked->reply = NULL;
	called->done = on_done;
	push(called);
	push(unasked);
	start_writer();
	stop_writer();
	ck_assert_uint_eq(atomic_load(&n_done), 1);
	ck_assert_uint_eq(store_leaves(rig.store), 2);
}
END_TEST

START_TEST(waits_for_space_and_goes_on)
{
	struct fault_plan full = {
		.calls = FAULT_ON_WRITE, .at = 1, .kind = FAULT_FULL, .more = FAULT_LASTING};
	start_writer();
	push_alerts(0, 10);
	ck_assert(note_reply(take_reply()));
	fault_vfs_plan(&full);
	push_alerts(10, 20);
	push_alerts(20, 30);
	wait_for_state(STORE_DISK_FULL);
	ck_assert_ptr_null(queue_take(reply, 1, 0));
	fault_vfs_plan(&(struct fault_plan){.at = 0});
	ck_assert(note_reply(take_reply()));
	ck_assert(note_reply(take_reply()));
	wait_for_state(STORE_WORKS);
	ck_assert(!atomic_load(&failed));
	stop_writer();
	store_rig_close(&rig);
	store_rig_check(&rig);
}
END_TEST

/* Nobody else moves the log into the database here: the writer does, before it fills the disk. */
START_TEST(bounds_its_log)
{
	uint64_t most = 0, sum = 0, last = 0;
	log_bytes_max = LOG_BYTES;
	start_writer();
	for (unsigned i = 0; i < 100; i++) {
		push_alerts(i, i + 1);
		ck_assert(note_reply(take_reply()));
		uint64_t bytes = atomic_load(&status.wal_bytes);
		sum += bytes > last ? bytes - last : 0;
		most = bytes > most ? bytes : most;
		last = bytes;
	}
	ck_assert_uint_gt(sum, 2 * (LOG_BYTES + COMMIT_BYTES));
	ck_assert_uint_le(most, LOG_BYTES + COMMIT_BYTES);
	stop_writer();
	store_rig_close(&rig);
	store_rig_check(&rig);
}
END_TEST

static void fill_disk(struct batch *batch)
{
	struct fault_plan full = {
		.calls = FAULT_ON_WRITE, .at = 1, .kind = FAULT_FULL, .more = FAULT_LASTING};
	fault_vfs_plan(&full);
	batch_free(batch);
}

/* Idle work meets the full disk: nobody sends, because /readyz says so. It must say otherwise. */
START_TEST(is_ready_again_without_input)
{
	push_alerts(0, 10);
	start_writer();
	ck_assert(note_reply(take_reply()));
	struct batch *batch = batch_with(10, 20); /* its counts of senders wait for idle time */
	batch->reply = NULL;
	batch->done = fill_disk;
	push(batch);
	wait_for_state(STORE_DISK_FULL);
	fault_vfs_plan(&(struct fault_plan){.at = 0});
	wait_for_state(STORE_WORKS);
	ck_assert(!atomic_load(&failed));
}
END_TEST

/* A store that cannot be brought back acknowledges nothing, not even what it could store next. */
START_TEST(gives_up_an_unrecoverable_store)
{
	struct fault_plan broken = {
		.calls = FAULT_ON_SYNC, .at = 1, .kind = FAULT_IO, .more = FAULT_LASTING};
	push_alerts(0, 10);
	struct batch *poisoned = store_rig_batch();
	poisoned->reply = reply;
	decide(poisoned, DECISION_TOKEN_REVOKE)->credential.id = 4711;
	push(poisoned);
	push_alerts(10, 20);
	fault_vfs_plan(&broken);
	start_writer();
	for (int i = 0; i < 3; i++) {
		struct batch *batch = take_reply();
		ck_assert_msg(batch->err.kind == ERR_IO, "refused for ever: %s", batch->err.text);
		batch_free(batch);
	}
	stop_writer();
	ck_assert(atomic_load(&failed));
	store_rig_close(&rig);
	fault_vfs_plan(&(struct fault_plan){.at = 0});
	store_rig_check(&rig);
}
END_TEST

static void empty_log(void)
{
	struct err err = {0};
	struct connection other;
	ck_assert(connection_open(&other, rig.path, CONNECTION_CHECKPOINT, rig.vfs, &err) == 0);
	ck_assert_msg(checkpoint_all(&other, &err) == 0, "%s", err.text);
	connection_close(&other);
}

/* Writes fail again and again in a store that opens: tried on, but not when the process is to end.
 */
START_TEST(ends_while_writes_fail)
{
	struct fault_plan broken = {
		.calls = FAULT_ON_WRITE, .at = 1, .kind = FAULT_IO, .more = FAULT_LASTING};
	start_writer();
	push_alerts(0, 10);
	ck_assert(note_reply(take_reply()));
	empty_log(); /* with nothing in it, opening needs no write */
	fault_vfs_plan(&broken);
	push_alerts(10, 20);
	wait_for_state(STORE_RECOVERING);
	stop_writer();
	/* Work between commits may have met the failure first: then nobody took the batch. */
	struct batch *batch = (struct batch *)(void *)queue_take(reply, 1, 0);
	ck_assert(batch ? batch->err.kind == ERR_IO : queue_weight(queue) > 0);
	batch_free(batch);
	ck_assert(atomic_load(&failed));
	fault_vfs_plan(&(struct fault_plan){.at = 0});
	store_rig_close(&rig);
	store_rig_check(&rig);
}
END_TEST

/* The process ended with 74 and is started again; senders send again what they were not told. */
static void start_again(void)
{
	stop_writer();
	drop_queue();
	store_rig_close(&rig);
	open_store();
	start_writer();
}

/* The answer; NULL when the process ends without one. */
static struct batch *take_reply_unless_failed(void)
{
	struct queue_item *item = NULL;
	while (!item && !atomic_load(&failed))
		item = queue_take(reply, 1, 10);
	if (!item)
		item = queue_take(reply, 1, 0);
	return (struct batch *)(void *)item;
}

static void send_until_told(unsigned from, unsigned to)
{
	for (int i = 0; i < 8; i++) {
		push_alerts(from, to);
		struct batch *batch = take_reply_unless_failed();
		if (batch && note_reply(batch))
			return;
		start_again();
	}
	ck_abort_msg("alerts %u to %u cannot be stored", from, to);
}

static unsigned n_happened; /* of the plans that were run */

static uint64_t run_load(const struct fault_plan *plan)
{
	start_writer();
	fault_vfs_plan(plan);
	for (unsigned i = 0; i < 12; i++)
		send_until_told(i * 20, i * 20 + 25);
	fault_vfs_power_cut();
	uint64_t n = fault_vfs_calls();
	n_happened += fault_vfs_happened();
	stop_writer();
	drop_queue();
	store_rig_close(&rig);
	fault_vfs_plan(&(struct fault_plan){.at = 0});
	store_rig_check(&rig);
	store_rig_clear(&rig);
	fault_vfs_reset(plan->at + 1);
	open_store();
	return n;
}

/* One failing call at each place of a load; at its end the power goes. */
START_TEST(keeps_what_it_answered)
{
	struct fault_plan plan = {.calls = FAULT_ON_SYNC | FAULT_ON_TRUNCATE,
		.kind = FAULT_IO,
		.lost = FAULT_LOST_LATER};
	uint64_t n = run_load(&plan);
	ck_assert_uint_eq(n_happened, 0);
	for (plan.at = 1; plan.at <= n; plan.at++)
		run_load(&plan);
	plan = (struct fault_plan){.calls = FAULT_ON_WRITE, .kind = FAULT_IO};
	n = run_load(&plan);
	for (plan.at = 1; plan.at <= n; plan.at += 2)
		run_load(&plan);
	/* When idle work runs is not the test's to say, so the last calls are not always made. */
	ck_assert_uint_ge(n_happened, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writer");
	TCase *tests = tcase_create("writer");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, answers_after_the_commit);
	tcase_add_test(tests, what_waits_is_one_transaction);
	tcase_add_test(tests, isolates_a_poisoned_batch);
	tcase_add_test(tests, audits_what_people_decide);
	tcase_add_test(tests, works_off_its_queue_when_stopped);
	tcase_add_test(tests, answers_by_callback_or_not_at_all);
	tcase_add_test(tests, waits_for_space_and_goes_on);
	tcase_add_test(tests, bounds_its_log);
	tcase_add_test(tests, is_ready_again_without_input);
	tcase_add_test(tests, gives_up_an_unrecoverable_store);
	tcase_add_test(tests, ends_while_writes_fail);
	tcase_add_test(tests, keeps_what_it_answered);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
