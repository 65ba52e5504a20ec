/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Is an incident suppressed? Judged whenever it is read, so that what begins, ends or is changed
 * shows at once. Any connection.
 */

#include "store/connection.h"
#include "store/incidents.h"
#include "store/suppressions.h"

/* Those that are active while something is read. */
struct suppressed {
	struct suppression_list active;
	struct arena *arena;
};

/** Reads them into @arena. */
CHECKED int suppressed_begin(struct suppressed *suppressed, struct connection *connection,
	int64_t now_ns, struct arena *arena, struct err *err);

/**
 * Fills suppressed_by: the ids of those that match at least one of its fingerprints, if together
 * they match every one that is not context; else it stays empty. Reads the story only where the
 * summary does not decide.
 */
CHECKED int incident_judge(struct suppressed *suppressed, struct connection *connection,
	struct incident *incident, struct err *err);

/** Judges it by filter->suppressed. *wanted: does the filter want it then? */
CHECKED int suppressed_look(const struct incident_filter *filter, struct connection *connection,
	struct incident *incident, bool *wanted, struct err *err);
