/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * MITRE ATT&CK Enterprise as it is now: tactics in matrix order, techniques with their tactics,
 * what stands for retired ids, and how sensors spell all this. The tables are compiled in from
 * schema/attack (MITRE's terms of use apply).
 *
 * A set of tactics is a bit mask (bit rank - 1). A technique is 1000 * its number + its
 * sub-technique: T1059.004 is 1059004, T1611 is 1611000. Reading is pure and idempotent: what it
 * gives, written as ids and read again, gives the same.
 */

#include "base/text.h"

enum { N_TACTICS = 15, ATTACK_TECHNIQUES_MAX = 16, ATTACK_TECHNIQUE_BYTES = 12 };

typedef uint16_t tactic_mask;
typedef uint32_t technique_code;

struct tactic_info {
	const char *id;        /* "TA0004" */
	const char *shortname; /* "privilege-escalation" */
	const char *name;      /* "Privilege Escalation" */
};

struct technique_info {
	technique_code code;
	tactic_mask tactics;
	const char *name; /* a sub-technique's own, without its parent's */
};

/** Version of the tables: "19.2". */
const char *attack_version(void);

/** @rank 1–15. */
const struct tactic_info *tactic_info(unsigned rank);

/** Rank of an id ("TA0004") or of a name as v19 or older spells it; '_' and ' ' count as '-'; v18's
 * defense-evasion is 7. 0: none. */
unsigned tactic_parse(struct text word);

/** A technique that is current; NULL if it is not. */
const struct technique_info *technique_find(technique_code code);

/** What one tag says. All may be empty: most tags are not about ATT&CK. */
struct attack_tag {
	tactic_mask tactics;      /* named as such */
	tactic_mask implied;      /* of its technique */
	technique_code technique; /* a current one; 0: none */
	bool old_evasion;         /* v18's defense-evasion is named: attack_settle decides */
	bool inferred;            /* technique or implied is more than the tag says */
	bool about_attack;        /* meant ATT&CK, known or not */
};

/**
 * Reads one tag of a sensor: "mitre_execution", "T1059.004", "TA0011", "attack.t1611",
 * "mitre_escape", "privilege_escalation", "T1562-impair-defenses", a technique's page. Case does
 * not matter; the rest of a slug is ignored.
 *
 * A retired technique becomes what replaced it; one without a successor leaves its last tactics,
 * and an unknown sub-technique its parent (both inferred). Other unknown ids mean nothing.
 */
struct attack_tag attack_tag_parse(struct text tag);

/** What the tags of one alert say together. */
struct attack_claim {
	tactic_mask named, implied;
	bool old_evasion, inferred;
};

void attack_claim_add(struct attack_claim *claim, const struct attack_tag *tag);

/**
 * The tactics of an alert: those its sensor named, else those of its techniques.
 *
 * v18's defense-evasion is defense-impairment where the techniques say so, else stealth.
 */
tactic_mask attack_settle(const struct attack_claim *claim);

/** What a rule that comes without tags is about. */
struct attack_rule {
	const char *family, *rule;
	tactic_mask tactics;
	technique_code techniques[2]; /* 0: none */
};

/** The row of a sensor's well-known rule, or NULL. */
const struct attack_rule *attack_rule_find(struct text family, struct text rule);

/* Where an intrusion has got to (correlation.md section 5): for titles and badges. A mask. */
enum attack_terminal {
	TERMINAL_ESCAPE = 1 << 0,
	TERMINAL_NODE_CREDENTIAL = 1 << 1,
	TERMINAL_COMMAND_AND_CONTROL = 1 << 2,
	TERMINAL_EXFILTRATION = 1 << 3,
	TERMINAL_IMPACT = 1 << 4,
};

/**
 * Terminal kinds of the tactics in @mask and of @n_codes current techniques, as a mask.
 *
 * A node's credential is its cloud identity, read from anywhere, or any credential that was reached
 * @on_node: by something that runs on the node itself and in no pod.
 */
unsigned attack_terminals(
	tactic_mask mask, const technique_code *codes, size_t n_codes, bool on_node);

/** "T1059.004" into @out; returns @out. */
char *technique_format(technique_code code, char out[ATTACK_TECHNIQUE_BYTES]);
