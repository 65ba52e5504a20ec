/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Feeds the reference's alert lines through the real store and correlator and prints what the
 *reference prints: one canonical JSON line per incident, sorted.
 *
 *	correlate-dump DATABASE SEED RESTART_EVERY <lines
 *
 * Transactions have random sizes drawn from SEED; after every RESTART_EVERY transactions (0: never)
 *the store is closed and opened again, so that nothing is left in memory.
 */

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "pipeline/correlator.h"
#include "store/incidents.h"
#include "store/store.h"

struct dump {
	const char *path;
	struct clock_manual clock;
	struct store *store;
	struct correlator *correlator;
	struct table *names; /* fingerprint hash → its name in the input */
	uint64_t random;
};

static void die(const struct err *err)
{
	fprintf(stderr, "correlate-dump: %s\n", err->text);
	exit(1);
}

static void open_store(struct dump *dump)
{
	struct err err;
	struct store_options options = {
		.path = dump->path,
		.clock = &dump->clock.clock,
		.horizon_s = INT64_C(3650) * 86400,
	};
	if (store_open(&dump->store, &options, &err) < 0)
		die(&err);
	dump->correlator = correlator_new();
	assert(dump->correlator);
}

static void close_store(struct dump *dump)
{
	correlator_free(dump->correlator);
	store_close(dump->store);
}

static uint64_t next_random(struct dump *dump)
{
	dump->random ^= dump->random << 13;
	dump->random ^= dump->random >> 7;
	dump->random ^= dump->random << 17;
	return dump->random;
}

static struct text member(struct arena *arena, const json_t *line, const char *name)
{
	return arena_copy(arena, text_of(json_string_value(json_object_get(line, name))));
}

static void read_tactics(struct alert *alert, const json_t *list)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item)
	{
		for (unsigned rank = 1; rank <= N_TACTICS; rank++)
			if (strcmp(json_string_value(item), tactic_info(rank)->shortname) == 0)
				alert->tactics |= (tactic_mask)(1U << (rank - 1));
	}
}

/* In the product a fingerprint determines its sensor; the streams draw both, so both go into the
 * hash. */
static void read_fingerprint(struct dump *dump, struct alert *alert, struct text name)
{
	struct digest_state *state = digest_start();
	digest_add_part(state, name);
	digest_add_part(state, alert->sensor);
	struct digest digest = digest_end(state);
	memcpy(alert->fingerprint, digest.bytes, FINGERPRINT_BYTES);
	union table_value *place = table_put(
		dump->names, (struct text){(char *)alert->fingerprint, FINGERPRINT_BYTES});
	assert(place);
	if (!place->pointer)
		place->pointer = strndup(name.data, name.size);
}

static void read_alert(struct dump *dump, struct batch *batch, const json_t *line, struct text raw)
{
	struct alert *alert = batch_alert_new(batch);
	struct arena *arena = &batch->arena;
	assert(alert);
	alert->raw = arena_copy(arena, raw);
	alert->raw_digest = digest_of(raw);
	bool valid = text_to_bytes(member(arena, line, "occ"), alert->occ, OCCURRENCE_BYTES);
	assert(valid);
	alert->time_ns = json_integer_value(json_object_get(line, "t"));
	alert->received_ns = alert->time_ns;
	alert->cluster = member(arena, line, "cluster");
	alert->pod_uid = member(arena, line, "uid");
	alert->container_id = member(arena, line, "ctr");
	struct text name = member(arena, line, "name");
	if (name.size) {
		text_split(&name, '/', &alert->namespace);
		alert->pod = name;
	}
	alert->node = member(arena, line, "node");
	alert->rule = member(arena, line, "rule");
	alert->sensor = member(arena, line, "sensor");
	valid = severity_parse(member(arena, line, "severity"), &alert->severity);
	assert(valid);
	read_tactics(alert, json_object_get(line, "tactics"));
	if (json_is_true(json_object_get(line, "context")))
		alert->flags |= ALERT_CONTEXT;
	read_fingerprint(dump, alert, member(arena, line, "fp"));
	batch_add(batch, alert);
}

