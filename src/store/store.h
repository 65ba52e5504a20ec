/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Durable truth, writer side: one per process, owned by the writer thread.
 *
 * A transaction is store_begin, any number of store_add_batch and of the other tables' functions on
 * store_connection, store_flush, store_commit. Nothing is acknowledged to anybody before
 * store_commit returned 0. After any failure inside: store_rollback; after a failed commit, write
 * or fsync: store_recover before the next store_begin (design.md "Storage").
 */

#include "base/clock.h"
#include "model/batch.h"
#include "store/connection.h"

enum {
	SLOT_SECONDS = 300,
	TIME_AHEAD_MAX_S = 24 * 3600,
};

struct store_options {
	const char *path; /* the database file; its folder must exist */
	const char *vfs;  /* NULL: the default */
	const struct clock *clock;
	int64_t horizon_s;   /* alerts older than this are orphan_late; at least 8 days */
	int64_t raw_s;       /* raw bytes leave at this age; 0: as horizon_s */
	uint64_t size_bytes; /* limit of the file (store/retention.h); 0: none */
	unsigned epoch_bits; /* of uses of interned rows (store/intern.h); 0: as usual */
};

struct store;

CHECKED int store_open(struct store **out, const struct store_options *options, struct err *err);
void store_close(struct store *store); /* accepts NULL */

struct connection *store_connection(struct store *store);

CHECKED int store_begin(struct store *store, struct err *err);

/**
 * Deduplicates, interns and stores the batch's alerts: ledger leaves, rows, duplicate keys.
 *
 * Sets each alert's outcome and, when it is accepted, leaf, slot and the ids of its interned
 * values; adds to the batch's counts. Within one transaction later batches see earlier ones. Fails
 * with ERR_IO, ERR_FULL, ERR_MEMORY or ERR_CORRUPT, with ERR_LIMIT for an alert that no store can
 * take; the transaction must then be rolled back.
 */
CHECKED int store_add_batch(struct store *store, struct batch *batch, struct err *err);

/** Stores a trained dictionary; blocks of its source use it from the commit on. */
CHECKED int store_add_dictionary(
	struct store *store, const struct dictionary_made *made, struct err *err);

/** Writes the blocks and tiles of what was added since store_begin. Once, before store_commit. */
CHECKED int store_flush(struct store *store, struct err *err);

CHECKED int store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store); /* also forgets all cached state that was not committed */

/**
 * After a failed write: closes the connection, opens it again, runs wal_checkpoint(TRUNCATE) to its
 * end, and reads all cached state anew. ERR_FULL: the disk is still full, try again later. Any
 * other failure is final: the process must exit, because an fsync that failed cannot be retried.
 */
CHECKED int store_recover(struct store *store, struct err *err);

/**
 * One slice of work that waits for idle time: what was heard is written and a run of occurrence ids
 * made, or small blocks are joined (some 10 ms). Outside a transaction; makes its own. 1: more to
 * do; 0: nothing.
 */
CHECKED int store_idle(struct store *store, struct err *err);

/** Did so much come without idle time that look-ups of alerts by id take long? */
bool store_is_behind(const struct store *store);
/** One slice against that. Outside a transaction; makes its own. */
CHECKED int store_catch_up(struct store *store, struct err *err);

/* How retention goes. */
struct store_room {
	uint64_t used_bytes, limit_bytes; /* 0: no limit */
	bool full;                        /* more is used, and nothing more may leave */
};

/**
 * One slice of retention (store/retention.h), some 10 ms. Outside a transaction; makes its own.
 * *facts_removed: caches of identity facts must be dropped. 1: more is due; 0: nothing.
 */
CHECKED int store_retain(struct store *store, bool *facts_removed, struct err *err);
struct store_room store_room(const struct store *store); /* as of the last store_retain */

uint64_t store_leaves(const struct store *store); /* ledger size, committed */
uint64_t store_file_bytes(const struct store *store);
uint64_t store_wal_bytes(
	const struct store *store); /* the log's file: it does not shrink by itself */
int64_t store_horizon_ns(const struct store *store); /* what is older is orphan_late */
