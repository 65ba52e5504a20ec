/* SPDX-License-Identifier: Apache-2.0 */
#include "access/form.h"

#include "base/buf.h"

enum { NEXT_BYTES_MAX = 2048 };

static bool decode(struct text encoded, struct arena *arena, struct text *out)
{
	char *bytes = arena_bytes(arena, encoded.size ? encoded.size : 1);
	size_t size = 0;
	if (!bytes)
		return false;
	for (size_t i = 0; i < encoded.size; i++, size++) {
		bytes[size] = encoded.data[i] == '+' ? ' ' : encoded.data[i];
		if (encoded.data[i] != '%')
			continue;
		if (!text_to_bytes(text_part(encoded, i + 1, 2), &bytes[size], 1) ||
			bytes[size] == '\0')
			return false;
		i += 2;
	}
	*out = (struct text){bytes, size};
	return true;
}

struct text form_value(struct text body, struct text name, struct arena *arena)
{
	struct text rest = body, pair, found = TEXT_NONE;
	while (text_split(&rest, '&', &pair)) {
		struct text value = pair, key = TEXT_NONE;
		text_split(&value, '=', &key);
		if (!text_equal(key, name))
			continue;
		if (found.data || !decode(value, arena, &found))
			return TEXT_NONE;
	}
	return found;
}

struct text cookie_value(struct text header, struct text name)
{
	struct text rest = header, pair, found = TEXT_NONE;
	while (text_split(&rest, ';', &pair)) {
		struct text value = pair, key = TEXT_NONE;
		text_split(&value, '=', &key);
		if (!text_equal(text_trim(key), name))
			continue;
		if (found.data)
			return TEXT_NONE;
		found = text_trim(value);
	}
	return found;
}

bool next_is_ours(struct text path)
{
	if (path.size == 0 || path.size > NEXT_BYTES_MAX || path.data[0] != '/')
		return false;
	if (path.size > 1 && path.data[1] == '/')
		return false;
	/* Browsers read a backslash as a slash and leave controls out. */
	for (size_t i = 0; i < path.size; i++)
		if (path.data[i] <= ' ' || path.data[i] > '~' || path.data[i] == '\\')
			return false;
	return true;
}

void html_add(struct buf *out, struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		switch (text.data[i]) {
		case '<':
			buf_add_string(out, "&lt;");
			break;
		case '>':
			buf_add_string(out, "&gt;");
			break;
		case '&':
			buf_add_string(out, "&amp;");
			break;
		case '"':
			buf_add_string(out, "&quot;");
			break;
		case '\'':
			buf_add_string(out, "&#39;");
			break;
		default:
			buf_add_byte(out, (unsigned char)text.data[i]);
		}
	}
}
