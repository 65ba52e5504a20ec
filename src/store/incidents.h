/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Stored incidents, read side: any connection. Written by store/pieces.c. */

#include "model/incident.h"
#include "store/connection.h"

struct query;
struct scope;
struct suppressed;

enum suppressed_wish { SUPPRESSED_TOO, SUPPRESSED_ONLY, SUPPRESSED_NOT };

struct incident_filter {
	struct suppressed *suppressed; /* judges each incident; NULL: none is */
	enum suppressed_wish suppressed_wish;
	enum severity severity_min;
	int64_t risk_min_milli;
	struct text cluster, namespace, pod, node;
	bool roll_up;              /* many alike as one line (store/rollups.h) */
	int64_t since_ns;          /* last seen at or after; 0: open */
	const struct query *query; /* of incidents; NULL: any */
	const struct scope *scope; /* what whoever asks sees; NULL: everything */
};

/**
 * Does a list with this filter have it? What is suppressed is judged. It must be as lists have it;
 * numbers and times of the filter are not looked at; its story is read where the query asks for it.
 *
 * Where the filter says roll_up, one that stands for many alike gets n_rolled_up and their sums,
 * times and title; the others are not shown, unless the query finds them and not that one.
 */
CHECKED int incident_is_shown(struct connection *connection, const struct incident_filter *filter,
	struct incident *incident, struct arena *arena, bool *shown, struct err *err);

enum { INCIDENTS_LIST_MAX = 1000 };

struct incident_page {
	uint64_t before;     /* numbers below this; 0: from the newest */
	size_t limit;        /* 1–INCIDENTS_LIST_MAX */
	struct arena *arena; /* where incidents and their text go */
	/* out */
	struct incident *first; /* by falling number, linked by `next` */
	uint64_t next_before;   /* where to go on; 0: the end was reached */
};

CHECKED int incidents_list(struct connection *connection, const struct incident_filter *filter,
	struct incident_page *page, struct err *err);

/** One incident as lists show it. A number that was merged away gives redirect_to and what people
 * said about it. ERR_MISSING. */
CHECKED int incident_summary_read(struct connection *connection, uint64_t number,
	struct arena *arena, struct incident *out, struct err *err);

/** One incident whole, with rules, tactics, story, links and edits; else as above. */
CHECKED int incident_read(struct connection *connection, uint64_t number, struct arena *arena,
	struct incident *out, struct err *err);

/** As incident_read, without story, tactics' times and content. */
CHECKED int incident_summary_read(struct connection *connection, uint64_t number,
	struct arena *arena, struct incident *out, struct err *err);

/**
 * Fills content and has_content of an incident that was read (store/contents.h). Kept by the
 * connection as of its revision. Of a frozen incident there is what was computed when it froze.
 */
CHECKED int incident_content(
	struct connection *connection, struct incident *incident, struct err *err);

/* Leaves of one incident's alerts, a page at a time. */
struct leaf_page {
	uint64_t from; /* leaves from this on: the first of all is 0 */
	size_t limit;
	struct arena *arena;
	/* out */
	uint64_t *leaves; /* ascending */
	size_t n;
	uint64_t next_from; /* 0: the end was reached */
};

CHECKED int incident_leaves(
	struct connection *connection, uint64_t number, struct leaf_page *page, struct err *err);

/** The incident an alert belongs to, by its stored slot, entity and time; 0: none. */
CHECKED int incident_of_alert(struct connection *connection, const struct alert *alert,
	uint64_t *number, struct err *err);
