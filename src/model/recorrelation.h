/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Stored incidents computed again: what was asked for, and what came of it. A request goes through
 * a queue; the report is a snapshot that is published anew while the work goes on.
 */

#include "base/queue.h"
#include "base/snapshot.h"
#include "model/severity.h"

enum { RECORRELATION_CHANGES_MAX = 1000, RECORRELATION_ACTOR_BYTES = 160 };

struct recorrelation_request {
	struct queue_item item; /* first */
	char actor[RECORRELATION_ACTOR_BYTES];
	int64_t from_ns; /* incidents with an alert at or after */
	bool apply;      /* else only what would be otherwise */
};

enum change_kind {
	CHANGE_SAME_NUMBER, /* the incident says something else */
	CHANGE_NEW,         /* an incident that is not there now; its number is not known yet */
	CHANGE_GONE,        /* its alerts go to others */
};

/* What can be seen of an incident. */
struct change_side {
	int64_t lo_ns, hi_ns;
	uint64_t n_alerts;
	int64_t risk_milli;
	enum severity severity;
};

struct incident_change {
	enum change_kind kind;
	uint64_t number; /* 0: CHANGE_NEW */
	struct change_side before, after;
};

struct incident_change_list {
	struct incident_change *items; /* by number */
	size_t n;
};

enum recorrelation_state { RECORRELATION_RUNNING, RECORRELATION_DONE, RECORRELATION_FAILED };

struct recorrelation_report {
	struct snapshot snapshot; /* first */
	enum recorrelation_state state;
	bool apply;
	int64_t from_ns, started_ns, ended_ns; /* ended 0: not yet */
	uint64_t n_keys, n_done; /* entities whose incidents are looked at; looked at already */
	uint64_t n_changes;      /* incidents that are otherwise; the first are listed */
	uint64_t n_applied;      /* entities whose incidents the writer has computed again */
	char error[240];
	size_t n_listed;
	struct incident_change changes[RECORRELATION_CHANGES_MAX];
};

const char *change_kind_name(enum change_kind kind);                  /* "changed", "new", "gone" */
const char *recorrelation_state_name(enum recorrelation_state state); /* "running", … */
