/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Batches that the writer's queue has no room for wait here, oldest first, until it has: the
 * unanswered request is what stops the sender. Falco waits without deadline, others are told to
 * come back. One credential fills at most half of the queue; its batches then wait here, in order,
 * without holding up those of others.
 *
 * Who sends little waits behind nobody: a quarter of the queue is kept for lanes that have little
 * in it, whatever their credential has. In the queue lanes take turns (base/turns.h).
 *
 * What is with the writer is listed too: when the store does not work, that is held as well, and
 * shown.
 */

#include "base/log.h"
#include "intake/delivery.h"
#include "intake/limits.h"

static void sent_add(struct intake *intake, struct delivery *delivery)
{
	delivery->sent_previous = intake->last_sent;
	delivery->sent_next = NULL;
	if (intake->last_sent)
		intake->last_sent->sent_next = delivery;
	else
		intake->first_sent = delivery;
	intake->last_sent = delivery;
}

static void sent_remove(struct intake *intake, struct delivery *delivery)
{
	if (delivery->sent_previous)
		delivery->sent_previous->sent_next = delivery->sent_next;
	else
		intake->first_sent = delivery->sent_next;
	if (delivery->sent_next)
		delivery->sent_next->sent_previous = delivery->sent_previous;
	else
		intake->last_sent = delivery->sent_previous;
}

static void show_status(const struct intake *intake)
{
	const struct delivery *oldest = intake->first_held;
	atomic_store(&intake->status->held_since_ns, oldest ? oldest->held_at_ns : 0);
}

static void list_add(struct intake *intake, struct delivery *delivery)
{
	delivery->previous = intake->last_held;
	delivery->next = NULL;
	if (intake->last_held)
		intake->last_held->next = delivery;
	else
		intake->first_held = delivery;
	intake->last_held = delivery;
	delivery->is_held = true;
	delivery->held_bytes = delivery->batch->item.weight_bytes;
	intake->held_bytes += delivery->held_bytes;
	delivery->usage->n_held++;
	delivery->lane->n_held++;
	atomic_fetch_add(&intake->status->n_held, 1);
	show_status(intake);
}

static void list_remove(struct intake *intake, struct delivery *delivery)
{
	if (delivery->previous)
		delivery->previous->next = delivery->next;
	else
		intake->first_held = delivery->next;
	if (delivery->next)
		delivery->next->previous = delivery->previous;
	else
		intake->last_held = delivery->previous;
	delivery->is_held = false;
	intake->held_bytes -= delivery->held_bytes;
	delivery->usage->n_held--;
	delivery->lane->n_held--;
	atomic_fetch_sub(&intake->status->n_held, 1);
	show_status(intake);
	intake_touch(intake);
}

static size_t weight_of(const struct delivery *delivery)
{
	return delivery->batch->item.weight_bytes;
}

/* Together with what its lane has with the writer. */
static bool is_little(const struct delivery *delivery)
{
	size_t total;
	return size_add(delivery->lane->in_flight_bytes, weight_of(delivery), &total) &&
	       total <= queue_max(delivery->intake->writer) / HOLD_LITTLE_PART;
}

/* A credential with nothing in flight may always send one batch, of any size. */
static bool has_share(const struct delivery *delivery)
{
	size_t used = delivery->usage->in_flight_bytes;
	size_t total;
	return used == 0 || (size_add(used, weight_of(delivery), &total) &&
				    total <= queue_max(delivery->intake->writer) / 2);
}

/* An empty queue takes any batch. */
static bool leaves_room(const struct delivery *delivery)
{
	const struct queue *writer = delivery->intake->writer;
	size_t waiting = queue_weight(writer), kept = queue_max(writer) / HOLD_KEPT_PART;
	size_t total;
	return waiting == 0 || (size_add(waiting, weight_of(delivery), &total) &&
				       total <= queue_max(writer) - kept);
}

static bool push(struct delivery *delivery)
{
	/* Read before the push: afterwards the batch is the writer's. */
	size_t weight_bytes = weight_of(delivery);
	struct intake *intake = delivery->intake;
	if (!is_little(delivery) && !leaves_room(delivery)) {
		intake->is_writer_full = true;
		return false;
	}
	if (!queue_push_lane(intake->writer, &delivery->lane->turn, &delivery->batch->item)) {
		intake->is_writer_full = true;
		return false;
	}
	delivery->usage->in_flight_bytes += weight_bytes;
	delivery->lane->in_flight_bytes += weight_bytes;
	sent_add(intake, delivery);
	return true;
}

static void hold(struct delivery *delivery)
{
	struct intake *intake = delivery->intake;
	if (delivery->sender)
		delivery->sender->sender.n_held++;
	if (!intake->first_held)
		loop_timer_start(intake->retry_timer, HOLD_RETRY_MS);
	list_add(intake, delivery);
	intake_touch(intake);
}

/* Alerts point into the body, so all of it stays in memory, whatever little they are of it. */
static void weigh(const struct delivery *delivery)
{
	struct batch *batch = delivery->batch;
	size_t kept_bytes = sizeof *batch + batch->n_alerts * sizeof(struct alert);
	kept_bytes += delivery->body_size;
	if (batch->item.weight_bytes < kept_bytes)
		batch->item.weight_bytes = kept_bytes;
}

