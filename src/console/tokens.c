/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "console/api.h"
#include "console/token_wish.h"
#include "model/batch.h"

enum { ANSWER_BYTES = 4096 };

/* A decision on its way to the writer and back: the batch's owner. */
struct token_job {
	struct http_request *request;
	char token[TOKEN_TEXT_BYTES]; /* shown once, when it is on disk */
};

static void job_free(struct token_job *job)
{
	explicit_bzero(job, sizeof *job);
	free(job);
}

static void answer(struct batch *batch, struct token_job *job)
{
	struct emitter emitter;
	struct buf body;
	const struct credential *credential = &batch->decisions->credential;
	buf_init(&body, ANSWER_BYTES);
	emit_init(&emitter, &body);
	emit_object(&emitter);
	emit_member_u64(&emitter, "id", credential->id);
	emit_member_text(&emitter, "name", credential->name);
	emit_member_string(&emitter, "token", job->token);
	emit_object_end(&emitter);
	api_respond(job->request, batch->decisions->kind == DECISION_TOKEN_CREATE ? 201 : 200,
		"application/json", &body);
}

/* On the writer's thread, after COMMIT or when it could not be carried out. */
static void came_back(struct batch *batch)
{
	struct token_job *job = batch->owner;
	if (batch->err.kind == ERR_NONE)
		answer(batch, job);
	else if (batch->err.kind == ERR_INPUT) /* the name is taken */
		http_respond_problem(job->request, 409, "Conflict", text_of(batch->err.text));
	else
		api_respond_error(job->request, &batch->err);
	job_free(job);
	batch_free(batch);
}

/* A batch with one decision of whoever asks. NULL without memory. */
static struct batch *new_batch(struct http_request *request)
{
	struct batch *batch = batch_new();
	struct token_job *job = batch ? calloc(1, sizeof *job) : NULL;
	if (job)
		batch->decisions = arena_alloc(&batch->arena, sizeof *batch->decisions);
	if (!job || !batch->decisions) {
		free(job);
		batch_free(batch);
		return NULL;
	}
	batch->decisions->actor = arena_copy(&batch->arena, api_viewer(request)->actor);
	batch->owner = job;
	batch->done = came_back;
	job->request = request;
	return batch;
}

static void give_to_writer(struct console *console, struct batch *batch)
{
	struct token_job *job = batch->owner;
	if (queue_push(console->options.writer, &batch->item))
		return;
	http_respond_retry(job->request, 503, "The store is busy", TEXT_NONE, 1);
	job_free(job);
	batch_free(batch);
}

void tokens_create(struct http_request *request, struct console *console)
{
	struct err err;
	struct batch *batch = new_batch(request);
	if (!batch) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	struct token_job *job = batch->owner;
	struct decision *decision = batch->decisions;
	decision->kind = DECISION_TOKEN_CREATE;
	if (token_wish_read(http_body(request), &batch->arena, &decision->credential, &err) < 0) {
		if (err.kind == ERR_MEMORY)
			api_respond_error(request, &err);
		else
			http_respond_problem(request, 400, "Bad request", text_of(err.text));
		job_free(job);
		batch_free(batch);
		return;
	}
	token_make(job->token, &decision->credential.digest);
	give_to_writer(console, batch);
}

void tokens_revoke(struct http_request *request, struct console *console)
{
	uint64_t id;
	if (!text_to_u64(http_path_part(request, 0), &id) || id > INT64_MAX) {
		http_respond_problem(request, 400, "Bad request", TEXT("a token's id is a number"));
		return;
	}
	struct batch *batch = new_batch(request);
	if (!batch) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	batch->decisions->kind = DECISION_TOKEN_REVOKE;
	batch->decisions->credential.id = id;
	give_to_writer(console, batch);
}
