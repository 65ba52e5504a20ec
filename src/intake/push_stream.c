/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/push_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/wire.h"
#include "intake/push.h"
#include "intake_fields.h"

enum { STREAM_ARENA_BYTES = 64 * 1024 };

/* ---- life ---- */

static void stream_free(struct push_stream *stream)
{
	struct intake *intake = stream->intake;
	if (stream->previous)
		stream->previous->next = stream->next;
	else
		intake->streams = stream->next;
	if (stream->next)
		stream->next->previous = stream->previous;
	struct push_stream **news = &intake->news;
	while (stream->has_news && *news != stream)
		news = &(*news)->next_news;
	if (stream->has_news)
		*news = stream->next_news;
	lane_leave(stream->lane);
	arena_done(&stream->arena);
	free(stream);
}

static void add_news(struct push_stream *stream)
{
	if (stream->has_news)
		return;
	stream->has_news = true;
	stream->next_news = stream->intake->news;
	stream->intake->news = stream;
}

/* The fault is the sender's: it is counted. */
static bool is_refusal(enum grpc_code code)
{
	return code == GRPC_INVALID_ARGUMENT || code == GRPC_PERMISSION_DENIED ||
	       code == GRPC_FAILED_PRECONDITION;
}

void push_stream_end(struct push_stream *stream, enum grpc_code code, struct text why)
{
	struct grpc_call *call = stream->call;
	if (stream->held) {
		struct flight *flight = (struct flight *)(void *)stream->held;
		hold_withdraw(stream->held);
		stream->held = NULL;
		stream->n_flying--;
		flight_free(flight);
	}
	stream->call = NULL;
	if (call && is_refusal(code))
		push_call_refuse(stream->intake, call, code, why);
	else if (call)
		push_call_finish(call, code, why);
}

struct push_stream *push_stream_new(
	struct intake *intake, struct grpc_call *call, uint64_t credential_id)
{
	struct push_stream *stream = calloc(1, sizeof *stream);
	if (!stream)
		return NULL;
	arena_init_small(&stream->arena, STREAM_ARENA_BYTES);
	stream->intake = intake;
	stream->call = call;
	stream->credential_id = credential_id;
	stream->next = intake->streams;
	if (intake->streams)
		intake->streams->previous = stream;
	intake->streams = stream;
	grpc_call_set_owner(call, stream);
	return stream;
}

void push_stream_close(struct push_stream *stream)
{
	stream->call = NULL; /* nothing is left to finish */
	stream->is_closed = true;
	push_stream_end(stream, GRPC_OK, TEXT_NONE);
	if (stream->n_flying == 0)
		stream_free(stream);
}

void push_streams_free(struct intake *intake)
{
	while (intake->streams)
		stream_free(intake->streams);
}

static bool is_same_spool(const struct push_stream *a, const struct push_stream *b)
{
	return a->has_said_hello && memcmp(a->spool, b->spool, sizeof a->spool) == 0 &&
	       text_equal(a->cluster, b->cluster) && text_equal(a->node, b->node);
}

/* What an older call has in the queue stands before our question; the rest is taken back. */
void push_stream_end_rivals(const struct push_stream *stream)
{
	for (struct push_stream *other = stream->intake->streams, *next; other; other = next) {
		next = other->next;
		if (other != stream && other->call && is_same_spool(other, stream))
			push_stream_end(other, GRPC_ABORTED,
				TEXT("another call has begun to empty this spool"));
	}
}

/* ---- what is told ---- */

static void settle_pause(struct push_stream *stream)
{
	bool wanted = stream->held || (stream->has_said_hello && !stream->is_open) ||
		      stream->intake->is_quiet;
	if (wanted == stream->is_paused)
		return;
	stream->is_paused = wanted;
	if (wanted)
		grpc_call_pause(stream->call);
	else
		grpc_call_resume(stream->call);
}

static int send_answer(struct push_stream *stream, struct err *err)
{
	char room[16];
	struct buf out;
	buf_init(&out, sizeof room);
	wire_add_varint(&out, INTAKE_PUSH_RESPONSE_ACKNOWLEDGED, stream->acknowledged);
	int failed = buf_ok(&out) ? grpc_call_send(stream->call, buf_text(&out), err)
				  : buf_error(&out, err, "an answer");
	buf_done(&out);
	stream->is_to_tell = false;
	return failed;
}

static void settle(struct push_stream *stream)
{
	struct err err;
	if (!stream->call)
		return;
	/* What is said after a hello is its answer: what was stored before it waits, and is in it.
	 */
	if (stream->is_to_tell && stream->is_open && send_answer(stream, &err) < 0) {
		push_stream_end(stream, GRPC_UNAVAILABLE, text_of(err.text));
		return;
	}
	if (stream->n_flying == 0 && stream->is_half_closed)
		push_stream_end(stream, GRPC_OK, TEXT_NONE);
	else if (stream->n_flying == 0 && stream->intake->is_quiet)
		push_stream_end(stream, GRPC_UNAVAILABLE, TEXT("the collector is ending"));
	else
		settle_pause(stream);
}

