/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whose child a process is, as the raw bytes of its alert say it: stored alerts keep its parent's
 * name only. A hint for a picture, never for correlation.
 */

#include "base/arena.h"
#include "model/alert.h"

struct lineage {
	int64_t parent_pid;         /* in the same numbers as process->pid; -1: not said */
	struct text parent_exec_id; /* absent: not said */
};

/**
 * Falco's proc.ppid, Tetragon's parent_exec_id and parent.pid, KubeArmor's HostPPID. Nothing where
 * the bytes have left, or are no JSON: that is no error. Text in @arena.
 */
struct lineage lineage_read(const struct alert *alert, struct arena *arena);
