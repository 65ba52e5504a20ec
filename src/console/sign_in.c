/* SPDX-License-Identifier: Apache-2.0 */
#include "console/sign_in.h"

#include <stdlib.h>
#include <string.h>

#include "access/attempts.h"
#include "access/form.h"
#include "access/sign_in_page.h"
#include "base/cleanup.h"
#include "base/emit.h"
#include "base/log.h"
#include "console/page_request.h"
#include "console/viewers.h"
#include "pages/sign_in.h"

/* The form's own secret, before there is a session. */
#define FORM_COOKIE "tocsin_sign_in"

/* How the page looks, and where changing that leads back to. */
static const char *const of_sign_in[] = {"next", NULL};
static const struct endpoint sign_in_page = {
	.method = HTTP_GET, .path = "/sign-in", .parameters = of_sign_in};

enum { PAGE_BYTES = 64 * 1024, DAY_S = 86400, N_HEADERS = 10 };

struct sign_in {
	struct attempts *attempts;
	struct session_uses uses;
};

int sign_in_start(struct console *console, struct err *err)
{
	struct sign_in *sign_in = calloc(1, sizeof *sign_in);
	if (!sign_in || !(sign_in->attempts = attempts_new())) {
		free(sign_in);
		return err_set(err, ERR_MEMORY, "out of memory for signing in");
	}
	console->sign_in = sign_in;
	return 0;
}

void sign_in_free(struct sign_in *sign_in)
{
	if (sign_in)
		attempts_free(sign_in->attempts);
	free(sign_in);
}

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
	struct session_uses *uses = &console->sign_in->uses;
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

/* NULL without memory, which add_header looks at. */
static const char *cookie_line(const struct console *console, struct arena *arena, const char *name,
	struct text value, const char *path, int64_t life_s)
{
	struct text line = arena_format(arena,
		"%s=%.*s; Path=%s; HttpOnly; SameSite=Strict; Max-Age=%lld%s", name,
		TEXT_ARG(value), path, (long long)life_s, is_secure(console) ? "; Secure" : "");
	return arena_string(arena, line);
}

/* Headers of an answer, in the request's arena. */
struct headers {
	const char **items;
	size_t n;
};

static void add_header(struct headers *headers, const char *name, const char *value)
{
	if (!headers->items || !value || headers->n + 2 > N_HEADERS)
		return;
	headers->items[headers->n++] = name;
	headers->items[headers->n++] = value;
}

static struct headers new_headers(struct arena *arena)
{
	return (struct headers){arena_array(arena, N_HEADERS + 1, sizeof(const char *)), 0};
}

/* What was sent, and what the page shows again. */
struct attempt {
	struct text cookie, csrf, token, link, next;
	bool wants_page; /* a browser: answers are pages */
};

static bool wants_page(struct http_request *request)
{
	return text_find(http_header(request, "Accept"), TEXT("text/html"), 0) != SIZE_MAX;
}

static bool is_secret(struct text text)
{
	if (text.size != SECRET_TEXT_BYTES - 1)
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '"' ||
			text.data[i] == '\\' || text.data[i] == ',')
			return false;
	return true;
}

/* The page, with a form secret of its own if the browser has none yet. */
static void respond_form(struct console *console, struct http_request *request, unsigned status,
	const struct attempt *attempt, struct text problem, unsigned retry_after_s)
{
	char secret[SECRET_TEXT_BYTES], csrf[SECRET_TEXT_BYTES];
	struct digest digest;
	struct buf body;
	struct arena *arena = http_arena(request);
	struct headers headers = new_headers(arena);
	struct text cookie = attempt->cookie;
	if (!is_secret(cookie)) {
		secret_make(secret, &digest);
		cookie = arena_copy(arena, text_of(secret));
		add_header(&headers, "Set-Cookie",
			cookie_line(console, arena, FORM_COOKIE, cookie, "/sign-in", LINK_LIFE_S));
	}
	if (retry_after_s)
		add_header(&headers, "Retry-After",
			arena_string(arena, arena_format(arena, "%u", retry_after_s)));
	csrf_of(cookie, csrf);
	const struct sign_in_form form = {.csrf = text_of(csrf),
		.link = attempt->link,
		.next = next_is_ours(attempt->next) ? attempt->next : TEXT_NONE,
		.problem = problem};
	const struct page_request *wish = page_request_new(request, NULL, &sign_in_page);
	if (!wish) {
		http_respond_retry(request, 503, "No memory now", TEXT("try again"), 1);
		return;
	}
	struct page page;
	buf_init(&body, PAGE_BYTES);
	page_request_begin(wish, console, &page, arena, &body);
	page_sign_in(&page, &form);
	api_respond_page(request, status, &body, headers.items);
}

/* Why somebody is not signed in. */
struct refusal {
	unsigned status;
	const char *title;
	struct text detail;
	unsigned retry_after_s; /* 0: not said */
};

