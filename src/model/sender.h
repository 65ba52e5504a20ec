/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What intake saw of each sender, per address and source. Intake owns the counts and publishes an
 * immutable copy at least once a second while something changes; the console reads the newest.
 */

#include "base/snapshot.h"
#include "model/source.h"

struct sender {
	struct text address; /* "192.0.2.7" */
	enum source source;
	uint64_t n_requests;
	uint64_t n_held;    /* requests that had to wait for the store */
	uint64_t n_refused; /* answered 4xx or 5xx: from a falco sender the alert is lost */
	int64_t last_heard_ns;
	int64_t last_refused_ns;
	unsigned last_refusal; /* HTTP status */
	int64_t held_since_ns; /* oldest request held now; 0: none */
	struct text agent;     /* node of the agent that sends for it; absent: it sends itself */
};

struct sender_set {
	struct snapshot snapshot; /* first */
	struct sender *items;
	size_t n;
	uint64_t n_overflow; /* senders over the limit, counted together */
};

enum { SENDERS_MAX = 4096 };

/** A deep copy that snapshot_publish can take; NULL without memory. */
struct sender_set *sender_set_new(const struct sender *items, size_t n, uint64_t n_overflow);
