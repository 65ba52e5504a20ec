/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Batches that the writer's queue has no room for wait here, oldest first, until it has: the
 * unanswered request is what stops the sender. Falco waits without deadline, others are told to
 * come back. One credential fills at most half of the queue; its batches then wait here, in order,
 * without holding up those of others.
 *
 * What is with the writer is listed too: when the store does not work, that is held as well, and
 * shown.
 */

#include "base/log.h"
#include "intake/ingest.h"
#include "intake/limits.h"

static void sent_add(struct intake *intake, struct ingest *ingest)
{
	ingest->sent_previous = intake->last_sent;
	ingest->sent_next = NULL;
	if (intake->last_sent)
		intake->last_sent->sent_next = ingest;
	else
		intake->first_sent = ingest;
	intake->last_sent = ingest;
}

static void sent_remove(struct intake *intake, struct ingest *ingest)
{
	if (ingest->sent_previous)
		ingest->sent_previous->sent_next = ingest->sent_next;
	else
		intake->first_sent = ingest->sent_next;
	if (ingest->sent_next)
		ingest->sent_next->sent_previous = ingest->sent_previous;
	else
		intake->last_sent = ingest->sent_previous;
}

static void show_status(const struct intake *intake)
{
	const struct ingest *oldest = intake->first_held;
	atomic_store(&intake->status->held_since_ns, oldest ? oldest->held_at_ns : 0);
}

static void list_add(struct intake *intake, struct ingest *ingest)
{
	ingest->previous = intake->last_held;
	ingest->next = NULL;
	if (intake->last_held)
		intake->last_held->next = ingest;
	else
		intake->first_held = ingest;
	intake->last_held = ingest;
	ingest->held_bytes = ingest->batch->item.weight_bytes;
	intake->held_bytes += ingest->held_bytes;
	ingest->usage->n_held++;
	atomic_fetch_add(&intake->status->n_held, 1);
	show_status(intake);
}

static void list_remove(struct intake *intake, struct ingest *ingest)
{
	if (ingest->previous)
		ingest->previous->next = ingest->next;
	else
		intake->first_held = ingest->next;
	if (ingest->next)
		ingest->next->previous = ingest->previous;
	else
		intake->last_held = ingest->previous;
	intake->held_bytes -= ingest->held_bytes;
	ingest->usage->n_held--;
	atomic_fetch_sub(&intake->status->n_held, 1);
	show_status(intake);
	intake_touch(intake);
}

/* A credential with nothing in flight may always send one batch, of any size. */
static bool has_share(const struct ingest *ingest)
{
	size_t used = ingest->usage->in_flight_bytes;
	size_t total;
	return used == 0 || (size_add(used, ingest->batch->item.weight_bytes, &total) &&
				    total <= queue_max(ingest->intake->writer) / 2);
}

static bool push(struct ingest *ingest)
{
	/* Read before the push: afterwards the batch is the writer's. */
	size_t weight_bytes = ingest->batch->item.weight_bytes;
	ingest->usage->in_flight_bytes += weight_bytes;
	if (queue_push(ingest->intake->writer, &ingest->batch->item)) {
		sent_add(ingest->intake, ingest);
		return true;
	}
	ingest->usage->in_flight_bytes -= weight_bytes;
	ingest->intake->is_writer_full = true;
	return false;
}

static void hold(struct ingest *ingest)
{
	struct intake *intake = ingest->intake;
	if (ingest->sender)
		ingest->sender->sender.n_held++;
	if (!intake->first_held)
		loop_timer_start(intake->retry_timer, HOLD_RETRY_MS);
	list_add(intake, ingest);
	intake_touch(intake);
}

void hold_submit(struct ingest *ingest)
{
	struct intake *intake = ingest->intake;
	ingest->held_after_ms = clock_monotonic_ms(intake->clock);
	ingest->held_at_ns = clock_wall_ns(intake->clock);
	atomic_fetch_add(&intake->n_waiting, 1);
	bool is_next = !intake->is_writer_full && ingest->usage->n_held == 0;
	if (is_next && has_share(ingest) && push(ingest))
		return;
	if (intake->held_bytes > HOLD_BYTES_MAX - ingest->batch->item.weight_bytes)
		ingest_finish(ingest, 503);
	else
		hold(ingest);
}

/* The status to give up with, or 0. */
static unsigned expired(const struct ingest *ingest, int64_t now_ms)
{
	if (now_ms - ingest->held_after_ms < SOURCE_WAIT_MS)
		return 0;
	switch (source_info(ingest->source)->push_back) {
	case PUSH_BACK_HOLD:
		return 0;
	case PUSH_BACK_UNAVAILABLE:
		return 503;
	case PUSH_BACK_SLOW_DOWN:
		return 429;
	}
	return 0;
}

/* One credential's batches keep their order: behind one that must wait, all of its wait. */
static void offer(struct ingest *ingest)
{
	struct intake *intake = ingest->intake;
	struct usage *usage = ingest->usage;
	if (intake->is_writer_full || usage->waits_in_pass == intake->pass)
		return;
	if (!has_share(ingest)) {
		usage->waits_in_pass = intake->pass;
		return;
	}
	if (push(ingest))
		list_remove(intake, ingest);
}

void hold_retry(struct intake *intake)
{
	int64_t now_ms = clock_monotonic_ms(intake->clock);
	struct ingest *ingest = intake->first_held;
	intake->is_writer_full = false;
	intake->pass++;
	while (ingest) {
		struct ingest *next = ingest->next;
		unsigned status = expired(ingest, now_ms);
		if (status) {
			list_remove(intake, ingest);
			ingest_finish(ingest, status);
		} else {
			offer(ingest);
		}
		ingest = next;
	}
	if (intake->first_held)
		loop_timer_start(intake->retry_timer, HOLD_RETRY_MS);
}

void hold_release(struct ingest *ingest)
{
	sent_remove(ingest->intake, ingest);
	ingest->usage->in_flight_bytes -= ingest->batch->item.weight_bytes;
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
static void report(struct intake *intake, const struct ingest *ingest)
{
	struct sender_entry *entry = ingest->sender;
	if (!entry ||
		(entry->sender.held_since_ns && entry->sender.held_since_ns <= ingest->held_at_ns))
		return;
	entry->sender.held_since_ns = ingest->held_at_ns;
	warn(intake, entry, clock_monotonic_ms(intake->clock) - ingest->held_after_ms);
}

void hold_report(struct intake *intake)
{
	int64_t late_ms = clock_monotonic_ms(intake->clock) - HOLD_SHOWN_MS;
	const struct ingest *oldest = intake->first_sent;
	uint64_t n_late = 0;
	struct sender_entry *entry;
	for (size_t i = 0; (entry = senders_at(intake->senders, i)); i++)
		entry->sender.held_since_ns = 0;
	for (const struct ingest *ingest = oldest; ingest && ingest->held_after_ms <= late_ms;
		ingest = ingest->sent_next, n_late++)
		report(intake, ingest);
	for (const struct ingest *ingest = intake->first_held; ingest; ingest = ingest->next)
		report(intake, ingest);
	atomic_store(&intake->status->n_late, n_late);
	atomic_store(&intake->status->late_since_ns, n_late ? oldest->held_at_ns : 0);
}
