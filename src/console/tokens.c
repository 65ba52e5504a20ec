/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "base/pull.h"
#include "console/api.h"
#include "model/batch.h"

enum { NAME_BYTES_MAX = 64, ANSWER_BYTES = 4096 };

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
	else
		api_respond_error(job->request, &batch->err);
	job_free(job);
	batch_free(batch);
}

/* A batch with one decision of whoever asks. NULL without memory. */
static struct batch *new_batch(struct http_request *request, struct console *console)
{
	struct credential_set *set;
	const struct credential *who = api_authenticate(console, request, &set);
	struct batch *batch = who ? batch_new() : NULL;
	struct token_job *job = batch ? calloc(1, sizeof *job) : NULL;
	if (job) {
		batch->decisions = arena_alloc(&batch->arena, sizeof *batch->decisions);
		batch->owner = job;
		batch->done = came_back;
		job->request = request;
	}
	if (job && batch->decisions)
		batch->decisions->actor =
			arena_format(&batch->arena, "token:%.*s", TEXT_ARG(who->name));
	if (set)
		snapshot_unref(&set->snapshot);
	if (job && batch->decisions)
		return batch;
	free(job);
	batch_free(batch);
	return NULL;
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

/* What a body asks for, as words. */
struct wish {
	struct text name, role, cluster, node, expires;
	uint32_t sources;
	bool unknown_source;
};

static void set_wish(struct wish *wish, struct text key, struct text value)
{
	const struct {
		const char *key;
		struct text *place;
	} members[] = {{"name", &wish->name}, {"role", &wish->role}, {"cluster", &wish->cluster},
		{"node", &wish->node}, {"expires", &wish->expires}};
	if (text_is(key, "sources")) {
		enum source source = source_parse(value);
		wish->unknown_source |= source == SOURCE_NONE;
		wish->sources |= 1U << source;
		return;
	}
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (text_is(key, members[i].key))
			*members[i].place = value;
}

static int read_wish(struct text body, struct arena *arena, struct wish *wish, struct err *err)
{
	struct pull pull;
	struct text key = TEXT_NONE;
	*wish = (struct wish){.role = TEXT("source"), .cluster = TEXT("default")};
	pull_init(&pull, body, arena, &pull_limits_alert);
	if (pull_next(&pull) != PULL_OBJECT)
		return err_set(err, ERR_INPUT, "the body must be a JSON object");
	for (;;) {
		enum pull_event event = pull_next(&pull);
		if (event == PULL_BAD)
			return pull_error(&pull, err);
		if (event == PULL_END)
			return 0;
		if (event == PULL_KEY)
			key = pull.value;
		if (event == PULL_STRING)
			set_wish(wish, key, pull.value);
	}
}

static bool is_name(struct text name)
{
	if (name.size == 0 || name.size > NAME_BYTES_MAX)
		return false;
	for (size_t i = 0; i < name.size; i++) {
		char byte = text_lower(name.data[i]);
		bool letter = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
		if (!letter && !memchr("._-", byte, 3))
			return false;
	}
	return true;
}

static int fill_credential(const struct wish *wish, struct arena *arena,
	struct credential *credential, struct err *err)
{
	if (!is_name(wish->name) || !is_name(wish->cluster))
		return err_set(err, ERR_INPUT,
			"name and cluster must be 1 to %d letters, digits, '.', '_' or '-'",
			NAME_BYTES_MAX);
	if (!role_parse(wish->role, &credential->role))
		return err_set(
			err, ERR_INPUT, "role must be source, viewer, analyst, responder or admin");
	if (wish->unknown_source)
		return err_set(err, ERR_INPUT, "sources: falco, falcosidekick, tocsin");
	if (wish->expires.size && !clock_parse(wish->expires, &credential->expires_at_ns))
		return err_set(err, ERR_INPUT, "expires must be RFC 3339, as 2027-01-01T00:00:00Z");
	credential->name = arena_copy(arena, wish->name);
	credential->cluster = arena_copy(arena, wish->cluster);
	credential->node = arena_copy(arena, wish->node);
	credential->sources = wish->sources ? wish->sources : UINT32_MAX & ~1U;
	return 0;
}

void tokens_create(struct http_request *request, struct console *console)
{
	struct wish wish;
	struct err err;
	struct batch *batch = new_batch(request, console);
	if (!batch) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	struct token_job *job = batch->owner;
	struct decision *decision = batch->decisions;
	decision->kind = DECISION_TOKEN_CREATE;
	if (read_wish(http_body(request), &batch->arena, &wish, &err) < 0 ||
		fill_credential(&wish, &batch->arena, &decision->credential, &err) < 0) {
		api_respond_error(request, &err);
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
	struct batch *batch = new_batch(request, console);
	if (!batch) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	batch->decisions->kind = DECISION_TOKEN_REVOKE;
	batch->decisions->credential.id = id;
	give_to_writer(console, batch);
}
