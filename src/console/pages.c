/* SPDX-License-Identifier: Apache-2.0 */
#include "console/pages.h"

#include <stdlib.h>

#include "base/log.h"
#include "console/page_answers.h"
#include "console/page_request.h"
#include "console/viewers.h"
#include "pages/problem.h"

enum { PAGE_BYTES_MAX = 8 * 1024 * 1024, PAGE_ARENA_BYTES = 256 * 1024 * 1024, FORM_BYTES = 8192 };

#define HTML_TYPE "text/html; charset=utf-8"
#define POLICY                                                                                     \
	("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "         \
	 "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")

static const struct endpoint missing = {.method = HTTP_GET, .path = "/"};

bool pages_has(const struct endpoint *endpoint)
{
	for (const struct endpoint *page = page_endpoints; page->path; page++)
		if (page == endpoint)
			return true;
	return false;
}

static void respond(struct http_request *request, unsigned status, struct buf *body)
{
	static const char *const headers[] = {"Content-Security-Policy", POLICY,
		"X-Content-Type-Options", "nosniff", "Referrer-Policy", "no-referrer",
		"Cross-Origin-Opener-Policy", "same-origin", "Cache-Control", "no-store", "Vary",
		"Accept-Language, Cookie", NULL};
	struct http_response response = {
		.status = status, .content_type = HTML_TYPE, .headers = headers};
	if (!buf_ok(body)) {
		buf_done(body);
		http_respond_problem(
			request, 500, "Too much to show", TEXT("ask for less: a smaller limit"));
		return;
	}
	response.body = buf_take(body, &response.body_size);
	http_respond(request, &response);
}

static void respond_problem(
	struct http_request *request, struct console *console, unsigned status, struct text detail)
{
	struct arena arena;
	struct page page;
	struct buf body;
	const struct page_request *wish = api_page(request);
	buf_init(&body, PAGE_BYTES_MAX);
	arena_init(&arena, PAGE_ARENA_BYTES);
	page_request_begin(wish, console, &page, &arena, &body);
	page_problem(&page, status, detail);
	arena_done(&arena);
	respond(request, status, &body);
}

static unsigned status_of(const struct err *err)
{
	switch (err->kind) {
	case ERR_INPUT:
		return 400;
	case ERR_MISSING:
		return 404;
	case ERR_DENIED:
		return 403;
	case ERR_BUSY:
	case ERR_FULL:
	case ERR_LIMIT:
		return 503;
	default:
		return 500;
	}
}

void pages_respond(struct job *job, bool failed, struct buf *body, const struct err *err)
{
	if (!failed) {
		respond(job->request, 200, body);
		return;
	}
	unsigned status = status_of(err);
	buf_done(body);
	if (status == 500)
		log_warning("console", "%s", err->text);
	respond_problem(job->request, job->console, status,
		status == 500 ? TEXT("the log of tocsind says why") : text_of(err->text));
}

/* Who may not see it: to the sign-in, or a page that says why. Answered when it is false. */
static bool is_allowed(
	struct binding *binding, struct http_request *request, const struct viewer *viewer)
{
	struct viewer_refusal refusal;
	if (viewer_may(viewer, binding->endpoint, http_arena(request), &refusal))
		return true;
	if (refusal.status == 401 && binding->endpoint->method == HTTP_GET)
		viewer_send_to_sign_in(request);
	else
		respond_problem(request, binding->console, refusal.status, refusal.detail);
	return false;
}

static size_t admit(struct http_request *request, void *ctx)
{
	struct binding *binding = ctx;
	const struct viewer *viewer = viewer_find(binding->console, request);
	struct page_request *wish = page_request_new(request, viewer, binding->endpoint);
	if (!wish || !viewer_note(request, viewer, wish)) {
		http_respond_retry(request, 503, "No memory now", TEXT("try again"), 1);
		return 0;
	}
	if (!is_allowed(binding, request, viewer))
		return 0;
	return binding->endpoint->method == HTTP_POST ? FORM_BYTES : 0;
}

static void handle(struct http_request *request, void *ctx)
{
	struct binding *binding = ctx;
	if (!binding->endpoint->answer)
		binding->endpoint->direct(request, binding->console);
	else if (!console_read(binding->console, request, binding->endpoint))
		respond_problem(request, binding->console, 503, TEXT("too many requests wait"));
}

/* For people a page, for programs what they read. */
static size_t admit_missing(struct http_request *request, void *ctx)
{
	struct console *console = ctx;
	struct text wanted = http_header(request, "Accept");
	const struct viewer *viewer = viewer_find(console, request);
	struct page_request *wish = page_request_new(request, viewer, &missing);
	struct text detail = TEXT("nothing has this path");
	if (text_find(wanted, TEXT("text/html"), 0) == SIZE_MAX || !wish ||
		!viewer_note(request, viewer, wish))
		http_respond_problem(request, 404, "Not found", detail);
	else
		respond_problem(request, console, 404, detail);
	return 0;
}

struct http_route pages_missing_route(struct console *console)
{
	return (struct http_route){.method = HTTP_GET, .admit = admit_missing, .ctx = console};
}

struct http_route *pages_routes_new(struct console *console, struct binding **bindings)
{
	size_t n = 1;
	while (page_endpoints[n - 1].path)
		n++;
	struct http_route *routes = calloc(n, sizeof *routes);
	*bindings = calloc(n, sizeof **bindings);
	if (!routes || !*bindings) {
		free(routes);
		free(*bindings);
		*bindings = NULL;
		return NULL;
	}
	for (size_t i = 0; page_endpoints[i].path; i++) {
		(*bindings)[i] = (struct binding){console, &page_endpoints[i]};
		routes[i] = (struct http_route){.method = page_endpoints[i].method,
			.path = page_endpoints[i].path,
			.admit = admit,
			.handle = handle,
			.ctx = &(*bindings)[i]};
	}
	return routes;
}
