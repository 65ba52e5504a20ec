/* SPDX-License-Identifier: Apache-2.0 */
#include "model/query_eval.h"

#include <stddef.h>
#include <string.h>

enum { TEXTS_MAX = 24 };

/* What of a field there is. Absent texts are left out. */
struct texts {
	struct text items[TEXTS_MAX];
	size_t n;
};

static void add(struct texts *texts, struct text text)
{
	if (text.size && texts->n < TEXTS_MAX)
		texts->items[texts->n++] = text;
}

static bool in_range(const struct query_term *term, int64_t number)
{
	return number >= term->low && number <= term->high;
}

static bool has_technique(const struct query_term *term, const technique_code *codes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (in_range(term, codes[i]))
			return true;
	return false;
}

static bool has_hex(const struct match *match, const unsigned char print[FINGERPRINT_BYTES])
{
	char hex[2 * FINGERPRINT_BYTES + 1];
	text_hex(hex, print, FINGERPRINT_BYTES);
	return match_has(match, text_of(hex));
}

/* Where an alert has the texts of a field. */
static const struct {
	enum query_field_id field;
	size_t place;
} alert_places[] = {
	{FIELD_CLUSTER, offsetof(struct alert, cluster)},
	{FIELD_NAMESPACE, offsetof(struct alert, namespace)},
	{FIELD_POD, offsetof(struct alert, pod)},
	{FIELD_POD_UID, offsetof(struct alert, pod_uid)},
	{FIELD_NODE, offsetof(struct alert, node)},
	{FIELD_WORKLOAD, offsetof(struct alert, workload.name)},
	{FIELD_CONTAINER, offsetof(struct alert, container)},
	{FIELD_CONTAINER, offsetof(struct alert, container_id)},
	{FIELD_CONTAINER_ID, offsetof(struct alert, container_id)},
	{FIELD_RULE, offsetof(struct alert, rule)},
	{FIELD_SENSOR, offsetof(struct alert, sensor)},
	{FIELD_PROCESS, offsetof(struct alert, process.name)},
	{FIELD_CMDLINE, offsetof(struct alert, process.cmdline)},
	{FIELD_EXE, offsetof(struct alert, process.exe)},
	{FIELD_PARENT, offsetof(struct alert, process.parent)},
	{FIELD_USER, offsetof(struct alert, process.user)},
	{FIELD_IMAGE, offsetof(struct alert, image)},
	{FIELD_IMAGE, offsetof(struct alert, image_digest)},
	{FIELD_OPERATION, offsetof(struct alert, operation)},
	{FIELD_RESOURCE, offsetof(struct alert, resource)},
	{FIELD_MESSAGE, offsetof(struct alert, message)},
};

static struct text text_at(const void *base, size_t place)
{
	struct text text;
	memcpy(&text, (const char *)base + place, sizeof text);
	return text;
}

static void alert_texts(enum query_field_id field, const struct alert *alert, struct texts *out)
{
	for (size_t i = 0; i < sizeof alert_places / sizeof alert_places[0]; i++)
		if (alert_places[i].field == field)
			add(out, text_at(alert, alert_places[i].place));
}

/* Free words: all texts that say where, what and who. */
static void alert_any_text(const struct alert *alert, struct texts *out)
{
	static const enum query_field_id fields[] = {FIELD_RULE, FIELD_MESSAGE, FIELD_NAMESPACE,
		FIELD_POD, FIELD_NODE, FIELD_CONTAINER, FIELD_WORKLOAD, FIELD_PROCESS,
		FIELD_CMDLINE, FIELD_EXE, FIELD_PARENT, FIELD_USER, FIELD_IMAGE, FIELD_OPERATION,
		FIELD_RESOURCE, FIELD_CLUSTER};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		alert_texts(fields[i], alert, out);
}

static bool alert_match(const struct query_term *term, const struct alert *alert)
{
	struct texts texts = {.n = 0};
	enum query_field_id field = term->field->id;
	if (field == FIELD_FINGERPRINT)
		return has_hex(&term->match, alert->fingerprint);
	if (field == FIELD_TAG)
		return match_has_any(&term->match, alert->tags.items, alert->tags.n);
	if (field == FIELD_ANY_TEXT)
		alert_any_text(alert, &texts);
	else
		alert_texts(field, alert, &texts);
	return match_has_any(&term->match, texts.items, texts.n);
}

static bool alert_mask(const struct query_term *term, const struct alert *alert)
{
	switch (term->field->kind) {
	case QUERY_SEVERITY:
		return term->mask & 1U << alert->severity;
	case QUERY_TACTIC:
		return term->mask & alert->tactics;
	case QUERY_SOURCE:
		return term->mask & 1U << alert->source;
	case QUERY_ACTION:
		return term->mask & 1U << alert->action;
	case QUERY_ALERT_FLAG:
		return term->mask & alert->flags;
	default:
		return false;
	}
}

