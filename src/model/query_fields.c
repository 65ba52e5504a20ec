/* SPDX-License-Identifier: Apache-2.0 */
#include "model/query_fields.h"

#include "model/alert.h"
#include "model/incident.h"

enum {
	INCIDENTS = QUERY_OF_INCIDENTS,
	ALERTS = QUERY_OF_ALERTS,
	PRINTS = QUERY_OF_FINGERPRINTS,
	BOTH = INCIDENTS | ALERTS,
	ALL = QUERY_OF_ALL
};

const struct query_field query_fields[] = {
	{FIELD_SEVERITY, QUERY_SEVERITY, ALL, "severity", {"sev"}, "how bad it is"},
	{FIELD_STATE, QUERY_STATE, INCIDENTS, "state", {"status"},
		"what people have done; state:open is all that is not over, state:closed resolved "
		"and closed"},
	{FIELD_VERDICT, QUERY_VERDICT, INCIDENTS, "verdict", {0},
		"what it turned out to be; none: not decided"},
	{FIELD_ASSIGNEE, QUERY_ASSIGNEE, INCIDENTS, "assignee", {"who"},
		"who works on it; me: whoever asks, none: nobody"},
	{FIELD_RISK, QUERY_RISK, INCIDENTS, "risk", {0}, "its risk, 0 to 100"},
	{FIELD_NUMBER, QUERY_INCIDENT, INCIDENTS, "number", {"inc"}, "its number, as INC-12"},
	{FIELD_ALERTS, QUERY_COUNT, INCIDENTS | PRINTS, "alerts", {0}, "how many alerts it has"},
	{FIELD_TITLE, QUERY_TEXT, INCIDENTS, "title", {0}, "its title"},
	{FIELD_FIRST, QUERY_TIME, ALL, "first", {"first_seen"}, "when it began; an alert's time"},
	{FIELD_LAST, QUERY_TIME, ALL, "last", {"last_seen", "time"},
		"when it was last seen; an alert's time"},
	{FIELD_RESOLVED, QUERY_TIME, INCIDENTS, "resolved", {0}, "when it was resolved"},
	{FIELD_RECEIVED, QUERY_TIME, ALERTS, "received", {0}, "when it came in"},
	{FIELD_INCIDENT_FLAG, QUERY_INCIDENT_FLAG, INCIDENTS, "is", {"flag"},
		"what else is to be said of it"},
	{FIELD_ALERT_FLAG, QUERY_ALERT_FLAG, ALERTS, "is", {"flag"},
		"what else is to be said of it"},
	{FIELD_CLUSTER, QUERY_TEXT, ALL, "cluster", {0}, "the cluster"},
	{FIELD_NAMESPACE, QUERY_TEXT, ALL, "namespace", {"ns"}, "the namespace"},
	{FIELD_POD, QUERY_TEXT, BOTH, "pod", {0}, "the pod's name"},
	{FIELD_POD_UID, QUERY_TEXT, BOTH, "pod_uid", {"uid"}, "the pod's uid"},
	{FIELD_NODE, QUERY_TEXT, ALL, "node", {"host", "instance"}, "the node"},
	{FIELD_WORKLOAD, QUERY_TEXT, ALL, "workload", {"wl"}, "what the pod belongs to"},
	{FIELD_CONTAINER, QUERY_TEXT, BOTH, "container", {0}, "the container's name or id"},
	{FIELD_CONTAINER_ID, QUERY_TEXT, BOTH, "container_id", {0}, "the container's id"},
	{FIELD_RULE, QUERY_TEXT, ALL, "rule", {"alertname"}, "the sensor's rule"},
	{FIELD_SENSOR, QUERY_TEXT, ALL, "sensor", {0}, "the sensor, as falco"},
	{FIELD_SOURCE, QUERY_SOURCE, ALERTS, "source", {0}, "what it came in as"},
	{FIELD_TACTIC, QUERY_TACTIC, ALL, "tactic", {0},
		"an ATT&CK tactic, by name or id (TA0006)"},
	{FIELD_TECHNIQUE, QUERY_TECHNIQUE, BOTH, "technique", {0},
		"an ATT&CK technique; T1059 has its sub-techniques"},
	{FIELD_FINGERPRINT, QUERY_FINGERPRINT, ALL, "fingerprint", {"fp"},
		"the fingerprint, or how it begins"},
	{FIELD_PROCESS, QUERY_TEXT, ALERTS, "process", {"proc"}, "the process's name"},
	{FIELD_CMDLINE, QUERY_TEXT, ALERTS, "cmdline", {"cmd"}, "its command line"},
	{FIELD_EXE, QUERY_TEXT, ALERTS | PRINTS, "exe", {0}, "its file"},
	{FIELD_PARENT, QUERY_TEXT, ALERTS | PRINTS, "parent", {0}, "its parent's name"},
	{FIELD_USER, QUERY_TEXT, ALERTS, "user", {0}, "the user"},
	{FIELD_IMAGE, QUERY_TEXT, ALERTS, "image", {0}, "the image, or its digest"},
	{FIELD_OPERATION, QUERY_TEXT, ALERTS | PRINTS, "operation", {0}, "what was done"},
	{FIELD_RESOURCE, QUERY_TEXT, ALERTS | PRINTS, "resource", {0}, "what it was done to"},
	{FIELD_MESSAGE, QUERY_TEXT, ALERTS, "message", {"msg"}, "the sensor's words"},
	{FIELD_TAG, QUERY_TEXT, ALERTS, "tag", {0}, "one of the sensor's tags"},
	{FIELD_ACTION, QUERY_ACTION, ALERTS, "action", {0}, "what the sensor did"},
	{FIELD_COUNT, QUERY_COUNT, ALERTS, "count", {0}, "how many the sender made one"},
	{FIELD_LEAF, QUERY_COUNT, ALERTS, "leaf", {0}, "its number in the ledger"},
	{FIELD_INCIDENT, QUERY_INCIDENT, ALERTS, "incident", {0}, "the incident it is part of"},
	{.name = NULL},
};

