/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "console/api.h"
#include "console/event_feed.h"
#include "console/incident_metrics.h"

enum { TEXT_BYTES = 1024, METRICS_BYTES = 32 * 1024 * 1024 };

static void respond_text(struct http_request *request, unsigned status, const char *text)
{
	struct buf body;
	buf_init(&body, TEXT_BYTES);
	buf_addf(&body, "%s\n", text);
	api_respond(request, status, "text/plain; charset=utf-8", &body);
}

void health_live(struct http_request *request, struct console *console)
{
	(void)console;
	respond_text(request, 200, "ok");
}

/* The reason is a word about ourselves; more than that needs the role viewer (/api/v1/status). */
void health_ready(struct http_request *request, struct console *console)
{
	enum store_state state =
		(enum store_state)atomic_load(&console->options.status->store_state);
	if (state == STORE_WORKS)
		respond_text(request, 200, "ok");
	else
		respond_text(request, 503, store_state_name(state));
}

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

static void write_metrics(struct console *console, struct buf *out)
{
	for (size_t i = 0; i < CONSOLE_METRICS_MAX && console->options.metrics[i]; i++)
		metric_write(out, console->options.metrics[i], console->options.clock);
	metric_write(out, event_feed_metrics(), console->options.clock);
}

/* What the store knows is left out while it cannot be read: an old value would look like a new one,
 * and the rest is wanted most just then. */
static void respond_without_store(struct http_request *request, struct console *console)
{
	struct buf body;
	buf_init(&body, METRICS_BYTES);
	write_metrics(console, &body);
	api_respond(request, 200, METRICS_TYPE, &body);
}

static int answer_metrics(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	struct console *console = job->console;
	const struct clock *clock = console->options.clock;
	if (incident_metrics_refresh(connection, console->incident_metrics, clock, err) < 0)
		return -1;
	write_metrics(console, out);
	incident_metrics_add(console->incident_metrics, clock, out);
	return 0;
}

/* Counters are of everything: who sees some namespaces only gets the incidents in them. */
static int answer_metrics_of_scope(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return incident_metrics_of(connection, &job->viewer->scope, out, err);
}

static void show_metrics_of_scope(struct http_request *request, struct console *console)
{
	static const struct endpoint endpoint = {
		.answer = answer_metrics_of_scope, .content_type = METRICS_TYPE};
	if (!console_read(console, request, &endpoint))
		http_respond_retry(request, 503, "Too many requests wait", TEXT_NONE, 1);
}

void metrics_show(struct http_request *request, struct console *console)
{
	static const struct endpoint endpoint = {
		.answer = answer_metrics,
		.direct = respond_without_store,
		.content_type = METRICS_TYPE,
	};
	struct buf incidents, body;
	const struct viewer *viewer = api_viewer(request);
	if (viewer && !viewer_sees_all(viewer)) {
		show_metrics_of_scope(request, console);
		return;
	}
	buf_init(&incidents, METRICS_BYTES);
	if (incident_metrics_add(console->incident_metrics, console->options.clock, &incidents)) {
		buf_init(&body, METRICS_BYTES);
		write_metrics(console, &body);
		buf_add(&body, buf_text(&incidents));
		api_respond(request, 200, METRICS_TYPE, &body);
	} else if (!console_read(console, request, &endpoint)) {
		respond_without_store(request, console);
	}
	buf_done(&incidents);
}
