/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A borrowed span of bytes. Not NUL-terminated, may hold any byte, never owns anything.
 * The absent text is {NULL, 0}; it equals the empty one in comparisons. What is asked some hundred
 * times for each alert, mostly of literals, is inline: sizes of literals are then constants.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *data;
	size_t size;
};

struct text_list {
	struct text *items;
	size_t n;
};

#define TEXT(literal)  ((struct text){"" literal, sizeof(literal) - 1})
#define TEXT_NONE      ((struct text){NULL, 0})
#define TEXT_ARG(text) ((int)(text).size), ((text).data ? (text).data : "") /* for "%.*s" */

/** NULL gives the absent text. */
static inline struct text text_of(const char *string)
{
	return (struct text){string, string ? strlen(string) : 0};
}

static inline bool text_equal(struct text a, struct text b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool text_is(struct text a, const char *string)
{
	return text_equal(a, text_of(string));
}

bool text_equal_nocase(struct text a, struct text b); /* ASCII only, no locale */
int text_compare(struct text a, struct text b);       /* bytewise, shorter first */

/** The part from @from on, at most @size bytes; out of range gives the empty text. */
static inline struct text text_part(struct text text, size_t from, size_t size)
{
	if (from >= text.size)
		return (struct text){text.data, 0};
	size_t left = text.size - from;
	return (struct text){text.data + from, size < left ? size : left};
}

static inline bool text_starts(struct text text, struct text prefix)
{
	return text.size >= prefix.size && text_equal(text_part(text, 0, prefix.size), prefix);
}

bool text_ends(struct text text, struct text suffix);

/** Index of the first @needle at or after @from, or SIZE_MAX. */
size_t text_find(struct text text, struct text needle, size_t from);
size_t text_find_byte(struct text text, char byte, size_t from);

/** Without ASCII white space at both ends. */
struct text text_trim(struct text text);

/** Cuts the part before @separator off *rest; false when *rest is used up. */
bool text_split(struct text *rest, char separator, struct text *part);

/** Decimal, whole text, no sign (u64) or optional '-' (i64); false on anything else or overflow. */
bool text_to_u64(struct text text, uint64_t *out);
bool text_to_i64(struct text text, int64_t *out);

/** Hexadecimal of even length, either case, exactly @size bytes. */
bool text_to_bytes(struct text hex, void *out, size_t size);

enum { TEXT_DECIMAL_BYTES = 20 };

/** The decimal digits of @value, at the end of @room. */
struct text text_decimal(uint64_t value, char room[TEXT_DECIMAL_BYTES]);

/** snprintf into @out, always terminated; returns the length that was written. */
__attribute__((format(printf, 3, 4))) size_t text_format(
	char *out, size_t size, const char *format, ...);

__attribute__((format(printf, 3, 0))) size_t text_format_list(
	char *out, size_t size, const char *format, va_list args);

/** Lower-case hex of @size bytes into @out (2 * size + 1 bytes). */
void text_hex(char *out, const void *bytes, size_t size);

/** Constant-time comparison of equally long secrets. */
bool text_equal_secret(struct text a, struct text b);

/** ASCII only. */
static inline char text_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool text_is_hex(struct text text);

/** Additions and products of outside numbers: false on overflow. */
static inline bool size_add(size_t a, size_t b, size_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

static inline bool size_mul(size_t a, size_t b, size_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}
