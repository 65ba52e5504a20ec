/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf){.max = max_bytes};
}

void buf_done(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
	buf->size = 0;
	buf->failed = buf->no_memory = false;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Apart from buf_reserve, so that the case of enough room is short. */
static __attribute__((noinline)) char *grow(struct buf *buf, size_t size)
{
	size_t need;
	if (buf->failed)
		return NULL;
	if (!size_add(buf->size, size, &need) || need > buf->max) {
		buf->failed = true;
		return NULL;
	}
	size_t capacity = buf->capacity ? buf->capacity : 128;
	while (capacity <= need)
		capacity *= 2;
	char *data = realloc(buf->data, capacity);
	if (!data) {
		buf->failed = buf->no_memory = true;
		return NULL;
	}
	buf->data = data;
	buf->capacity = capacity;
	return data + buf->size;
}

char *buf_reserve(struct buf *buf, size_t size)
{
	bool fits = size < buf->capacity - buf->size && size <= buf->max - buf->size;
	return fits && !buf->failed ? buf->data + buf->size : grow(buf, size);
}

void buf_commit(struct buf *buf, size_t size)
{
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void buf_add_bytes(struct buf *buf, const void *bytes, size_t size)
{
	if (size == 0)
		return;
	char *room = buf_reserve(buf, size);
	if (!room)
		return;
	memcpy(room, bytes, size);
	buf_commit(buf, size);
}

void buf_add(struct buf *buf, struct text text)
{
	buf_add_bytes(buf, text.data, text.size);
}

void buf_add_byte(struct buf *buf, unsigned char byte)
{
	char *room = buf_reserve(buf, 1);
	if (!room)
		return;
	*room = (char)byte;
	buf_commit(buf, 1);
}

void buf_add_string(struct buf *buf, const char *string)
{
	buf_add(buf, text_of(string));
}

void buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *room = length < 0 ? NULL : buf_reserve(buf, (size_t)length);
	if (!room)
		return;
	va_start(args, format);
	vsnprintf(room, (size_t)length + 1, format, args);
	va_end(args);
	buf_commit(buf, (size_t)length);
}

void buf_add_u64(struct buf *buf, uint64_t value)
{
	char digits[TEXT_DECIMAL_BYTES];
	buf_add(buf, text_decimal(value, digits));
}

void buf_add_i64(struct buf *buf, int64_t value)
{
	if (value < 0)
		buf_add_byte(buf, '-');
	buf_add_u64(buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_add_be32(struct buf *buf, uint32_t value)
{
	unsigned char bytes[4];
	for (unsigned i = 0; i < 4; i++)
		bytes[i] = (unsigned char)(value >> (24 - 8 * i));
	buf_add_bytes(buf, bytes, sizeof bytes);
}

void buf_add_be64(struct buf *buf, uint64_t value)
{
	unsigned char bytes[8];
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> (56 - 8 * i));
	buf_add_bytes(buf, bytes, sizeof bytes);
}

static size_t varint_size(uint64_t value)
{
	size_t n = 1;
	while (value >>= 7)
		n++;
	return n;
}

static char *write_varint(char *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = (char)(value | 0x80);
		value >>= 7;
	}
	*at++ = (char)value;
	return at;
}

void buf_add_varint(struct buf *buf, uint64_t value)
{
	size_t n = varint_size(value);
	char *room = buf_reserve(buf, n);
	if (!room)
		return;
	write_varint(room, value);
	buf_commit(buf, n);
}

void buf_add_sized(struct buf *buf, struct text text)
{
	size_t size =
		varint_size(text.size) + text.size; /* a text in memory is far from SIZE_MAX */
	char *room = buf_reserve(buf, size);
	if (!room)
		return;
	char *at = write_varint(room, text.size);
	if (text.size)
		memcpy(at, text.data, text.size);
	buf_commit(buf, size);
}

void buf_add_hex(struct buf *buf, const void *bytes, size_t size)
{
	size_t room_size;
	char *room = size_mul(size, 2, &room_size) ? buf_reserve(buf, room_size) : NULL;
	if (!room)
		return;
	text_hex(room, bytes, size);
	buf_commit(buf, room_size);
}

bool buf_ok(const struct buf *buf)
{
	return !buf->failed;
}

int(buf_error)(const struct buf *buf, struct err *err, const char *what)
{
	if (buf->no_memory)
		return err_set(err, ERR_MEMORY, "out of memory: %s", what);
	return err_set(err, ERR_LIMIT, "%s is longer than %zu bytes", what, buf->max);
}

struct text buf_text(const struct buf *buf)
{
	return (struct text){buf->data, buf->size};
}

const char *buf_string(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf, size_t *size)
{
	char *data = buf->data;
	if (size)
		*size = buf->size;
	*buf = (struct buf){.max = buf->max};
	return data;
}
