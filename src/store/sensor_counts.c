/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sensor_counts.h"

#include "model/pulse.h"

/* What was told in the last five minutes is what it is now. */
#define NOW_NS (300 * INT64_C(1000000000))

enum agent_state agent_state_at(int64_t heard_ns, int64_t now_ns)
{
	int64_t age_ns = now_ns - heard_ns;
	if (age_ns > AGENT_NOT_HEARD_NS)
		return AGENT_NOT_HEARD;
	return age_ns > AGENT_SILENT_NS ? AGENT_SILENT : AGENT_CONNECTED;
}

const char *agent_state_name(enum agent_state state)
{
	static const char *const names[] = {[AGENT_CONNECTED] = "connected",
		[AGENT_SILENT] = "silent",
		[AGENT_NOT_HEARD] = "not heard"};
	return names[state];
}

/* The gravest of what was told; else whether it speaks. */
static unsigned state_of(sqlite3_stmt *statement, int64_t now_ns)
{
	unsigned told = (unsigned)sql_i64(statement, 4);
	struct pulse pulse = {.spoke_ns = sql_i64(statement, 2), .usual_ns = sql_i64(statement, 3)};
	if (told > COVERAGE_SILENT)
		return told;
	if (pulse_silent_since(&pulse, now_ns) || told == COVERAGE_SILENT)
		return COVERAGE_SILENT;
	return pulse.spoke_ns || told ? COVERAGE_CONNECTED : 0;
}

static int read_sensors(
	struct connection *connection, int64_t now_ns, struct sensor_counts *out, struct err *err)
{
	int step;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT o.source, max(s.last_received_ns), coalesce(p.spoke_ns, 0),"
		" coalesce(p.usual_ns, 0), coalesce((SELECT max(state) FROM coverage c"
		" WHERE c.place = p.id AND c.from_ns > ?1 AND c.until_ns > ?2), 0)"
		" FROM sender s JOIN origin o ON o.id = s.origin LEFT JOIN coverage_place p"
		" ON p.cluster = o.cluster AND p.node = s.node AND p.source = o.source"
		" AND p.sensor = s.sensor"
		" GROUP BY o.source, o.cluster, s.node, s.sensor",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, now_ns - 86400 * INT64_C(1000000000));
	sql_bind_i64(statement, 2, now_ns - NOW_NS);
	while ((step = sql_step(statement, err)) > 0) {
		size_t source = (size_t)sql_i64(statement, 0);
		int64_t heard_ns = sql_i64(statement, 1);
		if (source >= N_SOURCES)
			continue;
		out->n[source][state_of(statement, now_ns)]++;
		if (heard_ns > out->last_heard_ns[source])
			out->last_heard_ns[source] = heard_ns;
	}
	return step;
}

int sensor_counts_read(
	struct connection *connection, int64_t now_ns, struct sensor_counts *out, struct err *err)
{
	int step;
	*out = (struct sensor_counts){0};
	if (read_sensors(connection, now_ns, out, err) < 0)
		return -1;
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT heard_ns FROM agent", err);
	if (!statement)
		return -1;
	while ((step = sql_step(statement, err)) > 0)
		out->agents[agent_state_at(sql_i64(statement, 0), now_ns)]++;
	return step;
}
