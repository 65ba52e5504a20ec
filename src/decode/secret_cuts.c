/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/secret_cuts.h"

#include <stdlib.h>
#include <string.h>

#include "decode/secrets.h"

enum { SALT_BYTES = sizeof((struct redaction *)0)->salt };

void secret_cuts_add(struct secret_cuts *cuts, struct arena *arena, const struct secret_cut *cut)
{
	if (cuts->n == SECRET_CUTS_MAX)
		cuts->over = true;
	if (cuts->over)
		return;
	bool full = (cuts->n & (cuts->n - 1)) == 0; /* grows at each power of two */
	if (full) {
		struct secret_cut *grown =
			arena_array(arena, cuts->n ? cuts->n * 2 : 1, sizeof *grown);
		if (!grown)
			return;
		if (cuts->n)
			memcpy(grown, cuts->items, cuts->n * sizeof *grown);
		cuts->items = grown;
	}
	cuts->items[cuts->n++] = *cut;
}

static int in_payload_order(const void *a, const void *b)
{
	size_t left = ((const struct secret_cut *)a)->start;
	size_t right = ((const struct secret_cut *)b)->start;
	return (left > right) - (left < right);
}

static struct text mark_of(const struct secret_cut *cut)
{
	return cut->is_piece ? TEXT(SECRET_MARK) : TEXT("\"" SECRET_MARK "\"");
}

static size_t put(char *out, size_t size, struct text text)
{
	if (text.size)
		memcpy(out + size, text.data, text.size);
	return size + text.size;
}

static struct text cut_bytes(const struct secret_cuts *cuts, struct arena *arena, struct text raw)
{
	size_t size = raw.size, at = 0;
	for (size_t i = 0; i < cuts->n; i++)
		size += mark_of(&cuts->items[i]).size - (cuts->items[i].end - cuts->items[i].start);
	char *out = arena_bytes(arena, size);
	if (!out)
		return TEXT_NONE;
	size = 0;
	for (size_t i = 0; i < cuts->n; i++) {
		size = put(out, size, text_part(raw, at, cuts->items[i].start - at));
		size = put(out, size, mark_of(&cuts->items[i]));
		at = cuts->items[i].end;
	}
	size = put(out, size, text_part(raw, at, raw.size));
	return (struct text){out, size};
}

void secret_cuts_make(struct secret_cuts *cuts, struct batch *batch, struct alert *alert)
{
	if (cuts->n == 0)
		return;
	qsort(cuts->items, cuts->n, sizeof *cuts->items, in_payload_order);
	struct text raw = cut_bytes(cuts, &batch->arena, alert->raw);
	struct redaction *redactions = arena_array(&batch->arena, cuts->n, sizeof *redactions);
	char *salts = arena_bytes(&batch->arena, cuts->n * SALT_BYTES);
	if (batch->arena.failed)
		return;
	batch->random(salts, cuts->n * SALT_BYTES); /* at once: each call costs microseconds */
	for (size_t i = 0; i < cuts->n; i++) {
		const struct secret_cut *cut = &cuts->items[i];
		redactions[i].path = cut->path;
		redactions[i].value = text_part(alert->raw, cut->start, cut->end - cut->start);
		memcpy(redactions[i].salt, salts + i * SALT_BYTES, SALT_BYTES);
	}
	alert->raw = raw;
	alert->redactions = redactions;
	alert->n_redactions = cuts->n;
}
