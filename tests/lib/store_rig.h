/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The real store and correlator without network, fed with numbered alerts: alert i is always the
 * same occurrence with the same bytes. What was acknowledged is remembered and can be checked.
 */

#include "base/clock.h"
#include "pipeline/correlator.h"
#include "store/store.h"

enum { RIG_ALERTS_MAX = 4096, RIG_TIME_S = 1790000000 };

struct store_rig {
	char folder[64], path[96];
	const char *vfs;
	struct clock_manual clock;
	struct store *store; /* NULL: closed */
	struct correlator *correlator;
	bool tried[RIG_ALERTS_MAX];        /* given to the store */
	bool acknowledged[RIG_ALERTS_MAX]; /* committed, so that a sender was told */
};

/** A folder of its own; nothing is opened. */
void store_rig_init(struct store_rig *rig, const char *vfs);
void store_rig_done(struct store_rig *rig); /* closes; removes the folder */

CHECKED int store_rig_open(struct store_rig *rig, struct err *err);
void store_rig_close(struct store_rig *rig);

/** The database's file, log and index are removed; what was acknowledged is forgotten. */
void store_rig_clear(struct store_rig *rig);

/** An empty batch as intake makes it. */
struct batch *store_rig_batch(void);

/** Alert @i, of pod i % 7 and rule i % 5, one second after alert i - 1. */
struct alert *store_rig_alert(struct batch *batch, unsigned i);

/** Something that no decoder understood, number @i. */
struct alert *store_rig_quarantined(struct batch *batch, unsigned i);

/** One transaction, as the writer makes it; rolled back when it fails. Does not free the batch. */
CHECKED int store_rig_commit(struct store_rig *rig, struct batch *batch, struct err *err);

/** As above with alerts @from to @to - 1, noting what was tried and acknowledged. */
CHECKED int store_rig_add(struct store_rig *rig, unsigned from, unsigned to, struct err *err);

/** store_recover as the writer calls it. */
CHECKED int store_rig_recover(struct store_rig *rig, struct err *err);

/**
 * Opens the database (which must be closed) through the ordinary VFS and fails the test unless: all
 * that was acknowledged reads back byte for byte, nothing that was never tried is there, nothing is
 * there twice, the ledger verifies, and the incidents hold each alert once.
 */
void store_rig_check(struct store_rig *rig);

/** The first column of the first row, a number. */
int64_t store_rig_number(struct connection *connection, const char *sql);
