/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the http_*.c files share. Private to net/.
 *
 * All of it belongs to the loop's thread. The one exception: between handle and http_respond a
 * suspended request belongs to whoever will answer it, and comes back through server->done.
 */

#include <microhttpd.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/queue.h"
#include "base/snapshot.h"
#include "net/http_route.h"
#include "net/http_server.h"
#include "net/http_stream.h"
#include "net/peer.h"

enum {
	HTTP_DISCARD_BYTES = 1024 * 1024,          /* of a refused body, to keep the answer whole */
	HTTP_DISCARD_MAX_BYTES = 16 * 1024 * 1024, /* of a body without a length: then we hang up */
	HTTP_BODY_FIRST_BYTES = 64 * 1024,         /* of a Content-Length that we believe at once */
	HTTP_BODY_GRACE_MS = 10000,                /* before the least rate of 1 byte a ms counts */
	HTTP_OWN_HEADERS = 10,                     /* name, value, name, value …, NULL */
};

enum request_state {
	REQUEST_NONE,       /* between requests */
	REQUEST_ADMITTING,  /* in admit */
	REQUEST_RECEIVING,  /* the body arrives */
	REQUEST_DISCARDING, /* refused; the rest of the body is read and forgotten */
	REQUEST_HANDLING,   /* in handle */
	REQUEST_WAITING,    /* suspended */
	REQUEST_ANSWERED,   /* `response` is there, microhttpd has not got it yet */
	REQUEST_SENDING,    /* microhttpd has it */
	REQUEST_DROPPED,    /* the server stops: the connection ends unanswered */
};

/* An answer that its source gives bit by bit; without `read`: none. */
struct http_stream {
	struct http_stream_source source;
	bool is_asleep; /* suspended until there are bytes */
};

struct http_request {
	struct queue_item item; /* first: in server->done */
	struct http_connection *connection;
	enum request_state state;
	bool is_admitted; /* the route must be told of the end: by its own answer or by aborted */
	bool must_close;
	enum http_method method;
	const struct http_route *route;
	struct text path;
	struct text parts[HTTP_PARTS_MAX];
	unsigned n_parts;
	struct arena arena;
	struct buf body;
	size_t counted_bytes; /* of the body, in server->body_bytes */
	size_t n_received;
	int64_t arrived_after_ms;
	int64_t progress_after_ms;
	void *owner;
	struct http_response response;
	struct http_stream stream;
	const char *own_headers[HTTP_OWN_HEADERS];
	char own_value[32];
	unsigned refused_status; /* what net answered by itself */
};

/* One per socket; microhttpd's socket context. HTTP/1.1 has one request at a time. */
struct http_connection {
	struct http_connection *next, *previous;
	struct http_server *server;
	struct MHD_Connection *mhd;
	int fd;
	bool was_shut;
	bool is_subject_known;
	uint32_t n_requests;
	int64_t opened_after_ms;
	/* the last look at an idle connection: see http_deadline.c */
	int64_t looked_after_ms;
	uint64_t looked_bytes;
	uint32_t looked_requests;
	bool looked_partial;
	struct snapshot *tls_identity;
	char *subject;
	struct peer peer;
	struct http_request request;
};

/* The last short answer of nothing but a type and a body: almost all are "one accepted", and one of
 * microhttpd's responses goes out as often as it is needed. */
struct http_usual {
	struct MHD_Response *response; /* NULL: none yet */
	const char *content_type;
	struct text body; /* the response's */
};

struct http_server {
	struct MHD_Daemon *daemon;
	struct loop *loop;
	struct loop_watch *watch;
	struct loop_watch *done_watch;
	struct loop_timer *run_timer;
	struct loop_timer *tick_timer;
	struct queue *done; /* answered by other threads */
	struct tls_server *tls;
	const struct clock *clock;
	const struct http_route *const *routes;
	const struct http_route *missing; /* NULL: none */
	struct http_limits limits;
	struct http_connection *connections;
	struct http_usual usual;
	size_t body_bytes; /* of all requests that are not answered */
	_Atomic size_t n_connections;
	unsigned port;
	int listen_fd; /* ours to close after a quiesce */
	bool is_ticking;
	bool is_run_wanted;
	bool is_quiesced;
};

/* http_connection.c */
void http_connection_notice(void *ctx, struct MHD_Connection *mhd, void **socket_context,
	enum MHD_ConnectionNotificationCode code);
void http_connection_shut(struct http_connection *connection);

/* http_deadline.c */
void http_deadline_tick(void *ctx);

/* http_request.c */
enum MHD_Result http_request_access(void *ctx, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **state);
void http_request_completed(
	void *ctx, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode code);

/* http_response.c */
enum MHD_Result http_response_send(struct http_request *request);
/** On the loop's thread: the response is there, microhttpd shall get it. */
void http_response_ready(struct http_request *request);
void http_response_drop(struct http_request *request);
void http_usual_done(struct http_server *server);
/** An answer of net itself: the route hears of it by aborted. */
void http_refuse(
	struct http_request *request, unsigned status, const char *title, struct text detail);

/* http_stream.c */
struct MHD_Response *http_stream_response(struct http_request *request);
/** The request has ended: tells the source, if there is one. */
void http_stream_ended(struct http_request *request);
/** Wakes all: the server is quiesced or stops. */
void http_streams_wake(struct http_server *server);
/** Is the peer of a sleeping stream still there? */
void http_stream_look(struct http_request *request);

/* http_server.c */
void http_server_want_run(struct http_server *server);
