/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/query_mark.h"

#include "base/utf8.h"

/* Columns of one character, as terminals draw it: those of East Asia take two. */
static size_t width_of(struct text character)
{
	unsigned char lead = (unsigned char)character.data[0];
	return character.size >= 3 && lead >= 0xe1 && lead != 0xe2 ? 2 : 1;
}

/* Appends the character as it is safe to show; gives its columns. */
static size_t add_character(struct buf *out, struct text character)
{
	size_t before = out->size;
	bool space = character.data[0] == '\n' || character.data[0] == '\t';
	if (space)
		buf_add_byte(out, ' ');
	else if (character.data[0] == '\\')
		buf_add_byte(out, '\\');
	else
		utf8_escape(out, character);
	size_t added = out->size - before;
	return added == character.size ? width_of(character) : added;
}

void query_mark(struct text query, const struct err *err, struct buf *out)
{
	size_t column = 0, from = SIZE_MAX, to = 0;
	buf_add_string(out, "  ");
	for (size_t at = 0, size; at < query.size; at += size) {
		size = utf8_length(query, at);
		size = size ? size : 1;
		size_t began = column;
		column += add_character(out, text_part(query, at, size));
		if (at + size <= err->place || at >= (size_t)err->place + err->place_size)
			continue;
		from = from < began ? from : began;
		to = column;
	}
	if (from == SIZE_MAX) {
		from = column;
		to = column + 1;
	}
	buf_add_string(out, "\n  ");
	for (size_t i = 0; i < to; i++)
		buf_add_byte(out, i < from ? ' ' : '^');
	buf_add_byte(out, '\n');
}
