/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/compress.h"
#include "base/table.h"
#include "decode/body.h"
#include "intake/ingest.h"
#include "intake/limits.h"

/* Where Prometheus posts alerts. */
static const char alertmanager_path[] = "/api/v2/alerts";

void ingest_free(struct ingest *ingest)
{
	if (!ingest)
		return;
	if (ingest->credentials)
		snapshot_unref(&ingest->credentials->snapshot);
	if (ingest->batch && ingest->batch->n_redactions)
		explicit_bzero(ingest->body, ingest->body_size);
	batch_free(ingest->batch);
	free(ingest->body);
	free(ingest);
}

static void refuse(struct ingest *ingest, struct http_request *request, unsigned status,
	const char *title, struct text detail)
{
	intake_count_refusal(ingest->intake, ingest->sender, ingest->source, status);
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
	if (token.data)
		return token;
	struct text header = http_header(request, "Authorization");
	struct text scheme = text_part(header, 0, 7);
	if (text_equal_nocase(scheme, TEXT("Bearer ")))
		return text_trim(text_part(header, 7, header.size));
	return TEXT_NONE;
}

static const struct credential *authenticate(
	const struct intake *intake, const struct credential_set *set, struct http_request *request)
{
	int64_t now_ns = clock_wall_ns(intake->clock);
	struct text token = token_of(request);
	if (!set || token.size > TOKEN_BYTES_MAX)
		return NULL;
	if (token.size)
		return credential_find(set, token, now_ns);
	struct text subject = http_subject(request);
	return subject.size ? credential_find_subject(set, subject, now_ns) : NULL;
}

static bool parse_encoding(struct text word, enum encoding *out)
{
	static const struct {
		const char *word;
		enum encoding encoding;
	} known[] = {{"", ENCODING_NONE}, {"identity", ENCODING_NONE}, {"gzip", ENCODING_GZIP},
		{"x-gzip", ENCODING_GZIP}, {"zstd", ENCODING_ZSTD}};
	word = text_trim(word);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (text_equal_nocase(word, text_of(known[i].word))) {
			*out = known[i].encoding;
			return true;
		}
	return false;
}

/* A right token is never refused because of wrong ones behind the same address. */
static void refuse_stranger(struct ingest *ingest, struct http_request *request)
{
	if (throttle_failed(ingest->intake->throttle, http_peer(request)))
		refuse(ingest, request, 429, "Too many wrong tokens",
			TEXT("this address sent too many requests without a valid token"));
	else
		refuse(ingest, request, 401, "Unauthorized",
			TEXT("a valid token is needed: in the path, as Authorization: Bearer, or a "
			     "client certificate"));
}

static size_t admit_known(struct ingest *ingest, struct http_request *request)
{
	if (ingest->source == SOURCE_NONE) {
		refuse(ingest, request, 404, "Not found",
			arena_format(http_arena(request), "no such source; known are %s",
				source_names()));
		return 0;
	}
	if (!credential_may_send(ingest->credential, ingest->source)) {
		refuse(ingest, request, 403, "Forbidden",
			TEXT("this credential may not send for this source"));
		return 0;
	}
	if (!parse_encoding(http_header(request, "Content-Encoding"), &ingest->encoding)) {
		refuse(ingest, request, 415, "Unsupported media type",
			TEXT("Content-Encoding may be gzip, zstd or identity"));
		return 0;
	}
	return source_info(ingest->source)->max_body_bytes;
}

static size_t admit(struct http_request *request, void *ctx)
{
	struct intake *intake = ctx;
	struct ingest *ingest = calloc(1, sizeof *ingest);
	if (!ingest) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, RETRY_AFTER_S);
		return 0;
	}
	ingest->intake = intake;
	ingest->request = request;
	ingest->arrived_after_ms = http_arrived_after_ms(request);
	ingest->is_foreign = text_is(http_path(request), alertmanager_path);
	ingest->source =
		ingest->is_foreign ? SOURCE_ALERTMANAGER : source_parse(http_path_part(request, 0));
	ingest->credentials = (struct credential_set *)(void *)snapshot_ref(intake->credentials);
	ingest->credential = authenticate(intake, ingest->credentials, request);
	ingest->sender = senders_get(
		intake->senders, http_peer(request), ingest->source, !ingest->credential);
	http_set_owner(request, ingest);
	if (!ingest->credential) {
		refuse_stranger(ingest, request);
		return 0;
	}
	return admit_known(ingest, request);
}

/* Takes the body out of the request, expanded. */
static int take_body(
	struct ingest *ingest, struct http_request *request, struct text *body, struct err *err)
{
	if (ingest->encoding == ENCODING_NONE) {
		ingest->body = http_body_take(request, &body->size);
		body->data = ingest->body;
		return 0;
	}
	struct buf out;
	buf_init(&out, source_info(ingest->source)->max_body_bytes);
	int result = ingest->encoding == ENCODING_GZIP ? gzip_expand(http_body(request), &out, err)
						       : zstd_expand(http_body(request), &out, err);
	if (result == 0) {
		ingest->body = buf_take(&out, &body->size);
		body->data = ingest->body;
	}
	buf_done(&out);
	return result;
}

