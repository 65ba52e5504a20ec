/* SPDX-License-Identifier: Apache-2.0 */
#include "console/sign_in_oidc.h"

#include <stdlib.h>

#include "access/form.h"
#include "access/oidc.h"
#include "base/log.h"

/* What an attempt remembers; Lax, because the provider sends the browser back. */
#define ATTEMPT_COOKIE "tocsin_oidc"

struct sign_in_oidc {
	struct console *console;
	struct oidc *oidc;
	struct queue *results;
	struct loop_watch *watch;
};

struct text sign_in_provider(const struct console *console)
{
	return console->oidc ? oidc_label(console->oidc->oidc) : TEXT_NONE;
}

static void refuse(
	struct http_request *request, struct console *console, unsigned status, struct text detail)
{
	struct sign_in_refusal refusal = {
		status, status == 403 ? "Not signed in" : "Not now", detail, 0};
	sign_in_refuse(request, console, &refusal);
}

static void drop_cookie(
	const struct console *console, struct arena *arena, struct sign_in_headers *headers)
{
	sign_in_add_header(headers, "Set-Cookie",
		sign_in_cookie(console, arena,
			&(struct sign_in_cookie){ATTEMPT_COOKIE, TEXT_NONE, "/sign-in", "Lax", 0}));
}

static void lead_away(struct oidc_task *task, struct console *console)
{
	struct http_request *request = task->owner;
	struct arena *arena = http_arena(request);
	struct sign_in_headers headers = sign_in_headers_new(arena);
	sign_in_add_header(&headers, "Location", arena_string(arena, task->location));
	sign_in_add_header(&headers, "Set-Cookie",
		sign_in_cookie(console, arena,
			&(struct sign_in_cookie){
				ATTEMPT_COOKIE, task->new_cookie, "/sign-in", "Lax", OIDC_LIFE_S}));
	struct http_response response = {.status = 303, .headers = headers.items};
	if (arena->failed)
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
	else
		http_respond(request, &response);
}

static void let_in(struct oidc_task *task, struct console *console)
{
	struct http_request *request = task->owner;
	struct sign_in_wish wish = {
		.session = {.name = task->name,
			.subject = task->subject,
			.role = task->role,
			.scope = task->scope,
			.way = SIGN_IN_OIDC},
		.next = task->next,
		.is_from_elsewhere = true,
		.headers = sign_in_headers_new(http_arena(request)),
	};
	drop_cookie(console, http_arena(request), &wish.headers);
	sign_in_succeeded(request, console);
	sign_in_session_begin(request, console, &wish);
}

static void answer(struct oidc_task *task, struct console *console)
{
	struct http_request *request = task->owner;
	struct text why = arena_copy(http_arena(request), text_of(task->err.text));
	if (task->err.kind == ERR_NONE) {
		if (task->step == OIDC_BEGIN)
			lead_away(task, console);
		else
			let_in(task, console);
		return;
	}
	log_warning("access", "a sign-in by the identity provider from %.*s failed: %s",
		TEXT_ARG(http_peer(request)), task->err.text);
	if (task->err.kind == ERR_DENIED) {
		sign_in_failed(request, console);
		refuse(request, console, 403, why);
	} else {
		refuse(request, console, 503, why);
	}
}

static void on_results(void *ctx)
{
	struct sign_in_oidc *sign_in = ctx;
	struct queue_item *item = queue_take(sign_in->results, SIZE_MAX, 0);
	while (item) {
		struct oidc_task *task = (struct oidc_task *)(void *)item;
		item = item->next;
		answer(task, sign_in->console);
		oidc_task_free(task);
	}
}

/* NULL: it was answered. */
static struct oidc_task *new_task(
	struct http_request *request, struct console *console, enum oidc_step step)
{
	if (!console->oidc) {
		http_respond_problem(request, 404, "Not found",
			TEXT("no identity provider is set up: see oidc.issuer"));
		return NULL;
	}
	if (sign_in_must_wait(request, console))
		return NULL;
	struct oidc_task *task = oidc_task_new(step);
	if (!task) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return NULL;
	}
	task->owner = request;
	return task;
}

static void give(struct http_request *request, struct console *console, struct oidc_task *task)
{
	if (!task->arena.failed && oidc_give(console->oidc->oidc, task))
		return;
	oidc_task_free(task);
	http_respond_retry(request, 503, "Too many sign in at once", TEXT_NONE, 2);
}

void sign_in_oidc_begin(struct http_request *request, struct console *console)
{
	struct oidc_task *task = new_task(request, console, OIDC_BEGIN);
	if (!task)
		return;
	task->next = arena_copy(&task->arena, http_query(request, "next"));
	give(request, console, task);
}

void sign_in_oidc_return(struct http_request *request, struct console *console)
{
	struct oidc_task *task = new_task(request, console, OIDC_FINISH);
	if (!task)
		return;
	struct arena *arena = &task->arena;
	struct text cookies = http_header(request, "Cookie");
	task->cookie = arena_copy(arena, cookie_value(cookies, TEXT(ATTEMPT_COOKIE)));
	task->state = arena_copy(arena, http_query(request, "state"));
	task->code = arena_copy(arena, http_query(request, "code"));
	task->issuer = arena_copy(arena, http_query(request, "iss"));
	task->problem = arena_copy(arena, http_query(request, "error"));
	task->problem_text = arena_copy(arena, http_query(request, "error_description"));
	give(request, console, task);
}

/* Where the provider sends browsers back to. */
static const char *redirect_url(const struct sign_in_options *options, char *out, size_t size)
{
	if (options->oidc.redirect_url && options->oidc.redirect_url[0])
		return options->oidc.redirect_url;
	text_format(out, size, "%s/sign-in/callback", options->url ? options->url : "");
	return out;
}

int sign_in_oidc_start(struct console *console, struct err *err)
{
	const struct sign_in_options *options = &console->options.sign_in;
	if (!options->oidc.issuer || !options->oidc.issuer[0])
		return 0;
	struct sign_in_oidc *sign_in = calloc(1, sizeof *sign_in);
	if (!sign_in)
		return err_set(err, ERR_MEMORY, "out of memory for oidc");
	console->oidc = sign_in;
	sign_in->console = console;
	sign_in->results = queue_new(SIZE_MAX);
	if (sign_in->results)
		sign_in->watch = loop_watch_new(
			console->options.loop, queue_fd(sign_in->results), on_results, sign_in);
	if (!sign_in->watch)
		return err_set(err, ERR_MEMORY, "out of memory for oidc");
	struct oidc_options oidc = options->oidc;
	oidc.redirect_url =
		redirect_url(options, console->oidc_redirect, sizeof console->oidc_redirect);
	oidc.clock = console->options.clock;
	oidc.results = sign_in->results;
	return oidc_start(&sign_in->oidc, &oidc, err);
}

void sign_in_oidc_stop(struct console *console)
{
	if (!console->oidc)
		return;
	oidc_stop(console->oidc->oidc);
	console->oidc->oidc = NULL;
}

void sign_in_oidc_free(struct sign_in_oidc *sign_in)
{
	if (!sign_in)
		return;
	struct queue_item *item =
		sign_in->results ? queue_take(sign_in->results, SIZE_MAX, 0) : NULL;
	while (item) {
		struct oidc_task *task = (struct oidc_task *)(void *)item;
		item = item->next;
		oidc_task_free(task);
	}
	loop_watch_free(sign_in->watch);
	if (sign_in->results)
		queue_free(sign_in->results);
	free(sign_in);
}
