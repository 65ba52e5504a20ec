/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pull.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

/* What may come next. */
enum state {
	STATE_VALUE,       /* a value: at the start, after a colon, after a comma in an array */
	STATE_FIRST_VALUE, /* a value or the end of an array */
	STATE_FIRST_KEY,   /* a key or the end of an object */
	STATE_KEY,         /* a key, after a comma */
	STATE_AFTER_KEY,   /* a colon */
	STATE_AFTER_VALUE, /* a comma or an end */
	STATE_DONE,
	STATE_BAD,
};

const struct pull_limits pull_limits_alert = {
	.max_depth = 64,
	.max_string_bytes = 1024 * 1024,
	.max_keys = 4096,
	.max_bytes = 8 * 1024 * 1024,
};

static enum pull_event bad_at(struct pull *reader, enum err_kind kind, const char *what, size_t at)
{
	reader->state = STATE_BAD;
	reader->error_kind = kind;
	reader->error = what;
	reader->error_at = at;
	return PULL_BAD;
}

static enum pull_event bad(struct pull *reader, const char *what)
{
	return bad_at(reader, ERR_INPUT, what, reader->at);
}

void pull_init(struct pull *reader, struct text source, struct arena *arena,
	const struct pull_limits *limits)
{
	assert(limits->max_depth <= PULL_DEPTH_MAX);
	reader->source = source;
	reader->arena = arena;
	reader->limits = limits;
	reader->at = reader->start = 0;
	reader->value = TEXT_NONE;
	reader->depth = 0;
	reader->integer = false;
	reader->state = STATE_VALUE;
	reader->error_kind = ERR_NONE;
	reader->error = NULL;
	reader->error_at = 0;
	memset(reader->in_object, 0, sizeof reader->in_object);
	if (source.size > limits->max_bytes)
		bad_at(reader, ERR_LIMIT, "the document is too long", limits->max_bytes);
}

/* The next byte that is not white space, or -1 at the end. */
static int skip_space(struct pull *reader)
{
	const char *data = reader->source.data;
	size_t size = reader->source.size;
	while (reader->at < size) {
		char byte = data[reader->at];
		if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
			return (unsigned char)byte;
		reader->at++;
	}
	return -1;
}

static bool in_object(const struct pull *reader)
{
	unsigned level = reader->depth - 1;
	return (reader->in_object[level / 64] >> level % 64 & 1) != 0;
}

static enum pull_event open_level(struct pull *reader, bool object)
{
	if (reader->depth == reader->limits->max_depth)
		return bad_at(reader, ERR_LIMIT, "nested too deep", reader->at);
	unsigned level = reader->depth++;
	uint64_t bit = UINT64_C(1) << level % 64;
	if (object)
		reader->in_object[level / 64] |= bit;
	else
		reader->in_object[level / 64] &= ~bit;
	reader->n_keys[level] = 0;
	reader->at++;
	reader->state = object ? STATE_FIRST_KEY : STATE_FIRST_VALUE;
	return object ? PULL_OBJECT : PULL_ARRAY;
}

static enum pull_event close_level(struct pull *reader)
{
	bool object = in_object(reader);
	reader->start = reader->at++;
	reader->depth--;
	reader->state = reader->depth ? STATE_AFTER_VALUE : STATE_DONE;
	return object ? PULL_OBJECT_END : PULL_ARRAY_END;
}

/*
 * Eight bytes at a time: marks the high bit of each that is a quote, a backslash, a control
 * character or not ASCII. Borrows may mark bytes above a marked one, never below it.
 */
static uint64_t special_bytes(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
	uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
	return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
		       (word - ones * 0x20) | word) &
	       highs;
}

/* From @at on, the first byte that is not a plain character of a string. */
static size_t plain_end(const struct pull *reader, size_t at)
{
	const char *data = reader->source.data;
	size_t size = reader->source.size;
	/* A backslash at the very end leads one byte past it. */
	for (; at < size && size - at >= 8; at += 8) {
		uint64_t word;
		memcpy(&word, data + at, 8);
		uint64_t special = special_bytes(le64toh(word));
		if (special)
			return at + (size_t)__builtin_ctzll(special) / 8;
	}
	while (at < size) {
		unsigned char byte = (unsigned char)data[at];
		if (byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80)
			break;
		at++;
	}
	return at;
}

/* Where the string's closing quote is; *rewrite: has escapes or invalid bytes. SIZE_MAX: PULL_BAD.
 */
static size_t find_quote(struct pull *reader, bool *rewrite)
{
	struct text source = reader->source;
	size_t at = reader->at + 1;
	*rewrite = false;
	for (;;) {
		at = plain_end(reader, at);
		if (at >= source.size)
			break;
		unsigned char byte = (unsigned char)source.data[at];
		if (byte == '"')
			return at;
		if (byte < 0x20) {
			bad_at(reader, ERR_INPUT, "a control character in a string", at);
			return SIZE_MAX;
		}
		size_t length = byte == '\\' ? 2 : utf8_length(source, at);
		*rewrite |= byte == '\\' || length == 0;
		at += length ? length : 1;
	}
	bad_at(reader, ERR_INPUT, "a string without an end", source.size);
	return SIZE_MAX;
}

