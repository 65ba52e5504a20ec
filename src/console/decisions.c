/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "console/api.h"
#include "console/decision_wish.h"
#include "console/entity_tag.h"

enum { ANSWER_BYTES = 64 * 1024 };

const char *decision_title(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not found";
	case 409:
		return "Conflict";
	case 413:
		return "Content too large";
	}
	return "Not possible";
}

void decision_respond_wish(struct http_request *request, const struct wish_refusal *refusal)
{
	struct text detail = text_of(refusal->err.text);
	if (refusal->status == 503)
		http_respond_retry(request, 503, "No memory now", detail, 1);
	else if (refusal->err.place_size)
		api_respond_error(request, &refusal->err);
	else
		http_respond_problem(
			request, refusal->status, decision_title(refusal->status), detail);
}

/* RFC 9457, with the revision that the incident has now where that helps to decide anew. */
void decision_respond_refusal(struct http_request *request, const struct decision_result *result)
{
	struct emitter emitter;
	struct buf body;
	buf_init(&body, ANSWER_BYTES);
	emit_init(&emitter, &body);
	emit_object(&emitter);
	emit_member_string(&emitter, "type", "about:blank");
	emit_member_string(&emitter, "title", decision_title(result->status));
	emit_member_u64(&emitter, "status", result->status);
	emit_member_text(&emitter, "detail", result->refusal);
	if (result->number) {
		char instance[64];
		text_format(instance, sizeof instance, "/api/v1/incidents/INC-%" PRIu64,
			result->number);
		emit_member_string(&emitter, "instance", instance);
		emit_member_u64(&emitter, "revision", result->revision);
		/* The revision is that one's: whoever asks again asks for it. */
		if (result->asked)
			emit_member_string(&emitter, "incident", strrchr(instance, '/') + 1);
	}
	emit_object_end(&emitter);
	api_respond(request, result->status, "application/problem+json", &body);
}

void decisions_answer_short(struct job *job)
{
	struct emitter emitter;
	struct buf body;
	buf_init(&body, ANSWER_BYTES);
	emit_init(&emitter, &body);
	emit_object(&emitter);
	emit_key(&emitter, "decision");
	emit_raw(&emitter, decision_result(job->decided->decisions)->answer);
	emit_object_end(&emitter);
	api_respond(job->request, 200, "application/json", &body);
}

/* On a reader, after the commit. */
static int answer_decided(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	const struct decision_result *result = &job->decided->decisions->incident.result;
	return document_decided(
		connection, result->number, result->answer, &job->revision, out, err);
}

static const struct endpoint decided = {
	.method = HTTP_POST, .answer = answer_decided, .content_type = "application/json"};

void decision_job_free(struct job *job)
{
	batch_free(job->decided);
	free(job);
}

/* On the writer's thread: it is on disk, refused, or could not be written. */
void decision_came_back(struct batch *batch)
{
	struct job *job = batch->owner;
	const struct decision_result *result = decision_result(batch->decisions);
	if (batch->err.kind != ERR_NONE)
		http_respond_problem(job->request, 503, "The decision could not be stored",
			text_of(batch->err.text));
	else if (result->status != 200)
		decision_respond_refusal(job->request, result);
	else if (queue_push(job->console->jobs, &job->item))
		return;
	else
		decisions_answer_short(job); /* the readers have more to do than they can */
	decision_job_free(job);
}

/* On the previewer's thread: nothing was decided. */
static void preview_came_back(struct batch *batch)
{
	struct job *job = batch->owner;
	const struct decision_result *result = decision_result(batch->decisions);
	if (batch->err.kind != ERR_NONE) {
		api_respond_error(job->request, &batch->err);
	} else if (result->status != 200) {
		decision_respond_refusal(job->request, result);
	} else {
		struct buf body;
		buf_init(&body, DOCUMENT_BYTES_MAX);
		document_grouping_preview(batch->decisions, &body);
		api_respond(job->request, 200, "application/json", &body);
	}
	decision_job_free(job);
}

/* A batch with one decision of whoever asks, in a job that owns it. NULL without memory. */
struct job *decision_job_new(
	struct http_request *request, struct console *console, const struct endpoint *endpoint)
{
	const struct viewer *viewer = api_viewer(request);
	struct job *job = calloc(1, sizeof *job);
	struct batch *batch = job ? batch_new() : NULL;
	struct decision *decision = NULL;
	if (batch) {
		*job = (struct job){.item.weight_bytes = sizeof *job,
			.request = request,
			.endpoint = endpoint,
			.viewer = viewer,
			.console = console,
			.decided = batch};
		batch->owner = job;
		batch->done = decision_came_back;
		decision = arena_alloc(&batch->arena, sizeof *decision);
		batch->decisions = decision;
	}
	if (decision) {
		decision->actor = arena_copy(&batch->arena, viewer->actor);
		decision->role = viewer->role;
		decision->scope = scope_copy(&viewer->scope, &batch->arena);
	}
	if (decision && !batch->arena.failed)
		return job;
	if (job)
		decision_job_free(job);
	return NULL;
}

