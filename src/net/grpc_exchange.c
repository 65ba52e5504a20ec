/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "net/grpc_header.h"
#include "net/grpc_stream.h"

enum {
	EXCHANGE_WAITING_BYTES_MAX = 8 * 1024 * 1024,
	HEADER_BYTES_MAX = 64 * 1024,
	FIELDS_MAX = 40, /* ours and the caller's metadata */
};

struct grpc_exchange {
	struct grpc_stream stream; /* first */
	struct grpc_exchange_options options;
	struct loop_timer *timer;  /* of the deadline; and of telling what we decided */
	int64_t deadline_after_ms; /* INT64_MAX: none */
	struct grpc_status status; /* what the server said, or what we decided */
	unsigned http_status;
	bool has_status; /* of gRPC */
	bool has_head;
	bool is_ours; /* the status is our decision: nothing else counts */
	bool is_finished;
};

static struct grpc_exchange *exchange_of(struct grpc_stream *stream)
{
	return (struct grpc_exchange *)(void *)stream; /* first member */
}

static void tell_finished(struct grpc_exchange *exchange)
{
	if (exchange->is_finished)
		return;
	exchange->is_finished = true;
	exchange->stream.is_broken = true;
	exchange->options.finished(exchange, &exchange->status, exchange->options.ctx);
}

/* Our own end of it: the server is told to stop. Its owner hears of it in the loop's next turn,
 * though the stream may last: it waits for its turn, or the socket takes nothing. */
static void decide(struct grpc_exchange *exchange, enum grpc_code code, struct text message)
{
	if (exchange->is_ours || exchange->is_finished)
		return;
	exchange->is_ours = true;
	exchange->status = (struct grpc_status){
		.code = code, .message = arena_copy(&exchange->stream.arena, message)};
	grpc_stream_reset(&exchange->stream, NGHTTP2_CANCEL);
	loop_timer_start(exchange->timer, 0);
}

static void on_timer(void *ctx)
{
	struct grpc_exchange *exchange = ctx;
	if (exchange->is_ours)
		tell_finished(exchange);
	else
		decide(exchange, GRPC_DEADLINE_EXCEEDED, TEXT("the call took too long"));
}

static void read_status(struct grpc_exchange *exchange, struct text value)
{
	uint64_t code;
	exchange->has_status = true;
	exchange->status.code = text_to_u64(value, &code) && code <= GRPC_UNAUTHENTICATED
					? (enum grpc_code)code
					: GRPC_UNKNOWN;
}

static bool on_header(struct grpc_stream *stream, struct text name, struct text value)
{
	struct grpc_exchange *exchange = exchange_of(stream);
	struct arena *arena = &stream->arena;
	uint64_t number;
	stream->header_bytes += name.size + value.size;
	if (stream->header_bytes > HEADER_BYTES_MAX)
		return false;
	if (exchange->is_ours)
		return true;
	if (text_is(name, ":status") && text_to_u64(value, &number))
		exchange->http_status = (unsigned)number;
	else if (text_is(name, "grpc-status"))
		read_status(exchange, value);
	else if (text_is(name, "grpc-message"))
		exchange->status.message = grpc_message_read(value, arena);
	else if (text_is(name, "grpc-status-details-bin") &&
		 !base64_read(value, arena, &exchange->status.details))
		exchange->status.details = TEXT_NONE;
	else if (text_is(name, "grpc-encoding"))
		stream->reader.may_be_gzip = text_is(value, "gzip");
	return true;
}

static void on_headers_end(struct grpc_stream *stream, bool is_end)
{
	struct grpc_exchange *exchange = exchange_of(stream);
	if (exchange->http_status / 100 == 1) /* the answer follows */
		return;
	if (!exchange->has_head && exchange->http_status != 200) {
		if (!exchange->has_status)
			exchange->status.code = grpc_code_of_http(exchange->http_status);
		/* What follows is no message, and need not come to an end. */
		stream->is_broken = true;
		if (!is_end || !stream->is_end_sent)
			grpc_stream_reset(stream, NGHTTP2_CANCEL);
	}
	exchange->has_head = true;
}

