/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Answers to decisions that may be sent again: by who asked and the key they chose. The writer's.
 */

#include "base/arena.h"
#include "base/digest.h"
#include "store/connection.h"

enum { IDEMPOTENCY_KEPT_HOURS = 24 };

struct idempotency {
	struct text actor, key;
	struct digest request; /* of all that was asked */
	/* out, or to be kept */
	unsigned status; /* 0: the key was not used */
	bool same;       /* it was used for this request */
	struct text answer;
};

/** Fills in what is kept under the actor's key; the answer is copied into @arena. */
CHECKED int idempotency_find(struct connection *connection, struct idempotency *item,
	struct arena *arena, struct err *err);

/** Keeps status and answer, and lets go of some that are older than a day. */
CHECKED int idempotency_keep(struct connection *connection, const struct idempotency *item,
	int64_t now_ns, struct err *err);
