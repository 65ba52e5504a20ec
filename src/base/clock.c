/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>
#include <stddef.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return clock_ns_of(now);
}

static int64_t system_wall_ns(const struct clock *clock)
{
	(void)clock;
	return read_clock(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(const struct clock *clock)
{
	(void)clock;
	return read_clock(CLOCK_MONOTONIC) / NS_PER_MS;
}

const struct clock clock_system = {system_wall_ns, system_monotonic_ms};

/* `clock` is the first member, so its address is that of the whole. */
static const struct clock_manual *manual_of(const struct clock *clock)
{
	return (const struct clock_manual *)(const void *)clock;
}

static int64_t manual_wall_ns(const struct clock *clock)
{
	return atomic_load(&manual_of(clock)->wall_ns);
}

static int64_t manual_monotonic_ms(const struct clock *clock)
{
	return atomic_load(&manual_of(clock)->monotonic_ms);
}

void clock_manual_init(struct clock_manual *manual, int64_t wall_ns)
{
	manual->clock = (struct clock){manual_wall_ns, manual_monotonic_ms};
	atomic_init(&manual->wall_ns, wall_ns);
	atomic_init(&manual->monotonic_ms, 0);
}

/* Howard Hinnant's public-domain civil calendar arithmetic, from its description. */
int64_t clock_days(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

char *clock_format(int64_t wall_ns, char out[CLOCK_TEXT_BYTES])
{
	int64_t seconds = wall_ns / NS_PER_S - (wall_ns % NS_PER_S < 0);
	int64_t fraction = wall_ns % NS_PER_S + (wall_ns % NS_PER_S < 0 ? NS_PER_S : 0);
	int64_t days = seconds / 86400 - (seconds % 86400 < 0);
	int64_t of_day = seconds - days * 86400;
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t doe = shifted - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;
	int64_t year = yoe + era * 400 + (month <= 2);
	text_format(out, CLOCK_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", (int)year,
		(int)month, (int)(doy - (153 * mp + 2) / 5 + 1), (int)(of_day / 3600),
		(int)(of_day / 60 % 60), (int)(of_day % 60), (int)fraction);
	return out;
}

/* Exactly @n digits at *at. */
static bool digits(struct text text, size_t *at, size_t n, int64_t *out)
{
	uint64_t value;
	struct text part = text_part(text, *at, n);
	if (part.size != n || !text_to_u64(part, &value))
		return false;
	*at += n;
	*out = (int64_t)value;
	return true;
}

static bool one_of(struct text text, size_t *at, const char *allowed)
{
	for (; *at < text.size && *allowed; allowed++)
		if (text.data[*at] == *allowed) {
			++*at;
			return true;
		}
	return false;
}

static bool parse_fraction(struct text text, size_t *at, int64_t *fraction)
{
	int64_t unit = NS_PER_S / 10;
	*fraction = 0;
	if (!one_of(text, at, "."))
		return true;
	size_t from = *at;
	for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at, unit /= 10)
		*fraction += (text.data[*at] - '0') * unit;
	return *at > from && *at - from <= 9;
}

static bool parse_zone(struct text text, size_t *at, int64_t *offset_s)
{
	int64_t hours, minutes;
	*offset_s = 0;
	if (one_of(text, at, "Zz"))
		return true;
	bool east = *at < text.size && text.data[*at] == '+';
	if (!one_of(text, at, "+-") || !digits(text, at, 2, &hours))
		return false;
	one_of(text, at, ":");
	if (!digits(text, at, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset_s = (hours * 3600 + minutes * 60) * (east ? 1 : -1);
	return true;
}

static bool date_exists(int64_t year, int64_t month, int64_t day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (month < 1 || month > 12 || day < 1)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= lengths[month - 1] + (leap && month == 2);
}

/* Seconds since 1970 of YYYY-MM-DD. */
static bool parse_date(struct text text, size_t *at, int64_t *seconds)
{
	int64_t year, month, day;
	if (!digits(text, at, 4, &year) || !one_of(text, at, "-") || !digits(text, at, 2, &month) ||
		!one_of(text, at, "-") || !digits(text, at, 2, &day) ||
		!date_exists(year, month, day))
		return false;
	*seconds = clock_days(year, (unsigned)month, (unsigned)day) * 86400;
	return true;
}

/* Seconds of the day of HH:MM:SS. */
static bool parse_time(struct text text, size_t *at, int64_t *seconds)
{
	int64_t hour, minute, second;
	if (!digits(text, at, 2, &hour) || !one_of(text, at, ":") ||
		!digits(text, at, 2, &minute) || !one_of(text, at, ":") ||
		!digits(text, at, 2, &second) || hour > 23 || minute > 59 || second > 60)
		return false;
	*seconds = hour * 3600 + minute * 60 + second;
	return true;
}

static bool parse_all(struct text text, int64_t *seconds, int64_t *fraction)
{
	size_t at = 0;
	int64_t date_s, time_s, offset_s;
	if (!parse_date(text, &at, &date_s) || !one_of(text, &at, "Tt ") ||
		!parse_time(text, &at, &time_s) || !parse_fraction(text, &at, fraction) ||
		!parse_zone(text, &at, &offset_s) || at != text.size)
		return false;
	*seconds = date_s + time_s - offset_s;
	return true;
}

static bool to_ns(int64_t seconds, int64_t fraction, int64_t *wall_ns)
{
	return !__builtin_mul_overflow(seconds, NS_PER_S, wall_ns) &&
	       !__builtin_add_overflow(*wall_ns, fraction, wall_ns);
}

bool clock_parse(struct text text, int64_t *wall_ns)
{
	int64_t seconds, fraction;
	return parse_all(text, &seconds, &fraction) && to_ns(seconds, fraction, wall_ns);
}

bool clock_parse_bound(struct text text, int64_t *wall_ns)
{
	int64_t seconds, fraction;
	if (!parse_all(text, &seconds, &fraction))
		return false;
	if (!to_ns(seconds, fraction, wall_ns))
		*wall_ns = seconds < 0 ? INT64_MIN : INT64_MAX;
	return true;
}
