/* SPDX-License-Identifier: Apache-2.0 */
#include "model/matcher.h"

#include <string.h>

#include "base/utf8.h"

/* A list of matchers being read. */
struct reader {
	struct text source;
	size_t at;
	struct arena *arena;
	struct err *err;
};

const char *matcher_operator(const struct matcher *matcher)
{
	if (matcher->pattern)
		return matcher->negated ? "!~" : "=~";
	return matcher->negated ? "!=" : "=";
}

/* The place is said in words: it is one in the value, not in what was asked. */
static int read_pattern(struct matcher *matcher, struct arena *arena, struct err *err)
{
	struct err why;
	if (regex_parse(matcher->value, arena, &matcher->pattern, &why) == 0)
		return 0;
	return err_set(
		err, why.kind, "pattern, character %zu: %s", (size_t)why.place + 1, why.text);
}

int matcher_make(struct matcher *matcher, bool is_pattern, struct arena *arena, struct err *err)
{
	if (!matcher->name.size || matcher->name.size > MATCHER_NAME_BYTES_MAX)
		return err_set(err, ERR_INPUT, "a matcher's name has 1 to %d bytes",
			MATCHER_NAME_BYTES_MAX);
	if (matcher->value.size > MATCHER_VALUE_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "a matcher's value has at most %d bytes",
			MATCHER_VALUE_BYTES_MAX);
	matcher->pattern = NULL;
	return is_pattern ? read_pattern(matcher, arena, err) : 0;
}

bool matcher_fits(const struct matcher *matcher, struct text value)
{
	bool same = matcher->pattern ? regex_matches(matcher->pattern, value)
				     : text_equal(matcher->value, value);
	return same != matcher->negated;
}

static int complain(struct reader *reader, const char *why)
{
	return err_set(reader->err, ERR_INPUT,
		"matchers, character %zu: %s; as namespace=\"dev\" or pod=~\"web-.*\"",
		reader->at + 1, why);
}

static bool is_space(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->source.size && is_space(reader->source.data[reader->at]))
		reader->at++;
}

static bool take(struct reader *reader, const char *word)
{
	skip_space(reader);
	struct text rest = text_part(reader->source, reader->at, reader->source.size);
	if (!text_starts(rest, text_of(word)))
		return false;
	reader->at += strlen(word);
	return true;
}

static bool is_plain(char byte)
{
	return !is_space(byte) && !memchr("{}!=~,\\\"'`", byte, 10);
}

/* \n, \t, \\, \"; what else follows a backslash stays, with it: patterns are written so. */
static struct text unescape(struct text text, struct arena *arena)
{
	char *out = arena_bytes(arena, text.size + 1);
	size_t size = 0;
	if (!out)
		return TEXT_NONE;
	for (size_t i = 0; i < text.size; i++) {
		char byte = text.data[i];
		char next = byte == '\\' && i + 1 < text.size ? text.data[i + 1] : '\0';
		if (next == '\\' || next == '"' || next == 'n' || next == 't') {
			byte = next == 'n' ? '\n' : next == 't' ? '\t' : next;
			i++;
		}
		out[size++] = byte;
	}
	return (struct text){out, size};
}

/* Behind the quote. */
static int read_quoted(struct reader *reader, struct text *out)
{
	size_t from = reader->at;
	while (reader->at < reader->source.size && reader->source.data[reader->at] != '"')
		reader->at += reader->source.data[reader->at] == '\\' ? 2 : 1;
	if (reader->at >= reader->source.size) {
		reader->at = from;
		return complain(reader, "the quotes are not closed");
	}
	struct text inside = text_part(reader->source, from, reader->at - from);
	reader->at++;
	*out = memchr(inside.data, '\\', inside.size) ? unescape(inside, reader->arena) : inside;
	return reader->arena->failed
		       ? err_set(reader->err, ERR_MEMORY, "out of memory for matchers")
		       : 0;
}

static int read_token(struct reader *reader, const char *what, struct text *out)
{
	if (take(reader, "\""))
		return read_quoted(reader, out);
	size_t from = reader->at;
	while (reader->at < reader->source.size && is_plain(reader->source.data[reader->at]))
		reader->at++;
	*out = text_part(reader->source, from, reader->at - from);
	return out->size ? 0 : complain(reader, what);
}

static int read_matcher(struct reader *reader, struct matcher *matcher)
{
	bool is_pattern;
	*matcher = (struct matcher){0};
	if (read_token(reader, "a name is missing", &matcher->name) < 0)
		return -1;
	if (take(reader, "=~"))
		is_pattern = true;
	else if (take(reader, "!~"))
		is_pattern = matcher->negated = true;
	else if (take(reader, "!="))
		is_pattern = !(matcher->negated = true);
	else if (take(reader, "="))
		is_pattern = false;
	else
		return complain(reader, "=, !=, =~ or !~ is missing");
	if (read_token(reader, "a value is missing (\"\" is the empty one)", &matcher->value) < 0)
		return -1;
	return matcher_make(matcher, is_pattern, reader->arena, reader->err);
}

/* One comma may stand behind the last. */
static bool ends_here(struct reader *reader, const struct matcher_list *out)
{
	skip_space(reader);
	return out->n &&
	       (reader->at == reader->source.size || reader->source.data[reader->at] == '}');
}

static int read_list(struct reader *reader, struct matcher_list *out)
{
	do {
		if (ends_here(reader, out))
			return 0;
		if (out->n == MATCHERS_MAX)
			return err_set(reader->err, ERR_LIMIT, "at most %d matchers", MATCHERS_MAX);
		if (read_matcher(reader, &out->items[out->n]) < 0)
			return -1;
		out->n++;
	} while (take(reader, ","));
	return 0;
}

int matchers_read(
	struct text source, struct arena *arena, struct matcher_list *out, struct err *err)
{
	struct reader reader = {.source = source, .arena = arena, .err = err};
	if (!utf8_valid(source))
		return err_set(err, ERR_INPUT, "matchers must be valid UTF-8");
	if (!out->items)
		out->items = arena_array(arena, MATCHERS_MAX, sizeof *out->items);
	if (!out->items)
		return err_set(err, ERR_MEMORY, "out of memory for matchers");
	bool braces = take(&reader, "{");
	if (read_list(&reader, out) < 0)
		return -1;
	if (braces && !take(&reader, "}"))
		return complain(&reader, "'}' is missing");
	skip_space(&reader);
	return reader.at == source.size ? 0 : complain(&reader, "',' is missing");
}

static void write_quoted(struct buf *out, struct text text)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < text.size; i++) {
		char byte = text.data[i];
		if (byte == '\n' || byte == '\t') {
			buf_add_string(out, byte == '\n' ? "\\n" : "\\t");
			continue;
		}
		if (byte == '"' || byte == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, (unsigned char)byte);
	}
	buf_add_byte(out, '"');
}

static bool is_name(struct text name)
{
	for (size_t i = 0; i < name.size; i++)
		if (!is_plain(name.data[i]))
			return false;
	return true;
}

void matchers_write(struct buf *out, const struct matcher_list *matchers)
{
	buf_add_byte(out, '{');
	for (size_t i = 0; i < matchers->n; i++) {
		const struct matcher *matcher = &matchers->items[i];
		if (i)
			buf_add_byte(out, ',');
		if (is_name(matcher->name))
			buf_add(out, matcher->name);
		else
			write_quoted(out, matcher->name);
		buf_add_string(out, matcher_operator(matcher));
		write_quoted(out, matcher->value);
	}
	buf_add_byte(out, '}');
}
