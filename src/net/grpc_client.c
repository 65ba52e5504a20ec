/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/grpc_exchange.h"
#include "net/resolver.h"

enum {
	CONNECT_MS = 10000,
	MESSAGE_BYTES_MAX = 4 * 1024 * 1024,
	CALLS_MAX = 100, /* until the server's SETTINGS say else */
	PING_MS = 300000,
	ANSWER_MS = 20000,
};

struct grpc_channel {
	struct grpc_channel_options options;
	struct loop *loop;
	struct loop_timer *timer; /* of connecting, then of pings; and of telling of the loss */
	struct resolver *resolver;
	struct addrinfo *addresses, *next_address; /* still to be tried */
	struct h2_connection *connection;
	int64_t pinged_after_ms; /* 0: no PING waits to be answered */
	char *host, *authority, *unix_path, *ca_file, *certificate, *key;
	struct err err; /* why it is lost */
	bool is_up, is_loss_due, is_freed;
};

static void connect_next(struct grpc_channel *channel);

/* Told from the loop's next turn: never from within a call of the owner's. */
static void lose(struct grpc_channel *channel, const struct err *err)
{
	channel->err = *err;
	channel->is_loss_due = true;
	channel->is_up = false;
	if (channel->addresses)
		freeaddrinfo(channel->addresses);
	channel->addresses = channel->next_address = NULL;
	loop_timer_start(channel->timer, 0);
}

static void on_greeted(struct h2_connection *connection)
{
	struct grpc_channel *channel = connection->ctx;
	if (!channel)
		return;
	if (channel->addresses)
		freeaddrinfo(channel->addresses);
	channel->addresses = channel->next_address = NULL;
	channel->is_up = true;
	channel->pinged_after_ms = 0;
	loop_timer_start(channel->timer, channel->options.ping_after_ms);
	channel->options.up(channel->options.ctx);
}

static void on_lost(struct h2_connection *connection, const struct err *err)
{
	struct grpc_channel *channel = connection->ctx;
	struct err gone;
	h2_connection_free(connection);
	if (!channel)
		return;
	channel->connection = NULL;
	if (!channel->is_up && channel->next_address) {
		channel->err = *err;
		connect_next(channel);
		return;
	}
	if (err->kind == ERR_NONE)
		ignore(err_set(&gone, ERR_IO, "%s ended the connection", channel->authority));
	lose(channel, err->kind == ERR_NONE ? &gone : err);
}

static const struct h2_owner owner = {
	.greeted = on_greeted,
	.lost = on_lost,
};

static int start(struct grpc_channel *channel, struct err *err)
{
	const struct transport_client_tls tls = {
		channel->host, channel->ca_file, channel->certificate, channel->key};
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
	};
	if (!channel->options.is_plain &&
		transport_use_tls(&channel->connection->transport, &tls, err) < 0)
		return -1;
	return h2_connection_start(channel->connection, settings,
		sizeof settings / sizeof settings[0], CALLS_MAX, err);
}

/* Takes @fd. */
static int use_socket(struct grpc_channel *channel, int fd, struct err *err)
{
	const struct h2_options options = {
		channel->loop, &owner, channel, channel->options.clock, NULL};
	if (h2_connection_new(&channel->connection, fd, &options, err) < 0)
		return -1;
	channel->connection->transport.is_connecting = true;
	if (start(channel, err) == 0)
		return 0;
	channel->connection->ctx = NULL;
	h2_connection_free(channel->connection);
	channel->connection = NULL;
	return -1;
}

static int connect_to(struct grpc_channel *channel, const struct sockaddr *address, socklen_t size,
	struct err *err)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, errno, "making a socket");
	if (address->sa_family != AF_UNIX)
		socket_tune(fd);
	if (connect(fd, address, size) < 0 && errno != EINPROGRESS) {
		int saved_errno = errno;
		close(fd);
		return err_errno(err, saved_errno, "connecting to %s", channel->authority);
	}
	return use_socket(channel, fd, err);
}

static void connect_next(struct grpc_channel *channel)
{
	struct err err = channel->err;
	while (channel->next_address) {
		const struct addrinfo *address = channel->next_address;
		channel->next_address = address->ai_next;
		if (connect_to(channel, address->ai_addr, address->ai_addrlen, &err) == 0)
			return;
	}
	lose(channel, &err);
}

static void on_resolved(struct addrinfo *addresses, const struct err *err, void *ctx)
{
	struct grpc_channel *channel = ctx;
	channel->resolver = NULL;
	channel->addresses = channel->next_address = addresses;
	if (addresses)
		connect_next(channel);
	else
		lose(channel, err);
}

static int connect_path(struct grpc_channel *channel, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = strlen(channel->unix_path);
	if (size >= sizeof address.sun_path)
		return err_set(
			err, ERR_INPUT, "'%s' is too long for a socket's path", channel->unix_path);
	memcpy(address.sun_path, channel->unix_path, size + 1);
	return connect_to(
		channel, (const struct sockaddr *)(const void *)&address, sizeof address, err);
}

static int look_up(struct grpc_channel *channel, struct err *err)
{
	const struct resolver_options options = {.loop = channel->loop,
		.host = channel->host,
		.port = channel->options.port,
		.done = on_resolved,
		.ctx = channel};
	return resolver_start(&channel->resolver, &options, err);
}

