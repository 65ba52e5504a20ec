/* SPDX-License-Identifier: Apache-2.0 */
#include "net/h2_connection.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/grpc_stream.h"

enum {
	READS_A_TURN = 4, /* of H2_READ_BYTES: others shall have their turn */
	OUT_BYTES_MAX = 1024 * 1024,
	QUEUED_FRAMES_MAX = 10000, /* that nghttp2 holds for a peer that does not read */
	KEPT_OUT_BYTES = 65536,    /* of memory, while nothing is sent */
};

static void settle(struct h2_connection *connection);

/* ---- what comes ---- */

static struct grpc_stream *stream_of(nghttp2_session *session, int32_t id)
{
	return id ? nghttp2_session_get_stream_user_data(session, id) : NULL;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct h2_connection *connection = ctx;
	(void)session;
	h2_flood_give(&connection->flood, 1);
	if (!connection->owner->is_server || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	h2_flood_give(&connection->flood, H2_FLOOD_CALL);
	struct grpc_stream *stream = NULL;
	if (!connection->is_ended)
		stream = connection->owner->opened(connection, frame->hd.stream_id);
	/* Of a refused call nothing is heard any more. */
	connection->headers_after_ms = stream ? clock_monotonic_ms(connection->clock) : 0;
	return stream ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* The signature is nghttp2's. NOLINTNEXTLINE(readability-function-size) */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *ctx)
{
	struct h2_connection *connection = ctx;
	struct grpc_stream *stream = stream_of(session, frame->hd.stream_id);
	(void)flags;
	if (!stream)
		return 0;
	bool good = stream->kind->header(stream, (struct text){(const char *)name, name_size},
		(struct text){(const char *)value, value_size});
	if (!good)
		connection->headers_after_ms = 0;
	return good ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Frames that are wrong are charged, too, and those of closed streams but for their DATA, which
 * nghttp2 throws away unseen. Nothing is ended here: nghttp2 would read on. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *ctx)
{
	struct h2_connection *connection = ctx;
	int64_t cost = head->type == NGHTTP2_RST_STREAM ? H2_FLOOD_RESET : 1;
	(void)session;
	h2_flood_take(&connection->flood, cost, clock_monotonic_ms(connection->clock));
	return 0;
}

/* A frame of a kind that HTTP/2 (RFC 9113) does not have: passed over. */
static int on_unknown_frame(
	nghttp2_session *session, void **payload, const nghttp2_frame_hd *head, void *ctx)
{
	(void)session;
	(void)payload;
	(void)head;
	(void)ctx;
	return NGHTTP2_ERR_CANCEL;
}

/* SETTINGS come first: nghttp2 sees to it. */
static void greet(struct h2_connection *connection)
{
	if (connection->is_greeted)
		return;
	connection->is_greeted = true;
	if (connection->owner->greeted)
		connection->owner->greeted(connection);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct h2_connection *connection = ctx;
	struct grpc_stream *stream = stream_of(session, frame->hd.stream_id);
	bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	greet(connection);
	if (frame->hd.type == NGHTTP2_HEADERS)
		connection->headers_after_ms = 0;
	if (!stream || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS)
		stream->kind->headers_end(stream, is_end);
	if (is_end)
		grpc_stream_half_close(stream);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
	size_t size, void *ctx)
{
	struct h2_connection *connection = ctx;
	struct grpc_stream *stream = stream_of(session, id);
	(void)flags;
	h2_flood_give(&connection->flood, H2_FLOOD_DATA);
	if (stream)
		grpc_stream_receive(stream, (struct text){(const char *)data, size});
	else
		nghttp2_session_consume(session, id, size);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *ctx)
{
	struct grpc_stream *stream = stream_of(session, id);
	(void)ctx;
	if (stream)
		stream->kind->closed(stream, code);
	return 0;
}

/* Who makes us reset its calls pays as if it had. Over the limit of calls none has begun. */
static int64_t cost_of_reset(uint32_t code)
{
	switch (code) {
	case NGHTTP2_NO_ERROR: /* it is answered */
		return 0;
	case NGHTTP2_REFUSED_STREAM:
		return 1;
	default:
		return H2_FLOOD_RESET;
	}
}

/* We have said all; a peer that goes on sending is told to stop. */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct h2_connection *connection = ctx;
	const struct grpc_stream *stream = stream_of(session, frame->hd.stream_id);
	if (connection->owner->is_server && frame->hd.type == NGHTTP2_RST_STREAM)
		h2_connection_charge(connection, cost_of_reset(frame->rst_stream.error_code));
	if (stream && connection->owner->is_server && frame->hd.type == NGHTTP2_HEADERS &&
		(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && !stream->has_half_closed)
		nghttp2_submit_rst_stream(
			session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
	return 0;
}

static int make_session(struct h2_connection *connection, uint32_t calls_max, struct err *err)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	int failed = nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option);
	if (!failed) {
		nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
		nghttp2_session_callbacks_set_on_begin_headers_callback(
			callbacks, on_begin_headers);
		nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
		nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
		nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
		nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
		nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
		nghttp2_session_callbacks_set_unpack_extension_callback(
			callbacks, on_unknown_frame);
		for (unsigned type = NGHTTP2_CONTINUATION + 1; type <= UINT8_MAX; type++)
			nghttp2_option_set_user_recv_extension_type(option, (uint8_t)type);
		nghttp2_option_set_no_auto_window_update(option, 1);
		nghttp2_option_set_no_closed_streams(option, 1);
		nghttp2_option_set_peer_max_concurrent_streams(option, calls_max);
		failed = connection->owner->is_server
				 ? nghttp2_session_server_new2(
					   &connection->session, callbacks, connection, option)
				 : nghttp2_session_client_new2(
					   &connection->session, callbacks, connection, option);
	}
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	return failed ? err_set(err, ERR_MEMORY, "no memory for a connection") : 0;
}

/* ---- what goes ---- */

static size_t pending(const struct h2_connection *connection)
{
	return connection->out.size - connection->n_sent;
}

static void fail(struct h2_connection *connection, const struct err *err)
{
	if (connection->is_ended)
		return;
	connection->is_ended = true;
	if (connection->err.kind == ERR_NONE)
		connection->err = *err;
}

static void fail_code(struct h2_connection *connection, const char *what, int code)
{
	struct err err;
	ignore(err_set(&err, code == NGHTTP2_ERR_NOMEM ? ERR_MEMORY : ERR_IO, "%s: %s", what,
		nghttp2_strerror(code)));
	fail(connection, &err);
}

/* What is sent already makes room, also while the peer takes a little at a time. */
static void drop_sent(struct h2_connection *connection)
{
	size_t left = pending(connection);
	if (connection->n_sent == 0 || connection->n_sent < left)
		return;
	memmove(connection->out.data, connection->out.data + connection->n_sent, left);
	connection->out.size = left;
	connection->n_sent = 0;
}

static bool gather(struct h2_connection *connection)
{
	drop_sent(connection);
	const uint8_t *bytes;
	while (pending(connection) < H2_GATHER_BYTES) {
		ssize_t n = nghttp2_session_mem_send(connection->session, &bytes);
		if (n < 0)
			fail_code(connection, "sending", (int)n);
		if (n <= 0)
			break;
		buf_add_bytes(&connection->out, bytes, (size_t)n);
	}
	if (!buf_ok(&connection->out)) {
		struct err err;
		ignore(buf_error(&connection->out, &err, "what is to be sent"));
		fail(connection, &err);
	}
	return !connection->is_ended;
}

/* false: the socket takes no more, or the connection has failed. */
static bool write_out(struct h2_connection *connection)
{
	struct err err;
	while (pending(connection)) {
		ssize_t n = transport_write(&connection->transport,
			connection->out.data + connection->n_sent, pending(connection), &err);
		if (n < 0)
			fail(connection, &err);
		if (n <= 0)
			return false;
		connection->n_sent += (size_t)n;
		connection->taken_after_ms = clock_monotonic_ms(connection->clock);
	}
	connection->n_sent = 0;
	if (connection->out.capacity > KEPT_OUT_BYTES)
		buf_done(&connection->out);
	else
		buf_clear(&connection->out);
	return true;
}

/* What the socket did not take is taken from the share. */
static void account(struct h2_connection *connection)
{
	struct err err;
	size_t now = pending(connection), before = connection->n_held;
	if (now && !before)
		connection->taken_after_ms = clock_monotonic_ms(connection->clock);
	if (now > before && !grpc_room_take(&connection->share, now - before)) {
		ignore(err_set(&err, ERR_LIMIT, "too much waits for peers that do not read"));
		fail(connection, &err);
		return;
	}
	if (now < before)
		grpc_room_give(&connection->share, before - now);
	connection->n_held = now;
}

static void drop_out(struct h2_connection *connection)
{
	buf_done(&connection->out);
	connection->n_sent = 0;
	account(connection);
}

static void want(struct h2_connection *connection)
{
	bool reads =
		nghttp2_session_get_outbound_queue_size(connection->session) < QUEUED_FRAMES_MAX;
	if (!loop_socket_want(connection->socket, reads, pending(connection) > 0)) {
		struct err err;
		ignore(err_set(&err, ERR_MEMORY, "no memory for a connection"));
		fail(connection, &err);
	}
}

static void push(struct h2_connection *connection)
{
	struct err none = {0};
	if (!connection->is_up || connection->is_ended)
		return;
	while (gather(connection) && pending(connection))
		if (!write_out(connection))
			break;
	account(connection);
	if (connection->is_ended)
		return;
	if (!pending(connection) && !nghttp2_session_want_read(connection->session) &&
		!nghttp2_session_want_write(connection->session))
		fail(connection, &none);
	else
		want(connection);
}

/* ---- turns ---- */

/* Once for a connection. */
static void tell_flooded(struct h2_connection *connection)
{
	if (!connection->is_flooded && connection->owner->flooded)
		connection->owner->flooded(connection);
	connection->is_flooded = true;
}

static void read_some(struct h2_connection *connection)
{
	struct err err;
	connection->reads_on = false;
	for (int i = 0; i < READS_A_TURN && !connection->is_ended; i++) {
		ssize_t n = transport_read(
			&connection->transport, connection->room, H2_READ_BYTES, &err);
		if (n < 0)
			fail(connection, &err);
		if (n <= 0)
			return;
		connection->heard_after_ms = clock_monotonic_ms(connection->clock);
		ssize_t used =
			nghttp2_session_mem_recv(connection->session, connection->room, (size_t)n);
		if (used == NGHTTP2_ERR_FLOODED)
			tell_flooded(connection);
		else
			h2_connection_charge(connection, 0);
		if (used < 0)
			fail_code(connection, "reading", (int)used);
		if (n < H2_READ_BYTES && !transport_has_more(&connection->transport))
			return;
	}
	connection->reads_on = transport_has_more(&connection->transport);
}

static void come_up(struct h2_connection *connection)
{
	struct err err;
	int done = transport_handshake(&connection->transport, &err);
	if (done < 0) {
		fail(connection, &err);
		return;
	}
	if (done == 0) {
		if (!loop_socket_want(
			    connection->socket, true, connection->transport.wants_write)) {
			ignore(err_set(&err, ERR_MEMORY, "no memory for a connection"));
			fail(connection, &err);
		}
		return;
	}
	connection->is_up = true;
	if (connection->owner->up)
		connection->owner->up(connection);
}

static void on_ready(bool readable, bool writable, void *ctx)
{
	struct h2_connection *connection = ctx;
	(void)writable;
	connection->depth++;
	if (!connection->is_up)
		come_up(connection);
	else if (readable)
		read_some(connection);
	push(connection);
	connection->depth--;
	settle(connection);
}

static void on_turn(void *ctx)
{
	struct h2_connection *connection = ctx;
	connection->depth++;
	if (connection->reads_on && connection->is_up && !connection->is_ended)
		read_some(connection);
	push(connection);
	connection->depth--;
	settle(connection);
}

static void close_streams(struct h2_connection *connection)
{
	while (connection->streams)
		connection->streams->kind->closed(connection->streams, NGHTTP2_INTERNAL_ERROR);
}

static void destroy(struct h2_connection *connection)
{
	close_streams(connection);
	loop_socket_free(connection->socket);
	loop_timer_free(connection->timer);
	nghttp2_session_del(connection->session);
	transport_done(&connection->transport);
	drop_out(connection);
	free(connection->own_room);
	free(connection->subject);
	free(connection->doubt);
	free(connection);
}

/* Outside of all callbacks: is it over? */
static void settle(struct h2_connection *connection)
{
	if (connection->depth)
		return;
	if (connection->is_ended && !connection->is_lost_told && !connection->is_freed) {
		connection->is_lost_told = true;
		connection->depth++;
		/* Nothing more is heard of a connection that has ended: a free one has no socket.
		 */
		ignore(loop_socket_want(connection->socket, false, false));
		close_streams(connection);
		drop_out(connection);
		connection->owner->lost(connection, &connection->err);
		connection->depth--;
	}
	if (connection->is_freed)
		destroy(connection);
	else if (connection->reads_on && !connection->is_ended)
		loop_timer_start(connection->timer, 0);
}

/* ---- life ---- */

int h2_connection_new(
	struct h2_connection **out, int fd, const struct h2_options *options, struct err *err)
{
	struct h2_connection *connection = calloc(1, sizeof *connection);
	*out = NULL;
	if (!connection) {
		close(fd);
		return err_set(err, ERR_MEMORY, "no memory for a connection");
	}
	connection->owner = options->owner;
	connection->ctx = options->ctx;
	connection->clock = options->clock;
	connection->own_room = options->room ? NULL : malloc(H2_READ_BYTES);
	connection->room = options->room ? options->room : connection->own_room;
	connection->opened_after_ms = connection->heard_after_ms =
		clock_monotonic_ms(options->clock);
	connection->share.max_bytes = SIZE_MAX;
	transport_init(&connection->transport, fd);
	buf_init(&connection->out, OUT_BYTES_MAX);
	h2_flood_init(&connection->flood, connection->opened_after_ms);
	connection->socket = loop_socket_new(options->loop, fd, on_ready, connection);
	connection->timer = loop_timer_new(options->loop, on_turn, connection);
	if (!connection->room || !connection->socket || !connection->timer) {
		destroy(connection);
		return err_set(err, ERR_MEMORY, "no memory for a connection");
	}
	*out = connection;
	return 0;
}

int h2_connection_start(struct h2_connection *connection, const nghttp2_settings_entry *settings,
	size_t n_settings, uint32_t calls_max, struct err *err)
{
	if (make_session(connection, calls_max, err) < 0)
		return -1;
	if (nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, n_settings) ||
		nghttp2_session_set_local_window_size(
			connection->session, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW) ||
		!loop_socket_want(connection->socket, true, true))
		return err_set(err, ERR_MEMORY, "no memory for a connection");
	return 0;
}

