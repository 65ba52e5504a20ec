/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/correlator.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "pipeline/edits.h"
#include "pipeline/identities.h"
#include "pipeline/key_state.h"
#include "pipeline/repartition.h"
#include "pipeline/scoring.h"
#include "pipeline/snoozes.h"
#include "store/pieces.h"
#include "store/slots.h"

/* 2 × 8 192 keys of about 2 KiB; one transaction has at most some 100 000 distinct rows. */
enum { KEY_GENERATION = 8192, ARENA_BYTES = 512 * 1024 * 1024 };

/* What the running transaction adds to one slot row, in order of first arrival. */
struct delta {
	struct delta *next;
	struct slot_row row;
};

/* What the running transaction brings again of one slot row. */
struct repeat {
	struct repeat *next;
	struct slot_key key;
	uint64_t n;
};

/* A key that the running transaction touches. */
struct touched {
	struct touched *next;
	struct text key;
	struct key_delta *deltas;
	int64_t from_slot, to_slot;
	unsigned group;
	bool carved;                   /* an unlink made it */
	bool anew;                     /* extending the newest incident is not enough */
	const struct key_edits *edits; /* NULL: none; borrowed until the transaction's end */
};

struct correlator {
	struct known known;
	struct cache *keys;   /* key text → struct key_state */
	int64_t horizon_slot; /* a newest incident that ends before it may be frozen by now */
	/* of the running transaction */
	struct arena arena;
	uint64_t first_leaf;       /* when there are deltas */
	struct table *delta_index; /* slot, entity, print → struct delta */
	struct delta *deltas, **last_delta;
	struct table *repeat_index; /* likewise → struct repeat */
	struct repeat *repeats;
	struct table *touched_index; /* key text → struct touched */
	struct touched *touched, **last_touched;
	unsigned n_groups;
};

static void clear_transaction(struct correlator *correlator)
{
	table_free(correlator->delta_index);
	table_free(correlator->repeat_index);
	table_free(correlator->touched_index);
	correlator->delta_index = correlator->repeat_index = correlator->touched_index = NULL;
	correlator->repeats = NULL;
	correlator->deltas = NULL;
	correlator->last_delta = &correlator->deltas;
	correlator->touched = NULL;
	correlator->last_touched = &correlator->touched;
	arena_done(&correlator->arena);
}

struct correlator *correlator_new(const struct criticality_rules *criticality)
{
	struct correlator *correlator = calloc(1, sizeof *correlator);
	if (!correlator)
		return NULL;
	correlator->known.identities = identities_new();
	correlator->known.edits = edits_new();
	correlator->known.scoring = scoring_new(criticality);
	correlator->keys = cache_new(KEY_GENERATION, key_state_free);
	correlator->horizon_slot = INT64_MIN;
	arena_init(&correlator->arena, ARENA_BYTES);
	clear_transaction(correlator);
	if (!correlator->known.identities || !correlator->known.edits ||
		!correlator->known.scoring || !correlator->keys) {
		correlator_free(correlator);
		return NULL;
	}
	return correlator;
}

void correlator_free(struct correlator *correlator)
{
	if (!correlator)
		return;
	clear_transaction(correlator);
	identities_free(correlator->known.identities);
	edits_free(correlator->known.edits);
	scoring_free(correlator->known.scoring);
	cache_free(correlator->keys);
	free(correlator);
}

void correlator_forget(struct correlator *correlator)
{
	clear_transaction(correlator);
	identities_forget(correlator->known.identities);
	edits_forget(correlator->known.edits);
	scoring_forget(correlator->known.scoring);
	cache_clear(correlator->keys);
}

void correlator_changed(struct correlator *correlator, struct text key)
{
	cache_remove(correlator->keys, key);
}

void correlator_set_horizon(struct correlator *correlator, int64_t horizon_ns)
{
	correlator->horizon_slot = slot_of(horizon_ns);
}

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory correlating");
}

