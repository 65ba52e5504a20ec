/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Passes ownership of items between threads: many push, one takes. Bounded by weight (bytes).
 *
 * Items embed `struct queue_item` as their first member, so queueing never allocates and never
 * fails for memory. A full queue refuses; the caller then pushes back to its peer, nothing is
 * dropped here.
 *
 * Items keep the order of their lane (base/turns.h). Those who push to none share one.
 */

#include "base/err.h"
#include "base/text.h"
#include "base/turns.h"

struct queue_item {
	struct queue_item *next; /* the queue's while queued; the taker's afterwards */
	size_t weight_bytes;     /* set before queue_push */
};

struct queue;

/** NULL without memory or file descriptors. SIZE_MAX means unbounded. */
struct queue *queue_new(size_t max_weight_bytes);
void queue_free(struct queue *queue); /* the queue must be empty or its items owned elsewhere */

/** Takes the item. false when it does not fit (an empty queue takes any item) or after queue_close.
 */
CHECKED bool queue_push(struct queue *queue, struct queue_item *item);

/** The same, at the end of @lane, which belongs to this queue and lives as long as it has items. */
CHECKED bool queue_push_lane(struct queue *queue, struct queue_lane *lane, struct queue_item *item);

/**
 * Takes items whose turn it is as a chain (NULL-terminated), at most @max_weight_bytes but at least
 * one.
 *
 * Waits up to @wait_ms (0: do not wait; negative: for ever). NULL on timeout, or closed and empty.
 */
struct queue_item *queue_take(struct queue *queue, size_t max_weight_bytes, int64_t wait_ms);

/** Wakes a waiting taker, which returns NULL if there is nothing. For shutdown and reload. */
void queue_wake(struct queue *queue);

/** No more pushes; what is queued can still be taken. */
void queue_close(struct queue *queue);
bool queue_closed(const struct queue *queue);

/** Readable while items wait: for event loops. Cleared by queue_take when the queue runs empty. */
int queue_fd(const struct queue *queue);

size_t queue_weight(const struct queue *queue); /* bytes waiting; any thread */
size_t queue_max(const struct queue *queue);    /* as given to queue_new */
