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
#include "base/wire.h"
#include "intake/admission.h"
#include "intake/limits.h"
#include "intake_fields.h"

enum { STREAM_ARENA_BYTES = 64 * 1024 };

/* One call. It lives until the call is closed and all of its batches are back. */
struct push_stream {
	struct push_stream *next, *previous; /* of the intake */
	struct push_stream *next_news;
	bool has_news;
	struct intake *intake;
	struct grpc_call *call; /* NULL: it was finished or is closed */
	bool is_closed;
	bool is_half_closed;
	bool is_paused;
	uint64_t credential_id;

	struct arena arena; /* of the texts below */
	struct text cluster, node, version;
	unsigned char spool[SPOOL_MARK_BYTES];
	bool has_said_hello;
	bool is_open;          /* hello is answered */
	uint64_t expected;     /* number of the next record */
	uint64_t acknowledged; /* all up to here is stored */
	bool is_to_tell;
	uint32_t refused; /* bit 1 << enum source: said once that their coverage is not kept */
	size_t n_flying;  /* batches, held or with the writer */
	struct delivery *held;
};

struct flight {
	struct delivery delivery; /* first */
	struct push_stream *stream;
};

/* One message on its way to a batch. */
struct incoming {
	struct push_stream *stream;
	const struct credential *credential;
	char *data; /* NULL: taken */
	size_t size;
};

/* ---- streams ---- */

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

static void flight_free(struct flight *flight)
{
	delivery_done(&flight->delivery);
	free(flight);
}

/* The fault is the sender's: it is counted. */
static bool is_refusal(enum grpc_code code)
{
	return code == GRPC_INVALID_ARGUMENT || code == GRPC_PERMISSION_DENIED ||
	       code == GRPC_FAILED_PRECONDITION;
}

/* The stream may be gone afterwards: closed may be called at once. */
static void end_call(struct push_stream *stream, enum grpc_code code, struct text why)
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

static void open_call(struct grpc_call *call, void *ctx)
{
	struct intake *intake = ctx;
	uint64_t credential_id;
	if (!push_call_admit(intake, call, &credential_id))
		return;
	struct push_stream *stream = calloc(1, sizeof *stream);
	if (!stream) {
		push_call_finish(call, GRPC_UNAVAILABLE, TEXT("no memory now"));
		return;
	}
	arena_init(&stream->arena, STREAM_ARENA_BYTES);
	stream->intake = intake;
	stream->call = call;
	stream->credential_id = credential_id;
	stream->next = intake->streams;
	if (intake->streams)
		intake->streams->previous = stream;
	intake->streams = stream;
	grpc_call_set_owner(call, stream);
}

static void close_call(struct grpc_call *call, void *ctx)
{
	struct push_stream *stream = grpc_call_owner(call);
	(void)ctx;
	if (!stream)
		return;
	stream->call = NULL; /* nothing is left to finish */
	stream->is_closed = true;
	end_call(stream, GRPC_OK, TEXT_NONE);
	if (stream->n_flying == 0)
		stream_free(stream);
}

/* ---- what became of batches ---- */

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
	if (stream->is_to_tell && send_answer(stream, &err) < 0) {
		end_call(stream, GRPC_UNAVAILABLE, text_of(err.text));
		return;
	}
	if (stream->n_flying == 0 && stream->is_half_closed)
		end_call(stream, GRPC_OK, TEXT_NONE);
	else if (stream->n_flying == 0 && stream->intake->is_quiet)
		end_call(stream, GRPC_UNAVAILABLE, TEXT("the collector is ending"));
	else
		settle_pause(stream);
}

/* Streams that something became of, one after the other: whatever one causes may end others. */
static void push_tell(struct intake *intake)
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

static void half_close(struct grpc_call *call, void *ctx)
{
	struct push_stream *stream = grpc_call_owner(call);
	if (!stream || !stream->call)
		return;
	stream->is_half_closed = true;
	add_news(stream);
	push_tell(ctx);
}

