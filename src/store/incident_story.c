/* SPDX-License-Identifier: Apache-2.0 */
#include "store/incident_story.h"

#include <stdlib.h>
#include <string.h>

#include "store/frozen.h"
#include "store/slot_alerts.h"
#include "store/slot_walk.h"

/* Rows of the whole incident, one per print, joined over its slots. */
struct prints {
	struct arena *arena;
	struct slot_row **rows;
	size_t n, capacity;
};

static bool add_row(struct prints *prints, const struct slot_row *row)
{
	for (size_t i = 0; i < prints->n; i++)
		if (prints->rows[i]->print == row->print) {
			slot_row_join(prints->rows[i], row);
			return true;
		}
	if (prints->n == prints->capacity) {
		size_t capacity = prints->capacity ? prints->capacity * 2 : 16;
		struct slot_row **rows = arena_array(prints->arena, capacity, sizeof *rows);
		if (!rows)
			return false;
		if (prints->n)
			memcpy(rows, prints->rows, prints->n * sizeof(*rows));
		prints->rows = rows;
		prints->capacity = capacity;
	}
	struct slot_row *copy = arena_alloc(prints->arena, sizeof *copy);
	if (!copy)
		return false;
	*copy = *row;
	prints->rows[prints->n++] = copy;
	return true;
}

static void add_tactics(struct incident *incident, const struct slot_row *row)
{
	for (unsigned rank = 1; rank <= N_TACTICS && !slot_row_is_context(row); rank++) {
		if (!(row->tactics & 1U << (rank - 1)))
			continue;
		size_t i = 0;
		while (i < incident->n_tactics && incident->tactics[i].rank != rank)
			i++;
		if (i == incident->n_tactics)
			incident->tactics[incident->n_tactics++] =
				(struct incident_tactic){rank, row->lo_ns};
		else if (row->lo_ns < incident->tactics[i].first_seen_ns)
			incident->tactics[i].first_seen_ns = row->lo_ns;
	}
}

static int compare_tactics(const void *left, const void *right)
{
	const struct incident_tactic *a = left, *b = right;
	if (a->first_seen_ns != b->first_seen_ns)
		return a->first_seen_ns < b->first_seen_ns ? -1 : 1;
	return (a->rank > b->rank) - (a->rank < b->rank);
}

static void add_technique(struct incident *incident, technique_code technique)
{
	size_t at = 0;
	while (at < incident->n_techniques && incident->techniques[at] < technique)
		at++;
	size_t max = sizeof incident->techniques / sizeof incident->techniques[0];
	if ((at < incident->n_techniques && incident->techniques[at] == technique) ||
		incident->n_techniques == max)
		return;
	memmove(incident->techniques + at + 1, incident->techniques + at,
		(incident->n_techniques - at) * sizeof *incident->techniques);
	incident->techniques[at] = technique;
	incident->n_techniques++;
}

/* Names of one fingerprint. */
static int read_print(struct connection *connection, const struct slot_row *row,
	struct arena *arena, struct incident_print *print, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT f.hash, r.name, s.name, f.exe, f.parent, f.operation, f.resource"
		" FROM fingerprint f JOIN rule r ON r.id = f.rule JOIN sensor s ON s.id = f.sensor"
		" WHERE f.id = ?1",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, row->print >> 1);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (!found)
		return err_set(err, ERR_CORRUPT, "fingerprint %lld is not there",
			(long long)(row->print >> 1));
	struct text hash = sql_blob(statement, 0);
	if (hash.size == FINGERPRINT_BYTES)
		memcpy(print->fingerprint, hash.data, FINGERPRINT_BYTES);
	struct text *texts[] = {&print->rule, &print->sensor, &print->exe, &print->parent,
		&print->operation, &print->resource};
	for (int i = 0; i < 6; i++)
		*texts[i] = arena_copy(arena, sql_text(statement, i + 1));
	sqlite3_reset(statement);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory reading an incident") : 0;
}