static void refuse(struct console *console, struct http_request *request, struct attempt *attempt,
	const struct refusal *refusal)
{
	if (refusal->status == 401)
		attempt->link = TEXT_NONE; /* it is of no use any more */
	if (attempt->wants_page)
		respond_form(console, request, refusal->status, attempt, refusal->detail,
			refusal->retry_after_s);
	else if (refusal->retry_after_s)
		http_respond_retry(request, refusal->status, refusal->title, refusal->detail,
			refusal->retry_after_s);
	else
		http_respond_problem(request, refusal->status, refusal->title, refusal->detail);
}

void sign_in_show(struct http_request *request, struct console *console)
{
	struct attempt attempt = {
		.cookie = cookie_value(http_header(request, "Cookie"), TEXT(FORM_COOKIE)),
		.link = http_query(request, "link"),
		.next = http_query(request, "next"),
	};
	respond_form(console, request, 200, &attempt, TEXT_NONE, 0);
}

/* On its way to the writer and back: the batch's owner. */
struct sign_in_job {
	struct console *console;
	struct http_request *request;
	struct headers headers; /* of the answer, if it is carried out */
	struct attempt attempt;
};

static void end_job(struct batch *batch)
{
	free(batch->owner);
	batch_free(batch);
}

static void respond_see_other(struct http_request *request, const struct headers *headers)
{
	struct http_response response = {.status = 303, .headers = headers->items};
	http_respond(request, &response);
}

/* On the writer's thread, after COMMIT or when it could not be carried out. */
static void came_back(struct batch *batch)
{
	struct sign_in_job *job = batch->owner;
	const char *refusal = batch->decisions->sign_in.refusal;
	if (batch->err.kind != ERR_NONE)
		api_respond_error(job->request, &batch->err);
	else if (refusal && batch->decisions->kind == DECISION_SESSION_BEGIN)
		http_respond_problem(job->request, 409, "Not signed in", text_of(refusal));
	else
		respond_see_other(job->request, &job->headers);
	end_job(batch);
}

/* A batch with one decision. NULL without memory. */
static struct batch *new_batch(struct console *console, struct http_request *request)
{
	struct batch *batch = batch_new();
	struct sign_in_job *job = batch ? calloc(1, sizeof *job) : NULL;
	if (job)
		batch->decisions = arena_alloc(&batch->arena, sizeof *batch->decisions);
	if (!job || !batch->decisions) {
		free(job);
		batch_free(batch);
		return NULL;
	}
	job->console = console;
	job->request = request;
	job->headers = new_headers(http_arena(request));
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
static uint64_t session_before(
	struct console *console, struct http_request *request, const struct credential_set *set)
{
	struct text cookie = cookie_value(http_header(request, "Cookie"), TEXT(SESSION_COOKIE));
	const struct session *session = NULL;
	if (cookie.size)
		session = session_find(set, cookie, clock_wall_ns(console->options.clock),
			sign_in_idle_ns(console));
	return session ? session->id : 0;
}

static void begin_session(struct console *console, struct http_request *request,
	const struct credential_set *set, const struct credential *credential,
	const struct attempt *attempt)
{
	char secret[SECRET_TEXT_BYTES];
	struct arena *arena = http_arena(request);
	struct batch *batch = new_batch(console, request);
	if (!batch) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	struct sign_in_job *job = batch->owner;
	struct decision *decision = batch->decisions;
	struct sign_in_decision *wish = &decision->sign_in;
	int64_t now_ns = clock_wall_ns(console->options.clock);
	int64_t expires_at_ns = now_ns + life_ns(console);
	if (credential->expires_at_ns && credential->expires_at_ns < expires_at_ns)
		expires_at_ns = credential->expires_at_ns;
	decision->kind = DECISION_SESSION_BEGIN;
	decision->actor = arena_format(&batch->arena, "token:%.*s", TEXT_ARG(credential->name));
	wish->session = (struct session){
		.token = credential->id,
		.name = arena_copy(&batch->arena, credential->name),
		.role = credential->role,
		.scope = scope_copy(&credential->scope, &batch->arena),
		.way = attempt->link.size ? SIGN_IN_LINK : SIGN_IN_TOKEN,
		.address = arena_copy(&batch->arena, http_peer(request)),
		.expires_at_ns = expires_at_ns,
	};
	wish->replaces = session_before(console, request, set);
	wish->has_link = attempt->link.size > 0;
	wish->link.digest = digest_of(attempt->link);
	secret_make(secret, &wish->session.digest);
	add_header(&job->headers, "Location",
		arena_string(arena, next_is_ours(attempt->next) ? attempt->next : TEXT("/")));
	add_header(&job->headers, "Set-Cookie",
		cookie_line(console, arena, SESSION_COOKIE, text_of(secret), "/",
			(expires_at_ns - now_ns) / NS_PER_S));
	add_header(&job->headers, "Set-Cookie",
		cookie_line(console, arena, FORM_COOKIE, TEXT_NONE, "/sign-in", 0));
	explicit_bzero(secret, sizeof secret);
	give_to_writer(console, batch);
}

/* Whoever the link or the token is; NULL: nobody. */
static const struct credential *find_credential(
	const struct credential_set *set, const struct attempt *attempt, int64_t now_ns)
{
	if (!attempt->link.size)
		return credential_find(set, text_trim(attempt->token), now_ns);
	const struct sign_in_link *link = sign_in_link_find(set, attempt->link, now_ns);
	return link ? credential_of_id(set, link->token, now_ns) : NULL;
}

#define LITERAL(text)                                                                              \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static const struct refusal wrong_token = {401, "Unauthorized",
				    LITERAL("no token in force is this one"), 0},
			    wrong_link = {401, "Unauthorized",
				    LITERAL("this link was used, is older than ten minutes or "
					    "never was one: make another by "
					    "tocsin sign-in"),
				    0},
			    only_sends = {403, "Forbidden",
				    LITERAL("this token sends alerts, it cannot read: sign in with "
					    "a viewer's or a greater one"),
				    0},
			    not_from_here = {403, "Not from here",
				    LITERAL("the form was open for too long, or does not come from "
					    "this page: try again here"),
				    0};

