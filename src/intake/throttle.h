/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Counts wrong tokens per address, in a bounded memory. */

#include "base/clock.h"

struct throttle;

struct throttle *throttle_new(const struct clock *clock); /* NULL without memory */
void throttle_free(struct throttle *throttle);            /* accepts NULL */

/** One more wrong token. true: too many within a minute. */
bool throttle_failed(struct throttle *throttle, struct text address);
