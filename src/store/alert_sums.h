/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How many alerts a filter lets through, by what they have in common: counted by SQL where rows say
 * enough, alert by alert where they do not. Newest leaves first; any connection.
 */

#include "store/alerts.h"

/* What has to be told apart. Severities are the greatest of each sum, where they are not. */
enum {
	SUM_BY_PLACE = 1,    /* cluster, namespace, pod, pod_uid, container_id, node */
	SUM_BY_KIND = 2,     /* rule, sensor, fingerprint */
	SUM_BY_SOURCE = 4,   /* source */
	SUM_BY_IMAGE = 8,    /* image */
	SUM_BY_SEVERITY = 16 /* severity */
};

struct alert_sum {
	const struct alert *like; /* what was told apart, and the greatest severity */
	uint64_t n;
	int64_t first_ns, last_ns;
};

/** The same may come more than once. false without memory. @like lives during the call. */
typedef bool alert_sum_visit(void *ctx, const struct alert_sum *sum);

struct alert_sums {
	const struct alert_filter *filter;
	unsigned by;
	alert_sum_visit *visit;
	void *ctx;
	struct arena *arena; /* of the condition */
	/* out */
	bool complete;      /* false: it took too long */
	uint64_t from_leaf; /* older ones were not counted; 0: all were */
};

CHECKED int alert_sums_read(
	struct connection *connection, struct alert_sums *sums, struct err *err);
