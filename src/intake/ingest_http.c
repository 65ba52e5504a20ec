/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/body.h"
#include "intake/admission.h"
#include "intake/delivery.h"
#include "intake/encoding.h"
#include "intake/limits.h"

/* One request from its header to its answer. */
struct ingest {
	struct delivery delivery;     /* first */
	struct http_request *request; /* NULL: given up, nobody waits for the answer */
	enum encoding encoding;
	bool is_foreign; /* posted as to an Alertmanager: answered likewise */

	/* until the batch is made */
	struct credential_set *credentials;
	const struct credential *credential;
};

/* Where Prometheus posts alerts. */
static const char alertmanager_path[] = "/api/v2/alerts";

static struct ingest *ingest_of(struct delivery *delivery)
{
	return (struct ingest *)(void *)delivery;
}

static void ingest_free(struct ingest *ingest)
{
	if (ingest->credentials)
		snapshot_unref(&ingest->credentials->snapshot);
	delivery_done(&ingest->delivery);
	free(ingest);
}

static void drop(struct delivery *delivery)
{
	ingest_free(ingest_of(delivery));
}

static void refuse(struct ingest *ingest, struct http_request *request, unsigned status,
	const char *title, struct text detail)
{
	const struct delivery *delivery = &ingest->delivery;
	intake_count_refusal(delivery->intake, delivery->sender, delivery->source, status);
	http_set_owner(request, NULL);
	if (status == 429 || status == 503)
		http_respond_retry(request, status, title, detail, RETRY_AFTER_S);
	else
		http_respond_problem(request, status, title, detail);
	ingest_free(ingest);
}

/* The token of the path, or of the header; absent if there is none. */
static struct text token_of(struct http_request *request)
{
	struct text token = http_path_part(request, 1);
	return token.data ? token : admission_bearer(http_header(request, "Authorization"));
}

/* A right token is never refused because of wrong ones behind the same address. */
static void refuse_stranger(struct ingest *ingest, struct http_request *request)
{
	if (throttle_failed(ingest->delivery.intake->throttle, http_peer(request)))
		refuse(ingest, request, 429, "Too many wrong tokens",
			TEXT("this address sent too many requests without a valid token"));
	else
		refuse(ingest, request, 401, "Unauthorized",
			TEXT("a valid token is needed: in the path, as Authorization: Bearer, or a "
			     "client certificate"));
}

static void finish(struct delivery *delivery, unsigned status);

static size_t admit_known(struct ingest *ingest, struct http_request *request)
{
	if (ingest->delivery.source == SOURCE_NONE) {
		refuse(ingest, request, 404, "Not found",
			arena_format(http_arena(request), "no such source; known are %s",
				source_names()));
		return 0;
	}
	if (!credential_may_send(ingest->credential, ingest->delivery.source)) {
		refuse(ingest, request, 403, "Forbidden",
			TEXT("this credential may not send for this source"));
		return 0;
	}
	if (!encoding_parse(http_header(request, "Content-Encoding"), &ingest->encoding)) {
		refuse(ingest, request, 415, "Unsupported media type",
			TEXT("Content-Encoding may be gzip, zstd or identity"));
		return 0;
	}
	return source_info(ingest->delivery.source)->max_body_bytes;
}

static size_t admit(struct http_request *request, void *ctx)
{
	struct intake *intake = ctx;
	struct ingest *ingest = calloc(1, sizeof *ingest);
	if (!ingest) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, RETRY_AFTER_S);
		return 0;
	}
	ingest->is_foreign = text_is(http_path(request), alertmanager_path);
	enum source source =
		ingest->is_foreign ? SOURCE_ALERTMANAGER : source_parse(http_path_part(request, 0));
	ingest->request = request;
	ingest->credentials = admission_set(intake);
	ingest->credential =
		admission_of(intake, ingest->credentials, token_of(request), http_subject(request));
	enum push_back push_back = source_info(source)->push_back;
	ingest->delivery = (struct delivery){.intake = intake,
		.source = source,
		.push_back = push_back,
		.is_left_unanswered = push_back == PUSH_BACK_HOLD,
		.finish = finish,
		.drop = drop,
		.arrived_after_ms = http_arrived_after_ms(request),
		.sender = senders_get(
			intake->senders, http_peer(request), source, !ingest->credential)};
	http_set_owner(request, ingest);
	if (!ingest->credential) {
		refuse_stranger(ingest, request);
		return 0;
	}
	return admit_known(ingest, request);
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

