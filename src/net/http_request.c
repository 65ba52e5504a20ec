/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "net/http_private.h"

enum { ARENA_BYTES = 256 * 1024 };

/* What a header says of the body. */
struct framing {
	unsigned n_lengths;
	unsigned n_encodings;
	bool is_length_read;
	bool waits_for_100;
	uint64_t length;
};

static enum MHD_Result note_header(
	void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing *framing = ctx;
	(void)kind;
	if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
		framing->n_lengths++;
		framing->is_length_read = text_to_u64(text_of(value), &framing->length);
	} else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		framing->n_encodings++;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_EXPECT) == 0) {
		framing->waits_for_100 = true;
	}
	return MHD_YES;
}

/* Anything that two parsers could read in two ways is refused: it smuggles requests. */
static bool is_framing_clear(const struct framing *framing)
{
	if (framing->n_lengths + framing->n_encodings > 1)
		return false;
	return framing->n_lengths == 0 || framing->is_length_read;
}

static struct http_request *request_begin(
	struct http_connection *connection, const char *url, const char *method)
{
	struct http_request *request = &connection->request;
	*request = (struct http_request){
		.item.weight_bytes = 1,
		.connection = connection,
		.state = REQUEST_ADMITTING,
		.method = http_method_parse(text_of(method)),
		.path = text_of(url),
		.arrived_after_ms = clock_monotonic_ms(connection->server->clock),
	};
	request->progress_after_ms = request->arrived_after_ms;
	request->must_close = connection->server->is_quiesced;
	arena_init(&request->arena, ARENA_BYTES);
	connection->n_requests++;
	return request;
}

static void refuse_method(struct http_request *request, unsigned methods)
{
	char *allow = arena_bytes(&request->arena, 64);
	if (allow) {
		http_methods_write(methods, allow, 64);
		http_add_header(request, MHD_HTTP_HEADER_ALLOW, allow);
	}
	http_refuse(request, 405, "Method not allowed", text_of(allow));
}

/* No route has the path with this method. */
static void refuse_path(struct http_request *request, const struct http_match *match)
{
	const struct http_route *missing = request->connection->server->missing;
	bool reads = request->method == HTTP_GET || request->method == HTTP_HEAD;
	if (match->methods) {
		refuse_method(request, match->methods);
	} else if (reads && missing) {
		missing->admit(request, missing->ctx);
		request->must_close = true;
	} else {
		http_refuse(request, 404, "Not found", TEXT("nothing has this path"));
	}
}

/* Finds the route and asks it. Afterwards the state is RECEIVING or ANSWERED. */
static void request_admit(struct http_request *request, const struct framing *framing)
{
	struct http_match match;
	const struct http_server *server = request->connection->server;
	size_t limit = 0;
	http_route_find(server->routes, request->method, request->path, &request->arena, &match);
	if (!match.route) {
		refuse_path(request, &match);
		return;
	}
	if (match.is_malformed) {
		http_refuse(request, 400, "Bad request", TEXT("the path has a broken escape"));
		return;
	}
	request->route = match.route;
	memcpy(request->parts, match.parts, sizeof match.parts);
	request->n_parts = match.n_parts;
	request->is_admitted = true;
	if (match.route->admit)
		limit = match.route->admit(request, match.route->ctx);
	if (request->state == REQUEST_ANSWERED) {
		request->must_close = true;
		return;
	}
	request->state = REQUEST_RECEIVING;
	buf_init(&request->body, limit);
	if (framing->n_lengths && framing->length > limit) {
		struct text detail =
			arena_format(&request->arena, "at most %zu bytes are taken here", limit);
		http_refuse(request, 413, "Content too large", detail);
	}
}

/*
 * A refused body is read and forgotten before the answer goes out, because closing a socket with
 * unread bytes resets it and the answer may be lost. Large ones are answered at once.
 */
static enum MHD_Result answer_early(struct http_request *request, const struct framing *framing)
{
	bool is_long = framing->n_lengths && framing->length > HTTP_DISCARD_BYTES;
	if (framing->waits_for_100 || is_long)
		return http_response_send(request);
	request->state = REQUEST_DISCARDING;
	return MHD_YES;
}

