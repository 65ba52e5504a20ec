/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the API and the command line show of stored things, as JSON with the names of surface.md.
 * The console serves them over HTTP, the command line offline from a database: one place, one form.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "model/sender.h"
#include "model/status.h"
#include "store/connection.h"

struct alert;
struct incident;
struct suppression;
struct scope;
struct alert_filter;

enum { DOCUMENT_BYTES_MAX = 64 * 1024 * 1024, LIST_LIMIT_DEFAULT = 100, LIST_LIMIT_MAX = 1000 };

/* What was asked for, as words; absent ones are not asked for. */
struct document_query {
	struct text limit, after; /* after: what "next" of the page before said */
	struct text severity, source, rule, cluster, namespace, pod, node, container, since, until;
	struct text incident;   /* alerts of this one */
	struct text group;      /* alerts, incidents: the field they are counted by */
	struct text sort;       /* incidents: "number" (the default) or "risk" */
	struct text rollup;     /* "true": many incidents alike as one */
	struct text q;          /* of the query language (docs/query.md) */
	struct text suppressed; /* incidents: "true", "false" */
	struct text show;       /* suppressions: which of them */
	struct text format;     /* of an export */
	bool quarantined;
	struct text at, of;        /* completion: where in q, for what */
	const struct scope *scope; /* what they see; NULL: everything */
	struct text me;            /* who asks, for assignee:me; absent: nobody */
	int64_t now_ns;            /* what ages in q are counted from */
};

struct alert_seen {
	struct arena *arena; /* where it goes */
	/* out */
	struct alert *alert;
	uint64_t incident; /* 0: none */
};

/** The query's member of that name, or NULL: an unknown parameter. */
struct text *document_query_member(struct document_query *query, struct text name);

/* Each appends one JSON document. ERR_INPUT: the query; ERR_MISSING: no such thing. */

CHECKED int document_incidents(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err);
CHECKED int document_incident(
	struct connection *connection, struct text number, struct buf *out, struct err *err);
/** The same, and its revision in *revision. */
CHECKED int document_incident_revision(struct connection *connection, struct text number,
	uint64_t *revision, struct buf *out, struct err *err);
/** The incident that @number is part of now, with what was decided (JSON) as its member "decision".
 */
CHECKED int document_decided(struct connection *connection, uint64_t number, struct text decision,
	uint64_t *revision, struct buf *out, struct err *err);
/** What happened and what was done about it, in the order of time. */
CHECKED int document_timeline(
	struct connection *connection, struct text number, struct buf *out, struct err *err);
CHECKED int document_activity(struct connection *connection, struct text number,
	const struct document_query *query, struct buf *out, struct err *err);
/**
 * For the first 64 rows of an incident's story a command line or message, of their earliest sample
 * that is still there. Apart from the incident, whose document outlives its alerts.
 */
CHECKED int document_incident_examples(
	struct connection *connection, struct text number, struct buf *out, struct err *err);
/** How its alerts are spread over its time, by severity. */
CHECKED int document_incident_rate(
	struct connection *connection, struct text number, struct buf *out, struct err *err);
/** Incidents of the last 30 days that are like it, with their verdicts; only those in @scope. */
CHECKED int document_incident_similar(struct connection *connection, struct text number,
	const struct scope *scope, struct buf *out, struct err *err);
/** Processes as a tree, as far as alerts tell: a parent's id is smaller than its children's. */
CHECKED int document_incident_processes(
	struct connection *connection, struct text number, struct buf *out, struct err *err);
/** What its alerts name, and what belongs to what. */
CHECKED int document_incident_entities(
	struct connection *connection, struct text number, struct buf *out, struct err *err);
CHECKED int document_alerts(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err);
/**
 * What is known of a pod ("namespace/name" or uid), container (id), node, workload
 * ("namespace/name") or image. Of the query: cluster and scope. ERR_MISSING: nothing is.
 */
CHECKED int document_entity(struct connection *connection, struct text kind, struct text id,
	const struct document_query *query, struct buf *out, struct err *err);
