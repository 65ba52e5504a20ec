/* SPDX-License-Identifier: Apache-2.0 */
#include "console/alertmanager.h"
#include "console/api.h"

static int answer_status(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_status(
		connection, job->console->options.status, &job->viewer->scope, out, err);
}

static int answer_incidents(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_incidents(connection, &job->query, out, err);
}

static int answer_incident(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_incident_revision(connection, job->part, &job->revision, out, err);
}

static int answer_incident_examples(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_incident_examples(connection, job->part, out, err);
}

static int answer_incident_alerts(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	job->query.incident = job->part;
	return document_alerts(connection, &job->query, out, err);
}

static int answer_incident_rate(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_incident_rate(connection, job->part, out, err);
}

static int answer_incident_similar(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_incident_similar(connection, job->part, &job->viewer->scope, out, err);
}

static int answer_incident_processes(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_incident_processes(connection, job->part, out, err);
}

static int answer_incident_entities(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_incident_entities(connection, job->part, out, err);
}

static int answer_timeline(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_timeline(connection, job->part, out, err);
}

static int answer_activity(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_activity(connection, job->part, &job->query, out, err);
}

static int answer_alerts(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_alerts(connection, &job->query, out, err);
}

static int answer_fingerprints(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_fingerprints(connection, &job->query, out, err);
}

static int answer_entity(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_entity(connection, job->part, job->second, &job->query, out, err);
}

static int answer_complete(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_complete(connection, &job->query, out, err);
}

static int answer_views(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_views(connection, job->viewer->actor, out, err);
}

static int answer_quarantine(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	job->query.quarantined = true;
	return document_alerts(connection, &job->query, out, err);
}

static int answer_alert(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_alert(connection, job->part, out, err);
}

static int answer_raw(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_raw(connection, job->part, out, err);
}

static int answer_sources(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	struct snapshot *senders = snapshot_ref(job->console->options.senders);
	int failed = document_sources(
		connection, (const struct sender_set *)(const void *)senders, out, err);
	snapshot_unref(senders);
	return failed;
}

static int answer_coverage(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_coverage(connection, &job->query, out, err);
}

static int answer_tokens(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_tokens(connection, &job->query, out, err);
}

static int answer_audit(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_audit(connection, &job->query, out, err);
}

static int answer_suppressions(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_suppressions(
		connection, &job->query, clock_wall_ns(job->console->options.clock), out, err);
}

static int answer_suppression(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_suppression(connection, job->part, &job->viewer->scope,
		clock_wall_ns(job->console->options.clock), out, err);
}

static int answer_suppression_hits(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	return document_suppression_hits(connection, job->part, &job->query, out, err);
}

static int answer_ledger(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	(void)job;
	return document_ledger(connection, out, err);
}

#define JSON_TYPE "application/json"
#define HTML_TYPE "text/html; charset=utf-8"

/* Answered by the writer and then by a reader, with the incident as it is after the commit. */
#define DECISION(name, text)                                                                       \
	{                                                                                          \
		HTTP_POST, "/api/v1/incidents/{n}/" name, ROLE_ANALYST, NULL, decisions_take,      \
			JSON_TYPE, NULL, text, REACH_INCIDENT                                      \
	}

/* Likewise; with dry_run=true what it would do is answered by the previewer. */
#define GROUPING(name, text)                                                                       \
	{                                                                                          \
		HTTP_POST, "/api/v1/incidents/{n}/" name, ROLE_ANALYST, NULL, decisions_take,      \
			JSON_TYPE, of_grouping, text, REACH_INCIDENT                               \
	}

static const char *const of_grouping[] = {"dry_run", NULL};
static const char *const page[] = {"limit", "after", NULL};
static const char *const of_incidents[] = {"q", "limit", "after", "sort", "group", "rollup",
	"severity", "cluster", "namespace", "pod", "node", "since", "suppressed", NULL};
static const char *const of_foreign_alerts[] = {
	"filter", "active", "silenced", "inhibited", "unprocessed", "muted", "receiver", NULL};
