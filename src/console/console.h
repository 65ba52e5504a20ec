/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The read side over HTTP: API, metrics, health. Never in the writer's way: requests are
 * authenticated on the loop's thread and answered by two readers with read-only connections of
 * their own. What people decide goes into the writer's queue like everything else, and is answered
 * after COMMIT.
 */

#include "access/oidc.h"
#include "base/clock.h"
#include "base/metric.h"
#include "base/queue.h"
#include "base/snapshot.h"
#include "model/status.h"
#include "net/http_server.h"
#include "net/loop.h"

struct console;

enum { CONSOLE_METRICS_MAX = 4 };

struct sign_in_options {
	const char *url; /* that browsers use, without a slash at the end; "" or NULL: their Host */
	bool tls;        /* the server speaks it itself */
	int64_t idle_ns, life_ns; /* of a session; 0: a day, a week */
	struct oidc_options oidc; /* without an issuer: none. Clock, queue and, where it is
				     empty, redirect_url are the console's */
};

struct console_options {
	const char *database;
	const struct clock *clock;
	struct queue *writer;                /* takes struct batch */
	struct snapshot_slot *credentials;   /* read */
	struct snapshot_slot *senders;       /* read */
	struct queue *recorrelations;        /* takes struct recorrelation_request */
	struct snapshot_slot *recorrelation; /* read: the report of the last one */
	struct queue
		*previews; /* takes struct batch with a decision about the grouping; NULL: none */
	struct status *status;
	struct loop *loop; /* the HTTP server's */
	struct sign_in_options sign_in;
	struct queue *events; /* the writer wakes it, see model/status.h; NULL: no events */
	struct metric_family *const
		*metrics[CONSOLE_METRICS_MAX]; /* lists; ended by NULL or full */
};

/** Starts the readers and the feed of events. Before the loop runs. */
CHECKED int console_new(
	struct console **out, const struct console_options *options, struct err *err);

/** Ends the readers; unanswered requests are left to http_server_stop. */
void console_stop(struct console *console); /* accepts NULL */
void console_free(struct console *console); /* accepts NULL; after http_server_stop */

/** For http_server_options.routes; end with a NULL path. */
const struct http_route *console_routes(struct console *console);
/** Pages for people: likewise. */
const struct http_route *console_page_routes(struct console *console);
/** For http_server_options.missing. */
const struct http_route *console_missing_route(struct console *console);
/** /metrics alone, open. */
const struct http_route *console_metrics_routes(struct console *console);
