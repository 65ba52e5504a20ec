/* SPDX-License-Identifier: Apache-2.0 */
#include "access/attempts.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/table.h"

struct record {
	unsigned failures;
	bool known; /* somebody signed in from there */
	int64_t last_ms, until_ms;
};

struct attempts {
	struct cache *addresses; /* of struct record */
	struct record all;
};

struct attempts *attempts_new(void)
{
	struct attempts *attempts = calloc(1, sizeof *attempts);
	if (!attempts || !(attempts->addresses = cache_new(ATTEMPTS_ADDRESSES, free))) {
		free(attempts);
		return NULL;
	}
	return attempts;
}

void attempts_free(struct attempts *attempts)
{
	if (attempts)
		cache_free(attempts->addresses);
	free(attempts);
}

enum { NETWORK_BYTES = 64 };

/* One customer has a whole /64 of IPv6. */
static struct text network_of(struct text address, char out[NETWORK_BYTES])
{
	struct in6_addr parsed;
	size_t size = text_format(out, NETWORK_BYTES, "%.*s", TEXT_ARG(address));
	if (inet_pton(AF_INET6, out, &parsed) == 1 && !IN6_IS_ADDR_V4MAPPED(&parsed)) {
		text_hex(out, &parsed, 8);
		size = 16;
	}
	return (struct text){out, size};
}

static struct record *find(struct attempts *attempts, struct text address)
{
	char network[NETWORK_BYTES];
	union table_value *value = cache_get(attempts->addresses, network_of(address, network));
	return value ? value->pointer : NULL;
}

static struct record *find_or_make(struct attempts *attempts, struct text address)
{
	char network[NETWORK_BYTES];
	struct record *record = find(attempts, address);
	if (record)
		return record;
	union table_value *value = cache_put(attempts->addresses, network_of(address, network));
	if (value)
		value->pointer = calloc(1, sizeof *record);
	return value ? value->pointer : NULL;
}

static unsigned left_s(const struct record *record, int64_t now_ms)
{
	int64_t left_ms = record->until_ms - now_ms;
	return left_ms > 0 ? (unsigned)((left_ms + 999) / 1000) : 0;
}

unsigned attempts_wait_s(struct attempts *attempts, struct text address, int64_t now_ms)
{
	const struct record *record = find(attempts, address);
	unsigned own_s = record ? left_s(record, now_ms) : 0;
	unsigned all_s = record && record->known ? 0 : left_s(&attempts->all, now_ms);
	return own_s > all_s ? own_s : all_s;
}

static void note(struct record *record, unsigned free, int64_t max_s, int64_t now_ms)
{
	if (now_ms - record->last_ms >= ATTEMPTS_FORGET_MS)
		record->failures = 0;
	record->last_ms = now_ms;
	record->failures++;
	if (record->failures < free)
		return;
	unsigned doublings = record->failures - free;
	int64_t wait_s = doublings < 20 ? INT64_C(1) << doublings : max_s;
	record->until_ms = now_ms + (wait_s < max_s ? wait_s : max_s) * 1000;
}

void attempts_failed(struct attempts *attempts, struct text address, int64_t now_ms)
{
	struct record *record = find_or_make(attempts, address);
	if (record)
		note(record, ATTEMPTS_FREE, ATTEMPTS_WAIT_MAX_S, now_ms);
	note(&attempts->all, ATTEMPTS_FREE_ALL, ATTEMPTS_WAIT_ALL_MAX_S, now_ms);
}

void attempts_succeeded(struct attempts *attempts, struct text address)
{
	struct record *record = find_or_make(attempts, address);
	if (record)
		*record = (struct record){.known = true};
}
