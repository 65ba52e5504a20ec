/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/correlator.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "correlate/risk.h"
#include "pipeline/identities.h"
#include "pipeline/key_state.h"
#include "pipeline/repartition.h"
#include "store/pieces.h"
#include "store/slots.h"

/* 2 × 8 192 keys of about 2 KiB; one transaction has at most some 100 000 distinct rows. */
enum { KEY_GENERATION = 8192, ARENA_BYTES = 512 * 1024 * 1024 };

/* What the running transaction adds to one slot row, in order of first arrival. */
struct delta {
	struct delta *next;
	struct slot_row row;
};

/* A key that the running transaction touches. */
struct touched {
	struct touched *next;
	struct text key;
	struct key_delta *deltas;
	int64_t from_slot, to_slot;
	unsigned group;
	bool anew; /* extending the newest incident is not enough */
};

struct correlator {
	struct identities *identities;
	struct cache *keys; /* key text → struct key_state */
	/* of the running transaction */
	struct arena arena;
	struct table *delta_index; /* slot, entity, print → struct delta */
	struct delta *deltas, **last_delta;
	struct table *touched_index; /* key text → struct touched */
	struct touched *touched, **last_touched;
};

static void clear_transaction(struct correlator *correlator)
{
	table_free(correlator->delta_index);
	table_free(correlator->touched_index);
	correlator->delta_index = correlator->touched_index = NULL;
	correlator->deltas = NULL;
	correlator->last_delta = &correlator->deltas;
	correlator->touched = NULL;
	correlator->last_touched = &correlator->touched;
	arena_done(&correlator->arena);
}