/* What a query is held against: an alert, a group of alerts, or an incident. */
struct subject {
	const struct alert *alert; /* of a group, what they have in common */
	uint64_t incident_number;  /* the alert's */
	const struct print_group *group;
	const struct incident *incident;
};

static bool alert_range(const struct query_term *term, const struct subject *subject)
{
	const struct alert *alert = subject->alert;
	const struct print_group *group = subject->group;
	uint64_t incident = subject->incident_number;
	switch (term->field->id) {
	case FIELD_FIRST:
		return in_range(term, group ? group->first_ns : alert->time_ns);
	case FIELD_ALERTS:
		return group && in_range(term, (int64_t)group->n);
	case FIELD_LAST:
		return in_range(term, alert->time_ns);
	case FIELD_RECEIVED:
		return in_range(term, alert->received_ns);
	case FIELD_COUNT:
		return in_range(term, (int64_t)alert->count);
	case FIELD_LEAF:
		return in_range(term, (int64_t)alert->leaf);
	case FIELD_INCIDENT:
		return incident && in_range(term, (int64_t)incident);
	case FIELD_TECHNIQUE:
		return has_technique(term, alert->techniques, alert->n_techniques);
	default:
		return false;
	}
}

/* Where an incident has the text of a field. */
static const struct {
	enum query_field_id field;
	size_t place;
} incident_places[] = {
	{FIELD_TITLE, offsetof(struct incident, title)},
	{FIELD_ASSIGNEE, offsetof(struct incident, assignee)},
	{FIELD_CLUSTER, offsetof(struct incident, cluster)},
	{FIELD_NAMESPACE, offsetof(struct incident, namespace)},
	{FIELD_POD, offsetof(struct incident, pod)},
	{FIELD_POD_UID, offsetof(struct incident, pod_uid)},
	{FIELD_NODE, offsetof(struct incident, node)},
	{FIELD_WORKLOAD, offsetof(struct incident, workload.name)},
	{FIELD_CONTAINER, offsetof(struct incident, container)},
	{FIELD_CONTAINER_ID, offsetof(struct incident, container)},
};

static void incident_texts(
	enum query_field_id field, const struct incident *incident, struct texts *out)
{
	for (size_t i = 0; i < sizeof incident_places / sizeof incident_places[0]; i++)
		if (incident_places[i].field == field)
			add(out, text_at(incident, incident_places[i].place));
}

static bool incident_has_rule(const struct match *match, const struct incident *incident)
{
	for (size_t i = 0; i < incident->n_rules; i++)
		if (match_has(match, incident->rules[i].name))
			return true;
	return incident->n_rules == 0 && match_has(match, TEXT_NONE);
}

static bool incident_has_print(const struct match *match, const struct incident *incident)
{
	for (size_t i = 0; i < incident->n_prints; i++)
		if (has_hex(match, incident->prints[i].fingerprint))
			return true;
	return false;
}

static bool incident_has_word(const struct match *match, const struct incident *incident)
{
	static const enum query_field_id fields[] = {FIELD_TITLE, FIELD_NAMESPACE, FIELD_POD,
		FIELD_NODE, FIELD_CONTAINER, FIELD_WORKLOAD, FIELD_CLUSTER, FIELD_ASSIGNEE};
	struct texts texts = {.n = 0};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		incident_texts(fields[i], incident, &texts);
	return match_has_any(match, texts.items, texts.n) || incident_has_rule(match, incident);
}

static bool incident_match(const struct query_term *term, const struct incident *incident)
{
	struct texts texts = {.n = 0};
	switch (term->field->id) {
	case FIELD_RULE:
		return incident_has_rule(&term->match, incident);
	case FIELD_SENSOR:
		return match_has_any(&term->match, incident->sensors.items, incident->sensors.n);
	case FIELD_FINGERPRINT:
		return incident_has_print(&term->match, incident);
	case FIELD_ANY_TEXT:
		return incident_has_word(&term->match, incident);
	default:
		incident_texts(term->field->id, incident, &texts);
		return match_has_any(&term->match, texts.items, texts.n);
	}
}

static uint32_t incident_flags(const struct incident *incident)
{
	return (incident->sealed_ns ? QUERY_IS_SEALED : 0U) |
	       (incident->snoozed_until_ns ? QUERY_IS_SNOOZED : 0U) |
	       (incident->frozen ? QUERY_IS_FROZEN : 0U) |
	       (incident->recurrence_of ? QUERY_IS_RECURRENCE : 0U) |
	       (incident->split_from ? QUERY_IS_SPLIT : 0U) |
	       (incident->suppressed_by.n ? QUERY_IS_SUPPRESSED : 0U);
}

