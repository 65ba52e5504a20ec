/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "base/emit.h"
#include "net/http_private.h"

enum { PROBLEM_BYTES = 16 * 1024, USUAL_BYTES = 256 };

/* On every answer that does not say otherwise itself. */
static const char *const standard_headers[] = {
	"X-Content-Type-Options",
	"nosniff",
	"Cache-Control",
	"no-store",
	"Referrer-Policy",
	"no-referrer",
	"Content-Security-Policy",
	"default-src 'none'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy",
	"same-origin",
	"Cross-Origin-Resource-Policy",
	"same-origin",
	NULL,
};

static bool has_header(const char *const *headers, const char *name)
{
	for (; headers && *headers; headers += 2)
		if (strcasecmp(headers[0], name) == 0)
			return true;
	return false;
}

/* What a status needs to be of use, where nobody said better. */
static const char *const status_headers[] = {MHD_HTTP_HEADER_WWW_AUTHENTICATE,
	"Bearer realm=\"tocsin\"", NULL, MHD_HTTP_HEADER_RETRY_AFTER, "1", NULL};

static const char *const *headers_of(unsigned status)
{
	if (status == 401)
		return status_headers;
	return status == 429 || status == 503 ? status_headers + 3 : status_headers + 2;
}

static void add_headers(struct MHD_Response *out, const char *const *headers)
{
	/* Fails only without memory or for values with line ends, which then stay out. */
	for (; headers && *headers; headers += 2)
		ignore(MHD_add_response_header(out, headers[0], headers[1]) == MHD_YES ? 0 : -1);
}

/* Of @headers, those that the answer does not have itself. */
static void add_missing(
	struct MHD_Response *out, const struct http_request *request, const char *const *headers)
{
	for (; *headers; headers += 2) {
		const char *const one[] = {headers[0], headers[1], NULL};
		if (!has_header(request->response.headers, headers[0]) &&
			!has_header(request->own_headers, headers[0]))
			add_headers(out, one);
	}
}

