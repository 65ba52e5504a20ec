/* SPDX-License-Identifier: Apache-2.0 */
#include "model/claim.h"

#include "base/cursor.h"

static bool matches(const struct claim *claim, int64_t slot, int64_t fingerprint)
{
	if (slot < claim->from_slot || slot > claim->to_slot)
		return false;
	for (size_t i = 0; i < claim->n_prints; i++)
		if (claim->prints[i] == fingerprint)
			return true;
	return false;
}

bool claims_have(const struct claims *claims, int64_t slot, int64_t print)
{
	for (size_t i = 0; i < claims->n; i++)
		if (matches(&claims->items[i], slot, print >> 1))
			return claims->items[i].own;
	return !claims->carved;
}

void claims_write(const struct claims *claims, struct buf *out)
{
	if (claims->n == 0 && !claims->carved)
		return;
	buf_add_byte(out, claims->carved);
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = &claims->items[i];
		buf_add_be64(out, (uint64_t)claim->from_slot);
		buf_add_be64(out, (uint64_t)claim->to_slot);
		buf_add_byte(out, claim->own);
		buf_add_byte(out, (unsigned char)claim->n_prints);
		for (size_t j = 0; j < claim->n_prints; j++)
			buf_add_be64(out, (uint64_t)claim->prints[j]);
	}
}

static bool read_claim(struct cursor *cursor, struct claim *claim)
{
	claim->from_slot = (int64_t)cursor_be64(cursor);
	claim->to_slot = (int64_t)cursor_be64(cursor);
	claim->own = cursor_u8(cursor) != 0;
	claim->n_prints = cursor_u8(cursor);
	if (claim->n_prints > EDIT_PRINTS_MAX)
		return false;
	for (size_t i = 0; i < claim->n_prints; i++)
		claim->prints[i] = (int64_t)cursor_be64(cursor);
	return !cursor->failed;
}

bool claims_read(struct text stored, struct arena *arena, struct claims *out)
{
	enum { CLAIM_BYTES_MIN = 18 };
	struct cursor cursor = cursor_of(stored);
	*out = (struct claims){NULL, 0, false};
	if (stored.size == 0)
		return true;
	out->items = arena_array(arena, stored.size / CLAIM_BYTES_MIN + 1, sizeof *out->items);
	if (!out->items)
		return false;
	out->carved = cursor_u8(&cursor) != 0;
	while (cursor_left(&cursor))
		if (!read_claim(&cursor, &out->items[out->n++]))
			return false;
	return !cursor.failed;
}