static int fill_print(struct connection *connection, const struct slot_row *row,
	struct arena *arena, struct incident_print *print, struct err *err)
{
	if (read_print(connection, row, arena, print, err) < 0)
		return -1;
	print->context = slot_row_is_context(row);
	print->severity = row->severity;
	print->n = row->n;
	print->lo_ns = row->lo_ns;
	print->hi_ns = row->hi_ns;
	print->n_samples = row->n_samples;
	for (size_t i = 0; i < row->n_samples; i++) {
		print->sample_leaves[i] = row->samples[i].leaf;
		memcpy(print->sample_occs[i], row->samples[i].occ, OCCURRENCE_BYTES);
	}
	return 0;
}

/* In order of first appearance, then by fingerprint: the same whatever the order of arrival. */
static int compare_prints(const void *left, const void *right)
{
	const struct incident_print *a = left, *b = right;
	if (a->lo_ns != b->lo_ns)
		return a->lo_ns < b->lo_ns ? -1 : 1;
	int order = memcmp(a->fingerprint, b->fingerprint, FINGERPRINT_BYTES);
	return order ? order : a->context - b->context;
}

static void count_rules(struct incident *incident)
{
	for (size_t i = 0; i < incident->n_prints; i++)
		for (size_t j = 0; j < incident->n_rules; j++)
			if (text_equal(incident->rules[j].name, incident->prints[i].rule))
				incident->rules[j].n += incident->prints[i].n;
}

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory reading an incident");
}

static bool tell_row(struct incident *incident, struct prints *prints, const struct slot_row *row)
{
	for (size_t i = 0; i < row->n_techniques; i++)
		add_technique(incident, row->techniques[i]);
	return add_row(prints, row);
}

static int tell_frozen(struct connection *connection, struct incident *incident,
	struct prints *prints, struct err *err)
{
	struct slot_rows rows;
	if (frozen_story_read(connection, incident, prints->arena, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows.n; i++)
		if (!tell_row(incident, prints, &rows.rows[i]))
			return no_memory(err);
	return 0;
}

/* The incident's own rows of one part of a slot. */
static bool tell_rows(
	struct incident *incident, struct prints *prints, const struct slot_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct slot_row *row = &rows->rows[i];
		if (!claims_have(&incident->claims, row->slot, row->print))
			continue;
		incident->n_deliveries = deliveries_add(incident->n_deliveries, row->deliveries);
		add_tactics(incident, row);
		if (!tell_row(incident, prints, row))
			return false;
	}
	return true;
}

static int tell_slots(struct connection *connection, struct incident *incident,
	struct prints *prints, struct err *err)
{
	struct slot_walk walk;
	struct slot_part part;
	int step;
	if (slot_walk_start(&walk, connection, incident, prints->arena, err) < 0)
		return -1;
	while ((step = slot_walk_next(&walk, &part, err)) > 0) {
		struct slot_rows rows;
		if (slots_read(connection, &part, true, prints->arena, &rows, err) < 0)
			return -1;
		if (!tell_rows(incident, prints, &rows))
			return no_memory(err);
	}
	return step;
}

int incident_story_read(struct connection *connection, struct incident *incident,
	struct arena *arena, struct err *err)
{
	struct prints prints = {.arena = arena};
	if ((incident->frozen && tell_frozen(connection, incident, &prints, err) < 0) ||
		tell_slots(connection, incident, &prints, err) < 0)
		return -1;
	incident->prints = arena_array(arena, prints.n + 1, sizeof *incident->prints);
	if (!incident->prints)
		return no_memory(err);
	for (size_t i = 0; i < prints.n; i++)
		if (fill_print(connection, prints.rows[i], arena, &incident->prints[i], err) < 0)
			return -1;
	incident->n_prints = prints.n;
	qsort(incident->prints, prints.n, sizeof *incident->prints, compare_prints);
	qsort(incident->tactics, incident->n_tactics, sizeof *incident->tactics, compare_tactics);
	count_rules(incident);
	return 0;
}

