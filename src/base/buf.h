/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An owned, growing byte buffer, always NUL-terminated, created with a maximum.
 *
 * The first failure (maximum reached, out of memory) is remembered and later calls do nothing, so a
 * row of additions is checked once, at the end, by buf_ok. One thread at a time.
 */

#include "base/err.h"
#include "base/text.h"

struct buf {
	char *data; /* NULL until the first addition */
	size_t size;
	size_t capacity;
	size_t max;
	bool failed;
	bool no_memory; /* why it failed; else the maximum */
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_done(struct buf *buf);  /* frees; leaves an empty, usable buffer of the same maximum */
void buf_clear(struct buf *buf); /* size 0, not failed; keeps the memory */

void buf_add(struct buf *buf, struct text text);
void buf_add_bytes(struct buf *buf, const void *bytes, size_t size);
void buf_add_byte(struct buf *buf, unsigned char byte);
void buf_add_string(struct buf *buf, const char *string);
__attribute__((format(printf, 2, 3))) void buf_addf(struct buf *buf, const char *format, ...);
void buf_add_u64(struct buf *buf, uint64_t value); /* decimal */
void buf_add_i64(struct buf *buf, int64_t value);
void buf_add_be32(struct buf *buf, uint32_t value);
void buf_add_be64(struct buf *buf, uint64_t value);
void buf_add_varint(struct buf *buf, uint64_t value);  /* LEB128, as protobuf has it */
void buf_add_sized(struct buf *buf, struct text text); /* its size as varint, then its bytes */
void buf_add_hex(struct buf *buf, const void *bytes, size_t size);

/** Room for @size more bytes, which the caller fills; NULL (and failed) when there is none. */
char *buf_reserve(struct buf *buf, size_t size);
/** After buf_reserve: @size bytes of it were filled. */
void buf_commit(struct buf *buf, size_t size);

bool buf_ok(const struct buf *buf);
/** After a failure: ERR_MEMORY, or ERR_LIMIT "@what is longer than N bytes". Returns -1. */
int buf_error(const struct buf *buf, struct err *err, const char *what);
#define buf_error(...) err_minus_one(buf_error(__VA_ARGS__)) /* as err_set */
struct text buf_text(const struct buf *buf);
const char *buf_string(const struct buf *buf); /* "" when empty; never NULL */

/** Moves the bytes out (caller frees); the buffer is empty afterwards. NULL when it is empty. */
char *buf_take(struct buf *buf, size_t *size);

static inline void buf_done_auto(struct buf *buf)
{
	buf_done(buf);
}
