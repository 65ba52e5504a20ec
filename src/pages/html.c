/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/html.h"

#include <assert.h>
#include <stdarg.h>

#include "base/utf8.h"

/* A title is for reading, not for keeping: the raw bytes are a key away. */
enum { FORMAT_BYTES = 512, TITLE_BYTES_MAX = 2048 };

enum place { IN_TEXT, IN_LINES, IN_ATTRIBUTE };

void html_init(struct html *html, struct buf *out)
{
	*html = (struct html){.out = out};
}

static void end_tag(struct html *html)
{
	if (html->in_tag)
		buf_add_byte(html->out, '>');
	html->in_tag = false;
}

static void begin_tag(struct html *html, const char *tag, const char *class)
{
	end_tag(html);
	buf_add_byte(html->out, '<');
	buf_add_string(html->out, tag);
	html->in_tag = true;
	if (class)
		html_set_string(html, "class", class);
}

void html_open(struct html *html, const char *tag, const char *class)
{
	assert(html->depth < HTML_DEPTH_MAX);
	begin_tag(html, tag, class);
	html->open[html->depth++] = tag;
}

void html_close(struct html *html)
{
	assert(html->depth > 0);
	end_tag(html);
	buf_add_string(html->out, "</");
	buf_add_string(html->out, html->open[--html->depth]);
	buf_add_byte(html->out, '>');
}

void html_close_to(struct html *html, unsigned depth)
{
	while (html->depth > depth)
		html_close(html);
}

void html_void(struct html *html, const char *tag, const char *class)
{
	begin_tag(html, tag, class);
}

/* What has to be written otherwise, of one character; NULL: as it is. */
static const char *entity(char byte)
{
	switch (byte) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static void add_mark(struct buf *out, uint32_t code, enum place place)
{
	if (place == IN_LINES && (code == '\n' || code == '\t')) {
		buf_add_byte(out, (unsigned char)code);
		return;
	}
	buf_addf(out, place == IN_ATTRIBUTE ? "⟨U+%04X⟩" : "<i class=\"mark\">⟨U+%04X⟩</i>",
		(unsigned)code);
}

/* One character of @text; returns its bytes. */
static size_t add_character(struct buf *out, struct text text, size_t at, enum place place)
{
	size_t n = utf8_length(text, at);
	if (n == 0) {
		utf8_add(out, 0xfffd);
		return 1;
	}
	uint32_t code = utf8_code(text, at, n);
	const char *escaped = n == 1 ? entity(text.data[at]) : NULL;
	if (escaped)
		buf_add_string(out, escaped);
	else if (utf8_misleads(code))
		add_mark(out, code, place);
	else
		buf_add(out, text_part(text, at, n));
	return n;
}

static bool is_plain(char byte)
{
	return byte >= ' ' && byte < 0x7f && !entity(byte);
}

static void add_escaped(struct buf *out, struct text text, enum place place)
{
	for (size_t at = 0; at < text.size;) {
		size_t from = at;
		while (at < text.size && is_plain(text.data[at]))
			at++;
		if (at > from)
			buf_add(out, text_part(text, from, at - from));
		else
			at += add_character(out, text, at, place);
	}
}

void html_set(struct html *html, const char *name, struct text value)
{
	assert(html->in_tag);
	buf_add_byte(html->out, ' ');
	buf_add_string(html->out, name);
	buf_add_string(html->out, "=\"");
	add_escaped(html->out, value, IN_ATTRIBUTE);
	buf_add_byte(html->out, '"');
}

void html_set_string(struct html *html, const char *name, const char *value)
{
	html_set(html, name, text_of(value));
}

void html_set_u64(struct html *html, const char *name, uint64_t value)
{
	html_setf(html, name, "%llu", (unsigned long long)value);
}

void html_set_flag(struct html *html, const char *name)
{
	assert(html->in_tag);
	buf_add_byte(html->out, ' ');
	buf_add_string(html->out, name);
}

void html_setf(struct html *html, const char *name, const char *format, ...)
{
	char value[FORMAT_BYTES];
	va_list arguments;
	va_start(arguments, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start has set it */
	size_t length = text_format_list(value, sizeof value, format, arguments);
	va_end(arguments);
	html_set(html, name, (struct text){value, length});
}

void html_set_tenths(struct html *html, const char *name, int64_t tenths)
{
	int64_t whole = tenths / 10, part = tenths % 10;
	const char *sign = tenths < 0 && whole == 0 ? "-" : "";
	if (part == 0)
		html_setf(html, name, "%lld", (long long)whole);
	else
		html_setf(html, name, "%s%lld.%d", sign, (long long)whole,
			(int)(part < 0 ? -part : part));
}

void html_text(struct html *html, struct text text)
{
	end_tag(html);
	add_escaped(html->out, text, IN_TEXT);
}

void html_string(struct html *html, const char *string)
{
	html_text(html, text_of(string));
}

void html_u64(struct html *html, uint64_t number)
{
	end_tag(html);
	buf_add_u64(html->out, number);
}

void html_lines(struct html *html, struct text text)
{
	end_tag(html);
	add_escaped(html->out, text, IN_LINES);
}

void html_leaf(struct html *html, const char *tag, const char *class, struct text text)
{
	html_open(html, tag, class);
	html_text(html, text);
	html_close(html);
}

void html_clip(
	struct html *html, const char *tag, const char *class, struct text text, size_t bytes)
{
	struct text shown = utf8_prefix(text, bytes);
	html_open(html, tag, class);
	if (shown.size < text.size)
		html_set(html, "title", utf8_prefix(text, TITLE_BYTES_MAX));
	html_text(html, shown);
	if (shown.size < text.size)
		html_string(html, "…");
	html_close(html);
}

void html_clip_text(struct html *html, struct text text, size_t bytes)
{
	if (utf8_prefix(text, bytes).size < text.size)
		html_clip(html, "span", NULL, text, bytes);
	else
		html_text(html, text);
}

void html_json(struct html *html, struct text json)
{
	end_tag(html);
	for (size_t i = 0; i < json.size; i++)
		assert(json.data[i] != '<');
	buf_add(html->out, json);
}

void html_doctype(struct html *html)
{
	buf_add_string(html->out, "<!DOCTYPE html>\n");
}
