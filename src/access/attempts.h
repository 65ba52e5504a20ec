/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How often signing in has failed: by address, and of all addresses. After a few failures each
 * further one doubles the time that nobody from there is listened to. Bounded memory: the address
 * least lately seen is forgotten. The loop's thread.
 */

#include "base/text.h"

struct attempts;

enum {
	ATTEMPTS_ADDRESSES = 4096,
	ATTEMPTS_FREE = 5,       /* failures of an address before it waits */
	ATTEMPTS_FREE_ALL = 100, /* of all addresses */
	ATTEMPTS_WAIT_MAX_S = 900,
	ATTEMPTS_WAIT_ALL_MAX_S = 30, /* or who fails would keep everybody out */
	ATTEMPTS_FORGET_MS = 900000,  /* without a failure so long: as new */
};

struct attempts *attempts_new(void); /* NULL without memory */
void attempts_free(struct attempts *attempts);

/** Seconds until somebody from @address may try again; 0: now. */
unsigned attempts_wait_s(struct attempts *attempts, struct text address, int64_t now_ms);

void attempts_failed(struct attempts *attempts, struct text address, int64_t now_ms);

/** Forgets the address's failures. From then on only its own ones make it wait. */
void attempts_succeeded(struct attempts *attempts, struct text address);
