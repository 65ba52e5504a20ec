/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages as gRPC frames them: a flag, four bytes of length, the bytes. Private to net/.
 *
 * The reader is fed with whatever pieces arrive. Memory grows with what has come, not with what was
 * announced.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "net/grpc_status.h"

enum { GRPC_PREFIX_BYTES = 5 };

/* Memory that many share: what is received, and what waits to be read or sent. */
struct grpc_room {
	struct grpc_room *parent; /* what is taken here is taken there, too; NULL: none */
	size_t used_bytes, max_bytes;
	size_t message_bytes; /* of used_bytes: messages being received */
	size_t wide_bytes;    /* that windows of calls were widened by: at most a quarter */
};

struct grpc_reader {
	size_t message_bytes_max; /* of one message, expanded */
	struct grpc_room *room;   /* NULL: without a common limit */
	bool may_be_gzip;         /* the sender said so (grpc-encoding) */
	bool is_first;            /* in turn: all of the room is for it, not half */
	/* state */
	unsigned char prefix[GRPC_PREFIX_BYTES];
	size_t prefix_size;
	char *data;
	size_t size, capacity, wanted;
	bool is_packed;
};

/* What became of some bytes. NO_ROOM: they are still there, to be fed again. */
enum grpc_read { GRPC_READ_MORE, GRPC_READ_MESSAGE, GRPC_READ_NO_ROOM, GRPC_READ_FAILED };

/** Takes @size of it and of its parents; false: there is not so much. NULL has no limit. */
CHECKED bool grpc_room_take(struct grpc_room *room, size_t size);
void grpc_room_give(struct grpc_room *room, size_t size);

/** Windows may be @size wider together, here and in the parents; false: they are wide enough. */
CHECKED bool grpc_room_widen(struct grpc_room *room, size_t size);
void grpc_room_narrow(struct grpc_room *room, size_t size);

void grpc_reader_init(struct grpc_reader *reader, size_t message_bytes_max);
void grpc_reader_done(struct grpc_reader *reader);
/** Is it in the middle of a message? */
bool grpc_reader_is_inside(const struct grpc_reader *reader);
/** How long that message is; 0: it is in none, or that is not known yet. */
size_t grpc_reader_wanted(const struct grpc_reader *reader);
/** How much of that message is there; 0: it is in none. */
size_t grpc_reader_bytes(const struct grpc_reader *reader);

/**
 * Takes bytes off the front of *bytes until a message is whole (which *message then owns; never
 * NULL), they are used up, there is no room, or something is wrong: *status says what of the last
 * two, its message is a literal.
 */
enum grpc_read grpc_reader_feed(struct grpc_reader *reader, struct text *bytes, char **message,
	size_t *size, struct grpc_status *status);

/** Appends a framed message; @gzip: packed, if that makes it shorter. */
void grpc_frame_write(struct buf *out, struct text message, bool gzip);
