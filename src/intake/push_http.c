/* SPDX-License-Identifier: Apache-2.0 */

/* PushBatch as a plain POST of protobuf or JSON, at its gRPC path on the HTTP port. */

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "intake/admission.h"
#include "intake/limits.h"
#include "intake/posted.h"
#include "intake/push.h"
#include "intake/push_json.h"

enum { REQUEST_ARENA_BYTES = 64 * 1024 * 1024 };

struct push_post {
	struct posted posted; /* first */
	bool is_json;
};

static struct push_post *push_post_of(struct posted *posted)
{
	return (struct push_post *)(void *)posted;
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

static size_t admit_known(struct push_post *post)
{
	struct posted *posted = &post->posted;
	struct http_request *request = posted->request;
	if (posted->credential->role != ROLE_SOURCE)
		posted_refuse(posted, 403, "Forbidden",
			TEXT("alerts are sent with a token of the role source"));
	else if (!parse_type(media_type(request), &post->is_json))
		posted_refuse(posted, 415, "Unsupported media type",
			TEXT("Content-Type may be application/x-protobuf or application/json"));
	else if (!encoding_parse(http_header(request, "Content-Encoding"), &posted->encoding))
		posted_refuse(posted, 415, "Unsupported media type",
			TEXT("Content-Encoding may be gzip, zstd or identity"));
	else
		return post->is_json ? PUSH_JSON_BYTES_MAX : PUSH_MESSAGE_BYTES_MAX;
	return 0;
}

static void answer(struct posted *posted);

static size_t admit(struct http_request *request, void *ctx)
{
	struct push_post *post = calloc(1, sizeof *post);
	if (!post) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, RETRY_AFTER_S);
		return 0;
	}
	/* Of which source is known with the body. */
	const struct posted_options options = {.intake = ctx,
		.source = SOURCE_NONE,
		.token = admission_bearer(http_header(request, "Authorization")),
		.answer = answer};
	posted_init(&post->posted, request, &options);
	if (post->posted.credential)
		return admit_known(post);
	posted_refuse_stranger(&post->posted,
		TEXT("a valid token is needed: as Authorization: Bearer, or a client "
		     "certificate"));
	return 0;
}

/* The message on the wire, whatever it came as. */
static int take_message(struct push_post *post, struct err *err)
{
	struct posted *posted = &post->posted;
	struct delivery *delivery = &posted->delivery;
	size_t max = post->is_json ? PUSH_JSON_BYTES_MAX : PUSH_MESSAGE_BYTES_MAX;
	if (encoding_take_body(posted->request, posted->encoding, max, &delivery->body,
		    &delivery->body_size, err) < 0)
		return -1;
	if (!post->is_json)
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

static void handle(struct http_request *request, void *ctx)
{
	struct push_post *post = push_post_of(http_owner(request));
	struct delivery *delivery = &post->posted.delivery;
	struct err err = {0};
	(void)ctx;
	if (take_message(post, &err) < 0 ||
		push_once_begin(delivery, post->posted.credential, http_peer(request), &err) < 0) {
		posted_refuse_error(&post->posted, &err);
		return;
	}
	posted_is_made(&post->posted);
	delivery_submit(delivery);
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
	bool is_json = push_post_of(posted)->is_json;
	struct http_response response = {.status = 200,
		.content_type = is_json ? "application/json" : "application/x-protobuf"};
	buf_init(&out, ANSWER_BYTES);
	if (is_json)
		write_json(posted->delivery.batch, &out);
	else
		push_once_answer(posted->delivery.batch, &out);
	response.body = buf_take(&out, &response.body_size);
	http_respond(posted->request, &response);
}

void push_routes_init(struct intake *intake, unsigned first)
{
	intake->routes[first] = (struct http_route){
		.method = HTTP_POST,
		.path = PUSH_ONCE_PATH,
		.admit = admit,
		.handle = handle,
		.ctx = intake,
		.aborted = posted_aborted,
	};
}
