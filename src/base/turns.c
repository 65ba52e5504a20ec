/* SPDX-License-Identifier: Apache-2.0 */
#include "base/turns.h"

#include <stdbool.h>

#include "base/queue.h"

/* Weights count up to here, so that tags do not come round. */
static const uint64_t weight_max = UINT64_C(1) << 40;

static uint64_t weight_of(const struct queue_item *item)
{
	return item->weight_bytes < weight_max ? item->weight_bytes : weight_max;
}

static bool is_before(const struct queue_lane *a, const struct queue_lane *b)
{
	return a->tag != b->tag ? a->tag < b->tag : a->order < b->order;
}

/* Either may be NULL. */
static struct queue_lane *meld(struct queue_lane *a, struct queue_lane *b)
{
	if (!a || !b)
		return a ? a : b;
	struct queue_lane *top = is_before(b, a) ? b : a;
	struct queue_lane *below = top == a ? b : a;
	below->sibling = top->child;
	top->child = below;
	return top;
}

static struct queue_lane *cut(struct queue_lane **list)
{
	struct queue_lane *lane = *list;
	if (!lane)
		return NULL;
	*list = lane->sibling;
	lane->sibling = NULL;
	return lane;
}

/* What is left of the heap without its root: siblings melded in pairs, then the pairs. */
static struct queue_lane *without_root(struct queue_lane *root)
{
	struct queue_lane *children = root->child, *pairs = NULL, *heap = NULL;
	root->child = NULL;
	while (children) {
		struct queue_lane *one = cut(&children);
		struct queue_lane *pair = meld(one, cut(&children));
		pair->sibling = pairs;
		pairs = pair;
	}
	while (pairs)
		heap = meld(heap, cut(&pairs));
	return heap;
}

/* With its first item. */
static void place(struct turns *turns, struct queue_lane *lane)
{
	if (lane->tag < turns->tag)
		lane->tag = turns->tag;
	lane->tag += weight_of(lane->first);
	lane->order = turns->order++;
	turns->next = meld(turns->next, lane);
}

void turns_add(struct turns *turns, struct queue_lane *lane, struct queue_item *item)
{
	item->next = NULL;
	if (lane->first) {
		lane->last->next = item;
		lane->last = item;
		return;
	}
	lane->first = lane->last = item;
	place(turns, lane);
}

struct queue_item *turns_take(struct turns *turns)
{
	struct queue_lane *lane = turns->next;
	struct queue_item *item = lane->first;
	turns->tag = lane->tag;
	turns->next = without_root(lane);
	lane->first = item->next;
	if (lane->first)
		place(turns, lane);
	item->next = NULL;
	return item;
}
