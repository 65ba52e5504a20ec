/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "base/log.h"
#include "console/alertmanager.h"
#include "console/api.h"
#include "console/entity_tag.h"
#include "console/events.h"
#include "console/pages.h"
#include "console/reading.h"
#include "console/sign_in.h"
#include "console/sign_in_oidc.h"
#include "console/viewers.h"
#include "model/query.h"
#include "store/reach.h"

enum {
	N_READERS = 2,
	JOBS_BYTES = 1024 * 1024,
	PROBLEM_BYTES = 4096,
	PARAMETER_CHARACTERS_MAX = 512
};

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
	unsigned status = err->kind == ERR_DENIED ? 422 : 400;
	struct emitter emitter;
	struct buf body;
	buf_init(&body, PROBLEM_BYTES);
	emit_init(&emitter, &body);
	emit_object(&emitter);
	emit_member_string(&emitter, "type", "about:blank");
	emit_member_string(&emitter, "title", status == 400 ? "Bad request" : "Not possible");
	emit_member_u64(&emitter, "status", status);
	emit_member_string(&emitter, "detail", err->text);
	emit_member_u64(&emitter, "position", err->place);
	emit_member_u64(&emitter, "length", err->place_size);
	emit_object_end(&emitter);
	api_respond(request, status, "application/problem+json", &body);
}

void api_respond_page(
	struct http_request *request, unsigned status, struct buf *body, const char *const *more)
{
	enum { HEADERS_MAX = 32 };
	/* No inline script or style; JSON blocks are data. */
	static const char policy[] =
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
		" connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
	struct http_response response = {
		.status = status, .content_type = "text/html; charset=utf-8"};
	const char **headers = arena_array(http_arena(request), HEADERS_MAX + 3, sizeof *headers);
	size_t n = 0;
	if (!headers || !buf_ok(body)) {
		buf_done(body);
		http_respond_problem(request, 500, "Too much to show", TEXT_NONE);
		return;
	}
	headers[n++] = "Content-Security-Policy";
	headers[n++] = policy;
	for (; more && *more && n < HEADERS_MAX; more++)
		headers[n++] = *more;
	response.headers = headers;
	response.body = buf_take(body, &response.body_size);
	http_respond(request, &response);
}

void api_respond_error(struct http_request *request, const struct err *err)
{
	struct text detail = text_of(err->text);
	bool is_fault = err->kind == ERR_INPUT || err->kind == ERR_LIMIT || err->kind == ERR_DENIED;
	if (err->place_size && is_fault) {
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
	case ERR_DENIED:
		http_respond_problem(request, 422, "Not possible", detail);
		break;
	case ERR_BUSY:
	case ERR_FULL:
	case ERR_LIMIT:
		http_respond_retry(request, 503, "Not now", detail, 1);
		break;
	case ERR_MEMORY:
		log_warning("console", "%s", err->text);
		http_respond_retry(request, 503, "No memory now", detail, 1);
		break;
	default:
		log_warning("console", "%s", err->text);
		http_respond_problem(request, 500, "Reading failed",
			TEXT("the log of tocsind says why; try again"));
		break;
	}
}

/* What lies outside the viewer's namespaces is not there for them. */
static int check_reach(struct connection *connection, const struct job *job, struct err *err)
{
	uint64_t number;
	const struct scope *scope = job->viewer ? &job->viewer->scope : NULL;
	if (scope_is_all(scope))
		return 0;
	if (job->endpoint->reach == REACH_ALERT)
		return reach_alert(connection, scope, job->part, err);
	/* A number that does not read is the document's to refuse. */
	if (job->endpoint->reach == REACH_INCIDENT && incident_number_parse(job->part, &number))
		return reach_incident(connection, scope, number, err);
	return 0;
}

static int read_document(struct reader *reader, struct job *job, struct buf *out, struct err *err)
{
	if (reading_begin(&reader->reading, err) < 0)
		return -1;
	struct connection *connection = &reader->reading.connection;
	int failed = check_reach(connection, job, err) < 0 ||
				     job->endpoint->answer(connection, job, out, err) < 0
			     ? -1
			     : 0;
	reading_end(&reader->reading);
	return failed;
}

static void respond_read(struct job *job, struct buf *body)
{
	if (job->is_truncated && buf_ok(body))
		alertmanager_respond_truncated(job->request, job->console, body);
	else
		api_respond(job->request, 200, job->endpoint->content_type, body);
}

