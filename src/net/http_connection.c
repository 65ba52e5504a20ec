/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/http_private.h"
#include "net/tls_session.h"

static void connection_link(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	connection->next = server->connections;
	if (connection->next)
		connection->next->previous = connection;
	server->connections = connection;
	atomic_fetch_add(&server->n_connections, 1);
}

static void connection_unlink(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		server->connections = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	atomic_fetch_sub(&server->n_connections, 1);
}

/* Without TLS there is no session and nothing to start. */
static bool start_tls(struct http_connection *connection)
{
	struct tls_server *tls = connection->server->tls;
	if (!tls)
		return true;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info && tls_session_start(tls, info->tls_session, &connection->tls_identity);
}

static void connection_open(
	struct http_server *server, struct MHD_Connection *mhd, void **socket_context)
{
	struct http_connection *connection = calloc(1, sizeof *connection);
	*socket_context = connection;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!connection) {
		/* The access handler refuses a connection without a context. */
		ignore(shutdown(info->connect_fd, SHUT_RDWR)); /* it may be gone already */
		return;
	}
	connection->server = server;
	connection->mhd = mhd;
	connection->fd = info->connect_fd;
	connection->opened_after_ms = clock_monotonic_ms(server->clock);
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	peer_read(info->client_addr, &connection->peer);
	connection_link(connection);
	if (!start_tls(connection))
		http_connection_shut(connection);
	if (!server->is_ticking)
		http_deadline_tick(server);
}

static void connection_close(struct http_connection *connection)
{
	connection_unlink(connection);
	snapshot_unref(connection->tls_identity);
	free(connection->subject);
	free(connection);
}

void http_connection_notice(void *ctx, struct MHD_Connection *mhd, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		connection_open(ctx, mhd, socket_context);
	else if (*socket_context)
		connection_close(*socket_context);
}

void http_connection_shut(struct http_connection *connection)
{
	connection->was_shut = true;
	ignore(shutdown(connection->fd, SHUT_RDWR)); /* it may be gone already */
}

struct text http_peer(const struct http_request *request)
{
	return text_of(request->connection->peer.text);
}

bool http_peer_is_loopback(const struct http_request *request)
{
	return request->connection->peer.is_loopback;
}

struct text http_subject(const struct http_request *request)
{
	struct http_connection *connection = request->connection;
	struct err err;
	if (connection->tls_identity && !connection->is_subject_known) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(
			connection->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		connection->subject = info ? tls_session_subject(info->tls_session, &err) : NULL;
		connection->is_subject_known = true;
	}
	return text_of(connection->subject);
}