static void commit(struct dump *dump, struct batch *batch)
{
	struct err err;
	struct connection *connection = store_connection(dump->store);
	if (store_begin(dump->store, &err) < 0 || store_add_batch(dump->store, batch, &err) < 0)
		die(&err);
	for (struct alert *alert = batch->first; alert; alert = alert->next)
		if (correlator_add(dump->correlator, connection, alert, &err) < 0)
			die(&err);
	if (correlator_finish(dump->correlator, connection, 0, &err) < 0 ||
		store_flush(dump->store, &err) < 0 || store_commit(dump->store, &err) < 0)
		die(&err);
	batch_free(batch);
}

static struct batch *new_batch(void)
{
	struct batch *batch = batch_new();
	assert(batch);
	batch->source = SOURCE_TOCSIN;
	batch->cluster = TEXT("c");
	return batch;
}

static void feed(struct dump *dump, unsigned long restart_every)
{
	AUTO(free) char *line = NULL;
	size_t capacity = 0;
	ssize_t size;
	unsigned long n_transactions = 0;
	struct batch *batch = new_batch();
	uint64_t wanted = 1 + next_random(dump) % 60;
	while ((size = getline(&line, &capacity, stdin)) > 0) {
		json_t *object = json_loadb(line, (size_t)size, 0, NULL);
		assert(object);
		read_alert(dump, batch, object, (struct text){line, (size_t)size});
		json_decref(object);
		if (batch->n_alerts < wanted)
			continue;
		commit(dump, batch);
		batch = new_batch();
		wanted = 1 + next_random(dump) % 60;
		if (restart_every && ++n_transactions % restart_every == 0) {
			close_store(dump);
			open_store(dump);
		}
	}
	commit(dump, batch);
}

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

static void add_print(struct dump *dump, json_t *prints, const struct incident_print *row)
{
	union table_value *name = table_get(
		dump->names, (struct text){(const char *)row->fingerprint, FINGERPRINT_BYTES});
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

static char *incident_line(struct dump *dump, const struct incident *incident)
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
		add_print(dump, prints, &incident->prints[i]);
	text_hex(content, incident->content.bytes, 16);
	assert(incident->n_terms >= 2);
	json_t *object = json_pack("{s:I,s:I,s:s,s:o,s:I,s:s%,s:I,s:I,s:o,s:s,s:o,s:i}", "alerts",
		(json_int_t)incident->n_alerts, "base",
		(json_int_t)(incident->terms[0].value_milli + incident->terms[1].value_milli),
		"content", content, "fingerprints", prints, "hi",
		(json_int_t)incident->last_seen_ns, "key", incident->key.data, incident->key.size,
		"lo", (json_int_t)incident->first_seen_ns, "risk", (json_int_t)incident->risk_milli,
		"sensors", sensors, "severity", severity_name(incident->severity), "tactics",
		tactics, "tactics_credited", (int)incident->tactics_credited);
	char *line = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(object);
	return line;
}

static void print_incidents(struct dump *dump)
{
	static char *lines[20000];
	size_t n = 0;
	struct err err;
	struct incident_filter filter = {0};
	struct connection *connection = store_connection(dump->store);
	uint64_t before = 0;
	do {
		AUTO(arena_done) struct arena arena;
		arena_init(&arena, SIZE_MAX);
		struct incident_page page = {.before = before, .limit = 100, .arena = &arena};
		if (incidents_list(connection, &filter, &page, &err) < 0)
			die(&err);
		for (const struct incident *item = page.first; item; item = item->next) {
			struct incident whole;
			if (incident_read(connection, item->number, &arena, &whole, &err) < 0 ||
				incident_content(connection, &whole, &arena, &err) < 0)
				die(&err);
			assert(n < sizeof lines / sizeof lines[0]);
			lines[n++] = incident_line(dump, &whole);
		}
		before = page.next_before;
	} while (before);
	qsort(lines, n, sizeof *lines, compare_strings);
	for (size_t i = 0; i < n; i++) {
		puts(lines[i]);
		free(lines[i]);
	}
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: correlate-dump DATABASE SEED RESTART_EVERY <lines\n", stderr);
		return 64;
	}
	struct dump dump = {.path = argv[1], .random = strtoull(argv[2], NULL, 10) | 1};
	clock_manual_init(&dump.clock, INT64_C(1790000000) * NS_PER_S);
	dump.names = table_new(free);
	open_store(&dump);
	feed(&dump, strtoul(argv[3], NULL, 10));
	print_incidents(&dump);
	close_store(&dump);
	table_free(dump.names);
	return 0;
}
