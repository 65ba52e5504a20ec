/* SPDX-License-Identifier: Apache-2.0 */

/* PushBatch as a plain POST of protobuf or JSON, at its gRPC path on the HTTP port. */

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "intake/admission.h"
#include "intake/encoding.h"
#include "intake/limits.h"
#include "intake/push.h"
#include "intake/push_json.h"

enum { REQUEST_ARENA_BYTES = 64 * 1024 * 1024 };

struct posted {
	struct delivery delivery;     /* first */
	struct http_request *request; /* NULL: given up, nobody waits for the answer */
	struct credential_set *credentials;
	const struct credential *credential;
	enum encoding encoding;
	bool is_json;
};

static struct posted *posted_of(struct delivery *delivery)
{
	return (struct posted *)(void *)delivery;
}

static void posted_free(struct posted *posted)
{
	if (posted->credentials)
		snapshot_unref(&posted->credentials->snapshot);
	delivery_done(&posted->delivery);
	free(posted);
}

static void refuse(struct posted *posted, unsigned status, const char *title, struct text detail)
{
	const struct delivery *delivery = &posted->delivery;
	struct http_request *request = posted->request;
	intake_count_refusal(delivery->intake, delivery->sender, delivery->source, status);
	http_set_owner(request, NULL);
	if (status == 429 || status == 503)
		http_respond_retry(request, status, title, detail, RETRY_AFTER_S);
	else
		http_respond_problem(request, status, title, detail);
	posted_free(posted);
}

static void refuse_stranger(struct posted *posted)
{
	if (throttle_failed(posted->delivery.intake->throttle, http_peer(posted->request)))
		refuse(posted, 429, "Too many wrong tokens",
			TEXT("this address sent too many requests without a valid token"));
	else
		refuse(posted, 401, "Unauthorized",
			TEXT("a valid token is needed: as Authorization: Bearer, or a client "
			     "certificate"));
}

/* The media type without its parameters. */
static struct text media_type(struct http_request *request)
{
	struct text rest = http_header(request, "Content-Type"), type = TEXT_NONE;
	text_split(&rest, ';', &type);
	return text_trim(type);
}

static bool parse_type(struct text type, bool *is_json)
{
	*is_json = text_equal_nocase(type, TEXT("application/json"));
	return *is_json || text_equal_nocase(type, TEXT("application/x-protobuf")) ||
	       text_equal_nocase(type, TEXT("application/protobuf"));
}

static void finish(struct delivery *delivery, unsigned status);

static void drop(struct delivery *delivery)
{
	posted_free(posted_of(delivery));
}

static size_t admit_known(struct posted *posted, struct http_request *request)
{
	if (posted->credential->role != ROLE_SOURCE)
		refuse(posted, 403, "Forbidden",
			TEXT("alerts are sent with a token of the role source"));
	else if (!parse_type(media_type(request), &posted->is_json))
		refuse(posted, 415, "Unsupported media type",
			TEXT("Content-Type may be application/x-protobuf or application/json"));
	else if (!encoding_parse(http_header(request, "Content-Encoding"), &posted->encoding))
		refuse(posted, 415, "Unsupported media type",
			TEXT("Content-Encoding may be gzip, zstd or identity"));
	else
		return posted->is_json ? PUSH_JSON_BYTES_MAX : PUSH_MESSAGE_BYTES_MAX;
	return 0;
}

static size_t admit(struct http_request *request, void *ctx)
{
	struct intake *intake = ctx;
	struct posted *posted = calloc(1, sizeof *posted);
	if (!posted) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, RETRY_AFTER_S);
		return 0;
	}
	posted->request = request;
	posted->credentials = admission_set(intake);
	posted->credential = admission_of(intake, posted->credentials,
		admission_bearer(http_header(request, "Authorization")), http_subject(request));
	posted->delivery = (struct delivery){.intake = intake,
		.finish = finish,
		.drop = drop,
		.arrived_after_ms = http_arrived_after_ms(request),
		.sender = senders_get(
			intake->senders, http_peer(request), SOURCE_NONE, !posted->credential)};
	http_set_owner(request, posted);
	if (posted->credential)
		return admit_known(posted, request);
	refuse_stranger(posted);
	return 0;
}

