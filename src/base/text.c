/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool text_equal_nocase(struct text a, struct text b)
{
	if (a.size != b.size)
		return false;
	if (text_equal(a, b)) /* almost always where they are equal at all, and fast */
		return true;
	for (size_t i = 0; i < a.size; i++)
		if (text_lower(a.data[i]) != text_lower(b.data[i]))
			return false;
	return true;
}

int text_compare(struct text a, struct text b)
{
	size_t size = a.size < b.size ? a.size : b.size;
	int order = size ? memcmp(a.data, b.data, size) : 0;
	if (order)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

bool text_ends(struct text text, struct text suffix)
{
	return text.size >= suffix.size &&
	       text_equal(text_part(text, text.size - suffix.size, suffix.size), suffix);
}

size_t text_find(struct text text, struct text needle, size_t from)
{
	if (from > text.size || needle.size == 0)
		return from <= text.size && needle.size == 0 ? from : SIZE_MAX;
	const char *at = text.size == from ? NULL
					   : memmem(text.data + from, text.size - from, needle.data,
						     needle.size);
	return at ? (size_t)(at - text.data) : SIZE_MAX;
}

size_t text_find_byte(struct text text, char byte, size_t from)
{
	if (from >= text.size)
		return SIZE_MAX;
	const char *at = memchr(text.data + from, byte, text.size - from);
	return at ? (size_t)(at - text.data) : SIZE_MAX;
}

static bool is_space(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

struct text text_trim(struct text text)
{
	while (text.size && is_space(text.data[0]))
		text = text_part(text, 1, text.size);
	while (text.size && is_space(text.data[text.size - 1]))
		text.size--;
	return text;
}

bool text_split(struct text *rest, char separator, struct text *part)
{
	if (!rest->data)
		return false;
	size_t at = text_find_byte(*rest, separator, 0);
	if (at == SIZE_MAX) {
		*part = *rest;
		*rest = TEXT_NONE;
		return true;
	}
	*part = text_part(*rest, 0, at);
	*rest = (struct text){rest->data + at + 1, rest->size - at - 1};
	return true;
}

bool text_to_u64(struct text text, uint64_t *out)
{
	uint64_t value = 0;
	if (text.size == 0)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, 10U, &value) ||
			__builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}

bool text_to_i64(struct text text, int64_t *out)
{
	bool negative = text.size && text.data[0] == '-';
	uint64_t value;
	if (!text_to_u64(negative ? text_part(text, 1, text.size) : text, &value))
		return false;
	if (value > (uint64_t)INT64_MAX + (negative ? 1U : 0U))
		return false;
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

static int hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = text_lower(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

bool text_to_bytes(struct text hex, void *out, size_t size)
{
	unsigned char *bytes = out;
	if (hex.size != size * 2 || !text_is_hex(hex))
		return false;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(hex_digit(hex.data[2 * i]) * 16 +
					   hex_digit(hex.data[2 * i + 1]));
	return true;
}

bool text_is_hex(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (hex_digit(text.data[i]) < 0)
			return false;
	return true;
}

size_t text_format_list(char *out, size_t size, const char *format, va_list args)
{
	int length = vsnprintf(out, size, format, args);
	if (length < 0 || size == 0)
		return 0;
	return (size_t)length < size ? (size_t)length : size - 1;
}

struct text text_decimal(uint64_t value, char room[TEXT_DECIMAL_BYTES])
{
	size_t at = TEXT_DECIMAL_BYTES;
	do {
		room[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return (struct text){room + at, TEXT_DECIMAL_BYTES - at};
}

size_t text_format(char *out, size_t size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	size_t length = text_format_list(out, size, format, args);
	va_end(args);
	return length;
}

void text_hex(char *out, const void *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *in = bytes;
	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * size] = '\0';
}

bool text_equal_secret(struct text a, struct text b)
{
	if (a.size != b.size)
		return false;
	unsigned char difference = 0;
	for (size_t i = 0; i < a.size; i++)
		difference = (unsigned char)(difference | (a.data[i] ^ b.data[i]));
	return difference == 0;
}
