/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * gRPC over HTTP/2 for servers: unary and all streaming kinds, on the loop's thread.
 *
 * Knows frames, messages, deadlines and limits, no opinions: methods say what a path means. A call
 * begins with its headers (open), gets whole messages, and ends exactly once with `closed`, whoever
 * ended it. Between open and closed it may be answered at any time from the loop's thread. What a
 * peer may have in flight is bounded: a paused call is sent no more window, so that its sender
 * stops.
 */

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "net/grpc_status.h"
#include "net/loop.h"
#include "net/tls.h"

struct grpc_server;
struct grpc_call; /* valid from open to closed, both included */

struct grpc_method {
	const char *path;         /* "/tocsin.intake.v1.Intake/Push" */
	size_t message_bytes_max; /* of one message, expanded; longer: RESOURCE_EXHAUSTED */
	bool is_client_streaming; /* false: exactly one message, else INTERNAL or UNIMPLEMENTED */

	/** The headers are there: authenticate, set an owner. May grpc_finish already. */
	void (*open)(struct grpc_call *call, void *ctx);
	/** One whole message. Takes @data (free); never called while the call is paused. */
	void (*message)(struct grpc_call *call, char *data, size_t size, void *ctx);
	/** The peer will send no more. NULL: not interested. */
	void (*half_closed)(struct grpc_call *call, void *ctx);
	/** The last that is heard of the call: finished, reset, deadline, connection lost. */
	void (*closed)(struct grpc_call *call, void *ctx);
	void *ctx;
};

/* Counted for the metrics; any thread reads. */
enum grpc_event {
	GRPC_CONNECTIONS, /* accepted since the start */
	GRPC_CALLS,
	GRPC_FLOODS,  /* connections that were ended by GOAWAY for what they did */
	GRPC_REFUSED, /* connections over the limit */
	N_GRPC_EVENTS,
};

struct grpc_limits {
	size_t connections_max;     /* 8192 */
	size_t connections_of_peer; /* half of it, of one address */
	size_t calls_of_connection; /* SETTINGS_MAX_CONCURRENT_STREAMS: 100 */
	size_t header_bytes;        /* 16 KiB */
	size_t call_window_bytes;   /* 128 KiB: what a paused call may have waiting here */
	/* Headers of calls, messages being received, bytes that wait to be read or sent. Messages
	 * that are more than half of it wait for each other; the other half holds one message and
	 * the windows of all calls. */
	size_t buffered_bytes_all;           /* 256 MiB */
	size_t buffered_bytes_of_peer;       /* half of it, of one address */
	size_t buffered_bytes_of_connection; /* a quarter of it */
	/* 10 000: TLS, preface and SETTINGS; headers that began; GOAWAY that is not read */
	int64_t handshake_after_ms;
	int64_t idle_after_ms;    /* 600 000 without a call and without a PING */
	int64_t stalled_after_ms; /* 60 000 without a byte of a message that began (and 1 KiB/s
				     after 10 s), or taken of what waits to be sent */
};
extern const struct grpc_limits grpc_limits_usual;

struct grpc_server_options {
	const char *address;
	unsigned port;                    /* 0: any free one (grpc_server_port) */
	const char *unix_path;            /* instead of both; NULL */
	struct tls_server *tls;           /* NULL: h2c with prior knowledge */
	const struct grpc_limits *limits; /* NULL: the values above */
	const struct clock *clock;
	const struct grpc_method *const *methods; /* arrays ended by a NULL path; ended by NULL */
};

/** Loop thread, or before it runs. */
CHECKED int grpc_server_start(struct grpc_server **out, struct loop *loop,
	const struct grpc_server_options *options, struct err *err);
/** No new connections; GOAWAY to those that are there, calls may end. Loop thread. */
void grpc_server_quiesce(struct grpc_server *server);
/** Have all peers got what was said to them so far? Loop thread. */
bool grpc_server_is_flushed(const struct grpc_server *server);
/** Ends every connection, calls `closed` for each call, then frees. Loop not running. */
void grpc_server_stop(struct grpc_server *server); /* accepts NULL */
unsigned grpc_server_port(const struct grpc_server *server);
size_t grpc_server_connections(const struct grpc_server *server); /* any thread */
uint64_t grpc_server_count(const struct grpc_server *server, enum grpc_event event);
/** Calls that ended so. */
uint64_t grpc_server_ended(const struct grpc_server *server, enum grpc_code code);

/* Of a call; loop thread. Texts live as long as the call. */

struct text grpc_call_path(const struct grpc_call *call);
/** A header's value as sent ("-bin" ones decoded); absent if there is none. */
struct text grpc_call_metadata(const struct grpc_call *call, const char *name);
struct text grpc_call_peer(const struct grpc_call *call); /* "192.0.2.1", "unix" */
bool grpc_call_is_loopback(const struct grpc_call *call);
/** Verified client certificate's subject, as http_subject; absent: none. */
struct text grpc_call_subject(const struct grpc_call *call);
/** Why the client's certificate counts for nothing; absent: it counts, or there is none. */
struct text grpc_call_doubt(const struct grpc_call *call);
/** When the caller gives up (monotonic); INT64_MAX: never. The server ends the call then itself. */
int64_t grpc_call_deadline_after_ms(const struct grpc_call *call);

void grpc_call_set_owner(struct grpc_call *call, void *owner);
void *grpc_call_owner(const struct grpc_call *call);

/** Queues one message (copied; compressed when the peer takes gzip and it pays). ERR_LIMIT when
 * more than 1 MiB waits for a peer that does not read, or its share is used up; ERR_IO when the
 * call is over. */
CHECKED int grpc_call_send(struct grpc_call *call, struct text message, struct err *err);
/** Bytes that wait for the peer to read. */
size_t grpc_call_waiting_bytes(const struct grpc_call *call);
/** Sends what is queued, then the status. Nothing may be sent afterwards. */
void grpc_call_finish(struct grpc_call *call, const struct grpc_status *status);

/** No more messages, and no more window for the sender, until resumed. What is already here waits.
 */
void grpc_call_pause(struct grpc_call *call);
void grpc_call_resume(struct grpc_call *call);

/* grpc.health.v1.Health: Check and Watch. One row for grpc_server_options.methods. */
struct grpc_health;
struct grpc_health *grpc_health_new(void); /* NULL without memory */
void grpc_health_free(struct grpc_health *health);
const struct grpc_method *grpc_health_methods(struct grpc_health *health);
/** For every service and for "" (the server). Watchers are told. Loop thread. */
void grpc_health_set(struct grpc_health *health, bool is_serving);
