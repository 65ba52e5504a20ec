/* SPDX-License-Identifier: Apache-2.0 */
#include "correlate/numbers.h"

/* Alerts of @piece in the slots that @old covered; the same key counts before any other. */
static uint64_t overlap(const struct old_piece *old, const struct new_piece *piece)
{
	uint64_t n = 0;
	for (size_t i = 0; i < piece->n_slots; i++)
		if (piece->slots[i].slot >= old->first_slot &&
			piece->slots[i].slot <= old->last_slot)
			n += piece->slots[i].n;
	return old->key == piece->key ? n * 2 + (n > 0 ? UINT64_C(1) << 62 : 0) : n;
}

static bool starts_before(const struct new_piece *a, const struct new_piece *b)
{
	int64_t left = a->slots[0].slot, right = b->slots[0].slot;
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