const struct query_field query_any_text = {
	.id = FIELD_ANY_TEXT, .kind = QUERY_TEXT, .of = ALL, .name = NULL};

static bool is_called(const struct query_field *field, struct text name)
{
	if (text_equal_nocase(name, text_of(field->name)))
		return true;
	for (size_t i = 0; i < 3 && field->aliases[i]; i++)
		if (text_equal_nocase(name, text_of(field->aliases[i])))
			return true;
	return false;
}

const struct query_field *query_field_find(struct text name, enum query_of of, unsigned *elsewhere)
{
	*elsewhere = 0;
	for (const struct query_field *field = query_fields; field->name; field++) {
		if (!is_called(field, name))
			continue;
		if (field->of & (unsigned)of)
			return field;
		*elsewhere |= field->of;
	}
	return NULL;
}

static bool severity_at(size_t i, struct query_word *out)
{
	static const struct query_word short_forms[] = {
		{"med", 1U << SEVERITY_MEDIUM}, {"crit", 1U << SEVERITY_CRITICAL}};
	if (i < N_SEVERITIES)
		*out = (struct query_word){severity_name((enum severity)i), 1U << i};
	else if (i < N_SEVERITIES + 2)
		*out = short_forms[i - N_SEVERITIES];
	return i < N_SEVERITIES + 2;
}

static bool state_at(size_t i, struct query_word *out)
{
	if (i <= INCIDENT_CLOSED)
		*out = (struct query_word){incident_state_name((enum incident_state)i), 1U << i};
	else if (i == INCIDENT_CLOSED + 1)
		*out = (struct query_word){"open", (1U << INCIDENT_RESOLVED) - 1};
	return i <= INCIDENT_CLOSED + 1;
}

static bool verdict_at(size_t i, struct query_word *out)
{
	if (i > VERDICT_TEST)
		return false;
	const char *name = i ? verdict_name((enum verdict)i) : "none";
	*out = (struct query_word){name, 1U << i};
	return true;
}

static bool incident_flag_at(size_t i, struct query_word *out)
{
	static const struct query_word flags[] = {{"sealed", QUERY_IS_SEALED},
		{"snoozed", QUERY_IS_SNOOZED}, {"frozen", QUERY_IS_FROZEN},
		{"recurrence", QUERY_IS_RECURRENCE}, {"split", QUERY_IS_SPLIT},
		{"suppressed", QUERY_IS_SUPPRESSED}};
	if (i >= sizeof flags / sizeof flags[0])
		return false;
	*out = flags[i];
	return true;
}

static bool tactic_at(size_t i, struct query_word *out)
{
	if (i < N_TACTICS)
		*out = (struct query_word){tactic_info((unsigned)i + 1)->shortname, 1U << i};
	return i < N_TACTICS;
}

static bool source_at(size_t i, struct query_word *out)
{
	if (i + 1 < N_SOURCES)
		*out = (struct query_word){source_info((enum source)(i + 1))->name, 1U << (i + 1)};
	return i + 1 < N_SOURCES;
}

static bool action_at(size_t i, struct query_word *out)
{
	if (i <= ACTION_KILLED)
		*out = (struct query_word){alert_action_name((enum alert_action)i), 1U << i};
	return i <= ACTION_KILLED;
}

static bool alert_flag_at(size_t i, struct query_word *out)
{
	if (i < N_ALERT_FLAGS)
		*out = (struct query_word){alert_flag_name((enum alert_flag)(1U << i)), 1U << i};
	return i < N_ALERT_FLAGS;
}

bool query_word_at(enum query_kind kind, size_t i, struct query_word *out)
{
	typedef bool word_at(size_t i, struct query_word * out);
	static word_at *const lists[] = {
		[QUERY_SEVERITY] = severity_at,
		[QUERY_STATE] = state_at,
		[QUERY_VERDICT] = verdict_at,
		[QUERY_TACTIC] = tactic_at,
		[QUERY_SOURCE] = source_at,
		[QUERY_ACTION] = action_at,
		[QUERY_INCIDENT_FLAG] = incident_flag_at,
		[QUERY_ALERT_FLAG] = alert_flag_at,
	};
	return query_kind_has_words(kind) && lists[kind](i, out);
}
