/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is known of a pod, container, node or workload: the observed tuples that mean it, by what
 * alerts said and by facts. Any connection.
 */

#include "base/arena.h"
#include "model/entity.h"
#include "model/severity.h"
#include "store/connection.h"

enum known_kind { KNOWN_POD_NAME, KNOWN_POD_UID, KNOWN_CONTAINER, KNOWN_NODE, KNOWN_WORKLOAD };

enum { KNOWN_TUPLES_MAX = 1000, KNOWN_NUMBERS_MAX = 100 };

struct known_tuple {
	int64_t entity;
	struct identity_seen seen; /* a name that it does not say, but a fact: that one */
};

struct known {
	enum known_kind kind;
	struct text cluster; /* absent: of any */
	struct text
		value; /* "namespace/pod", a uid, a container's id, a node, "namespace/workload" */
	struct arena *arena;
	/* out */
	struct known_tuple *tuples; /* newest first */
	size_t n;
	bool is_full; /* there are more */
};

CHECKED int known_read(struct connection *connection, struct known *known, struct err *err);

/* Alerts of one rule of a tuple in a slot. */
struct known_sum {
	struct text rule;
	enum severity severity;
	uint64_t n;
	int64_t first_ns, last_ns;
};

/** The same rule may come more than once. false without memory. */
typedef bool known_sum_visit(void *ctx, const struct known_sum *sum);

/** Counts a tuple's alerts by rule, newest days first. *complete false: it took too long. */
CHECKED int known_sums_read(struct connection *connection, int64_t entity, known_sum_visit *visit,
	void *ctx, bool *complete, struct err *err);

/* Incidents that have alerts of tuples. */
struct known_numbers {
	uint64_t numbers[KNOWN_NUMBERS_MAX]; /* falling */
	size_t n;
	bool is_full; /* there are older ones */
};

/** Adds one, if it is not there. */
void known_numbers_note(struct known_numbers *numbers, uint64_t number);

/** Adds the tuple's. */
CHECKED int known_numbers_add(struct connection *connection, int64_t entity,
	struct known_numbers *numbers, struct err *err);

/** Images that the tuple's newest alerts name, at most 8, in @arena. */
CHECKED int known_images_read(struct connection *connection, int64_t entity, struct arena *arena,
	struct text_list *out, struct err *err);
