/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes HTML into a buf. Escaping is its work: text and attributes go through it whatever they
 * hold, names of tags and attributes are literals of the program.
 *
 * Alert text is an attacker's. Characters that control, hide or change direction are shown as
 * ⟨U+202E⟩, bytes that are no UTF-8 as U+FFFD. The first failure is the buf's, checked once.
 */

#include "base/buf.h"

enum { HTML_DEPTH_MAX = 64 };

struct html {
	struct buf *out;
	const char *open[HTML_DEPTH_MAX]; /* tags, innermost last */
	unsigned depth;
	bool in_tag; /* attributes may still be added */
};

void html_init(struct html *html, struct buf *out);

/** Opens an element; @class NULL: none. Attributes follow, then content. */
void html_open(struct html *html, const char *tag, const char *class);
void html_close(struct html *html);
/** Closes elements until @depth are open. */
void html_close_to(struct html *html, unsigned depth);
/** An element without content or end tag: input, meta, link. */
void html_void(struct html *html, const char *tag, const char *class);

/* Attributes of the element that was opened last, before any content. */
void html_set(struct html *html, const char *name, struct text value);
void html_set_string(struct html *html, const char *name, const char *value);
void html_set_u64(struct html *html, const char *name, uint64_t value);
void html_set_flag(struct html *html, const char *name);
__attribute__((format(printf, 3, 4))) void html_setf(
	struct html *html, const char *name, const char *format, ...);

void html_text(struct html *html, struct text text);
void html_string(struct html *html, const char *string);
void html_u64(struct html *html, uint64_t number);
/** As html_text, but line feeds and tabs stay what they are: comments, raw bytes. */
void html_lines(struct html *html, struct text text);

/** An element with nothing but this text. */
void html_leaf(struct html *html, const char *tag, const char *class, struct text text);

/** An element with at most @bytes of @text; where that is less than all, all is its title. */
void html_clip(
	struct html *html, const char *tag, const char *class, struct text text, size_t bytes);

/** The same in the element that is open: one of its own only where text is left out. */
void html_clip_text(struct html *html, struct text text, size_t bytes);

/** JSON for a script element: what emit.h wrote, in which no tag can stand. */
void html_json(struct html *html, struct text json);
/** A whole document begins with this. */
void html_doctype(struct html *html);

/** Numbers with a fraction for pictures, in tenths: 105 → 10.5 */
void html_set_tenths(struct html *html, const char *name, int64_t tenths);