void grpc_channel_connect(struct grpc_channel *channel)
{
	struct err err;
	if (channel->connection || channel->resolver || channel->is_loss_due)
		return;
	loop_timer_start(channel->timer, channel->options.connect_after_ms);
	int failed = channel->unix_path ? connect_path(channel, &err) : look_up(channel, &err);
	if (failed)
		lose(channel, &err);
}

static void give_up_connecting(struct grpc_channel *channel)
{
	struct err err;
	ignore(err_set(&err, ERR_IO, "connecting to %s took longer than %lld ms",
		channel->authority, (long long)channel->options.connect_after_ms));
	resolver_free(channel->resolver);
	channel->resolver = NULL;
	if (channel->connection) {
		channel->connection->ctx = NULL;
		h2_connection_free(channel->connection);
		channel->connection = NULL;
	}
	lose(channel, &err);
}

/* A PING now and then: a peer that has gone says so to nobody. Any byte is an answer. */
static void ping(struct grpc_channel *channel)
{
	struct err err;
	struct h2_connection *connection = channel->connection;
	const struct grpc_channel_options *options = &channel->options;
	if (channel->pinged_after_ms == 0) {
		channel->pinged_after_ms = clock_monotonic_ms(options->clock);
		nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL);
		h2_connection_flush(connection);
		loop_timer_start(channel->timer, options->answer_after_ms);
	} else if (connection->heard_after_ms >= channel->pinged_after_ms) {
		channel->pinged_after_ms = 0;
		loop_timer_start(channel->timer, options->ping_after_ms - options->answer_after_ms);
	} else {
		ignore(err_set(&err, ERR_IO, "%s: no answer to a PING for %lld ms",
			channel->authority, (long long)options->answer_after_ms));
		h2_connection_end(connection, &err);
	}
}

static void on_timer(void *ctx)
{
	struct grpc_channel *channel = ctx;
	if (channel->is_loss_due) {
		struct err err = channel->err;
		channel->is_loss_due = false;
		channel->options.lost(&err, channel->options.ctx);
		return;
	}
	if (!channel->is_up) {
		give_up_connecting(channel);
		return;
	}
	ping(channel);
}

bool grpc_channel_is_up(const struct grpc_channel *channel)
{
	/* After GOAWAY of either side, and after errors of either, nothing new begins: nghttp2
	 * would end it at once. */
	return channel->is_up && !channel->connection->is_ended &&
	       nghttp2_session_check_request_allowed(channel->connection->session);
}

static bool copy(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return *out || !text;
}

static bool copy_texts(struct grpc_channel *channel, const struct grpc_channel_options *options)
{
	size_t size = strlen(options->host) + 16;
	channel->authority = malloc(size);
	if (channel->authority && options->unix_path)
		text_format(channel->authority, size, "%s", options->host);
	else if (channel->authority)
		text_format(channel->authority, size,
			strchr(options->host, ':') ? "[%s]:%u" : "%s:%u", options->host,
			options->port);
	return channel->authority && copy(&channel->host, options->host) &&
	       copy(&channel->unix_path, options->unix_path) &&
	       copy(&channel->ca_file, options->ca_file) &&
	       copy(&channel->certificate, options->certificate) &&
	       copy(&channel->key, options->key);
}

int grpc_channel_new(struct grpc_channel **out, struct loop *loop,
	const struct grpc_channel_options *options, struct err *err)
{
	struct grpc_channel *channel = calloc(1, sizeof *channel);
	if (!channel)
		return err_set(err, ERR_MEMORY, "no memory for a channel");
	channel->options = *options;
	if (channel->options.connect_after_ms == 0)
		channel->options.connect_after_ms = CONNECT_MS;
	if (channel->options.ping_after_ms == 0)
		channel->options.ping_after_ms = PING_MS;
	if (channel->options.answer_after_ms == 0)
		channel->options.answer_after_ms = ANSWER_MS;
	if (channel->options.message_bytes_max == 0)
		channel->options.message_bytes_max = MESSAGE_BYTES_MAX;
	channel->loop = loop;
	channel->timer = loop_timer_new(loop, on_timer, channel);
	if (!channel->timer || !copy_texts(channel, options)) {
		grpc_channel_free(channel);
		return err_set(err, ERR_MEMORY, "no memory for a channel");
	}
	*out = channel;
	return 0;
}

void grpc_channel_free(struct grpc_channel *channel)
{
	if (!channel || channel->is_freed)
		return;
	channel->is_freed = true; /* what it cancels may say so again */
	channel->is_up = false;
	resolver_free(channel->resolver);
	if (channel->addresses)
		freeaddrinfo(channel->addresses);
	if (channel->connection) {
		channel->connection->ctx = NULL;
		grpc_exchanges_cancel(channel->connection);
		h2_connection_free(channel->connection);
	}
	loop_timer_free(channel->timer);
	free(channel->host);
	free(channel->authority);
	free(channel->unix_path);
	free(channel->ca_file);
	free(channel->certificate);
	free(channel->key);
	free(channel);
}

int grpc_exchange_new(struct grpc_exchange **out, struct grpc_channel *channel,
	const struct grpc_exchange_options *options, struct err *err)
{
	if (!grpc_channel_is_up(channel))
		return err_set(err, ERR_BUSY, "there is no connection to %s", channel->authority);
	const struct exchange_place place = {
		.connection = channel->connection,
		.loop = channel->loop,
		.authority = channel->authority,
		.is_plain = channel->options.is_plain,
		.message_bytes_max = channel->options.message_bytes_max,
	};
	return grpc_exchange_begin(out, &place, options, err);
}