static void on_message(struct grpc_stream *stream, char *data, size_t size)
{
	struct grpc_exchange *exchange = exchange_of(stream);
	if (!exchange->is_finished && exchange->options.message)
		exchange->options.message(
			exchange, (struct text){data, size}, exchange->options.ctx);
	free(data);
}

static void on_broken(struct grpc_stream *stream, const struct grpc_status *status)
{
	decide(exchange_of(stream), status->code, status->message);
}

static void on_half_closed(struct grpc_stream *stream)
{
	/* The status is there: on_closed tells. What we would still say nobody wants to hear. */
	if (!stream->is_end_sent && !exchange_of(stream)->is_ours)
		grpc_stream_reset(stream, NGHTTP2_NO_ERROR);
}

static void on_writable(struct grpc_stream *stream)
{
	struct grpc_exchange *exchange = exchange_of(stream);
	if (!exchange->is_finished && exchange->options.writable)
		exchange->options.writable(exchange, exchange->options.ctx);
}

/* Without a status of gRPC: what the end of the stream means. */
static enum grpc_code code_of_reset(uint32_t code)
{
	switch (code) {
	case NGHTTP2_REFUSED_STREAM:
	case NGHTTP2_INTERNAL_ERROR: /* ours, too, for a connection that broke */
		return GRPC_UNAVAILABLE;
	case NGHTTP2_CANCEL:
		return GRPC_CANCELLED;
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return GRPC_RESOURCE_EXHAUSTED;
	case NGHTTP2_INADEQUATE_SECURITY:
		return GRPC_PERMISSION_DENIED;
	default:
		return GRPC_INTERNAL;
	}
}

/* A server whose clock was first resets the call: our own timer may not have been heard yet. */
static bool is_too_late(const struct grpc_exchange *exchange, uint32_t code)
{
	int64_t now_ms = clock_monotonic_ms(exchange->stream.connection->clock);
	return code == NGHTTP2_CANCEL && now_ms >= exchange->deadline_after_ms;
}

static void on_closed(struct grpc_stream *stream, uint32_t code)
{
	struct grpc_exchange *exchange = exchange_of(stream);
	bool has_http_error = exchange->has_head && exchange->http_status != 200;
	if (!exchange->is_ours && !exchange->has_status && !has_http_error) {
		const struct h2_connection *connection = stream->connection;
		bool is_gone = connection->is_ended && connection->err.kind == ERR_NONE;
		exchange->status.code =
			is_too_late(exchange, code) ? GRPC_DEADLINE_EXCEEDED : code_of_reset(code);
		exchange->status.message = is_gone ? TEXT("the other side closed the connection")
					   : connection->is_ended
						   ? text_of(connection->err.text)
						   : TEXT("the stream ended without a status");
	}
	tell_finished(exchange);
	loop_timer_free(exchange->timer);
	grpc_stream_done(stream);
	free(exchange);
}

static const struct grpc_stream_kind kind = {
	.header = on_header,
	.headers_end = on_headers_end,
	.message = on_message,
	.broken = on_broken,
	.half_closed = on_half_closed,
	.writable = on_writable,
	.closed = on_closed,
};

void grpc_exchanges_cancel(struct h2_connection *connection)
{
	for (struct grpc_stream *stream = connection->streams; stream; stream = stream->next) {
		struct grpc_exchange *exchange = exchange_of(stream);
		if (exchange->is_finished)
			continue;
		exchange->status = (struct grpc_status){.code = GRPC_CANCELLED};
		tell_finished(exchange);
	}
}

