/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Memory that dies together: one arena per batch, API request or rule set.
 *
 * Passed explicitly, never "current". Allocations are zeroed, aligned for any type, and live until
 * arena_done. Growth stops at the limit: arena_alloc then gives NULL and `failed` stays set.
 */

#include "base/text.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t used_bytes;          /* of all chunks, for accounting */
	size_t limit_bytes;
	size_t chunk_bytes; /* of malloc, at least, as it grows */
	bool failed;
};

void arena_init(struct arena *arena, size_t limit_bytes);
/** For what lives long, holds little and is many: it grows by 1 KiB, not 8. */
void arena_init_small(struct arena *arena, size_t limit_bytes);
void arena_done(struct arena *arena); /* frees everything; the arena is empty and usable again */
/** Where the arena is now, for arena_back. */
struct arena_mark {
	struct arena_chunk *chunk, *behind;
	size_t used, used_bytes;
};
struct arena_mark arena_mark(const struct arena *arena);
/** Lets go of all that was taken since the mark. What was there before stays where it is. */
void arena_back(struct arena *arena, struct arena_mark mark);
/** Overwrites what it holds, which is then of no use: before arena_done, when it held secrets. */
void arena_wipe(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size);
/** @n times @size bytes; NULL on overflow too. */
void *arena_array(struct arena *arena, size_t n, size_t size);
/** Uninitialised bytes without alignment, for text. */
char *arena_bytes(struct arena *arena, size_t size);
/** A copy that lives in the arena; the absent text when there is no memory (check arena->failed).
 */
struct text arena_copy(struct arena *arena, struct text text);
/** As arena_copy, NUL-terminated. */
char *arena_string(struct arena *arena, struct text text);
__attribute__((format(printf, 2, 3))) struct text arena_format(
	struct arena *arena, const char *format, ...);
/** Appends to a list that only this made, which grows by eight: lists of texts are short. */
void arena_list_add(struct arena *arena, struct text_list *list, struct text text);

static inline void arena_done_auto(struct arena *arena)
{
	arena_done(arena);
}
