/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Regular expressions that people write, into queries, matchers and silences: the part of RE2's
 * syntax that needs no memory of what was matched, so that matching takes time in proportion to
 * pattern times text, always.
 *
 * Literals, "." (any character), [sets] with ranges and ^, \d \w \s \D \W \S, escaped punctuation,
 * \n \r \t \f \v, groups ( ), (?: ) and (?P<name> ), |, * + ? {n} {n,} {n,m} (lazy forms mean the
 * same), ^ and $, (?i) in front (ASCII). The whole text must match, as in Alertmanager and RE2's
 * full match. Anything else, as \b, back references or look-around, is an error.
 */

#include "base/arena.h"
#include "base/err.h"

enum {
	REGEX_BYTES_MAX = 1024,
	REGEX_DEPTH_MAX = 32,    /* of groups */
	REGEX_PROGRAM_MAX = 512, /* steps it compiles to: {n} writes its part n times */
	REGEX_REPEAT_MAX = 500   /* n in {n} */
};

struct regex;

/** *out lives in @arena. ERR_INPUT and ERR_LIMIT have the place in @source. */
CHECKED int regex_parse(
	struct text source, struct arena *arena, const struct regex **out, struct err *err);

/** Does the whole of @text match? Invalid UTF-8 is one unknown character a byte. */
bool regex_matches(const struct regex *regex, struct text text);
