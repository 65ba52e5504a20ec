/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What /metrics says about incidents: how many there are of each state and severity, and which pods
 * have an open one that shows privilege escalation. Reads every incident's row, so a reader asks
 * now and then, not for each scrape. Any connection.
 */

#include "model/incident.h"
#include "store/connection.h"

enum { N_INCIDENT_STATES = INCIDENT_CLOSED + 1, ESCALATED_PODS_MAX = 2000 };

struct escalated_pod {
	struct text namespace, pod;
};

struct incident_counts {
	uint64_t n[N_INCIDENT_STATES][N_SEVERITIES];
	struct escalated_pod *pods; /* of the newest incidents; no two are the same */
	size_t n_pods;
	uint64_t n_pods_hidden; /* there were more than ESCALATED_PODS_MAX */
};

struct scope;

/**
 * @scope: what is counted; NULL: everything. Of some namespaces only those incidents that say
 * theirs: frozen ones do not. Text in *out lives in @arena.
 */
CHECKED int incident_counts_read(struct connection *connection, const struct scope *scope,
	struct arena *arena, struct incident_counts *out, struct err *err);
