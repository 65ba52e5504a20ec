/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "documents/groups.h"
#include "documents/incidents.h"
#include "store/suppressed.h"

enum {
	ARENA_BYTES = 256 * 1024 * 1024,
	PAGE_ARENA_BYTES = 64 * 1024 * 1024,
	PAGE = 200,
	LOOKED_AT_MAX = 20000
};

enum what {
	RULE,
	SEVERITY,
	STATE,
	VERDICT,
	ASSIGNEE,
	CLUSTER,
	NAMESPACE,
	POD,
	NODE,
	WORKLOAD,
	SENSOR,
	TACTIC
};

static const struct group_field fields[] = {
	{"rule", RULE},
	{"severity", SEVERITY},
	{"state", STATE},
	{"verdict", VERDICT},
	{"assignee", ASSIGNEE},
	{"cluster", CLUSTER},
	{"namespace", NAMESPACE},
	{"pod", POD},
	{"node", NODE},
	{"workload", WORKLOAD},
	{"sensor", SENSOR},
	{"tactic", TACTIC},
	{0},
};

/* Where an incident has the text of a field; 0: not as a text. */
static const size_t places[] = {
	[ASSIGNEE] = offsetof(struct incident, assignee),
	[CLUSTER] = offsetof(struct incident, cluster),
	[NAMESPACE] = offsetof(struct incident, namespace),
	[POD] = offsetof(struct incident, pod),
	[NODE] = offsetof(struct incident, node),
	[WORKLOAD] = offsetof(struct incident, workload.name),
	[TACTIC] = 0,
};

/* Of fields with one value; of the others, what stands for none. */
static struct text value_of(enum what what, const struct incident *incident)
{
	struct text text = TEXT_NONE;
	const char *verdict = verdict_name(incident->verdict);
	if (what == SEVERITY)
		return text_of(severity_name(incident->severity));
	if (what == STATE)
		return text_of(incident_state_name(incident->state));
	if (what == VERDICT)
		return verdict ? text_of(verdict) : TEXT("none");
	if (places[what])
		memcpy(&text, (const char *)incident + places[what], sizeof text);
	return text;
}

static bool add_one(struct groups *groups, const struct incident *incident, struct text value)
{
	struct group more = {.value = value,
		.n = 1,
		.severity = incident->severity,
		.first_ns = incident->first_seen_ns,
		.last_ns = incident->last_seen_ns};
	if (groups->has_namespace && value.size)
		more.namespace = incident->namespace;
	return groups_add(groups, &more);
}

static bool add_rules(struct groups *groups, const struct incident *incident)
{
	bool good = true;
	for (size_t i = 0; i < incident->n_rules; i++)
		good &= add_one(groups, incident, incident->rules[i].name);
	return good;
}

static bool add_sensors(struct groups *groups, const struct incident *incident)
{
	bool good = true;
	for (size_t i = 0; i < incident->sensors.n; i++)
		good &= add_one(groups, incident, incident->sensors.items[i]);
	return good;
}

static bool add_tactics(struct groups *groups, const struct incident *incident)
{
	bool good = true;
	for (unsigned rank = 1; rank <= N_TACTICS; rank++)
		if (incident->tactic_set & 1U << (rank - 1))
			good &= add_one(groups, incident, text_of(tactic_info(rank)->name));
	return good;
}

/* An incident counts for each of its rules, sensors and tactics; without any, for none of them. */
static bool add(struct groups *groups, const struct incident *incident)
{
	const enum what what = (enum what)groups->field->what;
	if (what == RULE && incident->n_rules)
		return add_rules(groups, incident);
	if (what == SENSOR && incident->sensors.n)
		return add_sensors(groups, incident);
	if (what == TACTIC && incident->tactic_set)
		return add_tactics(groups, incident);
	return add_one(groups, incident, value_of(what, incident));
}

/* A page at a time, so that what was counted is let go. */
static int count_page(struct connection *connection, const struct document_query *query,
	struct groups *groups, uint64_t *before, size_t *n, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct suppressed suppressed;
	struct incident_filter filter;
	arena_init(&arena, PAGE_ARENA_BYTES);
	struct incident_page page = {.before = *before, .limit = PAGE, .arena = &arena};
	if (incident_filter_read(connection, query, &arena, &suppressed, &filter, err) < 0 ||
		incidents_list(connection, &filter, &page, err) < 0)
		return -1;
	for (const struct incident *item = page.first; item; item = item->next, ++*n)
		if (!add(groups, item))
			return err_set(err, ERR_MEMORY, "out of memory for groups");
	*before = page.next_before;
	return 0;
}

int document_incident_groups(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	AUTO(groups_done) struct groups groups = {.arena = &arena};
	uint64_t before = 0;
	size_t n = 0;
	arena_init(&arena, ARENA_BYTES);
	if (group_field_find(query->group, fields, &groups.field, err) < 0)
		return -1;
	/* Groups have an order of their own. */
	if (query->sort.size && !text_is(query->sort, "number") && !text_is(query->sort, "risk"))
		return err_set(err, ERR_INPUT, "sort must be number or risk");
	groups.has_namespace = groups.field->what == POD || groups.field->what == WORKLOAD;
	do {
		if (count_page(connection, query, &groups, &before, &n, err) < 0)
			return -1;
	} while (before && n < LOOKED_AT_MAX && !connection_is_late(connection));
	const struct groups_extent extent = {before == 0, "from_number", before};
	return groups_write(&groups, query, &extent, out, err);
}
