/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 8192 - 64, SMALL_CHUNK_BYTES = 1024 - 64, ALIGNMENT = 16, LIST_STEP = 8 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t size;
	size_t padding; /* keeps data aligned to 16 */
	char data[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
	*arena = (struct arena){.limit_bytes = limit_bytes, .chunk_bytes = CHUNK_BYTES};
}

void arena_init_small(struct arena *arena, size_t limit_bytes)
{
	*arena = (struct arena){.limit_bytes = limit_bytes, .chunk_bytes = SMALL_CHUNK_BYTES};
}

void arena_done(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;
	while (chunk) {
		struct arena_chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
	*arena = (struct arena){
		.limit_bytes = arena->limit_bytes, .chunk_bytes = arena->chunk_bytes};
}

struct arena_mark arena_mark(const struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;
	return (struct arena_mark){.chunk = chunk,
		.behind = chunk ? chunk->next : NULL,
		.used = chunk ? chunk->used : 0,
		.used_bytes = arena->used_bytes};
}

static struct arena_chunk *free_until(struct arena_chunk *chunk, const struct arena_chunk *end)
{
	while (chunk != end) {
		struct arena_chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
	return chunk;
}

void arena_back(struct arena *arena, struct arena_mark mark)
{
	arena->chunks = free_until(arena->chunks, mark.chunk);
	arena->used_bytes = mark.used_bytes;
	if (!mark.chunk)
		return;
	/* Large pieces stand behind the chunk that was the newest. */
	mark.chunk->next = free_until(mark.chunk->next, mark.behind);
	mark.chunk->used = mark.used;
}

void arena_wipe(struct arena *arena)
{
	for (struct arena_chunk *chunk = arena->chunks; chunk; chunk = chunk->next)
		explicit_bzero(chunk->data, chunk->used);
}

static bool add_chunk(struct arena *arena, size_t need)
{
	bool is_large = need > arena->chunk_bytes / 4;
	size_t size = is_large ? need : arena->chunk_bytes;
	size_t total;
	if (!size_add(arena->used_bytes, size, &total) || total > arena->limit_bytes)
		return false;
	struct arena_chunk *chunk = malloc(sizeof *chunk + size);
	if (!chunk)
		return false;
	*chunk = (struct arena_chunk){.size = size};
	/* A large piece gets a chunk of its own behind the current one, whose rest stays in use. */
	if (arena->chunks && is_large) {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	} else {
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	arena->used_bytes = total;
	return true;
}

static char *take(struct arena *arena, size_t size, size_t alignment)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t from = chunk ? (chunk->used + alignment - 1) & ~(alignment - 1) : 0;
	if (chunk && from <= chunk->size && size <= chunk->size - from) {
		chunk->used = from + size;
		return chunk->data + from;
	}
	struct arena_chunk *before = arena->chunks;
	if (arena->failed || size > SIZE_MAX / 2 || !add_chunk(arena, size ? size : 1)) {
		arena->failed = true;
		return NULL;
	}
	chunk = arena->chunks == before ? before->next : arena->chunks;
	chunk->used = size;
	return chunk->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	char *data = take(arena, size, ALIGNMENT);
	if (data)
		memset(data, 0, size);
	return data;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t total;
	if (!size_mul(n, size, &total)) {
		arena->failed = true;
		return NULL;
	}
	return arena_alloc(arena, total);
}

char *arena_bytes(struct arena *arena, size_t size)
{
	return take(arena, size, 1);
}

struct text arena_copy(struct arena *arena, struct text text)
{
	char *data = arena_bytes(arena, text.size);
	if (!data)
		return TEXT_NONE;
	if (text.size)
		memcpy(data, text.data, text.size);
	return (struct text){data, text.size};
}

char *arena_string(struct arena *arena, struct text text)
{
	char *data = arena_bytes(arena, text.size + 1);
	if (!data)
		return NULL;
	if (text.size)
		memcpy(data, text.data, text.size);
	data[text.size] = '\0';
	return data;
}

struct text arena_format(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *data = length < 0 ? NULL : arena_bytes(arena, (size_t)length + 1);
	if (!data)
		return TEXT_NONE;
	va_start(args, format);
	vsnprintf(data, (size_t)length + 1, format, args);
	va_end(args);
	return (struct text){data, (size_t)length};
}

void arena_list_add(struct arena *arena, struct text_list *list, struct text text)
{
	if (list->n % LIST_STEP == 0) {
		struct text *items = arena_array(arena, list->n + LIST_STEP, sizeof *items);
		if (!items)
			return;
		if (list->n)
			memcpy(items, list->items, list->n * sizeof *items);
		list->items = items;
	}
	list->items[list->n++] = text;
}
