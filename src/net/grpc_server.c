/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_server.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/table.h"
#include "net/grpc_call.h"
#include "net/grpc_metrics.h"
#include "net/tls_session.h"

enum {
	TICK_MS = 1000,
	ACCEPTS_A_TURN = 64,
	CALLS_SUBMITTED_MAX = 1000, /* by us on a server's connection: none */
};

const struct grpc_limits grpc_limits_usual = {
	.connections_max = 8192,
	.connections_of_peer = 4096,
	.calls_of_connection = 100,
	.header_bytes = 16 * 1024,
	.call_window_bytes = 128 * 1024,
	.buffered_bytes_all = 256 * 1024 * 1024,
	.buffered_bytes_of_peer = 128 * 1024 * 1024,
	.buffered_bytes_of_connection = 64 * 1024 * 1024,
	.handshake_after_ms = 10000,
	.idle_after_ms = 600000,
	.stalled_after_ms = 60000,
};

static void count(struct grpc_server *server, enum grpc_event event)
{
	atomic_fetch_add(&server->counts[event], 1);
}

/* Outside of its callbacks, or when it has ended: it holds nothing of its share then. */
static void forget(struct grpc_server *server, struct h2_connection *connection)
{
	struct grpc_peer *peer = (struct grpc_peer *)(void *)connection->share.parent;
	const struct peer who = connection->peer;
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		server->connections = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	grpc_metrics_connections(atomic_fetch_sub(&server->n_connections, 1) - 1, server->clock);
	h2_connection_free(connection);
	if (--peer->n_connections == 0)
		table_remove(server->peers, text_of(who.text));
}

/* ---- what connections tell ---- */

static void on_up(struct h2_connection *connection)
{
	struct err err;
	if (!connection->transport.session)
		return;
	connection->subject = tls_session_subject(connection->transport.session, &err);
	if (err.kind != ERR_NONE)
		connection->doubt = strdup(err.text);
}

static struct grpc_stream *on_opened(struct h2_connection *connection, int32_t id)
{
	return grpc_call_new(connection, id);
}

static void on_flooded(struct h2_connection *connection)
{
	struct grpc_server *server = connection->ctx;
	count(server, GRPC_FLOODS);
	grpc_metrics_flood(server->clock);
}

static void on_lost(struct h2_connection *connection, const struct err *err)
{
	struct grpc_server *server = connection->ctx;
	if (err->kind == ERR_DENIED)
		log_warning("grpc", "a connection was ended: %s", err->text);
	forget(server, connection);
}

static const struct h2_owner owner = {
	.is_server = true,
	.up = on_up,
	.opened = on_opened,
	.flooded = on_flooded,
	.lost = on_lost,
};

/* ---- connections come ---- */

/* NULL: it has no place. */
static struct grpc_peer *peer_of(struct grpc_server *server, const struct peer *who)
{
	const struct text name = text_of(who->text);
	if (atomic_load(&server->n_connections) >= server->limits.connections_max)
		return NULL;
	union table_value *value = table_put(server->peers, name);
	struct grpc_peer *peer = value ? value->pointer : NULL;
	if (value && !peer)
		peer = value->pointer = calloc(1, sizeof *peer);
	if (value && !peer)
		table_remove(server->peers, name);
	if (!peer || peer->n_connections >= server->limits.connections_of_peer)
		return NULL;
	peer->buffered.parent = &server->buffered;
	peer->buffered.max_bytes = server->limits.buffered_bytes_of_peer;
	return peer;
}

static int start(struct grpc_server *server, struct h2_connection *connection, struct err *err)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
			(uint32_t)server->limits.calls_of_connection},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)server->limits.call_window_bytes},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)server->limits.header_bytes},
	};
	if (server->tls && transport_serve_tls(&connection->transport, server->tls, err) < 0)
		return -1;
	return h2_connection_start(connection, settings, sizeof settings / sizeof settings[0],
		CALLS_SUBMITTED_MAX, err);
}

