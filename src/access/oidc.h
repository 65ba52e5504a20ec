/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Signing in by an identity provider: OpenID Connect 1.0, authorization code flow with PKCE.
 *
 * A thread of its own asks the provider (discovery, keys, tokens), because that blocks. What an
 * attempt needs to remember is in the browser's cookie, bound to a key of this process, so that
 * nobody can fill a table of attempts; an attempt that ended is remembered, so that it ends once.
 */

#include "access/oidc_roles.h"
#include "base/clock.h"
#include "base/queue.h"

struct oidc;

struct oidc_options {
	const char *issuer; /* as the provider says it, to the letter */
	const char *client_id;
	const char *client_secret_file; /* NULL or "": a public client */
	const char *redirect_url;       /* https://…/sign-in/callback */
	const char *scopes;             /* "openid profile email" */
	const char *name_claim;         /* how people are called here; without it: sub */
	const char *roles_claim;        /* their groups */
	const char *roles;              /* see oidc_roles.h */
	const char *ca_file;            /* PEM; NULL or "": the system's */
	const struct clock *clock;
	struct queue *results; /* unbounded; gets every task back */
};

enum oidc_step { OIDC_BEGIN, OIDC_FINISH };

enum { OIDC_LIFE_S = 600, OIDC_NEXT_BYTES_MAX = 512, OIDC_COOKIE_BYTES = 1024 };

/* Given to the thread and back. Texts are the arena's. */
struct oidc_task {
	struct queue_item item; /* first */
	enum oidc_step step;
	void *owner; /* not touched */
	struct arena arena;
	/* begin: in */
	struct text next;
	/* finish: in; what the browser came back with */
	struct text cookie, state, code, issuer, problem, problem_text;
	/* out */
	struct err err; /* ERR_NONE; ERR_DENIED: refused; else the provider is not to be asked */
	struct text location;   /* begin: where the browser goes */
	struct text new_cookie; /* begin: what it shall come back with */
	struct text subject, name;
	enum role role;
	struct scope scope;
	bool is_genuine; /* finish: the browser did begin it; false: somebody else did, or nobody */
};

/** Starts the thread. ERR_INPUT: a setting is wrong. */
CHECKED int oidc_start(struct oidc **out, const struct oidc_options *options, struct err *err);
/** Ends the thread; tasks that wait are freed. */
void oidc_stop(struct oidc *oidc); /* accepts NULL */

/** NULL without memory. */
struct oidc_task *oidc_task_new(enum oidc_step step);
void oidc_task_free(struct oidc_task *task); /* accepts NULL */

/** Takes the task. false: too many wait, or the thread has ended. */
CHECKED bool oidc_give(struct oidc *oidc, struct oidc_task *task);

/** How the provider is called: its host. */
struct text oidc_label(const struct oidc *oidc);