struct correlator *correlator_new(void)
{
	struct correlator *correlator = calloc(1, sizeof *correlator);
	if (!correlator)
		return NULL;
	correlator->identities = identities_new();
	correlator->keys = cache_new(KEY_GENERATION, key_state_free);
	arena_init(&correlator->arena, ARENA_BYTES);
	clear_transaction(correlator);
	if (!correlator->identities || !correlator->keys) {
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
	identities_free(correlator->identities);
	cache_free(correlator->keys);
	free(correlator);
}

void correlator_forget(struct correlator *correlator)
{
	clear_transaction(correlator);
	identities_forget(correlator->identities);
	cache_clear(correlator->keys);
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

int correlator_add(struct correlator *correlator, struct connection *connection,
	const struct alert *alert, struct err *err)
{
	struct slot_row row;
	if (alert->outcome != OUTCOME_ACCEPTED || alert->slot < 0)
		return 0;
	struct entity_state *entity =
		identities_entity(correlator->identities, connection, alert->entity_id, err);
	if (!entity || identities_note(correlator->identities, entity, alert, err) < 0)
		return -1;
	slot_row_of(&row, alert);
	return add_delta(correlator, &row, err);
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
	if (!touched)
		return NULL;
	*touched = (struct touched){.key = arena_copy(&correlator->arena, key),
		.from_slot = INT64_MAX,
		.to_slot = INT64_MIN};
	place->pointer = touched;
	*correlator->last_touched = touched;
	correlator->last_touched = &touched->next;
	return touched;
}

/* Gives all keys of group @from the group @to. */
static void join_groups(struct correlator *correlator, unsigned from, unsigned to)
{
	for (struct touched *touched = correlator->touched; touched && from;
		touched = touched->next)
		if (touched->group == from)
			touched->group = to;
}

/* A fact changed: alerts may have moved from or to this key. */
static int key_was_moved(void *ctx, struct text key, unsigned group, struct err *err)
{
	struct correlator *correlator = ctx;
	struct touched *touched = touch(correlator, key);
	if (!touched)
		return no_memory(err);
	join_groups(correlator, touched->group, group);
	touched->group = group;
	touched->anew = true;
	touched->from_slot = INT64_MIN;
	touched->to_slot = INT64_MAX;
	return 0;
}

static int touch_slot(struct correlator *correlator, const struct delta *delta,
	const struct identity_segment *segment, bool whole_slot, struct err *err)
{
	struct touched *touched = touch(correlator, segment->key);
	struct key_delta *key_delta = arena_alloc(&correlator->arena, sizeof *key_delta);
	if (!touched || !key_delta)
		return no_memory(err);
	int64_t slot = delta->row.slot;
	touched->from_slot = slot < touched->from_slot ? slot : touched->from_slot;
	touched->to_slot = slot > touched->to_slot ? slot : touched->to_slot;
	touched->anew |= !whole_slot;
	*key_delta = (struct key_delta){touched->deltas, &delta->row,
		{delta->row.entity, segment->from_ns, segment->to_ns}};
	touched->deltas = key_delta;
	return 0;
}

/* Stores one slot row and notes the keys whose incidents it changes. */
static int store_delta(struct correlator *correlator, struct connection *connection,
	const struct delta *delta, struct err *err)
{
	bool is_new;
	const struct slot_row *row = &delta->row;
	if (slot_join(connection, row, &is_new, err) < 0)
		return -1;
	struct entity_state *entity =
		identities_entity(correlator->identities, connection, row->entity, err);
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
		bool whole_slot = segment->from_ns <= row->slot * SLOT_NS &&
				  segment->to_ns >= (row->slot + 1) * SLOT_NS;
		if (touch_slot(correlator, delta, segment, whole_slot, err) < 0)
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
static int write_newest(struct connection *connection, struct key_state *state,
	const struct key_delta *deltas, int64_t now_ns, struct err *err)
{
	static const struct risk_context plain = {CRITICALITY_NORMAL, NOVELTY_NONE};
	risk_of_piece(&state->newest, &plain);
	if (piece_write(connection, &state->newest, 0, now_ns, err) < 0)
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
static int extend_newest(struct correlator *correlator, struct connection *connection,
	struct touched *touched, int64_t now_ns, struct err *err)
{
	union table_value *found = cache_get(correlator->keys, touched->key);
	if (touched->anew || !found || !key_state_extend(found->pointer, &touched->deltas)) {
		cache_remove(correlator->keys, touched->key);
		return 0;
	}
	return write_newest(connection, found->pointer, touched->deltas, now_ns, err) < 0 ? -1 : 1;
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

static int partition_anew(struct correlator *correlator, struct connection *connection,
	struct key_task *tasks, int64_t now_ns, struct err *err)
{
	int failed = 0;
	for (struct key_task *task = tasks; task && !failed; task = task->next)
		if (!(task->state = key_state_new()))
			failed = no_memory(err);
	if (!failed)
		failed = repartition(correlator->identities, connection, tasks, now_ns, err);
	for (struct key_task *task = tasks; task; task = task->next)
		keep_state(correlator, task);
	return failed;
}

int correlator_finish(struct correlator *correlator, struct connection *connection, int64_t now_ns,
	struct err *err)
{
	struct key_task *tasks = NULL, **last = &tasks;
	if (identities_apply(correlator->identities, connection, key_was_moved, correlator, err) <
		0)
		return -1;
	for (const struct delta *delta = correlator->deltas; delta; delta = delta->next)
		if (store_delta(correlator, connection, delta, err) < 0)
			return -1;
	for (struct touched *touched = correlator->touched; touched; touched = touched->next) {
		int done = extend_newest(correlator, connection, touched, now_ns, err);
		if (done < 0)
			return -1;
		if (done)
			continue;
		struct key_task *task = arena_alloc(&correlator->arena, sizeof *task);
		if (!task)
			return no_memory(err);
		*task = (struct key_task){.key = touched->key,
			.from_slot = touched->from_slot,
			.to_slot = touched->to_slot,
			.group = touched->group};
		*last = task;
		last = &task->next;
	}
	int failed = partition_anew(correlator, connection, tasks, now_ns, err);
	clear_transaction(correlator);
	return failed;
}
