/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A bounded piece of the writer's time: work is done row by row until the slice is used up, then
 * the transaction ends and something else may run (design.md: no task exceeds 20 ms).
 */

#include "base/clock.h"

struct slice {
	const struct clock *clock;
	int64_t until_ms; /* monotonic */
	int64_t rows_left;
};

static inline struct slice slice_start(const struct clock *clock, int64_t ms, int64_t rows)
{
	return (struct slice){clock, clock_monotonic_ms(clock) + ms, rows};
}

static inline void slice_spend(struct slice *slice, size_t rows)
{
	slice->rows_left -= (int64_t)rows;
}

static inline bool slice_is_over(const struct slice *slice)
{
	return slice->rows_left <= 0 || clock_monotonic_ms(slice->clock) >= slice->until_ms;
}
