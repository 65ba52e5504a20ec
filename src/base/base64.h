/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The alphabet of base64 that is safe in addresses, without padding (RFC 4648, section 5). */

#include "base/arena.h"
#include "base/text.h"

enum { BASE64URL_32_BYTES = 44 }; /* 32 bytes and a NUL */

/** Writes @size bytes as text with a NUL at its end: out has (size * 4 + 2) / 3 + 1 bytes. */
void base64url_write(const void *bytes, size_t size, char *out);

/** The bytes in @arena; false for other letters, a length that cannot be, or without memory. */
bool base64url_read(struct text text, struct arena *arena, struct text *out);
