/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The slots of an incident: every member's part of every slot in its extent. */

#include "store/incidents.h"
#include "store/pieces.h"
#include "store/slots.h"

struct slot_walk {
	struct connection *connection;
	const struct incident *incident; /* borrowed: number, first_slot, last_slot */
	struct member_list members;      /* the arena's */
	size_t member;
	int64_t slot; /* the next to look at */
	int64_t day;  /* whose bits are loaded */
	unsigned char bits[PRESENCE_BYTES];
};

CHECKED int slot_walk_start(struct slot_walk *walk, struct connection *connection,
	const struct incident *incident, struct arena *arena, struct err *err);

/** 1: *part is the next one; 0: the end; -1: failed. */
CHECKED int slot_walk_next(struct slot_walk *walk, struct slot_part *part, struct err *err);
