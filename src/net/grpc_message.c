/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_message.h"

#include <stdlib.h>
#include <string.h>

#include "base/compress.h"

/* Shorter messages are not worth packing; the first piece of memory of a long one. */
enum { PACK_LEAST_BYTES = 512, FIRST_BYTES = 16384 };

void grpc_reader_init(struct grpc_reader *reader, size_t message_bytes_max)
{
	*reader = (struct grpc_reader){.message_bytes_max = message_bytes_max};
}

bool grpc_room_take(struct grpc_room *room, size_t size)
{
	if (!room)
		return true;
	if (size > room->max_bytes - room->used_bytes || !grpc_room_take(room->parent, size))
		return false;
	room->used_bytes += size;
	return true;
}

void grpc_room_give(struct grpc_room *room, size_t size)
{
	for (; room; room = room->parent)
		room->used_bytes -= size;
}

/* Messages get half of each, but for the first in turn: the rest is for what waits. */
static bool has_half(const struct grpc_room *room, size_t size)
{
	for (; room; room = room->parent)
		if (size > room->max_bytes / 2 || room->message_bytes > room->max_bytes / 2 - size)
			return false;
	return true;
}

bool grpc_room_widen(struct grpc_room *room, size_t size)
{
	for (const struct grpc_room *one = room; one; one = one->parent)
		if (size > one->max_bytes / 4 || one->wide_bytes > one->max_bytes / 4 - size)
			return false;
	for (; room; room = room->parent)
		room->wide_bytes += size;
	return true;
}

void grpc_room_narrow(struct grpc_room *room, size_t size)
{
	for (; room; room = room->parent)
		room->wide_bytes -= size;
}

static bool take_room(const struct grpc_reader *reader, size_t size)
{
	if (!reader->is_first && !has_half(reader->room, size))
		return false;
	if (!grpc_room_take(reader->room, size))
		return false;
	for (struct grpc_room *room = reader->room; room; room = room->parent)
		room->message_bytes += size;
	return true;
}

static void give_room(const struct grpc_reader *reader, size_t size)
{
	for (struct grpc_room *room = reader->room; room; room = room->parent)
		room->message_bytes -= size;
	grpc_room_give(reader->room, size);
}

/* Lets go of the memory: it is freed, or the message's owner's now. */
static char *let_go(struct grpc_reader *reader)
{
	char *data = reader->data;
	if (data)
		give_room(reader, reader->capacity);
	reader->data = NULL;
	reader->capacity = 0;
	return data;
}

void grpc_reader_done(struct grpc_reader *reader)
{
	free(let_go(reader));
}

bool grpc_reader_is_inside(const struct grpc_reader *reader)
{
	return reader->prefix_size > 0;
}

size_t grpc_reader_wanted(const struct grpc_reader *reader)
{
	return reader->prefix_size == GRPC_PREFIX_BYTES ? reader->wanted : 0;
}

size_t grpc_reader_bytes(const struct grpc_reader *reader)
{
	return reader->data ? reader->size : 0;
}

static enum grpc_read fail(struct grpc_status *status, enum grpc_code code, struct text why)
{
	*status = (struct grpc_status){.code = code, .message = why};
	return GRPC_READ_FAILED;
}

/* The first in turn finds none: nobody will give any back. */
static enum grpc_read no_room(const struct grpc_reader *reader, struct grpc_status *status)
{
	fail(status, GRPC_RESOURCE_EXHAUSTED,
		TEXT("too much is being received: shorter messages, or later"));
	return reader->is_first ? GRPC_READ_FAILED : GRPC_READ_NO_ROOM;
}

static enum grpc_read no_memory(struct grpc_status *status)
{
	return fail(status, GRPC_RESOURCE_EXHAUSTED, TEXT("no memory now"));
}

static enum grpc_read read_prefix(struct grpc_reader *reader, struct grpc_status *status)
{
	const unsigned char *prefix = reader->prefix;
	reader->is_packed = prefix[0] == 1;
	reader->wanted = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 |
			 (size_t)prefix[3] << 8 | prefix[4];
	reader->size = 0;
	if (prefix[0] > 1)
		return fail(status, GRPC_INTERNAL, TEXT("a message's flag is neither 0 nor 1"));
	if (reader->is_packed && !reader->may_be_gzip)
		return fail(status, GRPC_INTERNAL,
			TEXT("a packed message, but no grpc-encoding said how"));
	if (reader->wanted > reader->message_bytes_max)
		return fail(status, GRPC_RESOURCE_EXHAUSTED, TEXT("a message is too long"));
	return GRPC_READ_MORE;
}

