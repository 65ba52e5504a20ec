/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/pull.h"
#include "decode/decoder.h"
#include "decode/limits.h"
#include "decode/normalise.h"
#include "decode/occurrence.h"
#include "decode/value.h"
#include "model/incident.h"

/*
 * Alerts as Prometheus and others post them to an Alertmanager (API v2), and as an Alertmanager
 * sends them on (webhook, version 4): labels say what and where, startsAt since when.
 *
 * The identity is labels and startsAt: the sender posts a firing alert again and again, and once
 * more when it has ended. All of that is one occurrence; when it ended is kept beside it.
 * Source: Alertmanager's documentation and OpenAPI file at 68fb2d5, seen 2026-11.
 */

#define HOUR_NS (3600 * NS_PER_S)

struct label {
	struct text name, value;
};

struct event {
	struct label labels[ALERTMANAGER_LABELS_MAX];
	size_t n_labels;
	bool has_labels, too_many;
	struct text summary, description, message;
	struct text starts, ends, status, generator;
};

/* The names under which a label comes: what was scraped comes before who scraped it. */
static const char *const namespaces[] = {
	"exported_namespace", "namespace", "kubernetes_namespace", "k8s_namespace_name", NULL};
static const char *const pods[] = {
	"exported_pod", "pod", "pod_name", "kubernetes_pod_name", "k8s_pod_name", NULL};
static const char *const containers[] = {"exported_container", "container", "container_name", NULL};
static const char *const nodes[] = {
	"exported_node", "node", "nodename", "kubernetes_node", "k8s_node_name", NULL};
static const char *const workloads[][2] = {{"deployment", "Deployment"},
	{"statefulset", "StatefulSet"}, {"daemonset", "DaemonSet"}, {"cronjob", "CronJob"},
	{"job_name", "Job"}};

/* Metrics that we expose: an alert on one of them tells of what is known here already. */
static const char *const own_metrics[] = {"falco_events_total", "kubearmor_alerts_total",
	"container_runtime_operations_total", "security_syscalls_total",
	"container_privilege_escalation", "tocsin_incidents", "tocsin_ingest_alerts_total"};

static struct text label(const struct event *event, const char *name)
{
	for (size_t i = 0; i < event->n_labels; i++)
		if (text_is(event->labels[i].name, name))
			return event->labels[i].value;
	return TEXT_NONE;
}

static struct text first_label(const struct event *event, const char *const *names)
{
	struct text found = TEXT_NONE;
	for (size_t i = 0; names[i] && !found.size; i++)
		found = label(event, names[i]);
	return found;
}

/* An empty label is none. */
static bool read_labels(struct pull *reader, struct event *event)
{
	enum pull_event what = pull_next(reader);
	if (what != PULL_OBJECT)
		return pull_finish(reader, what);
	event->has_labels = true;
	while ((what = pull_next(reader)) == PULL_KEY) {
		struct label found = {reader->value, TEXT_NONE};
		if (!value_read_text(reader, &found.value))
			return false;
		if (!found.value.size)
			continue;
		event->too_many |= event->n_labels == ALERTMANAGER_LABELS_MAX;
		if (!event->too_many)
			event->labels[event->n_labels++] = found;
	}
	return what == PULL_OBJECT_END;
}

static bool read_annotations(struct pull *reader, struct event *event)
{
	enum pull_event what = pull_next(reader);
	if (what != PULL_OBJECT)
		return pull_finish(reader, what);
	while ((what = pull_next(reader)) == PULL_KEY) {
		struct text *place = text_is(reader->value, "summary")       ? &event->summary
				     : text_is(reader->value, "description") ? &event->description
				     : text_is(reader->value, "message")     ? &event->message
									     : NULL;
		if (!(place ? value_read_text(reader, place) : pull_skip(reader)))
			return false;
	}
	return what == PULL_OBJECT_END;
}

static bool read_member(struct pull *reader, struct event *event)
{
	struct text key = reader->value;
	if (text_is(key, "labels"))
		return read_labels(reader, event);
	if (text_is(key, "annotations"))
		return read_annotations(reader, event);
	struct text *place = text_is(key, "startsAt")       ? &event->starts
			     : text_is(key, "endsAt")       ? &event->ends
			     : text_is(key, "status")       ? &event->status
			     : text_is(key, "generatorURL") ? &event->generator
							    : NULL;
	return place ? value_read_text(reader, place) : pull_skip(reader);
}

