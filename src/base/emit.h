/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes JSON into a buf: commas and nesting are its work, so that output is always well-formed.
 *
 * Text that is not valid UTF-8 is repaired; quotes, backslashes, '<', '>', '&', control characters
 * and others that mislead (utf8_misleads: bidi controls, zero width, line separators) are escaped,
 * so output may stand inside HTML and on a terminal. The first failure is the buf's.
 */

#include "base/buf.h"

struct emitter {
	struct buf *out;
	bool comma; /* something stands before at this level */
	unsigned depth;
};

void emit_init(struct emitter *writer, struct buf *out);

void emit_object(struct emitter *writer);
void emit_object_end(struct emitter *writer);
void emit_array(struct emitter *writer);
void emit_array_end(struct emitter *writer);
void emit_key(struct emitter *writer, const char *key); /* a literal */
void emit_key_text(struct emitter *writer, struct text key);

void emit_text(struct emitter *writer, struct text value);
void emit_i64(struct emitter *writer, int64_t value);
void emit_u64(struct emitter *writer, uint64_t value);
void emit_bool(struct emitter *writer, bool value);
void emit_null(struct emitter *writer);
/** An integer as a string, for numbers that can exceed 2^53. */
void emit_big(struct emitter *writer, uint64_t value);
/** Thousandths with one decimal: 58700 → 58.7 */
void emit_milli(struct emitter *writer, int64_t thousandths);
/** JSON that is already written and valid. */
void emit_raw(struct emitter *writer, struct text json);

/* Key and value in one call; text members with size 0 are left out. */
void emit_member_text(struct emitter *writer, const char *key, struct text value);
void emit_member_string(struct emitter *writer, const char *key, const char *value);
void emit_member_i64(struct emitter *writer, const char *key, int64_t value);
void emit_member_u64(struct emitter *writer, const char *key, uint64_t value);
void emit_member_bool(struct emitter *writer, const char *key, bool value);
/** RFC 3339 with nanoseconds. */
void emit_member_time(struct emitter *writer, const char *key, int64_t wall_ns);
