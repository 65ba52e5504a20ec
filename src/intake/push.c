/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Push: a spool is emptied into the ledger.
 *
 * The order is kept all the way: messages of a call become batches of one queue, which the writer
 * takes in turn, and a new hello of the same spool ends the older call and takes back what of it is
 * not in the queue yet. So the number that answers a hello is exact, and within a call the numbers
 * are counted here alone.
 *
 * Nothing is refused for want of room: what does not fit is held (hold.c), and meanwhile the call
 * is paused, so that its sender stops.
 */

#include "intake/push.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "intake/admission.h"
#include "intake/limits.h"
#include "intake/push_stream.h"
#include "intake_fields.h"

enum { LANE_KEY_BYTES_MAX = 1024 }; /* a spool's id, a node's and a cluster's name */

/* One message on its way to a batch. */
struct incoming {
	struct push_stream *stream;
	const struct credential *credential;
	char *data; /* NULL: taken */
	size_t size;
};

static struct spool_mark *mark_new(const struct push_stream *stream, struct batch *batch)
{
	struct spool_mark *mark = arena_alloc(&batch->arena, sizeof *mark);
	if (!mark)
		return NULL;
	memcpy(mark->id, stream->spool, sizeof mark->id);
	mark->node = arena_copy(&batch->arena, stream->node);
	batch->spool = mark;
	return mark;
}

/* Calls of one spool share it: what an older one has in the queue comes before our question. */
static struct lane *spool_lane(struct push_stream *stream)
{
	struct text id = {(const char *)stream->spool, sizeof stream->spool};
	struct buf key;
	buf_init(&key, LANE_KEY_BYTES_MAX);
	buf_add(&key, id);
	buf_add(&key, stream->node);
	buf_add_byte(&key, '\n');
	buf_add(&key, stream->cluster);
	struct lane *lane = buf_ok(&key) ? lane_of(stream->intake->lanes, buf_text(&key)) : NULL;
	buf_done(&key);
	return lane;
}

/* The first hello names the spool; a later one may only go on behind a gap in it. */
static int note_hello(struct incoming *in, const struct push_hello *hello, struct err *err)
{
	struct push_stream *stream = in->stream;
	struct text bound = in->credential->node;
	if (stream->has_said_hello) {
		bool is_same = memcmp(stream->spool, hello->spool, sizeof stream->spool) == 0 &&
			       text_equal(stream->node, hello->node);
		return is_same ? 0 : err_set(err, ERR_INPUT, "hello of another spool in one call");
	}
	if (bound.size && !text_equal(bound, hello->node))
		return err_set(err, ERR_DENIED, "this credential speaks for node %.*s, not %.*s",
			TEXT_ARG(bound), TEXT_ARG(hello->node));
	memcpy(stream->spool, hello->spool, sizeof stream->spool);
	stream->node = arena_copy(&stream->arena, hello->node);
	stream->version = arena_copy(&stream->arena, hello->version);
	stream->boot = arena_copy(&stream->arena, hello->boot);
	stream->cluster = arena_copy(&stream->arena, in->credential->cluster);
	stream->lane = stream->arena.failed ? NULL : spool_lane(stream);
	return stream->lane ? 0 : err_set(err, ERR_MEMORY, "no memory for a spool");
}

static int take_hello(struct incoming *in, const struct push_hello *hello, struct err *err)
{
	struct push_stream *stream = in->stream;
	if (note_hello(in, hello, err) < 0)
		return -1;
	struct flight *flight = flight_new(stream, in->credential, SOURCE_NONE);
	struct spool_mark *mark = flight ? mark_new(stream, flight->delivery.batch) : NULL;
	if (!mark || flight->delivery.batch->arena.failed) {
		if (flight)
			flight_free(flight);
		return err_set(err, ERR_MEMORY, "no memory for a spool");
	}
	mark->next = hello->next;
	mark->released = hello->released;
	if (!stream->has_said_hello)
		push_stream_end_rivals(stream);
	stream->has_said_hello = true;
	stream->is_open = false;
	flight_submit(flight);
	return 0;
}