static struct usage *usage_of(struct intake *intake, uint64_t credential_id)
{
	struct text key = {(const char *)&credential_id, sizeof credential_id};
	union table_value *place = table_put(intake->usages, key);
	if (place && !place->pointer)
		place->pointer = calloc(1, sizeof(struct usage));
	return place ? place->pointer : NULL;
}

/* The credential's word counts, not the payload's. */
static int make_batch(struct ingest *ingest, struct http_request *request, struct err *err)
{
	const struct credential *credential = ingest->credential;
	struct batch *batch = ingest->batch = batch_new();
	ingest->usage = usage_of(ingest->intake, credential->id);
	if (!batch || !ingest->usage)
		return err_set(err, ERR_MEMORY, "no memory for a batch");
	batch->reply = ingest->intake->reply;
	batch->owner = ingest;
	batch->source = ingest->source;
	batch->credential_id = credential->id;
	batch->cluster = arena_copy(&batch->arena, credential->cluster);
	batch->address = arena_copy(&batch->arena, http_peer(request));
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

static unsigned status_of(enum err_kind kind)
{
	if (kind == ERR_LIMIT)
		return 413;
	return kind == ERR_INPUT ? 400 : 503;
}

static int decode_body(struct ingest *ingest, struct http_request *request, struct err *err)
{
	struct text body = {NULL, 0};
	if (take_body(ingest, request, &body, err) < 0)
		return -1;
	ingest->body_size = body.size;
	if (text_trim(body).size == 0 && !source_info(ingest->source)->text_lines)
		return err_set(err, ERR_INPUT, "the body is empty");
	if (make_batch(ingest, request, err) < 0)
		return -1;
	if (text_trim(body).size &&
		body_decode(body, clock_wall_ns(ingest->intake->clock), ingest->batch, err) < 0)
		return -1;
	if (ingest->credential->node.size)
		bind_node(ingest->batch, ingest->credential->node);
	return ingest->batch->arena.failed ? err_set(err, ERR_MEMORY, "no memory for a batch") : 0;
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
	if (ingest->sender) {
		ingest->sender->sender.n_requests++;
		ingest->sender->sender.last_heard_ns = clock_wall_ns(ingest->intake->clock);
	}
	intake_touch(ingest->intake);
	if (ingest->batch->n_alerts == 0) {
		atomic_fetch_add(&ingest->intake->n_waiting, 1);
		ingest_finish(ingest, 200);
		return;
	}
	hold_submit(ingest);
}

static void answer_ok(struct ingest *ingest)
{
	const struct batch *batch = ingest->batch;
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
	size_t n = ingest->batch->n_quarantined;
	struct http_response response = {.status = 200};
	if (n)
		http_respond_problem(ingest->request, 400, "Bad request",
			arena_format(&ingest->batch->arena,
				"%zu of %zu alerts are none, and were kept in quarantine: each "
				"needs"
				" labels, times are RFC 3339",
				n, ingest->batch->n_alerts));
	else
		http_respond(ingest->request, &response);
}

static void count_outcomes(const struct ingest *ingest)
{
	struct metric_series *const *series = ingest->intake->alerts[ingest->source];
	metric_add(series[INGEST_ACCEPTED], ingest->batch->n_accepted);
	metric_add(series[INGEST_DUPLICATE], ingest->batch->n_duplicate);
	metric_add(series[INGEST_QUARANTINED], ingest->batch->n_quarantined);
}

void ingest_finish(struct ingest *ingest, unsigned status)
{
	struct intake *intake = ingest->intake;
	struct http_request *request = ingest->request;
	int64_t took_ms = clock_monotonic_ms(intake->clock) - ingest->arrived_after_ms;
	atomic_fetch_sub(&intake->n_waiting, 1);
	metric_observe(intake->seconds, (double)took_ms / 1000);
	if (status == 200)
		count_outcomes(ingest);
	if (request && status != 200) {
		const struct err *err = &ingest->batch->err;
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
		intake_count_refusal(ingest->intake, ingest->sender, ingest->source, status);
	if (ingest->batch)
		ingest->request = NULL;
	else
		ingest_free(ingest);
}

void ingest_routes_init(struct intake *intake)
{
	static const char *const paths[N_INGEST_ROUTES] = {
		"/ingest/{source}/{token}", "/ingest/{source}", alertmanager_path, NULL};
	for (unsigned i = 0; i < N_INGEST_ROUTES; i++)
		intake->routes[i] = (struct http_route){
			.method = HTTP_POST,
			.path = paths[i],
			.admit = admit,
			.handle = handle,
			.ctx = intake,
			.aborted = aborted,
			.errors_are_strings = paths[i] == alertmanager_path,
		};
}
