/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Carries out what people decided about suppressions, inside the writer's transaction. */

#include "pipeline/decisions.h"

/**
 * Makes, changes or ends one, audits it and fills in the result. One that cannot be carried out
 * says so in its result and changes nothing. Fails with the store's errors.
 */
CHECKED int suppression_decide(
	struct decision_run *run, struct decision *decision, struct arena *arena, struct err *err);
