/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is kept per time slot: a join-semilattice (correlation.md section 4). Rows are keyed by slot
 * number, observed entity and fingerprint with its context bit, and never move; joining is
 * commutative, associative and, for occurrences that the duplicate check let through once, exact in
 * n.
 */

#include "model/alert.h"

enum { SLOT_SAMPLES_MAX = 16, SLOT_TECHNIQUES_MAX = 64, SLOTS_PER_DAY = 288 };

#define SLOT_NS (INT64_C(300) * 1000000000)

struct slot_sample {
	unsigned char occ[OCCURRENCE_BYTES];
	uint64_t leaf;
};

/* What a row is stored under. */
struct slot_key {
	int64_t slot, entity, print;
};

struct slot_row {
	int64_t slot;   /* floor(time / 300 s) */
	int64_t entity; /* interned observed tuple */
	int64_t print;  /* fingerprint << 1 | context */
	int64_t lo_ns, hi_ns;
	enum severity severity;
	uint64_t n;          /* distinct occurrences */
	uint64_t deliveries; /* not deduplicated, at most INT64_MAX; no part of any decision */
	tactic_mask tactics;
	unsigned terminals; /* mask of enum attack_terminal */
	uint64_t sensors;   /* bit per interned sensor */
	uint64_t mark;      /* sum of the first 8 bytes of each occ, wrapping */
	int64_t rule;       /* interned; follows from the fingerprint */
	technique_code techniques[SLOT_TECHNIQUES_MAX];
	size_t n_techniques;
	struct slot_sample samples[SLOT_SAMPLES_MAX]; /* the smallest occ, ascending */
	size_t n_samples;
};

static inline bool slot_row_is_context(const struct slot_row *row)
{
	return (row->print & 1) != 0;
}

/** The part of an occurrence in its slot's mark. Equal marks: the same set, but for chance. */
uint64_t slot_mark(const unsigned char occ[OCCURRENCE_BYTES]);

/** floor(time_ns / 300 s), for times before 1970 too. */
int64_t slot_of(int64_t time_ns);

/** Where an alert is counted that has its place: slot, entity_id, fingerprint_id, context. */
struct slot_key slot_key_of(const struct alert *alert);

/** The row of one accepted alert. */
void slot_row_of(struct slot_row *row, const struct alert *alert);

/** Senders say counts: a sum stays at INT64_MAX, which is the most that is stored. */
uint64_t deliveries_add(uint64_t a, uint64_t b);

/** *into ⊔= *other; both have the same key. */
void slot_row_join(struct slot_row *into, const struct slot_row *other);
