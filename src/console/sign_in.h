/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Signing in and out: the form (sign_in.c), an identity provider (sign_in_oidc.c), and what both
 * end in, a session (sign_in_session.c). Loop thread only.
 */

#include "console/api.h"

#define SESSION_COOKIE "tocsin_session"

CHECKED int sign_in_start(struct console *console, struct err *err);
void sign_in_free(struct sign_in *sign_in); /* accepts NULL */

int64_t sign_in_idle_ns(const struct console *console);

/** Tells the writer that a session is used, once a minute. */
void sign_in_note_use(struct console *console, const struct session *session, int64_t now_ns);
struct session_uses *sign_in_uses(const struct console *console);

/* Headers of an answer, in the request's arena. */
struct sign_in_headers {
	const char **items; /* name, value, …, NULL */
	size_t n;
};

struct sign_in_headers sign_in_headers_new(struct arena *arena);
/** @value NULL: without memory, which the arena says. */
void sign_in_add_header(struct sign_in_headers *headers, const char *name, const char *value);

struct sign_in_cookie {
	const char *name;
	struct text value;
	const char *path, *same_site;
	int64_t life_s; /* 0: it is taken back */
};

/** The value of a Set-Cookie header; NULL without memory. */
const char *sign_in_cookie(
	const struct console *console, struct arena *arena, const struct sign_in_cookie *cookie);

/* Who signs in. */
struct sign_in_wish {
	struct session session; /* who and how; expires_at_ns: not after that; 0: as settings say */
	const struct digest *link;      /* used up with it; NULL: none */
	struct text next;               /* where to; "/" when it is not ours */
	bool is_from_elsewhere;         /* came from another site: a page of ours leads on, so that
					   the new cookie goes along */
	struct sign_in_headers headers; /* further ones of the answer */
};

/** Answers. A session that the browser had ends. */
void sign_in_session_begin(
	struct http_request *request, struct console *console, struct sign_in_wish *wish);
/** Ends the viewer's session, and answers. */
void sign_in_session_end(struct http_request *request, struct console *console);

/* Why somebody is not signed in. */
struct sign_in_refusal {
	unsigned status;
	const char *title;
	struct text detail;
	unsigned retry_after_s; /* 0: not said */
};

/** Answers with the sign-in page for browsers, else a problem. */
void sign_in_refuse(struct http_request *request, struct console *console,
	const struct sign_in_refusal *refusal);

/** Has the address failed too often? Then it was answered. */
bool sign_in_must_wait(struct http_request *request, struct console *console);
void sign_in_failed(struct http_request *request, struct console *console);
void sign_in_succeeded(struct http_request *request, struct console *console);
