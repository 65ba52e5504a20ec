/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One page on its way out: who reads it and how they like it, and the words all pages are made of.
 *
 * Pages are pure: documents (JSON trees) and a reader in, HTML out. The time is an argument.
 */

#include "base/arena.h"
#include "base/tree.h"
#include "model/credential.h"
#include "model/status.h"
#include "pages/html.h"
#include "pages/words.h"

enum theme { THEME_AUTO, THEME_LIGHT, THEME_DARK };

/* Texts live in the request's arena. */
struct page_reader {
	struct text name; /* absent: nobody has signed in */
	enum role role;   /* 0: nobody */
	bool sees_some;   /* namespaces only: what is about everything is not for them */
	struct text csrf; /* for the scripts; absent: none */
	enum language language;
	enum theme theme;
	bool local_time;    /* else UTC */
	int offset_minutes; /* east of UTC, as the browser said; with local_time */
};

struct page {
	struct html html;
	struct arena *arena;
	const struct page_reader *reader;
	struct text path;   /* "/incidents" */
	struct text query;  /* as it was sent: "q=x&sort=risk"; absent: none */
	struct text search; /* what stands in the search box */
	int64_t now_ns;
	const struct status *status; /* NULL: not known */
};

/* What the head of a page says. */
struct page_head {
	const char *name;   /* data-page, and which part of the navigation is lit */
	struct text title;  /* of the window; h1 is the page's own */
	unsigned refresh_s; /* without scripts it loads itself again; 0: not */
};

void page_begin(struct page *page, const struct page_head *head);
void page_end(struct page *page);

/** Numbers of rows and bytes of values that a page shows at most. */
enum { PAGE_ROWS = 50, PAGE_ROWS_MAX = 200, VALUE_BYTES = 160 };
/** So long after its last alert an incident counts as going on. */
enum { STILL_S = 600 };

struct text page_word(const struct page *page, enum word word);
void page_say(struct page *page, enum word word);
/** An element with nothing but this text. */
void page_leaf(struct page *page, const char *tag, const char *class, enum word word);
void page_set(struct page *page, const char *name, enum word word);

/** A text with {0}, {1} …: the values stand there, clipped, each in an element @tag; NULL: none. */
void page_fill(
	struct page *page, enum word word, const char *tag, const struct text *values, size_t n);
/** The same as text, for attributes; it lives in the page's arena. */
struct text page_filled(
	const struct page *page, enum word word, const struct text *values, size_t n);
/** "33" in the page's arena. */
struct text page_number(const struct page *page, uint64_t number);

/** May the reader decide about incidents? */
bool page_may(const struct page *page, enum role role);

/** A link's address: @path and the pairs (name, value) that have a value, percent-encoded. */
struct page_pair {
	const char *name;
	struct text value;
};
struct text page_link(
	const struct page *page, const char *path, const struct page_pair *pairs, size_t n);

/** A path of two parts behind @base, percent-encoded, a slash in them too. In the page's arena. */
const char *page_path(
	const struct page *page, const char *base, struct text first, struct text second);

/** "INC-12" → "12"; anything else as it is. */
struct text page_incident_number(struct text number);

/** The number in a document's member, or 0. */
uint64_t page_u64(const struct node *node, const char *key);
/** A member's time; 0: none. */
int64_t page_time_of(const struct node *node, const char *key);
/** How many members an array has. */
size_t page_count(const struct node *array);
