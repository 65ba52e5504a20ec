/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/page.h"

#include "base/clock.h"

/* A value in a sentence must not push what follows out of sight. */
enum { FILLED_BYTES = 4096, LINK_BYTES = 8192, SENTENCE_BYTES = 72 };

struct text page_word(const struct page *page, enum word word)
{
	return word_text(word, page->reader->language);
}

void page_say(struct page *page, enum word word)
{
	html_text(&page->html, page_word(page, word));
}

void page_leaf(struct page *page, const char *tag, const char *class, enum word word)
{
	html_leaf(&page->html, tag, class, page_word(page, word));
}

void page_set(struct page *page, const char *name, enum word word)
{
	html_set(&page->html, name, page_word(page, word));
}

/* Cuts what stands before the next {0} … off *rest; *index: which. false: no more. */
static bool next_place(struct text *rest, struct text *before, size_t *index)
{
	for (size_t i = 0; i + 2 < rest->size; i++) {
		char digit = rest->data[i + 1];
		if (rest->data[i] != '{' || rest->data[i + 2] != '}' || digit < '0' || digit > '9')
			continue;
		*before = text_part(*rest, 0, i);
		*index = (size_t)(digit - '0');
		*rest = text_part(*rest, i + 3, rest->size);
		return true;
	}
	return false;
}

void page_fill(
	struct page *page, enum word word, const char *tag, const struct text *values, size_t n)
{
	struct text rest = page_word(page, word), before;
	size_t index;
	while (next_place(&rest, &before, &index)) {
		html_text(&page->html, before);
		struct text value = index < n ? values[index] : TEXT_NONE;
		if (tag || value.size > SENTENCE_BYTES)
			html_clip(&page->html, tag ? tag : "span", NULL, value, SENTENCE_BYTES);
		else
			html_text(&page->html, value);
	}
	html_text(&page->html, rest);
}

struct text page_filled(
	const struct page *page, enum word word, const struct text *values, size_t n)
{
	struct text rest = page_word(page, word), before, filled;
	size_t index;
	struct buf out;
	buf_init(&out, FILLED_BYTES);
	while (next_place(&rest, &before, &index)) {
		buf_add(&out, before);
		if (index < n)
			buf_add(&out, values[index]);
	}
	buf_add(&out, rest);
	filled = arena_copy(page->arena, buf_text(&out));
	buf_done(&out);
	return filled;
}

struct text page_number(const struct page *page, uint64_t number)
{
	return arena_format(page->arena, "%llu", (unsigned long long)number);
}

bool page_may(const struct page *page, enum role role)
{
	return page->reader->role && role_includes(page->reader->role, role);
}

static void add_encoded(struct buf *out, struct text value)
{
	static const char plain[] = "-._~";
	for (size_t i = 0; i < value.size; i++) {
		unsigned char byte = (unsigned char)value.data[i];
		bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
			      (byte >= '0' && byte <= '9');
		if (letter || text_find_byte(text_of(plain), (char)byte, 0) != SIZE_MAX)
			buf_add_byte(out, byte);
		else
			buf_addf(out, "%%%02X", byte);
	}
}

struct text page_link(
	const struct page *page, const char *path, const struct page_pair *pairs, size_t n)
{
	struct buf out;
	char separator = '?';
	buf_init(&out, LINK_BYTES);
	buf_add_string(&out, path);
	for (size_t i = 0; i < n; i++) {
		if (!pairs[i].value.size)
			continue;
		buf_addf(&out, "%c%s=", separator, pairs[i].name);
		add_encoded(&out, pairs[i].value);
		separator = '&';
	}
	struct text link = arena_copy(page->arena, buf_ok(&out) ? buf_text(&out) : text_of(path));
	buf_done(&out);
	return link;
}

const char *page_path(
	const struct page *page, const char *base, struct text first, struct text second)
{
	struct buf out;
	buf_init(&out, LINK_BYTES);
	buf_add_string(&out, base);
	add_encoded(&out, first);
	buf_add_byte(&out, '/');
	add_encoded(&out, second);
	/* with its end, for page_link */
	struct text path = arena_format(page->arena, "%.*s", TEXT_ARG(buf_text(&out)));
	const char *string = buf_ok(&out) && path.data ? path.data : base;
	buf_done(&out);
	return string;
}

struct text page_incident_number(struct text number)
{
	return text_starts(number, TEXT("INC-")) ? text_part(number, 4, number.size) : number;
}

uint64_t page_u64(const struct node *node, const char *key)
{
	uint64_t number;
	return text_to_u64(tree_member_text(node, key), &number) ? number : 0;
}

int64_t page_time_of(const struct node *node, const char *key)
{
	int64_t wall_ns;
	return clock_parse(tree_member_text(node, key), &wall_ns) ? wall_ns : 0;
}

size_t page_count(const struct node *array)
{
	size_t n = 0;
	for (const struct node *item = array ? array->first : NULL; item; item = item->next)
		n++;
	return n;
}