static void link_connection(struct grpc_server *server, struct h2_connection *connection)
{
	connection->next = server->connections;
	if (connection->next)
		connection->next->previous = connection;
	server->connections = connection;
	grpc_metrics_connections(atomic_fetch_add(&server->n_connections, 1) + 1, server->clock);
	count(server, GRPC_CONNECTIONS);
}

static void take(struct grpc_server *server, int fd, const struct peer *who)
{
	struct err err;
	struct h2_connection *connection;
	struct grpc_peer *peer = peer_of(server, who);
	if (!peer) {
		count(server, GRPC_REFUSED);
		close(fd);
		return;
	}
	const struct h2_options options = {
		server->loop, &owner, server, server->clock, server->room};
	if (h2_connection_new(&connection, fd, &options, &err) < 0) {
		if (peer->n_connections == 0)
			table_remove(server->peers, text_of(who->text));
		log_warning("grpc", "%s: %s", who->text, err.text);
		return;
	}
	peer->n_connections++;
	connection->peer = *who;
	connection->turns = &server->turns;
	connection->share.parent = &peer->buffered;
	connection->share.max_bytes = server->limits.buffered_bytes_of_connection;
	link_connection(server, connection);
	if (start(server, connection, &err) < 0)
		h2_connection_end(connection, &err);
}

static void on_connect(void *ctx)
{
	struct grpc_server *server = ctx;
	struct peer peer;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = listener_accept(server->listen_fd, &peer);
		if (fd >= 0) {
			take(server, fd, &peer);
			continue;
		}
		/* Without descriptors the tick listens again: else the loop would spin. */
		if (fd == -2) {
			loop_watch_free(server->watch);
			server->watch = NULL;
		}
		return;
	}
}

/* ---- time ---- */

static bool is_too_slow(
	const struct grpc_server *server, const struct h2_connection *at, int64_t now_ms)
{
	int64_t handshake_ms = server->limits.handshake_after_ms;
	bool is_late =
		!(at->is_up && at->is_greeted) && now_ms - at->opened_after_ms > handshake_ms;
	bool is_half = at->headers_after_ms && now_ms - at->headers_after_ms > handshake_ms;
	bool is_idle =
		at->n_streams == 0 && now_ms - at->heard_after_ms > server->limits.idle_after_ms;
	bool is_deaf = at->n_held && now_ms - at->taken_after_ms > server->limits.stalled_after_ms;
	return is_late || is_half || is_idle || is_deaf;
}

static void look_at(struct grpc_server *server, struct h2_connection *connection, int64_t now_ms)
{
	struct err err;
	for (struct grpc_stream *stream = connection->streams; stream; stream = stream->next)
		grpc_stream_look(stream, now_ms, server->limits.stalled_after_ms);
	/* A peer that does not read gets no GOAWAY: it ends without. */
	if (connection->is_terminated ? now_ms - connection->terminated_after_ms <=
						server->limits.handshake_after_ms
				      : !is_too_slow(server, connection, now_ms))
		return;
	ignore(err_set(&err, ERR_IO, "%s: nothing was heard, or taken, for too long",
		connection->peer.text));
	h2_connection_terminate(connection, NGHTTP2_NO_ERROR, &err);
}

static void on_tick(void *ctx)
{
	struct grpc_server *server = ctx;
	int64_t now_ms = clock_monotonic_ms(server->clock);
	for (struct h2_connection *at = server->connections; at; at = at->next) {
		look_at(server, at, now_ms);
		/* The second GOAWAY, after the first was heard: from here on no call is new. */
		if (server->is_quiesced && at->is_up && !at->is_ended && !at->is_leaving) {
			at->is_leaving = true;
			nghttp2_submit_goaway(at->session, NGHTTP2_FLAG_NONE,
				nghttp2_session_get_last_proc_stream_id(at->session),
				NGHTTP2_NO_ERROR, NULL, 0);
			h2_connection_flush(at);
		}
	}
	if (!server->watch && !server->is_quiesced)
		server->watch = loop_watch_new(server->loop, server->listen_fd, on_connect, server);
	loop_timer_start(server->tick, TICK_MS);
}

