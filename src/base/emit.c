/* SPDX-License-Identifier: Apache-2.0 */
#include "base/emit.h"

#include "base/clock.h"
#include "base/utf8.h"

void emit_init(struct emitter *writer, struct buf *out)
{
	*writer = (struct emitter){.out = out};
}

static void before_value(struct emitter *writer)
{
	if (writer->comma)
		buf_add_byte(writer->out, ',');
	writer->comma = true;
}

static void open_level(struct emitter *writer, unsigned char byte)
{
	before_value(writer);
	buf_add_byte(writer->out, byte);
	writer->comma = false;
	writer->depth++;
}

static void close_level(struct emitter *writer, unsigned char byte)
{
	buf_add_byte(writer->out, byte);
	writer->comma = true;
	writer->depth--;
}

void emit_object(struct emitter *writer)
{
	open_level(writer, '{');
}

void emit_object_end(struct emitter *writer)
{
	close_level(writer, '}');
}

void emit_array(struct emitter *writer)
{
	open_level(writer, '[');
}

void emit_array_end(struct emitter *writer)
{
	close_level(writer, ']');
}

static bool needs_escape(unsigned char byte)
{
	return byte < 0x20 || byte == '"' || byte == '\\' || byte == '<' || byte == '>' ||
	       byte == '&' || byte == 0x7f;
}

static void escape_byte(struct buf *out, unsigned char byte)
{
	if (byte == '"' || byte == '\\') {
		buf_add_byte(out, '\\');
		buf_add_byte(out, byte);
	} else if (byte == '\n') {
		buf_add_string(out, "\\n");
	} else if (byte == '\t') {
		buf_add_string(out, "\\t");
	} else if (byte == '\r') {
		buf_add_string(out, "\\r");
	} else {
		buf_addf(out, "\\u%04x", byte);
	}
}

static void escape_unit(struct buf *out, uint32_t unit)
{
	buf_addf(out, "\\u%04x", unit);
}

/* One that misleads: JSON says it as well by its number. */
static void escape_code(struct buf *out, uint32_t code)
{
	if (code < 0x10000) {
		escape_unit(out, code);
		return;
	}
	escape_unit(out, 0xd800 + ((code - 0x10000) >> 10));
	escape_unit(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
}

/* Writes what is at @at if it cannot stand for itself; -> its bytes, 0: it can. */
static size_t escape_at(struct buf *out, struct text text, size_t *from, size_t at)
{
	unsigned char byte = (unsigned char)text.data[at];
	size_t size = byte < 0x80 ? 1 : utf8_length(text, at);
	uint32_t code = byte < 0x80 ? byte : utf8_code(text, at, size);
	if (byte < 0x80 ? !needs_escape(byte) : !utf8_misleads(code))
		return 0;
	buf_add(out, text_part(text, *from, at - *from));
	if (byte < 0x80)
		escape_byte(out, byte);
	else
		escape_code(out, code);
	*from = at + size;
	return size;
}

static void add_quoted(struct buf *out, struct text text)
{
	struct buf valid;
	buf_init(&valid, text.size * 3 + 16);
	if (!utf8_valid(text)) {
		utf8_repair(&valid, text);
		text = buf_text(&valid);
	}
	buf_add_byte(out, '"');
	size_t from = 0;
	for (size_t at = 0; at < text.size;) {
		unsigned char byte = (unsigned char)text.data[at];
		/* Nearly all bytes: neither escaped nor the beginning of what may be. */
		size_t size =
			needs_escape(byte) || byte >= 0xc2 ? escape_at(out, text, &from, at) : 0;
		at += size ? size : 1;
	}
	if (from < text.size)
		buf_add(out, text_part(text, from, text.size - from));
	buf_add_byte(out, '"');
	if (!buf_ok(&valid))
		out->failed = out->no_memory = true;
	buf_done(&valid);
}

void emit_key_text(struct emitter *writer, struct text key)
{
	before_value(writer);
	add_quoted(writer->out, key);
	buf_add_byte(writer->out, ':');
	writer->comma = false;
}

void emit_key(struct emitter *writer, const char *key)
{
	emit_key_text(writer, text_of(key));
}

void emit_text(struct emitter *writer, struct text value)
{
	before_value(writer);
	add_quoted(writer->out, value);
}

void emit_i64(struct emitter *writer, int64_t value)
{
	before_value(writer);
	buf_add_i64(writer->out, value);
}

void emit_u64(struct emitter *writer, uint64_t value)
{
	before_value(writer);
	buf_add_u64(writer->out, value);
}

void emit_bool(struct emitter *writer, bool value)
{
	before_value(writer);
	buf_add_string(writer->out, value ? "true" : "false");
}

void emit_null(struct emitter *writer)
{
	before_value(writer);
	buf_add_string(writer->out, "null");
}

void emit_big(struct emitter *writer, uint64_t value)
{
	before_value(writer);
	buf_add_byte(writer->out, '"');
	buf_add_u64(writer->out, value);
	buf_add_byte(writer->out, '"');
}

void emit_milli(struct emitter *writer, int64_t thousandths)
{
	before_value(writer);
	if (thousandths < 0)
		buf_add_byte(writer->out, '-');
	uint64_t size = thousandths < 0 ? 0 - (uint64_t)thousandths : (uint64_t)thousandths;
	uint64_t tenths = (size + 50) / 100;
	buf_add_u64(writer->out, tenths / 10);
	buf_add_byte(writer->out, '.');
	buf_add_u64(writer->out, tenths % 10);
}

void emit_raw(struct emitter *writer, struct text json)
{
	before_value(writer);
	buf_add(writer->out, json);
}

void emit_member_text(struct emitter *writer, const char *key, struct text value)
{
	if (value.size == 0)
		return;
	emit_key(writer, key);
	emit_text(writer, value);
}

void emit_member_string(struct emitter *writer, const char *key, const char *value)
{
	emit_member_text(writer, key, text_of(value));
}

void emit_member_i64(struct emitter *writer, const char *key, int64_t value)
{
	emit_key(writer, key);
	emit_i64(writer, value);
}

void emit_member_u64(struct emitter *writer, const char *key, uint64_t value)
{
	emit_key(writer, key);
	emit_u64(writer, value);
}

void emit_member_bool(struct emitter *writer, const char *key, bool value)
{
	emit_key(writer, key);
	emit_bool(writer, value);
}

void emit_member_time(struct emitter *writer, const char *key, int64_t wall_ns)
{
	char time[CLOCK_TEXT_BYTES];
	emit_member_string(writer, key, clock_format(wall_ns, time));
}
