/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The table of what the API answers, shared by the console's files. */

#include "console/console.h"
#include "console/decision_wish.h"
#include "documents/documents.h"
#include "model/batch.h"
#include "model/viewer.h"

struct alertmanager_query;
struct page_request;

/* One request on its way through a reader. */
struct job {
	struct queue_item item; /* first */
	struct http_request *request;
	const struct endpoint *endpoint;
	struct console *console;
	struct text part;            /* {n}, {id}; the request's */
	struct text second;          /* the path's second; likewise */
	const struct viewer *viewer; /* the request's */
	struct document_query query;
	const struct alertmanager_query *alertmanager; /* under /api/v2; the request's */
	struct batch *decided;  /* the decision that is answered, the job's; NULL: none */
	struct text none_match; /* If-None-Match; the request's */
	/* out */
	uint64_t revision; /* of the incident that is answered; 0: of none */
	bool is_truncated; /* an Alertmanager's list that has more than it shows */
};

/* Writes the document, or fails: ERR_INPUT 400, ERR_MISSING 404, ERR_BUSY 503, else 500. */
typedef int endpoint_answer(
	struct connection *connection, struct job *job, struct buf *out, struct err *err);

/* What of it somebody gets who sees some namespaces only. */
enum reach {
	REACH_ALL,      /* nothing, 403: it is about everything */
	REACH_OWN,      /* all of it: it is about who asks, or tells nothing of alerts */
	REACH_OWN_FORM, /* likewise; its CSRF token may be a form's field: `direct` looks at it */
	REACH_LIST,     /* what is in them: it looks at query.scope, or at the viewer itself */
	REACH_INCIDENT, /* {n}: an incident, not found when it is outside */
	REACH_ALERT,    /* {id}: an alert, likewise */
};

struct endpoint {
	enum http_method method;
	const char *path;
	enum role role;          /* the least that may ask */
	endpoint_answer *answer; /* on a reader; NULL: `direct` answers */
	/* on the loop; with `answer`: on the reader where that failed (any thread) */
	void (*direct)(struct http_request *request, struct console *console);
	const char *content_type;
	const char *const *parameters; /* of the query, ended by NULL; NULL: none */
	const char *text;              /* for the reference page */
	enum reach reach;
};

/** Of an endpoint that takes whatever parameters come: another one names them. */
extern const char *const parameters_any[];

/** Ends with a NULL path. */
extern const struct endpoint endpoints[];

struct console {
	struct console_options options;
	struct queue *jobs;
	struct snapshot_slot *incident_metrics; /* readers make it (incident_metrics.h) */
	struct reader *readers;
	struct http_route *routes; /* one per endpoint, ctx is the binding */
	struct http_route metrics_routes[2];
	struct binding *bindings;
	struct http_route *page_routes;  /* console/pages.c */
	struct http_route missing_route; /* likewise */
	struct binding *page_bindings;
	struct events *events; /* NULL: none */
	struct sign_in *sign_in;
	struct sign_in_oidc *oidc; /* NULL: no identity provider */
	char oidc_redirect[512];   /* where it sends browsers back to, if it is not set */
};

/* What a route's callback gets. */
struct binding {
	struct console *console;
	const struct endpoint *endpoint;
};

/** Who asks, since the header was there; NULL where anybody may ask. Lives as long as the request.
 */
const struct viewer *api_viewer(const struct http_request *request);
/** What a page noted of its request; NULL: it is none. */
struct page_request *api_page(const struct http_request *request);

/** Has a reader answer for @endpoint. false: nobody will, too many requests wait. Loop thread. */
bool console_read(
	struct console *console, struct http_request *request, const struct endpoint *endpoint);

/** The request's parameters, as words. */
void api_query(struct http_request *request, struct document_query *query);

void api_respond(
	struct http_request *request, unsigned status, const char *content_type, struct buf *body);
/** HTML, with the headers of every page and @more (name, value, …, NULL; literals or the request's
 * arena's; may be NULL). Its arena is the caller's. */
void api_respond_page(
	struct http_request *request, unsigned status, struct buf *body, const char *const *more);
void api_respond_error(struct http_request *request, const struct err *err);

/** A file of the console (console/assets.c). Loop thread. */
void assets_show(struct http_request *request, struct console *console);

/** Token decisions (console/tokens.c). Loop thread. */
void tokens_create(struct http_request *request, struct console *console);
void tokens_revoke(struct http_request *request, struct console *console);

/** Signing in and out (console/sign_in.c), and who is (console/sessions.c). Loop thread. */
void sign_in_show(struct http_request *request, struct console *console);
void sign_in_begin(struct http_request *request, struct console *console);
void sign_in_oidc_begin(struct http_request *request, struct console *console);
void sign_in_oidc_return(struct http_request *request, struct console *console);
void sign_out(struct http_request *request, struct console *console);
void sign_in_link_make(struct http_request *request, struct console *console);
/** As sessions_show answers, the first 100. Any thread. */
void sessions_write(struct console *console, const struct viewer *viewer, struct buf *out);
void sessions_show(struct http_request *request, struct console *console);
void sessions_end(struct http_request *request, struct console *console);
void me_show(struct http_request *request, struct console *console);

/** Decisions about incidents (console/decisions.c). Loop thread. */
void decisions_take(struct http_request *request, struct console *console);
/** What was decided, when the incident cannot be shown beside it. */
void decisions_answer_short(struct job *job);

/**
 * A job with a batch with one decision of whoever asks; answered, when it was carried out, by
 * @endpoint on a reader. NULL without memory.
 */
struct job *decision_job_new(
	struct http_request *request, struct console *console, const struct endpoint *endpoint);
void decision_job_free(struct job *job);
/** As batch->done: refuses, or has a reader answer. The writer's thread. */
void decision_came_back(struct batch *batch);
/** RFC 9457 for what the writer refused. */
void decision_respond_refusal(struct http_request *request, const struct decision_result *result);
const char *decision_title(unsigned status);
/** What was refused before the writer saw it; where it has a place, that too. */
void decision_respond_wish(struct http_request *request, const struct wish_refusal *refusal);

/** Decisions about suppressions (console/suppressions.c). Loop thread. */
void suppressions_create(struct http_request *request, struct console *console);
void suppressions_expire(struct http_request *request, struct console *console);
/* On a reader. */
endpoint_answer suppression_preview, suppression_export;

/** Saved views (console/views.c). Loop thread. */
void views_save(struct http_request *request, struct console *console);
void views_remove(struct http_request *request, struct console *console);

/** Incidents computed again (console/recorrelations.c). Loop thread. */
void recorrelation_begin(struct http_request *request, struct console *console);
void recorrelation_show(struct http_request *request, struct console *console);

/** events.c. Loop thread. */
void events_open(struct http_request *request, struct console *console);

/** openapi.c. Loop thread. */
void openapi_show(struct http_request *request, struct console *console);

/** health.c. Loop thread. */
void health_live(struct http_request *request, struct console *console);
void health_ready(struct http_request *request, struct console *console);
void metrics_show(struct http_request *request, struct console *console);
