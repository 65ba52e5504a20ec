/* SPDX-License-Identifier: Apache-2.0 */
#include "console/alertmanager.h"

#include <stdatomic.h>

#include "base/emit.h"
#include "base/log.h"
#include "base/tree.h"
#include "config.h"
#include "model/suppression.h"

enum { ANSWER_BYTES = 4096, VERSION_BYTES = 64 };

#define JSON_TYPE "application/json"

static bool is_false(struct http_request *request, const char *name)
{
	return text_is(http_query(request, name), "false");
}

const struct alertmanager_query *alertmanager_query_new(
	struct console *console, struct http_request *request)
{
	const struct viewer *viewer = api_viewer(request);
	struct alertmanager_query *query = arena_alloc(http_arena(request), sizeof *query);
	if (!query)
		return NULL;
	query->now_ns = clock_wall_ns(console->options.clock);
	query->scope = viewer ? &viewer->scope : NULL;
	query->receiver = http_query(request, "receiver");
	query->hides_active = is_false(request, "active");
	query->hides_silenced = is_false(request, "silenced");
	while (query->n_filters < MATCHERS_MAX) {
		struct text filter = http_query_at(request, "filter", (unsigned)query->n_filters);
		if (!filter.data)
			break;
		query->filters[query->n_filters++] = filter;
	}
	return query;
}

int alertmanager_answer_alerts(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return alertmanager_alerts(connection, job->alertmanager, &job->is_truncated, out, err);
}

int alertmanager_answer_groups(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return alertmanager_groups(connection, job->alertmanager, &job->is_truncated, out, err);
}

int alertmanager_answer_silences(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return alertmanager_silences(connection, job->alertmanager, out, err);
}

int alertmanager_answer_silence(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return alertmanager_silence(connection, job->part, job->alertmanager, out, err);
}

/* Clients that ask every minute would fill the log. */
static bool is_time_to_say_so(const struct clock *clock)
{
	enum { HOUR_MS = 3600 * 1000 };
	static _Atomic int64_t due_ms;
	int64_t now_ms = clock_monotonic_ms(clock), due = atomic_load(&due_ms);
	return now_ms >= due && atomic_compare_exchange_strong(&due_ms, &due, now_ms + HOUR_MS);
}

void alertmanager_respond_truncated(
	struct http_request *request, struct console *console, struct buf *body)
{
	static const char *const headers[] = {"X-Tocsin-Truncated", "true", "Warning",
		("299 tocsin \"there are more: the newest 2000 open incidents and 10000 alerts are"
		 " shown\""),
		NULL};
	struct http_response response = {
		.status = 200, .content_type = JSON_TYPE, .headers = headers};
	if (is_time_to_say_so(console->options.clock))
		log_warning("alertmanager",
			"/api/v2/alerts has more than it shows: the newest %d open incidents, %d"
			" alerts; clients are told by a header",
			ALERTMANAGER_INCIDENTS_MAX, ALERTMANAGER_ALERTS_MAX);
	response.body = buf_take(body, &response.body_size);
	http_respond(request, &response);
}

void alertmanager_status_show(struct http_request *request, struct console *console)
{
	struct buf body;
	buf_init(&body, ANSWER_BYTES);
	alertmanager_status(console->options.status->started_at_ns, PACKAGE_VERSION, &body);
	api_respond(request, 200, JSON_TYPE, &body);
}

void alertmanager_receivers_show(struct http_request *request, struct console *console)
{
	struct buf body;
	(void)console;
	buf_init(&body, ANSWER_BYTES);
	alertmanager_receivers(&body);
	api_respond(request, 200, JSON_TYPE, &body);
}

/* {"id": …} → {"silenceID": …} */
static void answer_silence(struct http_request *request, const struct suppression_decision *wish)
{
	struct buf body;
	struct emitter emitter;
	struct arena *arena = http_arena(request);
	struct node *answer;
	struct err err;
	buf_init(&body, ANSWER_BYTES);
	emit_init(&emitter, &body);
	emit_object(&emitter);
	if (tree_read(wish->result.answer, arena, &answer, &err) == 0)
		emit_member_text(&emitter, "silenceID", tree_member_text(answer, "id"));
	emit_object_end(&emitter);
	api_respond(request, 200, JSON_TYPE, &body);
}

/* Of what an Alertmanager would not answer clients make nothing of use. */
static unsigned known_status(unsigned status)
{
	return status == 404 || status == 409 ? 404 : 400;
}

/* On the writer's thread: it is on disk, refused, or could not be written. */
static void came_back(struct batch *batch)
{
	struct job *job = batch->owner;
	const struct decision *decision = batch->decisions;
	const struct decision_result *result = decision_result(decision);
	if (batch->err.kind != ERR_NONE)
		http_respond_problem(job->request, 500, "The decision could not be stored",
			text_of(batch->err.text));
	else if (result->status != 200)
		http_respond_problem(job->request, known_status(result->status),
			decision_title(result->status), result->refusal);
	else if (decision->kind == DECISION_SUPPRESS)
		answer_silence(job->request, &decision->suppression);
	else
		http_respond(job->request, &(struct http_response){.status = 200});
	decision_job_free(job);
}

/* NULL: answered. */
static struct job *new_job(
	struct http_request *request, struct console *console, enum decision_kind kind)
{
	struct job *job = decision_job_new(request, console, NULL);
	if (!job) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return NULL;
	}
	struct decision *decision = job->decided->decisions;
	job->decided->done = came_back;
	decision->kind = kind;
	decision->suppression.longest_ns = suppression_longest_ns(decision->role);
	suppression_id_make(decision->suppression.new_id);
	return job;
}

static void give_to_writer(struct job *job)
{
	if (!job->decided->arena.failed &&
		queue_push(job->console->options.writer, &job->decided->item))
		return;
	http_respond_retry(job->request, 503, "The store is busy", TEXT_NONE, 1);
	decision_job_free(job);
}

void alertmanager_silence_create(struct http_request *request, struct console *console)
{
	struct err err;
	struct job *job = new_job(request, console, DECISION_SUPPRESS);
	if (!job)
		return;
	struct arena *arena = &job->decided->arena;
	struct text body = arena_copy(arena, http_body(request));
	if (alertmanager_silence_read(
		    body, arena, &job->decided->decisions->suppression.wish, &err) < 0) {
		http_respond_problem(request, 400, "Bad request", text_of(err.text));
		decision_job_free(job);
		return;
	}
	give_to_writer(job);
}

void alertmanager_silence_expire(struct http_request *request, struct console *console)
{
	struct job *job = new_job(request, console, DECISION_UNSUPPRESS);
	if (!job)
		return;
	struct text id = http_path_part(request, 0);
	job->decided->decisions->suppression.wish.id = arena_copy(&job->decided->arena, id);
	give_to_writer(job);
}
