/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_stream.h"

#include <poll.h>

#include "net/http_private.h"

enum { BLOCK_BYTES = 4096 }; /* for HTTP/1.0; chunks are as large as the connection's pool allows */

void http_respond_stream(struct http_request *request, const struct http_stream_source *source)
{
	struct http_response response = {
		.status = 200, .content_type = source->content_type, .headers = source->headers};
	request->stream = (struct http_stream){*source, false};
	http_respond(request, &response);
}

static ssize_t read_source(void *ctx, uint64_t position, char *out, size_t size)
{
	struct http_request *request = ctx;
	struct http_connection *connection = request->connection;
	const struct http_stream_source *source = &request->stream.source;
	(void)position;
	if (connection->was_shut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (connection->server->is_quiesced)
		return MHD_CONTENT_READER_END_OF_STREAM;
	ssize_t n = source->read(source->ctx, out, size);
	if (n == HTTP_STREAM_END)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		request->stream.is_asleep = true;
		MHD_suspend_connection(connection->mhd);
	}
	return n;
}

struct MHD_Response *http_stream_response(struct http_request *request)
{
	return MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_source, request, NULL);
}

void http_stream_wake(struct http_request *request)
{
	if (!request->stream.is_asleep)
		return;
	request->stream.is_asleep = false;
	MHD_resume_connection(request->connection->mhd);
	http_server_want_run(request->connection->server);
}

void http_stream_cut(struct http_request *request)
{
	http_connection_shut(request->connection);
	http_stream_wake(request);
}

void http_stream_ended(struct http_request *request)
{
	const struct http_stream_source source = request->stream.source;
	request->stream = (struct http_stream){0};
	if (source.ended)
		source.ended(source.ctx);
}

void http_streams_wake(struct http_server *server)
{
	for (struct http_connection *connection = server->connections; connection;
		connection = connection->next)
		http_stream_wake(&connection->request);
}

/* microhttpd does not look at suspended connections. */
void http_stream_look(struct http_request *request)
{
	if (!request->stream.is_asleep)
		return;
	struct pollfd look = {.fd = request->connection->fd, .events = POLLRDHUP};
	if (poll(&look, 1, 0) > 0)
		http_stream_cut(request);
}
