/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "base/log.h"
#include "console/api.h"
#include "console/events.h"
#include "console/pages.h"
#include "console/reading.h"

enum { N_READERS = 2, JOBS_BYTES = 1024 * 1024, PROBLEM_BYTES = 4096 };

struct reader {
	struct console *console;
	pthread_t thread;
	bool started;
	struct reading reading;
};

void api_respond(
	struct http_request *request, unsigned status, const char *content_type, struct buf *body)
{
	/* Raw bytes are an attacker's: they are saved, never shown by a browser. */
	static const char *const saved[] = {
		"Content-Disposition", "attachment; filename=\"alert.raw\"", NULL};
	struct http_response response = {.status = status, .content_type = content_type};
	if (text_is(text_of(content_type), "application/octet-stream"))
		response.headers = saved;
	if (!buf_ok(body)) {
		buf_done(body);
		http_respond_problem(
			request, 500, "Too much to show", TEXT("ask for less: a smaller limit"));
		return;
	}
	response.body = buf_take(body, &response.body_size);
	http_respond(request, &response);
}

/* RFC 9457, with the place in the query that is wrong. */
static void respond_place(struct http_request *request, const struct err *err)
{
	struct emitter emitter;
	struct buf body;
	buf_init(&body, PROBLEM_BYTES);
	emit_init(&emitter, &body);
	emit_object(&emitter);
	emit_member_string(&emitter, "type", "about:blank");
	emit_member_string(&emitter, "title", "Bad request");
	emit_member_u64(&emitter, "status", 400);
	emit_member_string(&emitter, "detail", err->text);
	emit_member_u64(&emitter, "position", err->place);
	emit_member_u64(&emitter, "length", err->place_size);
	emit_object_end(&emitter);
	api_respond(request, 400, "application/problem+json", &body);
}

void api_respond_error(struct http_request *request, const struct err *err)
{
	struct text detail = text_of(err->text);
	if (err->place_size && (err->kind == ERR_INPUT || err->kind == ERR_LIMIT)) {
		respond_place(request, err);
		return;
	}
	switch (err->kind) {
	case ERR_INPUT:
		http_respond_problem(request, 400, "Bad request", detail);
		break;
	case ERR_MISSING:
		http_respond_problem(request, 404, "Not found", detail);
		break;
	case ERR_BUSY:
	case ERR_FULL:
	case ERR_LIMIT:
		http_respond_retry(request, 503, "Not now", detail, 1);
		break;
	default:
		log_warning("console", "%s", err->text);
		http_respond_problem(request, 500, "Reading failed",
			TEXT("the log of tocsind says why; try again"));
		break;
	}
}

static int read_document(struct reader *reader, struct job *job, struct buf *out, struct err *err)
{
	if (reading_begin(&reader->reading, err) < 0)
		return -1;
	int failed = job->endpoint->answer(&reader->reading.connection, job, out, err);
	reading_end(&reader->reading);
	return failed;
}

static void do_job(struct reader *reader, struct job *job)
{
	struct buf body;
	struct err err;
	buf_init(&body, DOCUMENT_BYTES_MAX);
	int failed = read_document(reader, job, &body, &err);
	if (pages_has(job->endpoint)) {
		pages_respond(job, failed, &body, &err);
	} else if (!failed) {
		api_respond(job->request, 200, job->endpoint->content_type, &body);
	} else {
		buf_done(&body);
		if (job->decided) {
			decisions_answer_short(job);
		} else if (job->endpoint->direct) {
			log_warning("console", "%s", err.text);
			job->endpoint->direct(job->request, job->console);
		} else {
			api_respond_error(job->request, &err);
		}
	}
	/* What a broken connection shows is not to be trusted: the next job gets a new one. */
	if (failed && (err.kind == ERR_IO || err.kind == ERR_CORRUPT))
		reading_close(&reader->reading);
	batch_free(job->decided);
	free(job);
}