static int add_delta(struct correlator *correlator, const struct slot_row *row, struct err *err)
{
	int64_t parts[] = {row->slot, row->entity, row->print};
	struct text key = {(const char *)parts, sizeof parts};
	if (!correlator->delta_index && !(correlator->delta_index = table_new(NULL)))
		return no_memory(err);
	union table_value *place = table_put(correlator->delta_index, key);
	if (!place)
		return no_memory(err);
	struct delta *delta = place->pointer;
	if (delta) {
		slot_row_join(&delta->row, row);
		return 0;
	}
	place->pointer = delta = arena_alloc(&correlator->arena, sizeof *delta);
	if (!delta)
		return no_memory(err);
	delta->row = *row;
	*correlator->last_delta = delta;
	correlator->last_delta = &delta->next;
	return 0;
}

/* It changes no incident: only what is beside the row counts it. */
static int add_repeat(struct correlator *correlator, const struct alert *alert, struct err *err)
{
	struct slot_key key = slot_key_of(alert);
	struct text bytes = {(const char *)&key, sizeof key};
	if (!correlator->repeat_index && !(correlator->repeat_index = table_new(NULL)))
		return no_memory(err);
	union table_value *place = table_put(correlator->repeat_index, bytes);
	if (!place)
		return no_memory(err);
	struct repeat *repeat = place->pointer;
	if (!repeat) {
		repeat = arena_alloc(&correlator->arena, sizeof *repeat);
		if (!repeat)
			return no_memory(err);
		*repeat = (struct repeat){correlator->repeats, key, 0};
		place->pointer = correlator->repeats = repeat;
	}
	repeat->n = deliveries_add(repeat->n, alert->count);
	return 0;
}

int correlator_add(struct correlator *correlator, struct connection *connection,
	const struct alert *alert, struct err *err)
{
	struct slot_row row;
	if (alert->slot < 0)
		return 0;
	if (alert->outcome == OUTCOME_DUPLICATE)
		return add_repeat(correlator, alert, err);
	if (alert->outcome != OUTCOME_ACCEPTED)
		return 0;
	struct entity_state *entity =
		identities_entity(correlator->known.identities, connection, alert->entity_id, err);
	if (!entity || identities_note(correlator->known.identities, entity, alert, err) < 0 ||
		edits_note(correlator->known.edits, connection, alert, err) < 0)
		return -1;
	slot_row_of(&row, alert);
	if (!correlator->deltas || alert->leaf < correlator->first_leaf)
		correlator->first_leaf = alert->leaf;
	return add_delta(correlator, &row, err);
}

int correlator_fact(
	struct correlator *correlator, const struct fact *fact, int64_t now_ns, struct err *err)
{
	return identities_fact(
		correlator->known.identities, fact, day_of_slot(slot_of(now_ns)), err);
}

int correlator_edit(struct correlator *correlator, struct connection *connection,
	const struct edit *edit, struct err *err)
{
	return edits_add(correlator->known.edits, connection, edit, err);
}

/* The key's entry, made if new; NULL without memory. */
static struct touched *touch(struct correlator *correlator, struct text key)
{
	if (!correlator->touched_index && !(correlator->touched_index = table_new(NULL)))
		return NULL;
	union table_value *place = table_put(correlator->touched_index, key);
	if (!place || place->pointer)
		return place ? place->pointer : NULL;
	struct touched *touched = arena_alloc(&correlator->arena, sizeof *touched);
	struct text copy = arena_copy(&correlator->arena, key);
	if (correlator->arena.failed)
		return NULL;
	*touched = (struct touched){.key = copy, .from_slot = INT64_MAX, .to_slot = INT64_MIN};
	place->pointer = touched;
	*correlator->last_touched = touched;
	correlator->last_touched = &touched->next;
	return touched;
}

static void widen(struct touched *touched, int64_t from_slot, int64_t to_slot)
{
	touched->from_slot = from_slot < touched->from_slot ? from_slot : touched->from_slot;
	touched->to_slot = to_slot > touched->to_slot ? to_slot : touched->to_slot;
}

/* What is to be partitioned anew together. */
struct span {
	int64_t from_slot, to_slot;
	unsigned group; /* 0: each alone */
};

