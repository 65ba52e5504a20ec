/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a text is compared with in a query: one value, a pattern with wildcards, or a regular
 * expression. */

#include "model/regex.h"

/* A longer text matches no regular expression: 512 steps times this is about 5 ms at worst. */
enum { MATCH_REGEX_BYTES_MAX = 4096 };

/* Stands for '*' in a pattern: a character that queries cannot hold otherwise. */
enum { MATCH_STAR = '\1' };

enum match_kind {
	MATCH_EXACT,    /* the very bytes */
	MATCH_WILDCARD, /* whatever the case (ASCII), MATCH_STAR stands for anything */
	MATCH_REGEX,
	MATCH_PRESENT, /* anything but nothing */
	MATCH_ABSENT,
};

struct match {
	enum match_kind kind;
	struct text text;
	const struct regex *regex;
};

/** Does any of @texts, which are all there? Of none: does nothing match? */
bool match_has_any(const struct match *match, const struct text *texts, size_t n);

/** Takes time in proportion to pattern times text at worst. An absent @text is the empty one. */
bool match_has(const struct match *match, struct text text);
