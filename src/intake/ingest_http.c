/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/body.h"
#include "intake/admission.h"
#include "intake/limits.h"
#include "intake/posted.h"

struct ingest {
	struct posted posted; /* first */
	bool is_foreign;      /* posted as to an Alertmanager: answered likewise */
};

/* Where Prometheus posts alerts. */
static const char alertmanager_path[] = "/api/v2/alerts";

static struct ingest *ingest_of(struct posted *posted)
{
	return (struct ingest *)(void *)posted;
}

/* The token of the path, or of the header; absent if there is none. */
static struct text token_of(struct http_request *request)
{
	struct text token = http_path_part(request, 1);
	return token.data ? token : admission_bearer(http_header(request, "Authorization"));
}

static size_t admit_known(struct posted *posted)
{
	struct http_request *request = posted->request;
	enum source source = posted->delivery.source;
	if (source == SOURCE_NONE) {
		posted_refuse(posted, 404, "Not found",
			arena_format(http_arena(request), "no such source; known are %s",
				source_names()));
		return 0;
	}
	if (!credential_may_send(posted->credential, source)) {
		posted_refuse(posted, 403, "Forbidden",
			arena_format(http_arena(request), "this credential may not send for %s",
				source_info(source)->name));
		return 0;
	}
	if (!encoding_parse(http_header(request, "Content-Encoding"), &posted->encoding)) {
		posted_refuse(posted, 415, "Unsupported media type",
			TEXT("Content-Encoding may be gzip, zstd or identity"));
		return 0;
	}
	return source_info(source)->max_body_bytes;
}

static void answer(struct posted *posted);

static size_t admit(struct http_request *request, void *ctx)
{
	struct ingest *ingest = calloc(1, sizeof *ingest);
	if (!ingest) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, RETRY_AFTER_S);
		return 0;
	}
	ingest->is_foreign = text_is(http_path(request), alertmanager_path);
	struct posted *posted = &ingest->posted;
	const struct posted_options options = {.intake = ctx,
		.source = ingest->is_foreign ? SOURCE_ALERTMANAGER
					     : source_parse(http_path_part(request, 0)),
		.token = token_of(request),
		.answer = answer};
	posted_init(posted, request, &options);
	posted->delivery.push_back = source_info(options.source)->push_back;
	posted->delivery.ignores_answers = posted->delivery.push_back == PUSH_BACK_HOLD;
	if (posted->credential)
		return admit_known(posted);
	posted_refuse_stranger(posted,
		TEXT("a valid token is needed: in the path, as Authorization: Bearer, or a client "
		     "certificate"));
	return 0;
}

/* A credential that is bound to a node speaks for that node only. */
static void bind_node(struct batch *batch, struct text bound)
{
	struct text node = arena_copy(&batch->arena, bound);
	for (struct alert *alert = batch->first; alert; alert = alert->next) {
		if (alert->node.size == 0) {
			alert->node = node;
			continue;
		}
		if (text_equal(alert->node, node))
			continue;
		alert->kind = LEAF_QUARANTINED;
		alert->quarantine_reason = arena_format(
			&batch->arena, "node %.*s is not this credential's", TEXT_ARG(alert->node));
	}
}

static int decode_body(struct posted *posted, struct err *err)
{
	struct http_request *request = posted->request;
	struct delivery *delivery = &posted->delivery;
	const struct source_info *info = source_info(delivery->source);
	if (encoding_take_body(request, posted->encoding, info->max_body_bytes, &delivery->body,
		    &delivery->body_size, err) < 0)
		return -1;
	struct text body = {delivery->body, delivery->body_size};
	if (text_trim(body).size == 0 && !info->text_lines)
		return err_set(err, ERR_INPUT, "the body is empty");
	if (!delivery_begin(delivery, posted->credential, delivery->source, http_peer(request)))
		return err_set(err, ERR_MEMORY, "no memory for a batch");
	struct batch *batch = delivery->batch;
	if (text_trim(body).size &&
		body_decode(body, clock_wall_ns(delivery->intake->clock), batch, err) < 0)
		return -1;
	if (posted->credential->node.size)
		bind_node(batch, posted->credential->node);
	return batch->arena.failed ? err_set(err, ERR_MEMORY, "no memory for a batch") : 0;
}

static void handle(struct http_request *request, void *ctx)
{
	struct posted *posted = http_owner(request);
	struct delivery *delivery = &posted->delivery;
	struct err err = {0};
	(void)ctx;
	if (decode_body(posted, &err) < 0) {
		posted_refuse_error(posted, &err);
		return;
	}
	posted_is_made(posted);
	delivery_heard(delivery);
	delivery_submit(delivery);
}

static void answer_ok(struct http_request *request, const struct batch *batch)
{
	struct http_response response = {.status = 200, .content_type = "application/json"};
	response.body = malloc(ANSWER_BYTES);
	if (response.body)
		response.body_size = text_format(response.body, ANSWER_BYTES,
			"{\"accepted\":%zu,\"duplicate\":%zu,\"quarantined\":%zu}",
			batch->n_accepted, batch->n_duplicate, batch->n_quarantined);
	http_respond(request, &response);
}

/* As an Alertmanager: nothing, or what could not be read. What could be is stored all the same. */
static void answer_foreign(struct http_request *request, struct batch *batch)
{
	struct http_response response = {.status = 200};
	if (batch->n_quarantined)
		http_respond_problem(request, 400, "Bad request",
			arena_format(&batch->arena,
				"%zu of %zu alerts are none, and were kept in quarantine: each "
				"needs"
				" labels, times are RFC 3339",
				batch->n_quarantined, batch->n_alerts));
	else
		http_respond(request, &response);
}

static void answer(struct posted *posted)
{
	if (ingest_of(posted)->is_foreign)
		answer_foreign(posted->request, posted->delivery.batch);
	else
		answer_ok(posted->request, posted->delivery.batch);
}

unsigned ingest_routes_init(struct intake *intake)
{
	static const char *const paths[] = {
		"/ingest/{source}/{token}", "/ingest/{source}", alertmanager_path};
	unsigned n = sizeof paths / sizeof paths[0];
	for (unsigned i = 0; i < n; i++)
		intake->routes[i] = (struct http_route){
			.method = HTTP_POST,
			.path = paths[i],
			.admit = admit,
			.handle = handle,
			.ctx = intake,
			.aborted = posted_aborted,
			.errors_are_strings = paths[i] == alertmanager_path,
		};
	return n;
}