static int read_event(struct text raw, struct arena *arena, struct event *event, struct err *err)
{
	struct pull reader;
	pull_init(&reader, raw, arena, &pull_limits_alert);
	if (pull_next(&reader) != PULL_OBJECT)
		return err_set(err, ERR_INPUT, "not a JSON object");
	enum pull_event what;
	while ((what = pull_next(&reader)) == PULL_KEY)
		if (!read_member(&reader, event))
			return pull_error(&reader, err);
	if (what != PULL_OBJECT_END || pull_next(&reader) != PULL_END)
		return pull_error(&reader, err);
	if (text_trim(pull_rest(&reader)).size)
		return err_set(err, ERR_INPUT, "more follows the JSON object");
	if (event->too_many)
		return err_set(err, ERR_LIMIT, "more than %d labels", ALERTMANAGER_LABELS_MAX);
	return event->has_labels && event->n_labels
		       ? 0
		       : err_set(err, ERR_INPUT, "no labels: not an alert");
}

static int compare_labels(const void *left, const void *right)
{
	const struct label *a = left, *b = right;
	int order = text_compare(a->name, b->name);
	return order ? order : text_compare(a->value, b->value);
}

/*
 * The identity rule (correlation.md section 3): labels and startsAt, on every road alike. Without a
 * start the hour of arrival stands for it: who posts again within it tells of the same thing.
 */
static void identify(const struct event *event, struct alert *alert)
{
	struct digest_state room, *state = occurrence_start(&room, alert, TEXT("alertmanager"));
	bool has_start = alert->time_ns != TIME_UNKNOWN_NS;
	digest_add_part(state, has_start ? TEXT("start") : TEXT("hour"));
	occurrence_add_i64(state, has_start ? alert->time_ns : alert->received_ns / HOUR_NS);
	for (size_t i = 0; i < event->n_labels; i++) {
		digest_add_part(state, event->labels[i].name);
		digest_add_part(state, event->labels[i].value);
	}
	occurrence_end(state, alert);
}

/* As people write it: none of Prometheus' words are standards. */
static enum severity severity_of(struct text word)
{
	static const struct {
		const char *word;
		enum severity severity;
	} words[] = {{"critical", SEVERITY_CRITICAL}, {"page", SEVERITY_CRITICAL},
		{"emergency", SEVERITY_CRITICAL}, {"fatal", SEVERITY_CRITICAL},
		{"p1", SEVERITY_CRITICAL}, {"high", SEVERITY_HIGH}, {"error", SEVERITY_HIGH},
		{"major", SEVERITY_HIGH}, {"p2", SEVERITY_HIGH}, {"warning", SEVERITY_MEDIUM},
		{"warn", SEVERITY_MEDIUM}, {"medium", SEVERITY_MEDIUM}, {"minor", SEVERITY_MEDIUM},
		{"p3", SEVERITY_MEDIUM}, {"low", SEVERITY_LOW}, {"notice", SEVERITY_LOW},
		{"p4", SEVERITY_LOW}, {"info", SEVERITY_INFO}, {"none", SEVERITY_INFO},
		{"debug", SEVERITY_INFO}, {"ok", SEVERITY_INFO}};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (text_equal_nocase(word, text_of(words[i].word)))
			return words[i].severity;
	return SEVERITY_MEDIUM;
}

static void fill_place(const struct event *event, struct alert *alert)
{
	alert->namespace = first_label(event, namespaces);
	alert->pod = first_label(event, pods);
	alert->container = first_label(event, containers);
	alert->node = first_label(event, nodes);
	alert->container_id = label(event, "container_id");
	alert->image = label(event, "image");
	if (alert->pod.size)
		alert->pod_uid = label(event, label(event, "pod_uid").size ? "pod_uid" : "uid");
	for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
		struct text name = label(event, workloads[i][0]);
		if (name.size && !alert->workload.name.size)
			alert->workload = (struct workload){text_of(workloads[i][1]), name, false};
	}
}

/* What tells apart alerts of one rule that are about no pod and no node. */
static void fill_resource(const struct event *event, struct alert *alert)
{
	if (!alert->pod.size && !alert->node.size)
		alert->resource = label(event, "instance");
}

