/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A piece is one incident's present extent: which slots of its key it covers, and sums over them.
 * All of it can be computed again from slots; its number is permanent (correlation.md section 3).
 */

#include "base/buf.h"
#include "model/alert.h"

struct piece_rule {
	int64_t rule; /* interned */
	unsigned points;
	tactic_mask tactics;
};

/* Sums over the alerts that are not context, but for n, mark and sensors, which count all. */
struct piece_sums {
	uint64_t n;
	uint64_t mark; /* of its slots (model/slot.h) */
	enum severity severity;
	uint64_t sensors;
	unsigned terminals;       /* mask of enum attack_terminal */
	struct piece_rule *rules; /* ascending by rule */
	size_t n_rules;
	size_t rules_capacity;
};

struct piece {
	uint64_t number; /* 0: not numbered yet */
	int64_t key;     /* interned key text */
	int64_t first_slot, last_slot;
	int64_t lo_ns, hi_ns;
	struct piece_sums sums;
	/* from sums, by risk.c */
	int64_t base_milli, risk_milli;
	tactic_mask tactics;
	unsigned credited;
	bool has_claims;               /* not all rows of its members are its own (model/claim.h) */
	unsigned criticality, novelty; /* hundredths, as the risk was computed with */
	uint64_t revision;
	int64_t rollup; /* which others it may be shown with (store/rollups.h); 0: none */
	bool sealed;    /* thought complete until now (store/sealing.h) */
	bool touched;   /* a person decided something about its number */
	bool snoozed;   /* likewise */
};

/** Do both say the same of the same alerts? Numbers and revisions aside. */
bool piece_equal(const struct piece *a, const struct piece *b);

/* An entity's part in a piece: its alerts with from <= time < to in the piece's slots. */
struct piece_member {
	int64_t entity;
	int64_t from_ns, to_ns; /* INT64_MIN, INT64_MAX: open */
};

void piece_sums_done(struct piece_sums *sums);

/** The rule's place, made if new; NULL without memory. Valid until the next call. */
struct piece_rule *piece_sums_rule(struct piece_sums *sums, int64_t rule);

/** The per-rule sums as they are stored: varints rule, points, tactics. */
void piece_rules_write(const struct piece_sums *sums, struct buf *out);

/** Adds what piece_rules_write wrote. false when the bytes are broken or memory is out. */
bool piece_rules_read(struct piece_sums *sums, struct text stored);
