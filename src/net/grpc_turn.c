/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_turn.h"

#include "net/grpc_stream.h"

/* In their order, whatever becomes of those behind. */
static void on_round(void *ctx)
{
	struct grpc_turns *turns = ctx;
	for (turns->next = turns->first; turns->next;) {
		struct grpc_stream *stream = turns->next;
		turns->next = stream->next_turn;
		stream->reader.is_first |= stream == turns->first;
		if (stream->is_short)
			grpc_stream_go_on(stream);
	}
}

bool grpc_turns_init(struct grpc_turns *turns, struct loop *loop)
{
	*turns = (struct grpc_turns){.timer = loop_timer_new(loop, on_round, turns)};
	return turns->timer;
}

void grpc_turns_done(struct grpc_turns *turns)
{
	loop_timer_free(turns->timer);
}

void grpc_turns_wait(struct grpc_turns *turns, struct grpc_stream *stream)
{
	if (stream->has_turn)
		return;
	stream->has_turn = true;
	stream->next_turn = NULL;
	stream->previous_turn = turns->last;
	if (turns->last)
		turns->last->next_turn = stream;
	else
		turns->first = stream;
	turns->last = stream;
	if (turns->first == stream)
		loop_timer_start(turns->timer, 0);
}

static void take_out(struct grpc_turns *turns, struct grpc_stream *stream)
{
	if (turns->next == stream)
		turns->next = stream->next_turn;
	if (stream->previous_turn)
		stream->previous_turn->next_turn = stream->next_turn;
	else
		turns->first = stream->next_turn;
	if (stream->next_turn)
		stream->next_turn->previous_turn = stream->previous_turn;
	else
		turns->last = stream->previous_turn;
	stream->has_turn = stream->reader.is_first = false;
}

void grpc_turns_leave(struct grpc_turns *turns, struct grpc_stream *stream)
{
	if (stream->has_turn)
		take_out(turns, stream);
	if (turns->first)
		loop_timer_start(turns->timer, 0);
}
