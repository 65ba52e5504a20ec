/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Calls whose messages find no room wait here for their turn, of all connections of a server.
 * Private to net/; the loop's thread.
 *
 * Messages may fill half of the room. The rest is for what the windows of those that wait let in,
 * and for the first in turn: so one message always becomes whole, and with it there is room for
 * others.
 */

#include "net/loop.h"

struct grpc_stream;

struct grpc_turns {
	struct grpc_stream *first, *last;
	struct grpc_stream *next; /* that the round comes to */
	struct loop_timer *timer; /* of a round */
};

/** false without memory. */
CHECKED bool grpc_turns_init(struct grpc_turns *turns, struct loop *loop);
void grpc_turns_done(struct grpc_turns *turns);

/** It keeps the place that it has, else it gets the last. */
void grpc_turns_wait(struct grpc_turns *turns, struct grpc_stream *stream);
/** Its message is whole, or it is over: others may go on. It need not have a place. */
void grpc_turns_leave(struct grpc_turns *turns, struct grpc_stream *stream);
