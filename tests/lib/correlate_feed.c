/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/correlate_feed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void feed_die(const struct err *err)
{
	fprintf(stderr, "correlate-dump: %s\n", err->text);
	exit(1);
}

static void open_store(struct feed *feed, const struct feed_job *job)
{
	struct err err;
	struct store_options options = {
		.path = feed->path,
		.vfs = feed->vfs,
		.clock = &feed->clock.clock,
		.horizon_s = job->horizon_s,
	};
	if (store_open(&feed->store, &options, &err) < 0)
		feed_die(&err);
	feed->correlator = correlator_new(&feed->criticality);
	assert(feed->correlator);
}

static void close_store(struct feed *feed)
{
	correlator_free(feed->correlator);
	store_close(feed->store);
	feed->correlator = NULL;
	feed->store = NULL;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct text word(const json_t *line, const char *name)
{
	return text_of(json_string_value(json_object_get(line, name)));
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
	struct digest_state room, *state = digest_start(&room);
	digest_add_part(state, name);
	digest_add_part(state, sensor);
	struct digest digest = digest_end(state);
	memcpy(out, digest.bytes, FINGERPRINT_BYTES);
}

static void name_fingerprint(struct feed *feed, const json_t *line)
{
	unsigned char hash[FINGERPRINT_BYTES];
	struct text name = word(line, "fp");
	hash_fingerprint(name, word(line, "sensor"), hash);
	union table_value *place =
		table_put(feed->names, (struct text){(char *)hash, FINGERPRINT_BYTES});
	assert(place);
	if (!place->pointer)
		place->pointer = strndup(name.data, name.size);
}

static void read_alert(struct batch *batch, const json_t *line, struct text raw)
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
	if (json_is_true(json_object_get(line, "untrusted")))
		alert->flags |= ALERT_TIME_UNTRUSTED;
	hash_fingerprint(member(arena, line, "fp"), alert->sensor, alert->fingerprint);
	batch_add(batch, alert);
}

static void give_fact(struct feed *feed, const json_t *line)
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
	if (correlator_fact(feed->correlator, &fact, fact.start_ns, &err) < 0)
		feed_die(&err);
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

static void give_edit(struct feed *feed, const json_t *line)
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
	if (correlator_edit(feed->correlator, store_connection(feed->store), &edit, &err) < 0)
		feed_die(&err);
}

/* Lines from @from on, up to @to, in one transaction. */
static void commit(struct feed *feed, size_t from, size_t to)
{
	struct err err;
	struct connection *connection = store_connection(feed->store);
	struct batch *batch = batch_new();
	assert(batch);
	batch->source = SOURCE_TOCSIN;
	batch->cluster = TEXT("c");
	for (size_t i = from; i < to; i++) {
		char raw[64];
		size_t size = text_format(raw, sizeof raw, "%zu", i);
		if (json_object_get(feed->lines[i], "occ"))
			read_alert(batch, feed->lines[i], (struct text){raw, size});
	}
	if (store_begin(feed->store, &err) < 0 || store_add_batch(feed->store, batch, &err) < 0)
		feed_die(&err);
	for (struct alert *alert = batch->first; alert; alert = alert->next)
		if (correlator_add(feed->correlator, connection, alert, &err) < 0)
			feed_die(&err);
	for (size_t i = from; i < to; i++) {
		if (json_object_get(feed->lines[i], "fact"))
			give_fact(feed, feed->lines[i]);
		else if (json_object_get(feed->lines[i], "edit") ||
			 json_object_get(feed->lines[i], "undo"))
			give_edit(feed, feed->lines[i]);
	}
	if (correlator_finish(feed->correlator, connection, 0, &err) < 0 ||
		store_flush(feed->store, &err) < 0 || store_commit(feed->store, &err) < 0)
		feed_die(&err);
	batch_free(batch);
}

/* Criticality is configuration: it is known before the first alert. */
static void read_criticality(struct feed *feed, const json_t *line, struct criticality_rule *rule)
{
	static const struct {
		const char *name;
		enum criticality level;
	} levels[] = {{"low", CRITICALITY_LOW}, {"normal", CRITICALITY_NORMAL},
		{"high", CRITICALITY_HIGH}, {"extreme", CRITICALITY_EXTREME}};
	rule->pattern = word(line, "glob");
	if (!rule->pattern.size)
		rule->pattern =
			arena_format(&feed->arena, "pod:%.*s", TEXT_ARG(word(line, "crit")));
	for (unsigned i = 0; i < 4; i++)
		if (text_is(word(line, "level"), levels[i].name))
			rule->level = levels[i].level;
}

void feed_init(struct feed *feed, const char *path, const char *vfs, json_t **lines, size_t n)
{
	*feed = (struct feed){.path = path, .vfs = vfs, .lines = lines, .n_lines = n};
	arena_init(&feed->arena, SIZE_MAX);
	feed->names = table_new(free);
	struct criticality_rule *rules = arena_array(&feed->arena, n + 1, sizeof *rules);
	assert(feed->names && rules);
	feed->criticality.items = rules;
	for (size_t i = 0; i < n; i++)
		if (json_object_get(lines[i], "level"))
			read_criticality(feed, lines[i], &rules[feed->criticality.n++]);
		else if (json_object_get(lines[i], "occ"))
			name_fingerprint(feed, lines[i]);
}

void feed_run(struct feed *feed, const struct feed_job *job)
{
	unsigned long n_transactions = 0;
	uint64_t random = job->seed | 1;
	clock_manual_init(&feed->clock, job->now_ns);
	open_store(feed, job);
	for (size_t from = job->from; from < feed->n_lines;) {
		size_t wanted = job->seed == 0 ? 1 : 1 + next_random(&random) % 60;
		size_t to = wanted < feed->n_lines - from ? from + wanted : feed->n_lines;
		commit(feed, from, to);
		from = to;
		if (job->acknowledge && (printf("# %zu\n", to) < 0 || fflush(stdout) != 0))
			exit(1);
		if (job->committed)
			job->committed(job->ctx);
		if (job->restart_every && ++n_transactions % job->restart_every == 0) {
			close_store(feed);
			open_store(feed, job);
		}
	}
}

void feed_done(struct feed *feed)
{
	close_store(feed);
	table_free(feed->names);
	arena_done(&feed->arena);
}