static struct push_speaker speaker_of(const struct incoming *in, struct batch *batch)
{
	return (struct push_speaker){.credential = in->credential,
		.node = arena_copy(&batch->arena, in->stream->node),
		.is_agent = true,
		.now_ns = clock_wall_ns(in->stream->intake->clock)};
}

static int check_open(const struct push_stream *stream, struct err *err)
{
	if (!stream->has_said_hello)
		return err_set(err, ERR_MISSING, "the first message of a call is hello");
	if (!stream->is_open)
		return err_set(err, ERR_MISSING, "hello is not answered yet");
	return 0;
}

/* What was acknowledged before was counted as accepted then. */
static void count_passed(const struct intake *intake, const uint64_t counts[N_SOURCES])
{
	for (unsigned i = 0; i < N_SOURCES; i++)
		if (counts[i])
			metric_add(intake->alerts[i][INGEST_DUPLICATE], counts[i]);
}

static int fill(struct incoming *in, const struct push_records *records, size_t skip,
	struct flight *flight, struct err *err)
{
	uint64_t counts[N_SOURCES] = {0};
	struct batch *batch = flight->delivery.batch;
	struct push_speaker speaker = speaker_of(in, batch);
	if (push_records_decode(records, skip, &speaker, counts, batch, err) < 0)
		return -1;
	count_passed(in->stream->intake, counts);
	if (batch->n_alerts == 0)
		return 0;
	struct spool_mark *mark = mark_new(in->stream, batch);
	if (!mark)
		return err_set(err, ERR_MEMORY, "no memory for a batch");
	mark->last = records->first + records->n - 1;
	in->stream->expected = mark->last + 1;
	return 0;
}

/* Its source's sender was heard, by way of this node's agent. */
static void hear(struct flight *flight, const struct grpc_call *call)
{
	struct delivery *delivery = &flight->delivery;
	delivery->sender = senders_get(
		delivery->intake->senders, grpc_call_peer(call), delivery->source, false);
	if (delivery->sender)
		sender_set_agent(delivery->sender, flight->stream->node);
	delivery_heard(delivery);
}

static int take_records(struct incoming *in, const struct push_records *records, struct err *err)
{
	struct push_stream *stream = in->stream;
	if (check_open(stream, err) < 0)
		return -1;
	if (records->n && records->first > stream->expected)
		return err_set(err, ERR_MISSING,
			"records %llu to %llu are missing: send them, or say hello with the next",
			(unsigned long long)stream->expected,
			(unsigned long long)records->first - 1);
	uint64_t passed = records->n ? stream->expected - records->first : 0;
	size_t skip = passed < records->n ? (size_t)passed : records->n;
	struct flight *flight = flight_new(stream, in->credential, push_records_source(records));
	if (!flight)
		return err_set(err, ERR_MEMORY, "no memory for a batch");
	if (fill(in, records, skip, flight, err) < 0) {
		flight_free(flight);
		return -1;
	}
	hear(flight, stream->call);
	if (!flight->delivery.batch->first && !flight->delivery.batch->facts) {
		flight_free(flight);
		push_stream_repeat(stream);
		return 0;
	}
	flight->delivery.body = TAKE(in->data);
	flight->delivery.body_size = in->size;
	flight_submit(flight);
	return 0;
}

/* Reports come every few seconds: it is said, and counted, once a call. */
static void tell_refused(struct push_stream *stream, uint32_t sources)
{
	uint32_t news = sources & ~stream->refused;
	stream->refused |= sources;
	for (unsigned i = SOURCE_NONE + 1; i < N_SOURCES; i++) {
		if (!(news & 1U << i))
			continue;
		log_warning("push",
			"node %.*s: what it says of the coverage of %s is not kept: its "
			"credential may not send for that",
			TEXT_ARG(stream->node), source_info((enum source)i)->name);
		metric_add(stream->intake->alerts[i][INGEST_REFUSED], 1);
	}
}

