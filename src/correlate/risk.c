/* SPDX-License-Identifier: Apache-2.0 */
#include "correlate/risk.h"

#include <assert.h>

#include "correlate/credit.h"
#include "model/incident.h"

enum { COUNTED_RULES = 10 };

static const int64_t weights[] = {354, 192, 125, 89, 68, 54, 44, 37, 32}; /* i^-1.5, i = 2…10 */

unsigned severity_points(enum severity severity)
{
	static const unsigned points[] = {3, 20, 45, 70, 90};
	return points[severity];
}

unsigned risk_novelty(bool has_history, unsigned n_days)
{
	if (!has_history)
		return NOVELTY_NONE;
	if (n_days == 0)
		return NOVELTY_NEW;
	return n_days >= NOVELTY_DAILY_DAYS ? NOVELTY_DAILY : NOVELTY_NONE;
}

/* Keeps the ten greatest points, falling. */
struct top {
	int64_t points[COUNTED_RULES];
	size_t n;
};

static void top_add(struct top *top, int64_t points)
{
	size_t at = top->n;
	while (at > 0 && top->points[at - 1] < points)
		at--;
	if (at == COUNTED_RULES)
		return;
	if (top->n < COUNTED_RULES)
		top->n++;
	for (size_t i = top->n - 1; i > at; i--)
		top->points[i] = top->points[i - 1];
	top->points[at] = points;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static void score(const struct top *top, unsigned n_credited, const struct risk_context *context,
	int64_t *base_milli, int64_t *risk_milli)
{
	int64_t others = 0;
	assert(top->n > 0);
	for (size_t i = 1; i < top->n; i++)
		others += top->points[i] * weights[i - 1];
	int64_t first = top->points[0] * 1000;
	int64_t base = first + (100000 - first) * others / (others + 100000);
	int64_t factor = clamp(incident_tactics_factor(n_credited) * context->criticality *
				       (int64_t)context->novelty / 10000,
		25, 1600);
	*base_milli = base;
	*risk_milli = 100000 * base * factor / ((100000 - base) * 100 + base * factor);
}

void risk_compute(const unsigned *points, size_t n, unsigned n_credited,
	const struct risk_context *context, int64_t *base_milli, int64_t *risk_milli)
{
	struct top top = {.n = 0};
	for (size_t i = 0; i < n; i++)
		top_add(&top, points[i]);
	score(&top, n_credited, context, base_milli, risk_milli);
}

void risk_of_piece(struct piece *piece, const struct risk_context *context)
{
	const struct piece_sums *sums = &piece->sums;
	struct top top = {.n = 0};
	piece->tactics = 0;
	for (size_t i = 0; i < sums->n_rules; i++) {
		top_add(&top, sums->rules[i].points);
		piece->tactics |= sums->rules[i].tactics;
	}
	piece->credited = credited_tactics(sums->rules, sums->n_rules);
	piece->criticality = context->criticality;
	piece->novelty = context->novelty;
	score(&top, piece->credited, context, &piece->base_milli, &piece->risk_milli);
}
