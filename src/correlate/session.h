/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sessions: which slots of a key belong together (correlation.md section 4). Fed slot by slot in
 * ascending order; each step depends on the running session alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session_rules {
	int64_t gap_ns;      /* idle gap G: 3600 s */
	int64_t span_slots;  /* maximum span S / w: 288 */
	const int64_t *cuts; /* slots at which people cut the key */
	size_t n_cuts;
};

extern const struct session_rules session_rules_default;

/* One slot of a key. */
struct session_slot {
	int64_t slot;
	bool has_alerts; /* others than context */
	int64_t lo_ns;   /* of the alerts; of the context if there are none */
	int64_t hi_ns;   /* of the alerts */
};

struct session {
	bool open;
	int64_t first_slot, last_slot;
	int64_t lo_ns, hi_ns;
};

enum session_step {
	SESSION_EXTENDED, /* the slot joined the running session */
	SESSION_FOUNDED,  /* the running session ended; the slot begins a new one */
	SESSION_ENDED,    /* the running session ended; the slot is context out of reach of any */
};

enum session_step session_feed(struct session *session, const struct session_slot *slot,
	const struct session_rules *rules);

/** Would @slot extend the running session? Changes nothing. */
bool session_reaches(const struct session *session, const struct session_slot *slot,
	const struct session_rules *rules);
