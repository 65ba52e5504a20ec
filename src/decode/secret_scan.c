/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decode/secret_cuts.h"
#include "decode/secret_rows.h"
#include "decode/secrets.h"

/* Bytes that are no JSON, as far as they look like some. */
struct scan {
	const struct secrets *secrets;
	struct arena *arena;
	struct text raw;
	struct secret_cuts cuts;
	bool with_texts;
};

static size_t skip_space(struct text raw, size_t at)
{
	while (at < raw.size && (raw.data[at] == ' ' || raw.data[at] == '\t' ||
					raw.data[at] == '\r' || raw.data[at] == '\n'))
		at++;
	return at;
}

/* Behind the string that begins at @at; the end of all if it has none. */
static size_t string_end(struct text raw, size_t at)
{
	for (at++; at < raw.size; at++) {
		if (raw.data[at] == '"')
			return at + 1;
		if (raw.data[at] == '\\')
			at++;
	}
	return raw.size;
}

/* Behind the object or array that begins at @at. */
static size_t level_end(struct text raw, size_t at)
{
	for (size_t depth = 0; at < raw.size;) {
		char byte = raw.data[at];
		if (byte == '"') {
			at = string_end(raw, at);
			continue;
		}
		at++;
		depth += byte == '{' || byte == '[';
		if ((byte == '}' || byte == ']') && --depth == 0)
			return at;
	}
	return raw.size;
}

static size_t value_end(struct text raw, size_t at)
{
	if (at < raw.size && raw.data[at] == '"')
		return string_end(raw, at);
	if (at < raw.size && (raw.data[at] == '{' || raw.data[at] == '['))
		return level_end(raw, at);
	while (at < raw.size && raw.data[at] != ',' && raw.data[at] != '}' && raw.data[at] != ']' &&
		raw.data[at] != '\n')
		at++;
	return at;
}

static bool is_text_key(const struct secrets *secrets, struct text key)
{
	for (size_t i = 0; i < sizeof secrets->texts / sizeof *secrets->texts; i++)
		if (secrets->texts[i] && text_equal_nocase(key, text_of(secrets->texts[i])))
			return true;
	return false;
}

/* An escape in a key hides it (secrets_are_possible). */
static bool is_secret_key(const struct scan *scan, struct text key)
{
	return text_find_byte(key, '\\', 0) != SIZE_MAX || secret_key_is_last(scan->secrets, key) ||
	       (scan->with_texts && is_text_key(scan->secrets, key));
}

/* The key is shown as its bytes are: only what is valid may become text. */
static void cut_behind(struct scan *scan, struct text key, size_t start, size_t end, bool is_piece)
{
	char path[SECRET_PATH_BYTES_MAX];
	size_t size = 0;
	path[size++] = '/';
	for (size_t i = 0; i < key.size && size < sizeof path - 2; i++) {
		bool escaped = key.data[i] == '~' || key.data[i] == '/';
		path[size++] = escaped ? '~' : key.data[i];
		if (escaped)
			path[size++] = key.data[i] == '~' ? '0' : '1';
	}
	struct secret_cut cut = {.start = start,
		.end = end,
		.is_piece = is_piece,
		.path = arena_copy(scan->arena, (struct text){path, size})};
	secret_cuts_add(&scan->cuts, scan->arena, &cut);
}

/* Any quote may begin a key: what is broken may begin inside a string. */
static void scan_bytes(struct scan *scan)
{
	struct text raw = scan->raw;
	for (size_t at = 0; (at = text_find_byte(raw, '"', at)) != SIZE_MAX;) {
		size_t end = string_end(raw, at);
		size_t colon = skip_space(raw, end);
		struct text key = text_part(raw, at + 1, end - at - 2);
		at++;
		if (colon >= raw.size || raw.data[colon] != ':' || !is_secret_key(scan, key))
			continue;
		size_t start = skip_space(raw, colon + 1);
		at = value_end(raw, start);
		if (at > start)
			cut_behind(scan, key, start, at, false);
	}
}

void secrets_cut_broken(const struct secrets *secrets, struct batch *batch, struct alert *alert)
{
	struct scan scan = {.secrets = secrets, .arena = &batch->arena, .raw = alert->raw};
	if (!secrets_are_possible(secrets, alert->raw))
		return;
	scan_bytes(&scan);
	if (scan.cuts.n && (secrets->texts[0] || secrets->texts[1])) {
		scan.cuts = (struct secret_cuts){0};
		scan.with_texts = true;
		scan_bytes(&scan);
	}
	if (scan.cuts.over) {
		scan.cuts = (struct secret_cuts){0};
		secret_cuts_add(
			&scan.cuts, scan.arena, &(struct secret_cut){.end = alert->raw.size});
	}
	secret_cuts_make(&scan.cuts, batch, alert);
}

