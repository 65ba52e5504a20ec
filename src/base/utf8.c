/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

static uint8_t byte_at(struct text text, size_t at)
{
	return at < text.size ? (uint8_t)text.data[at] : 0;
}

/* Allowed range of the second byte, which rules out overlong forms, surrogates and > U+10FFFF. */
static void second_range(uint8_t first, uint8_t *low, uint8_t *high)
{
	*low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	*high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
}

static size_t wanted_length(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if ((first & 0xf0) == 0xe0)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* How many bytes at @at are the beginning of a valid sequence; *whole says whether it is complete.
 */
static size_t prefix_length(struct text text, size_t at, bool *whole)
{
	uint8_t low, high, first = byte_at(text, at);
	size_t wanted = wanted_length(first);
	*whole = false;
	if (wanted == 0)
		return 0;
	second_range(first, &low, &high);
	size_t n = 1;
	for (; n < wanted && at + n < text.size; n++) {
		uint8_t byte = byte_at(text, at + n);
		if (byte < (n == 1 ? low : 0x80) || byte > (n == 1 ? high : 0xbf))
			break;
	}
	*whole = n == wanted;
	return n;
}

size_t utf8_length(struct text text, size_t at)
{
	bool whole;
	if (at >= text.size)
		return 0;
	size_t n = prefix_length(text, at, &whole);
	return whole ? n : 0;
}

bool utf8_valid(struct text text)
{
	for (size_t at = 0; at < text.size;) {
		if ((uint8_t)text.data[at] < 0x80) {
			at++;
			continue;
		}
		size_t n = utf8_length(text, at);
		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

void utf8_repair(struct buf *out, struct text text)
{
	size_t from = 0, at = 0;
	while (at < text.size) {
		bool whole;
		size_t n = prefix_length(text, at, &whole);
		if (whole) {
			at += n;
			continue;
		}
		buf_add(out, text_part(text, from, at - from));
		utf8_add(out, 0xfffd);
		at += n ? n : 1;
		from = at;
	}
	if (from < text.size)
		buf_add(out, text_part(text, from, at - from));
}

void utf8_add(struct buf *out, uint32_t code)
{
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		code = 0xfffd;
	if (code < 0x80) {
		buf_add_byte(out, (unsigned char)code);
	} else if (code < 0x800) {
		buf_add_byte(out, (unsigned char)(0xc0 | code >> 6));
		buf_add_byte(out, (unsigned char)(0x80 | (code & 0x3f)));
	} else if (code < 0x10000) {
		buf_add_byte(out, (unsigned char)(0xe0 | code >> 12));
		buf_add_byte(out, (unsigned char)(0x80 | (code >> 6 & 0x3f)));
		buf_add_byte(out, (unsigned char)(0x80 | (code & 0x3f)));
	} else {
		buf_add_byte(out, (unsigned char)(0xf0 | code >> 18));
		buf_add_byte(out, (unsigned char)(0x80 | (code >> 12 & 0x3f)));
		buf_add_byte(out, (unsigned char)(0x80 | (code >> 6 & 0x3f)));
		buf_add_byte(out, (unsigned char)(0x80 | (code & 0x3f)));
	}
}

uint32_t utf8_code(struct text text, size_t at, size_t n)
{
	uint32_t code = n == 1 ? byte_at(text, at) : byte_at(text, at) & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++)
		code = code << 6 | (byte_at(text, at + i) & 0x3fU);
	return code;
}

bool utf8_misleads(uint32_t code)
{
	static const uint32_t ranges[][2] = {{0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff},
		{0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return true;
	return false;
}

static void escape_code(struct buf *out, uint32_t code)
{
	if (code == '\n')
		buf_add_string(out, "\\n");
	else if (code == '\t')
		buf_add_string(out, "\\t");
	else if (code == '\r')
		buf_add_string(out, "\\r");
	else if (code < 0x80)
		buf_addf(out, "\\x%02x", code);
	else
		buf_addf(out, "\\u{%04x}", code);
}

void utf8_escape(struct buf *out, struct text text)
{
	for (size_t at = 0; at < text.size;) {
		size_t n = utf8_length(text, at);
		if (n == 0) {
			buf_addf(out, "\\x%02x", byte_at(text, at++));
			continue;
		}
		uint32_t code = utf8_code(text, at, n);
		if (code == '\\')
			buf_add_string(out, "\\\\");
		else if (utf8_misleads(code))
			escape_code(out, code);
		else
			buf_add(out, text_part(text, at, n));
		at += n;
	}
}

struct text utf8_prefix(struct text text, size_t size)
{
	if (size >= text.size)
		return text;
	while (size > 0 && ((uint8_t)text.data[size] & 0xc0) == 0x80)
		size--;
	return text_part(text, 0, size);
}
