/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Severity and risk (correlation.md section 6), in integers only, so that every build gives the
 * same number. Points per distinct rule, saturating corroboration, tactics multiplied in odds
 * space.
 */

#include "correlate/criticality.h"
#include "model/piece.h"

/* Hundredths: the strongest rule is seen here nearly every day; is nothing special; is new here. */
enum { NOVELTY_DAILY = 50, NOVELTY_NONE = 100, NOVELTY_NEW = 125 };
enum { NOVELTY_DAYS = 7, NOVELTY_DAILY_DAYS = 5 };

unsigned severity_points(enum severity severity); /* 3, 20, 45, 70, 90 */

/* Context of a score, in hundredths. */
struct risk_context {
	unsigned criticality;
	unsigned novelty;
};

/**
 * Novelty of a rule on a workload: @n_days of the 7 UTC days before the incident's first show it.
 * @has_history: the workload was seen 7 or more days before.
 */
unsigned risk_novelty(bool has_history, unsigned n_days);

/**
 * @points per distinct rule, at least one, in any order. Writes the corroborated base and the risk
 * in thousandths (0–100 000).
 */
void risk_compute(const unsigned *points, size_t n, unsigned n_credited,
	const struct risk_context *context, int64_t *base_milli, int64_t *risk_milli);

/**
 * Fills base, risk, tactics, credited, criticality and novelty of @piece from its sums, which have
 * at least one rule.
 */
void risk_of_piece(struct piece *piece, const struct risk_context *context);
