/* SPDX-License-Identifier: Apache-2.0 */
#include "model/sender.h"

#include <stdlib.h>

#include "base/arena.h"

/* The set and its texts are one arena's, which is freed with the last reference. */
struct owned_set {
	struct sender_set set;
	struct arena arena;
};

static void free_set(struct snapshot *snapshot)
{
	struct owned_set *owned = (struct owned_set *)(void *)snapshot;
	arena_done(&owned->arena);
	free(owned);
}

struct sender_set *sender_set_new(const struct sender *items, size_t n, uint64_t n_overflow)
{
	struct owned_set *owned = calloc(1, sizeof *owned);
	if (!owned)
		return NULL;
	arena_init(&owned->arena, SIZE_MAX);
	owned->set.snapshot.free = free_set;
	owned->set.n = n;
	owned->set.n_overflow = n_overflow;
	owned->set.items = arena_array(&owned->arena, n, sizeof *items);
	for (size_t i = 0; i < n && owned->set.items; i++) {
		owned->set.items[i] = items[i];
		owned->set.items[i].address = arena_copy(&owned->arena, items[i].address);
		owned->set.items[i].agent = arena_copy(&owned->arena, items[i].agent);
	}
	if (owned->arena.failed) {
		free_set(&owned->set.snapshot);
		return NULL;
	}
	return &owned->set;
}
