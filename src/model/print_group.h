/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Alerts of one fingerprint in one workload, as one row of a list: "N times, first, last". */

#include "model/alert.h"

struct print_group {
	struct print_group *next;
	/* what its alerts have in common: sensor, rule, place, workload, process, operation; its
	 * severity is the greatest, its time the last, its leaf the newest */
	struct alert like;
	int64_t first_ns;
	uint64_t n;
	int64_t fingerprint, workload; /* interned: with `order`, its place in the list */
	int64_t order;                 /* what the list is sorted by */
};