static enum grpc_read begin(struct grpc_reader *reader, struct grpc_status *status)
{
	size_t first = reader->wanted < FIRST_BYTES ? reader->wanted : FIRST_BYTES;
	if (!take_room(reader, first))
		return no_room(reader, status);
	reader->data = malloc(first + 1);
	if (!reader->data) {
		give_room(reader, first);
		return no_memory(status);
	}
	reader->capacity = first;
	return GRPC_READ_MORE;
}

static enum grpc_read grow(struct grpc_reader *reader, size_t least, struct grpc_status *status)
{
	if (least <= reader->capacity)
		return GRPC_READ_MORE;
	size_t capacity = reader->capacity * 2 > least ? reader->capacity * 2 : least;
	capacity = capacity < reader->wanted ? capacity : reader->wanted;
	size_t more = capacity - reader->capacity;
	if (!take_room(reader, more))
		return no_room(reader, status);
	char *data = realloc(reader->data, capacity + 1);
	if (!data) {
		give_room(reader, more);
		return no_memory(status);
	}
	reader->data = data;
	reader->capacity = capacity;
	return GRPC_READ_MORE;
}

static enum grpc_read expand(
	struct grpc_reader *reader, char **message, size_t *size, struct grpc_status *status)
{
	struct err err;
	struct buf out;
	buf_init(&out, reader->message_bytes_max + 1);
	int failed = gzip_expand((struct text){reader->data, reader->size}, &out, &err);
	free(let_go(reader));
	if (!failed && out.size > reader->message_bytes_max)
		failed = err_set(&err, ERR_LIMIT, "too long");
	if (!failed)
		*message = out.size ? buf_take(&out, size) : calloc(1, 1);
	if (!failed && !*message)
		failed = err_set(&err, ERR_MEMORY, "no memory");
	buf_done(&out);
	if (!failed)
		return GRPC_READ_MESSAGE;
	return err.kind == ERR_INPUT ? fail(status, GRPC_INTERNAL, TEXT("a message is not gzip"))
				     : fail(status, GRPC_RESOURCE_EXHAUSTED,
					       TEXT("a message is too long, or expands too far"));
}

static enum grpc_read end(
	struct grpc_reader *reader, char **message, size_t *size, struct grpc_status *status)
{
	reader->prefix_size = 0;
	*size = reader->is_packed ? 0 : reader->size;
	if (reader->is_packed)
		return expand(reader, message, size, status);
	*message = let_go(reader);
	return GRPC_READ_MESSAGE;
}

static size_t take(struct text *bytes, void *out, size_t wanted)
{
	size_t n = bytes->size < wanted ? bytes->size : wanted;
	if (n)
		memcpy(out, bytes->data, n);
	*bytes = text_part(*bytes, n, bytes->size);
	return n;
}

enum grpc_read grpc_reader_feed(struct grpc_reader *reader, struct text *bytes, char **message,
	size_t *size, struct grpc_status *status)
{
	enum grpc_read result = GRPC_READ_MORE;
	if (reader->prefix_size < GRPC_PREFIX_BYTES) {
		reader->prefix_size += take(bytes, reader->prefix + reader->prefix_size,
			GRPC_PREFIX_BYTES - reader->prefix_size);
		if (reader->prefix_size < GRPC_PREFIX_BYTES)
			return GRPC_READ_MORE;
		result = read_prefix(reader, status);
	}
	if (result == GRPC_READ_MORE && !reader->data)
		result = begin(reader, status);
	size_t left = reader->wanted - reader->size;
	size_t n = bytes->size < left ? bytes->size : left;
	if (result == GRPC_READ_MORE)
		result = grow(reader, reader->size + n, status);
	if (result != GRPC_READ_MORE)
		return result;
	reader->size += take(bytes, reader->data + reader->size, n);
	return reader->size < reader->wanted ? GRPC_READ_MORE : end(reader, message, size, status);
}

static void write_prefix(struct buf *out, bool is_packed, size_t size)
{
	buf_add_byte(out, is_packed);
	buf_add_be32(out, (uint32_t)size);
}

void grpc_frame_write(struct buf *out, struct text message, bool gzip)
{
	struct buf packed;
	if (!gzip || message.size < PACK_LEAST_BYTES) {
		write_prefix(out, false, message.size);
		buf_add(out, message);
		return;
	}
	buf_init(&packed, message.size);
	/* Fails, too, when it would not become shorter. What packs better than anybody's limit on
	 * bombs allows goes as it is. */
	bool pays = gzip_pack(message, &packed) && packed.size < message.size &&
		    (message.size < COMPRESS_RATIO_FLOOR_BYTES ||
			    message.size / packed.size < COMPRESS_RATIO_MAX / 2);
	write_prefix(out, pays, pays ? packed.size : message.size);
	buf_add(out, pays ? buf_text(&packed) : message);
	buf_done(&packed);
}
