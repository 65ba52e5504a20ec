/* SPDX-License-Identifier: Apache-2.0 */
#include "console/event_queries.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/query_eval.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static void free_query(struct snapshot *snapshot)
{
	struct event_query *query = (struct event_query *)(void *)snapshot;
	arena_done(&query->arena);
	free(query);
}

void event_query_unref(struct event_query *query)
{
	snapshot_unref(query ? &query->snapshot : NULL);
}

static int parse(struct text source, struct query_options options, enum query_of of,
	struct arena *arena, const struct query **out, struct err *err)
{
	options.of = of;
	return query_parse(source, &options, arena, out, err);
}

struct event_query *event_query_new(struct text source, const struct query_options *options,
	bool incidents, bool alerts, struct err *err)
{
	struct event_query *query = calloc(1, sizeof *query);
	if (!query) {
		err_set(err, ERR_MEMORY, "out of memory for a query");
		return NULL;
	}
	atomic_init(&query->snapshot.n_refs, 1);
	query->snapshot.free = free_query;
	arena_init(&query->arena, ARENA_BYTES);
	bool failed = (incidents && parse(source, *options, QUERY_OF_INCIDENTS, &query->arena,
					    &query->incidents, err) < 0) ||
		      (alerts && parse(source, *options, QUERY_OF_ALERTS, &query->arena,
					 &query->alerts, err) < 0);
	if (!failed)
		return query;
	event_query_unref(query);
	return NULL;
}

static void free_set(struct snapshot *snapshot)
{
	struct event_queries *set = (struct event_queries *)(void *)snapshot;
	for (size_t i = 0; i < EVENT_QUERIES_MAX; i++)
		event_query_unref(set->items[i]);
	free(set);
}

/* What is published, as a set that may be changed still. NULL without memory. */
static struct event_queries *copy_set(struct snapshot_slot *slot)
{
	struct event_queries *copy = calloc(1, sizeof *copy);
	if (!copy)
		return NULL;
	struct snapshot *now = snapshot_ref(slot);
	const struct event_queries *set = (const struct event_queries *)(const void *)now;
	for (size_t i = 0; set && i < EVENT_QUERIES_MAX; i++) {
		copy->items[i] = set->items[i];
		if (copy->items[i])
			snapshot_share(&copy->items[i]->snapshot);
	}
	snapshot_unref(now);
	copy->snapshot.free = free_set;
	return copy;
}

static void publish(struct snapshot_slot *slot, struct event_queries *set)
{
	for (size_t i = 0; i < EVENT_QUERIES_MAX; i++) {
		const struct event_query *query = set->items[i];
		set->any |= query != NULL;
		set->needs_story |=
			query && query->incidents && query_needs_story(query->incidents);
	}
	snapshot_publish(slot, &set->snapshot);
}

bool event_queries_add(struct snapshot_slot *slot, struct event_query *query, unsigned *place)
{
	struct event_queries *set = copy_set(slot);
	unsigned i = 0;
	while (set && i < EVENT_QUERIES_MAX && set->items[i])
		i++;
	if (!set || i == EVENT_QUERIES_MAX) {
		event_query_unref(query);
		if (set)
			free_set(&set->snapshot);
		return false;
	}
	set->items[i] = query;
	*place = i;
	publish(slot, set);
	return true;
}

void event_queries_remove(struct snapshot_slot *slot, unsigned place)
{
	struct event_queries *set = copy_set(slot);
	if (!set)
		return;
	event_query_unref(set->items[place]);
	set->items[place] = NULL;
	publish(slot, set);
}

static void look(const struct event_query *query, const struct alert *alert, uint64_t number,
	const struct incident *incident, bool *matches)
{
	const struct query *tree = alert ? query->alerts : query->incidents;
	*matches = !tree || (alert ? query_has_alert(tree, alert, number)
				   : query_has_incident(tree, incident));
}

static void hold_against(const struct event_queries *set, const struct alert *alert,
	uint64_t number, const struct incident *incident, struct event_costs *costs,
	struct event_bits *out)
{
	*out = (struct event_bits){{0}};
	if (!set || !set->any)
		return;
	int64_t began_ms = clock_monotonic_ms(&clock_system);
	for (unsigned i = 0; i < EVENT_QUERIES_MAX; i++) {
		bool matches = false;
		if (!set->items[i] || event_bits_has(&costs->too_dear, i))
			continue;
		look(set->items[i], alert, number, incident, &matches);
		int64_t ended_ms = clock_monotonic_ms(&clock_system);
		costs->ms[i] += ended_ms - began_ms;
		began_ms = ended_ms;
		if (matches)
			event_bits_add(out, i);
		if (costs->ms[i] > EVENT_QUERY_MS)
			event_bits_add(&costs->too_dear, i);
	}
}

void event_queries_of_alert(const struct event_queries *set, const struct alert *alert,
	uint64_t incident, struct event_costs *costs, struct event_bits *out)
{
	hold_against(set, alert, incident, NULL, costs, out);
}

void event_queries_of_incident(const struct event_queries *set, const struct incident *incident,
	struct event_costs *costs, struct event_bits *out)
{
	hold_against(set, NULL, 0, incident, costs, out);
}
