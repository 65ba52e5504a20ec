/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Both alphabets of RFC 4648: base64url (section 5) is safe in addresses. Neither is written with
 * padding. */

#include "base/arena.h"
#include "base/text.h"

enum { BASE64URL_32_BYTES = 44 }; /* 32 bytes and a NUL */

/** Writes @size bytes as text with a NUL at its end: out has (size * 4 + 2) / 3 + 1 bytes. */
void base64_write(const void *bytes, size_t size, char *out);
void base64url_write(const void *bytes, size_t size, char *out);

/** The bytes in @arena; false for other letters, a length that cannot be, or without memory. One
 * text only for the same bytes. */
bool base64url_read(struct text text, struct arena *arena, struct text *out);

/** The same of either alphabet, with padding or without. */
bool base64_read(struct text text, struct arena *arena, struct text *out);
