/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/secret_texts.h"

#include <stdlib.h>
#include <string.h>

/* falcosidekick cuts strings over 512 bytes to 507 and this; half a character is U+FFFD then. */
static struct text without_mark(struct text text)
{
	const struct text mark = TEXT("[...]"), half = TEXT("\xef\xbf\xbd");
	if (!text_ends(text, mark))
		return text;
	text.size -= mark.size;
	while (text_ends(text, half))
		text.size -= half.size;
	return text;
}

void secret_texts_add(struct secret_texts *texts, struct arena *arena, struct text value)
{
	value = without_mark(value);
	if (value.size < SECRET_TEXT_BYTES_MIN || texts->blind)
		return;
	if (texts->n == SECRET_TEXTS_MAX) {
		texts->blind = true;
		return;
	}
	bool full = (texts->n & (texts->n - 1)) == 0; /* grows at each power of two */
	if (full) {
		struct text *grown = arena_array(arena, texts->n ? texts->n * 2 : 1, sizeof *grown);
		if (!grown)
			return;
		if (texts->n)
			memcpy(grown, texts->values, texts->n * sizeof *grown);
		texts->values = grown;
	}
	texts->values[texts->n++] = value;
}

static int shorter_first(const void *a, const void *b)
{
	size_t left = ((const struct text *)a)->size, right = ((const struct text *)b)->size;
	return (left > right) - (left < right);
}

static uint64_t first_bytes(const char *data)
{
	uint64_t word;
	memcpy(&word, data, sizeof word);
	return word;
}

static size_t bucket(const struct secret_texts *texts, uint64_t word)
{
	return (size_t)((word * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - texts->bits));
}

void secret_texts_ready(struct secret_texts *texts, struct arena *arena)
{
	if (texts->n == 0)
		return;
	for (texts->bits = 4; (size_t)1 << texts->bits < texts->n * 2;)
		texts->bits++;
	texts->heads = arena_array(arena, (size_t)1 << texts->bits, sizeof *texts->heads);
	texts->next = arena_array(arena, texts->n, sizeof *texts->next);
	if (arena->failed)
		return;
	qsort(texts->values, texts->n, sizeof *texts->values, shorter_first);
	for (size_t i = 0; i < texts->n; i++) {
		size_t at = bucket(texts, first_bytes(texts->values[i].data));
		texts->next[i] = texts->heads[at];
		texts->heads[at] = (unsigned short)(i + 1);
	}
}

/* How many bytes at @at are one of the values, or the beginning of one that the end cuts; 0. */
static size_t size_at(struct secret_texts *texts, struct text text, size_t at)
{
	uint64_t word = first_bytes(text.data + at);
	for (size_t i = texts->heads[bucket(texts, word)]; i > 0; i = texts->next[i - 1]) {
		struct text value = texts->values[i - 1];
		size_t left = text.size - at;
		size_t common = value.size < left ? value.size : left;
		if (first_bytes(value.data) != word)
			continue;
		texts->work_bytes += common;
		if (texts->work_bytes > SECRET_WORK_BYTES_MAX)
			texts->blind = true;
		if (texts->blind)
			return 0;
		if (memcmp(value.data, text.data + at, common) == 0)
			return common;
	}
	return 0;
}

size_t secret_texts_find(
	struct secret_texts *texts, struct text text, size_t from, size_t *size_bytes)
{
	text = without_mark(text);
	for (size_t at = from; text.size >= SECRET_TEXT_BYTES_MIN &&
			       at <= text.size - SECRET_TEXT_BYTES_MIN && !texts->blind;
		at++) {
		*size_bytes = size_at(texts, text, at);
		if (*size_bytes)
			return at;
	}
	return SIZE_MAX;
}
