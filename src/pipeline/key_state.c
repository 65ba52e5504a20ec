/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/key_state.h"

#include <stdlib.h>

#include "correlate/sums.h"

struct key_state *key_state_new(void)
{
	return calloc(1, sizeof(struct key_state));
}

void key_state_free(void *state)
{
	struct key_state *self = state;
	if (!self)
		return;
	piece_sums_done(&self->newest.sums);
	free(self);
}

/* Stable insertion sort by slot: a transaction seldom has more than a few slots of one key. */
static void sort_deltas(struct key_delta **deltas)
{
	struct key_delta *sorted = NULL, *next;
	for (struct key_delta *delta = *deltas; delta; delta = next) {
		next = delta->next;
		struct key_delta **at = &sorted;
		while (*at && (*at)->row->slot <= delta->row->slot)
			at = &(*at)->next;
		delta->next = *at;
		*at = delta;
	}
	*deltas = sorted;
}

/* What the deltas of one slot bring, as a session sees it; *end is the first delta behind them. */
static struct session_slot slot_of_deltas(
	const struct key_delta *deltas, const struct key_delta **end)
{
	struct session_slot slot = {.slot = deltas->row->slot};
	int64_t context_lo = INT64_MAX;
	slot.lo_ns = INT64_MAX;
	slot.hi_ns = INT64_MIN;
	for (*end = deltas; *end && (*end)->row->slot == slot.slot; *end = (*end)->next) {
		const struct slot_row *row = (*end)->row;
		if (slot_row_is_context(row)) {
			context_lo = row->lo_ns < context_lo ? row->lo_ns : context_lo;
			continue;
		}
		slot.has_alerts = true;
		slot.lo_ns = row->lo_ns < slot.lo_ns ? row->lo_ns : slot.lo_ns;
		slot.hi_ns = row->hi_ns > slot.hi_ns ? row->hi_ns : slot.hi_ns;
	}
	if (!slot.has_alerts)
		slot.lo_ns = context_lo;
	return slot;
}

/*
 * Inside: from the first slot (where nothing may begin earlier than before, as the incident in
 * front might then reach it) to the slot of the last alert, everything in between already hangs
 * together.
 */
static bool is_inside(const struct piece *piece, const struct session_slot *slot)
{
	if (slot->slot == piece->first_slot)
		return !slot->has_alerts || slot->lo_ns >= piece->lo_ns;
	return slot->slot > piece->first_slot && slot->slot <= slot_of(piece->hi_ns);
}

static bool extend_by_slot(
	struct piece *piece, const struct session_slot *slot, const struct session_rules *rules)
{
	struct session session = {
		true, piece->first_slot, piece->last_slot, piece->lo_ns, piece->hi_ns};
	if (slot->slot < piece->first_slot)
		return false;
	if (!is_inside(piece, slot) &&
		(slot->slot == piece->first_slot || !session_reaches(&session, slot, rules)))
		return false;
	if (slot->slot > piece->last_slot)
		piece->last_slot = slot->slot;
	if (slot->has_alerts && slot->hi_ns > piece->hi_ns)
		piece->hi_ns = slot->hi_ns;
	return true;
}

bool key_state_extend(
	struct key_state *state, struct key_delta **deltas, const struct session_rules *rules)
{
	if (state->newest.number == 0 || state->loose_context)
		return false;
	sort_deltas(deltas);
	const struct key_delta *delta = *deltas;
	while (delta) {
		const struct key_delta *end;
		struct session_slot slot = slot_of_deltas(delta, &end);
		if (!extend_by_slot(&state->newest, &slot, rules))
			return false;
		for (; delta != end; delta = delta->next)
			if (!sums_add(&state->newest.sums, delta->row))
				return false;
	}
	return true;
}