/* Streams that something became of, one after the other: whatever one causes may end others. */
void push_streams_tell(struct intake *intake)
{
	/* Called by what it causes: the call outside goes on with it, and the stack stays flat. */
	if (intake->is_telling)
		return;
	intake->is_telling = true;
	while (intake->news) {
		struct push_stream *stream = intake->news;
		intake->news = stream->next_news;
		stream->has_news = false;
		settle(stream);
	}
	intake->is_telling = false;
}

void push_stream_half_close(struct push_stream *stream)
{
	stream->is_half_closed = true;
	add_news(stream);
	push_streams_tell(stream->intake);
}

void push_stream_repeat(struct push_stream *stream)
{
	stream->is_to_tell = true;
	add_news(stream);
	push_streams_tell(stream->intake);
}

void intake_quiesce(struct intake *intake)
{
	intake->is_quiet = true;
	for (struct push_stream *stream = intake->streams; stream; stream = stream->next)
		add_news(stream);
	push_streams_tell(intake);
}

/* ---- flights ---- */

void flight_free(struct flight *flight)
{
	delivery_done(&flight->delivery);
	free(flight);
}

/* Told once: with this answer they are settled. */
static void tell_lack(const struct push_stream *stream, const struct spool_mark *mark)
{
	if (mark->known)
		log_warning("push",
			"node %.*s: its agent has delivered alerts up to record %llu, and this "
			"database has them up to %llu: it is older than what was delivered. Look "
			"for the rest in the database that it replaced; coverage tells the gap",
			TEXT_ARG(stream->node), (unsigned long long)mark->released,
			(unsigned long long)mark->known);
	else
		log_warning("push",
			"node %.*s: its agent has delivered alerts up to record %llu that are not "
			"in "
			"this database: it is new, older, another collector's, or has forgotten "
			"the "
			"agent. Look for them in the database that the agent delivered to; "
			"coverage tells the gap",
			TEXT_ARG(stream->node), (unsigned long long)mark->released);
}

static void note_stored(struct push_stream *stream, const struct spool_mark *mark)
{
	if (!mark)
		return;
	bool is_answer = mark->last == 0;
	stream->acknowledged = is_answer ? mark->acknowledged : mark->last;
	stream->is_to_tell = true;
	if (!is_answer)
		return;
	stream->expected = mark->acknowledged + 1;
	stream->is_open = true;
	if (mark->is_lacking)
		tell_lack(stream, mark);
}

static void finish(struct delivery *delivery, unsigned status)
{
	struct flight *flight = (struct flight *)(void *)delivery;
	struct push_stream *stream = flight->stream;
	struct err err = delivery->batch->err;
	if (status == 200)
		note_stored(stream, delivery->batch->spool);
	stream->n_flying--;
	flight_free(flight);
	if (!stream->call) {
		if (stream->is_closed && stream->n_flying == 0)
			stream_free(stream);
	} else if (status == 200) {
		add_news(stream);
	} else {
		push_stream_end(stream, GRPC_UNAVAILABLE,
			err.kind ? text_of(err.text) : TEXT("the store does not keep up"));
	}
}

static void drop(struct delivery *delivery)
{
	struct flight *flight = (struct flight *)(void *)delivery;
	struct push_stream *stream = flight->stream;
	stream->n_flying--;
	flight_free(flight);
	if (stream->is_closed && stream->n_flying == 0)
		stream_free(stream);
}

static void left_hold(struct delivery *delivery)
{
	struct push_stream *stream = ((struct flight *)(void *)delivery)->stream;
	stream->held = NULL;
	add_news(stream);
}

struct flight *flight_new(
	struct push_stream *stream, const struct credential *credential, enum source source)
{
	struct intake *intake = stream->intake;
	struct flight *flight = calloc(1, sizeof *flight);
	if (!flight)
		return NULL;
	flight->stream = stream;
	flight->delivery = (struct delivery){.intake = intake,
		.source = source,
		.push_back = PUSH_BACK_HOLD,
		.finish = finish,
		.drop = drop,
		.left_hold = left_hold,
		.lane = lane_join(stream->lane),
		.arrived_after_ms = clock_monotonic_ms(intake->clock)};
	struct text peer = grpc_call_peer(stream->call);
	if (delivery_begin(&flight->delivery, credential, source, peer))
		return flight;
	flight_free(flight);
	return NULL;
}

void flight_submit(struct flight *flight)
{
	struct push_stream *stream = flight->stream;
	stream->n_flying++;
	enum hold_result result = hold_submit(&flight->delivery);
	if (result == HOLD_REFUSED)
		return;
	if (result == HOLD_HELD)
		stream->held = &flight->delivery;
	settle_pause(stream);
}
