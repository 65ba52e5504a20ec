/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * MITRE ATT&CK: the 15 tactics of Enterprise v19.2 in matrix order and technique ids.
 *
 * A set of tactics is a bit mask (bit rank - 1). A technique is 1000 * its number + its
 * sub-technique: T1059.004 is 1059004, T1611 is 1611000. Source: schema/attack (MITRE's terms of
 * use apply).
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

/** @rank 1–15. */
const struct tactic_info *tactic_info(unsigned rank);

/** Rank of an id ("TA0004") or of a name as v19 or older spells it; '_' and ' ' count as '-'. 0:
 * none. */
unsigned tactic_parse(struct text word);

/** What one tag says. Both may be empty: most tags are not about ATT&CK. */
struct attack_tag {
	tactic_mask tactics;
	technique_code technique; /* 0: none */
	bool about_attack;        /* meant ATT&CK, known or not */
};

/**
 * Reads one tag of a sensor: "mitre_execution", "T1059.004", "TA0011", "attack.t1611",
 * "mitre_escape", "privilege_escalation", "T1562-impair-defenses". Case does not matter; the rest
 * of a slug is ignored.
 */
struct attack_tag attack_tag_parse(struct text tag);

/** "T1059.004" into @out; returns @out. */
char *technique_format(technique_code code, char out[ATTACK_TECHNIQUE_BYTES]);
