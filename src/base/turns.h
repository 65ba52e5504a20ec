/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whose turn it is: each sender's items wait in a lane of its own, in their order, and lanes take
 * turns by what they weigh.
 *
 * Self-clocked fair queueing: an item's tag is its lane's last tag, or that of the item that was
 * taken last if this is later, plus its weight; the lowest tag is next. So whoever has sent little
 * comes before those who have sent much, however much of theirs waits, and nobody waits for ever.
 * Of equal tags the earlier is first. Lanes that have items are a pairing heap inside of
 * themselves, so nothing is allocated. Private to queue.c, which has the mutex.
 */

#include <stddef.h>
#include <stdint.h>

struct queue_item;

/* Zeroed at first. Owned by whoever pushes to it; while it has items it is the queue's. */
struct queue_lane {
	struct queue_item *first, *last;
	uint64_t tag;   /* of `first`; of an empty one that of its last */
	uint64_t order; /* when it got its place */
	struct queue_lane *child, *sibling;
};

struct turns {
	struct queue_lane *next; /* the heap's root; NULL: all are empty */
	uint64_t tag;            /* of what was taken last */
	uint64_t order;
};

/** At the lane's end. */
void turns_add(struct turns *turns, struct queue_lane *lane, struct queue_item *item);
/** The next item, out of its lane; there is one. */
struct queue_item *turns_take(struct turns *turns);