static enum MHD_Result on_header(
	struct http_connection *connection, const char *url, const char *method, void **state)
{
	struct framing framing = {0};
	struct http_request *request = request_begin(connection, url, method);
	*state = request;
	MHD_get_connection_values(connection->mhd, MHD_HEADER_KIND, note_header, &framing);
	if (!is_framing_clear(&framing)) {
		http_refuse(request, 400, "Bad request",
			TEXT("the length of the body is not clear: one Content-Length or one "
			     "Transfer-Encoding"));
		return http_response_send(request);
	}
	request_admit(request, &framing);
	if (request->state == REQUEST_ANSWERED)
		return answer_early(request, &framing);
	if (framing.n_lengths && framing.length)
		ignore(buf_reserve(&request->body, framing.length < HTTP_BODY_FIRST_BYTES
							   ? (size_t)framing.length
							   : HTTP_BODY_FIRST_BYTES)
				? 0
				: -1); /* a failure shows at the first byte */
	return MHD_YES;
}

/* Keeps server->body_bytes in step with what the body holds. */
static void count_body(struct http_request *request)
{
	request->connection->server->body_bytes += request->body.capacity - request->counted_bytes;
	request->counted_bytes = request->body.capacity;
}

static void refuse_body(struct http_request *request, size_t more)
{
	bool is_over = more > request->body.max - request->body.size;
	buf_done(&request->body);
	count_body(request);
	if (is_over)
		http_refuse(request, 413, "Content too large",
			TEXT("the body is larger than what is taken here"));
	else
		http_refuse(request, 503, "No memory now",
			TEXT("too many bodies are arriving at once; try again"));
	request->state = REQUEST_DISCARDING;
}

static void on_body(struct http_request *request, const char *data, size_t size)
{
	struct http_server *server = request->connection->server;
	request->n_received += size;
	request->progress_after_ms = clock_monotonic_ms(server->clock);
	if (request->state == REQUEST_DISCARDING) {
		if (request->n_received > HTTP_DISCARD_MAX_BYTES)
			http_connection_shut(request->connection);
		return;
	}
	buf_add_bytes(&request->body, data, size);
	count_body(request);
	if (!buf_ok(&request->body) || server->body_bytes > server->limits.body_bytes_all)
		refuse_body(request, size);
}

static enum MHD_Result on_complete(struct http_request *request)
{
	if (request->state == REQUEST_DISCARDING || request->state == REQUEST_ANSWERED)
		return http_response_send(request);
	if (request->state != REQUEST_RECEIVING)
		return MHD_NO; /* dropped: the server stops */
	request->state = REQUEST_HANDLING;
	request->route->handle(request, request->route->ctx);
	if (request->state == REQUEST_ANSWERED)
		return http_response_send(request);
	request->state = REQUEST_WAITING;
	MHD_suspend_connection(request->connection->mhd);
	return MHD_YES;
}

/* The signature is libmicrohttpd's. NOLINTNEXTLINE(readability-function-size) */
enum MHD_Result http_request_access(void *ctx, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **state)
{
	(void)ctx;
	(void)version;
	if (!*state) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
		if (!info || !info->socket_context)
			return MHD_NO;
		return on_header(info->socket_context, url, method, state);
	}
	if (*size) {
		on_body(*state, data, *size);
		*size = 0;
		return MHD_YES;
	}
	return on_complete(*state);
}

void http_request_completed(
	void *ctx, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode code)
{
	struct http_request *request = *state;
	(void)ctx;
	(void)mhd;
	(void)code;
	if (!request)
		return;
	*state = NULL;
	if (request->is_admitted && request->route->aborted)
		request->route->aborted(request, request->route->ctx);
	http_stream_ended(request);
	http_response_drop(request);
	buf_done(&request->body);
	request->connection->server->body_bytes -= request->counted_bytes;
	arena_done(&request->arena);
	request->state = REQUEST_NONE;
}

enum http_method http_method(const struct http_request *request)
{
	return request->method;
}

struct text http_path(const struct http_request *request)
{
	return request->path;
}

struct text http_path_part(const struct http_request *request, unsigned i)
{
	return i < request->n_parts ? request->parts[i] : TEXT_NONE;
}

struct text http_header(const struct http_request *request, const char *name)
{
	return text_of(
		MHD_lookup_connection_value(request->connection->mhd, MHD_HEADER_KIND, name));
}

struct text http_body(const struct http_request *request)
{
	return buf_text(&request->body);
}

char *http_body_take(struct http_request *request, size_t *size)
{
	return buf_take(&request->body, size);
}

struct arena *http_arena(struct http_request *request)
{
	return &request->arena;
}

int64_t http_arrived_after_ms(const struct http_request *request)
{
	return request->arrived_after_ms;
}

unsigned http_refused_status(const struct http_request *request)
{
	return request->refused_status;
}

void http_set_owner(struct http_request *request, void *owner)
{
	request->owner = owner;
}

void *http_owner(const struct http_request *request)
{
	return request->owner;
}
