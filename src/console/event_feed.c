/* SPDX-License-Identifier: Apache-2.0 */
#include "console/event_feed.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "console/reading.h"

static struct metric_family skipped = {
	.name = "tocsin_events_skipped_total",
	.help = "Incidents and alerts left out of /api/v1/events because they do not read back.",
	.type = METRIC_COUNTER,
	.n_labels = 1,
	.labels = {"kind"},
	.max_series = 2,
};

struct metric_family *const *event_feed_metrics(void)
{
	static struct metric_family *const families[] = {&skipped, NULL};
	return families;
}

struct event_feed {
	struct event_feed_options options;
	pthread_t thread;
	struct reading reading;
	struct change_position position; /* everything up to it was broadcast */
	bool is_idle;                    /* nobody listened: the position is of no use */
	int64_t due_ms;                  /* not before this the next broadcast */
};

void event_task_free(struct event_task *task)
{
	event_batch_unref(task->batch);
	free(task);
}

/* Said once a batch, however many: who reads them all again counts them again. */
static void tell_skipped(const struct event_batch *batch)
{
	static const char *const kinds[] = {"incident", "alert"};
	if (batch->skipped.kind == ERR_NONE)
		return;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct text kind = text_of(kinds[i]);
		if (batch->n_skipped[i])
			metric_add(
				metric_series(&skipped, &clock_system, &kind), batch->n_skipped[i]);
	}
	log_error("events", "%zu incidents and %zu alerts are left out; the first: %s",
		batch->n_skipped[EVENT_INCIDENT], batch->n_skipped[EVENT_ALERT],
		batch->skipped.text);
}

/* With the queries as they are now. */
static int read_events(
	struct event_feed *feed, struct event_wish wish, struct event_batch **out, struct err *err)
{
	struct snapshot *queries = snapshot_ref(feed->options.queries);
	wish.queries = (const struct event_queries *)(const void *)queries;
	int failed = event_batch_read(&feed->reading.connection, &wish, out, err);
	snapshot_unref(queries);
	return failed;
}

static struct event_batch *read_batch(struct event_feed *feed, const struct event_wish *wish)
{
	struct err err;
	struct event_batch *batch = NULL;
	if (reading_begin(&feed->reading, &err) == 0 &&
		read_events(feed, *wish, &batch, &err) == 0) {
		reading_end(&feed->reading);
		tell_skipped(batch);
		return batch;
	}
	reading_end(&feed->reading);
	log_warning("events", "%s", err.text);
	reading_close(&feed->reading);
	return NULL;
}

/* Unbounded and never closed: it takes everything. */
static void give_back(struct event_feed *feed, struct event_task *task)
{
	if (!queue_push(feed->options.results, &task->item))
		event_task_free(task);
}

/* Broadcasts begin with what comes after the first reader; what it missed it asks for, page by
 * page. */
static void serve(struct event_feed *feed, struct event_task *task)
{
	const struct status *status = feed->options.status;
	uint64_t change_seq = atomic_load(&status->change_seq);
	uint64_t n_leaves = atomic_load(&status->n_leaves);
	task->batch = read_batch(feed, &task->wish);
	if (feed->is_idle && task->batch) {
		feed->position.change_seq = change_seq;
		feed->position.n_leaves = n_leaves;
		feed->is_idle = false;
	}
	give_back(feed, task);
}

static bool is_behind(const struct event_feed *feed)
{
	const struct status *status = feed->options.status;
	return !feed->is_idle && (atomic_load(&status->change_seq) > feed->position.change_seq ||
					 atomic_load(&status->n_leaves) > feed->position.n_leaves);
}

/* When the next broadcast may be, after this one (NULL: none was made). */
static void set_due(struct event_feed *feed, const struct event_batch *batch)
{
	uint64_t bytes = batch ? batch->arena.used_bytes : 0;
	int64_t cost_ms =
		(int64_t)(bytes * atomic_load(feed->options.n_clients) * 1000 / EVENT_BYTES_PER_S);
	feed->due_ms = clock_monotonic_ms(&clock_system) +
		       (cost_ms > EVENT_BROADCAST_MS ? cost_ms : EVENT_BROADCAST_MS);
}

static void broadcast(struct event_feed *feed)
{
	struct event_task *task = calloc(1, sizeof *task);
	set_due(feed, NULL);
	if (!task)
		return; /* the next one tells it */
	*task = (struct event_task){.item.weight_bytes = 1,
		.is_broadcast = true,
		.wish = {feed->position, true, atomic_load(feed->options.n_alerts) > 0, false,
			NULL}};
	task->batch = read_batch(feed, &task->wish);
	if (!task->batch) {
		free(task);
		return;
	}
	feed->position = task->batch->to;
	set_due(feed, task->batch);
	give_back(feed, task);
}

static int64_t due_after_ms(const struct event_feed *feed)
{
	int64_t left_ms = feed->due_ms - clock_monotonic_ms(&clock_system);
	return left_ms > 0 ? left_ms : 0;
}

/*
 * How long until something may have to be broadcast; -1: until somebody wakes us. The writer does
 * so only when asked: a burst of commits costs one wake.
 */
static int64_t wait_ms(const struct event_feed *feed)
{
	if (feed->is_idle)
		return -1;
	if (!is_behind(feed))
		atomic_store(&feed->options.status->events_wanted, true);
	return is_behind(feed) ? due_after_ms(feed) : -1;
}

static void *run(void *ctx)
{
	struct event_feed *feed = ctx;
	struct queue *wishes = feed->options.wishes;
	while (!queue_closed(wishes)) {
		struct queue_item *item = queue_take(wishes, 1, wait_ms(feed));
		if (item)
			serve(feed, (struct event_task *)(void *)item);
		if (atomic_load(feed->options.n_clients) == 0)
			feed->is_idle = true;
		if (is_behind(feed) && due_after_ms(feed) == 0)
			broadcast(feed);
	}
	reading_close(&feed->reading);
	return NULL;
}

int event_feed_start(
	struct event_feed **out, const struct event_feed_options *options, struct err *err)
{
	struct event_feed *feed = calloc(1, sizeof *feed);
	if (!feed)
		return err_set(err, ERR_MEMORY, "out of memory for the feed of events");
	feed->options = *options;
	feed->is_idle = true;
	feed->reading = (struct reading){
		.database = options->database, .status = options->status, .deadline_ms = INT64_MAX};
	int code = pthread_create(&feed->thread, NULL, run, feed);
	if (code) {
		free(feed);
		return err_errno(err, code, "starting the feed of events");
	}
	pthread_setname_np(feed->thread, "events");
	*out = feed;
	return 0;
}

void event_feed_stop(struct event_feed *feed)
{
	if (!feed)
		return;
	pthread_join(feed->thread, NULL);
	free(feed);
}