/* Names of fields are at most that long. */
enum { LINE_NAME_BYTES_MAX = 256 };

static bool is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("._-/~[]", byte));
}

/* The name that ends at @end. */
static struct text name_before(struct text line, size_t end)
{
	size_t at = end;
	while (at > 0 && end - at < LINE_NAME_BYTES_MAX && is_name_byte(line.data[at - 1]))
		at--;
	return text_part(line, at, end - at);
}

/* Is it a field that a row of the source says is secret? */
static bool is_secret_field(const struct secrets *secrets, struct text name)
{
	struct secret_rows_left top, fields, here;
	secret_rows_at_top(secrets, &top);
	secret_rows_below(secrets, &top, TEXT("output_fields"), false, &fields);
	secret_rows_below(secrets, &fields, name, false, &here);
	return secret_row_here(secrets, &here, SECRET_VALUE, true) != NULL;
}

static bool is_line_name(const struct secrets *secrets, struct text name)
{
	for (const char *const *known = secrets->line_names; *known; known++)
		if (text_equal_nocase(name, text_of(*known)))
			return true;
	return false;
}

static bool is_worth_cutting(struct text value)
{
	return value.size && !text_is(value, "\"\"") && !text_is(value, "null") &&
	       !text_is(value, "<NA>") && !text_is(value, "\"<NA>\"") &&
	       !text_starts(value, TEXT(SECRET_MARK));
}

/* Cuts [@start, @end) behind @key; where the scan goes on. */
static size_t cut_in_line(struct scan *scan, struct text key, size_t start, size_t end)
{
	if (!is_worth_cutting(text_part(scan->raw, start, end - start)))
		return start + 1; /* in broken text its last quote may begin a key */
	cut_behind(scan, key, start, end, true);
	return end;
}

/* What stands behind '=' at @at, if its name says that it is secret; where the scan goes on. */
static size_t scan_name(struct scan *scan, size_t at)
{
	struct text line = scan->raw, name = name_before(line, at);
	size_t start = at + 1;
	bool is_object = start < line.size && (line.data[start] == '{' || line.data[start] == '[');
	if (!name.size)
		return start;
	if (is_secret_field(scan->secrets, name))
		return cut_in_line(
			scan, name, start, is_object ? level_end(line, start) : line.size);
	if (is_object && line.data[start] == '{' && is_line_name(scan->secrets, name))
		return cut_in_line(scan, name, start, level_end(line, start));
	return start;
}

/* A word that is a value ends where text may go on. */
static size_t line_value_end(struct text line, size_t at)
{
	if (at < line.size && strchr("\"{[", line.data[at]) && line.data[at])
		return value_end(line, at);
	while (at < line.size && (line.data[at] == '\0' || !strchr(",}]) \t\r\n", line.data[at])))
		at++;
	return at;
}

/* The value behind the JSON key that begins with the quote at @at, if it is one of @inside's. */
static size_t scan_key(struct scan *scan, const struct secrets *inside, size_t at)
{
	struct text line = scan->raw;
	size_t quote = text_find_byte(line, '"', at + 1);
	size_t colon = quote == SIZE_MAX ? line.size : skip_space(line, quote + 1);
	if (colon >= line.size || line.data[colon] != ':')
		return at + 1;
	struct text key = text_part(line, at + 1, quote - at - 1);
	while (text_ends(key, TEXT("\\"))) /* JSON in a JSON string */
		key.size--;
	size_t start = skip_space(line, colon + 1);
	return secret_key_is_last(inside, key)
		       ? cut_in_line(scan, key, start, line_value_end(line, start))
		       : at + 1;
}

void secrets_cut_line(const struct secrets *secrets, struct batch *batch, struct alert *alert)
{
	struct scan scan = {.secrets = secrets, .arena = &batch->arena, .raw = alert->raw};
	if (!secrets->line_source)
		return;
	const struct secrets *inside = secrets_of(text_of(secrets->line_source));
	for (size_t at = 0; at < scan.raw.size;) {
		char byte = scan.raw.data[at];
		if (byte == '=')
			at = scan_name(&scan, at);
		else if (byte == '"')
			at = scan_key(&scan, inside, at);
		else
			at++;
	}
	if (scan.cuts.over) {
		scan.cuts = (struct secret_cuts){0};
		secret_cuts_add(&scan.cuts, scan.arena,
			&(struct secret_cut){.end = alert->raw.size, .is_piece = true});
	}
	secret_cuts_make(&scan.cuts, batch, alert);
}