/* Gives all keys of group @from the group @to. */
static void join_groups(struct correlator *correlator, unsigned from, unsigned to)
{
	for (struct touched *touched = correlator->touched; touched && from && from != to;
		touched = touched->next)
		if (touched->group == from)
			touched->group = to;
}

static int touch_anew(struct correlator *correlator, struct text key, bool carved,
	const struct span *span, struct err *err)
{
	struct touched *touched = touch(correlator, key);
	if (!touched)
		return no_memory(err);
	if (span->group) {
		join_groups(correlator, touched->group, span->group);
		touched->group = span->group;
	}
	touched->carved = carved;
	touched->anew = true;
	widen(touched, span->from_slot, span->to_slot);
	return 0;
}

int correlator_recheck(struct correlator *correlator, struct text key, bool carved, struct err *err)
{
	struct span span = {INT64_MIN, INT64_MAX, 0};
	return touch_anew(correlator, key, carved, &span, err);
}

/* The incidents that unlinks carve from the key, those that hold a slot of the span. */
static int touch_carved(struct correlator *correlator, struct text key,
	const struct key_edits *edits, const struct span *span, struct err *err)
{
	for (size_t i = 0; edits && i < edits->n_unlinks; i++) {
		const struct key_unlink *unlink = &edits->unlinks[i];
		if (unlink->claim.from_slot > span->to_slot ||
			unlink->claim.to_slot < span->from_slot)
			continue;
		struct text carved =
			arena_format(&correlator->arena, "%.*s#%s", TEXT_ARG(key), unlink->carved);
		if (!carved.size)
			return no_memory(err);
		if (touch_anew(correlator, carved, true, span, err) < 0)
			return -1;
	}
	return 0;
}

/* A key and all that unlinks carve from it. */
static int touch_family(struct correlator *correlator, struct connection *connection,
	struct text key, const struct span *span, struct err *err)
{
	/* Looking the edits up may move what the key was borrowed from. */
	struct text own = arena_copy(&correlator->arena, key);
	if (!own.size)
		return no_memory(err);
	const struct key_edits *edits = edits_of(
		correlator->known.edits, correlator->known.identities, connection, own, err);
	if (!edits && err->kind != ERR_NONE)
		return -1;
	if (touch_anew(correlator, own, false, span, err) < 0)
		return -1;
	return touch_carved(correlator, own, edits, span, err);
}

/* A run of correlator_finish. */
struct finishing {
	struct correlator *correlator;
	struct connection *connection;
	int64_t now_ns;
};

/* A fact changed: alerts may have moved from or to this key. */
static int key_was_moved(void *ctx, struct text key, unsigned group, struct err *err)
{
	struct finishing *run = ctx;
	struct span span = {INT64_MIN, INT64_MAX, group};
	if (group > run->correlator->n_groups)
		run->correlator->n_groups = group;
	return touch_family(run->correlator, run->connection, key, &span, err);
}

/* An edit came, found its alert or was undone. */
static int key_was_edited(
	void *ctx, struct text key, int64_t from_slot, int64_t to_slot, struct err *err)
{
	struct finishing *run = ctx;
	struct span span = {from_slot, to_slot, ++run->correlator->n_groups};
	return touch_family(run->correlator, run->connection, key, &span, err);
}

static int touch_slot(struct finishing *run, const struct delta *delta,
	const struct identity_segment *segment, struct err *err)
{
	struct correlator *correlator = run->correlator;
	int64_t slot = delta->row.slot;
	bool whole_slot =
		segment->from_ns <= slot * SLOT_NS && segment->to_ns >= (slot + 1) * SLOT_NS;
	struct touched *touched = touch(correlator, segment->key);
	struct key_delta *key_delta = arena_alloc(&correlator->arena, sizeof *key_delta);
	if (!touched || !key_delta)
		return no_memory(err);
	widen(touched, slot, slot);
	touched->anew |= !whole_slot;
	*key_delta = (struct key_delta){touched->deltas, &delta->row,
		{delta->row.entity, segment->from_ns, segment->to_ns}};
	touched->deltas = key_delta;
	return 0;
}

