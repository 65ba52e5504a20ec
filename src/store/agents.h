/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The node agents that are known, and how far each has got. */

#include "base/arena.h"
#include "model/coverage.h"
#include "store/connection.h"

enum { AGENTS_MAX = 20000 };

struct agent_row {
	struct agent_report report;
	int64_t heard_ns;
	int64_t boot_ns; /* when report.boot was heard first; 0: it has none */
};

struct agent_list {
	struct agent_row *items; /* by cluster, node and spool */
	size_t n;
};

/** What an agent says of itself. Others of its node that had nothing waiting, and have not been
 * heard for so long that nobody waits for them, are forgotten. */
CHECKED int agent_note(struct connection *connection, const struct agent_report *report,
	int64_t now_ns, struct err *err);

CHECKED int agents_list(struct connection *connection, struct arena *arena, struct agent_list *out,
	struct err *err);

/** Forgets agents that were not heard since. */
CHECKED int agents_expire(struct connection *connection, int64_t before_ns, struct err *err);
