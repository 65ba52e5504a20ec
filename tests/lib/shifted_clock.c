/* SPDX-License-Identifier: Apache-2.0 */

/*
 * For LD_PRELOAD: wall clocks show SHIFTED_S seconds more, so that tests can be run in another
 * year. Timers keep their pace. Built by tests/system/years_later.py.
 */

#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t shift_s(void)
{
	static time_t shift;
	static int is_read;
	if (!is_read) {
		const char *given = getenv("SHIFTED_S");
		shift = given ? strtol(given, NULL, 10) : 0;
		is_read = 1;
	}
	return shift;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	int failed = (int)syscall(SYS_clock_gettime, clock, out);
	if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		out->tv_sec += shift_s();
	return failed;
}

time_t time(time_t *out)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}
