/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One HTTP/2 connection: nghttp2 between a socket and whoever owns it (the gRPC server or a
 * channel). Private to net/; the loop's thread.
 *
 * What is to be sent gathers until the loop's next turn, or the end of the event that made it, and
 * goes out in one piece. A peer that does not read is not read either: its pings make no memory.
 */

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/grpc_message.h"
#include "net/grpc_turn.h"
#include "net/h2_flood.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/transport.h"

enum {
	H2_READ_BYTES = 65536,
	H2_GATHER_BYTES = 262144,       /* made at once, before the socket is asked */
	H2_STREAM_WINDOW = 1024 * 1024, /* of a call of ours; a server has its limit */
	H2_CONNECTION_WINDOW = 4 * 1024 * 1024,
};

struct h2_connection;
struct grpc_stream;

/* What the owner wants to know. */
struct h2_owner {
	bool is_server;
	/** TLS is done and the first bytes go out. NULL: not interested. */
	void (*up)(struct h2_connection *connection);
	/** The peer speaks HTTP/2: its SETTINGS are known. NULL: not interested. */
	void (*greeted)(struct h2_connection *connection);
	/** Server: the headers of a request. NULL without memory or over a limit: refused. */
	struct grpc_stream *(*opened)(struct h2_connection *connection, int32_t id);
	/** It overdid it. NULL: not interested. */
	void (*flooded)(struct h2_connection *connection);
	/** The end; all streams are closed. The owner frees the connection (h2_connection_free),
	 * at once or later. */
	void (*lost)(struct h2_connection *connection, const struct err *err);
};

struct h2_connection {
	struct h2_connection *next, *previous; /* the owner's */
	const struct h2_owner *owner;
	void *ctx; /* the owner's */
	struct transport transport;
	struct loop_socket *socket;
	struct loop_timer *timer; /* of what is to be sent or ended in the next turn */
	nghttp2_session *session; /* NULL: ended */
	const struct clock *clock;
	unsigned char *room; /* H2_READ_BYTES: shared by all connections of a thread, or own_room */
	unsigned char *own_room;
	/* What its streams hold, and what of `out` the socket did not take. */
	struct grpc_room share;
	struct grpc_turns *turns; /* of calls that find no room; NULL: those fail */
	struct buf out;
	size_t n_sent;          /* of out */
	size_t n_held;          /* of out, taken from the share */
	int64_t taken_after_ms; /* when the socket last took some, or it began to wait */
	struct h2_flood flood;
	struct err err; /* why it ends; kind ERR_NONE: the peer closed it */
	int64_t opened_after_ms, heard_after_ms;
	int64_t headers_after_ms;    /* when headers began that are not whole; 0: none */
	int64_t terminated_after_ms; /* when GOAWAY was due that ends it */
	struct grpc_stream *streams;
	size_t n_streams;
	unsigned depth;  /* of callbacks: it is not freed inside */
	bool reads_on;   /* there is more than one turn reads */
	bool is_greeted; /* the peer's SETTINGS came */
	bool is_flooded; /* and ended for it */
	bool is_leaving; /* we have said what the last call is */
	bool is_up, is_terminated, is_ended, is_lost_told, is_freed;
	struct peer peer;
	char *subject; /* of the client's certificate; NULL: none */
	char *doubt;   /* why its certificate counts for nothing; NULL: it counts, or none */
};

struct h2_options {
	struct loop *loop;
	const struct h2_owner *owner;
	void *ctx; /* the owner's */
	const struct clock *clock;
	unsigned char *room; /* H2_READ_BYTES, borrowed; NULL: it has its own */
};

/** Takes @fd (not blocking, connected or connecting). Without memory *out is NULL and @fd is
 * closed. */
CHECKED int h2_connection_new(
	struct h2_connection **out, int fd, const struct h2_options *options, struct err *err);
/** Begins: TLS if transport.session is set, then the preface and @settings. */
CHECKED int h2_connection_start(struct h2_connection *connection,
	const nghttp2_settings_entry *settings, size_t n_settings, uint32_t calls_max,
	struct err *err);
/** Streams are closed without a word to anybody but their own `closed`. Accepts NULL. */
void h2_connection_free(struct h2_connection *connection);

/** There is something to be sent: by the loop's next turn at the latest. */
void h2_connection_flush(struct h2_connection *connection);
/** Has the peer's machine got all that was to be sent? Of one that has ended: yes. */
bool h2_connection_is_flushed(const struct h2_connection *connection);
/** It ends in the loop's next turn: `lost` follows. */
void h2_connection_end(struct h2_connection *connection, const struct err *err);
/** GOAWAY with @code, then the end once it is sent. Said twice, it ends without. */
void h2_connection_terminate(
	struct h2_connection *connection, uint32_t code, const struct err *err);
/** The peer costs @n tokens; false: it is ended for that. */
bool h2_connection_charge(struct h2_connection *connection, int64_t n);
