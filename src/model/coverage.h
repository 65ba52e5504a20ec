/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a sensor was in an interval of time: visible ignorance. Intervals of one (cluster, node,
 * source, sensor, state) that touch are one.
 */

#include <stdbool.h>

#include "base/text.h"
#include "model/source.h"

/* Stored: numbers never change. */
enum coverage_state {
	COVERAGE_CONNECTED = 1,
	COVERAGE_SILENT = 2,
	COVERAGE_THROTTLED = 3,
	COVERAGE_DROPPING = 4,
	/* By its agent, whose spool was full; told by leaves, never by reports. */
	COVERAGE_SHED = 5,
};

struct coverage {
	struct coverage *next; /* in its batch */
	struct text cluster, node;
	struct text sensor; /* family, as alert->sensor */
	enum source source;
	enum coverage_state state;
	int64_t from_ns, until_ns;
	uint64_t n; /* events lost or kept back; 0: not known */
};

enum { SPOOL_MARK_BYTES = 16 };

/* How far an agent has got. */
struct agent_report {
	struct text cluster, node, version;
	unsigned char spool[SPOOL_MARK_BYTES]; /* a node may have several agents */
	struct text boot;                      /* of the node; absent: it does not say */
	int64_t oldest_ns; /* arrival of its oldest record that is not stored: its watermark */
	uint64_t n_waiting, waiting_bytes;
};

/* So long it is waited for. Then one that had nothing waiting is succeeded by another of its node.
 */
#define AGENT_NOT_HEARD_NS (900 * INT64_C(1000000000))
/* So long an agent that is not heard is told of: its spool may still come. Then it is gone. */
#define AGENT_FORGOTTEN_NS (7 * INT64_C(86400) * 1000000000)

/* A node whose agent is not waited for any more. */
struct unheard_node {
	struct text cluster, node;
	int64_t oldest_ns; /* up to then it has said everything */
};

struct unheard_nodes {
	const struct unheard_node *items; /* by cluster and node */
	size_t n;
};

const char *coverage_state_name(enum coverage_state state);
bool coverage_state_parse(struct text word, enum coverage_state *out);

/** Does the state mean that something may be missing? */
static inline bool coverage_is_gap(enum coverage_state state)
{
	return state != COVERAGE_CONNECTED;
}