/* Of those who send much: does nothing of its credential, or the queue, hold it up? */
static bool is_first(const struct delivery *delivery)
{
	return !delivery->intake->is_writer_full && delivery->usage->n_held == 0 &&
	       has_share(delivery);
}

enum hold_result hold_submit(struct delivery *delivery)
{
	struct intake *intake = delivery->intake;
	weigh(delivery);
	delivery->held_after_ms = clock_monotonic_ms(intake->clock);
	delivery->held_at_ns = clock_wall_ns(intake->clock);
	atomic_fetch_add(&intake->n_waiting, 1);
	bool is_next = delivery->lane->n_held == 0 && (is_little(delivery) || is_first(delivery));
	if (is_next && push(delivery))
		return HOLD_SENT;
	if (intake->held_bytes > HOLD_BYTES_MAX - delivery->batch->item.weight_bytes) {
		delivery_finish(delivery, 503);
		return HOLD_REFUSED;
	}
	hold(delivery);
	return HOLD_HELD;
}

bool hold_withdraw(struct delivery *delivery)
{
	if (!delivery->is_held)
		return false;
	list_remove(delivery->intake, delivery);
	atomic_fetch_sub(&delivery->intake->n_waiting, 1);
	return true;
}

/* The status to give up with, or 0. */
static unsigned expired(const struct delivery *delivery, int64_t now_ms)
{
	if (now_ms - delivery->held_after_ms < SOURCE_WAIT_MS)
		return 0;
	switch (delivery->push_back) {
	case PUSH_BACK_HOLD:
		return 0;
	case PUSH_BACK_UNAVAILABLE:
		return 503;
	case PUSH_BACK_SLOW_DOWN:
		return 429;
	}
	return 0;
}

/* Of those who send much: behind one that must wait, all of its credential wait. */
static bool has_turn(const struct delivery *delivery)
{
	const struct intake *intake = delivery->intake;
	struct usage *usage = delivery->usage;
	if (intake->is_writer_full || usage->waits_in_pass == intake->pass)
		return false;
	if (has_share(delivery))
		return true;
	usage->waits_in_pass = intake->pass;
	return false;
}

/* A lane's batches keep their order: behind one that must wait, all of its wait. */
static void offer(struct delivery *delivery)
{
	struct intake *intake = delivery->intake;
	struct lane *lane = delivery->lane;
	if (lane->waits_in_pass == intake->pass)
		return;
	if (!(is_little(delivery) || has_turn(delivery)) || !push(delivery)) {
		lane->waits_in_pass = intake->pass;
		return;
	}
	list_remove(intake, delivery);
	if (delivery->left_hold)
		delivery->left_hold(delivery);
}

void hold_retry(struct intake *intake)
{
	int64_t now_ms = clock_monotonic_ms(intake->clock);
	struct delivery *delivery = intake->first_held;
	intake->is_writer_full = false;
	intake->pass++;
	while (delivery) {
		struct delivery *next = delivery->next;
		unsigned status = expired(delivery, now_ms);
		if (status) {
			list_remove(intake, delivery);
			delivery_finish(delivery, status);
		} else {
			offer(delivery);
		}
		delivery = next;
	}
	if (intake->first_held)
		loop_timer_start(intake->retry_timer, HOLD_RETRY_MS);
}

void hold_release(struct delivery *delivery)
{
	sent_remove(delivery->intake, delivery);
	delivery->usage->in_flight_bytes -= weight_of(delivery);
	delivery->lane->in_flight_bytes -= weight_of(delivery);
}

static void warn(const struct intake *intake, struct sender_entry *entry, int64_t held_ms)
{
	int64_t now_ms = clock_monotonic_ms(intake->clock);
	if (held_ms < HOLD_WARN_MS || now_ms < entry->held_warning_after_ms)
		return;
	entry->held_warning_after_ms = now_ms + HOLD_WARN_AGAIN_MS;
	log_warning("intake", "%s at %.*s: held for %lld s, the store does not keep up",
		source_info(entry->sender.source)->name, TEXT_ARG(entry->sender.address),
		(long long)(held_ms / 1000));
}

/* One request that waits, of a sender that has no older one. */
static void report(struct intake *intake, const struct delivery *delivery)
{
	struct sender_entry *entry = delivery->sender;
	if (!entry || (entry->sender.held_since_ns &&
			      entry->sender.held_since_ns <= delivery->held_at_ns))
		return;
	entry->sender.held_since_ns = delivery->held_at_ns;
	warn(intake, entry, clock_monotonic_ms(intake->clock) - delivery->held_after_ms);
}

void hold_report(struct intake *intake)
{
	int64_t late_ms = clock_monotonic_ms(intake->clock) - HOLD_SHOWN_MS;
	const struct delivery *oldest = intake->first_sent;
	uint64_t n_late = 0;
	struct sender_entry *entry;
	for (size_t i = 0; (entry = senders_at(intake->senders, i)); i++)
		entry->sender.held_since_ns = 0;
	for (const struct delivery *delivery = oldest;
		delivery && delivery->held_after_ms <= late_ms;
		delivery = delivery->sent_next, n_late++)
		report(intake, delivery);
	for (const struct delivery *delivery = intake->first_held; delivery;
		delivery = delivery->next)
		report(intake, delivery);
	atomic_store(&intake->status->n_late, n_late);
	atomic_store(&intake->status->late_since_ns, n_late ? oldest->held_at_ns : 0);
}
