/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The server's side of one call, and what grpc_server.c and grpc_call.c share. Private to net/. */

#include "net/grpc_header.h"
#include "net/grpc_server.h"
#include "net/grpc_stream.h"
#include "net/listener.h"

enum { CALL_WAITING_BYTES_MAX = 1024 * 1024, N_GRPC_CODES = GRPC_UNAUTHENTICATED + 1 };

struct grpc_server {
	struct loop *loop;
	const struct clock *clock;
	struct tls_server *tls;
	const struct grpc_method *const *methods;
	struct grpc_limits limits;
	struct loop_watch *watch; /* of the listening socket; NULL: no new connections */
	struct loop_timer *tick;
	struct h2_connection *connections;
	struct table *peers; /* address → struct grpc_peer */
	struct grpc_room buffered;
	struct grpc_turns turns;
	unsigned char *room; /* for reading */
	char *unix_path;     /* removed at the end */
	int listen_fd;
	unsigned port;
	bool is_quiesced;
	_Atomic size_t n_connections;
	_Atomic uint64_t counts[N_GRPC_EVENTS];
	_Atomic uint64_t codes[N_GRPC_CODES];
};

/* All connections of one address. */
struct grpc_peer {
	struct grpc_room buffered; /* first: parent of the connections' shares */
	size_t n_connections;
};

/* A header as it came, in its order. */
struct grpc_metadata {
	struct grpc_metadata *next;
	struct text name, value;
};

struct grpc_call {
	struct grpc_stream stream; /* first */
	struct grpc_server *server;
	const struct grpc_method *method; /* NULL: not known yet, or none */
	void *owner;
	struct grpc_metadata *metadata;
	struct text path, http_method, content_type, encoding, accept_encoding, timeout;
	size_t n_held;               /* itself and its headers, of the connection's share */
	struct loop_timer *deadline; /* NULL: none */
	int64_t deadline_after_ms;
	struct grpc_status status;
	bool has_request; /* its headers were whole */
	bool is_open;     /* the method knows it */
	bool is_finished, has_answered;
	bool packs; /* our messages may go as gzip */
	unsigned n_messages;
};

/** NULL without memory. */
struct grpc_stream *grpc_call_new(struct h2_connection *connection, int32_t id);