static void *run_reader(void *ctx)
{
	struct reader *reader = ctx;
	struct queue *jobs = reader->console->jobs;
	for (;;) {
		struct queue_item *item = queue_take(jobs, 1, -1);
		if (item)
			do_job(reader, (struct job *)(void *)item);
		else if (queue_closed(jobs))
			break;
	}
	reading_close(&reader->reading);
	return NULL;
}

static struct text bearer(struct http_request *request)
{
	struct text header = http_header(request, "Authorization");
	if (!text_equal_nocase(text_part(header, 0, 7), TEXT("Bearer ")))
		return TEXT_NONE;
	return text_trim(text_part(header, 7, header.size));
}

const struct credential *api_authenticate(
	struct console *console, struct http_request *request, struct credential_set **set)
{
	int64_t now_ns = clock_wall_ns(console->options.clock);
	struct text token = bearer(request);
	*set = (struct credential_set *)(void *)snapshot_ref(console->options.credentials);
	if (!*set)
		return NULL;
	if (token.size)
		return credential_find(*set, token, now_ns);
	return credential_find_subject(*set, http_subject(request), now_ns);
}

/* Answers 401 or 403 itself. */
static bool is_allowed(struct binding *binding, struct http_request *request)
{
	struct credential_set *set;
	enum role wanted = binding->endpoint->role;
	if (!wanted)
		return true;
	const struct credential *credential = api_authenticate(binding->console, request, &set);
	bool allowed = credential && role_includes(credential->role, wanted);
	if (!credential)
		http_respond_problem(request, 401, "Unauthorized",
			TEXT("a valid token is needed: Authorization: Bearer, or a client"
			     " certificate"));
	else if (!allowed)
		http_respond_problem(
			request, 403, "Forbidden", TEXT("this token's role may not do that"));
	if (set)
		snapshot_unref(&set->snapshot);
	return allowed;
}

/* A comment of 16 KiB, each byte escaped at its longest. */
enum { BODY_BYTES = 128 * 1024 };

static size_t admit(struct http_request *request, void *ctx)
{
	struct binding *binding = ctx;
	if (!is_allowed(binding, request))
		return 0;
	return binding->endpoint->method == HTTP_POST ? BODY_BYTES : 0;
}

