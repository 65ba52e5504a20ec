/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Random numbers for tests: TOCSIN_SEED repeats a run, whose seed is always printed. */

#include <stdint.h>

struct random {
	uint64_t state;
};

/** Seeded by TOCSIN_SEED, else by chance; prints "# seed N". */
struct random random_from_environment(void);
struct random random_of(uint64_t seed);

uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t end); /* 0 … end - 1 */