static const char *const of_silences[] = {"filter", NULL};
static const char *const of_export[] = {"format", NULL};
static const char *const of_suppressions[] = {"limit", "after", "show", NULL};
static const char *const of_fingerprints[] = {"q", "limit", "after", "sort", NULL};
static const char *const of_entity[] = {"cluster", NULL};
static const char *const of_complete[] = {"q", "at", "of", NULL};
static const char *const of_alerts[] = {"q", "limit", "after", "group", "severity", "source",
	"rule", "cluster", "namespace", "pod", "node", "container", "since", "until", "incident",
	NULL};
static const char *const of_events[] = {"q", "incidents", "alerts", "severity", "source", "rule",
	"cluster", "namespace", "pod", "node", "container", "since", "until", "incident", NULL};

const char *const parameters_any[] = {NULL};
static const char *const of_coverage[] = {"since", "until", "source", "cluster", "node", NULL};
static const char *const of_sign_in[] = {"link", "next", NULL};
static const char *const of_recorrelation[] = {"from", "dry_run", NULL};

const struct endpoint endpoints[] = {
	{HTTP_GET, "/livez", 0, NULL, health_live, "text/plain", NULL, "The process runs.",
		REACH_OWN},
	{HTTP_GET, "/readyz", 0, NULL, health_ready, "text/plain", NULL,
		"Alerts can be accepted; 503 and why not otherwise.", REACH_OWN},
	{HTTP_GET, "/metrics", ROLE_VIEWER, NULL, metrics_show, "text/plain", NULL,
		"Prometheus metrics.", REACH_LIST},
	{HTTP_GET, "/assets/{version}/{name}", 0, NULL, assets_show, NULL, NULL,
		"A file of the console; kept for ever.", REACH_OWN},
	{HTTP_GET, "/api/openapi.yaml", 0, NULL, openapi_show, "application/yaml", NULL,
		"This file.", REACH_OWN},
	{HTTP_GET, "/api/v1/status", ROLE_VIEWER, answer_status, NULL, JSON_TYPE, NULL,
		"How the daemon is: store, held senders, ledger.", REACH_LIST},
	{HTTP_GET, "/api/v1/incidents", ROLE_VIEWER, answer_incidents, NULL, JSON_TYPE,
		of_incidents,
		"Incidents, newest number first, or riskiest first (sort=risk); with rollup=true "
		"more"
		" than 50 of one rule, namespace and hour are one.",
		REACH_LIST},
	{HTTP_GET, "/api/v1/incidents/{n}", ROLE_VIEWER, answer_incident, NULL, JSON_TYPE, NULL,
		"One incident with its story.", REACH_INCIDENT},
	{HTTP_GET, "/api/v1/incidents/{n}/examples", ROLE_VIEWER, answer_incident_examples, NULL,
		JSON_TYPE, NULL, "What the rows of its story look like: one command line each.",
		REACH_INCIDENT},
	{HTTP_GET, "/api/v1/incidents/{n}/alerts", ROLE_VIEWER, answer_incident_alerts, NULL,
		JSON_TYPE, page, "Alerts of one incident, newest first.", REACH_INCIDENT},
	{HTTP_GET, "/api/v1/incidents/{n}/timeline", ROLE_VIEWER, answer_timeline, NULL, JSON_TYPE,
		NULL, "What happened and what was done about it, in the order of time.",
		REACH_INCIDENT},
	{HTTP_GET, "/api/v1/incidents/{n}/activity", ROLE_VIEWER, answer_activity, NULL, JSON_TYPE,
		page, "What was done and said about one incident, oldest first.", REACH_INCIDENT},
	{HTTP_GET, "/api/v1/incidents/{n}/rate", ROLE_VIEWER, answer_incident_rate, NULL, JSON_TYPE,
		NULL, "How its alerts are spread over its time, by severity.", REACH_INCIDENT},
	{HTTP_GET, "/api/v1/incidents/{n}/similar", ROLE_VIEWER, answer_incident_similar, NULL,
		JSON_TYPE, NULL, "Incidents of the last 30 days that are like it.", REACH_INCIDENT},
	{HTTP_GET, "/api/v1/incidents/{n}/processes", ROLE_VIEWER, answer_incident_processes, NULL,
		JSON_TYPE, NULL, "Its processes as a tree, as far as alerts tell.", REACH_INCIDENT},
	{HTTP_GET, "/api/v1/incidents/{n}/entities", ROLE_VIEWER, answer_incident_entities, NULL,
		JSON_TYPE, NULL, "What its alerts name, and what belongs to what.", REACH_INCIDENT},
	DECISION("ack", "Somebody has seen it."),
	DECISION("assign", "Somebody works on it: {assignee}."),
	DECISION("comment", "Says something about it: {text}."),
	DECISION("resolve", "It is over: {verdict}; what comes later is another incident."),
	DECISION("reopen", "It is not over after all."),
	DECISION("snooze", "Quiet until a time, or until it becomes more: {until} or {for}."),
	GROUPING("cut", "What comes from a time on is another incident: {at} or {slot}."),
	GROUPING("merge", "Shown together with another incident: {with}."),
	GROUPING("unlink", "Alerts of these kinds are an incident of their own: {fingerprints}."),
	GROUPING("undo", "Takes a cut, unlink or merge back: {edit}."),
	{HTTP_GET, "/api/v1/alerts", ROLE_VIEWER, answer_alerts, NULL, JSON_TYPE, of_alerts,
		"Alerts, newest leaf first.", REACH_LIST},
	{HTTP_GET, "/api/v1/fingerprints", ROLE_VIEWER, answer_fingerprints, NULL, JSON_TYPE,
		of_fingerprints,
		"Alerts by kind and workload: how many, since when; last seen first, or most alerts"
		" first (sort=count).",
		REACH_LIST},
	{HTTP_GET, "/api/v1/entities/{kind}/{id}", ROLE_VIEWER, answer_entity, NULL, JSON_TYPE,
		of_entity,
		"What is known of a pod, container, node, workload or image: rules, incidents,"
		" neighbours.",
		REACH_LIST},
	{HTTP_GET, "/api/v1/query/complete", ROLE_VIEWER, answer_complete, NULL, JSON_TYPE,
		of_complete, "What could stand at a place of a query that is being written.",
		REACH_LIST},
	{HTTP_GET, "/api/v1/quarantine", ROLE_VIEWER, answer_quarantine, NULL, JSON_TYPE, page,
		"What could not be decoded, newest first.", REACH_LIST},
	{HTTP_GET, "/api/v1/alerts/{id}", ROLE_VIEWER, answer_alert, NULL, JSON_TYPE, NULL,
		"One alert, by id or leaf number.", REACH_ALERT},
	{HTTP_GET, "/api/v1/alerts/{id}/raw", ROLE_ANALYST, answer_raw, NULL,
		"application/octet-stream", NULL, "The bytes as the sender sent them.",
		REACH_ALERT},
	{HTTP_GET, "/api/v1/events", ROLE_VIEWER, NULL, events_open, "text/event-stream", of_events,
		"What changes, as it changes: server-sent events (docs/events.md).", REACH_LIST},
	{HTTP_GET, "/api/v1/sources", ROLE_VIEWER, answer_sources, NULL, JSON_TYPE, NULL,
		"Who sends: last heard, held, refused and lost.", REACH_ALL},
	{HTTP_GET, "/api/v1/coverage", ROLE_VIEWER, answer_coverage, NULL, JSON_TYPE, of_coverage,
		"Which sensors watched when and which did not, and what agents shed.", REACH_ALL},
	{HTTP_GET, "/api/v1/ledger", ROLE_VIEWER, answer_ledger, NULL, JSON_TYPE, NULL,
		"Size and root of the ledger.", REACH_ALL},
	{HTTP_GET, "/sign-in", 0, NULL, sign_in_show, HTML_TYPE, of_sign_in,
		"The page where a browser signs in; ?link= is a one-time link.", REACH_OWN},
	{HTTP_POST, "/sign-in", 0, NULL, sign_in_begin, HTML_TYPE, NULL,
		"Signs in: a form with token or link, csrf, next.", REACH_OWN},
	{HTTP_GET, "/sign-in/oidc", 0, NULL, sign_in_oidc_begin, HTML_TYPE, of_sign_in + 1,
		"Leads to the identity provider.", REACH_OWN},
	{HTTP_GET, "/sign-in/callback", 0, NULL, sign_in_oidc_return, HTML_TYPE, parameters_any,
		"Where the identity provider sends browsers back to.", REACH_OWN},
	{HTTP_POST, "/sign-out", ROLE_VIEWER, NULL, sign_out, HTML_TYPE, NULL,
		"Ends the session: a form with csrf.", REACH_OWN_FORM},
	{HTTP_GET, "/api/v1/me", ROLE_VIEWER, NULL, me_show, JSON_TYPE, NULL,
		"Who asks: name, role, namespaces, the session's CSRF token.", REACH_OWN},
	{HTTP_POST, "/api/v1/sign-in-links", ROLE_VIEWER, NULL, sign_in_link_make, JSON_TYPE, NULL,
		"Makes a link that signs a browser in once, within ten minutes.", REACH_OWN},
	{HTTP_GET, "/api/v1/sessions", ROLE_VIEWER, NULL, sessions_show, JSON_TYPE, page,
		"Browsers that are signed in as who asks; for an admin all, newest first.",
		REACH_OWN},
	{HTTP_DELETE, "/api/v1/sessions/{id}", ROLE_VIEWER, NULL, sessions_end, JSON_TYPE, NULL,
		"Ends a session.", REACH_OWN},
	{HTTP_POST, "/api/v1/recorrelation", ROLE_ADMIN, NULL, recorrelation_begin, JSON_TYPE,
		of_recorrelation,
		"Computes incidents again from what is stored, after a change of the settings; with"
		" dry_run=true only what would be otherwise. 202; GET shows how far it is.",
		REACH_ALL},
	{HTTP_GET, "/api/v1/recorrelation", ROLE_VIEWER, NULL, recorrelation_show, JSON_TYPE, NULL,
		"How far the last recorrelation is, and what changed.", REACH_ALL},
	{HTTP_GET, "/api/v1/suppressions", ROLE_VIEWER, answer_suppressions, NULL, JSON_TYPE,
		of_suppressions,
		"What is not told of, newest first; show: all, active, pending, expired, expiring,"
		" unmatched, oldest.",
		REACH_LIST},
	{HTTP_POST, "/api/v1/suppressions", ROLE_ANALYST, NULL, suppressions_create, JSON_TYPE,
		NULL,
		"Hides what the matchers fit: {matchers, query, reason, starts, ends or for}; a "
		"day, a"
		" responder a week, an administrator 90 days.",
		REACH_LIST},
	{HTTP_GET, "/api/v1/suppressions/{id}", ROLE_VIEWER, answer_suppression, NULL, JSON_TYPE,
		NULL, "One suppression.", REACH_LIST},
	{HTTP_DELETE, "/api/v1/suppressions/{id}", ROLE_ANALYST, NULL, suppressions_expire,
		JSON_TYPE, NULL, "Ends a suppression now.", REACH_LIST},
	{HTTP_POST, "/api/v1/suppressions/preview", ROLE_VIEWER, suppression_preview, NULL,
		JSON_TYPE, NULL,
		"What matchers would hide: open incidents, and alerts of the last seven days.",
		REACH_LIST},
	{HTTP_GET, "/api/v1/suppressions/{id}/export", ROLE_VIEWER, suppression_export, NULL,
		"application/yaml", of_export,
		"The same for the sensor (format=falco) or an Alertmanager (format=alertmanager).",
		REACH_LIST},
	{HTTP_GET, "/api/v1/suppressions/{id}/hits", ROLE_VIEWER, answer_suppression_hits, NULL,
		JSON_TYPE, page, "What it hid, by place and kind of alert.", REACH_LIST},
	{HTTP_GET, "/api/v1/views", ROLE_VIEWER, answer_views, NULL, JSON_TYPE, NULL,
		"Saved views: own and shared, by name.", REACH_OWN},
	{HTTP_POST, "/api/v1/views", ROLE_VIEWER, NULL, views_save, JSON_TYPE, NULL,
		"Saves a view: {name, of, query, sort, columns, shared}; the same name replaces"
		" it.",
		REACH_OWN},
	{HTTP_DELETE, "/api/v1/views/{id}", ROLE_VIEWER, NULL, views_remove, JSON_TYPE, NULL,
		"Removes a view.", REACH_OWN},
	{HTTP_GET, "/api/v1/tokens", ROLE_ADMIN, answer_tokens, NULL, JSON_TYPE, page,
		"All tokens, without their secrets, oldest first.", REACH_ALL},
	{HTTP_POST, "/api/v1/tokens", ROLE_ADMIN, NULL, tokens_create, JSON_TYPE, NULL,
		"Makes a token; its text is in this answer and nowhere else.", REACH_ALL},
	{HTTP_DELETE, "/api/v1/tokens/{id}", ROLE_ADMIN, NULL, tokens_revoke, JSON_TYPE, NULL,
		"Takes a token out of force.", REACH_ALL},
	{HTTP_GET, "/api/v1/audit", ROLE_ADMIN, answer_audit, NULL, JSON_TYPE, page,
		"Who did what, newest first.", REACH_ALL},
	/* Alertmanager's API v2 (docs/alertmanager.md); intake takes what is posted to alerts. */
	{HTTP_GET, "/api/v2/status", ROLE_VIEWER, NULL, alertmanager_status_show, JSON_TYPE, NULL,
		"Whose API it is, since when it runs.", REACH_OWN},
	{HTTP_GET, "/api/v2/receivers", ROLE_VIEWER, NULL, alertmanager_receivers_show, JSON_TYPE,
		NULL, "The one that there is.", REACH_OWN},
	{HTTP_GET, "/api/v2/alerts", ROLE_VIEWER, alertmanager_answer_alerts, NULL, JSON_TYPE,
		of_foreign_alerts, "Fingerprints of open incidents.", REACH_LIST},
	{HTTP_GET, "/api/v2/alerts/groups", ROLE_VIEWER, alertmanager_answer_groups, NULL,
		JSON_TYPE, of_foreign_alerts, "The same by cluster, namespace and pod.",
		REACH_LIST},
	{HTTP_GET, "/api/v2/silences", ROLE_VIEWER, alertmanager_answer_silences, NULL, JSON_TYPE,
		of_silences, "Suppressions.", REACH_LIST},
	{HTTP_POST, "/api/v2/silences", ROLE_ANALYST, NULL, alertmanager_silence_create, JSON_TYPE,
		NULL, "Suppresses, or changes a suppression.", REACH_LIST},
	{HTTP_GET, "/api/v2/silence/{id}", ROLE_VIEWER, alertmanager_answer_silence, NULL,
		JSON_TYPE, NULL, "One suppression.", REACH_LIST},
	{HTTP_DELETE, "/api/v2/silence/{id}", ROLE_ANALYST, NULL, alertmanager_silence_expire,
		JSON_TYPE, NULL, "Ends a suppression.", REACH_LIST},
	{HTTP_GET, "/-/healthy", 0, NULL, health_live, "text/plain", NULL, "As /livez.", REACH_OWN},
	{HTTP_GET, "/-/ready", 0, NULL, health_ready, "text/plain", NULL, "As /readyz.", REACH_OWN},
	{0},
};