void h2_connection_free(struct h2_connection *connection)
{
	if (!connection || connection->is_freed)
		return;
	connection->is_freed = connection->is_ended = true;
	/* Inside of a callback streams are in use: they get nothing more, and go at its end. */
	for (struct grpc_stream *stream = connection->streams; stream; stream = stream->next)
		stream->is_broken = true;
	if (connection->depth == 0)
		destroy(connection);
}

void h2_connection_flush(struct h2_connection *connection)
{
	/* Inside of a callback its end does it. */
	if (connection->depth == 0 && !connection->is_ended)
		loop_timer_start(connection->timer, 0);
}

bool h2_connection_is_flushed(const struct h2_connection *connection)
{
	if (!connection->is_up || connection->is_ended)
		return true;
	return !pending(connection) && !nghttp2_session_want_write(connection->session) &&
	       transport_is_delivered(&connection->transport);
}

void h2_connection_end(struct h2_connection *connection, const struct err *err)
{
	fail(connection, err);
	if (connection->depth == 0)
		loop_timer_start(connection->timer, 0);
}

void h2_connection_terminate(struct h2_connection *connection, uint32_t code, const struct err *err)
{
	if (connection->err.kind == ERR_NONE)
		connection->err = *err;
	if (!connection->is_up || connection->is_terminated ||
		nghttp2_session_terminate_session(connection->session, code))
		h2_connection_end(connection, err);
	if (!connection->is_terminated)
		connection->terminated_after_ms = clock_monotonic_ms(connection->clock);
	connection->is_terminated = true;
	h2_connection_flush(connection);
}

bool h2_connection_charge(struct h2_connection *connection, int64_t n)
{
	struct err err;
	if (h2_flood_take(&connection->flood, n, clock_monotonic_ms(connection->clock)))
		return true;
	if (connection->is_flooded)
		return false;
	ignore(err_set(&err, ERR_DENIED, "%s sends frames that only make work",
		connection->peer.text[0] ? connection->peer.text : "the peer"));
	tell_flooded(connection);
	h2_connection_terminate(connection, NGHTTP2_ENHANCE_YOUR_CALM, &err);
	return false;
}