static void push_free(struct intake *intake)
{
	while (intake->streams)
		stream_free(intake->streams);
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
	if (mark->next > 1 && mark->known + 1 < mark->next)
		log_info("push", "node %.*s: records %llu to %llu of its spool will not come",
			TEXT_ARG(stream->node), (unsigned long long)mark->known + 1,
			(unsigned long long)mark->next - 1);
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
		end_call(stream, GRPC_UNAVAILABLE,
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

/* ---- messages ---- */

/* A flight with an empty batch. NULL without memory. */
static struct flight *flight_new(const struct incoming *in, enum source source)
{
	struct push_stream *stream = in->stream;
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
		.arrived_after_ms = clock_monotonic_ms(intake->clock)};
	struct text peer = grpc_call_peer(stream->call);
	if (delivery_begin(&flight->delivery, in->credential, source, peer))
		return flight;
	flight_free(flight);
	return NULL;
}

/* The stream may be gone afterwards. */
static void submit(struct flight *flight)
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

static bool is_same_spool(const struct push_stream *a, const struct push_stream *b)
{
	return a->has_said_hello && memcmp(a->spool, b->spool, sizeof a->spool) == 0 &&
	       text_equal(a->cluster, b->cluster) && text_equal(a->node, b->node);
}

/* What an older call has in the queue stands before our question; the rest is taken back. */
static void end_rivals(const struct push_stream *stream)
{
	for (struct push_stream *other = stream->intake->streams, *next; other; other = next) {
		next = other->next;
		if (other != stream && other->call && is_same_spool(other, stream))
			end_call(other, GRPC_ABORTED,
				TEXT("another call has begun to empty this spool"));
	}
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
	stream->cluster = arena_copy(&stream->arena, in->credential->cluster);
	return stream->arena.failed ? err_set(err, ERR_MEMORY, "no memory for a spool") : 0;
}

static int take_hello(struct incoming *in, const struct push_hello *hello, struct err *err)
{
	struct push_stream *stream = in->stream;
	if (note_hello(in, hello, err) < 0)
		return -1;
	struct flight *flight = flight_new(in, SOURCE_NONE);
	struct spool_mark *mark = flight ? mark_new(stream, flight->delivery.batch) : NULL;
	if (!mark || flight->delivery.batch->arena.failed) {
		if (flight)
			flight_free(flight);
		return err_set(err, ERR_MEMORY, "no memory for a spool");
	}
	mark->next = hello->next;
	if (!stream->has_said_hello)
		end_rivals(stream);
	stream->has_said_hello = true;
	stream->is_open = false;
	submit(flight);
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
	struct flight *flight = flight_new(in, push_records_source(records));
	if (!flight)
		return err_set(err, ERR_MEMORY, "no memory for a batch");
	if (fill(in, records, skip, flight, err) < 0) {
		flight_free(flight);
		return -1;
	}
	hear(flight, stream->call);
	if (!flight->delivery.batch->first && !flight->delivery.batch->facts) {
		flight_free(flight);
		stream->is_to_tell = true;
		add_news(stream);
		push_tell(stream->intake);
		return 0;
	}
	flight->delivery.body = TAKE(in->data);
	flight->delivery.body_size = in->size;
	submit(flight);
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
	if (check_open(in->stream, err) < 0)
		return -1;
	struct flight *flight = flight_new(in, SOURCE_NONE);
	if (!flight)
		return err_set(err, ERR_MEMORY, "no memory for a report");
	struct batch *batch = flight->delivery.batch;
	struct push_speaker speaker = speaker_of(in, batch);
	struct text version = arena_copy(&batch->arena, in->stream->version);
	uint32_t refused;
	if (push_report_decode(report, &speaker, version, batch, &refused, err) < 0) {
		flight_free(flight);
		return -1;
	}
	tell_refused(in->stream, refused);
	flight->delivery.body = TAKE(in->data);
	flight->delivery.body_size = in->size;
	submit(flight);
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
			end_call(stream, push_code_of(err.kind), text_of(err.text));
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
	intake->tell_streams = push_tell;
	intake->free_streams = push_free;
	intake->methods[0] = push_method;
	intake->methods[1] = push_unary_method;
	for (unsigned i = 0; i < N_PUSH_METHODS; i++)
		intake->methods[i].ctx = intake;
	return intake->methods;
}

void intake_quiesce(struct intake *intake)
{
	intake->is_quiet = true;
	for (struct push_stream *stream = intake->streams; stream; stream = stream->next)
		add_news(stream);
	push_tell(intake);
}
