/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much a peer may cost that sends no data: a bucket per connection. Private to net/.
 *
 * Every frame takes out of it, also what is wrong, unknown or of a call that is over; calls that
 * begin, data that comes, and time fill it again. Honest peers ping while data flows (grpc-go
 * measures the bandwidth that way) and cancel some calls; a flood has neither excuse.
 */

#include <stdbool.h>
#include <stdint.h>

enum {
	H2_FLOOD_FULL = 2000, /* tokens at first and at most */
	H2_FLOOD_PER_S = 200, /* that time gives back */
	H2_FLOOD_DATA = 3,    /* that a DATA frame with bytes gives: itself, its window, its ping */
	H2_FLOOD_CALL = 1,    /* that a call gives, beside its HEADERS: its window, or its end */
	H2_FLOOD_RESET = 4,   /* that a reset costs, also one of ours for a fault of its: it made us
				 begin */
};

struct h2_flood {
	int64_t tokens;
	int64_t filled_after_ms;
};

void h2_flood_init(struct h2_flood *flood, int64_t now_ms);
/** Takes @n out; false: the peer has overdone it. */
bool h2_flood_take(struct h2_flood *flood, int64_t n, int64_t now_ms);
void h2_flood_give(struct h2_flood *flood, int64_t n);
