/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* An HTTP server on an ephemeral loopback port, its loop in a thread of its own. */

#include <pthread.h>

#include "net/http_server.h"

struct server_thread {
	struct loop *loop;
	struct http_server *server;
	unsigned port;
	pthread_t thread;
};

/** Makes the loop and the server; server_thread_run then starts the thread. */
void server_thread_init(struct server_thread *self, const struct http_route *const *routes,
	const struct clock *clock, const struct http_limits *limits, struct tls_server *tls);
void server_thread_run(struct server_thread *self);
/** Ends the thread; the server still exists. */
void server_thread_join(struct server_thread *self);
/** After server_thread_join. */
void server_thread_done(struct server_thread *self);
