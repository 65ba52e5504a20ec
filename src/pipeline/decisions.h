/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Carries out what people decided, inside the writer's transaction, and audits it. */

#include "model/batch.h"
#include "store/connection.h"

/**
 * Carries out the batch's decisions in order. *credentials_changed is set when tokens were. Fails
 * with ERR_INPUT, ERR_MISSING (the decision cannot be carried out) or the store's errors.
 */
CHECKED int decisions_carry_out(struct connection *connection, struct batch *batch, int64_t now_ns,
	bool *credentials_changed, struct err *err);
