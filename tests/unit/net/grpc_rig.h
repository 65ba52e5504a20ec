/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A gRPC server with methods of all kinds and a channel to it, in one loop. The loop runs until a
 * condition holds; what takes longer than ten seconds fails the test.
 */

#include <check.h>

#include "base/buf.h"
#include "net/grpc_client.h"
#include "net/grpc_server.h"

/* What the server saw. */
struct rig_server {
	unsigned n_open, n_closed, n_messages, n_half_closed;
	size_t n_bytes;
	struct grpc_call *call; /* the last that was opened; NULL: closed */
	char subject[128];
	unsigned pause_after; /* messages of /t/Sink; 0: never */
};

/* What one exchange saw. */
struct rig_exchange {
	struct grpc_exchange *exchange;
	unsigned n_messages, n_writable;
	struct buf last; /* message */
	bool is_finished;
	enum grpc_code code;
	char message[256], details[64];
};

struct rig {
	struct loop *loop;
	struct loop_timer *guard, *step;
	struct grpc_server *server;
	struct grpc_health *health;
	struct grpc_channel *channel;
	const struct grpc_method *methods[3];
	struct rig_server seen;
	unsigned n_up, n_lost;
	void (*when_up)(void), (*when_lost)(void); /* NULL: nothing */
	struct err lost;
	bool (*is_reached)(void);
};

extern struct rig rig;
extern const struct clock *rig_clock; /* the server's; the channel has the system's */

void rig_start(struct tls_server *tls, const struct grpc_limits *limits, const char *unix_path);
/** @options: host, port and callbacks are filled in. */
void rig_connect(struct grpc_channel_options options);
void rig_stop(void);
/** Runs the loop until the condition holds. */
void rig_until(bool (*is_reached)(void));
bool rig_is_up(void);
bool rig_is_lost(void);
bool rig_is_idle(void); /* the server knows no call */

/** Begins a call; rig_exchange_done frees what it saw. */
void rig_call(struct rig_exchange *seen, const char *path, struct grpc_exchange_options options);
void rig_send(struct rig_exchange *seen, struct text message);
/** One message there, and the end. */
void rig_unary(struct rig_exchange *seen, const char *path, struct text message,
	struct grpc_exchange_options options);
void rig_finish(struct rig_exchange *seen);
void rig_exchange_done(struct rig_exchange *seen);
