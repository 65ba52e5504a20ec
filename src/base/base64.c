/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

enum { NO_VALUE = 64 };

static char letter_of(unsigned value, const char last[2])
{
	return value < 62 ? common[value] : last[value - 62];
}

static void write(const void *bytes, size_t size, const char last[2], char *out)
{
	const unsigned char *from = bytes;
	unsigned bits = 0, n_bits = 0;
	for (size_t i = 0; i < size; i++) {
		bits = bits << 8 | from[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			*out++ = letter_of(bits >> (n_bits - 6) & 63, last);
	}
	if (n_bits)
		*out++ = letter_of(bits << (6 - n_bits) & 63, last);
	*out = '\0';
}

void base64_write(const void *bytes, size_t size, char *out)
{
	write(bytes, size, "+/", out);
}

void base64url_write(const void *bytes, size_t size, char *out)
{
	write(bytes, size, "-_", out);
}

static unsigned value_of(char letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return (unsigned)(letter - 'A');
	if (letter >= 'a' && letter <= 'z')
		return (unsigned)(letter - 'a') + 26;
	if (letter >= '0' && letter <= '9')
		return (unsigned)(letter - '0') + 52;
	return letter == '-' ? 62 : letter == '_' ? 63 : NO_VALUE;
}

static char as_in_addresses(char letter)
{
	return letter == '+' ? '-' : letter == '/' ? '_' : letter;
}

static bool read(struct text text, bool any, struct arena *arena, struct text *out)
{
	char *bytes = arena_bytes(arena, text.size ? text.size : 1);
	unsigned bits = 0, n_bits = 0;
	size_t size = 0;
	if (!bytes || text.size % 4 == 1)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		unsigned value = value_of(any ? as_in_addresses(text.data[i]) : text.data[i]);
		if (value == NO_VALUE)
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

bool base64url_read(struct text text, struct arena *arena, struct text *out)
{
	return read(text, false, arena, out);
}

bool base64_read(struct text text, struct arena *arena, struct text *out)
{
	while (text_ends(text, TEXT("=")))
		text.size--;
	return read(text, true, arena, out);
}
