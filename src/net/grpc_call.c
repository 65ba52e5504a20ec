/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "net/grpc_metrics.h"

enum {
	HEADER_COST_BYTES = 32, /* of each field beside its texts (RFC 9113) */
	HEADERS_TOO_LONG_COST = 50,
	FIELDS_MAX = 8,
	STATUS_TEXT_BYTES_MAX = 4096,
	DETAILS_BYTES_MAX = 4096,
};

static struct grpc_call *call_of(struct grpc_stream *stream)
{
	return (struct grpc_call *)(void *)stream; /* first member */
}

static nghttp2_session *session_of(const struct grpc_call *call)
{
	return call->stream.connection->session;
}

static void count_end(struct grpc_server *server, enum grpc_code code)
{
	if ((unsigned)code >= N_GRPC_CODES)
		code = GRPC_UNKNOWN;
	atomic_fetch_add(&server->codes[code], 1);
	grpc_metrics_call(code, server->clock);
}

/* ---- the request's headers ---- */

static struct text *place_of(struct grpc_call *call, struct text name)
{
	const struct {
		const char *name;
		struct text *place;
	} known[] = {
		{":path", &call->path},
		{":method", &call->http_method},
		{"content-type", &call->content_type},
		{"grpc-encoding", &call->encoding},
		{"grpc-accept-encoding", &call->accept_encoding},
		{"grpc-timeout", &call->timeout},
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (text_is(name, known[i].name))
			return known[i].place;
	return NULL;
}

static bool on_header(struct grpc_stream *stream, struct text name, struct text value)
{
	struct grpc_call *call = call_of(stream);
	struct arena *arena = &stream->arena;
	stream->header_bytes += name.size + value.size + HEADER_COST_BYTES;
	if (stream->header_bytes > call->server->limits.header_bytes) {
		h2_connection_charge(stream->connection, HEADERS_TOO_LONG_COST);
		return false;
	}
	if (call->has_request) /* trailers of a client say nothing */
		return true;
	struct text *place = place_of(call, name);
	if (place)
		*place = arena_copy(arena, value);
	struct grpc_metadata *item = arena_alloc(arena, sizeof *item);
	if (item) {
		*item = (struct grpc_metadata){
			call->metadata, arena_copy(arena, name), arena_copy(arena, value)};
		call->metadata = item;
	}
	return !arena->failed;
}

static const struct grpc_method *find_method(const struct grpc_server *server, struct text path)
{
	for (const struct grpc_method *const *table = server->methods; *table; table++)
		for (const struct grpc_method *method = *table; method->path; method++)
			if (text_is(path, method->path))
				return method;
	return NULL;
}

static void finish(struct grpc_call *call, enum grpc_code code, struct text message)
{
	const struct grpc_status status = {.code = code, .message = message};
	grpc_call_finish(call, &status);
}

/* An answer of HTTP alone: whoever asked does not speak gRPC. */
static void refuse(struct grpc_call *call, const char *status)
{
	nghttp2_nv field = grpc_field(TEXT(":status"), text_of(status));
	call->is_finished = call->has_answered = true;
	grpc_stream_stop_reading(&call->stream);
	nghttp2_submit_response(session_of(call), call->stream.id, &field, 1, NULL);
	h2_connection_flush(call->stream.connection);
}

static void on_deadline(void *ctx)
{
	finish(ctx, GRPC_DEADLINE_EXCEEDED, TEXT("the caller's deadline has passed"));
}

static bool set_deadline(struct grpc_call *call)
{
	int64_t timeout_ms;
	if (!call->timeout.size)
		return true;
	if (!grpc_timeout_read(call->timeout, &timeout_ms)) {
		finish(call, GRPC_INTERNAL, TEXT("grpc-timeout is not as gRPC writes it"));
		return false;
	}
	call->deadline = loop_timer_new(call->server->loop, on_deadline, call);
	if (!call->deadline) {
		finish(call, GRPC_RESOURCE_EXHAUSTED, TEXT("no memory now"));
		return false;
	}
	call->deadline_after_ms = clock_monotonic_ms(call->server->clock) + timeout_ms;
	loop_timer_start(call->deadline, timeout_ms);
	return true;
}

/* It holds its headers as long as it lasts. */
static bool take_room(struct grpc_call *call)
{
	size_t size = sizeof *call + call->stream.arena.used_bytes;
	if (!grpc_room_take(&call->stream.connection->share, size)) {
		finish(call, GRPC_RESOURCE_EXHAUSTED, TEXT("too many calls are under way"));
		return false;
	}
	call->n_held = size;
	return true;
}

static void on_request(struct grpc_stream *stream, bool is_end)
{
	struct grpc_call *call = call_of(stream);
	(void)is_end;
	if (call->has_request)
		return;
	call->has_request = true;
	atomic_fetch_add(&call->server->counts[GRPC_CALLS], 1);
	if (!take_room(call))
		return;
	if (!text_is(call->http_method, "POST")) {
		refuse(call, "405");
		return;
	}
	if (!grpc_content_type_is_ours(call->content_type)) {
		refuse(call, "415");
		return;
	}
	const struct grpc_method *method = find_method(call->server, call->path);
	if (!method) {
		finish(call, GRPC_UNIMPLEMENTED, TEXT("there is no such method here"));
		return;
	}
	stream->reader.may_be_gzip = text_is(call->encoding, "gzip");
	if (call->encoding.size && !stream->reader.may_be_gzip &&
		!text_is(call->encoding, "identity")) {
		finish(call, GRPC_UNIMPLEMENTED, TEXT("grpc-encoding may be gzip or identity"));
		return;
	}
	stream->reader.message_bytes_max = method->message_bytes_max;
	call->packs = grpc_takes_gzip(call->accept_encoding);
	if (!set_deadline(call))
		return;
	call->method = method;
	call->is_open = true;
	if (!method->is_client_streaming)
		grpc_stream_expect(stream);
	method->open(call, method->ctx);
}

/* ---- messages ---- */

static void on_message(struct grpc_stream *stream, char *data, size_t size)
{
	struct grpc_call *call = call_of(stream);
	call->n_messages++;
	if (call->n_messages > 1 && !call->method->is_client_streaming) {
		free(data);
		finish(call, GRPC_INTERNAL, TEXT("this method takes one message"));
		return;
	}
	call->method->message(call, data, size, call->method->ctx);
}

static void on_broken(struct grpc_stream *stream, const struct grpc_status *status)
{
	grpc_call_finish(call_of(stream), status);
}

static void on_half_closed(struct grpc_stream *stream)
{
	struct grpc_call *call = call_of(stream);
	if (!call->is_open)
		return;
	if (call->n_messages == 0 && !call->method->is_client_streaming)
		finish(call, GRPC_INTERNAL, TEXT("this method takes one message"));
	else if (call->method->half_closed)
		call->method->half_closed(call, call->method->ctx);
}

static void on_closed(struct grpc_stream *stream, uint32_t code)
{
	struct grpc_call *call = call_of(stream);
	(void)code;
	if (!call->is_finished)
		count_end(call->server, GRPC_CANCELLED);
	call->is_finished = stream->is_broken = true;
	if (call->is_open && call->method->closed)
		call->method->closed(call, call->method->ctx);
	loop_timer_free(call->deadline);
	grpc_room_give(&stream->connection->share, call->n_held);
	grpc_stream_done(stream);
	free(call);
}

/* ---- the answer ---- */

/* The status as fields; @texts lives as long as they are needed. */
static size_t status_fields(const struct grpc_call *call, struct buf texts[3], nghttp2_nv *fields)
{
	size_t n = 0;
	for (int i = 0; i < 3; i++)
		buf_init(&texts[i], 4 * STATUS_TEXT_BYTES_MAX);
	buf_add_u64(&texts[0], (uint64_t)call->status.code);
	fields[n++] = grpc_field(TEXT("grpc-status"), buf_text(&texts[0]));
	if (call->status.message.size) {
		grpc_message_write(&texts[1], call->status.message);
		fields[n++] = grpc_field(TEXT("grpc-message"), buf_text(&texts[1]));
	}
	if (call->status.details.size) {
		grpc_binary_write(&texts[2], call->status.details);
		fields[n++] = grpc_field(TEXT("grpc-status-details-bin"), buf_text(&texts[2]));
	}
	return n;
}

static void texts_done(struct buf texts[3])
{
	for (int i = 0; i < 3; i++)
		buf_done(&texts[i]);
}

static void on_drained(struct grpc_stream *stream)
{
	struct buf texts[3];
	nghttp2_nv fields[FIELDS_MAX];
	struct grpc_call *call = call_of(stream);
	size_t n = status_fields(call, texts, fields);
	nghttp2_submit_trailer(session_of(call), stream->id, fields, n);
	texts_done(texts);
}

static const struct grpc_stream_kind kind = {
	.header = on_header,
	.headers_end = on_request,
	.message = on_message,
	.broken = on_broken,
	.half_closed = on_half_closed,
	.drained = on_drained,
	.closed = on_closed,
};

struct grpc_stream *grpc_call_new(struct h2_connection *connection, int32_t id)
{
	struct grpc_call *call = calloc(1, sizeof *call);
	if (!call)
		return NULL;
	call->server = connection->ctx;
	call->deadline_after_ms = INT64_MAX;
	grpc_stream_init(&call->stream, &kind, connection, 0, CALL_WAITING_BYTES_MAX);
	if (!grpc_stream_list(&call->stream, id)) {
		grpc_stream_done(&call->stream);
		free(call);
		return NULL;
	}
	return &call->stream;
}

static size_t head_fields(const struct grpc_call *call, nghttp2_nv *fields)
{
	size_t n = 0;
	fields[n++] = grpc_field(TEXT(":status"), TEXT("200"));
	fields[n++] = grpc_field(TEXT("content-type"), TEXT("application/grpc"));
	fields[n++] = grpc_field(TEXT("grpc-accept-encoding"), TEXT("identity,gzip"));
	if (call->packs)
		fields[n++] = grpc_field(TEXT("grpc-encoding"), TEXT("gzip"));
	return n;
}

static bool begin_answer(struct grpc_call *call)
{
	nghttp2_nv fields[FIELDS_MAX];
	nghttp2_data_provider provider = grpc_stream_provider(&call->stream);
	size_t n = head_fields(call, fields);
	call->has_answered = true;
	return nghttp2_submit_response(session_of(call), call->stream.id, fields, n, &provider) ==
	       0;
}

int grpc_call_send(struct grpc_call *call, struct text message, struct err *err)
{
	if (call->is_finished)
		return err_set(err, ERR_IO, "the call is over");
	if (grpc_stream_send(&call->stream, message, call->packs, err) < 0)
		return -1;
	if (!call->has_answered && !begin_answer(call))
		return err_set(err, ERR_MEMORY, "no memory for an answer");
	return 0;
}

size_t grpc_call_waiting_bytes(const struct grpc_call *call)
{
	return grpc_stream_waiting_bytes(&call->stream);
}

void grpc_call_finish(struct grpc_call *call, const struct grpc_status *status)
{
	struct buf texts[3];
	nghttp2_nv fields[2 * FIELDS_MAX];
	struct arena *arena = &call->stream.arena;
	if (call->is_finished)
		return;
	call->is_finished = true;
	grpc_stream_stop_reading(&call->stream);
	call->status = (struct grpc_status){.code = status->code,
		.message = arena_copy(arena, text_part(status->message, 0, STATUS_TEXT_BYTES_MAX)),
		.details = arena_copy(arena, text_part(status->details, 0, DETAILS_BYTES_MAX))};
	count_end(call->server, status->code);
	if (call->deadline)
		loop_timer_stop(call->deadline);
	if (call->has_answered) {
		grpc_stream_end(&call->stream);
		return;
	}
	call->has_answered = true;
	call->packs = false;
	size_t n = head_fields(call, fields);
	n += status_fields(call, texts, fields + n);
	nghttp2_submit_response(session_of(call), call->stream.id, fields, n, NULL);
	texts_done(texts);
	h2_connection_flush(call->stream.connection);
}

void grpc_call_pause(struct grpc_call *call)
{
	grpc_stream_pause(&call->stream);
}

void grpc_call_resume(struct grpc_call *call)
{
	grpc_stream_resume(&call->stream);
}

/* ---- what is known of it ---- */

struct text grpc_call_path(const struct grpc_call *call)
{
	return call->path;
}

struct text grpc_call_metadata(const struct grpc_call *call, const char *name)
{
	struct text wanted = text_of(name), bytes;
	const struct grpc_metadata *item = call->metadata;
	while (item && !text_equal(item->name, wanted))
		item = item->next;
	if (!item || !text_ends(wanted, TEXT("-bin")))
		return item ? item->value : TEXT_NONE;
	struct arena *arena = (struct arena *)(uintptr_t)&call->stream.arena;
	return base64_read(item->value, arena, &bytes) ? bytes : TEXT_NONE;
}

struct text grpc_call_peer(const struct grpc_call *call)
{
	return text_of(call->stream.connection->peer.text);
}

bool grpc_call_is_loopback(const struct grpc_call *call)
{
	return call->stream.connection->peer.is_loopback;
}

struct text grpc_call_subject(const struct grpc_call *call)
{
	return text_of(call->stream.connection->subject);
}

struct text grpc_call_doubt(const struct grpc_call *call)
{
	return text_of(call->stream.connection->doubt);
}

int64_t grpc_call_deadline_after_ms(const struct grpc_call *call)
{
	return call->deadline_after_ms;
}

void grpc_call_set_owner(struct grpc_call *call, void *owner)
{
	call->owner = owner;
}

void *grpc_call_owner(const struct grpc_call *call)
{
	return call->owner;
}
