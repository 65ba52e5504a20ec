/* SPDX-License-Identifier: Apache-2.0 */
#include "console/sign_in.h"

#include <stdlib.h>
#include <string.h>

#include "access/attempts.h"
#include "access/form.h"
#include "access/sign_in_page.h"
#include "base/log.h"
#include "console/page_request.h"
#include "console/sign_in_oidc.h"
#include "console/viewers.h"
#include "pages/sign_in.h"

/* The form's own secret, before there is a session. */
#define FORM_COOKIE "tocsin_sign_in"

/* How the page looks, and where changing that leads back to. */
static const char *const of_sign_in[] = {"next", NULL};
static const struct endpoint sign_in_page = {
	.method = HTTP_GET, .path = "/sign-in", .parameters = of_sign_in};

enum { PAGE_BYTES = 64 * 1024 };

struct sign_in {
	struct attempts *attempts;
	struct session_uses uses;
};

struct session_uses *sign_in_uses(const struct console *console)
{
	return &console->sign_in->uses;
}

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
	struct sign_in_headers headers = sign_in_headers_new(arena);
	struct text cookie = attempt->cookie;
	if (!is_secret(cookie)) {
		secret_make(secret, &digest);
		cookie = arena_copy(arena, text_of(secret));
		sign_in_add_header(&headers, "Set-Cookie",
			sign_in_cookie(console, arena,
				&(struct sign_in_cookie){
					FORM_COOKIE, cookie, "/sign-in", "Strict", LINK_LIFE_S}));
	}
	if (retry_after_s)
		sign_in_add_header(&headers, "Retry-After",
			arena_string(arena, arena_format(arena, "%u", retry_after_s)));
	csrf_of(cookie, csrf);
	const struct sign_in_form form = {.csrf = text_of(csrf),
		.link = attempt->link,
		.next = next_is_ours(attempt->next) ? attempt->next : TEXT_NONE,
		.provider = sign_in_provider(console),
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

static void refuse(struct console *console, struct http_request *request, struct attempt *attempt,
	const struct sign_in_refusal *refusal)
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

static void begin_session(struct http_request *request, struct console *console,
	const struct credential *credential, const struct attempt *attempt)
{
	struct arena *arena = http_arena(request);
	struct digest link = digest_of(attempt->link);
	struct sign_in_wish wish = {
		.session = {.token = credential->id,
			.name = credential->name,
			.role = credential->role,
			.scope = credential->scope,
			.way = attempt->link.size ? SIGN_IN_LINK : SIGN_IN_TOKEN,
			.expires_at_ns = credential->expires_at_ns},
		.link = attempt->link.size ? &link : NULL,
		.next = attempt->next,
		.headers = sign_in_headers_new(arena),
	};
	sign_in_add_header(&wish.headers, "Set-Cookie",
		sign_in_cookie(console, arena,
			&(struct sign_in_cookie){FORM_COOKIE, TEXT_NONE, "/sign-in", "Strict", 0}));
	sign_in_session_begin(request, console, &wish);
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

static const struct sign_in_refusal
	wrong_token = {401, "Unauthorized", LITERAL("no token in force is this one"), 0},
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
	struct credential_set *set =
		(struct credential_set *)(void *)snapshot_ref(console->options.credentials);
	const struct credential *credential =
		set ? find_credential(set, attempt, clock_wall_ns(console->options.clock)) : NULL;
	if (credential && !credential_is_held(credential, http_subject(request)))
		credential = NULL;
	if (!credential) {
		sign_in_failed(request, console);
		log_warning("access", "a sign-in from %.*s was refused: wrong %s",
			TEXT_ARG(http_peer(request)), attempt->link.size ? "link" : "token");
		refuse(console, request, attempt, attempt->link.size ? &wrong_link : &wrong_token);
	} else if (credential->role == ROLE_SOURCE) {
		refuse(console, request, attempt, &only_sends);
	} else {
		sign_in_succeeded(request, console);
		begin_session(request, console, credential, attempt);
	}
	snapshot_unref(set ? &set->snapshot : NULL);
}

/* Failed too often: answered with 429. */
static bool must_wait(
	struct http_request *request, struct console *console, struct attempt *attempt)
{
	unsigned wait_s = attempts_wait_s(console->sign_in->attempts, http_peer(request),
		clock_monotonic_ms(console->options.clock));
	struct sign_in_refusal refusal = {429, "Too many attempts",
		arena_format(http_arena(request), "signing in failed too often: try again in %u s",
			wait_s),
		wait_s};
	if (wait_s)
		refuse(console, request, attempt, &refusal);
	return wait_s > 0;
}

bool sign_in_must_wait(struct http_request *request, struct console *console)
{
	struct attempt attempt = {.wants_page = wants_page(request)};
	return must_wait(request, console, &attempt);
}

void sign_in_refuse(struct http_request *request, struct console *console,
	const struct sign_in_refusal *refusal)
{
	struct attempt attempt = {.wants_page = wants_page(request)};
	refuse(console, request, &attempt, refusal);
}

void sign_in_failed(struct http_request *request, struct console *console)
{
	attempts_failed(console->sign_in->attempts, http_peer(request),
		clock_monotonic_ms(console->options.clock));
}

void sign_in_succeeded(struct http_request *request, struct console *console)
{
	attempts_succeeded(console->sign_in->attempts, http_peer(request));
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
	if (must_wait(request, console, &attempt))
		return;
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
	sign_in_session_end(request, console);
}