static void do_job(struct reader *reader, struct job *job)
{
	struct buf body;
	struct err err;
	buf_init(&body, DOCUMENT_BYTES_MAX);
	int failed = read_document(reader, job, &body, &err);
	if (pages_has(job->endpoint)) {
		pages_respond(job, failed, &body, &err);
	} else if (!failed && job->revision && entity_tag_answer(job, &body)) {
		buf_done(&body);
	} else if (!failed) {
		respond_read(job, &body);
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

/* Who is nobody, or may not, or did not mean it, is answered: 401 or 403. */
static bool is_allowed(struct binding *binding, struct http_request *request)
{
	const struct endpoint *endpoint = binding->endpoint;
	struct viewer_refusal refusal;
	if (!endpoint->role)
		return true;
	struct viewer *viewer = viewer_find(binding->console, request);
	if (!viewer_may(viewer, endpoint, http_arena(request), &refusal)) {
		http_respond_problem(request, refusal.status, refusal.title, refusal.detail);
		return false;
	}
	bool reads = http_method(request) == HTTP_GET || http_method(request) == HTTP_HEAD;
	if (!reads && endpoint->reach != REACH_OWN_FORM &&
		!viewer_means_it(binding->console, request, viewer, TEXT_NONE))
		return false;
	if (viewer_note(request, viewer, NULL))
		return true;
	http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
	return false;
}

/* A comment of 16 KiB, each byte escaped at its longest. */
enum { BODY_BYTES = 128 * 1024, OPEN_BODY_BYTES = 8 * 1024 };

static size_t admit(struct http_request *request, void *ctx)
{
	struct binding *binding = ctx;
	if (!is_allowed(binding, request))
		return 0;
	if (binding->endpoint->method == HTTP_GET)
		return 0;
	return binding->endpoint->role ? BODY_BYTES : OPEN_BODY_BYTES;
}

void api_query(struct http_request *request, struct document_query *query)
{
	static const char *const names[] = {"limit", "after", "severity", "source", "rule",
		"cluster", "namespace", "pod", "node", "container", "since", "until", "incident",
		"sort", "group", "rollup", "q", "suppressed", "show", "at", "of", "format"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		*document_query_member(query, text_of(names[i])) = http_query(request, names[i]);
}

/* Who asks, and when: queries may mean that. What they see. */
static void add_asker(
	struct console *console, struct http_request *request, struct document_query *query)
{
	const struct viewer *viewer = api_viewer(request);
	query->now_ns = clock_wall_ns(console->options.clock);
	if (!viewer)
		return;
	query->me = viewer->name;
	query->scope = &viewer->scope;
}

static bool is_under(const struct endpoint *endpoint, const char *prefix)
{
	return text_starts(text_of(endpoint->path), text_of(prefix));
}

/* A parameter that does nothing would look like a filter that works. */
static bool query_is_good(struct http_request *request, const struct endpoint *endpoint)
{
	static const char *const none[] = {NULL};
	const struct http_query_rules rules = {
		.names = endpoint->parameters ? endpoint->parameters : none,
		.phrase = is_under(endpoint, "/sign-in") ? "next" : "q",
		.phrase_characters_max = QUERY_BYTES_MAX,
		.may_be_empty = !is_under(endpoint, "/api/"), /* a page's form sends all it has */
		.characters_max = PARAMETER_CHARACTERS_MAX,
		.may_repeat = is_under(endpoint, "/api/v2/"), /* Alertmanager's filters do */
	};
	char fault[160];
	if (endpoint->parameters == parameters_any ||
		http_query_is_good(request, &rules, fault, sizeof fault))
		return true;
	http_respond_problem(request, 400, "Bad request", text_of(fault));
	return false;
}

/* What a form of another site can send is not taken for JSON. */
static bool body_is_json(struct http_request *request, const struct endpoint *endpoint)
{
	struct text type = http_header(request, "Content-Type"), media = TEXT_NONE;
	text_split(&type, ';', &media);
	media = text_trim(media);
	if (!is_under(endpoint, "/api/") || !http_body(request).size || !media.size ||
		text_equal_nocase(media, TEXT("application/json")))
		return true;
	http_respond_problem(request, 415, "Unsupported media type",
		TEXT("send JSON, with Content-Type: application/json"));
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
	job->viewer = api_viewer(request);
	job->part = http_path_part(request, 0);
	job->second = http_path_part(request, 1);
	job->none_match = http_header(request, "If-None-Match");
	api_query(request, &job->query);
	add_asker(console, request, &job->query);
	bool foreign = is_under(endpoint, "/api/v2/");
	if (foreign)
		job->alertmanager = alertmanager_query_new(console, request);
	if ((job->alertmanager || !foreign) && queue_push(console->jobs, &job->item))
		return true;
	free(job);
	return false;
}

static void handle(struct http_request *request, void *ctx)
{
	struct binding *binding = ctx;
	if (!query_is_good(request, binding->endpoint) || !body_is_json(request, binding->endpoint))
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
			.ctx = &console->bindings[i],
			.errors_are_strings = is_under(&endpoints[i], "/api/v2/")};
	}
	return 0;
}

static void show_metrics(struct http_request *request, void *ctx)
{
	metrics_show(request, ctx);
}

/* What has a thread of its own. */
static int start_parts(struct console *console, struct err *err)
{
	if (console->options.events && events_start(&console->events, &console->options,
					       sign_in_idle_ns(console), err) < 0)
		return -1;
	return sign_in_oidc_start(console, err);
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
	console->missing_route = pages_missing_route(console);
	if (!console->jobs || !console->readers || !console->incident_metrics ||
		!console->page_routes || make_routes(console, err) < 0 ||
		sign_in_start(console, err) < 0) {
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
	if (start_parts(console, err) < 0) {
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
	sign_in_oidc_stop(console);
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
	sign_in_oidc_free(console->oidc);
	sign_in_free(console->sign_in);
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

const struct http_route *console_missing_route(struct console *console)
{
	return &console->missing_route;
}

const struct http_route *console_metrics_routes(struct console *console)
{
	return console->metrics_routes;
}
