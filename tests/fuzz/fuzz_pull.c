/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pull reader against jansson, on the same bytes.
 *
 * What the two are meant to do differently is taken out of the bytes before jansson sees them, by
 * code of its own: invalid UTF-8 and lone surrogates become U+FFFD, NUL another control character,
 * and numbers are cut to what fits jansson's integers and doubles (their texts are compared apart).
 * Any other difference is a fault. tests/unit/base/test_pull.c lists the intended ones with their
 * reasons.
 */

#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/pull.h"
#include "base/tree.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NUMBERS_MAX = 4096, DIGITS_MAX = 15, LIMIT_BYTES = 1 << 26 };

static const struct pull_limits wide = {
	.max_depth = PULL_DEPTH_MAX,
	.max_string_bytes = LIMIT_BYTES,
	.max_keys = LIMIT_BYTES,
	.max_bytes = LIMIT_BYTES,
};
static const struct pull_limits narrow = {
	.max_depth = 3,
	.max_string_bytes = 8,
	.max_keys = 2,
	.max_bytes = 64,
};

/* ---- what jansson is given ---- */

struct source {
	struct text text;
	struct buf json;
	struct text numbers[NUMBERS_MAX]; /* as they stand in the text */
	size_t n_numbers, n_colons, n_openings;
	bool nul_as_one; /* jansson takes no NUL in a key */
};

/* Unicode 15, table 3-7: well-formed byte sequences. */
static const struct {
	uint8_t first, last, low, high;
	size_t length;
} forms[] = {{0x00, 0x7f, 0x80, 0xbf, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};

static size_t copy_character(struct buf *out, struct text rest)
{
	const uint8_t *at = (const uint8_t *)rest.data;
	size_t n = 1, length = 0;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (at[0] < forms[i].first || at[0] > forms[i].last)
			continue;
		length = forms[i].length;
		while (n < length && n < rest.size && at[n] >= (n == 1 ? forms[i].low : 0x80) &&
			at[n] <= (n == 1 ? forms[i].high : 0xbf))
			n++;
	}
	if (at[0] == '\0')
		buf_add_byte(out, '\1'); /* jansson loses a NUL that it puts back */
	else if (n == length)
		buf_add(out, text_part(rest, 0, n));
	else
		buf_add_string(out, "\xef\xbf\xbd");
	return n;
}

/* The unit of a \uXXXX at the front of @rest, or -1. */
static long unit_of(struct text rest)
{
	char digits[5] = {0};
	if (rest.size < 6 || rest.data[0] != '\\' || rest.data[1] != 'u' ||
		!text_is_hex(text_part(rest, 2, 4)))
		return -1;
	memcpy(digits, rest.data + 2, 4);
	return strtol(digits, NULL, 16);
}

static size_t copy_escape(struct source *source, struct text rest)
{
	long unit = unit_of(rest), next = unit_of(text_part(rest, 6, 6));
	bool pair = unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000;
	size_t size = pair ? 12 : unit >= 0 ? 6 : 1;
	if (unit < 0 && rest.size > 1 && (uint8_t)rest.data[1] < 0x80)
		size = 2;
	if (!pair && unit >= 0xd800 && unit < 0xe000)
		buf_add_string(&source->json, "\\ufffd");
	else if (unit == 0 && source->nul_as_one)
		buf_add_string(&source->json, "\\u0001");
	else
		buf_add(&source->json, text_part(rest, 0, size));
	return size;
}

/* Shorter rows of digits, so that nothing overflows; the same grammar. */
static void add_cut_number(struct buf *out, struct text number)
{
	bool exponent = false;
	size_t n_digits = 0;
	for (size_t i = 0; i < number.size; i++) {
		char byte = number.data[i];
		bool digit = byte >= '0' && byte <= '9';
		n_digits = digit ? n_digits + 1 : 0;
		exponent |= byte == 'e' || byte == 'E';
		if (!digit || n_digits <= (exponent ? 1 : DIGITS_MAX))
			buf_add_byte(out, (unsigned char)byte);
	}
}

static size_t copy_number(struct source *source, struct text rest)
{
	size_t n = 1;
	while (n < rest.size && rest.data[n] && strchr("0123456789+-.eE", rest.data[n]))
		n++;
	struct text number = text_part(rest, 0, n);
	add_cut_number(&source->json, number);
	if (source->n_numbers < NUMBERS_MAX)
		source->numbers[source->n_numbers] = number;
	source->n_numbers++;
	return n;
}

