/* SPDX-License-Identifier: Apache-2.0 */
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
static void cut_behind(struct scan *scan, struct text key, size_t start, size_t end)
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
			cut_behind(scan, key, start, at);
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