/* The path's last part. */
static enum decision_kind kind_of(struct text path)
{
	struct text name = TEXT_NONE;
	while (text_split(&path, '/', &name))
		;
	for (unsigned i = DECISION_ACK; i < N_DECISION_KINDS; i++)
		if (text_is(name, decision_name((enum decision_kind)i)))
			return (enum decision_kind)i;
	return N_DECISION_KINDS;
}

static bool read_if_match(struct text header, struct incident_decision *wish)
{
	if (!header.data || text_is(header, "*"))
		return true;
	wish->has_revision = true;
	return entity_tag_revision(header, &wish->revision);
}

/* Of all that was asked, but for If-Match: asked again, it is the answer that counts. */
static struct digest digest_request(
	enum decision_kind kind, const struct incident_decision *wish, struct text body)
{
	char number[24];
	size_t size = text_format(number, sizeof number, "%llu", (unsigned long long)wish->number);
	struct digest_state room, *state = digest_start(&room);
	digest_add_part(state, text_of(decision_name(kind)));
	digest_add_part(state, (struct text){number, size});
	digest_add_part(state, body);
	return digest_end(state);
}

static bool refuse(struct wish_refusal *refusal, const char *why)
{
	refusal->status = 400;
	err_set(&refusal->err, ERR_INPUT, "%s", why);
	return false;
}

static bool read_dry_run(const struct job *job, bool *dry_run, struct wish_refusal *refusal)
{
	struct text word = http_query(job->request, "dry_run");
	*dry_run = text_is(word, "true");
	return !word.size || *dry_run || text_is(word, "false") ||
	       refuse(refusal, "dry_run is true or false");
}

static bool read_decision(struct job *job, struct wish_refusal *refusal)
{
	struct http_request *request = job->request;
	struct arena *arena = &job->decided->arena;
	struct decision *decision = job->decided->decisions;
	struct incident_decision *wish = &decision->incident;
	struct text key = text_trim(http_header(request, "Idempotency-Key"));
	/* The batch outlives what the request says. */
	struct text body = arena_copy(arena, http_body(request));
	decision->kind = kind_of(http_path(request));
	if (decision->kind == N_DECISION_KINDS)
		return refuse(refusal, "the path names no decision");
	if (!incident_number_parse(http_path_part(request, 0), &wish->number))
		return refuse(refusal, "an incident is a number, as INC-12");
	if (!read_if_match(text_trim(http_header(request, "If-Match")), wish))
		return refuse(refusal, "If-Match must be one revision or ETag, as \"12\"");
	if (key.size > IDEMPOTENCY_KEY_BYTES_MAX)
		return refuse(refusal, "an Idempotency-Key has at most 200 bytes");
	wish->key = arena_copy(arena, key);
	wish->request = digest_request(decision->kind, wish, body);
	edit_id_make(wish->edit_id);
	job->decided->item.weight_bytes += body.size;
	return decision_wish_read(
		body, clock_wall_ns(job->console->options.clock), arena, decision, refusal);
}

/* It decides nothing, so it is not kept under a key either. false: too many wait. */
static bool ask_previewer(struct job *job)
{
	struct queue *previews = job->console->options.previews;
	job->decided->done = preview_came_back;
	job->decided->decisions->incident.key = TEXT_NONE;
	job->decided->item.weight_bytes = 1;
	return previews && queue_push(previews, &job->decided->item);
}

void decisions_take(struct http_request *request, struct console *console)
{
	struct wish_refusal refusal;
	bool dry_run = false;
	struct job *job = decision_job_new(request, console, &decided);
	if (!job) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	if (!read_dry_run(job, &dry_run, &refusal) || !read_decision(job, &refusal))
		decision_respond_wish(request, &refusal);
	else if (job->decided->arena.failed)
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
	else if (dry_run ? ask_previewer(job)
			 : queue_push(console->options.writer, &job->decided->item))
		return;
	else
		http_respond_retry(request, 503,
			dry_run ? "Too many previews" : "The store is busy", TEXT_NONE, 1);
	decision_job_free(job);
}