/* News about the days before stored incidents: they are scored again. */
static int note_workload(struct finishing *run, const struct entity_state *entity,
	const struct slot_row *row, struct err *err)
{
	struct workload_pieces pieces = {.arena = &run->correlator->arena};
	if (scoring_note(
		    run->correlator->known.scoring, run->connection, entity, row, &pieces, err) < 0)
		return -1;
	for (size_t i = 0; i < pieces.n; i++) {
		const struct workload_piece *piece = &pieces.items[i];
		struct span span = {piece->first_slot, piece->last_slot, 0};
		if (touch_anew(run->correlator, piece->key, piece->carved, &span, err) < 0)
			return -1;
	}
	return 0;
}

/* Stores one slot row and notes the keys whose incidents it changes. */
static int store_delta(struct finishing *run, const struct delta *delta, struct err *err)
{
	bool is_new;
	const struct slot_row *row = &delta->row;
	struct connection *connection = run->connection;
	if (slot_join(connection, row, &is_new, err) < 0)
		return -1;
	struct entity_state *entity =
		identities_entity(run->correlator->known.identities, connection, row->entity, err);
	if (!entity)
		return -1;
	if (is_new && entity->marked_slot != row->slot &&
		presence_mark(connection, row->slot, row->entity, err) < 0)
		return -1;
	entity->marked_slot = row->slot;
	for (size_t i = 0; i < entity->n_segments; i++) {
		const struct identity_segment *segment = &entity->segments[i];
		if (segment->to_ns <= row->lo_ns || segment->from_ns > row->hi_ns)
			continue;
		if (touch_slot(run, delta, segment, err) < 0)
			return -1;
	}
	return note_workload(run, entity, row, err);
}

/* Where people changed the grouping: cuts are looked at when the newest incident is extended; what
 * an unlink may claim is partitioned anew. */