/** Counted by query->group: how many of each value. */
CHECKED int document_alert_groups(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err);
CHECKED int document_incident_groups(struct connection *connection,
	const struct document_query *query, struct buf *out, struct err *err);
CHECKED int document_alert(
	struct connection *connection, struct text id, struct buf *out, struct err *err);
/** What the query asks of alerts, but for their incident. Its texts stay the query's. */
CHECKED int document_alert_filter(
	const struct document_query *query, struct alert_filter *out, struct err *err);
/** One alert by leaf, with what filters look at. */
CHECKED int document_alert_at(struct connection *connection, uint64_t leaf, struct alert_seen *seen,
	struct buf *out, struct err *err);
/* Where what has changed is. */
struct change_place {
	struct arena *arena; /* where texts go */
	/* told of the incident, unless it is gone or merged away; NULL: nobody */
	void (*look)(void *ctx, const struct incident *incident);
	void *ctx;
	bool with_story; /* it is looked at with its story */
	/* out */
	bool is_known; /* false: it is gone */
	struct text cluster, namespace;
};

/**
 * An incident that has changed, as lists have it. Merged away: its number and redirect_to, and the
 * place of what it is part of now; without alerts any more: its number and "gone".
 */
CHECKED int document_change(struct connection *connection, uint64_t number,
	struct change_place *place, struct buf *out, struct err *err);
/** Alerts by kind and workload: how many, since when, until when. */
CHECKED int document_fingerprints(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err);
/** What could stand at a place of a query that is being written. */
CHECKED int document_complete(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err);
/** Saved views that @actor sees: own and shared. */
CHECKED int document_views(
	struct connection *connection, struct text actor, struct buf *out, struct err *err);
CHECKED int document_view(
	struct connection *connection, struct text id, struct buf *out, struct err *err);
/** The verbatim bytes of one alert. */
CHECKED int document_raw(
	struct connection *connection, struct text id, struct buf *out, struct err *err);
/** @senders: what intake sees now; NULL: nothing is known. */
CHECKED int document_sources(struct connection *connection, const struct sender_set *senders,
	struct buf *out, struct err *err);
/** Which sensors watched when, and which did not: the last day unless the query says else. */
CHECKED int document_coverage(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err);
CHECKED int document_tokens(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err);
CHECKED int document_audit(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err);
/** @now_ns: what is active, and which expire soon. */
CHECKED int document_suppressions(struct connection *connection, const struct document_query *query,
	int64_t now_ns, struct buf *out, struct err *err);
/** @scope: one that reaches beyond it is missing; NULL: none does. */
CHECKED int document_suppression(struct connection *connection, struct text id,
	const struct scope *scope, int64_t now_ns, struct buf *out, struct err *err);
/** What one of them hid, by place and kind of alert. */
CHECKED int document_suppression_hits(struct connection *connection, struct text id,
	const struct document_query *query, struct buf *out, struct err *err);
/** What @wish would hide: open incidents, and of the alerts of the last days how many. */
CHECKED int document_suppression_preview(struct connection *connection, struct suppression *wish,
	const struct scope *scope, int64_t now_ns, struct buf *out, struct err *err);
/** One of them as exceptions of Falco's rules: YAML. ERR_INPUT: what Falco cannot say. */
CHECKED int document_falco_exceptions(
	struct connection *connection, struct text id, struct buf *out, struct err *err);
struct recorrelation_report;
/** @report NULL: nobody has asked for one since the start. */
void document_recorrelation(const struct recorrelation_report *report, struct buf *out);
struct decision;
/** What a decision about the grouping would do, after preview_compute with the result 200. */
void document_grouping_preview(const struct decision *decision, struct buf *out);
CHECKED int document_ledger(struct connection *connection, struct buf *out, struct err *err);
/** @status NULL: read offline. @scope: who sees some namespaces is told what is nobody's. */
CHECKED int document_status(struct connection *connection, const struct status *status,
	const struct scope *scope, struct buf *out, struct err *err);
