/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Severity and risk (correlation.md section 6), in integers only, so that every build gives the
 * same number. Points per distinct rule, saturating corroboration, tactics multiplied in odds
 * space.
 */

#include "model/piece.h"

/* Hundredths. */
enum {
	CRITICALITY_LOW = 50,
	CRITICALITY_NORMAL = 100,
	CRITICALITY_HIGH = 150,
	CRITICALITY_EXTREME = 200
};
enum { NOVELTY_DAILY = 50, NOVELTY_NONE = 100, NOVELTY_NEW = 125 };

unsigned severity_points(enum severity severity); /* 3, 20, 45, 70, 90 */

/* Context of a score, in hundredths. */
struct risk_context {
	int64_t criticality;
	int64_t novelty;
};

/**
 * @points per distinct rule, at least one, in any order. Writes the corroborated base and the risk
 * in thousandths (0–100 000).
 */
void risk_compute(const unsigned *points, size_t n, unsigned n_credited,
	const struct risk_context *context, int64_t *base_milli, int64_t *risk_milli);

/** Fills base, risk, tactics and credited of @piece from its sums, which have at least one rule. */
void risk_of_piece(struct piece *piece, const struct risk_context *context);
