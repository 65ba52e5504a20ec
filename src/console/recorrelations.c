/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "console/api.h"
#include "model/recorrelation.h"

void recorrelation_show(struct http_request *request, struct console *console)
{
	struct buf body;
	struct snapshot *report = snapshot_ref(console->options.recorrelation);
	buf_init(&body, DOCUMENT_BYTES_MAX);
	document_recorrelation((const struct recorrelation_report *)(const void *)report, &body);
	snapshot_unref(report);
	api_respond(request, 200, "application/json", &body);
}

static bool is_running(struct console *console)
{
	struct snapshot *report = snapshot_ref(console->options.recorrelation);
	bool running =
		report && ((const struct recorrelation_report *)(const void *)report)->state ==
				  RECORRELATION_RUNNING;
	snapshot_unref(report);
	return running;
}

/* NULL: the query is wrong and was answered, or there is no memory. */
static struct recorrelation_request *read_request(struct http_request *request)
{
	struct text from = http_query(request, "from"), dry = http_query(request, "dry_run");
	struct recorrelation_request *wish = calloc(1, sizeof *wish);
	if (!wish) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return NULL;
	}
	wish->item.weight_bytes = 1; /* the queue holds one */
	wish->apply = !text_is(dry, "true");
	if ((from.size && !clock_parse_bound(from, &wish->from_ns)) ||
		(dry.size && !text_is(dry, "true") && !text_is(dry, "false"))) {
		http_respond_problem(request, 400, "Bad request",
			TEXT("from is a time as 2026-11-24T10:00:00Z, dry_run is true or false"));
		free(wish);
		return NULL;
	}
	text_format(wish->actor, sizeof wish->actor, "%.*s", TEXT_ARG(api_viewer(request)->actor));
	return wish;
}

static void respond_running(struct http_request *request)
{
	http_respond_problem(request, 409, "Already running",
		TEXT("incidents are being computed again; GET shows how far it is"));
}

void recorrelation_begin(struct http_request *request, struct console *console)
{
	if (is_running(console)) {
		respond_running(request);
		return;
	}
	struct recorrelation_request *wish = read_request(request);
	if (!wish)
		return;
	if (!queue_push(console->options.recorrelations, &wish->item)) {
		free(wish);
		respond_running(request); /* it is to begin in a moment */
		return;
	}
	struct buf body;
	buf_init(&body, 64);
	buf_add_string(&body, "{\"state\":\"running\"}");
	api_respond(request, 202, "application/json", &body);
}
