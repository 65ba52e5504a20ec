/* SPDX-License-Identifier: Apache-2.0 */
#include "model/query_complete.h"

#include <string.h>

/* Where the word begins that @at is in, quotes and what is in them being part of it. */
static size_t word_begin(struct text text, size_t at, bool *in_quotes)
{
	size_t begin = 0;
	*in_quotes = false;
	for (size_t i = 0; i < at; i++) {
		char byte = text.data[i];
		if (byte == '\\' && i + 1 < at)
			i++;
		else if (byte == '"')
			*in_quotes = !*in_quotes;
		else if (!*in_quotes && strchr(" \t\r\n(){}", byte))
			begin = i + 1;
	}
	if (!*in_quotes && begin < at && text.data[begin] == '-')
		begin++;
	return begin;
}

static bool is_name_byte(char byte)
{
	byte = text_lower(byte);
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
}

static size_t name_size(struct text word)
{
	size_t size = 0;
	while (size < word.size && is_name_byte(word.data[size]))
		size++;
	return size;
}

/* Behind the last comma that is in no quotes. */
static size_t last_of_list(struct text value)
{
	size_t begin = 0;
	bool quoted = false;
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '\\' && i + 1 < value.size)
			i++;
		else if (value.data[i] == '"')
			quoted = !quoted;
		else if (value.data[i] == ',' && !quoted)
			begin = i + 1;
	}
	return begin;
}

static void find_value(struct text word, size_t begin, size_t name, struct query_spot *out)
{
	size_t from = name + strlen(query_operator_name(out->op));
	struct text value = text_part(word, from, word.size);
	size_t part = last_of_list(value);
	value = text_part(value, part, value.size);
	out->place = begin + from + part;
	out->size = value.size;
	out->wanted = QUERY_WANTS_VALUE;
	if (value.size && value.data[0] == '"')
		value = text_part(value, 1, value.size);
	if (value.size && value.data[value.size - 1] == '"')
		value.size--;
	out->prefix = value;
}

void query_spot_find(struct text source, size_t at, enum query_of of, struct query_spot *out)
{
	bool in_quotes;
	unsigned elsewhere;
	at = at < source.size ? at : source.size;
	size_t begin = word_begin(source, at, &in_quotes);
	struct text word = text_part(source, begin, at - begin);
	size_t name = name_size(word);
	*out = (struct query_spot){.prefix = word, .place = begin, .size = word.size};
	out->field = query_field_find(text_part(word, 0, name), of, &elsewhere);
	if (name && query_operator_read(text_part(word, name, 2), &out->op)) {
		if (out->field)
			find_value(word, begin, name, out);
	} else if (name == word.size && !in_quotes) {
		out->wanted = QUERY_WANTS_FIELD;
	}
}

static bool needs_quotes(struct text value)
{
	for (size_t i = 0; i < value.size; i++)
		if (value.data[i] == ' ' || strchr("\t\r\n\"\\*(){},", value.data[i]))
			return true;
	return value.size == 0;
}

void query_value_write(struct text value, struct buf *out)
{
	if (!needs_quotes(value)) {
		buf_add(out, value);
		return;
	}
	buf_add_byte(out, '"');
	for (size_t i = 0; i < value.size; i++) {
		if (strchr("\"\\*", value.data[i]) && value.data[i])
			buf_add_byte(out, '\\');
		buf_add_byte(out, (unsigned char)value.data[i]);
	}
	buf_add_byte(out, '"');
}
