/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_stream.h"

#include <string.h>

enum {
	ARENA_BYTES = 1024 * 1024,
	/* A peer may fill its window, and what it sent before it heard of a smaller one. */
	HELD_BYTES_MAX = 2 * H2_STREAM_WINDOW,
	OUT_BYTES_MAX = 256 * 1024 * 1024,
	MOVE_BYTES = 65536, /* sent bytes at the front that are worth moving the rest for */
	GRACE_MS = 10000,   /* of a message, before the least rate of 1 byte a ms counts */
};

void grpc_stream_init(struct grpc_stream *stream, const struct grpc_stream_kind *kind,
	struct h2_connection *connection, size_t message_bytes_max, size_t waiting_max)
{
	stream->kind = kind;
	stream->connection = connection;
	arena_init_small(&stream->arena, ARENA_BYTES);
	grpc_reader_init(&stream->reader, message_bytes_max);
	stream->reader.room = &connection->share;
	buf_init(&stream->held, HELD_BYTES_MAX);
	buf_init(&stream->out, OUT_BYTES_MAX);
	stream->waiting_max = waiting_max;
}

bool grpc_stream_list(struct grpc_stream *stream, int32_t id)
{
	struct h2_connection *connection = stream->connection;
	if (nghttp2_session_set_stream_user_data(connection->session, id, stream))
		return false;
	stream->id = id;
	stream->next = connection->streams;
	if (stream->next)
		stream->next->previous = stream;
	connection->streams = stream;
	connection->n_streams++;
	stream->is_listed = true;
	return true;
}

static void unlist(struct grpc_stream *stream)
{
	struct h2_connection *connection = stream->connection;
	if (!stream->is_listed)
		return;
	nghttp2_session_set_stream_user_data(connection->session, stream->id, NULL);
	if (stream->previous)
		stream->previous->next = stream->next;
	else
		connection->streams = stream->next;
	if (stream->next)
		stream->next->previous = stream->previous;
	connection->n_streams--;
	stream->is_listed = false;
}

void grpc_stream_done(struct grpc_stream *stream)
{
	grpc_stream_stop_reading(stream);
	unlist(stream);
	grpc_room_give(stream->reader.room, grpc_stream_waiting_bytes(stream));
	grpc_room_narrow(stream->reader.room, stream->wide_bytes);
	buf_done(&stream->out);
	arena_done(&stream->arena);
}

/* ---- what comes ---- */

/* The call's window for what was read. */
static void consume(struct grpc_stream *stream, size_t size)
{
	if (size)
		nghttp2_session_consume_stream(stream->connection->session, stream->id, size);
}

/* Its message is whole, or it wants none now. */
static void leave_turn(struct grpc_stream *stream)
{
	stream->is_short = false;
	if (stream->connection->turns)
		grpc_turns_leave(stream->connection->turns, stream);
}

void grpc_stream_stop_reading(struct grpc_stream *stream)
{
	stream->is_broken = true;
	grpc_reader_done(&stream->reader);
	leave_turn(stream);
	if (stream->is_delivering) /* out of held, perhaps */
		return;
	grpc_room_give(stream->reader.room, stream->held.size);
	buf_done(&stream->held);
}

static void fail(struct grpc_stream *stream, const struct grpc_status *status)
{
	if (stream->is_broken)
		return;
	grpc_stream_stop_reading(stream);
	stream->kind->broken(stream, status);
}

static int64_t now_of(const struct grpc_stream *stream)
{
	return clock_monotonic_ms(stream->connection->clock);
}

static void note_progress(struct grpc_stream *stream)
{
	stream->moved_after_ms = now_of(stream);
	if (!stream->began_after_ms)
		stream->began_after_ms = stream->moved_after_ms;
}

void grpc_stream_expect(struct grpc_stream *stream)
{
	note_progress(stream);
}

static void wait_for_room(struct grpc_stream *stream, const struct grpc_status *status)
{
	if (!stream->connection->turns) {
		fail(stream, status);
		return;
	}
	stream->is_short = true;
	grpc_turns_wait(stream->connection->turns, stream);
}

/* A server's window is small, as hundreds of calls may be paused. A message that is longer would
 * come in many small pieces, each with an answer: three times the work. */
static void widen(struct grpc_stream *stream)
{
	nghttp2_session *session = stream->connection->session;
	if (stream->wide_bytes || !stream->connection->turns)
		return;
	int32_t window =
		nghttp2_session_get_stream_effective_local_window_size(session, stream->id);
	if (window <= 0 || window >= H2_STREAM_WINDOW ||
		grpc_reader_wanted(&stream->reader) <= (size_t)window)
		return;
	size_t more = (size_t)(H2_STREAM_WINDOW - window);
	if (!grpc_room_widen(stream->reader.room, more))
		return;
	stream->wide_bytes = more;
	ignore(nghttp2_session_set_local_window_size(
		session, NGHTTP2_FLAG_NONE, stream->id, H2_STREAM_WINDOW));
}

