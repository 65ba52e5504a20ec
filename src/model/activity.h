/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What was done and said about an incident. */

#include "base/text.h"

/* Stored: numbers never change. Names in activity_kind_name. */
enum activity_kind {
	ACTIVITY_ACKNOWLEDGED = 1,
	ACTIVITY_ASSIGNED,
	ACTIVITY_COMMENT,
	ACTIVITY_RESOLVED,
	ACTIVITY_REOPENED,
	ACTIVITY_SNOOZED,
	ACTIVITY_WOKEN,
	ACTIVITY_CUT,
	ACTIVITY_UNLINKED,
	ACTIVITY_LINKED,
	ACTIVITY_UNDONE,
	ACTIVITY_SEALED,
	ACTIVITY_AMENDED,  /* alerts came after it was sealed */
	ACTIVITY_MERGED,   /* another incident became part of it */
	ACTIVITY_SPLIT,    /* a part of it became an incident of its own */
	ACTIVITY_RECURRED, /* alerts came after it was resolved: they have an incident of their own
			    */
	ACTIVITY_CLOSED,
	ACTIVITY_ECHOED, /* what was sent of it came back as an alert */
	N_ACTIVITY_KINDS
};

struct activity {
	uint64_t id; /* set when it is written; also the event id of the live stream */
	uint64_t number;
	int64_t time_ns;
	struct text actor;
	enum activity_kind kind;
	uint64_t revision;
	struct text detail; /* JSON */
	struct text edit;   /* what undo names; absent: cannot be undone */
	uint64_t origin;    /* the merged incident that it was copied from; 0: none */
};

/** "acknowledged", "assigned", … */
const char *activity_kind_name(enum activity_kind kind);
