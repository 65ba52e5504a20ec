/* SPDX-License-Identifier: Apache-2.0 */
#include "model/slot.h"

#include <string.h>

uint64_t slot_mark(const unsigned char occ[OCCURRENCE_BYTES])
{
	uint64_t mark = 0;
	for (unsigned i = 0; i < 8; i++)
		mark = mark << 8 | occ[i];
	return mark;
}

int64_t slot_of(int64_t time_ns)
{
	return time_ns / SLOT_NS - (time_ns % SLOT_NS < 0);
}

struct slot_key slot_key_of(const struct alert *alert)
{
	int64_t context = alert_is(alert, ALERT_CONTEXT) ? 1 : 0;
	return (struct slot_key){
		alert->slot, alert->entity_id, alert->fingerprint_id << 1 | context};
}

void slot_row_of(struct slot_row *row, const struct alert *alert)
{
	struct slot_key key = slot_key_of(alert);
	*row = (struct slot_row){
		.slot = key.slot,
		.entity = key.entity,
		.print = key.print,
		.lo_ns = alert->time_ns,
		.hi_ns = alert->time_ns,
		.severity = alert->severity,
		.n = 1,
		.deliveries = alert->count,
		.tactics = alert->tactics,
		.terminals = attack_terminals(alert->tactics, alert->techniques,
			alert->n_techniques, alert_is_on_node(alert)),
		.sensors = UINT64_C(1) << alert->sensor_id,
		.mark = slot_mark(alert->occ),
		.rule = alert->rule_id,
		.n_techniques = alert->n_techniques,
		.n_samples = 1,
		.samples[0].leaf = alert->leaf,
	};
	memcpy(row->techniques, alert->techniques, sizeof alert->techniques);
	memcpy(row->samples[0].occ, alert->occ, OCCURRENCE_BYTES);
}

static void add_technique(struct slot_row *row, technique_code technique)
{
	size_t at = 0;
	while (at < row->n_techniques && row->techniques[at] < technique)
		at++;
	if (at < row->n_techniques && row->techniques[at] == technique)
		return;
	if (at == SLOT_TECHNIQUES_MAX)
		return;
	/* The smallest are kept, so that a full set is the same in any order. */
	if (row->n_techniques < SLOT_TECHNIQUES_MAX)
		row->n_techniques++;
	memmove(row->techniques + at + 1, row->techniques + at,
		(row->n_techniques - at - 1) * sizeof *row->techniques);
	row->techniques[at] = technique;
}

static void add_sample(struct slot_row *row, const struct slot_sample *sample)
{
	size_t at = row->n_samples;
	while (at > 0 && memcmp(row->samples[at - 1].occ, sample->occ, OCCURRENCE_BYTES) > 0)
		at--;
	if (at > 0 && memcmp(row->samples[at - 1].occ, sample->occ, OCCURRENCE_BYTES) == 0)
		return;
	if (at == SLOT_SAMPLES_MAX)
		return;
	if (row->n_samples < SLOT_SAMPLES_MAX)
		row->n_samples++;
	memmove(row->samples + at + 1, row->samples + at,
		(row->n_samples - at - 1) * sizeof *row->samples);
	row->samples[at] = *sample;
}

uint64_t deliveries_add(uint64_t a, uint64_t b)
{
	return a < INT64_MAX && b < INT64_MAX - a ? a + b : INT64_MAX;
}

void slot_row_join(struct slot_row *into, const struct slot_row *other)
{
	if (other->lo_ns < into->lo_ns)
		into->lo_ns = other->lo_ns;
	if (other->hi_ns > into->hi_ns)
		into->hi_ns = other->hi_ns;
	if (other->severity > into->severity)
		into->severity = other->severity;
	into->n += other->n;
	into->deliveries = deliveries_add(into->deliveries, other->deliveries);
	into->tactics |= other->tactics;
	into->terminals |= other->terminals;
	into->sensors |= other->sensors;
	into->mark += other->mark;
	for (size_t i = 0; i < other->n_techniques; i++)
		add_technique(into, other->techniques[i]);
	for (size_t i = 0; i < other->n_samples; i++)
		add_sample(into, &other->samples[i]);
}
