/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What Alertmanager's API v2 shows, as JSON with its names. Each function appends one document.
 * Source: api/v2/openapi.yaml of prometheus/alertmanager at 68fb2d5, seen 2026-11.
 */

#include "base/buf.h"
#include "model/scope.h"
#include "model/suppression.h"
#include "store/connection.h"

/* The one receiver that there is. */
#define ALERTMANAGER_RECEIVER "tocsin"

enum {
	ALERTMANAGER_INCIDENTS_MAX =
		2000, /* open ones, the newest: what two seconds are enough for */
	ALERTMANAGER_ALERTS_MAX = 10000,
	ALERTMANAGER_EXPIRED_DAYS = 5, /* that silences are shown after their end, as there */
};

/* What was asked for; texts are the request's. */
struct alertmanager_query {
	struct text filters[MATCHERS_MAX]; /* filter=, each one or more matchers */
	size_t n_filters;
	struct text receiver; /* a pattern; absent: any */
	bool hides_active, hides_silenced;
	const struct scope *scope; /* NULL: everything */
	int64_t now_ns;
};

/** Fingerprints of open incidents. *truncated: there are more than are shown. ERR_INPUT: a filter.
 */
CHECKED int alertmanager_alerts(struct connection *connection,
	const struct alertmanager_query *query, bool *truncated, struct buf *out, struct err *err);
/** The same by cluster, namespace and pod. */
CHECKED int alertmanager_groups(struct connection *connection,
	const struct alertmanager_query *query, bool *truncated, struct buf *out, struct err *err);

/** Suppressions. */
CHECKED int alertmanager_silences(struct connection *connection,
	const struct alertmanager_query *query, struct buf *out, struct err *err);
/** ERR_MISSING: also one that is a query which matchers cannot say. */
CHECKED int alertmanager_silence(struct connection *connection, struct text id,
	const struct alertmanager_query *query, struct buf *out, struct err *err);

/** What a POST of a silence wants; texts live in @arena. With an id: that one is changed. */
CHECKED int alertmanager_silence_read(
	struct text body, struct arena *arena, struct suppression *out, struct err *err);
/** A suppression as a file that `amtool silence import` takes: an array with one silence. */
void alertmanager_silence_export(const struct suppression *suppression, struct buf *out);

/** @started_ns: since when the daemon runs; @version: ours. */
void alertmanager_status(int64_t started_ns, const char *version, struct buf *out);
void alertmanager_receivers(struct buf *out);
