/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Who is signed in: links that are made, sessions that begin and end. */

#include "pipeline/decisions.h"

/**
 * Carries one out and audits it. A link that was used by somebody else meanwhile, or a session that
 * has ended: sign_in.refusal says so, and nothing is changed. Else fails with the store's errors.
 */
CHECKED int sign_in_decide(struct decision_run *run, struct decision *decision, struct err *err);
