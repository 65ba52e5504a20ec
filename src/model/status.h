/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the running daemon knows of itself. One object, made by the daemon, written by the thread
 * named at each field, read by any thread: atomics only. /readyz, /api/v1/status and the log come
 * from it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum store_state {
	STORE_STARTING,
	STORE_WORKS,
	STORE_DISK_FULL,  /* the last write found no space; retried until there is some */
	STORE_RECOVERING, /* a write failed; the database is being opened again */
	STORE_DRAINING,   /* SIGTERM: no new input */
};

struct status {
	int64_t started_at_ns;                /* before threads start */
	_Atomic int store_state;              /* enum store_state; writer */
	_Atomic int64_t store_state_since_ns; /* writer */
	_Atomic uint64_t n_leaves;            /* committed; writer */
	_Atomic uint64_t change_seq; /* of incidents, committed (store/changes.h); writer */
	_Atomic bool events_wanted;  /* the feed of events waits for a commit; set by it, cleared by
					the writer */
	_Atomic uint64_t n_incidents;      /* numbers given out; writer */
	_Atomic uint64_t database_bytes;   /* writer */
	_Atomic uint64_t wal_bytes;        /* writer */
	_Atomic int64_t watermark_ns;      /* what is older has probably all come; writer */
	_Atomic uint64_t used_bytes;       /* of the database, without free pages; writer */
	_Atomic uint64_t size_limit_bytes; /* retention.size; 0: none; writer */
	_Atomic bool size_exceeded;        /* and nothing more may leave for it; writer */
	_Atomic bool reads_wait;           /* new reads wait <= 50 ms; checkpointer */
	_Atomic int64_t last_commit_at_ns; /* writer */
	_Atomic uint64_t n_held;           /* requests held because the queue is full; intake */
	_Atomic int64_t held_since_ns;     /* wall time of the oldest one held; 0: none; intake */
	_Atomic uint64_t n_late;       /* requests the writer has had for over a second; intake */
	_Atomic int64_t late_since_ns; /* wall time of the oldest one; 0: none; intake */
};

/** "starting", "works", "disk full", "recovering", "draining". */
const char *store_state_name(enum store_state state);