void api_query(struct http_request *request, struct document_query *query)
{
	static const char *const names[] = {"limit", "after", "severity", "source", "rule",
		"cluster", "namespace", "pod", "node", "container", "since", "until", "incident",
		"sort", "rollup", "q"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		*document_query_member(query, text_of(names[i])) = http_query(request, names[i]);
}

/* Who asks, and when: queries may mean that. */
static void add_asker(
	struct console *console, struct http_request *request, struct document_query *query)
{
	struct credential_set *set;
	query->now_ns = clock_wall_ns(console->options.clock);
	if (!query->q.size)
		return;
	const struct credential *who = api_authenticate(console, request, &set);
	if (who)
		query->me = arena_copy(http_arena(request), who->name);
	if (set)
		snapshot_unref(&set->snapshot);
}

/* A parameter that does nothing would look like a filter that works. */
static bool query_is_known(struct http_request *request, const struct endpoint *endpoint)
{
	static const char *const none[] = {NULL};
	char detail[160];
	struct text unknown =
		http_query_unknown(request, endpoint->parameters ? endpoint->parameters : none);
	if (!unknown.data)
		return true;
	size_t length = text_format(detail, sizeof detail, "'%.60s' is no parameter of %s",
		unknown.data, endpoint->path);
	http_respond_problem(request, 400, "Bad request", (struct text){detail, length});
	return false;
}

bool console_read(
	struct console *console, struct http_request *request, const struct endpoint *endpoint)
{
	struct job *job = calloc(1, sizeof *job);
	if (!job)
		return false;
	job->item.weight_bytes = sizeof *job;
	job->request = request;
	job->endpoint = endpoint;
	job->console = console;
	job->part = http_path_part(request, 0);
	api_query(request, &job->query);
	add_asker(console, request, &job->query);
	if (queue_push(console->jobs, &job->item))
		return true;
	free(job);
	return false;
}

static void handle(struct http_request *request, void *ctx)
{
	struct binding *binding = ctx;
	if (!query_is_known(request, binding->endpoint))
		return;
	if (!binding->endpoint->answer)
		binding->endpoint->direct(request, binding->console);
	else if (!console_read(binding->console, request, binding->endpoint))
		http_respond_retry(request, 503, "Too many requests wait", TEXT_NONE, 1);
}

static int make_routes(struct console *console, struct err *err)
{
	size_t n = 0;
	while (endpoints[n].path)
		n++;
	console->routes = calloc(n + 1, sizeof *console->routes);
	/* NOLINTNEXTLINE(clang-analyzer-optin.portability.UnixAPI): the table is not empty */
	console->bindings = calloc(n, sizeof *console->bindings);
	if (!console->routes || !console->bindings)
		return err_set(err, ERR_MEMORY, "out of memory for the API's routes");
	for (size_t i = 0; i < n; i++) {
		console->bindings[i] = (struct binding){console, &endpoints[i]};
		console->routes[i] = (struct http_route){.method = endpoints[i].method,
			.path = endpoints[i].path,
			.admit = admit,
			.handle = handle,
			.ctx = &console->bindings[i]};
	}
	return 0;
}

static void show_metrics(struct http_request *request, void *ctx)
{
	metrics_show(request, ctx);
}

int console_new(struct console **out, const struct console_options *options, struct err *err)
{
	struct console *console = calloc(1, sizeof *console);
	if (!console)
		return err_set(err, ERR_MEMORY, "out of memory for the console");
	console->options = *options;
	console->jobs = queue_new(JOBS_BYTES);
	console->incident_metrics = snapshot_slot_new();
	console->readers = calloc(N_READERS, sizeof *console->readers);
	console->metrics_routes[0] = (struct http_route){
		.method = HTTP_GET, .path = "/metrics", .handle = show_metrics, .ctx = console};
	console->page_routes = pages_routes_new(console, &console->page_bindings);
	if (!console->jobs || !console->readers || !console->incident_metrics ||
		!console->page_routes || make_routes(console, err) < 0) {
		console_free(console);
		return err_set(err, ERR_MEMORY, "out of memory for the console");
	}
	for (size_t i = 0; i < N_READERS; i++) {
		struct reader *reader = &console->readers[i];
		reader->console = console;
		reader->reading = (struct reading){.database = options->database,
			.status = options->status,
			.deadline_ms = INT64_MAX};
		int code = pthread_create(&reader->thread, NULL, run_reader, reader);
		if (code) {
			console_stop(console);
			console_free(console);
			return err_errno(err, code, "starting a reader thread");
		}
		reader->started = true;
		pthread_setname_np(reader->thread, "reader");
	}
	if (options->events && events_start(&console->events, &console->options, err) < 0) {
		console_stop(console);
		console_free(console);
		return -1;
	}
	*out = console;
	return 0;
}

void console_stop(struct console *console)
{
	if (!console)
		return;
	events_stop(console->events);
	queue_close(console->jobs);
	for (size_t i = 0; i < N_READERS; i++) {
		if (console->readers[i].started)
			pthread_join(console->readers[i].thread, NULL);
		console->readers[i].started = false;
	}
}

void console_free(struct console *console)
{
	if (!console)
		return;
	events_free(console->events);
	queue_free(console->jobs);
	snapshot_slot_free(console->incident_metrics);
	free(console->readers);
	free(console->routes);
	free(console->bindings);
	free(console->page_routes);
	free(console->page_bindings);
	free(console);
}

const struct http_route *console_routes(struct console *console)
{
	return console->routes;
}

const struct http_route *console_page_routes(struct console *console)
{
	return console->page_routes;
}

const struct http_route *console_metrics_routes(struct console *console)
{
	return console->metrics_routes;
}