/* Messages until the bytes are used up, or the stream is paused, or there is no room. */
static void deliver(struct grpc_stream *stream, struct text *bytes)
{
	struct grpc_status status;
	char *message = NULL;
	size_t size = 0;
	while (!stream->is_broken && !stream->is_paused && !stream->is_short && bytes->size) {
		switch (grpc_reader_feed(&stream->reader, bytes, &message, &size, &status)) {
		case GRPC_READ_MORE:
			break;
		case GRPC_READ_MESSAGE:
			stream->began_after_ms = 0;
			leave_turn(stream);
			stream->kind->message(stream, message, size);
			break;
		case GRPC_READ_NO_ROOM:
			wait_for_room(stream, &status);
			break;
		case GRPC_READ_FAILED:
			fail(stream, &status);
			break;
		}
	}
	if (stream->is_broken) {
		bytes->size = 0;
	} else if (grpc_reader_is_inside(&stream->reader)) {
		note_progress(stream);
		if (!stream->is_short)
			widen(stream);
	}
}

static void tell_half_closed(struct grpc_stream *stream)
{
	static const struct grpc_status cut = {
		.code = GRPC_INTERNAL, .message = {"the last message is cut short", 29}};
	if (!stream->has_half_closed || stream->is_half_closed_told || stream->held.size)
		return;
	stream->is_half_closed_told = true;
	if (grpc_reader_is_inside(&stream->reader))
		fail(stream, &cut);
	else if (!stream->is_broken)
		stream->kind->half_closed(stream);
}

static const struct grpc_status no_room = {.code = GRPC_RESOURCE_EXHAUSTED,
	.message = {"too much of this address, or of all, waits to be read: fewer calls at a time, "
		    "or later",
		86}};

static void hold(struct grpc_stream *stream, struct text bytes)
{
	if (!grpc_room_take(stream->reader.room, bytes.size)) {
		fail(stream, &no_room);
		return;
	}
	buf_add(&stream->held, bytes);
	if (buf_ok(&stream->held))
		return;
	grpc_room_give(stream->reader.room, bytes.size);
	fail(stream, &no_room);
}

/* The connection's window is for all calls: one that waits uses up its own. */
void grpc_stream_receive(struct grpc_stream *stream, struct text bytes)
{
	size_t size = bytes.size;
	nghttp2_session_consume_connection(stream->connection->session, size);
	if ((!stream->held.size && !stream->is_short) || stream->is_broken) {
		stream->is_delivering = true;
		deliver(stream, &bytes);
		stream->is_delivering = false;
	}
	consume(stream, size - bytes.size);
	if (bytes.size)
		hold(stream, bytes);
}

void grpc_stream_half_close(struct grpc_stream *stream)
{
	stream->has_half_closed = true;
	tell_half_closed(stream);
}

void grpc_stream_pause(struct grpc_stream *stream)
{
	stream->is_paused = true;
	if (stream->has_turn)
		leave_turn(stream);
}

/* What waited, as far as that is possible. */
static void deliver_held(struct grpc_stream *stream)
{
	if (stream->began_after_ms) /* it was we who waited */
		stream->began_after_ms = stream->moved_after_ms = now_of(stream);
	/* Inside of a delivery it simply goes on. */
	if (stream->is_delivering || !stream->connection->session)
		return;
	struct text left = buf_text(&stream->held);
	size_t size = left.size;
	/* It goes from here to there: not counted twice meanwhile. */
	grpc_room_give(stream->reader.room, size);
	stream->is_delivering = true;
	deliver(stream, &left);
	stream->is_delivering = false;
	size_t used = size - left.size;
	if (left.size && used)
		memmove(stream->held.data, stream->held.data + used, left.size);
	stream->held.size = left.size;
	bool has_room = grpc_room_take(stream->reader.room, left.size);
	if (!left.size || !has_room)
		buf_done(&stream->held);
	if (!has_room)
		fail(stream, &no_room);
	consume(stream, used);
	tell_half_closed(stream);
	h2_connection_flush(stream->connection);
}

void grpc_stream_resume(struct grpc_stream *stream)
{
	stream->is_paused = false;
	deliver_held(stream);
}

void grpc_stream_go_on(struct grpc_stream *stream)
{
	stream->is_short = false;
	deliver_held(stream);
}

/* ---- what goes ---- */

size_t grpc_stream_waiting_bytes(const struct grpc_stream *stream)
{
	return stream->out.size - stream->n_sent;
}

static void tell_writable(struct grpc_stream *stream)
{
	if (!stream->was_full || grpc_stream_waiting_bytes(stream) > stream->waiting_max / 2)
		return;
	stream->was_full = false;
	if (stream->kind->writable)
		stream->kind->writable(stream);
}

static void drop_sent(struct grpc_stream *stream)
{
	size_t left = grpc_stream_waiting_bytes(stream);
	if (left == 0) {
		if (stream->out.capacity > MOVE_BYTES)
			buf_done(&stream->out);
		else
			buf_clear(&stream->out);
		stream->n_sent = 0;
	} else if (stream->n_sent >= MOVE_BYTES && stream->n_sent >= left) {
		memmove(stream->out.data, stream->out.data + stream->n_sent, left);
		stream->out.size = left;
		stream->n_sent = 0;
	}
}

