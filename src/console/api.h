/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The table of what the API answers, shared by the console's files. */

#include "console/console.h"
#include "documents/documents.h"
#include "model/batch.h"
#include "model/credential.h"

/* One request on its way through a reader. */
struct job {
	struct queue_item item; /* first */
	struct http_request *request;
	const struct endpoint *endpoint;
	struct console *console;
	struct text part; /* {n}, {id}; the request's */
	struct document_query query;
	struct batch *decided; /* the decision that is answered, the job's; NULL: none */
};

/* Writes the document, or fails: ERR_INPUT 400, ERR_MISSING 404, ERR_BUSY 503, else 500. */
typedef int endpoint_answer(
	struct connection *connection, struct job *job, struct buf *out, struct err *err);

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
};

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
	struct http_route *page_routes; /* console/pages.c */
	struct binding *page_bindings;
	struct events *events; /* NULL: none */
};

/* What a route's callback gets. */
struct binding {
	struct console *console;
	const struct endpoint *endpoint;
};

/** The credential that asks, with a reference to its set in *set (to be let go); NULL: none. */
const struct credential *api_authenticate(
	struct console *console, struct http_request *request, struct credential_set **set);

/** Has a reader answer for @endpoint. false: nobody will, too many requests wait. Loop thread. */
bool console_read(
	struct console *console, struct http_request *request, const struct endpoint *endpoint);

/** The request's parameters, as words. */
void api_query(struct http_request *request, struct document_query *query);

void api_respond(
	struct http_request *request, unsigned status, const char *content_type, struct buf *body);
void api_respond_error(struct http_request *request, const struct err *err);

/** A file of the console (console/assets.c). Loop thread. */
void assets_show(struct http_request *request, struct console *console);

/** Token decisions (console/tokens.c). Loop thread. */
void tokens_create(struct http_request *request, struct console *console);
void tokens_revoke(struct http_request *request, struct console *console);

/** Decisions about incidents (console/decisions.c). Loop thread. */
void decisions_take(struct http_request *request, struct console *console);
/** What was decided, when the incident cannot be shown beside it. */
void decisions_answer_short(struct job *job);

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
