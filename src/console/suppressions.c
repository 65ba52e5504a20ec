/* SPDX-License-Identifier: Apache-2.0 */
#include "store/suppressions.h"
#include "alertmanager/alertmanager.h"
#include "base/cleanup.h"
#include "console/api.h"
#include "console/suppression_wish.h"
#include "model/suppression_query.h"

/* On a reader, after the commit: the suppression as it is now. */
static int answer_decided(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	struct node *answer;
	const struct decision_result *result = decision_result(job->decided->decisions);
	if (tree_read(result->answer, &job->decided->arena, &answer, err) < 0)
		return -1;
	return document_suppression(connection, tree_member_text(answer, "id"), NULL,
		clock_wall_ns(job->console->options.clock), out, err);
}

static const struct endpoint decided = {
	.method = HTTP_POST, .answer = answer_decided, .content_type = "application/json"};

enum { ARENA_BYTES = 16 * 1024 * 1024 };

int suppression_preview(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct suppression wish = {0};
	struct wish_refusal refusal;
	int64_t now_ns = clock_wall_ns(job->console->options.clock);
	arena_init(&arena, ARENA_BYTES);
	if (!suppression_wish_read(
		    http_body(job->request), true, now_ns, &arena, &wish, &refusal)) {
		*err = refusal.err;
		if (refusal.status != 503)
			err->kind = refusal.status == 400 ? ERR_INPUT : ERR_DENIED;
		return -1;
	}
	if (!suppression_is_inside(&wish, &job->viewer->scope))
		return err_set(err, ERR_DENIED,
			"it reaches beyond your namespaces: name one of them, as"
			" namespace=\"shop\"");
	return document_suppression_preview(
		connection, &wish, &job->viewer->scope, now_ns, out, err);
}

int suppression_export(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct suppression suppression;
	arena_init(&arena, ARENA_BYTES);
	if (suppression_find_inside(
		    connection, job->part, &job->viewer->scope, &arena, &suppression, err) < 0)
		return -1;
	if (text_is(job->query.format, "falco"))
		return document_falco_exceptions(connection, job->part, out, err);
	if (!text_is(job->query.format, "alertmanager"))
		return err_set(err, ERR_INPUT, "format must be falco or alertmanager");
	if (suppression_as_matchers(&suppression, &arena, &suppression.matchers, err) < 0)
		return -1;
	alertmanager_silence_export(&suppression, out);
	return 0;
}

/* Of all that was asked: asked again, it is the answer that counts. */
static struct digest digest_request(enum decision_kind kind, struct text id, struct text body)
{
	struct digest_state room, *state = digest_start(&room);
	digest_add_part(state, kind == DECISION_SUPPRESS ? TEXT("suppress") : TEXT("unsuppress"));
	digest_add_part(state, id);
	digest_add_part(state, body);
	return digest_end(state);
}

static bool refuse_key(struct wish_refusal *refusal)
{
	refusal->status = 400;
	err_set(&refusal->err, ERR_INPUT, "an Idempotency-Key has at most %d bytes",
		IDEMPOTENCY_KEY_BYTES_MAX);
	return false;
}

static bool read_wish(struct job *job, enum decision_kind kind, struct wish_refusal *refusal)
{
	struct http_request *request = job->request;
	struct arena *arena = &job->decided->arena;
	struct decision *decision = job->decided->decisions;
	struct suppression_decision *wish = &decision->suppression;
	struct text key = text_trim(http_header(request, "Idempotency-Key"));
	/* The batch outlives what the request says. */
	struct text body = arena_copy(arena, http_body(request));
	struct text id = arena_copy(arena, http_path_part(request, 0));
	if (key.size > IDEMPOTENCY_KEY_BYTES_MAX)
		return refuse_key(refusal);
	decision->kind = kind;
	wish->key = arena_copy(arena, key);
	wish->request = digest_request(kind, id, body);
	wish->longest_ns = suppression_longest_ns(decision->role);
	suppression_id_make(wish->new_id);
	job->decided->item.weight_bytes += body.size;
	if (kind == DECISION_SUPPRESS)
		return suppression_wish_read(body, false,
			clock_wall_ns(job->console->options.clock), arena, &wish->wish, refusal);
	wish->wish.id = id;
	return true;
}

/* A query that is wrong says where. */
static void respond_refusal(struct http_request *request, const struct wish_refusal *refusal)
{
	struct wish_refusal denied = *refusal;
	denied.err.kind = ERR_DENIED;
	decision_respond_wish(request, &denied);
}

static void take(struct http_request *request, struct console *console, enum decision_kind kind)
{
	struct wish_refusal refusal;
	struct job *job = decision_job_new(request, console, &decided);
	if (!job) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	if (!read_wish(job, kind, &refusal))
		respond_refusal(request, &refusal);
	else if (job->decided->arena.failed)
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
	else if (queue_push(console->options.writer, &job->decided->item))
		return;
	else
		http_respond_retry(request, 503, "The store is busy", TEXT_NONE, 1);
	decision_job_free(job);
}

void suppressions_create(struct http_request *request, struct console *console)
{
	take(request, console, DECISION_SUPPRESS);
}

void suppressions_expire(struct http_request *request, struct console *console)
{
	take(request, console, DECISION_UNSUPPRESS);
}