static void source_prepare(struct source *source)
{
	bool string = false;
	buf_clear(&source->json);
	source->n_numbers = source->n_colons = source->n_openings = 0;
	for (size_t at = 0; at < source->text.size;) {
		struct text rest = text_part(source->text, at, SIZE_MAX);
		char byte = rest.data[0];
		if (string && byte == '\\') {
			at += copy_escape(source, rest);
		} else if (!string && (byte == '-' || (byte >= '0' && byte <= '9'))) {
			at += copy_number(source, rest);
		} else {
			string ^= byte == '"';
			source->n_colons += !string && byte == ':';
			source->n_openings += !string && (byte == '[' || byte == '{');
			at += copy_character(&source->json, rest);
		}
	}
}

/* ---- what the pull reader saw, as jansson's values ---- */

struct seen {
	struct source *source;
	json_t *root;
	json_t *levels[PULL_DEPTH_MAX];
	struct text keys[PULL_DEPTH_MAX];
	unsigned depth;
	size_t n_numbers, n_keys;
	bool other_numbers;
	bool doubled; /* one object has a key twice */
	bool nul_key;
};

static json_t *string_of(const struct seen *seen, struct text value)
{
	json_t *string;
	char *copy = malloc(value.size + 1);
	assert(copy);
	for (size_t i = 0; i < value.size; i++) {
		bool one = seen->source->nul_as_one && value.data[i] == '\0';
		copy[i] = one ? '\1' : value.data[i];
	}
	string = json_stringn_nocheck(copy, value.size);
	free(copy);
	return string;
}

static json_t *number_of(struct seen *seen, struct text value, bool integer)
{
	struct buf cut;
	buf_init(&cut, value.size + 1);
	add_cut_number(&cut, value);
	json_t *number = integer ? json_integer(strtoll(buf_string(&cut), NULL, 10))
				 : json_real(strtod(buf_string(&cut), NULL));
	buf_done(&cut);
	size_t i = seen->n_numbers++;
	seen->other_numbers |= i < NUMBERS_MAX && !text_equal(value, seen->source->numbers[i]);
	return number;
}

static void put(struct seen *seen, json_t *value)
{
	json_t *parent = seen->depth ? seen->levels[seen->depth - 1] : NULL;
	int failed = value == NULL;
	if (!parent) {
		assert(!seen->root);
		seen->root = value;
	} else if (json_is_array(parent)) {
		failed = json_array_append_new(parent, value);
	} else {
		json_t *key = string_of(seen, seen->keys[seen->depth - 1]);
		const char *name = json_string_value(key);
		size_t size = json_string_length(key);
		seen->doubled |= json_object_getn(parent, name, size) != NULL;
		seen->nul_key |= memchr(name, '\0', size) != NULL;
		failed = json_object_setn_new_nocheck(parent, name, size, value);
		json_decref(key);
		seen->n_keys++;
	}
	assert(!failed);
	if (json_is_array(value) || json_is_object(value))
		seen->levels[seen->depth++] = value;
}

static void take(struct seen *seen, const struct pull *reader, enum pull_event what)
{
	switch (what) {
	case PULL_OBJECT:
		put(seen, json_object());
		break;
	case PULL_ARRAY:
		put(seen, json_array());
		break;
	case PULL_OBJECT_END:
	case PULL_ARRAY_END:
		assert(json_is_object(seen->levels[seen->depth - 1]) == (what == PULL_OBJECT_END));
		seen->depth--;
		break;
	case PULL_KEY:
		seen->keys[seen->depth - 1] = reader->value;
		break;
	case PULL_STRING:
		put(seen, string_of(seen, reader->value));
		break;
	case PULL_NUMBER:
		put(seen, number_of(seen, reader->value, reader->integer));
		break;
	case PULL_TRUE:
	case PULL_FALSE:
		put(seen, json_boolean(what == PULL_TRUE));
		break;
	case PULL_NULL:
		put(seen, json_null());
		break;
	case PULL_END:
	case PULL_BAD:
		break;
	}
}

