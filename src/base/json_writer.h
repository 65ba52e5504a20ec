/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes JSON into a buf: commas and nesting are its work, so that output is always well-formed.
 *
 * Text that is not valid UTF-8 is repaired; control characters, quotes, backslashes, '<', '>', '&',
 * U+2028 and U+2029 are escaped, so output may stand inside HTML. The first failure is the buf's.
 */

#include "base/buf.h"

struct json_writer {
	struct buf *out;
	bool comma; /* something stands before at this level */
	unsigned depth;
};

void json_writer_init(struct json_writer *writer, struct buf *out);

void json_object(struct json_writer *writer);
void json_object_end(struct json_writer *writer);
void json_array(struct json_writer *writer);
void json_array_end(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key); /* a literal */
void json_key_text(struct json_writer *writer, struct text key);

void json_text(struct json_writer *writer, struct text value);
void json_i64(struct json_writer *writer, int64_t value);
void json_u64(struct json_writer *writer, uint64_t value);
void json_bool(struct json_writer *writer, bool value);
void json_null(struct json_writer *writer);
/** An integer as a string, for numbers that can exceed 2^53. */
void json_big(struct json_writer *writer, uint64_t value);
/** Thousandths with one decimal: 58700 → 58.7 */
void json_milli(struct json_writer *writer, int64_t thousandths);
/** JSON that is already written and valid. */
void json_raw(struct json_writer *writer, struct text json);

/* Key and value in one call; text members with size 0 are left out. */
void json_member_text(struct json_writer *writer, const char *key, struct text value);
void json_member_string(struct json_writer *writer, const char *key, const char *value);
void json_member_i64(struct json_writer *writer, const char *key, int64_t value);
void json_member_u64(struct json_writer *writer, const char *key, uint64_t value);
void json_member_bool(struct json_writer *writer, const char *key, bool value);
/** RFC 3339 with nanoseconds. */
void json_member_time(struct json_writer *writer, const char *key, int64_t wall_ns);
