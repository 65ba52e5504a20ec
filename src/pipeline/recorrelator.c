/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/recorrelator.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "model/batch.h"
#include "model/recorrelation.h"
#include "pipeline/recorrelation.h"

enum { KEYS_AT_ONCE = 256, KEYS_A_BATCH = 16, ARENA_BYTES = 64 * 1024 * 1024 };
enum { PUBLISH_MS = 250, LOOK_MS = 200 };

struct recorrelator {
	struct recorrelator_options options;
	struct queue *answers; /* batches that the writer is done with */
	pthread_t thread;
};

/* A request while it is worked on. */
struct run {
	struct recorrelator *recorrelator;
	const struct recorrelation_request *request;
	struct recorrelation *recorrelation;
	struct recorrelation_report report;
	int64_t published_ms;
	struct batch *batch; /* of keys that the writer is to compute again; NULL: none yet */
	size_t n_keys;
};

static void free_report(struct snapshot *snapshot)
{
	free(snapshot);
}

/* The report as it is now, for readers, who know it by its snapshot, its first member. Without
 * memory they see an older one. */
static void publish(struct run *run, bool at_once)
{
	int64_t now_ms = clock_monotonic_ms(run->recorrelator->options.clock);
	if (!at_once && now_ms - run->published_ms < PUBLISH_MS)
		return;
	const size_t size = sizeof run->report;
	struct snapshot *copy = malloc(size);
	if (!copy)
		return;
	memcpy(copy, &run->report, size);
	copy->free = free_report;
	snapshot_publish(run->recorrelator->options.report, copy);
	run->published_ms = now_ms;
}

/* Gives the batch to the writer and waits until it is on disk. */
static int hand_over(struct run *run, struct err *err)
{
	struct recorrelator *recorrelator = run->recorrelator;
	struct batch *batch = TAKE(run->batch);
	size_t n = run->n_keys;
	run->n_keys = 0;
	if (!batch)
		return 0;
	batch->reply = recorrelator->answers;
	while (!queue_push(recorrelator->options.writer, &batch->item)) {
		if (!queue_closed(recorrelator->options.requests) &&
			!queue_closed(recorrelator->options.writer)) {
			/* Nothing comes back yet: this is the wait for room. */
			queue_take(recorrelator->answers, 1, LOOK_MS);
			continue;
		}
		batch_free(batch);
		return err_set(err, ERR_BUSY, "tocsind is ending");
	}
	struct queue_item *item = NULL;
	while (!item && !queue_closed(recorrelator->options.requests))
		item = queue_take(recorrelator->answers, 1, LOOK_MS);
	if (!item)
		return err_set(err, ERR_BUSY, "tocsind is ending");
	batch = (struct batch *)(void *)item;
	int failed = batch->err.kind == ERR_NONE ? 0 : -1;
	*err = batch->err;
	batch_free(batch);
	if (!failed)
		run->report.n_applied += n;
	return failed;
}

static struct decision *new_decision(struct run *run, enum decision_kind kind)
{
	if (!run->batch)
		run->batch = batch_new();
	struct decision *decision =
		run->batch ? arena_alloc(&run->batch->arena, sizeof *decision) : NULL;
	if (!decision)
		return NULL;
	decision->kind = kind;
	decision->actor = arena_copy(&run->batch->arena, text_of(run->request->actor));
	decision->next = run->batch->decisions;
	run->batch->decisions = decision;
	return decision;
}

static int apply_key(struct run *run, const struct shadow_key *key, struct err *err)
{
	struct decision *decision = new_decision(run, DECISION_RECHECK);
	if (decision) {
		decision->key = arena_copy(&run->batch->arena, key->text);
		decision->carved = key->carved;
	}
	if (!decision || run->batch->arena.failed)
		return err_set(err, ERR_MEMORY, "out of memory computing incidents again");
	return ++run->n_keys < KEYS_A_BATCH ? 0 : hand_over(run, err);
}

static int do_key(struct run *run, const struct shadow_key *key, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct incident_change_list changes;
	struct recorrelation_report *report = &run->report;
	arena_init(&arena, ARENA_BYTES);
	if (recorrelation_compute(run->recorrelation, key, &arena, &changes, err) < 0)
		return -1;
	report->n_done++;
	report->n_changes += changes.n;
	for (size_t i = 0; i < changes.n && report->n_listed < RECORRELATION_CHANGES_MAX; i++)
		report->changes[report->n_listed++] = changes.items[i];
	publish(run, false);
	return changes.n && report->apply ? apply_key(run, key, err) : 0;
}

