/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"

struct cursor cursor_of(struct text text)
{
	const unsigned char *data = (const unsigned char *)text.data;
	return (struct cursor){.at = data, .end = data ? data + text.size : NULL};
}

size_t cursor_left(const struct cursor *cursor)
{
	return cursor->failed ? 0 : (size_t)(cursor->end - cursor->at);
}

struct text cursor_take(struct cursor *cursor, size_t size)
{
	if (cursor_left(cursor) < size) {
		cursor->failed = true;
		return TEXT_NONE;
	}
	struct text text = {(const char *)cursor->at, size};
	cursor->at += size;
	return text;
}

uint8_t cursor_u8(struct cursor *cursor)
{
	struct text byte = cursor_take(cursor, 1);
	return byte.size ? (uint8_t)byte.data[0] : 0;
}

static uint64_t big_endian(struct text bytes)
{
	uint64_t value = 0;
	for (size_t i = 0; i < bytes.size; i++)
		value = value << 8 | (uint8_t)bytes.data[i];
	return value;
}

uint32_t cursor_be32(struct cursor *cursor)
{
	return (uint32_t)big_endian(cursor_take(cursor, 4));
}

uint64_t cursor_be64(struct cursor *cursor)
{
	return big_endian(cursor_take(cursor, 8));
}

uint64_t cursor_varint(struct cursor *cursor)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(cursor);
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	cursor->failed = true;
	return 0;
}

bool cursor_at_end(const struct cursor *cursor)
{
	return !cursor->failed && cursor->at == cursor->end;
}
