/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An SQLite VFS whose calls fail when told to, over a model of what a disk really holds.
 *
 * The files are real, and what they hold is what the page cache would hold. Beside each the VFS
 * keeps what the disk holds: a page gets there by a sync that succeeds, or by luck when the power
 * goes. A sync that fails makes its pages clean without writing them, as Linux does: the next sync
 * succeeds and they are still not on the disk. Any thread; one test at a time.
 */

#include <stdbool.h>
#include <stdint.h>

enum fault_call {
	FAULT_ON_OPEN = 1 << 0, /* of the database and its log */
	FAULT_ON_WRITE = 1 << 1,
	FAULT_ON_SYNC = 1 << 2,
	FAULT_ON_TRUNCATE = 1 << 3,
	FAULT_ON_DELETE = 1 << 4,
};

enum { FAULT_ON_ALL = (1 << 5) - 1 };

enum fault_kind {
	FAULT_NONE,
	FAULT_IO,   /* the call fails; nothing of it happens */
	FAULT_FULL, /* no space: as FAULT_IO, with the other code (a sync and the rest: as FAULT_IO)
		     */
	FAULT_SHORT, /* half of a write happens, then there is no space; others: as FAULT_IO */
	FAULT_KILL,  /* the process dies before the call; what the page cache holds stays */
	FAULT_POWER, /* the power goes before the call: files are what the disk held */
};

/* Pages of a sync that failed. */
enum fault_lost {
	FAULT_LOST_AT_ONCE, /* read back as the disk has them (xfs, btrfs) */
	FAULT_LOST_LATER,   /* read back as written until the power goes (ext4) */
};

#define FAULT_LASTING UINT64_MAX

struct fault_plan {
	unsigned calls; /* enum fault_call: which are counted */
	uint64_t at;    /* the at-th counted call from now on (1, 2 …) meets it; 0: none */
	enum fault_kind kind;
	uint64_t more; /* counted calls after it that meet it too; FAULT_LASTING: all */
	enum fault_lost lost;
	bool killed;          /* the process dies right after the fault */
	uint64_t power_after; /* the power goes before the so-manieth call after the fault; 0: no */
};

/** Registers the VFS at the first call; returns its name. */
const char *fault_vfs(void);

/** Begins to count anew. What the disk holds stays as it is. */
void fault_vfs_plan(const struct fault_plan *plan);

uint64_t fault_vfs_calls(void);  /* counted since the plan was given */
bool fault_vfs_power_went(void); /* by the plan's power_after */
bool fault_vfs_happened(void);   /* the plan's fault */

/** Forgets all files, which must be closed; @seed decides which pages luck brings to the disk. */
void fault_vfs_reset(uint64_t seed);

/** Files that are open act from now on as those of a dead process: nothing they do happens. */
void fault_vfs_kill(void);

/** As fault_vfs_kill, and every file becomes what the disk holds, with some unsynced pages more. */
void fault_vfs_power_cut(void);