/* The signature is nghttp2's. NOLINTNEXTLINE(readability-function-size) */
static ssize_t read_out(nghttp2_session *session, int32_t id, uint8_t *room, size_t size,
	uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
	struct grpc_stream *stream = source->ptr;
	struct h2_connection *connection = ctx;
	size_t left = grpc_stream_waiting_bytes(stream);
	size_t n = left < size ? left : size;
	(void)session;
	(void)id;
	if (n) {
		memcpy(room, stream->out.data + stream->n_sent, n);
		stream->n_sent += n;
		stream->taken_after_ms = now_of(stream);
		grpc_room_give(stream->reader.room, n);
		drop_sent(stream);
		h2_flood_give(&connection->flood, H2_FLOOD_DATA);
		tell_writable(stream);
	}
	if (grpc_stream_waiting_bytes(stream) == 0 && stream->is_end_due) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (connection->owner->is_server)
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
		stream->is_end_sent = true;
		if (stream->kind->drained)
			stream->kind->drained(stream);
		return (ssize_t)n;
	}
	stream->is_deferred = n == 0;
	return n ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
}

nghttp2_data_provider grpc_stream_provider(struct grpc_stream *stream)
{
	return (nghttp2_data_provider){.source = {.ptr = stream}, .read_callback = read_out};
}

static void go_on(struct grpc_stream *stream)
{
	if (stream->is_deferred && stream->connection->session) {
		stream->is_deferred = false;
		nghttp2_session_resume_data(stream->connection->session, stream->id);
	}
	h2_connection_flush(stream->connection);
}

int grpc_stream_send(struct grpc_stream *stream, struct text message, bool gzip, struct err *err)
{
	size_t waiting = grpc_stream_waiting_bytes(stream), before = stream->out.size;
	if (stream->is_end_due)
		return err_set(err, ERR_IO, "the call has been ended");
	if (waiting && message.size + waiting > stream->waiting_max) {
		stream->was_full = true;
		return err_set(err, ERR_LIMIT, "%zu bytes wait for the peer to read", waiting);
	}
	grpc_frame_write(&stream->out, message, gzip);
	size_t added = stream->out.size - before;
	if (!buf_ok(&stream->out) || !grpc_room_take(stream->reader.room, added)) {
		stream->out.size = before;
		return buf_ok(&stream->out)
			       ? err_set(err, ERR_LIMIT, "too much waits for peers to read")
			       : buf_error(&stream->out, err, "what waits for the peer");
	}
	if (!waiting)
		stream->taken_after_ms = now_of(stream);
	go_on(stream);
	return 0;
}

void grpc_stream_end(struct grpc_stream *stream)
{
	stream->is_end_due = true;
	if (grpc_stream_waiting_bytes(stream) == 0)
		stream->taken_after_ms = now_of(stream);
	go_on(stream);
}

void grpc_stream_reset(struct grpc_stream *stream, uint32_t code)
{
	stream->is_broken = true;
	if (stream->connection->session && stream->is_listed)
		nghttp2_submit_rst_stream(
			stream->connection->session, NGHTTP2_FLAG_NONE, stream->id, code);
	h2_connection_flush(stream->connection);
}

/* ---- time ---- */

/* Does something wait for the peer to take it? */
static bool is_stuck(const struct grpc_stream *stream)
{
	return grpc_stream_waiting_bytes(stream) || (stream->is_end_due && !stream->is_end_sent);
}

void grpc_stream_look(struct grpc_stream *stream, int64_t now_ms, int64_t stalled_ms)
{
	static const struct grpc_status slow = {.code = GRPC_DEADLINE_EXCEEDED,
		.message = {"a message comes too slowly, or not at all", 41}};
	if (!stream->connection->session)
		return;
	if (is_stuck(stream) && now_ms - stream->taken_after_ms > stalled_ms) {
		stream->taken_after_ms = now_ms;
		grpc_stream_reset(stream, NGHTTP2_CANCEL);
		return;
	}
	if (!stream->began_after_ms || stream->is_paused || stream->is_broken)
		return;
	/* 1 KiB/s is one byte a millisecond. */
	int64_t earned_ms = GRACE_MS + (int64_t)grpc_reader_bytes(&stream->reader);
	if (stream->is_short)
		stream->began_after_ms = stream->moved_after_ms = now_ms;
	else if (now_ms - stream->moved_after_ms > stalled_ms ||
		 now_ms - stream->began_after_ms > earned_ms)
		fail(stream, &slow);
}

nghttp2_nv grpc_field(struct text name, struct text value)
{
	static uint8_t empty[1];
	return (nghttp2_nv){
		.name = name.size ? (uint8_t *)(uintptr_t)name.data : empty,
		.namelen = name.size,
		.value = value.size ? (uint8_t *)(uintptr_t)value.data : empty,
		.valuelen = value.size,
		.flags = NGHTTP2_NV_FLAG_NONE,
	};
}