static void try_secret(
	struct console *console, struct http_request *request, struct attempt *attempt)
{
	int64_t now_ms = clock_monotonic_ms(console->options.clock);
	struct attempts *attempts = console->sign_in->attempts;
	struct credential_set *set =
		(struct credential_set *)(void *)snapshot_ref(console->options.credentials);
	const struct credential *credential =
		set ? find_credential(set, attempt, clock_wall_ns(console->options.clock)) : NULL;
	if (!credential) {
		attempts_failed(attempts, http_peer(request), now_ms);
		log_warning("access", "a sign-in from %.*s was refused: wrong %s",
			TEXT_ARG(http_peer(request)), attempt->link.size ? "link" : "token");
		refuse(console, request, attempt, attempt->link.size ? &wrong_link : &wrong_token);
	} else if (credential->role == ROLE_SOURCE) {
		refuse(console, request, attempt, &only_sends);
	} else {
		attempts_succeeded(attempts, http_peer(request));
		begin_session(console, request, set, credential, attempt);
	}
	snapshot_unref(set ? &set->snapshot : NULL);
}

void sign_in_begin(struct http_request *request, struct console *console)
{
	char csrf[SECRET_TEXT_BYTES];
	struct arena *arena = http_arena(request);
	struct text body = http_body(request);
	struct attempt attempt = {
		.cookie = cookie_value(http_header(request, "Cookie"), TEXT(FORM_COOKIE)),
		.csrf = form_value(body, TEXT("csrf"), arena),
		.token = form_value(body, TEXT("token"), arena),
		.link = form_value(body, TEXT("link"), arena),
		.next = form_value(body, TEXT("next"), arena),
		.wants_page = wants_page(request),
	};
	unsigned wait_s = attempts_wait_s(console->sign_in->attempts, http_peer(request),
		clock_monotonic_ms(console->options.clock));
	if (wait_s) {
		struct refusal refusal = {429, "Too many attempts",
			arena_format(
				arena, "signing in failed too often: try again in %u s", wait_s),
			wait_s};
		refuse(console, request, &attempt, &refusal);
		return;
	}
	csrf_of(attempt.cookie, csrf);
	if (!is_secret(attempt.cookie) || !text_equal_secret(attempt.csrf, text_of(csrf)) ||
		!request_is_ours(console, request, true)) {
		refuse(console, request, &attempt, &not_from_here);
		return;
	}
	try_secret(console, request, &attempt);
}

void sign_out(struct http_request *request, struct console *console)
{
	struct arena *arena = http_arena(request);
	const struct viewer *viewer = api_viewer(request);
	struct text field = form_value(http_body(request), TEXT("csrf"), arena);
	if (!viewer_means_it(console, request, viewer, field))
		return;
	if (!viewer->session) {
		http_respond_problem(request, 400, "Bad request",
			TEXT("there is no session to end: a token is revoked by DELETE "
			     "/api/v1/tokens/{id}"));
		return;
	}
	struct batch *batch = new_batch(console, request);
	if (!batch) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	struct sign_in_job *job = batch->owner;
	batch->decisions->kind = DECISION_SESSION_END;
	batch->decisions->actor = arena_copy(&batch->arena, viewer->actor);
	batch->decisions->sign_in.session.id = viewer->session;
	add_header(&job->headers, "Location", "/sign-in");
	add_header(&job->headers, "Set-Cookie",
		cookie_line(console, arena, SESSION_COOKIE, TEXT_NONE, "/", 0));
	give_to_writer(console, batch);
}