static size_t request_fields(const struct exchange_place *place,
	const struct grpc_exchange_options *options, char *timeout, nghttp2_nv *fields)
{
	size_t n = 0;
	fields[n++] = grpc_field(TEXT(":method"), TEXT("POST"));
	fields[n++] = grpc_field(TEXT(":scheme"), place->is_plain ? TEXT("http") : TEXT("https"));
	fields[n++] = grpc_field(TEXT(":path"), text_of(options->path));
	fields[n++] = grpc_field(TEXT(":authority"), text_of(place->authority));
	fields[n++] = grpc_field(TEXT("te"), TEXT("trailers"));
	fields[n++] = grpc_field(TEXT("content-type"), TEXT("application/grpc"));
	fields[n++] = grpc_field(TEXT("user-agent"), TEXT("tocsin"));
	fields[n++] = grpc_field(TEXT("grpc-accept-encoding"), TEXT("identity,gzip"));
	if (options->is_compressed)
		fields[n++] = grpc_field(TEXT("grpc-encoding"), TEXT("gzip"));
	if (options->timeout_ms) {
		grpc_timeout_write(options->timeout_ms, timeout);
		fields[n++] = grpc_field(TEXT("grpc-timeout"), text_of(timeout));
	}
	for (const char *const *at = options->metadata; at && at[0] && n < FIELDS_MAX; at += 2)
		fields[n++] = grpc_field(text_of(at[0]), text_of(at[1]));
	return n;
}

static int submit(
	struct grpc_exchange *exchange, const struct exchange_place *place, struct err *err)
{
	char timeout[GRPC_TIMEOUT_BYTES];
	nghttp2_nv fields[FIELDS_MAX];
	nghttp2_data_provider provider = grpc_stream_provider(&exchange->stream);
	size_t n = request_fields(place, &exchange->options, timeout, fields);
	int32_t id = nghttp2_submit_request(
		place->connection->session, NULL, fields, n, &provider, &exchange->stream);
	if (id < 0)
		return err_set(err, id == NGHTTP2_ERR_NOMEM ? ERR_MEMORY : ERR_BUSY,
			"beginning a call: %s", nghttp2_strerror(id));
	return grpc_stream_list(&exchange->stream, id)
		       ? 0
		       : err_set(err, ERR_MEMORY, "no memory for a call");
}

int grpc_exchange_begin(struct grpc_exchange **out, const struct exchange_place *place,
	const struct grpc_exchange_options *options, struct err *err)
{
	struct grpc_exchange *exchange = calloc(1, sizeof *exchange);
	if (!exchange)
		return err_set(err, ERR_MEMORY, "no memory for a call");
	exchange->options = *options;
	grpc_stream_init(&exchange->stream, &kind, place->connection, place->message_bytes_max,
		EXCHANGE_WAITING_BYTES_MAX);
	exchange->deadline_after_ms =
		options->timeout_ms
			? clock_monotonic_ms(place->connection->clock) + options->timeout_ms
			: INT64_MAX;
	exchange->timer = loop_timer_new(place->loop, on_timer, exchange);
	int failed = exchange->timer ? submit(exchange, place, err)
				     : err_set(err, ERR_MEMORY, "no memory for a call");
	if (failed) {
		loop_timer_free(exchange->timer);
		grpc_stream_done(&exchange->stream);
		free(exchange);
		return -1;
	}
	if (options->timeout_ms)
		loop_timer_start(exchange->timer, options->timeout_ms);
	h2_connection_flush(place->connection);
	*out = exchange;
	return 0;
}

int grpc_exchange_send(struct grpc_exchange *exchange, struct text message, struct err *err)
{
	if (exchange->is_finished || exchange->is_ours)
		return err_set(err, ERR_IO, "the call is over");
	return grpc_stream_send(&exchange->stream, message, exchange->options.is_compressed, err);
}

size_t grpc_exchange_waiting_bytes(const struct grpc_exchange *exchange)
{
	return grpc_stream_waiting_bytes(&exchange->stream);
}

void grpc_exchange_close_send(struct grpc_exchange *exchange)
{
	grpc_stream_end(&exchange->stream);
}

void grpc_exchange_cancel(struct grpc_exchange *exchange)
{
	decide(exchange, GRPC_CANCELLED, TEXT("we cancelled the call"));
}
