/* SPDX-License-Identifier: Apache-2.0 */
#include "net/h2_flood.h"

void h2_flood_init(struct h2_flood *flood, int64_t now_ms)
{
	*flood = (struct h2_flood){.tokens = H2_FLOOD_FULL, .filled_after_ms = now_ms};
}

void h2_flood_give(struct h2_flood *flood, int64_t n)
{
	flood->tokens += n;
	if (flood->tokens > H2_FLOOD_FULL)
		flood->tokens = H2_FLOOD_FULL;
}

bool h2_flood_take(struct h2_flood *flood, int64_t n, int64_t now_ms)
{
	int64_t since_ms = now_ms - flood->filled_after_ms;
	int64_t given = since_ms > 60000 ? H2_FLOOD_FULL : since_ms * H2_FLOOD_PER_S / 1000;
	if (given > 0) {
		h2_flood_give(flood, given);
		flood->filled_after_ms = now_ms;
	}
	flood->tokens -= n;
	return flood->tokens >= 0;
}
