/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/scoring.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "store/rollups.h"
#include "store/rules.h"
#include "store/slots.h"

#define DAY_NS  (INT64_C(86400) * 1000000000)
#define HOUR_NS (INT64_C(3600) * 1000000000)

/* 2 × 32 768 of about 100 bytes; rule names are as long as they come. */
enum { SEEN_GENERATION = 32768, NAMES_GENERATION = 4096, NAME_ARENA_BYTES = 1024 * 1024 };

enum { RULE_NAME_BYTES = 1024 }; /* decoders leave at most half */

struct scoring {
	const struct criticality_rules *criticality;
	struct cache *seen;  /* (workload, rule, day) that are noted */
	struct cache *names; /* rule → struct rule_name */
};

struct rule_name {
	size_t size;
	char data[];
};

struct scoring *scoring_new(const struct criticality_rules *criticality)
{
	struct scoring *scoring = calloc(1, sizeof *scoring);
	if (!scoring)
		return NULL;
	scoring->criticality = criticality;
	scoring->seen = cache_new(SEEN_GENERATION, NULL);
	scoring->names = cache_new(NAMES_GENERATION, free);
	if (!scoring->seen || !scoring->names) {
		scoring_free(scoring);
		return NULL;
	}
	return scoring;
}

void scoring_free(struct scoring *scoring)
{
	if (!scoring)
		return;
	cache_free(scoring->seen);
	cache_free(scoring->names);
	free(scoring);
}

void scoring_forget(struct scoring *scoring)
{
	cache_clear(scoring->seen);
	cache_clear(scoring->names);
}

static void raise_criticality(
	const struct scoring *scoring, struct text key, struct scoring_subject *subject)
{
	unsigned level = criticality_of(scoring->criticality, key);
	if (level > subject->criticality)
		subject->criticality = level;
}

void scoring_subject_init(
	const struct scoring *scoring, struct text key, struct scoring_subject *subject)
{
	*subject = (struct scoring_subject){0};
	raise_criticality(scoring, key, subject);
}

enum { COMPARED_BYTES = sizeof(((struct scoring_subject *)0)->workload_name) - 1 };

/* A name of a workload longer than that is compared by its beginning, then by a digest of the rest:
 * ids would be in the order of arrival. */
static struct digest digest_rest(struct text name)
{
	struct digest none = {{0}};
	return name.size > COMPARED_BYTES ? digest_of(text_part(name, COMPARED_BYTES, name.size))
					  : none;
}

static bool is_smaller(const struct entity_state *member, const struct scoring_subject *subject)
{
	struct text name = text_part(member->workload_name, 0, COMPARED_BYTES);
	int order = text_compare(name, text_of(subject->workload_name));
	if (subject->workload == 0 || order != 0)
		return subject->workload == 0 || order < 0;
	struct digest rest = digest_rest(member->workload_name);
	return memcmp(rest.bytes, subject->workload_rest.bytes, sizeof rest.bytes) < 0;
}

void scoring_subject_add(const struct scoring *scoring, const struct entity_state *member,
	struct scoring_subject *subject)
{
	const struct identity_seen *seen = &member->seen;
	if (scoring->criticality->n && seen->name.size) {
		char key[1024];
		size_t size = text_format(key, sizeof key, "podname:%.*s/%.*s",
			TEXT_ARG(seen->cluster), TEXT_ARG(seen->name));
		raise_criticality(scoring, (struct text){key, size}, subject);
	}
	if (member->workload == 0 || !is_smaller(member, subject))
		return;
	subject->workload = member->workload;
	subject->workload_rest = digest_rest(member->workload_name);
	text_format(subject->workload_name, sizeof subject->workload_name, "%.*s",
		TEXT_ARG(member->workload_name));
}

static union table_value *load_name(
	struct scoring *scoring, struct connection *connection, int64_t rule, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct text name;
	arena_init(&arena, NAME_ARENA_BYTES);
	if (rule_name_read(connection, rule, &arena, &name, err) < 0)
		return NULL;
	struct rule_name *copy = malloc(sizeof *copy + name.size);
	union table_value *place =
		copy ? cache_put(scoring->names, (struct text){(const char *)&rule, sizeof rule})
		     : NULL;
	if (!place) {
		free(copy);
		err_set(err, ERR_MEMORY, "out of memory for a rule's name");
		return NULL;
	}
	copy->size = name.size;
	if (name.size)
		memcpy(copy->data, name.data, name.size);
	place->pointer = copy;
	return place;
}

