/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* splitmix64 (Sebastiano Vigna, public domain): any seed is a good one. */
uint64_t random_next(struct random *random)
{
	uint64_t x = random->state += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t random_below(struct random *random, uint64_t end)
{
	return random_next(random) % end;
}

struct random random_of(uint64_t seed)
{
	return (struct random){seed};
}

struct random random_from_environment(void)
{
	const char *given = getenv("TOCSIN_SEED");
	uint32_t seed = 1;
	if (given)
		seed = (uint32_t)strtoul(given, NULL, 10);
	else if (getrandom(&seed, sizeof seed, 0) < 0)
		perror("getrandom");
	printf("# seed %u\n", seed);
	return random_of(seed);
}
