/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A keeper with a spool in a folder of its own; programs are linked with $(DISK_LDFLAGS). */

#include "agent/keeper.h"
#include "tests/unit/agent/spool_rig.h"

struct keeper_rig {
	struct spool_rig spool;
	struct keeper *keeper;
	struct keeper_status status;
	struct queue *reply;
};

void keeper_rig_init(struct keeper_rig *rig);
/** Stops the keeper, if it runs, and removes the folder. */
void keeper_rig_done(struct keeper_rig *rig);

/** Work to store @n alerts of Falco's. */
struct work *keeper_rig_alerts(struct keeper_rig *rig, unsigned n);
/** The next work that comes back; NULL after a second without. */
struct work *keeper_rig_reply(struct keeper_rig *rig);
/** Work of that kind there and back. */
struct work *keeper_rig_ask(struct keeper_rig *rig, enum work_kind kind, uint64_t number);
/** Stores @n alerts, and is sure of it. */
void keeper_rig_store(struct keeper_rig *rig, unsigned n);
