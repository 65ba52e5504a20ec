/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One call on a connection, either side: what comes in becomes messages, what goes out waits for
 * the peer's window. Embedded first in the server's call and the client's exchange. Private to
 * net/.
 */

#include "base/arena.h"
#include "net/grpc_message.h"
#include "net/h2_connection.h"

struct grpc_stream;

struct grpc_stream_kind {
	/** One header or trailer field; texts are nghttp2's. false: refuse the stream. */
	bool (*header)(struct grpc_stream *stream, struct text name, struct text value);
	/** The headers are whole. @is_end: the peer sends nothing else. */
	void (*headers_end)(struct grpc_stream *stream, bool is_end);
	/** Takes @data. */
	void (*message)(struct grpc_stream *stream, char *data, size_t size);
	/** What comes cannot be read; the stream gets no more. */
	void (*broken)(struct grpc_stream *stream, const struct grpc_status *status);
	void (*half_closed)(struct grpc_stream *stream);
	/** Fell below half of what may wait. */
	void (*writable)(struct grpc_stream *stream);
	/** All that was queued is gone and the end is due: adds trailers if it has any. */
	void (*drained)(struct grpc_stream *stream);
	/** The last: frees the stream. @code: of RST_STREAM. */
	void (*closed)(struct grpc_stream *stream, uint32_t code);
};

struct grpc_stream {
	const struct grpc_stream_kind *kind;
	struct h2_connection *connection;
	struct grpc_stream *next, *previous; /* of the connection */
	int32_t id;
	struct arena arena; /* headers, texts */
	size_t header_bytes;
	struct grpc_reader reader;
	struct buf held;    /* came in while paused or without room: no window until it is read */
	struct buf out;     /* framed messages */
	size_t n_sent;      /* of out */
	size_t waiting_max; /* of out, not sent; an empty queue takes any message */
	size_t wide_bytes;  /* that its window was widened by */
	/* When a message began that is not whole (0: none), and its last bytes came. */
	int64_t began_after_ms, moved_after_ms;
	int64_t taken_after_ms; /* when some of out last went, or began to wait */
	/* Its place among those that wait for room, and whether it waits now. */
	struct grpc_stream *next_turn, *previous_turn;
	bool has_turn, is_short;
	bool is_paused, is_delivering;
	bool has_half_closed; /* the peer */
	bool is_half_closed_told;
	bool is_broken;  /* nothing more of it is read */
	bool is_end_due; /* after what is queued: trailers or END_STREAM */
	bool is_end_sent;
	bool is_deferred; /* the data provider waits for data */
	bool was_full;    /* since `writable` was told */
	bool is_listed;
};

void grpc_stream_init(struct grpc_stream *stream, const struct grpc_stream_kind *kind,
	struct h2_connection *connection, size_t message_bytes_max, size_t waiting_max);
/** Frees what it holds, not itself. */
void grpc_stream_done(struct grpc_stream *stream);

/** Queues one framed message. ERR_LIMIT: too much waits. */
CHECKED int grpc_stream_send(
	struct grpc_stream *stream, struct text message, bool gzip, struct err *err);
/** Nothing follows what is queued. */
void grpc_stream_end(struct grpc_stream *stream);
void grpc_stream_pause(struct grpc_stream *stream);
void grpc_stream_resume(struct grpc_stream *stream);
void grpc_stream_reset(struct grpc_stream *stream, uint32_t code);
/** There may be room for what came. */
void grpc_stream_go_on(struct grpc_stream *stream);
/** Nothing more of it is read; what came is forgotten. */
void grpc_stream_stop_reading(struct grpc_stream *stream);
/** A message is due: it counts as begun. */
void grpc_stream_expect(struct grpc_stream *stream);
/** Ends it when a message comes too slowly, or nobody takes what waits: no byte for @stalled_ms,
 * or less than 1 KiB/s after 10 s. */
void grpc_stream_look(struct grpc_stream *stream, int64_t now_ms, int64_t stalled_ms);
size_t grpc_stream_waiting_bytes(const struct grpc_stream *stream);

/** The stream has its id: nghttp2 tells it what comes, the connection closes it at its end. */
CHECKED bool grpc_stream_list(struct grpc_stream *stream, int32_t id);
/** For nghttp2's submits; its source is the stream. */
nghttp2_data_provider grpc_stream_provider(struct grpc_stream *stream);
/** A field whose texts nghttp2 copies. */
nghttp2_nv grpc_field(struct text name, struct text value);

/* From the connection's callbacks. */

/** DATA. */
void grpc_stream_receive(struct grpc_stream *stream, struct text bytes);
/** END_STREAM. */
void grpc_stream_half_close(struct grpc_stream *stream);
