/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a decision about the grouping would do: looked at by the rules of decisions, and computed by
 * the writer's own correlator, on tables that nobody else sees (store/shadow.h). One thread at a
 * time.
 */

#include "correlate/criticality.h"
#include "model/decision.h"

struct preview;

enum { PREVIEW_MS = 2000 }; /* longer than that it is refused: ERR_BUSY */

/** @criticality is borrowed. On failure *out is not set. */
CHECKED int preview_open(struct preview **out, const char *database,
	const struct criticality_rules *criticality, struct err *err);
void preview_close(struct preview *preview); /* accepts NULL */

/**
 * Fills decision->preview and the result of decision->incident: 200, or why it would be refused.
 * @now_ns: when it would be decided. Its idempotency key must be absent.
 */
CHECKED int preview_compute(struct preview *preview, struct decision *decision, int64_t now_ns,
	struct arena *arena, struct err *err);