/* ---- life ---- */

static int listen_there(
	struct grpc_server *server, const struct grpc_server_options *options, struct err *err)
{
	const struct listener_options listener = {
		options->address, options->port, options->unix_path};
	if (listener_open(&listener, &server->listen_fd, &server->port, err) < 0)
		return -1;
	if (options->unix_path && !(server->unix_path = strdup(options->unix_path)))
		return err_set(err, ERR_MEMORY, "no memory for a server");
	server->watch = loop_watch_new(server->loop, server->listen_fd, on_connect, server);
	return server->watch ? 0 : err_set(err, ERR_MEMORY, "no memory for a server");
}

int grpc_server_start(struct grpc_server **out, struct loop *loop,
	const struct grpc_server_options *options, struct err *err)
{
	struct grpc_server *server = calloc(1, sizeof *server);
	if (!server)
		return err_set(err, ERR_MEMORY, "no memory for a server");
	server->loop = loop;
	server->clock = options->clock;
	server->tls = options->tls;
	server->methods = options->methods;
	server->limits = options->limits ? *options->limits : grpc_limits_usual;
	server->buffered.max_bytes = server->limits.buffered_bytes_all;
	server->listen_fd = -1;
	server->room = malloc(H2_READ_BYTES);
	server->peers = table_new(free);
	server->tick = loop_timer_new(loop, on_tick, server);
	if (!grpc_turns_init(&server->turns, loop) || !server->room || !server->peers ||
		!server->tick) {
		grpc_server_stop(server);
		return err_set(err, ERR_MEMORY, "no memory for a server");
	}
	if (listen_there(server, options, err) < 0) {
		grpc_server_stop(server);
		return -1;
	}
	loop_timer_start(server->tick, TICK_MS);
	*out = server;
	return 0;
}

static void stop_listening(struct grpc_server *server)
{
	loop_watch_free(server->watch);
	server->watch = NULL;
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	server->listen_fd = -1;
	if (server->unix_path)
		unlink(server->unix_path); /* somebody else may have removed it */
	free(server->unix_path);
	server->unix_path = NULL;
}

void grpc_server_quiesce(struct grpc_server *server)
{
	if (server->is_quiesced)
		return;
	server->is_quiesced = true;
	stop_listening(server);
	for (struct h2_connection *at = server->connections; at; at = at->next) {
		if (!at->is_up || at->is_ended)
			continue;
		nghttp2_submit_shutdown_notice(at->session);
		h2_connection_flush(at);
	}
}

bool grpc_server_is_flushed(const struct grpc_server *server)
{
	for (const struct h2_connection *at = server->connections; at; at = at->next)
		if (!h2_connection_is_flushed(at))
			return false;
	return true;
}

void grpc_server_stop(struct grpc_server *server)
{
	if (!server)
		return;
	stop_listening(server);
	while (server->connections) {
		forget(server, server->connections);
	}
	loop_timer_free(server->tick);
	grpc_turns_done(&server->turns);
	table_free(server->peers);
	free(server->room);
	free(server);
}

unsigned grpc_server_port(const struct grpc_server *server)
{
	return server->port;
}

size_t grpc_server_connections(const struct grpc_server *server)
{
	return atomic_load(&server->n_connections);
}

uint64_t grpc_server_count(const struct grpc_server *server, enum grpc_event event)
{
	return atomic_load(&server->counts[event]);
}

uint64_t grpc_server_ended(const struct grpc_server *server, enum grpc_code code)
{
	return (unsigned)code < N_GRPC_CODES ? atomic_load(&server->codes[code]) : 0;
}
