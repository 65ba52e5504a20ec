/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * gRPC over HTTP/2 for clients: one channel to one server, on the loop's thread.
 *
 * A channel connects when it is told to and says once when it is up and once when it is lost; its
 * owner decides when to connect again. It never pings more than once in five minutes (servers
 * answer more by GOAWAY "too_many_pings"), is lost when nothing comes after it, and it answers
 * every PING.
 */

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "net/grpc_status.h"
#include "net/loop.h"

struct grpc_channel;
struct grpc_exchange; /* one call of ours: valid until `finished` returns */

struct grpc_channel_options {
	const char *host; /* name or address; with unix_path only what :authority says */
	unsigned port;
	const char *unix_path;   /* NULL: TCP */
	bool is_plain;           /* h2c; else TLS with ALPN h2 */
	const char *ca_file;     /* PEM; NULL: the system's */
	const char *certificate; /* PEM files of the client, for mTLS; NULL: none */
	const char *key;
	const struct clock *clock;
	size_t message_bytes_max; /* of one message that comes in; 0: 4 MiB */
	int64_t connect_after_ms; /* 0: 10 000, until it is up */
	int64_t ping_after_ms;    /* 0: 300 000, between two */
	int64_t answer_after_ms;  /* 0: 20 000, without a byte after a PING it is lost */

	/** The server speaks HTTP/2 and has said what it takes: calls may be made. */
	void (*up)(void *ctx);
	/** It failed or ended; all its exchanges have finished before. May connect again, at once
	 * or later, or free the channel. */
	void (*lost)(const struct err *err, void *ctx);
	void *ctx;
};

/** Does not connect yet. Resolving a name blocks no loop: numbers are taken at once, names go to a
 * thread of libevent's or getaddrinfo_a. */
CHECKED int grpc_channel_new(struct grpc_channel **out, struct loop *loop,
	const struct grpc_channel_options *options, struct err *err);
/** Ends its exchanges (`finished` with CANCELLED); `lost` is not called. From any callback, too;
 * what is called back meanwhile may begin nothing on it. */
void grpc_channel_free(struct grpc_channel *channel); /* accepts NULL */
/** Begins to connect; `up` or `lost` follow from the loop. */
void grpc_channel_connect(struct grpc_channel *channel);
bool grpc_channel_is_up(const struct grpc_channel *channel);

struct grpc_exchange_options {
	const char *path;            /* "/tocsin.intake.v1.Intake/Push" */
	const char *const *metadata; /* name, value, …, NULL; copied; NULL: none */
	int64_t timeout_ms;          /* 0: none; sent as grpc-timeout and kept by ourselves */
	bool is_compressed;          /* our messages go as gzip where it pays */

	/** One whole message; borrowed. */
	void (*message)(struct grpc_exchange *exchange, struct text message, void *ctx);
	/** What waited to be sent fell below half of its limit. NULL: not interested. */
	void (*writable)(struct grpc_exchange *exchange, void *ctx);
	/** The end, once, whoever made it. Texts are borrowed. */
	void (*finished)(
		struct grpc_exchange *exchange, const struct grpc_status *status, void *ctx);
	void *ctx;
};

/** Begins a call; ERR_BUSY when the channel is not up. Over the server's limit of calls it waits
 * for its turn. */
CHECKED int grpc_exchange_new(struct grpc_exchange **out, struct grpc_channel *channel,
	const struct grpc_exchange_options *options, struct err *err);
/** Queues one message (copied). ERR_LIMIT when more than 8 MiB would wait. */
CHECKED int grpc_exchange_send(
	struct grpc_exchange *exchange, struct text message, struct err *err);
size_t grpc_exchange_waiting_bytes(const struct grpc_exchange *exchange);
/** We shall send no more. */
void grpc_exchange_close_send(struct grpc_exchange *exchange);
/** `finished` follows from the loop, with CANCELLED. */
void grpc_exchange_cancel(struct grpc_exchange *exchange);
