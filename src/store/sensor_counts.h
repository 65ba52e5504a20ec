/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How many sensors watch, by source and what they are now: for the metrics. */

#include "model/coverage.h"
#include "store/connection.h"

/* As enum coverage_state; 0: it never speaks of itself. */
enum { N_SENSOR_STATES = COVERAGE_SHED + 1 };

enum agent_state { AGENT_CONNECTED, AGENT_SILENT, AGENT_NOT_HEARD };
enum { N_AGENT_STATES = AGENT_NOT_HEARD + 1 };

/* An agent reports every ten seconds; after fifteen minutes it is not waited for any more. */
#define AGENT_SILENT_NS (60 * INT64_C(1000000000))

struct sensor_counts {
	uint64_t n[N_SOURCES][N_SENSOR_STATES];
	int64_t last_heard_ns[N_SOURCES]; /* 0: never */
	uint64_t agents[N_AGENT_STATES];
};

enum agent_state agent_state_at(int64_t heard_ns, int64_t now_ns);
const char *agent_state_name(enum agent_state state);

CHECKED int sensor_counts_read(
	struct connection *connection, int64_t now_ns, struct sensor_counts *out, struct err *err);