static unsigned status_of(enum err_kind kind)
{
	if (kind == ERR_LIMIT)
		return 413;
	return kind == ERR_INPUT ? 400 : 503;
}

static int decode_body(struct ingest *ingest, struct http_request *request, struct err *err)
{
	struct delivery *delivery = &ingest->delivery;
	const struct source_info *info = source_info(delivery->source);
	if (encoding_take_body(request, ingest->encoding, info->max_body_bytes, &delivery->body,
		    &delivery->body_size, err) < 0)
		return -1;
	struct text body = {delivery->body, delivery->body_size};
	if (text_trim(body).size == 0 && !info->text_lines)
		return err_set(err, ERR_INPUT, "the body is empty");
	if (!delivery_begin(delivery, ingest->credential, delivery->source, http_peer(request)))
		return err_set(err, ERR_MEMORY, "no memory for a batch");
	struct batch *batch = delivery->batch;
	if (text_trim(body).size &&
		body_decode(body, clock_wall_ns(delivery->intake->clock), batch, err) < 0)
		return -1;
	if (ingest->credential->node.size)
		bind_node(batch, ingest->credential->node);
	return batch->arena.failed ? err_set(err, ERR_MEMORY, "no memory for a batch") : 0;
}

static const char *title_of(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad request";
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
	struct ingest *ingest = http_owner(request);
	struct err err = {0};
	(void)ctx;
	int result = decode_body(ingest, request, &err);
	if (result < 0) {
		unsigned status = status_of(err.kind);
		refuse(ingest, request, status, title_of(status), text_of(err.text));
		return;
	}
	snapshot_unref(&ingest->credentials->snapshot);
	ingest->credentials = NULL;
	ingest->credential = NULL;
	struct delivery *delivery = &ingest->delivery;
	delivery_heard(delivery);
	if (delivery->batch->n_alerts == 0) {
		atomic_fetch_add(&delivery->intake->n_waiting, 1);
		delivery_finish(delivery, 200);
		return;
	}
	hold_submit(delivery);
}

static void answer_ok(struct ingest *ingest)
{
	const struct batch *batch = ingest->delivery.batch;
	struct http_response response = {.status = 200, .content_type = "application/json"};
	response.body = malloc(ANSWER_BYTES);
	if (response.body)
		response.body_size = text_format(response.body, ANSWER_BYTES,
			"{\"accepted\":%zu,\"duplicate\":%zu,\"quarantined\":%zu}",
			batch->n_accepted, batch->n_duplicate, batch->n_quarantined);
	http_respond(ingest->request, &response);
}

/* As an Alertmanager: nothing, or what could not be read. What could be is stored all the same. */
static void answer_foreign(struct ingest *ingest)
{
	size_t n = ingest->delivery.batch->n_quarantined;
	struct http_response response = {.status = 200};
	if (n)
		http_respond_problem(ingest->request, 400, "Bad request",
			arena_format(&ingest->delivery.batch->arena,
				"%zu of %zu alerts are none, and were kept in quarantine: each "
				"needs"
				" labels, times are RFC 3339",
				n, ingest->delivery.batch->n_alerts));
	else
		http_respond(ingest->request, &response);
}

static void finish(struct delivery *delivery, unsigned status)
{
	struct ingest *ingest = ingest_of(delivery);
	struct http_request *request = ingest->request;
	if (request && status != 200) {
		const struct err *err = &delivery->batch->err;
		refuse(ingest, request, status, title_of(status),
			err->kind ? text_of(err->text) : TEXT("the store does not keep up"));
		return;
	}
	if (request) {
		http_set_owner(request, NULL);
		if (ingest->is_foreign)
			answer_foreign(ingest);
		else
			answer_ok(ingest);
	}
	ingest_free(ingest);
}

/* Before the batch is on its way nobody else knows the ingest; later its answer is nobody's. */
static void aborted(struct http_request *request, void *ctx)
{
	struct ingest *ingest = http_owner(request);
	unsigned status = http_refused_status(request);
	(void)ctx;
	if (!ingest)
		return;
	if (status)
		intake_count_refusal(ingest->delivery.intake, ingest->delivery.sender,
			ingest->delivery.source, status);
	if (ingest->delivery.batch)
		ingest->request = NULL;
	else
		ingest_free(ingest);
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
			.aborted = aborted,
			.errors_are_strings = paths[i] == alertmanager_path,
		};
	return n;
}
