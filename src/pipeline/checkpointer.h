/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Moves the write-ahead log into the database on a thread and a connection of its own, so that
 * commits do not wait for it. Above CHECKPOINT_PRESS_BYTES of log new reads wait a moment (status),
 * so that the log can begin anew.
 */

#include "base/err.h"
#include "model/status.h"

struct checkpointer;

enum { CHECKPOINT_MS = 500, CHECKPOINT_PRESS_BYTES = 64 * 1024 * 1024 };

CHECKED int checkpointer_start(
	struct checkpointer **out, const char *database, struct status *status, struct err *err);
void checkpointer_stop(struct checkpointer *checkpointer); /* accepts NULL */
