/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/piece_changes.h"

static struct change_side side_of(const struct piece *piece)
{
	return (struct change_side){
		piece->lo_ns, piece->hi_ns, piece->sums.n, piece->risk_milli, piece->sums.severity};
}

static const struct piece *find(const struct piece_list *list, uint64_t number)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].number == number)
			return &list->items[i];
	return NULL;
}

bool piece_changes(const struct piece_list *before, const struct piece_list *after,
	struct arena *arena, struct incident_change_list *out)
{
	out->items = arena_array(arena, before->n + after->n + 1, sizeof *out->items);
	out->n = 0;
	if (!out->items)
		return false;
	for (size_t i = 0; i < before->n; i++) {
		const struct piece *old = &before->items[i], *now = find(after, old->number);
		struct incident_change change = {
			CHANGE_SAME_NUMBER, old->number, side_of(old), {0}};
		if (now && piece_equal(old, now))
			continue;
		if (now)
			change.after = side_of(now);
		else
			change.kind = CHANGE_GONE;
		out->items[out->n++] = change;
	}
	for (size_t i = 0; i < after->n; i++) {
		struct incident_change change = {CHANGE_NEW, 0, {0}, side_of(&after->items[i])};
		if (!find(before, after->items[i].number))
			out->items[out->n++] = change;
	}
	return true;
}