static int hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = text_lower(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Four hex digits at @at, or -1. */
static int32_t read_unit(struct text source, size_t at, size_t end)
{
	int32_t unit = 0;
	if (end - at < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		int digit = hex_value(source.data[at + i]);
		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

/* \u and four digits, with its other half if it is one of a pair. Returns the offset behind it, or
 * 0. */
static size_t read_unicode(struct text source, size_t at, size_t end, struct buf *out)
{
	int32_t high = read_unit(source, at, end);
	if (high < 0)
		return 0;
	at += 4;
	bool pair = high >= 0xd800 && high < 0xdc00 && end - at >= 6 && source.data[at] == '\\' &&
		    source.data[at + 1] == 'u';
	int32_t low = pair ? read_unit(source, at + 2, end) : -1;
	if (low >= 0xdc00 && low < 0xe000) {
		utf8_add(out,
			0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
		return at + 6;
	}
	utf8_add(out, (uint32_t)high);
	return at;
}

/* One escape at the backslash @at. Returns the offset behind it, or 0. */
static size_t read_escape(struct text source, size_t at, size_t end, struct buf *out)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	char letter = at + 1 < end ? source.data[at + 1] : '\0';
	if (letter == 'u')
		return read_unicode(source, at + 2, end, out);
	const char *found = letter ? strchr(letters, letter) : NULL;
	if (!found)
		return 0;
	buf_add_byte(out, (unsigned char)meanings[found - letters]);
	return at + 2;
}

/* Decodes [from, end) of the source into the arena. */
static bool rewrite_string(struct pull *reader, size_t from, size_t end)
{
	struct buf out;
	size_t at = from;
	bool good = true;
	/* A replacement character takes three bytes where one stood. */
	buf_init(&out, (end - from) * 3 + 16);
	while (at < end && good) {
		const char *escape = memchr(reader->source.data + at, '\\', end - at);
		size_t stop = escape ? (size_t)(escape - reader->source.data) : end;
		utf8_repair(&out, text_part(reader->source, at, stop - at));
		if (!escape)
			break;
		at = read_escape(reader->source, stop, end, &out);
		good = at != 0;
		if (!good)
			bad_at(reader, ERR_INPUT, "an unknown escape in a string", stop);
	}
	if (good && !buf_ok(&out))
		good = bad_at(reader, ERR_MEMORY, "out of memory", from) != PULL_BAD;
	if (good) {
		reader->value = arena_copy(reader->arena, buf_text(&out));
		if (reader->arena->failed)
			good = bad_at(reader, ERR_MEMORY, "out of memory", from) != PULL_BAD;
	}
	buf_done(&out);
	return good;
}

static bool read_string(struct pull *reader)
{
	bool rewrite;
	size_t from = reader->at + 1;
	size_t quote = find_quote(reader, &rewrite);
	if (quote == SIZE_MAX)
		return false;
	/* An escape is at most six bytes for one: what is that much too long needs no decoding. */
	if (quote - from > reader->limits->max_string_bytes * (rewrite ? 6 : 1)) {
		bad_at(reader, ERR_LIMIT, "a string is too long", from);
		return false;
	}
	reader->value = (struct text){reader->source.data + from, quote - from};
	if (rewrite && !rewrite_string(reader, from, quote))
		return false;
	if (reader->value.size > reader->limits->max_string_bytes) {
		bad_at(reader, ERR_LIMIT, "a string is too long", from);
		return false;
	}
	reader->at = quote + 1;
	return true;
}

static size_t skip_digits(struct text source, size_t at)
{
	while (at < source.size && source.data[at] >= '0' && source.data[at] <= '9')
		at++;
	return at;
}

static bool byte_is(struct text source, size_t at, char a, char b)
{
	return at < source.size && (source.data[at] == a || source.data[at] == b);
}

static enum pull_event read_number(struct pull *reader)
{
	struct text source = reader->source;
	size_t at = reader->at;
	at += byte_is(source, at, '-', '-');
	size_t digits = at;
	at = byte_is(source, at, '0', '0') ? at + 1 : skip_digits(source, at);
	if (at == digits)
		return bad(reader, "not a JSON value");
	reader->integer = true;
	if (byte_is(source, at, '.', '.')) {
		reader->integer = false;
		digits = at + 1;
		at = skip_digits(source, digits);
		if (at == digits)
			return bad_at(reader, ERR_INPUT, "no digit after the point", at);
	}
	if (byte_is(source, at, 'e', 'E')) {
		reader->integer = false;
		digits = at + 1 + byte_is(source, at + 1, '+', '-');
		at = skip_digits(source, digits);
		if (at == digits)
			return bad_at(reader, ERR_INPUT, "no digit in the exponent", at);
	}
	reader->value = text_part(source, reader->at, at - reader->at);
	reader->at = at;
	return PULL_NUMBER;
}

static enum pull_event read_word(struct pull *reader, struct text word, enum pull_event event)
{
	if (!text_starts(text_part(reader->source, reader->at, word.size), word))
		return bad(reader, "not a JSON value");
	reader->at += word.size;
	return event;
}

static enum pull_event after_scalar(struct pull *reader, enum pull_event event)
{
	if (event != PULL_BAD)
		reader->state = reader->depth ? STATE_AFTER_VALUE : STATE_DONE;
	return event;
}

static enum pull_event read_value(struct pull *reader, int byte)
{
	reader->start = reader->at;
	switch (byte) {
	case '{':
		return open_level(reader, true);
	case '[':
		return open_level(reader, false);
	case '"':
		return read_string(reader) ? after_scalar(reader, PULL_STRING) : PULL_BAD;
	case 't':
		return after_scalar(reader, read_word(reader, TEXT("true"), PULL_TRUE));
	case 'f':
		return after_scalar(reader, read_word(reader, TEXT("false"), PULL_FALSE));
	case 'n':
		return after_scalar(reader, read_word(reader, TEXT("null"), PULL_NULL));
	default:
		return after_scalar(reader, read_number(reader));
	}
}

static enum pull_event read_key(struct pull *reader, int byte)
{
	if (byte != '"')
		return bad(reader, "a key must be a string");
	if (++reader->n_keys[reader->depth - 1] > reader->limits->max_keys)
		return bad_at(reader, ERR_LIMIT, "too many keys in one object", reader->at);
	reader->start = reader->at;
	if (!read_string(reader))
		return PULL_BAD;
	reader->state = STATE_AFTER_KEY;
	return PULL_KEY;
}

/* Beside a byte or -1, the end of the source. */
enum { LEVEL_ENDS = -2, NO_SEPARATOR = -3 };

/* After a value: a comma or the end of the level. Returns the next byte behind a comma. */
static int after_value(struct pull *reader, int byte)
{
	bool object = in_object(reader);
	if (byte == (object ? '}' : ']'))
		return LEVEL_ENDS;
	if (byte != ',')
		return NO_SEPARATOR;
	reader->at++;
	reader->state = object ? STATE_KEY : STATE_VALUE;
	return skip_space(reader);
}

/* A value, a key or an end begins with @byte. */
static enum pull_event read_next(struct pull *reader, int byte)
{
	if (byte < 0)
		return bad(reader, "the document ends too early");
	if ((reader->state == STATE_FIRST_KEY && byte == '}') ||
		(reader->state == STATE_FIRST_VALUE && byte == ']'))
		return close_level(reader);
	if (reader->state == STATE_FIRST_KEY || reader->state == STATE_KEY)
		return read_key(reader, byte);
	return read_value(reader, byte);
}

enum pull_event pull_next(struct pull *reader)
{
	if (reader->state == STATE_BAD)
		return PULL_BAD;
	if (reader->state == STATE_DONE)
		return PULL_END;
	int byte = skip_space(reader);
	if (reader->state == STATE_AFTER_VALUE) {
		byte = after_value(reader, byte);
		if (byte == LEVEL_ENDS)
			return close_level(reader);
		if (byte == NO_SEPARATOR)
			return bad(reader, "expected a comma or an end");
	}
	if (reader->state == STATE_AFTER_KEY) {
		if (byte != ':')
			return bad(reader, "expected a colon");
		reader->at++;
		reader->state = STATE_VALUE;
		byte = skip_space(reader);
	}
	return read_next(reader, byte);
}

bool pull_skip(struct pull *reader)
{
	unsigned depth = reader->depth;
	size_t start = SIZE_MAX;
	do {
		enum pull_event event = pull_next(reader);
		if (event == PULL_BAD || event == PULL_END)
			return false;
		if (start == SIZE_MAX)
			start = reader->start;
	} while (reader->depth > depth);
	reader->start = start;
	return true;
}

bool pull_finish(struct pull *reader, enum pull_event event)
{
	unsigned above = reader->depth - (event == PULL_OBJECT || event == PULL_ARRAY);
	while (event != PULL_BAD && reader->depth > above)
		event = pull_next(reader);
	return event != PULL_BAD;
}

struct text pull_rest(const struct pull *reader)
{
	return text_part(reader->source, reader->at, reader->source.size);
}

size_t pull_offset(const struct pull *reader)
{
	return reader->at;
}

int pull_error(const struct pull *reader, struct err *err)
{
	return err_set(err, reader->error_kind == ERR_NONE ? ERR_INPUT : reader->error_kind,
		"offset %zu: %s", reader->error_at, reader->error ? reader->error : "not JSON");
}