/* The message on the wire, whatever it came as. */
static int take_message(struct posted *posted, struct err *err)
{
	struct delivery *delivery = &posted->delivery;
	size_t max = posted->is_json ? PUSH_JSON_BYTES_MAX : PUSH_MESSAGE_BYTES_MAX;
	if (encoding_take_body(posted->request, posted->encoding, max, &delivery->body,
		    &delivery->body_size, err) < 0)
		return -1;
	if (!posted->is_json)
		return 0;
	AUTO(arena_done) struct arena arena;
	AUTO(buf_done) struct buf wire;
	arena_init(&arena, REQUEST_ARENA_BYTES);
	buf_init(&wire, PUSH_MESSAGE_BYTES_MAX);
	struct text json = {delivery->body, delivery->body_size};
	if (push_json_read(json, &arena, &wire, err) < 0)
		return -1;
	free(delivery->body);
	delivery->body = buf_take(&wire, &delivery->body_size);
	return 0;
}

static unsigned status_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_INPUT:
		return 400;
	case ERR_DENIED:
		return 403;
	case ERR_LIMIT:
		return 413;
	default:
		return 503;
	}
}

static const char *title_of(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad request";
	case 403:
		return "Forbidden";
	case 413:
		return "Content too large";
	case 429:
		return "Too many requests";
	default:
		return "Not now";
	}
}

static void handle(struct http_request *request, void *ctx)
{
	struct posted *posted = http_owner(request);
	struct delivery *delivery = &posted->delivery;
	struct intake *intake = ctx;
	struct err err = {0};
	if (take_message(posted, &err) < 0 ||
		push_once_begin(delivery, posted->credential, http_peer(request), &err) < 0) {
		unsigned status = status_of(err.kind);
		refuse(posted, status, title_of(status), text_of(err.text));
		return;
	}
	snapshot_unref(&posted->credentials->snapshot);
	posted->credentials = NULL;
	posted->credential = NULL;
	if (delivery->batch->first || delivery->batch->facts) {
		hold_submit(delivery);
		return;
	}
	atomic_fetch_add(&intake->n_waiting, 1);
	delivery_finish(delivery, 200);
}

static void write_json(const struct batch *batch, struct buf *out)
{
	struct emitter emitter;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "accepted");
	emit_big(&emitter, batch->n_accepted);
	emit_key(&emitter, "duplicate");
	emit_big(&emitter, batch->n_duplicate);
	emit_key(&emitter, "quarantined");
	emit_big(&emitter, batch->n_quarantined);
	emit_object_end(&emitter);
}

static void answer(struct posted *posted)
{
	struct buf out;
	struct http_response response = {.status = 200,
		.content_type = posted->is_json ? "application/json" : "application/x-protobuf"};
	buf_init(&out, ANSWER_BYTES);
	if (posted->is_json)
		write_json(posted->delivery.batch, &out);
	else
		push_once_answer(posted->delivery.batch, &out);
	response.body = buf_take(&out, &response.body_size);
	http_set_owner(posted->request, NULL);
	http_respond(posted->request, &response);
}

static void finish(struct delivery *delivery, unsigned status)
{
	struct posted *posted = posted_of(delivery);
	const struct err *err = &delivery->batch->err;
	if (posted->request && status != 200) {
		refuse(posted, status, title_of(status),
			err->kind ? text_of(err->text) : TEXT("the store does not keep up"));
		return;
	}
	if (posted->request)
		answer(posted);
	posted_free(posted);
}

/* Before the batch is on its way nobody else knows of it; later its answer is nobody's. */
static void aborted(struct http_request *request, void *ctx)
{
	struct posted *posted = http_owner(request);
	unsigned status = http_refused_status(request);
	(void)ctx;
	if (!posted)
		return;
	if (status)
		intake_count_refusal(posted->delivery.intake, posted->delivery.sender,
			posted->delivery.source, status);
	if (posted->delivery.batch)
		posted->request = NULL;
	else
		posted_free(posted);
}

void push_routes_init(struct intake *intake, unsigned first)
{
	intake->routes[first] = (struct http_route){
		.method = HTTP_POST,
		.path = PUSH_ONCE_PATH,
		.admit = admit,
		.handle = handle,
		.ctx = intake,
		.aborted = aborted,
	};
}
