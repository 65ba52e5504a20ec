/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Feeds the reference's lines (alerts, facts, edits, criticality) through the real store and
 *correlator and prints what the reference prints: one canonical JSON line per incident, sorted.
 *
 *	correlate-dump DATABASE SEED RESTART_EVERY <lines
 *
 * Transactions have random sizes drawn from SEED (0: one line each); after every RESTART_EVERY
 * transactions (0: never) the store is closed and opened again, so that nothing is left in memory.
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
	bool one_by_one;
	uint64_t random;
	struct arena arena; /* of everything that lives to the end */
	json_t **lines;
	size_t n_lines;
	struct criticality_rule *rules;
	struct criticality_rules criticality;
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
	dump->correlator = correlator_new(&dump->criticality);
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
static void hash_fingerprint(
	struct text name, struct text sensor, unsigned char out[FINGERPRINT_BYTES])
{
	struct digest_state *state = digest_start();
	digest_add_part(state, name);
	digest_add_part(state, sensor);
	struct digest digest = digest_end(state);
	memcpy(out, digest.bytes, FINGERPRINT_BYTES);
}

static void read_fingerprint(struct dump *dump, struct alert *alert, struct text name)
{
	hash_fingerprint(name, alert->sensor, alert->fingerprint);
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

static struct text word(const json_t *line, const char *name)
{
	return text_of(json_string_value(json_object_get(line, name)));
}

static void give_fact(struct dump *dump, const json_t *line)
{
	static const char *const ranks[] = {"sensor", "agent", "watch"};
	struct err err;
	struct fact fact = {
		.kind = text_is(word(line, "fact"), "ctr") ? FACT_CONTAINER : FACT_NAME,
		.cluster = word(line, "cluster"),
		.container = word(line, "ctr"),
		.uid = word(line, "uid"),
		.name = word(line, "name"),
		.start_ns = json_integer_value(json_object_get(line, "start")),
	};
	for (unsigned i = 0; i < 3; i++)
		if (text_is(word(line, "rank"), ranks[i]))
			fact.rank = (enum fact_rank)i;
	if (correlator_fact(dump->correlator, &fact, fact.start_ns, &err) < 0)
		die(&err);
}

static void read_unlink(struct edit *edit, const json_t *line)
{
	static const char *const sensors[] = {"falco", "kubearmor"};
	const json_t *slots = json_object_get(line, "slots");
	edit->kind = EDIT_UNLINK;
	edit->from_slot = json_integer_value(json_array_get(slots, 0));
	edit->to_slot = json_integer_value(json_array_get(slots, 1));
	edit->n_prints = 2;
	for (unsigned i = 0; i < 2; i++)
		hash_fingerprint(word(line, "unlink"), text_of(sensors[i]), edit->prints[i]);
}

static void give_edit(struct dump *dump, const json_t *line)
{
	struct err err;
	char undo[80];
	struct edit edit = {.kind = EDIT_CUT, .id = word(line, "edit")};
	struct text anchor = word(line, "cut");
	if (json_object_get(line, "undo")) {
		edit.kind = EDIT_UNDO;
		edit.target = word(line, "undo");
		edit.id.data = undo;
		edit.id.size = text_format(undo, sizeof undo, "undo %.*s", TEXT_ARG(edit.target));
	} else if (json_object_get(line, "unlink")) {
		anchor = word(line, "anchor");
		read_unlink(&edit, line);
	} else {
		edit.target = word(line, "of");
		edit.from_slot = edit.to_slot = json_integer_value(json_object_get(line, "slot"));
	}
	if (anchor.size) {
		bool valid = text_to_bytes(anchor, edit.anchor, OCCURRENCE_BYTES);
		assert(valid);
	}
	if (correlator_edit(dump->correlator, store_connection(dump->store), &edit, &err) < 0)
		die(&err);
}

/* Lines from @from on, up to @to, in one transaction. */
static void commit(struct dump *dump, size_t from, size_t to)
{
	struct err err;
	struct connection *connection = store_connection(dump->store);
	struct batch *batch = batch_new();
	assert(batch);
	batch->source = SOURCE_TOCSIN;
	batch->cluster = TEXT("c");
	for (size_t i = from; i < to; i++) {
		char raw[64];
		size_t size = text_format(raw, sizeof raw, "%zu", i);
		if (json_object_get(dump->lines[i], "occ"))
			read_alert(dump, batch, dump->lines[i], (struct text){raw, size});
	}
	if (store_begin(dump->store, &err) < 0 || store_add_batch(dump->store, batch, &err) < 0)
		die(&err);
	for (struct alert *alert = batch->first; alert; alert = alert->next)
		if (correlator_add(dump->correlator, connection, alert, &err) < 0)
			die(&err);
	for (size_t i = from; i < to; i++) {
		if (json_object_get(dump->lines[i], "fact"))
			give_fact(dump, dump->lines[i]);
		else if (json_object_get(dump->lines[i], "edit") ||
			 json_object_get(dump->lines[i], "undo"))
			give_edit(dump, dump->lines[i]);
	}
	if (correlator_finish(dump->correlator, connection, 0, &err) < 0 ||
		store_flush(dump->store, &err) < 0 || store_commit(dump->store, &err) < 0)
		die(&err);
	batch_free(batch);
}

/* Criticality is configuration: it is known before the first alert. */
static void read_criticality(struct dump *dump, const json_t *line)
{
	static const struct {
		const char *name;
		enum criticality level;
	} levels[] = {{"low", CRITICALITY_LOW}, {"normal", CRITICALITY_NORMAL},
		{"high", CRITICALITY_HIGH}, {"extreme", CRITICALITY_EXTREME}};
	struct criticality_rule *rule = &dump->rules[dump->criticality.n++];
	rule->pattern = arena_format(&dump->arena, "pod:%.*s", TEXT_ARG(word(line, "crit")));
	for (unsigned i = 0; i < 4; i++)
		if (text_is(word(line, "level"), levels[i].name))
			rule->level = levels[i].level;
}

static void read_lines(struct dump *dump)
{
	enum { LINES_MAX = 100000 };
	AUTO(free) char *line = NULL;
	size_t capacity = 0;
	ssize_t size;
	dump->lines = arena_array(&dump->arena, LINES_MAX, sizeof(*dump->lines));
	dump->rules = arena_array(&dump->arena, LINES_MAX, sizeof *dump->rules);
	assert(dump->lines && dump->rules);
	dump->criticality.items = dump->rules;
	while ((size = getline(&line, &capacity, stdin)) > 0) {
		json_t *object = json_loadb(line, (size_t)size, 0, NULL);
		assert(object && dump->n_lines < LINES_MAX);
		dump->lines[dump->n_lines++] = object;
		if (json_object_get(object, "crit"))
			read_criticality(dump, object);
	}
}

static void feed(struct dump *dump, unsigned long restart_every)
{
	unsigned long n_transactions = 0;
	for (size_t from = 0; from < dump->n_lines;) {
		size_t wanted = dump->one_by_one ? 1 : 1 + next_random(dump) % 60;
		size_t to = wanted < dump->n_lines - from ? from + wanted : dump->n_lines;
		commit(dump, from, to);
		from = to;
		if (restart_every && ++n_transactions % restart_every == 0) {
			close_store(dump);
			open_store(dump);
		}
	}
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
	struct dump dump = {.path = argv[1], .random = strtoull(argv[2], NULL, 10)};
	dump.one_by_one = dump.random == 0;
	dump.random |= 1;
	arena_init(&dump.arena, SIZE_MAX);
	read_lines(&dump);
	clock_manual_init(&dump.clock, INT64_C(1790000000) * NS_PER_S);
	dump.names = table_new(free);
	open_store(&dump);
	feed(&dump, strtoul(argv[3], NULL, 10));
	print_incidents(&dump);
	close_store(&dump);
	for (size_t i = 0; i < dump.n_lines; i++)
		json_decref(dump.lines[i]);
	arena_done(&dump.arena);
	table_free(dump.names);
	return 0;
}