static int take_report(struct incoming *in, struct text report, struct err *err)
{
	struct push_stream *stream = in->stream;
	if (check_open(stream, err) < 0)
		return -1;
	struct flight *flight = flight_new(stream, in->credential, SOURCE_NONE);
	if (!flight)
		return err_set(err, ERR_MEMORY, "no memory for a report");
	struct batch *batch = flight->delivery.batch;
	struct push_speaker speaker = speaker_of(in, batch);
	speaker.version = arena_copy(&batch->arena, stream->version);
	speaker.boot = arena_copy(&batch->arena, stream->boot);
	speaker.spool = (struct text){(const char *)stream->spool, sizeof stream->spool};
	uint32_t refused;
	if (push_report_decode(report, &speaker, batch, &refused, err) < 0) {
		flight_free(flight);
		return -1;
	}
	tell_refused(stream, refused);
	flight->delivery.body = TAKE(in->data);
	flight->delivery.body_size = in->size;
	flight_submit(flight);
	return 0;
}

/* The stream may be gone afterwards, unless it failed. */
static int take_message(struct incoming *in, struct err *err)
{
	struct push_request request;
	if (!in->credential) /* revoked, or expired */
		return err_set(err, ERR_DENIED, "this call's token is not in force any more");
	if (push_request_read((struct text){in->data, in->size}, &request, err) < 0)
		return -1;
	switch (request.kind) {
	case PUSH_NOTHING:
		return 0;
	case PUSH_HELLO:
		return take_hello(in, &request.hello, err);
	case PUSH_RECORDS:
		return take_records(in, &request.records, err);
	case PUSH_REPORT:
		return take_report(in, request.report, err);
	}
	return 0;
}

/* ---- the call ---- */

static void open_call(struct grpc_call *call, void *ctx)
{
	uint64_t credential_id;
	if (push_call_admit(ctx, call, &credential_id) &&
		!push_stream_new(ctx, call, credential_id))
		push_call_finish(call, GRPC_UNAVAILABLE, TEXT("no memory now"));
}

static void half_close(struct grpc_call *call, void *ctx)
{
	struct push_stream *stream = grpc_call_owner(call);
	(void)ctx;
	if (stream && stream->call)
		push_stream_half_close(stream);
}

static void close_call(struct grpc_call *call, void *ctx)
{
	struct push_stream *stream = grpc_call_owner(call);
	(void)ctx;
	if (stream)
		push_stream_close(stream);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it takes the data */
static void message(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	struct err err = {0};
	struct intake *intake = ctx;
	struct push_stream *stream = grpc_call_owner(call);
	struct incoming in = {.stream = stream, .data = data, .size = size};
	if (stream && stream->call) {
		struct credential_set *set = admission_set(intake);
		in.credential = set ? credential_of_id(set, stream->credential_id,
					      clock_wall_ns(intake->clock))
				    : NULL;
		if (take_message(&in, &err) < 0)
			push_stream_end(stream, push_code_of(err.kind), text_of(err.text));
		snapshot_unref(set ? &set->snapshot : NULL);
	}
	free(in.data);
}

static const struct grpc_method push_method = {
	.path = "/tocsin.intake.v1.Intake/Push",
	.message_bytes_max = PUSH_MESSAGE_BYTES_MAX,
	.is_client_streaming = true,
	.open = open_call,
	.message = message,
	.half_closed = half_close,
	.closed = close_call,
};

const struct grpc_method *intake_grpc_methods(struct intake *intake)
{
	intake->tell_streams = push_streams_tell;
	intake->free_streams = push_streams_free;
	intake->methods[0] = push_method;
	intake->methods[1] = push_unary_method;
	for (unsigned i = 0; i < N_PUSH_METHODS; i++)
		intake->methods[i].ctx = intake;
	return intake->methods;
}
