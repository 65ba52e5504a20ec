/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "console/api.h"

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

void metrics_show(struct http_request *request, struct console *console)
{
	struct buf body;
	buf_init(&body, METRICS_BYTES);
	for (size_t i = 0; i < CONSOLE_METRICS_MAX && console->options.metrics[i]; i++)
		metric_write(&body, console->options.metrics[i], console->options.clock);
	api_respond(request, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
}