static bool first_sample(const struct incident *incident, const struct slot_rows *rows,
	unsigned char occ[OCCURRENCE_BYTES])
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct slot_row *row = &rows->rows[i];
		if (!row->n_samples || !claims_have(&incident->claims, row->slot, row->print))
			continue;
		memcpy(occ, row->samples[0].occ, OCCURRENCE_BYTES);
		return true;
	}
	return false;
}

int incident_anchor(struct connection *connection, const struct incident *incident,
	struct arena *arena, unsigned char occ[OCCURRENCE_BYTES], struct err *err)
{
	struct slot_walk walk;
	struct slot_part part;
	int step;
	if (slot_walk_start(&walk, connection, incident, arena, err) < 0)
		return -1;
	while ((step = slot_walk_next(&walk, &part, err)) > 0) {
		struct slot_rows rows;
		if (slots_read(connection, &part, true, arena, &rows, err) < 0)
			return -1;
		if (first_sample(incident, &rows, occ))
			return 0;
	}
	return step < 0 ? -1
			: err_set(err, ERR_CORRUPT, "INC-%llu has no alerts",
				  (unsigned long long)incident->number);
}

/* The alerts of one part of a slot: leaf, occ, fingerprint. */
static sqlite3_stmt *alerts_of(
	struct connection *connection, const struct slot_part *part, struct err *err)
{
	return slot_alerts(connection,
		SLOT_RUNS "SELECT a.leaf, a.occ, a.fingerprint FROM " SLOT_ALERTS_FROM
			  " WHERE " SLOT_ALERTS_WHERE,
		part, 0, err);
}

/* Is the row of alerts_of the incident's own, where unlinks carved some away? */
static bool is_own(const struct incident *incident, int64_t slot, sqlite3_stmt *statement)
{
	return claims_have(&incident->claims, slot, sql_i64(statement, 2) << 1);
}

static int compare_leaves(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

/* Keeps the @limit smallest by sorting whenever twice as many have come together. */
static void trim_leaves(struct leaf_page *page)
{
	qsort(page->leaves, page->n, sizeof *page->leaves, compare_leaves);
	if (page->n > page->limit + 1)
		page->n = page->limit + 1;
}

static int collect_leaves(struct slot_walk *walk, const struct slot_part *part,
	struct leaf_page *page, struct err *err)
{
	sqlite3_stmt *statement = alerts_of(walk->connection, part, err);
	int step;
	if (!statement)
		return -1;
	while ((step = sql_step(statement, err)) > 0) {
		uint64_t leaf = (uint64_t)sql_i64(statement, 0);
		if (leaf < page->from || !is_own(walk->incident, part->slot, statement))
			continue;
		page->leaves[page->n++] = leaf;
		if (page->n == 2 * page->limit + 2)
			trim_leaves(page);
	}
	return step;
}

int incident_leaves(
	struct connection *connection, uint64_t number, struct leaf_page *page, struct err *err)
{
	struct incident incident = {0};
	struct slot_walk walk;
	struct slot_part part;
	int step;
	page->n = 0;
	page->next_from = 0;
	page->leaves = arena_array(page->arena, 2 * page->limit + 2, sizeof *page->leaves);
	if (!page->leaves)
		return err_set(err, ERR_MEMORY, "out of memory reading an incident's alerts");
	if (incident_extent_read(connection, number, page->arena, &incident, err) < 0 ||
		slot_walk_start(&walk, connection, &incident, page->arena, err) < 0)
		return -1;
	while ((step = slot_walk_next(&walk, &part, err)) > 0)
		if (collect_leaves(&walk, &part, page, err) < 0)
			return -1;
	trim_leaves(page);
	if (page->n > page->limit) {
		page->n = page->limit;
		page->next_from = page->leaves[page->n - 1] + 1;
	}
	return step;
}