static int consider_edits(struct finishing *run, struct touched *touched, struct err *err)
{
	struct correlator *correlator = run->correlator;
	if (touched->carved)
		return 0;
	touched->edits = edits_of(correlator->known.edits, correlator->known.identities,
		run->connection, touched->key, err);
	if (!touched->edits)
		return err->kind == ERR_NONE ? 0 : -1;
	for (const struct key_delta *delta = touched->deltas; delta; delta = delta->next) {
		struct span span = {delta->row->slot, delta->row->slot, 0};
		for (size_t i = 0; i < touched->edits->n_unlinks; i++)
			touched->anew |=
				touched->edits->unlinks[i].claim.from_slot <= span.to_slot &&
				touched->edits->unlinks[i].claim.to_slot >= span.from_slot;
		if (touch_carved(correlator, touched->key, touched->edits, &span, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_known_member(const struct key_state *state, const struct entity_part *part)
{
	for (size_t i = 0; i < state->n_members; i++)
		if (state->members[i].entity == part->entity &&
			state->members[i].from_ns == part->from_ns)
			return true;
	return false;
}

/* Writes the newest incident of a key after the deltas extended it. */
static int write_newest(struct finishing *run, struct key_state *state,
	const struct key_delta *deltas, struct err *err)
{
	struct connection *connection = run->connection;
	const struct known *known = &run->correlator->known;
	for (const struct key_delta *delta = deltas; delta; delta = delta->next) {
		const struct entity_state *member =
			identities_entity(known->identities, connection, delta->part.entity, err);
		if (!member)
			return -1;
		scoring_subject_add(known->scoring, member, &state->subject);
	}
	if (scoring_apply(known->scoring, connection, &state->subject, &state->newest, err) < 0 ||
		piece_write(connection, &state->newest, NULL, run->now_ns, err) < 0 ||
		snooze_check(connection, &state->newest, run->now_ns, err) < 0)
		return -1;
	for (; deltas; deltas = deltas->next) {
		const struct entity_part *part = &deltas->part;
		struct piece_member member = {part->entity, part->from_ns, part->to_ns};
		if (is_known_member(state, part))
			continue;
		if (member_add(connection, state->newest.number, &member, err) < 0)
			return -1;
		if (state->n_members < KEY_MEMBERS_MAX)
			state->members[state->n_members++] = member;
	}
	return 0;
}

/* Extends the key's newest incident if that is enough. 1: done; 0: to be partitioned anew; -1:
 * failed. */
static int extend_newest(struct finishing *run, struct touched *touched, struct err *err)
{
	struct correlator *correlator = run->correlator;
	struct session_rules rules = session_rules_default;
	rules.cuts = edits_cuts(touched->edits, "", &correlator->arena, &rules.n_cuts);
	if (!rules.cuts)
		return no_memory(err);
	union table_value *found = cache_get(correlator->keys, touched->key);
	const struct key_state *state = found ? found->pointer : NULL;
	if (touched->anew || !state || state->newest.last_slot < correlator->horizon_slot ||
		!key_state_extend(found->pointer, &touched->deltas, &rules)) {
		cache_remove(correlator->keys, touched->key);
		return 0;
	}
	return write_newest(run, found->pointer, touched->deltas, err) < 0 ? -1 : 1;
}

/* The state that a partition filled goes into the cache, or away if it knows no newest incident. */
static void keep_state(struct correlator *correlator, struct key_task *task)
{
	union table_value *place = NULL;
	if (task->state && task->state->newest.number)
		place = cache_put(correlator->keys, task->key);
	if (place && !place->pointer)
		place->pointer = task->state;
	else
		key_state_free(task->state);
	task->state = NULL;
}

static int partition_anew(struct finishing *run, struct key_task *tasks, struct err *err)
{
	int failed = 0;
	for (struct key_task *task = tasks; task && !failed; task = task->next)
		if (!(task->state = key_state_new()))
			failed = no_memory(err);
	if (!failed)
		failed = repartition(&run->correlator->known, run->connection, tasks, err);
	for (struct key_task *task = tasks; task; task = task->next)
		keep_state(run->correlator, task);
	return failed;
}

/* Facts, edits and slots are written, and all keys noted that they touch. */
static int write_inputs(struct finishing *run, struct err *err)
{
	struct correlator *correlator = run->correlator;
	const struct known *known = &correlator->known;
	if (identities_apply(known->identities, run->connection, key_was_moved, run, err) < 0 ||
		edits_apply(known->edits, known->identities, run->connection, key_was_edited, run,
			err) < 0)
		return -1;
	for (const struct delta *delta = correlator->deltas; delta; delta = delta->next)
		if (store_delta(run, delta, err) < 0)
			return -1;
	/* Behind the rows that came first in the same transaction. */
	for (const struct repeat *repeat = correlator->repeats; repeat; repeat = repeat->next)
		if (slot_count_deliveries(run->connection, &repeat->key, repeat->n, err) < 0)
			return -1;
	for (struct touched *touched = correlator->touched; touched; touched = touched->next)
		if (consider_edits(run, touched, err) < 0)
			return -1;
	return 0;
}

static int write_incidents(struct finishing *run, struct err *err)
{
	struct key_task *tasks = NULL, **last = &tasks;
	struct correlator *correlator = run->correlator;
	for (struct touched *touched = correlator->touched; touched; touched = touched->next) {
		int done = extend_newest(run, touched, err);
		if (done < 0)
			return -1;
		if (done)
			continue;
		struct key_task *task = arena_alloc(&correlator->arena, sizeof *task);
		if (!task)
			return no_memory(err);
		*task = (struct key_task){.key = touched->key,
			.carved = touched->carved,
			.from_slot = touched->from_slot,
			.to_slot = touched->to_slot,
			.now_ns = run->now_ns,
			.deltas = touched->deltas,
			.first_leaf = correlator->first_leaf,
			.group = touched->group};
		*last = task;
		last = &task->next;
	}
	return partition_anew(run, tasks, err);
}

int correlator_finish(struct correlator *correlator, struct connection *connection, int64_t now_ns,
	struct err *err)
{
	struct finishing run = {correlator, connection, now_ns};
	correlator->n_groups = 0;
	if (write_inputs(&run, err) < 0 || write_incidents(&run, err) < 0)
		return -1;
	clear_transaction(correlator);
	return 0;
}