static void fill_attack(const struct event *event, struct arena *arena, struct alert *alert)
{
	static const char *const names[] = {"technique", "tactic", "mitre", "attack"};
	struct text_list *reported = &alert->attack_reported;
	reported->items = arena_array(arena, 4, sizeof *reported->items);
	for (size_t i = 0; i < 4 && reported->items; i++) {
		struct text word = label(event, names[i]);
		if (word.size)
			reported->items[reported->n++] = word;
	}
}

/* Prometheus' link holds the expression. */
static bool is_of_own_metrics(struct text generator)
{
	if (text_find(generator, TEXT("g0.expr="), 0) == SIZE_MAX)
		return false;
	for (size_t i = 0; i < sizeof own_metrics / sizeof own_metrics[0]; i++)
		if (text_find(generator, text_of(own_metrics[i]), 0) != SIZE_MAX)
			return true;
	return false;
}

/* "INC-12" in the label tocsin_incident: what we told of an incident comes back. */
static void fill_mark(const struct event *event, struct alert *alert)
{
	struct text mark = label(event, "tocsin_incident");
	if (!mark.size || !incident_number_parse(mark, &alert->echo_of))
		alert->echo_of = 0;
}

/* An end that has passed is one; a later one only says when to think so if nothing more comes. */
static void fill_end(const struct event *event, struct alert *alert)
{
	int64_t ends_ns;
	alert->flags |= ALERT_STATEFUL;
	if (!clock_parse(event->ends, &ends_ns) || ends_ns <= 0)
		return;
	if (ends_ns <= alert->received_ns || text_is(event->status, "resolved"))
		alert->resolved_ns = ends_ns;
	else
		alert->firing_until_ns = ends_ns;
}

static int alertmanager_decode(struct arena *arena, struct alert *alert, struct err *err)
{
	struct event read = {0}, *event = &read;
	if (read_event(alert->raw, arena, event, err) < 0)
		return -1;
	qsort(event->labels, event->n_labels, sizeof event->labels[0], compare_labels);
	struct text name = label(event, "alertname");
	alert->sensor = TEXT("alertmanager");
	alert->rule = name.size ? name : TEXT("alert without a name");
	if (!clock_parse(event->starts, &alert->time_ns))
		alert->time_ns = TIME_UNKNOWN_NS;
	alert->severity_reported = label(event, "severity");
	alert->severity = severity_of(alert->severity_reported);
	alert->message = event->summary.size   ? event->summary
			 : event->message.size ? event->message
					       : event->description;
	fill_place(event, alert);
	fill_resource(event, alert);
	fill_attack(event, arena, alert);
	fill_end(event, alert);
	fill_mark(event, alert);
	if (is_of_own_metrics(event->generator))
		alert->flags |= ALERT_CONTEXT;
	identify(event, alert);
	return 0;
}

/* The alerts of a webhook's body; the rest of it is about the group that they came in. */
static bool alertmanager_unwrap(struct text body, struct arena *arena, struct text *inside)
{
	struct pull reader;
	struct text found = TEXT_NONE;
	pull_init(&reader, body, arena, &pull_limits_alert);
	if (pull_next(&reader) != PULL_OBJECT)
		return false;
	enum pull_event what;
	while ((what = pull_next(&reader)) == PULL_KEY) {
		if (text_is(reader.value, "labels"))
			return false;
		bool alerts = text_is(reader.value, "alerts");
		what = pull_next(&reader);
		size_t start = reader.start;
		if (!pull_finish(&reader, what))
			return false;
		if (alerts && what == PULL_ARRAY)
			found = text_part(body, start, pull_offset(&reader) - start);
	}
	if (!found.size || what != PULL_OBJECT_END || pull_next(&reader) != PULL_END ||
		text_trim(pull_rest(&reader)).size)
		return false;
	*inside = found;
	return true;
}

static bool alertmanager_sniff(struct text event)
{
	return text_starts(event, TEXT("{")) &&
	       text_find(event, TEXT("\"labels\""), 0) != SIZE_MAX &&
	       text_find(event, TEXT("\"startsAt\""), 0) != SIZE_MAX;
}

const struct decoder decoder_alertmanager = {
	.name = "alertmanager",
	.source = SOURCE_ALERTMANAGER,
	.sensor = "alertmanager",
	.sniff = alertmanager_sniff,
	.decode = alertmanager_decode,
	.unwrap = alertmanager_unwrap,
};
