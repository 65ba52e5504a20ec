/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire.h"

#include <assert.h>

enum { VARINT_BYTES_MAX = 10, TYPE_BITS = 3, FIELD_MAX = (1 << 29) - 1 };

struct wire wire_of(struct text message)
{
	return (struct wire){.left = message, .size = message.size};
}

static bool fail(struct wire *reader, const char *why)
{
	reader->failed = true;
	reader->why = why;
	reader->left.size = 0;
	return false;
}

static void step(struct wire *reader, size_t size)
{
	reader->left = text_part(reader->left, size, SIZE_MAX);
}

static bool take_varint(struct wire *reader, uint64_t *out)
{
	uint64_t value = 0;
	for (size_t i = 0; i < reader->left.size && i < VARINT_BYTES_MAX; i++) {
		uint64_t byte = (unsigned char)reader->left.data[i];
		if (i == VARINT_BYTES_MAX - 1 && byte > 1)
			break;
		value |= (byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		step(reader, i + 1);
		*out = value;
		return true;
	}
	return fail(reader, reader->left.size < VARINT_BYTES_MAX ? "a number is cut off"
								 : "a number is over 64 bits");
}

static bool take_fixed(struct wire *reader, size_t size)
{
	if (reader->left.size < size)
		return fail(reader, "a number is cut off");
	reader->number = 0;
	for (size_t i = size; i-- > 0;)
		reader->number = reader->number << 8 | (unsigned char)reader->left.data[i];
	step(reader, size);
	return true;
}

static bool take_bytes(struct wire *reader)
{
	uint64_t size;
	if (!take_varint(reader, &size))
		return false;
	if (size > reader->left.size)
		return fail(reader, "a field is longer than what holds it");
	reader->bytes = text_part(reader->left, 0, (size_t)size);
	step(reader, (size_t)size);
	return true;
}

static bool take_value(struct wire *reader)
{
	switch (reader->type) {
	case WIRE_VARINT:
		return take_varint(reader, &reader->number);
	case WIRE_FIXED64:
		return take_fixed(reader, 8);
	case WIRE_BYTES:
		return take_bytes(reader);
	case WIRE_FIXED32:
		return take_fixed(reader, 4);
	}
	return fail(reader, "a field of an unknown type"); /* what a peer sent: any of 3 bits */
}

bool wire_next(struct wire *reader)
{
	uint64_t tag;
	if (reader->failed || reader->left.size == 0)
		return false;
	reader->offset = reader->size - reader->left.size;
	reader->number = 0;
	reader->bytes = TEXT_NONE;
	if (!take_varint(reader, &tag))
		return false;
	uint64_t field = tag >> TYPE_BITS;
	if (field == 0 || field > FIELD_MAX)
		return fail(reader, "a field number out of range");
	reader->field = (uint32_t)field;
	reader->type = (enum wire_type)(tag & ((1 << TYPE_BITS) - 1));
	return take_value(reader);
}

static int error_at(size_t offset, const char *why, struct err *err)
{
	return err_set(err, ERR_INPUT, "offset %zu: %s", offset, why);
}

int wire_error(const struct wire *reader, struct err *err)
{
	return error_at(reader->offset, reader->why ? reader->why : "broken", err);
}

int64_t wire_zigzag(uint64_t number)
{
	return (int64_t)(number >> 1 ^ (0 - (number & 1)));
}

/* A message on the way down: what is left of it, and where it began. */
struct level {
	struct wire reader;
	const struct wire_shape *shape;
	size_t start;
};

static const struct wire_shape *shape_of(const struct wire_shape *shape, const struct wire *reader)
{
	if (reader->type != WIRE_BYTES || !shape)
		return NULL;
	while (shape->field && shape->field != reader->field)
		shape++;
	return shape->field ? shape : NULL;
}

static struct level level_inside(const struct level *above, const struct wire_shape *shape)
{
	struct text bytes = above->reader.bytes;
	size_t behind = above->reader.size - above->reader.left.size;
	return (struct level){wire_of(bytes), shape->inside, above->start + behind - bytes.size};
}

int wire_scan(struct text message, const struct wire_shape *shape, const struct wire_limits *limits,
	struct err *err)
{
	struct level levels[WIRE_DEPTH_MAX + 1] = {{wire_of(message), shape, 0}};
	size_t n_fields = 0;
	assert(limits->depth_max <= WIRE_DEPTH_MAX);
	for (unsigned depth = 0;;) {
		struct level *level = &levels[depth];
		struct wire *reader = &level->reader;
		if (!wire_next(reader)) {
			if (reader->failed)
				return error_at(level->start + reader->offset, reader->why, err);
			if (depth-- == 0)
				return 0;
			continue;
		}
		size_t at = level->start + reader->offset;
		if (++n_fields > limits->n_fields_max)
			return err_set(err, ERR_LIMIT, "offset %zu: more than %zu fields", at,
				limits->n_fields_max);
		const struct wire_shape *inside = shape_of(level->shape, reader);
		if (!inside)
			continue;
		if (depth == limits->depth_max)
			return err_set(err, ERR_LIMIT,
				"offset %zu: messages are more than %u levels deep", at,
				limits->depth_max);
		levels[++depth] = level_inside(level, inside);
	}
}

static void add_tag(struct buf *out, uint32_t field, enum wire_type type)
{
	assert(field > 0 && field <= FIELD_MAX);
	buf_add_varint(out, (uint64_t)field << TYPE_BITS | type);
}

void wire_add_varint(struct buf *out, uint32_t field, uint64_t value)
{
	if (value == 0)
		return;
	add_tag(out, field, WIRE_VARINT);
	buf_add_varint(out, value);
}

void wire_add_fixed64(struct buf *out, uint32_t field, uint64_t value)
{
	unsigned char bytes[8];
	if (value == 0)
		return;
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(value >> (8 * i));
	add_tag(out, field, WIRE_FIXED64);
	buf_add_bytes(out, bytes, sizeof bytes);
}

void wire_add_bytes(struct buf *out, uint32_t field, struct text bytes)
{
	if (bytes.size)
		wire_add_member(out, field, bytes);
}

void wire_add_member(struct buf *out, uint32_t field, struct text bytes)
{
	add_tag(out, field, WIRE_BYTES);
	buf_add_sized(out, bytes);
}
