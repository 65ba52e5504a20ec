/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What somebody does not want to be told of, why, and until when. A suppression hides and counts:
 * alerts that it matches are stored, ledgered and correlated like all others. An incident is
 * suppressed while every one of its fingerprints is matched by one that is active.
 */

#include "base/clock.h"
#include "model/credential.h"
#include "model/incident.h"
#include "model/matcher.h"

/* What matchers may name: what all alerts of one fingerprint and place have in common, so that an
 * alert and a row of an incident's story are judged alike. */
enum suppression_label {
	LABEL_ALERTNAME, /* "rule" is another name of it */
	LABEL_SEVERITY,
	LABEL_SOURCE, /* the sensor: falco, tetragon …; "sensor" is another name of it */
	LABEL_CLUSTER,
	LABEL_NAMESPACE,
	LABEL_POD,
	LABEL_NODE,
	LABEL_CONTAINER, /* its id, as everywhere in lists */
	LABEL_WORKLOAD,
	LABEL_FINGERPRINT,
	LABEL_EXE,
	N_SUPPRESSION_LABELS
};

struct query;

struct suppression_labels {
	struct text values[N_SUPPRESSION_LABELS];
	char fingerprint[2 * FINGERPRINT_BYTES + 1]; /* what LABEL_FINGERPRINT points to */
};

enum {
	SUPPRESSION_ID_BYTES = 37, /* a UUID and the NUL */
	SUPPRESSION_REASON_BYTES_MAX = 1024,
	SUPPRESSION_AUTHOR_BYTES_MAX = 128,
	SUPPRESSIONS_MAX = 500,       /* active or yet to begin: each alert is compared with them */
	SUPPRESSION_KINDS_MAX = 1000, /* rows of what one of them hid; the rest is only counted */
	SUPPRESSION_KEPT_DAYS = 90,   /* after its end */
	SUPPRESSION_EXPIRING_HOURS = 24,
};

enum suppression_state { SUPPRESSION_PENDING, SUPPRESSION_ACTIVE, SUPPRESSION_EXPIRED };

/* Text lives in the arena it was read into. */
struct suppression {
	uint64_t number;              /* in order of creation; 0: not stored yet */
	struct text id;               /* UUID */
	struct matcher_list matchers; /* all of them; none where there is a query */
	struct text query_text;       /* and this (model/suppression_query.h); absent: none */
	const struct query *query;
	unsigned query_names; /* the labels that it asks for */
	struct text reason;
	struct text author; /* whoever a silence says created it; absent: the actor */
	struct text created_by;
	int64_t created_ns, starts_ns, ends_ns;
	struct text expired_by; /* absent: it ended by itself, or has not */
	int64_t expired_ns;
	uint64_t n_hits, n_kinds;
	int64_t first_hit_ns, last_hit_ns; /* when they came in; 0: none */
};

struct suppression_list {
	struct suppression *items;
	size_t n;
};

const char *suppression_state_name(enum suppression_state state);
enum suppression_state suppression_state_at(const struct suppression *suppression, int64_t now_ns);

/** A new random id (UUID version 4). */
void suppression_id_make(char out[SUPPRESSION_ID_BYTES]);

/** "alertname", …; NULL behind the last. */
const char *suppression_label_name(unsigned label);
/** N_SUPPRESSION_LABELS: there is none of that name. */
unsigned suppression_label_parse(struct text name);

/**
 * Are these matchers ones that a suppression may have: names that are known, and at least one that
 * says something? One that the empty text fits might fit everything. ERR_INPUT.
 */
CHECKED int suppression_matchers_check(const struct matcher_list *matchers, struct err *err);

/** The first half of that: are the names known? ERR_INPUT. */
CHECKED int suppression_matchers_known(const struct matcher_list *matchers, struct err *err);

/** How long somebody of this role may suppress: a day, a week, 90 days; 0: not at all. */
int64_t suppression_longest_ns(enum role role);

/** What an alert tells. Its texts are the alert's. */
void suppression_labels_of_alert(struct suppression_labels *labels, const struct alert *alert);
/** What is the same for all rows of an incident's story. */
void suppression_labels_of_incident(
	struct suppression_labels *labels, const struct incident *incident);
/** Adds what one row of its story tells. */
void suppression_labels_of_print(
	struct suppression_labels *labels, const struct incident_print *print);

/* Sets of labels: bit 1 << enum suppression_label. */
enum { LABELS_ALL = (1 << N_SUPPRESSION_LABELS) - 1 };

/** Do all matchers fit that name one of @known? */
bool suppression_fits(const struct suppression *suppression,
	const struct suppression_labels *labels, unsigned known);
/** Which labels its matchers and its query name. */
unsigned suppression_names(const struct suppression *suppression);
