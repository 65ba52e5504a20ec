/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * UTF-8 as the Unicode standard defines it: no surrogates, no overlong forms, at most U+10FFFF.
 */

#include "base/buf.h"

/** Length of the valid sequence at @at (1–4), or 0 if there is none. */
size_t utf8_length(struct text text, size_t at);

bool utf8_valid(struct text text);

/** Appends @text with every maximal invalid part replaced by U+FFFD, as browsers and Python do. */
void utf8_repair(struct buf *out, struct text text);

/** The code point of the valid sequence of @n bytes at @at. */
uint32_t utf8_code(struct text text, size_t at, size_t n);

/** Changes direction, joins or hides: what makes shown text differ from its bytes. */
bool utf8_misleads(uint32_t code);

/** Appends code point @code (a surrogate becomes U+FFFD). */
void utf8_add(struct buf *out, uint32_t code);

/**
 * Appends @text safe to show on a terminal or in a log: control characters (C0, C1, DEL), invalid
 * bytes, and characters that change direction or hide (bidi controls, zero width, line separators)
 * become \n, \t, \xNN or \u{NNNN}; a backslash becomes two.
 */
void utf8_escape(struct buf *out, struct text text);

/** The longest prefix of at most @size bytes that does not split a character. */
struct text utf8_prefix(struct text text, size_t size);
