/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An incident as people see it (surface.md "Incident"): a piece of correlated alerts plus what
 * people said about its number. Text lives in the arena it was read into.
 */

#include "base/digest.h"
#include "model/alert.h"
#include "model/claim.h"
#include "model/entity.h"

/* Stored: numbers never change. */
enum incident_state {
	INCIDENT_NEW,
	INCIDENT_ACKNOWLEDGED,
	INCIDENT_INVESTIGATING,
	INCIDENT_CONTAINED,
	INCIDENT_RESOLVED,
	INCIDENT_CLOSED,
};

/* Stored: numbers never change. Said when an incident is resolved. */
enum verdict {
	VERDICT_NONE,
	VERDICT_TRUE_POSITIVE,
	VERDICT_BENIGN_EXPECTED,
	VERDICT_FALSE_POSITIVE,
	VERDICT_DUPLICATE,
	VERDICT_TEST,
};

struct risk_term {
	const char
		*name; /* "strongest rule", "corroboration", "tactics", "criticality", "novelty" */
	int64_t value_milli; /* points or factor, in thousandths */
	struct text why;
};

struct incident_rule {
	struct text name;
	unsigned points; /* 3, 20, 45, 70, 90 */
	tactic_mask tactics;
	uint64_t n;
};

struct incident_tactic {
	unsigned rank;
	int64_t first_seen_ns;
};

/* One row of the story: all alerts of one fingerprint. */
struct incident_print {
	unsigned char fingerprint[FINGERPRINT_BYTES];
	struct text rule, sensor, exe, parent, operation, resource;
	bool context;
	enum severity severity;
	uint64_t n;
	int64_t lo_ns, hi_ns;
	uint64_t sample_leaves[16]; /* of the smallest occurrence ids */
	unsigned char sample_occs[16][OCCURRENCE_BYTES];
	size_t n_samples;
};

/* Another incident that people linked to this one. */
struct incident_link {
	struct text edit;
	uint64_t number;
};

/* What people changed about the grouping and may still undo. */
struct incident_edit {
	struct text id;
	const char *what; /* "cut", "unlink", "merge" */
	struct text actor;
	int64_t time_ns;
};

struct incident {
	struct incident *next; /* in a list */
	uint64_t number;       /* shown as INC-<number> */
	struct text title;
	struct text suggested_title; /* what it would be called now, where the title is frozen */
	enum incident_state state;
	enum severity severity;
	int64_t risk_milli; /* 0–100 000 */
	struct risk_term terms[5];
	size_t n_terms;

	struct text key;
	enum entity_kind kind;
	struct text cluster, namespace, pod, pod_uid, container, node;
	struct workload workload;

	int64_t first_seen_ns, last_seen_ns;
	int64_t first_slot, last_slot;
	int64_t rollup;       /* interned; 0: it stands for itself in any list */
	uint64_t n_rolled_up; /* so many alike are shown in its place; 0: it stands for itself */
	struct claims claims; /* which of its members' alerts are its own */
	uint64_t n_alerts, n_deliveries;
	tactic_mask tactic_set;
	unsigned terminals; /* mask of enum attack_terminal */
	unsigned tactics_credited;
	uint64_t revision;
	uint64_t redirect_to; /* 0: none */
	uint64_t split_from;  /* 0: none */
	int64_t sealed_ns;    /* since when it is thought complete; 0: open */
	struct text unheard;  /* JSON array: nodes not heard when it was sealed; absent: none */
	bool frozen;          /* its alerts have left with their age, or are leaving */
	struct text_list sensors;

	/* what people said */
	enum verdict verdict;
	struct text assignee;
	int64_t snoozed_until_ns;       /* 0: not snoozed */
	int64_t resolved_ns;            /* 0: not resolved */
	uint64_t alias_of;              /* merged, but stays readable; 0: none */
	uint64_t recurrence_of;         /* the resolved incident that it follows; 0: none */
	struct text_list suppressed_by; /* ids; empty: not suppressed, or not judged */

	/* only when one incident is read whole */
	struct incident_rule *rules;
	size_t n_rules;
	struct incident_tactic tactics[N_TACTICS];
	size_t n_tactics;
	technique_code techniques[64];
	size_t n_techniques;
	struct incident_print *prints;
	size_t n_prints;
	uint64_t n_activities;
	struct incident_link *links;
	size_t n_links;
	struct incident_edit *edits;
	size_t n_edits;
	bool has_content;      /* the digest was computed: it reads every alert */
	struct digest content; /* its first 16 bytes are the content_id */
};

const char *incident_state_name(enum incident_state state);

/** "true-positive", …; NULL for VERDICT_NONE. */
const char *verdict_name(enum verdict verdict);
bool verdict_parse(struct text word, enum verdict *out);

/** "INC-12" → 12, "12" → 12; false otherwise. */
bool incident_number_parse(struct text word, uint64_t *out);

/** The factor in hundredths by which tactics multiply the odds: 100, 100, 150, 250, 400. */
int64_t incident_tactics_factor(unsigned n_credited);
