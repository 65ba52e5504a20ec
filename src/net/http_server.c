/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_server.h"

#include <gnutls/abstract.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net/http_private.h"
#include "net/listener.h"
#include "net/tls_session.h"

enum { PER_ADDRESS_SHARE = 2, STOP_RUNS = 8 };

static const struct http_limits default_limits = {
	.max_connections = 8192,
	.header_bytes = 16 * 1024,
	.header_after_ms = 10000,
	.body_after_ms = 60000,
	.idle_after_ms = 600000,
	.body_bytes_all = (size_t)256 * 1024 * 1024,
};

static void run(void *ctx)
{
	struct http_server *server = ctx;
	MHD_UNSIGNED_LONG_LONG after_ms = 0;
	server->is_run_wanted = false;
	MHD_run(server->daemon);
	if (server->is_run_wanted) /* a handler resumed another request */
		loop_timer_start(server->run_timer, 0);
	else if (MHD_get_timeout(server->daemon, &after_ms) == MHD_YES)
		loop_timer_start(server->run_timer, (int64_t)after_ms);
	else
		loop_timer_stop(server->run_timer);
}

/* However many requests are answered in one turn of the loop, one run serves them all. */
void http_server_want_run(struct http_server *server)
{
	if (server->is_run_wanted)
		return;
	server->is_run_wanted = true;
	loop_timer_start(server->run_timer, 0);
}

static void on_done(void *ctx)
{
	struct http_server *server = ctx;
	struct queue_item *item = queue_take(server->done, SIZE_MAX, 0);
	while (item) {
		struct queue_item *next = item->next;
		http_response_ready((struct http_request *)(void *)item);
		item = next;
	}
}

/* microhttpd would decode before we split; see http_route.h. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *mhd, char *text)
{
	(void)ctx;
	(void)mhd;
	return strlen(text);
}

/* Sessions get their certificates when they start (http_connection.c): this is never asked. The
 * signature is GnuTLS's. */
/* NOLINTBEGIN(readability-non-const-parameter,readability-function-size) */
static int no_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
	gnutls_pcert_st **certificates, unsigned *n_certificates, gnutls_ocsp_data_st **ocsp,
	unsigned *n_ocsp, gnutls_privkey_t *key, unsigned *flags)
{
	(void)session;
	(void)info;
	(void)certificates;
	(void)n_certificates;
	(void)ocsp;
	(void)n_ocsp;
	(void)key;
	(void)flags;
	return -1;
}
/* NOLINTEND(readability-non-const-parameter,readability-function-size) */

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
	const struct http_limits *limits = &server->limits;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_LISTEN_SOCKET, server->listen_fd, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t)limits->max_connections, NULL},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT,
			(intptr_t)(limits->max_connections / PER_ADDRESS_SHARE), NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)limits->header_bytes, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)(limits->idle_after_ms / 1000), NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)http_connection_notice, server},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)http_request_completed, server},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
		/* The table has no const and no functions. */
		{server->tls ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END, 0,
			(void *)(uintptr_t)tls_priorities},
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)no_certificate},
		{MHD_OPTION_END, 0, NULL},
	};
	if (server->tls)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, NULL, NULL, http_request_access, server, MHD_OPTION_ARRAY,
		options, MHD_OPTION_END);
}

/* Once it works, microhttpd's epoll file is one of the loop's. */
static int attach(struct http_server *server, struct err *err)
{
	server->daemon = start_daemon(server);
	if (!server->daemon)
		return err_set(err, ERR_IO, "cannot start the HTTP server");
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server->done = queue_new(SIZE_MAX);
	server->run_timer = loop_timer_new(server->loop, run, server);
	server->tick_timer = loop_timer_new(server->loop, http_deadline_tick, server);
	if (server->done)
		server->done_watch =
			loop_watch_new(server->loop, queue_fd(server->done), on_done, server);
	if (info)
		server->watch = loop_watch_new(server->loop, info->epoll_fd, run, server);
	if (!server->watch || !server->done_watch || !server->run_timer || !server->tick_timer)
		return err_set(err, ERR_MEMORY, "no memory for the HTTP server");
	return 0;
}

int http_server_start(struct http_server **out, struct loop *loop,
	const struct http_server_options *options, struct err *err)
{
	struct http_server *server = calloc(1, sizeof *server);
	if (!server)
		return err_set(err, ERR_MEMORY, "no memory for the HTTP server");
	server->loop = loop;
	server->tls = options->tls;
	server->clock = options->clock;
	server->routes = options->routes;
	server->missing = options->missing;
	server->limits = options->limits ? *options->limits : default_limits;
	server->listen_fd = -1;
	const struct listener_options listener = {
		options->address, options->port, options->unix_path};
	if (listener_open(&listener, &server->listen_fd, &server->port, err) < 0) {
		http_server_stop(server);
		return -1;
	}
	if (attach(server, err) < 0) {
		http_server_stop(server);
		return -1;
	}
	*out = server;
	return 0;
}

void http_server_quiesce(struct http_server *server)
{
	if (server->is_quiesced)
		return;
	server->is_quiesced = true;
	MHD_quiesce_daemon(server->daemon);
	close(server->listen_fd);
	server->listen_fd = -1;
	http_streams_wake(server);
}

/* microhttpd must not stop with suspended connections: they end unanswered instead. */
static void drop_waiting(struct http_server *server)
{
	for (struct http_connection *connection = server->connections; connection;
		connection = connection->next)
		if (connection->request.state == REQUEST_WAITING) {
			connection->request.state = REQUEST_DROPPED;
			MHD_resume_connection(connection->mhd);
		}
}

/* What is answered goes out. Each run may suspend requests that just came in: the last may not. */
static void finish(struct http_server *server)
{
	http_server_quiesce(server); /* ends the streams */
	on_done(server);
	for (unsigned i = 0; i < STOP_RUNS; i++) {
		drop_waiting(server);
		MHD_run(server->daemon);
	}
	drop_waiting(server);
}

void http_server_stop(struct http_server *server)
{
	if (!server)
		return;
	if (server->daemon) {
		if (server->watch && server->done_watch)
			finish(server);
		MHD_stop_daemon(server->daemon); /* closes the listening socket, if still there */
	} else if (server->listen_fd >= 0) {
		close(server->listen_fd);
	}
	http_usual_done(server);
	loop_watch_free(server->watch);
	loop_watch_free(server->done_watch);
	loop_timer_free(server->run_timer);
	loop_timer_free(server->tick_timer);
	queue_free(server->done);
	free(server);
}

unsigned http_server_port(const struct http_server *server)
{
	return server->port;
}

size_t http_server_connections(const struct http_server *server)
{
	return atomic_load(&server->n_connections);
}