/* Offsets go forward, and the event's first byte is what it must be. */
static void check_event(const struct pull *reader, enum pull_event what, size_t before)
{
	static const char firsts[] = "{}[]\"\"0tfn";
	assert(reader->at <= reader->source.size);
	if (what == PULL_END || what == PULL_BAD)
		return;
	assert(reader->start >= before && reader->start < reader->at);
	char first = reader->source.data[reader->start];
	assert(what == PULL_NUMBER ? first == '-' || (first >= '0' && first <= '9')
				   : first == firsts[what]);
	if (what == PULL_KEY || what == PULL_STRING)
		assert(utf8_valid(reader->value) &&
			reader->value.size <= reader->limits->max_string_bytes);
}

static bool is_blank(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] == '\0' || !strchr(" \t\r\n", text.data[i]))
			return false;
	return true;
}

/* PULL_END, or PULL_BAD when the document is broken or something stands behind it. */
static enum pull_event read_whole(struct pull *reader, struct seen *seen)
{
	enum pull_event what;
	do {
		size_t before = reader->at;
		what = pull_next(reader);
		check_event(reader, what, before);
		if (seen)
			take(seen, reader, what);
	} while (what != PULL_END && what != PULL_BAD);
	assert(pull_next(reader) == what);
	assert(what == PULL_END || reader->error_at <= reader->source.size);
	return what == PULL_END && is_blank(pull_rest(reader)) ? PULL_END : PULL_BAD;
}

/* ---- the checks ---- */

/* pull_skip, the tree and narrow limits agree with reading event by event. */
static void check_roads(struct text text, bool good, size_t end)
{
	struct arena arena;
	struct pull reader;
	struct node *tree;
	struct err err;
	arena_init(&arena, LIMIT_BYTES);
	pull_init(&reader, text, &arena, &wide);
	bool skipped = pull_skip(&reader);
	assert(skipped || !good);
	assert(!skipped || pull_offset(&reader) == end);
	bool read = tree_read(text, &arena, &tree, &err) == 0;
	assert(read == good || (good && err.kind == ERR_LIMIT));
	pull_init(&reader, text, &arena, &narrow);
	enum pull_event what = read_whole(&reader, NULL);
	assert(good == (what == PULL_END) || (good && reader.error_kind == ERR_LIMIT));
	arena_done(&arena);
}

static json_t *oracle_read(const struct source *source, bool *doubled)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	struct text json = buf_text(&source->json);
	const char *data = json.data ? json.data : "";
	json_error_t error;
	json_t *root = json_loadb(data, json.size, flags | JSON_REJECT_DUPLICATES, &error);
	*doubled = !root && json_error_code(&error) == json_error_duplicate_key;
	return *doubled ? json_loadb(data, json.size, flags, &error) : root;
}

static void compare(struct seen *seen, bool good)
{
	bool doubled;
	json_t *expected = oracle_read(seen->source, &doubled);
	assert(good == (expected != NULL));
	if (good) {
		assert(json_equal(seen->root, expected));
		assert(doubled == seen->doubled);
		assert(seen->n_keys == seen->source->n_colons);
		assert(!seen->other_numbers && seen->n_numbers == seen->source->n_numbers);
	}
	json_decref(expected);
}

static bool check_against_jansson(struct source *source)
{
	struct seen seen = {.source = source};
	struct arena arena;
	struct pull reader;
	source_prepare(source);
	arena_init(&arena, LIMIT_BYTES);
	pull_init(&reader, source->text, &arena, &wide);
	bool good = read_whole(&reader, &seen) == PULL_END;
	if (reader.error_kind == ERR_LIMIT)
		assert(source->n_openings > PULL_DEPTH_MAX);
	else if (!seen.nul_key)
		compare(&seen, good);
	assert(reader.error_kind != ERR_MEMORY);
	if (reader.error_kind != ERR_LIMIT)
		check_roads(source->text, good, reader.at);
	json_decref(seen.root);
	arena_done(&arena);
	return seen.nul_key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct source source;
	source.text = (struct text){(const char *)data, size};
	source.nul_as_one = false;
	buf_init(&source.json, size * 3 + 16);
	if (check_against_jansson(&source)) {
		source.nul_as_one = true;
		check_against_jansson(&source);
	}
	buf_done(&source.json);
	return 0;
}