static int do_keys(struct run *run, struct err *err)
{
	struct connection *connection = recorrelation_connection(run->recorrelation);
	int64_t after = 0;
	if (shadow_keys_count(connection, run->request->from_ns, &run->report.n_keys, err) < 0)
		return -1;
	for (;;) {
		AUTO(arena_done) struct arena arena;
		arena_init(&arena, ARENA_BYTES);
		struct shadow_keys keys = {.from_ns = run->request->from_ns,
			.after = after,
			.limit = KEYS_AT_ONCE,
			.arena = &arena};
		if (shadow_keys_read(connection, &keys, err) < 0)
			return -1;
		recorrelation_refresh(run->recorrelation);
		for (size_t i = 0; i < keys.n; i++) {
			if (queue_closed(run->recorrelator->options.requests))
				return err_set(err, ERR_BUSY, "tocsind is ending");
			if (do_key(run, &keys.items[i], err) < 0)
				return -1;
			after = keys.items[i].id;
		}
		if (keys.n < KEYS_AT_ONCE)
			break;
	}
	return hand_over(run, err);
}

/* Who had it done, in the audit trail. */
static int audit(struct run *run, struct err *err)
{
	struct decision *decision = new_decision(run, DECISION_RECORRELATED);
	if (!decision)
		return err_set(err, ERR_MEMORY, "out of memory computing incidents again");
	decision->n_changes = run->report.n_changes;
	decision->from_ns = run->request->from_ns;
	return hand_over(run, err);
}

static int work(struct run *run, struct err *err)
{
	const struct recorrelator_options *options = &run->recorrelator->options;
	if (recorrelation_open(&run->recorrelation, options->database, &options->criticality, err) <
		0)
		return -1;
	int failed = do_keys(run, err);
	recorrelation_close(run->recorrelation);
	if (!failed && run->report.apply)
		failed = audit(run, err);
	batch_free(run->batch);
	return failed;
}

static void do_request(struct recorrelator *recorrelator, struct recorrelation_request *request)
{
	struct err err;
	struct run *run = calloc(1, sizeof *run);
	if (!run) {
		log_warning("recorrelator", "out of memory");
		return;
	}
	const struct clock *clock = recorrelator->options.clock;
	*run = (struct run){.recorrelator = recorrelator, .request = request};
	run->report.apply = request->apply;
	run->report.from_ns = request->from_ns;
	run->report.started_ns = clock_wall_ns(clock);
	publish(run, true);
	int failed = work(run, &err);
	run->report.state = failed ? RECORRELATION_FAILED : RECORRELATION_DONE;
	run->report.ended_ns = clock_wall_ns(clock);
	if (failed) {
		log_warning("recorrelator", "%s", err.text);
		text_format(run->report.error, sizeof run->report.error, "%s", err.text);
	}
	publish(run, true);
	free(run);
}

static void *run_thread(void *ctx)
{
	struct recorrelator *recorrelator = ctx;
	struct queue *requests = recorrelator->options.requests;
	for (;;) {
		struct queue_item *item = queue_take(requests, 1, -1);
		if (item) {
			do_request(recorrelator, (struct recorrelation_request *)(void *)item);
			free(item);
		} else if (queue_closed(requests)) {
			return NULL;
		}
	}
}

void recorrelator_free(struct recorrelator *recorrelator)
{
	if (!recorrelator)
		return;
	struct queue_item *item = queue_take(recorrelator->answers, SIZE_MAX, 0);
	while (item) {
		struct batch *batch = (struct batch *)(void *)item;
		item = item->next;
		batch_free(batch);
	}
	queue_free(recorrelator->answers);
	free(recorrelator);
}

int recorrelator_start(
	struct recorrelator **out, const struct recorrelator_options *options, struct err *err)
{
	struct recorrelator *recorrelator = calloc(1, sizeof *recorrelator);
	if (recorrelator)
		recorrelator->answers = queue_new(SIZE_MAX);
	if (!recorrelator || !recorrelator->answers) {
		free(recorrelator);
		return err_set(err, ERR_MEMORY, "out of memory for the recorrelator");
	}
	recorrelator->options = *options;
	int code = pthread_create(&recorrelator->thread, NULL, run_thread, recorrelator);
	if (code) {
		recorrelator_free(recorrelator);
		return err_errno(err, code, "starting the recorrelator");
	}
	pthread_setname_np(recorrelator->thread, "recorrelator");
	*out = recorrelator;
	return 0;
}

void recorrelator_stop(struct recorrelator *recorrelator)
{
	if (!recorrelator)
		return;
	pthread_join(recorrelator->thread, NULL);
}
