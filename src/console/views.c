/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tree.h"
#include "console/api.h"
#include "console/view_wish.h"

/* On a reader, after the commit: the view as it is now. */
static int answer_saved(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	struct node *answer;
	const struct decision_result *result = decision_result(job->decided->decisions);
	if (tree_read(result->answer, &job->decided->arena, &answer, err) < 0)
		return -1;
	return document_view(connection, tree_member_text(answer, "id"), out, err);
}

/* It is gone: what is answered is its id. */
static int answer_removed(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	(void)connection;
	(void)err;
	buf_add(out, decision_result(job->decided->decisions)->answer);
	return 0;
}

static const struct endpoint saved = {
	.method = HTTP_POST, .answer = answer_saved, .content_type = "application/json"};
static const struct endpoint removed = {
	.method = HTTP_DELETE, .answer = answer_removed, .content_type = "application/json"};

/* Gives it to the writer, or answers why not. */
static void hand_over(struct job *job)
{
	if (job->decided->arena.failed)
		http_respond_retry(job->request, 503, "No memory now", TEXT_NONE, 1);
	else if (queue_push(job->console->options.writer, &job->decided->item))
		return;
	else
		http_respond_retry(job->request, 503, "The store is busy", TEXT_NONE, 1);
	decision_job_free(job);
}

static void refuse(struct job *job, const struct wish_refusal *refusal)
{
	decision_respond_wish(job->request, refusal);
	decision_job_free(job);
}

void views_save(struct http_request *request, struct console *console)
{
	struct wish_refusal refusal;
	struct job *job = decision_job_new(request, console, &saved);
	if (!job) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	struct decision *decision = job->decided->decisions;
	/* The batch outlives what the request says. */
	struct text body = arena_copy(&job->decided->arena, http_body(request));
	decision->kind = DECISION_VIEW_SAVE;
	job->decided->item.weight_bytes += body.size;
	if (view_wish_read(body, &job->decided->arena, &decision->view.wish, &refusal))
		hand_over(job);
	else
		refuse(job, &refusal);
}

void views_remove(struct http_request *request, struct console *console)
{
	struct wish_refusal refusal = {.status = 400};
	struct job *job = decision_job_new(request, console, &removed);
	if (!job) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	struct decision *decision = job->decided->decisions;
	uint64_t id;
	decision->kind = DECISION_VIEW_REMOVE;
	if (!text_to_u64(http_path_part(request, 0), &id) || id > INT64_MAX) {
		err_set(&refusal.err, ERR_INPUT, "a view's id is a number");
		refuse(job, &refusal);
		return;
	}
	decision->view.wish.id = id;
	hand_over(job);
}
