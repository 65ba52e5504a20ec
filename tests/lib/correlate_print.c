/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/correlate_print.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/incidents.h"

/* One row of "fingerprints": both context and other alerts of one fingerprint. */
static json_t *print_object(json_t *prints, const char *name)
{
	json_t *print = json_object_get(prints, name);
	if (!print) {
		print = json_pack("{s:i,s:[],s:s}", "n", 0, "occ", "severity", "info");
		json_object_set_new(prints, name, print);
	}
	return print;
}

static int compare_strings(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The 16 smallest of what is there and what the print brings. */
static void add_samples(json_t *print, const struct incident_print *row)
{
	char *all[64];
	size_t n = 0;
	json_t *list = json_object_get(print, "occ");
	for (size_t i = 0; i < json_array_size(list); i++)
		all[n++] = strdup(json_string_value(json_array_get(list, i)));
	for (size_t i = 0; i < row->n_samples; i++) {
		char hex[2 * OCCURRENCE_BYTES + 1];
		text_hex(hex, row->sample_occs[i], OCCURRENCE_BYTES);
		all[n++] = strdup(hex);
	}
	qsort(all, n, sizeof *all, compare_strings);
	json_array_clear(list);
	for (size_t i = 0; i < n; i++) {
		if (i < 16)
			json_array_append_new(list, json_string(all[i]));
		free(all[i]);
	}
}

static void add_print(const struct feed *feed, json_t *prints, const struct incident_print *row)
{
	union table_value *name = table_get(
		feed->names, (struct text){(const char *)row->fingerprint, FINGERPRINT_BYTES});
	assert(name);
	json_t *print = print_object(prints, name->pointer);
	enum severity severity;
	severity_parse(text_of(json_string_value(json_object_get(print, "severity"))), &severity);
	if (row->severity > severity)
		json_object_set_new(print, "severity", json_string(severity_name(row->severity)));
	json_t *n = json_object_get(print, "n");
	bool first = json_integer_value(n) == 0;
	json_integer_set(n, json_integer_value(n) + (json_int_t)row->n);
	if (first || row->lo_ns < json_integer_value(json_object_get(print, "lo")))
		json_object_set_new(print, "lo", json_integer(row->lo_ns));
	if (first || row->hi_ns > json_integer_value(json_object_get(print, "hi")))
		json_object_set_new(print, "hi", json_integer(row->hi_ns));
	add_samples(print, row);
}

static json_t *incident_object(const struct feed *feed, const struct incident *incident)
{
	json_t *tactics = json_array();
	json_t *sensors = json_array();
	json_t *prints = json_object();
	char content[33];
	for (unsigned rank = 1; rank <= N_TACTICS; rank++)
		if (incident->tactic_set & 1U << (rank - 1))
			json_array_append_new(tactics, json_string(tactic_info(rank)->shortname));
	for (size_t i = 0; i < incident->sensors.n; i++)
		json_array_append_new(sensors, json_stringn(incident->sensors.items[i].data,
						       incident->sensors.items[i].size));
	for (size_t i = 0; i < incident->n_prints; i++)
		add_print(feed, prints, &incident->prints[i]);
	text_hex(content, incident->content.bytes, 16);
	assert(incident->n_terms >= 2);
	return json_pack("{s:I,s:I,s:s,s:o,s:I,s:s%,s:I,s:I,s:o,s:s,s:o,s:i}", "alerts",
		(json_int_t)incident->n_alerts, "base",
		(json_int_t)(incident->terms[0].value_milli + incident->terms[1].value_milli),
		"content", content, "fingerprints", prints, "hi",
		(json_int_t)incident->last_seen_ns, "key", incident->key.data, incident->key.size,
		"lo", (json_int_t)incident->first_seen_ns, "risk", (json_int_t)incident->risk_milli,
		"sensors", sensors, "severity", severity_name(incident->severity), "tactics",
		tactics, "tactics_credited", (int)incident->tactics_credited);
}

/* Adds what the reference does not have: the number and what came from outside the alerts. */
static void add_details(json_t *object, const struct incident *incident)
{
	json_object_set_new(object, "number", json_integer((json_int_t)incident->number));
	json_object_set_new(object, "revision", json_integer((json_int_t)incident->revision));
	for (size_t i = 0; i < incident->n_terms; i++)
		if (strcmp(incident->terms[i].name, "novelty") == 0 ||
			strcmp(incident->terms[i].name, "criticality") == 0)
			json_object_set_new(object, incident->terms[i].name,
				json_integer((json_int_t)incident->terms[i].value_milli));
}

typedef void incident_seen(void *ctx, json_t *object);

/* Calls @seen with each incident that has alerts; it takes the object. */
static void visit(const struct feed *feed, bool details, incident_seen *seen, void *ctx)
{
	struct err err;
	struct incident_filter filter = {0};
	struct connection *connection = store_connection(feed->store);
	uint64_t before = 0;
	/* One transaction: else every statement locks the file. */
	if (connection_run(connection, "BEGIN", &err) < 0)
		feed_die(&err);
	do {
		AUTO(arena_done) struct arena arena;
		arena_init(&arena, SIZE_MAX);
		struct incident_page page = {.before = before, .limit = 100, .arena = &arena};
		if (incidents_list(connection, &filter, &page, &err) < 0)
			feed_die(&err);
		for (const struct incident *item = page.first; item; item = item->next) {
			struct incident whole;
			if (incident_read(connection, item->number, &arena, &whole, &err) < 0 ||
				incident_content(connection, &whole, &err) < 0)
				feed_die(&err);
			json_t *object = incident_object(feed, &whole);
			if (details)
				add_details(object, &whole);
			seen(ctx, object);
		}
		before = page.next_before;
	} while (before);
	if (connection_run(connection, "COMMIT", &err) < 0)
		feed_die(&err);
}

struct line_list {
	char **lines;
	size_t n, capacity;
};

static void add_line(void *ctx, json_t *object)
{
	struct line_list *list = ctx;
	if (list->n == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 64;
		list->lines = reallocarray(list->lines, list->capacity, sizeof *list->lines);
		assert(list->lines);
	}
	list->lines[list->n++] = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(object);
}

void print_incidents(const struct feed *feed, bool details)
{
	struct line_list list = {0};
	visit(feed, details, add_line, &list);
	if (list.n)
		qsort(list.lines, list.n, sizeof *list.lines, compare_strings);
	for (size_t i = 0; i < list.n; i++) {
		puts(list.lines[i]);
		free(list.lines[i]);
	}
	free(list.lines);
}

static void add_live(void *ctx, json_t *object)
{
	json_array_append_new(ctx, object);
}

/* Numbers that are not listed: where they went, 0 when their alerts are gone. */
static json_t *read_gone(const struct feed *feed)
{
	struct err err;
	json_t *gone = json_object();
	struct connection *connection = store_connection(feed->store);
	for (uint64_t number = 1;; number++) {
		AUTO(arena_done) struct arena arena;
		struct incident incident = {0};
		char name[24];
		arena_init(&arena, SIZE_MAX);
		int failed = incident_read(connection, number, &arena, &incident, &err);
		if (failed && incident.number != number)
			return gone; /* there is no such number: the last was before it */
		if (failed && err.kind != ERR_MISSING)
			feed_die(&err);
		text_format(name, sizeof name, "%" PRIu64, number);
		if (failed || incident.redirect_to)
			json_object_set_new(
				gone, name, json_integer((json_int_t)incident.redirect_to));
	}
}

void print_state(const struct feed *feed)
{
	json_t *live = json_array();
	visit(feed, true, add_live, live);
	json_t *state = json_pack("{s:o,s:o}", "live", live, "gone", read_gone(feed));
	char *line = json_dumps(state, JSON_COMPACT | JSON_SORT_KEYS);
	printf("@%s\n", line);
	free(line);
	json_decref(state);
}
