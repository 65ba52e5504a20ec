/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/throttle.h"

#include <stdlib.h>

#include "base/table.h"
#include "intake/limits.h"

/*
 * A value is one number: the minute it counts in, times COUNT_SPAN, plus the count. So nothing is
 * allocated per address beyond the cache's own entry.
 */
enum { COUNT_SPAN = 1024 };

struct throttle {
	struct cache *failures;
	const struct clock *clock;
};

struct throttle *throttle_new(const struct clock *clock)
{
	struct throttle *throttle = calloc(1, sizeof *throttle);
	if (!throttle || !(throttle->failures = cache_new(FAILURES_ADDRESSES, NULL))) {
		free(throttle);
		return NULL;
	}
	throttle->clock = clock;
	return throttle;
}

void throttle_free(struct throttle *throttle)
{
	if (throttle)
		cache_free(throttle->failures);
	free(throttle);
}

bool throttle_failed(struct throttle *throttle, struct text address)
{
	int64_t minute = clock_monotonic_ms(throttle->clock) / FAILURES_WINDOW_MS + 1;
	union table_value *value = cache_get(throttle->failures, address);
	if (!value)
		value = cache_put(throttle->failures, address);
	if (!value)
		return true; /* no memory: the safe side */
	if (value->number / COUNT_SPAN != minute)
		value->number = minute * COUNT_SPAN;
	if (value->number % COUNT_SPAN < COUNT_SPAN - 1)
		value->number++;
	return value->number % COUNT_SPAN > FAILURES_MAX;
}
