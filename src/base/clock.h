/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Time as an argument, so that tests move it. Wall time (*_at_ns) is stored; monotonic time
 * (*_after_ms) drives timers and deadlines.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/text.h"

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

struct clock {
	int64_t (*wall_ns)(const struct clock *clock);
	int64_t (*monotonic_ms)(const struct clock *clock);
};

extern const struct clock clock_system;

/** A clock that stands still until its fields are set. Any thread may read it, one sets it. */
struct clock_manual {
	struct clock clock; /* first: a clock_manual is a clock */
	_Atomic int64_t wall_ns;
	_Atomic int64_t monotonic_ms;
};

void clock_manual_init(struct clock_manual *manual, int64_t wall_ns);

static inline int64_t clock_wall_ns(const struct clock *clock)
{
	return clock->wall_ns(clock);
}

static inline int64_t clock_monotonic_ms(const struct clock *clock)
{
	return clock->monotonic_ms(clock);
}

/** What clocks and file systems say, in ns. */
static inline int64_t clock_ns_of(struct timespec time)
{
	return (int64_t)time.tv_sec * NS_PER_S + time.tv_nsec;
}

enum { CLOCK_TEXT_BYTES = 40 };

/** RFC 3339 in UTC with nine fraction digits: "2026-11-21T19:52:28.429697301Z". Returns @out. */
char *clock_format(int64_t wall_ns, char out[CLOCK_TEXT_BYTES]);

/**
 * Reads RFC 3339: 0–9 fraction digits, 'T' or 't' or a space, 'Z' or ±hh:mm or ±hhmm.
 *
 * false for anything else, for dates that do not exist (a leap second counts as the next second)
 * and for years outside 1677–2262, which nanoseconds in 64 bits cannot hold. No locale, no time
 * zone data.
 */
bool clock_parse(struct text text, int64_t *wall_ns);

/** The same for what is only compared with: beyond 1677–2262 it is INT64_MIN or INT64_MAX. */
bool clock_parse_bound(struct text text, int64_t *wall_ns);

/** Days since 1970-01-01 of a civil date (proleptic Gregorian). */
int64_t clock_days(int64_t year, unsigned month, unsigned day);
