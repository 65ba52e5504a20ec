/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/intake.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/table.h"
#include "intake/delivery.h"
#include "intake/limits.h"
#include "intake/push.h"

/* The writer has given up for good: the process ends (pipeline/writer.c). */
static bool store_is_gone(const struct err *err)
{
	return err->kind == ERR_IO || err->kind == ERR_FULL || err->kind == ERR_BUSY;
}

/*
 * Falco takes any answer for a delivery. So it gets none: its connection breaks when the process
 * ends. Then libcurl sends the request once more over a new connection if it had used this one
 * before, and Falco logs what is lost even so.
 */
static bool stays_unanswered(const struct delivery *delivery)
{
	return delivery->ignores_answers && store_is_gone(&delivery->batch->err);
}

static void tell_streams(struct intake *intake)
{
	if (intake->tell_streams)
		intake->tell_streams(intake);
}

/* One turn of the loop answers all that one commit made durable. */
static void on_reply(void *ctx)
{
	struct intake *intake = ctx;
	struct queue_item *item = queue_take(intake->reply, SIZE_MAX, 0);
	while (item) {
		struct batch *batch = (struct batch *)(void *)item;
		struct delivery *delivery = batch->owner;
		item = item->next;
		hold_release(delivery);
		if (stays_unanswered(delivery)) {
			delivery->next = intake->first_unanswered;
			intake->first_unanswered = delivery;
			continue;
		}
		delivery_finish(delivery, batch->err.kind == ERR_NONE ? 200 : 503);
	}
	if (intake->first_held)
		hold_retry(intake);
	tell_streams(intake);
}

static void on_retry(void *ctx)
{
	hold_retry(ctx);
	tell_streams(ctx);
}

static void on_second(void *ctx)
{
	struct intake *intake = ctx;
	intake->is_second_due = false;
	hold_report(intake);
	struct sender_set *set = intake->published ? senders_copy(intake->senders) : NULL;
	if (set) /* without memory the console sees the one before */
		snapshot_publish(intake->published, &set->snapshot);
	if (intake->first_held || intake->first_sent || atomic_load(&intake->status->n_late))
		intake_touch(intake);
}

void intake_touch(struct intake *intake)
{
	if (intake->is_second_due)
		return;
	intake->is_second_due = true;
	loop_timer_start(intake->second_timer, SENDERS_PUBLISH_MS);
}

/* A Falco does not look at the status: what is refused is lost, so it is said aloud. */
static void warn_of_loss(const struct intake *intake, struct sender_entry *entry)
{
	int64_t now_ms = clock_monotonic_ms(intake->clock);
	if (now_ms < entry->refusal_warning_after_ms)
		return;
	uint64_t n = entry->sender.n_refused - entry->n_refused_warned;
	entry->refusal_warning_after_ms = now_ms + REFUSAL_WARN_AGAIN_MS;
	entry->n_refused_warned = entry->sender.n_refused;
	log_warning("intake",
		"%s at %.*s: refused with %u, its alert is lost (%llu since last said)",
		source_info(entry->sender.source)->name, TEXT_ARG(entry->sender.address),
		entry->sender.last_refusal, (unsigned long long)n);
}

void intake_count_refusal(struct intake *intake, struct sender_entry *sender, enum source source,
	unsigned status, bool is_lost)
{
	metric_add(intake->alerts[source][INGEST_REFUSED], 1);
	if (!sender)
		return;
	sender->sender.n_refused++;
	sender->sender.last_refusal = status;
	sender->sender.last_refused_ns = clock_wall_ns(intake->clock);
	if (is_lost)
		warn_of_loss(intake, sender);
	intake_touch(intake);
}

static bool make_parts(struct intake *intake)
{
	intake->reply = queue_new(SIZE_MAX);
	intake->methods = calloc(N_PUSH_METHODS + 1, sizeof *intake->methods);
	intake->usages = table_new(free);
	intake->lanes = lanes_new();
	intake->senders = senders_new();
	intake->throttle = throttle_new(intake->clock);
	intake->retry_timer = loop_timer_new(intake->loop, on_retry, intake);
	intake->second_timer = loop_timer_new(intake->loop, on_second, intake);
	if (intake->reply)
		intake->reply_watch =
			loop_watch_new(intake->loop, queue_fd(intake->reply), on_reply, intake);
	return intake->methods && intake->usages && intake->lanes && intake->senders &&
	       intake->throttle && intake->retry_timer && intake->second_timer &&
	       intake->reply_watch && intake_metrics_init(intake);
}

int intake_new(struct intake **out, const struct intake_options *options, struct err *err)
{
	struct intake *intake = calloc(1, sizeof *intake);
	if (!intake)
		return err_set(err, ERR_MEMORY, "no memory for intake");
	intake->loop = options->loop;
	intake->writer = options->writer;
	intake->credentials = options->credentials;
	intake->published = options->senders;
	intake->status = options->status;
	intake->clock = options->clock;
	if (!make_parts(intake)) {
		intake_free(intake);
		return err_set(err, ERR_MEMORY, "no memory for intake");
	}
	unsigned n_routes = ingest_routes_init(intake);
	push_routes_init(intake, n_routes);
	*out = intake;
	return 0;
}

static void drop_list(struct delivery **first)
{
	while (*first) {
		struct delivery *delivery = *first;
		*first = delivery->next;
		delivery->drop(delivery);
	}
}

static void drop_batches(struct intake *intake)
{
	struct queue_item *item = intake->reply ? queue_take(intake->reply, SIZE_MAX, 0) : NULL;
	while (item) {
		struct batch *batch = (struct batch *)(void *)item;
		struct delivery *delivery = batch->owner;
		item = item->next;
		delivery->drop(delivery);
	}
	drop_list(&intake->first_held);
	drop_list(&intake->first_unanswered);
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	drop_batches(intake);
	if (intake->free_streams)
		intake->free_streams(intake);
	loop_watch_free(intake->reply_watch);
	loop_timer_free(intake->retry_timer);
	loop_timer_free(intake->second_timer);
	queue_free(intake->reply);
	table_free(intake->usages);
	table_free(intake->lanes);
	senders_free(intake->senders);
	throttle_free(intake->throttle);
	intake_metrics_done();
	free(intake->methods);
	free(intake);
}

const struct http_route *intake_routes(struct intake *intake)
{
	return intake->routes;
}

size_t intake_waiting(const struct intake *intake)
{
	return atomic_load(&intake->n_waiting);
}