static struct MHD_Response *make_bare(struct http_request *request)
{
	struct http_response *response = &request->response;
	if (request->stream.source.read)
		return http_stream_response(request);
	struct MHD_Response *out = MHD_create_response_from_buffer(response->body_size,
		response->body, response->body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (out)
		response->body = NULL; /* microhttpd's now */
	return out;
}

static struct MHD_Response *make(struct http_request *request)
{
	const struct http_response *response = &request->response;
	struct MHD_Response *out = make_bare(request);
	if (!out)
		return NULL;
	if (response->content_type) {
		const char *const type[] = {
			MHD_HTTP_HEADER_CONTENT_TYPE, response->content_type, NULL};
		add_headers(out, type);
	}
	add_missing(out, request, standard_headers);
	add_missing(out, request, headers_of(response->status));
	add_headers(out, response->headers);
	add_headers(out, request->own_headers);
	if (request->must_close || request->connection->server->is_quiesced)
		ignore(MHD_add_response_header(out, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES
				? 0
				: -1); /* without it the connection merely stays */
	return out;
}

/* Nothing in it is this request's own. */
static bool is_usual(const struct http_request *request)
{
	const struct http_response *response = &request->response;
	return response->status == 200 && response->content_type && response->body &&
	       response->body_size <= USUAL_BYTES && !response->headers &&
	       !request->own_headers[0] && !request->stream.source.read && !request->must_close &&
	       !request->connection->server->is_quiesced;
}

void http_usual_done(struct http_server *server)
{
	if (server->usual.response)
		MHD_destroy_response(server->usual.response);
	server->usual = (struct http_usual){0};
}

/* The usual answer, made anew when this one differs from the last; NULL without memory. */
static struct MHD_Response *make_usual(struct http_request *request)
{
	const struct http_response *response = &request->response;
	struct http_usual *usual = &request->connection->server->usual;
	struct text body = {response->body, response->body_size};
	if (usual->response && usual->content_type == response->content_type &&
		text_equal(usual->body, body))
		return usual->response;
	http_usual_done(request->connection->server);
	*usual = (struct http_usual){make(request), response->content_type, body};
	return usual->response;
}

enum MHD_Result http_response_send(struct http_request *request)
{
	bool usual = is_usual(request);
	struct MHD_Response *response = usual ? make_usual(request) : make(request);
	if (!response)
		return MHD_NO; /* no memory: the connection ends */
	enum MHD_Result result =
		MHD_queue_response(request->connection->mhd, request->response.status, response);
	if (!usual)
		MHD_destroy_response(response);
	request->state = REQUEST_SENDING;
	return result;
}

void http_response_ready(struct http_request *request)
{
	bool was_waiting = request->state == REQUEST_WAITING;
	request->state = REQUEST_ANSWERED;
	if (!was_waiting)
		return; /* in admit or handle, which look at the state when they return */
	MHD_resume_connection(request->connection->mhd);
	http_server_want_run(request->connection->server);
}

void http_response_drop(struct http_request *request)
{
	free(request->response.body);
	request->response.body = NULL;
}

void http_respond(struct http_request *request, const struct http_response *response)
{
	struct http_server *server = request->connection->server;
	request->response = *response;
	request->is_admitted = false; /* the route has had its say */
	if (loop_is_here(server->loop))
		http_response_ready(request);
	else
		/* Unbounded and never closed while requests wait: it takes everything. */
		ignore(queue_push(server->done, &request->item) ? 0 : -1);
}

/* {"type":"about:blank","title":…,"status":…,"detail":…}; an empty body without memory. */
static struct http_response problem(unsigned status, const char *title, struct text detail)
{
	struct http_response response = {
		.status = status, .content_type = "application/problem+json"};
	struct buf out;
	struct emitter writer;
	buf_init(&out, PROBLEM_BYTES);
	emit_init(&writer, &out);
	emit_object(&writer);
	emit_member_string(&writer, "type", "about:blank");
	emit_member_string(&writer, "title", title);
	emit_member_u64(&writer, "status", status);
	emit_member_text(&writer, "detail", detail);
	emit_object_end(&writer);
	if (buf_ok(&out))
		response.body = buf_take(&out, &response.body_size);
	buf_done(&out);
	return response;
}

/* The same as one JSON string. */
static struct http_response fault(unsigned status, const char *title, struct text detail)
{
	struct http_response response = {.status = status, .content_type = "application/json"};
	struct buf out;
	struct emitter writer;
	buf_init(&out, PROBLEM_BYTES);
	emit_init(&writer, &out);
	emit_text(&writer, detail.size ? detail : text_of(title));
	if (buf_ok(&out))
		response.body = buf_take(&out, &response.body_size);
	buf_done(&out);
	return response;
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
	size_t i = 0;
	while (request->own_headers[i])
		i += 2;
	assert(i + 2 < HTTP_OWN_HEADERS);
	request->own_headers[i] = name;
	request->own_headers[i + 1] = value;
}

void http_respond_problem(
	struct http_request *request, unsigned status, const char *title, struct text detail)
{
	bool string = request->route && request->route->errors_are_strings;
	struct http_response response =
		string ? fault(status, title, detail) : problem(status, title, detail);
	http_respond(request, &response);
}

void http_respond_retry(struct http_request *request, unsigned status, const char *title,
	struct text detail, unsigned retry_after_s)
{
	text_format(request->own_value, sizeof request->own_value, "%u", retry_after_s);
	http_add_header(request, MHD_HTTP_HEADER_RETRY_AFTER, request->own_value);
	http_respond_problem(request, status, title, detail);
}

void http_refuse(
	struct http_request *request, unsigned status, const char *title, struct text detail)
{
	request->response = problem(status, title, detail);
	request->refused_status = status;
	request->must_close = true;
	request->state = REQUEST_ANSWERED;
}
