/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_write(const void *bytes, size_t size, char *out)
{
	const unsigned char *from = bytes;
	unsigned bits = 0, n_bits = 0;
	for (size_t i = 0; i < size; i++) {
		bits = bits << 8 | from[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			*out++ = letters[bits >> (n_bits - 6) & 63];
	}
	if (n_bits)
		*out++ = letters[bits << (6 - n_bits) & 63];
	*out = '\0';
}

static unsigned value_of(char letter)
{
	for (unsigned i = 0; i < 64; i++)
		if (letters[i] == letter)
			return i;
	return 64;
}

bool base64url_read(struct text text, struct arena *arena, struct text *out)
{
	char *bytes = arena_bytes(arena, text.size ? text.size : 1);
	unsigned bits = 0, n_bits = 0;
	size_t size = 0;
	if (!bytes || text.size % 4 == 1)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		unsigned value = value_of(text.data[i]);
		if (value == 64)
			return false;
		bits = bits << 6 | value;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		bytes[size++] = (char)(unsigned char)(bits >> n_bits & 0xff);
	}
	*out = (struct text){bytes, size};
	/* Bits left over must be 0, or two texts would mean the same bytes. */
	return (bits & ((1U << n_bits) - 1)) == 0;
}
