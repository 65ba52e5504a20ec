/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What browsers send without scripts: forms and cookies. Pure. */

#include "base/arena.h"

/**
 * The value of field @name in an application/x-www-form-urlencoded body, decoded into @arena.
 * Absent when it is not there, is there twice, or does not decode.
 */
struct text form_value(struct text body, struct text name, struct arena *arena);

/** The cookie of that name in a Cookie header; absent when it is not there or is there twice. */
struct text cookie_value(struct text header, struct text name);

/**
 * Is @path an address of our own that a browser may be sent to: a path that begins with one slash,
 * of printable ASCII, at most 2 048 bytes?
 */
bool next_is_ours(struct text path);

/** Text for HTML, between tags and in quoted attributes. */
struct buf;
void html_add(struct buf *out, struct text text);
