/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the agent knows of its sensors: when it heard them, when they were silent though they speak
 * every minute, when we lost or did not take what they had. What they say that they lost travels as
 * alerts. Intervals wait until they were reported.
 * The loop's thread.
 */

#include "base/clock.h"
#include "model/alert.h"
#include "model/coverage.h"

struct agent_coverage;

struct agent_coverage *agent_coverage_new(const struct clock *clock); /* NULL without memory */
void agent_coverage_free(struct agent_coverage *coverage);            /* accepts NULL */

/** An alert came in. */
void agent_coverage_heard(struct agent_coverage *coverage, const struct alert *alert);
/** Records were lost. */
void agent_coverage_lost(struct agent_coverage *coverage, enum source source, int64_t from_ns,
	int64_t until_ns, uint64_t n);
/** A sensor could not give what it saw: it was refused, or not answered for long. @n requests; 0:
 * not counted. */
void agent_coverage_throttled(struct agent_coverage *coverage, enum source source, int64_t from_ns,
	int64_t until_ns, uint64_t n);
/** What is to be reported now; valid until the next call of any of these. NULL: nothing. */
const struct coverage *agent_coverage_report(struct agent_coverage *coverage);
/** The last report is stored: what had ended in it is forgotten. Until then it is reported again.
 */
void agent_coverage_reported(struct agent_coverage *coverage);
