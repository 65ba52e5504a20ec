/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "access/form.h"
#include "access/sign_in_page.h"
#include "console/sign_in.h"
#include "console/viewers.h"

enum { PAGE_BYTES = 16 * 1024, DAY_S = 86400, N_HEADERS = 10 };

int64_t sign_in_idle_ns(const struct console *console)
{
	int64_t idle_ns = console->options.sign_in.idle_ns;
	return idle_ns ? idle_ns : DAY_S * NS_PER_S;
}

static int64_t life_ns(const struct console *console)
{
	int64_t life_ns = console->options.sign_in.life_ns;
	return life_ns ? life_ns : 7 * DAY_S * NS_PER_S;
}

/* Was the writer told of it within the last minute, or does the row say so? */
static bool is_told(
	struct session_uses *uses, const struct session *session, int64_t now_ns, int64_t now_ms)
{
	if (now_ns - session->used_at_ns < SESSION_USE_MS * NS_PER_MS)
		return true;
	for (size_t i = 0; i < SESSION_USES; i++)
		if (uses->items[i].session == session->id &&
			now_ms - uses->items[i].told_at_ms < SESSION_USE_MS)
			return true;
	return false;
}

void sign_in_note_use(struct console *console, const struct session *session, int64_t now_ns)
{
	struct session_uses *uses = sign_in_uses(console);
	int64_t now_ms = clock_monotonic_ms(console->options.clock);
	if (is_told(uses, session, now_ns, now_ms))
		return;
	struct batch *batch = batch_new();
	struct decision *decision = batch ? arena_alloc(&batch->arena, sizeof *decision) : NULL;
	if (decision) {
		decision->kind = DECISION_SESSION_USED;
		decision->sign_in.session.id = session->id;
		batch->decisions = decision;
	}
	if (!decision || !queue_push(console->options.writer, &batch->item)) {
		batch_free(batch); /* the next request tells it */
		return;
	}
	uses->items[uses->next].session = session->id;
	uses->items[uses->next].told_at_ms = now_ms;
	uses->next = (uses->next + 1) % SESSION_USES;
}

static bool is_secure(const struct console *console)
{
	return console->options.sign_in.tls ||
	       text_starts(text_of(console->options.sign_in.url), TEXT("https://"));
}

const char *sign_in_cookie(
	const struct console *console, struct arena *arena, const struct sign_in_cookie *cookie)
{
	struct text line =
		arena_format(arena, "%s=%.*s; Path=%s; HttpOnly; SameSite=%s; Max-Age=%lld%s",
			cookie->name, TEXT_ARG(cookie->value), cookie->path, cookie->same_site,
			(long long)cookie->life_s, is_secure(console) ? "; Secure" : "");
	return arena_string(arena, line);
}

void sign_in_add_header(struct sign_in_headers *headers, const char *name, const char *value)
{
	if (!headers->items || !value || headers->n + 2 > N_HEADERS)
		return;
	headers->items[headers->n++] = name;
	headers->items[headers->n++] = value;
}

struct sign_in_headers sign_in_headers_new(struct arena *arena)
{
	return (struct sign_in_headers){arena_array(arena, N_HEADERS + 1, sizeof(const char *)), 0};
}

/* On its way to the writer and back: the batch's owner. */
struct sign_in_job {
	struct http_request *request;
	struct sign_in_headers headers; /* of the answer, if it is carried out */
	struct text onward;             /* a page leads there; absent: the headers do */
};

static void end_job(struct batch *batch)
{
	free(batch->owner);
	batch_free(batch);
}

static void respond_done(const struct sign_in_job *job)
{
	struct http_response response = {.status = 303, .headers = job->headers.items};
	struct buf body;
	if (!job->onward.size) {
		http_respond(job->request, &response);
		return;
	}
	buf_init(&body, PAGE_BYTES);
	onward_page_write(job->onward, &body);
	api_respond_page(job->request, 200, &body, job->headers.items);
}

/* On the writer's thread, after COMMIT or when it could not be carried out. */
static void came_back(struct batch *batch)
{
	const struct sign_in_job *job = batch->owner;
	const char *refusal = batch->decisions->sign_in.refusal;
	if (batch->err.kind != ERR_NONE)
		api_respond_error(job->request, &batch->err);
	else if (refusal && batch->decisions->kind == DECISION_SESSION_BEGIN)
		http_respond_problem(job->request, 409, "Not signed in", text_of(refusal));
	else
		respond_done(job);
	end_job(batch);
}

