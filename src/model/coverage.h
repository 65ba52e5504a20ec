/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a sensor was in an interval of time: visible ignorance. Intervals of one (cluster, node,
 * source, sensor, state) that touch are one. Stored: numbers never change.
 */

#include "base/text.h"
#include "model/source.h"

enum coverage_state {
	COVERAGE_CONNECTED = 1,
	COVERAGE_SILENT = 2,
	COVERAGE_THROTTLED = 3,
	COVERAGE_DROPPING = 4,
};

struct coverage {
	struct coverage *next; /* in its batch */
	struct text cluster, node, sensor;
	enum source source;
	enum coverage_state state;
	int64_t from_ns, until_ns;
	uint64_t n; /* events lost or kept back; 0: not known */
};

/* How far an agent has got. */
struct agent_report {
	struct text cluster, node, version;
	int64_t at_ns;     /* when the collector heard it */
	int64_t oldest_ns; /* arrival of its oldest record that is not stored: its watermark */
	uint64_t n_waiting, waiting_bytes;
};

const char *coverage_state_name(enum coverage_state state);
