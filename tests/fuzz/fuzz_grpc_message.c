/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Framed messages in pieces: the first byte says how long pieces are, and whether gzip was
 * announced. However they are cut, the same messages come out, none over the limit, and all memory
 * that readers share is given back.
 */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "net/grpc_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_BYTES_MAX = 100000, ROOM_BYTES = 60000, ALL_BYTES = 64 * 1024 * 1024 };

/* How it is read. */
struct way {
	size_t piece, room;
	bool may_be_gzip;
};

/* What was read, one message after another with its size; -> whether it failed. */
static bool read_all(struct text bytes, struct way way, struct buf *out)
{
	struct grpc_room room = {.max_bytes = way.room};
	struct grpc_reader reader;
	struct grpc_status status = {.code = GRPC_OK};
	enum grpc_read result = GRPC_READ_MORE;
	grpc_reader_init(&reader, MESSAGE_BYTES_MAX);
	reader.room = &room;
	reader.may_be_gzip = way.may_be_gzip;
	while (bytes.size && result != GRPC_READ_FAILED) {
		struct text part = text_part(bytes, 0, way.piece);
		bytes = text_part(bytes, part.size, bytes.size);
		while (part.size && result != GRPC_READ_FAILED) {
			char *message = NULL;
			size_t size = 0;
			result = grpc_reader_feed(&reader, &part, &message, &size, &status);
			assert((result == GRPC_READ_MESSAGE) == (message != NULL));
			assert(size <= MESSAGE_BYTES_MAX && room.used_bytes <= room.max_bytes);
			if (message) {
				buf_add_u64(out, size);
				buf_add(out, (struct text){message, size});
			}
			free(message);
		}
	}
	assert((result == GRPC_READ_FAILED) == (status.code != GRPC_OK));
	grpc_reader_done(&reader);
	assert(room.used_bytes == 0);
	return result == GRPC_READ_FAILED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, cut;
	if (size == 0)
		return 0;
	struct text bytes = {(const char *)data + 1, size - 1};
	bool may_be_gzip = data[0] & 1;
	buf_init(&whole, ALL_BYTES);
	buf_init(&cut, ALL_BYTES);
	bool whole_failed = read_all(bytes, (struct way){SIZE_MAX, ALL_BYTES, may_be_gzip}, &whole);
	size_t piece = 1U + (data[0] >> 1U);
	bool cut_failed = read_all(bytes, (struct way){piece, ALL_BYTES, may_be_gzip}, &cut);
	assert(whole_failed == cut_failed);
	assert(text_equal(buf_text(&whole), buf_text(&cut)));
	/* Memory that readers share has its own limit, and is given back there, too. */
	buf_clear(&cut);
	read_all(bytes, (struct way){piece, ROOM_BYTES, may_be_gzip}, &cut);
	buf_done(&whole);
	buf_done(&cut);
	return 0;
}