/* The rule's name, from the cache or the store; absent with *err set. */
static struct text name_of(
	struct scoring *scoring, struct connection *connection, int64_t rule, struct err *err)
{
	struct text key = {(const char *)&rule, sizeof rule};
	union table_value *place = cache_get(scoring->names, key);
	if (!place && !(place = load_name(scoring, connection, rule, err)))
		return TEXT_NONE;
	const struct rule_name *name = place->pointer;
	return (struct text){name->data, name->size};
}

/* The rule with the most points; of several, the one with the smallest name. */
static int strongest_rule(struct scoring *scoring, struct connection *connection,
	const struct piece_sums *sums, int64_t *rule, struct err *err)
{
	unsigned most = 0;
	*rule = 0;
	for (size_t i = 0; i < sums->n_rules; i++)
		if (sums->rules[i].points > most)
			most = sums->rules[i].points;
	err->kind = ERR_NONE;
	for (size_t i = 0; i < sums->n_rules; i++) {
		if (sums->rules[i].points != most)
			continue;
		if (*rule == 0) {
			*rule = sums->rules[i].rule;
			continue;
		}
		/* Two look-ups: the first may move in the cache when the second comes in. */
		char best[RULE_NAME_BYTES];
		struct text name = name_of(scoring, connection, *rule, err);
		size_t size = text_format(best, sizeof best, "%.*s", TEXT_ARG(name));
		name = name_of(scoring, connection, sums->rules[i].rule, err);
		if (err->kind != ERR_NONE)
			return -1;
		if (text_compare(name, (struct text){best, size}) < 0)
			*rule = sums->rules[i].rule;
	}
	return 0;
}

/* A pod's incident of one rule only may be one of many. */
static int find_rollup(struct connection *connection, const struct scoring_subject *subject,
	struct piece *piece, struct err *err)
{
	struct text rest = text_of(subject->workload_name);
	struct rollup rollup = {.hour = piece->lo_ns / HOUR_NS};
	piece->rollup = 0;
	if (!subject->workload || piece->sums.n_rules != 1 || text_starts(rest, TEXT("node:")))
		return 0;
	rollup.rule = piece->sums.rules[0].rule;
	if (!text_split(&rest, '/', &rollup.cluster) || !text_split(&rest, '/', &rollup.namespace))
		return 0;
	return rollup_intern(connection, &rollup, &piece->rollup, err);
}

int scoring_apply(struct scoring *scoring, struct connection *connection,
	const struct scoring_subject *subject, struct piece *piece, struct err *err)
{
	struct risk_context context = {CRITICALITY_NORMAL, NOVELTY_NONE};
	if (subject->criticality)
		context.criticality = subject->criticality;
	if (subject->workload) {
		struct workload_past past = {.workload = subject->workload,
			.day = day_of_slot(slot_of(piece->lo_ns)),
			.n_before = NOVELTY_DAYS};
		if (strongest_rule(scoring, connection, &piece->sums, &past.rule, err) < 0 ||
			workload_past_read(connection, &past, err) < 0)
			return -1;
		context.novelty = risk_novelty(past.has_history, past.n_days);
	}
	risk_of_piece(piece, &context);
	return find_rollup(connection, subject, piece, err);
}

/* The first day from which on incidents see no difference. */
static int64_t news_end(const struct workload_news *news, int64_t day)
{
	if (!news->has_first)
		return news->last_day + 1; /* there was no history at all */
	/* Days behind this one see it for a week; when it is the first of all, history begins here.
	 */
	return (day < news->first_day ? news->first_day : day + 1) + NOVELTY_DAYS;
}

int scoring_note(struct scoring *scoring, struct connection *connection,
	const struct entity_state *entity, const struct slot_row *row,
	struct workload_pieces *pieces, struct err *err)
{
	struct workload_news news;
	int64_t day = day_of_slot(row->slot);
	bool context = slot_row_is_context(row);
	int64_t parts[] = {entity->workload, context ? 0 : row->rule, day};
	struct text key = {(const char *)parts, sizeof parts};
	pieces->n = 0;
	if (entity->workload == 0 || cache_get(scoring->seen, key))
		return 0;
	int failed =
		context ? workload_note_context(connection, entity->workload, day, err)
			: workload_note(connection, entity->workload, row->rule, day, &news, err);
	if (failed)
		return -1;
	/* Without memory for the cache it is asked again, and is not new then. */
	cache_put(scoring->seen, key);
	if (context || !news.is_new || !news.has_last || news.last_day <= day)
		return 0;
	pieces->workload = entity->workload;
	pieces->from_ns = (day + 1) * DAY_NS;
	pieces->to_ns = news_end(&news, day) * DAY_NS;
	return workload_pieces_read(connection, pieces, err);
}
