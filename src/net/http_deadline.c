/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/http_private.h"

/*
 * Deadlines of our own: microhttpd only knows inactivity, which one byte now and then defeats.
 *
 * All connections are looked at twice a second; nothing needs to be exact. Expiry shuts the socket,
 * microhttpd then sees its end like any other.
 */

enum { TICK_MS = 500 };

/* 0 when the kernel does not say: then an idle connection only has its inactivity timeout. */
static uint64_t bytes_received(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof info;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return 0;
	return info.tcpi_bytes_received;
}

/*
 * Between two requests microhttpd does not tell of the first bytes of the next header. The kernel
 * counts them: bytes that came without a request becoming of them by the next look are a header
 * that takes too long.
 */
static bool is_header_late(struct http_connection *connection, int64_t now_ms)
{
	int64_t limit_ms = connection->server->limits.header_after_ms;
	if (connection->n_requests == 0)
		return now_ms - connection->opened_after_ms > limit_ms;
	bool is_same_pause = connection->looked_requests == connection->n_requests;
	if (is_same_pause && now_ms - connection->looked_after_ms < limit_ms)
		return false;
	uint64_t bytes = bytes_received(connection->fd);
	if (is_same_pause && connection->looked_partial)
		return true;
	connection->looked_partial = is_same_pause && bytes != connection->looked_bytes;
	connection->looked_bytes = bytes;
	connection->looked_requests = connection->n_requests;
	connection->looked_after_ms = now_ms;
	return false;
}

/* 1 KiB/s is one byte a millisecond. */
static bool is_body_late(const struct http_request *request, int64_t now_ms)
{
	const struct http_limits *limits = &request->connection->server->limits;
	int64_t earned_ms = HTTP_BODY_GRACE_MS + (int64_t)request->n_received;
	return now_ms - request->progress_after_ms > limits->body_after_ms ||
	       now_ms - request->arrived_after_ms > earned_ms;
}

static bool is_late(struct http_connection *connection, int64_t now_ms)
{
	const struct http_request *request = &connection->request;
	if (request->state == REQUEST_NONE)
		return is_header_late(connection, now_ms);
	if (request->state == REQUEST_RECEIVING || request->state == REQUEST_DISCARDING)
		return is_body_late(request, now_ms);
	return false;
}

void http_deadline_tick(void *ctx)
{
	struct http_server *server = ctx;
	int64_t now_ms = clock_monotonic_ms(server->clock);
	struct http_connection *connection = server->connections;
	server->is_ticking = connection != NULL;
	for (; connection; connection = connection->next) {
		if (!connection->was_shut && is_late(connection, now_ms))
			http_connection_shut(connection);
		http_stream_look(&connection->request);
	}
	if (server->is_ticking)
		loop_timer_start(server->tick_timer, TICK_MS);
}
