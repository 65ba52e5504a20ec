/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Carries out what people decided, inside the writer's transaction, and audits it. */

#include "model/batch.h"
#include "pipeline/correlator.h"
#include "store/connection.h"

struct decision_run {
	struct connection *connection;
	struct correlator *correlator;
	int64_t now_ns;
	bool credentials_changed;  /* out: set when tokens were */
	bool suppressions_changed; /* out: likewise */
};

/**
 * Carries out the batch's decisions in order. One about an incident or a suppression that cannot be
 * carried out says so in its result, changes nothing and lets the others be; one about a token
 * fails with ERR_INPUT or ERR_MISSING. Else fails with the store's errors.
 */
CHECKED int decisions_carry_out(struct decision_run *run, struct batch *batch, struct err *err);
