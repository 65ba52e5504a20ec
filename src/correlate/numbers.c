/* SPDX-License-Identifier: Apache-2.0 */
#include "correlate/numbers.h"

/* The first of the old piece's members that is not before the entity. */
static size_t find_member(const struct old_piece *old, int64_t entity)
{
	size_t low = 0, high = old->n_members;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (old->members[middle].entity < entity)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Did the old piece have these alerts? In one slot may lie alerts of others, too. */
static bool covered(const struct old_piece *old, const struct counted_rows *rows)
{
	if (rows->slot < old->first_slot || rows->slot > old->last_slot)
		return false;
	for (size_t i = find_member(old, rows->entity);
		i < old->n_members && old->members[i].entity == rows->entity; i++)
		if (old->members[i].from_ns <= rows->hi_ns && old->members[i].to_ns > rows->lo_ns)
			return true;
	return false;
}

/* Alerts of @piece that @old had; the same key counts before any other. */
static uint64_t overlap(const struct old_piece *old, const struct new_piece *piece)
{
	uint64_t n = 0;
	for (size_t i = 0; i < piece->n_rows; i++)
		if (covered(old, &piece->rows[i]))
			n += piece->rows[i].n;
	return old->key == piece->key ? n * 2 + (n > 0 ? UINT64_C(1) << 62 : 0) : n;
}

static bool starts_before(const struct new_piece *a, const struct new_piece *b)
{
	int64_t left = a->rows[0].slot, right = b->rows[0].slot;
	return left != right ? left < right : a->key < b->key;
}

/* The new piece that holds most of @old; n_news: none does. */
static size_t heir(const struct old_piece *old, const struct new_piece *news, size_t n_news)
{
	size_t best = n_news;
	uint64_t best_overlap = 0;
	for (size_t i = 0; i < n_news; i++) {
		uint64_t n = overlap(old, &news[i]);
		if (n == 0 || n < best_overlap)
			continue;
		if (n > best_overlap || starts_before(&news[i], &news[best])) {
			best = i;
			best_overlap = n;
		}
	}
	return best;
}

static bool is_older(const struct old_piece *a, const struct old_piece *b)
{
	return a->lo_ns != b->lo_ns ? a->lo_ns < b->lo_ns : a->number < b->number;
}

/* What people decided about keeps its number; among equals, the older. */
static bool has_precedence(const struct old_piece *a, const struct old_piece *b)
{
	return a->touched != b->touched ? a->touched : is_older(a, b);
}

/* The old piece that covered most of @piece; NULL: none did. */
static const struct old_piece *origin(
	const struct new_piece *piece, const struct old_piece *olds, size_t n_olds)
{
	const struct old_piece *best = NULL;
	uint64_t best_overlap = 0;
	for (size_t i = 0; i < n_olds; i++) {
		uint64_t n = overlap(&olds[i], piece);
		if (n == 0 || n < best_overlap)
			continue;
		if (n > best_overlap || is_older(&olds[i], best)) {
			best = &olds[i];
			best_overlap = n;
		}
	}
	return best;
}

/* The first of those that @heir inherits from; NULL: none. */
static const struct old_piece *eldest_of(
	const struct old_piece *olds, size_t n_olds, size_t heir_index)
{
	const struct old_piece *eldest = NULL;
	for (size_t i = 0; i < n_olds; i++)
		if (olds[i].redirect_to == heir_index + 1 &&
			(!eldest || has_precedence(&olds[i], eldest)))
			eldest = &olds[i];
	return eldest;
}

void numbers_match(struct old_piece *olds, size_t n_olds, struct new_piece *news, size_t n_news)
{
	for (size_t i = 0; i < n_olds; i++) {
		size_t to = heir(&olds[i], news, n_news);
		olds[i].redirect_to = to < n_news ? to + 1 : 0;
	}
	for (size_t i = 0; i < n_news; i++) {
		const struct old_piece *eldest = eldest_of(olds, n_olds, i);
		const struct old_piece *from = eldest ? NULL : origin(&news[i], olds, n_olds);
		news[i].number = eldest ? eldest->number : 0;
		news[i].split_from = from ? from->number : 0;
	}
	for (size_t i = 0; i < n_olds; i++)
		if (olds[i].redirect_to && news[olds[i].redirect_to - 1].number == olds[i].number)
			olds[i].redirect_to = 0;
}
