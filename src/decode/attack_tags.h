/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an alert says about ATT&CK: its tags, and words that its decoder found in fields of their
 * own (alert->attack_reported), become current tactics and techniques; what was reported stays
 * beside them, once each. An alert that says nothing gets what its rule is known for, flagged
 * ALERT_ATTACK_INFERRED.
 */

#include "model/alert.h"

/** Tactics and techniques that the alert has already count as named by its sensor. */
void attack_tags_read(struct arena *arena, struct alert *alert);
