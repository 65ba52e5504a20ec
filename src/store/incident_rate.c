/* SPDX-License-Identifier: Apache-2.0 */
#include "store/incident_rate.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/alert.h"
#include "store/incidents.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, LATE_S = 60 };

static size_t bin_of(const struct incident_rate *rate, int64_t time_ns)
{
	int64_t width = (rate->to_ns - rate->from_ns) / RATE_BINS + 1;
	int64_t bin = (time_ns - rate->from_ns) / width;
	return bin < 0 ? 0 : bin >= RATE_BINS ? RATE_BINS - 1 : (size_t)bin;
}

/* An alert that has left with its age is not counted. */
static int add_leaf(
	struct connection *connection, uint64_t leaf, struct incident_rate *rate, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(
		connection, "SELECT time_ns, received_ns, bits FROM alert WHERE leaf = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)leaf);
	int found = sql_step(statement, err);
	if (found <= 0)
		return found;
	int64_t time_ns = sql_i64(statement, 0), received_ns = sql_i64(statement, 1);
	uint64_t bits = (uint64_t)sql_i64(statement, 2);
	sqlite3_reset(statement);
	size_t severity = bits & 15;
	rate->bins[bin_of(rate, time_ns)][severity < N_SEVERITIES ? severity : 0]++;
	rate->n_seen++;
	if (bits >> 8 & ALERT_TIME_UNTRUSTED)
		rate->n_untrusted++;
	else if (received_ns - time_ns > LATE_S * NS_PER_S)
		rate->n_late++;
	return 0;
}

int incident_rate_read(
	struct connection *connection, uint64_t number, struct incident_rate *rate, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, ARENA_BYTES);
	struct leaf_page page = {.limit = RATE_LEAVES_MAX, .arena = &arena};
	if (incident_leaves(connection, number, &page, err) < 0)
		return -1;
	for (size_t i = 0; i < page.n; i++)
		if (add_leaf(connection, page.leaves[i], rate, err) < 0)
			return -1;
	rate->partial = page.next_from != 0;
	return 0;
}
