/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Alerts come in: over HTTP, from files, from standard input. Split into events and cut, then given
 * to the keeper; answered when they are on the disk. The loop's thread.
 */

#include "agent/coverage.h"
#include "agent/keeper.h"
#include "base/metric.h"
#include "net/http_server.h"
#include "net/loop.h"

struct receive;

struct receive_options {
	struct loop *loop;
	struct keeper *keeper;
	struct agent_coverage *coverage;
	const struct clock *clock;
	void (*stored)(void *ctx); /* there is something to be sent */
	void *ctx;
};

/** One at a time: its metric families are static. */
CHECKED int receive_new(
	struct receive **out, const struct receive_options *options, struct err *err);
/** After the server and the keeper have stopped. */
void receive_free(struct receive *receive); /* accepts NULL */

/** Ends with a NULL path. */
const struct http_route *receive_routes(struct receive *receive);

/** Takes @body: events of @source that no request brought. @done is called from the loop; false:
 * they are not stored, try again. */
void receive_lines(struct receive *receive, enum source source, char *body, size_t size,
	void (*done)(bool is_stored, void *ctx), void *ctx);

/** Requests whose answer is due. */
size_t receive_waiting(const struct receive *receive);

struct metric_family *const *receive_metrics(void); /* ended by NULL */
