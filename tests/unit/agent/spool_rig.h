/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A spool in a folder of its own, and a disk that can be made to fail. Programs are linked with
 * $(DISK_LDFLAGS), which sends the reading and writing calls through here.
 */

#include "agent/spool.h"
#include "base/clock.h"

/* The keeper's thread looks at it too. */
struct failing_disk {
	_Atomic size_t bytes_left;       /* for pwrite; then ENOSPC. SIZE_MAX: no end */
	_Atomic bool fail_reads;         /* pread gives EIO */
	_Atomic bool fail_segment_reads; /* … behind a head, that is */
	_Atomic unsigned fail_syncs;     /* so many of the next fdatasync and fsync fail */
	_Atomic int64_t dies_after;      /* so many calls; then none does anything. -1: never */
	_Atomic unsigned n_syncs;        /* fdatasync */
	_Atomic int failed_fd;           /* of the last sync that failed, until it is closed; -1 */
	_Atomic bool synced_again; /* a sync was tried again on a file on which one had failed */
};

extern struct failing_disk failing_disk;

struct spool_rig {
	char folder[64];
	struct clock_manual clock;
	struct spool *spool;
	size_t size_bytes;
	int64_t age_s;
	char told[512];
};

void spool_rig_init(struct spool_rig *rig);
void spool_rig_open(struct spool_rig *rig);
void spool_rig_close(struct spool_rig *rig);
void spool_rig_reopen(struct spool_rig *rig);
/** Closes it and removes the folder. */
void spool_rig_done(struct spool_rig *rig);

/** A record with a text of @size bytes that follow from @seed. */
struct record spool_rig_record(uint64_t seed, size_t size, enum severity severity, char *room);
/** Adds and commits one; its number. */
uint64_t spool_rig_put(struct spool_rig *rig, uint64_t seed, enum severity severity);

/** Path of the i-th segment in order of numbers; false: there are not so many. */
bool spool_rig_segment(struct spool_rig *rig, unsigned i, char *path, size_t size);
unsigned spool_rig_segments(struct spool_rig *rig);