/* A batch with one decision. NULL without memory, which was answered. */
static struct batch *new_batch(struct http_request *request, enum decision_kind kind)
{
	struct batch *batch = batch_new();
	struct sign_in_job *job = batch ? calloc(1, sizeof *job) : NULL;
	if (job)
		batch->decisions = arena_alloc(&batch->arena, sizeof *batch->decisions);
	if (!job || !batch->decisions) {
		free(job);
		batch_free(batch);
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return NULL;
	}
	job->request = request;
	batch->decisions->kind = kind;
	batch->owner = job;
	batch->done = came_back;
	return batch;
}

static void give_to_writer(struct console *console, struct batch *batch)
{
	struct sign_in_job *job = batch->owner;
	struct http_request *request = job->request;
	bool no_memory = batch->arena.failed || http_arena(request)->failed;
	if (!no_memory && queue_push(console->options.writer, &batch->item))
		return;
	http_respond_retry(
		request, 503, no_memory ? "No memory now" : "The store is busy", TEXT_NONE, 1);
	end_job(batch);
}

/* The session that the browser had, if it is one: it ends with the new one's beginning. */
static uint64_t session_before(struct http_request *request, struct console *console)
{
	struct text cookie = cookie_value(http_header(request, "Cookie"), TEXT(SESSION_COOKIE));
	struct credential_set *set =
		(struct credential_set *)(void *)snapshot_ref(console->options.credentials);
	const struct session *session = NULL;
	if (cookie.size && set)
		session = session_find(set, cookie, clock_wall_ns(console->options.clock),
			sign_in_idle_ns(console));
	uint64_t id = session ? session->id : 0;
	snapshot_unref(set ? &set->snapshot : NULL);
	return id;
}

static void fill_decision(struct decision *decision, struct arena *arena,
	const struct sign_in_wish *wish, struct text address)
{
	struct session *session = &decision->sign_in.session;
	*session = wish->session;
	session->name = arena_copy(arena, session->name);
	session->subject = arena_copy(arena, session->subject);
	session->scope = scope_copy(&session->scope, arena);
	session->address = arena_copy(arena, address);
	decision->actor = arena_format(
		arena, "%s:%.*s", session->token ? "token" : "oidc", TEXT_ARG(session->name));
	decision->sign_in.has_link = wish->link != NULL;
	if (wish->link)
		decision->sign_in.link.digest = *wish->link;
}

void sign_in_session_begin(
	struct http_request *request, struct console *console, struct sign_in_wish *wish)
{
	char secret[SECRET_TEXT_BYTES];
	struct arena *arena = http_arena(request);
	struct text next = next_is_ours(wish->next) ? wish->next : TEXT("/");
	struct batch *batch = new_batch(request, DECISION_SESSION_BEGIN);
	if (!batch)
		return;
	struct sign_in_job *job = batch->owner;
	struct sign_in_decision *decided = &batch->decisions->sign_in;
	struct session *session = &decided->session;
	int64_t now_ns = clock_wall_ns(console->options.clock);
	int64_t expires_at_ns = now_ns + life_ns(console);
	fill_decision(batch->decisions, &batch->arena, wish, http_peer(request));
	if (!session->expires_at_ns || session->expires_at_ns > expires_at_ns)
		session->expires_at_ns = expires_at_ns;
	decided->replaces = session_before(request, console);
	secret_make(secret, &session->digest);
	sign_in_add_header(&wish->headers, "Set-Cookie",
		sign_in_cookie(console, arena,
			&(struct sign_in_cookie){SESSION_COOKIE, text_of(secret), "/", "Strict",
				(session->expires_at_ns - now_ns) / NS_PER_S}));
	explicit_bzero(secret, sizeof secret);
	if (wish->is_from_elsewhere)
		job->onward = arena_copy(arena, next);
	else
		sign_in_add_header(&wish->headers, "Location", arena_string(arena, next));
	job->headers = wish->headers;
	give_to_writer(console, batch);
}

void sign_in_session_end(struct http_request *request, struct console *console)
{
	const struct viewer *viewer = api_viewer(request);
	struct arena *arena = http_arena(request);
	struct batch *batch = new_batch(request, DECISION_SESSION_END);
	if (!batch)
		return;
	struct sign_in_job *job = batch->owner;
	batch->decisions->actor = arena_copy(&batch->arena, viewer->actor);
	batch->decisions->sign_in.session.id = viewer->session;
	job->headers = sign_in_headers_new(arena);
	sign_in_add_header(&job->headers, "Location", "/sign-in");
	sign_in_add_header(&job->headers, "Set-Cookie",
		sign_in_cookie(console, arena,
			&(struct sign_in_cookie){SESSION_COOKIE, TEXT_NONE, "/", "Strict", 0}));
	give_to_writer(console, batch);
}
