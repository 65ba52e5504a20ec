/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads a span from front to back. Reading past the end sets `failed`, gives zeros and empty texts
 * from then on, and is checked once at the end. Borrowed bytes; never casts them to structs.
 */

#include "base/text.h"

struct cursor {
	const unsigned char *at;
	const unsigned char *end;
	bool failed;
};

struct cursor cursor_of(struct text text);
uint8_t cursor_u8(struct cursor *cursor);
uint32_t cursor_be32(struct cursor *cursor);
uint64_t cursor_be64(struct cursor *cursor);
uint64_t cursor_varint(struct cursor *cursor);
struct text cursor_take(struct cursor *cursor, size_t size);
size_t cursor_left(const struct cursor *cursor);
bool cursor_at_end(const struct cursor *cursor); /* everything read, nothing failed */
