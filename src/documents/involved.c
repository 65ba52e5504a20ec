/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/involved.h"

#include <stdlib.h>

#include "model/alert.h"
#include "store/alerts.h"
#include "store/incidents.h"

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory for what an incident involves");
}

static int compare_times(const void *left, const void *right)
{
	const struct alert *a = *(struct alert *const *)left, *b = *(struct alert *const *)right;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return a->leaf < b->leaf ? -1 : a->leaf > b->leaf;
}

/* What has left with its age is left out. */
static int add(struct connection *connection, uint64_t leaf, struct arena *arena,
	struct involved *out, struct err *err)
{
	struct alert *alert = arena_alloc(arena, sizeof *alert);
	if (!alert)
		return no_memory(err);
	if (alert_read(connection, leaf, arena, alert, err) < 0)
		return err->kind == ERR_MISSING ? 0 : -1;
	out->alerts[out->n++] = alert;
	return 0;
}

static int add_samples(struct connection *connection, const struct incident *incident,
	struct arena *arena, struct involved *out, struct err *err)
{
	out->sampled = true;
	for (size_t i = 0; i < incident->n_prints; i++)
		for (size_t k = 0; k < incident->prints[i].n_samples && k < INVOLVED_SAMPLES &&
				   out->n < INVOLVED_MAX;
			k++)
			if (add(connection, incident->prints[i].sample_leaves[k], arena, out, err) <
				0)
				return -1;
	return 0;
}

static int add_all(struct connection *connection, uint64_t number, struct arena *arena,
	struct involved *out, struct err *err)
{
	struct leaf_page page = {.limit = INVOLVED_MAX, .arena = arena};
	if (incident_leaves(connection, number, &page, err) < 0)
		return -1;
	for (size_t i = 0; i < page.n; i++)
		if (add(connection, page.leaves[i], arena, out, err) < 0)
			return -1;
	return 0;
}

int involved_read(struct connection *connection, struct text number, struct arena *arena,
	struct involved *out, struct err *err)
{
	struct incident incident;
	uint64_t wanted;
	*out = (struct involved){
		.alerts = arena_array(arena, INVOLVED_MAX + 1, sizeof *out->alerts)};
	if (!out->alerts)
		return no_memory(err);
	if (!incident_number_parse(number, &wanted))
		return err_set(err, ERR_INPUT, "give the incident's number, as INC-12");
	if (incident_read(connection, wanted, arena, &incident, err) < 0)
		return -1;
	if (incident.redirect_to)
		return err_set(err, ERR_MISSING, "INC-%llu is a part of INC-%llu now",
			(unsigned long long)wanted, (unsigned long long)incident.redirect_to);
	int failed = incident.n_alerts > INVOLVED_MAX
			     ? add_samples(connection, &incident, arena, out, err)
			     : add_all(connection, wanted, arena, out, err);
	if (failed)
		return -1;
	qsort(out->alerts, out->n, sizeof *out->alerts, compare_times);
	return 0;
}
