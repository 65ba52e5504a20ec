/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The thread that owns the spool. What is to be stored, read or forgotten comes through its queue,
 * and goes back through the loop's when it is done: nothing else touches the spool.
 *
 * All that came while the disk was busy is one batch: one write, one fdatasync. When the disk takes
 * nothing, what is to be stored stays here and is tried again; reading and leaving go on.
 */

#include "agent/spool.h"
#include "base/queue.h"
#include "model/batch.h"

enum {
	PUSH_BATCH_BYTES = 256 * 1024, /* of records in one message; a larger record goes alone */
	PUSH_BATCH_RECORDS = 1000,
	PUSH_RECORD_BYTES_MAX = 8 * 1024 * 1024 - 4096, /* what one message can carry */
};

enum work_kind { WORK_STORE, WORK_READ, WORK_REWIND, WORK_ACKNOWLEDGE, WORK_REPORT };

struct work {
	struct queue_item item; /* first */
	enum work_kind kind;
	struct queue *reply; /* where it goes back to; NULL: it is freed */
	void *owner;

	/* WORK_STORE: the batch's alerts; `body` is what they point into */
	struct batch *batch;
	char *body;
	size_t body_size;
	/* Set by its owner, at any time: its sender comes again. It need not be stored, and comes
	 * back with ERR_FULL unless it is in the spool already */
	_Atomic bool is_unwanted;
	size_t n_added; /* the keeper's: alerts that are in the spool */

	/* WORK_REWIND, WORK_ACKNOWLEDGE: all up to it is the collector's. WORK_READ: the number
	 * that is to come */
	uint64_t number;

	/* set by the keeper */
	uint64_t next;      /* READ, REWIND: number of the next record, or of the one to come */
	uint64_t n_records; /* READ: from the number on; 0: none, or `next` is another number */
	uint64_t released;  /* REWIND: spool_released */
	bool has_more;      /* READ, REWIND: there is a record of number `next` */
	struct err err;     /* READ, REWIND: what is next cannot be told now; ERR_NONE: it can */
	struct buf records; /* READ: as fields 2 of a Batch */
	/* REPORT: with what waits for the disk. oldest_ns: nothing that arrived before it waits;
	 * at most when keeper_do was called */
	struct spool_waiting waiting;
	struct spool_loss loss; /* REPORT; n 0: none */
};

/* Read by any thread. */
struct keeper_status {
	_Atomic bool is_stuck; /* nothing can be written */
	_Atomic uint64_t n_waiting, size_bytes, n_lost, n_sync_failures, n_shed;
};

struct keeper;

struct keeper_options {
	struct spool *spool; /* the keeper's while it runs */
	struct keeper_status *status;
	const struct clock *clock;
};

CHECKED int keeper_start(
	struct keeper **out, const struct keeper_options *options, struct err *err);
/** Takes the work. */
void keeper_do(struct keeper *keeper, struct work *work);
/** Stores what waits, if the disk lets it, and ends the thread. Work that is not done goes to its
 * reply queue all the same, without being stored. */
void keeper_stop(struct keeper *keeper); /* accepts NULL */

struct work *work_new(enum work_kind kind); /* NULL without memory */
void work_free(struct work *work);          /* with its batch; accepts NULL */