static bool incident_mask(const struct query_term *term, const struct incident *incident)
{
	switch (term->field->kind) {
	case QUERY_SEVERITY:
		return term->mask & 1U << incident->severity;
	case QUERY_STATE:
		return term->mask & 1U << incident->state;
	case QUERY_VERDICT:
		return term->mask & 1U << incident->verdict;
	case QUERY_TACTIC:
		return term->mask & incident->tactic_set;
	case QUERY_INCIDENT_FLAG:
		return term->mask & incident_flags(incident);
	default:
		return false;
	}
}

static bool incident_range(const struct query_term *term, const struct incident *incident)
{
	switch (term->field->id) {
	case FIELD_RISK:
		return in_range(term, incident->risk_milli);
	case FIELD_NUMBER:
		return in_range(term, (int64_t)incident->number);
	case FIELD_ALERTS:
		return in_range(term, (int64_t)incident->n_alerts);
	case FIELD_FIRST:
		return in_range(term, incident->first_seen_ns);
	case FIELD_LAST:
		return in_range(term, incident->last_seen_ns);
	case FIELD_RESOLVED:
		return in_range(term, incident->resolved_ns);
	case FIELD_TECHNIQUE:
		return has_technique(term, incident->techniques, incident->n_techniques);
	default:
		return false;
	}
}

static bool has_term(const struct query_term *term, const struct subject *subject)
{
	const struct alert *alert = subject->alert;
	switch (term->test) {
	case QUERY_TEST_MATCH:
		return alert ? alert_match(term, alert) : incident_match(term, subject->incident);
	case QUERY_TEST_MASK:
		return alert ? alert_mask(term, alert) : incident_mask(term, subject->incident);
	case QUERY_TEST_RANGE:
		return alert ? alert_range(term, subject) : incident_range(term, subject->incident);
	}
	return false;
}

/* As deep as QUERY_DEPTH_MAX allows. */
static bool has_node(const struct query_node *node, const struct subject *subject)
{
	const struct query_node *inner = node->first;
	switch (node->kind) {
	case QUERY_TERM:
		return has_term(&node->term, subject);
	case QUERY_NOT:
		return !has_node(inner, subject);
	case QUERY_AND:
		while (inner && has_node(inner, subject))
			inner = inner->next;
		return !inner;
	case QUERY_OR:
		while (inner && !has_node(inner, subject))
			inner = inner->next;
		return inner;
	}
	return false;
}

bool query_has_alert(const struct query *query, const struct alert *alert, uint64_t incident)
{
	const struct subject subject = {.alert = alert, .incident_number = incident};
	return has_node(query->root, &subject);
}

bool query_has_print(const struct query *query, const struct print_group *group)
{
	const struct subject subject = {.alert = &group->like, .group = group};
	return has_node(query->root, &subject);
}

bool query_has_incident(const struct query *query, const struct incident *incident)
{
	const struct subject subject = {.incident = incident};
	return has_node(query->root, &subject);
}

static bool asks_for(const struct query_node *node, enum query_field_id a, enum query_field_id b)
{
	if (node->kind == QUERY_TERM)
		return node->term.field->id == a || node->term.field->id == b;
	for (const struct query_node *inner = node->first; inner; inner = inner->next)
		if (asks_for(inner, a, b))
			return true;
	return false;
}

bool query_asks_for(const struct query *query, enum query_field_id field)
{
	return asks_for(query->root, field, field);
}

bool query_needs_story(const struct query *query)
{
	return query->of == QUERY_OF_INCIDENTS &&
	       asks_for(query->root, FIELD_TECHNIQUE, FIELD_FINGERPRINT);
}

bool query_needs_judgement(const struct query *query)
{
	return asks_for(query->root, FIELD_INCIDENT_FLAG, FIELD_INCIDENT_FLAG);
}

bool query_needs_incident(const struct query *query)
{
	return query->of == QUERY_OF_ALERTS &&
	       asks_for(query->root, FIELD_INCIDENT, FIELD_INCIDENT);
}

static void bound_by(
	const struct query_node *node, enum query_field_id field, int64_t *low, int64_t *high)
{
	const struct query_term *term = &node->term;
	if (node->kind == QUERY_AND)
		for (const struct query_node *inner = node->first; inner; inner = inner->next)
			bound_by(inner, field, low, high);
	if (node->kind != QUERY_TERM || term->field->id != field || term->test != QUERY_TEST_RANGE)
		return;
	*low = term->low > *low ? term->low : *low;
	*high = term->high < *high ? term->high : *high;
}

void query_bound(const struct query *query, enum query_field_id field, int64_t *low, int64_t *high)
{
	if (query)
		bound_by(query->root, field, low, high);
}
