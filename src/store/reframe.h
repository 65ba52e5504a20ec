/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Joins small blocks into larger ones, in the writer's idle time. Leaves, their bytes and their
 * order stay what they were: only the frames around them change, so readers and the ledger do not
 * notice.
 *
 * Neighbouring blocks of one stream and one day (UTC, of the first leaf) make a run as long as they
 * have no more than REFRAME_LEAVES leaves and REFRAME_BYTES bytes together. A run is closed when it
 * is full or the next block does not fit; a closed run with a small block in it becomes one block.
 * What is not closed waits (and a stream is looked at when REFRAME_LEAVES wait), so no leaf is
 * framed more than twice. Where a stream has been looked at is kept in
 * stream.framed_to, in the same transaction: work is proportional to what is new, after a restart
 * too. Owned by the writer.
 */

#include "store/dictionaries.h"

enum {
	REFRAME_SMALL_LEAVES = 128, /* 64 alerts a frame take 150 B each, joined 97; 128 take 107 */
	REFRAME_LEAVES = 256,
	REFRAME_BYTES = 1024 * 1024, /* unpacked: about 10 ms; larger alerts, fewer leaves */
};

struct reframer;

struct reframer *reframer_new(void);           /* NULL without memory */
void reframer_free(struct reframer *reframer); /* accepts NULL */

/** Reads where each stream stands; forgets what was not committed. */
CHECKED int reframer_load(
	struct reframer *reframer, struct connection *connection, struct err *err);

/** The running transaction adds a block of @n leaves to the stream. */
void reframer_added(struct reframer *reframer, int64_t stream, enum source source, size_t n);

/** Is there, perhaps, a closed run? */
bool reframer_due(const struct reframer *reframer);

/**
 * One slice, inside a transaction of its own: looks at some hundred blocks, joins one run. On
 * failure, and when the commit fails, the transaction is rolled back and reframer_load called. Runs
 * that do not read back are left alone, and said in the log.
 */
CHECKED int reframer_slice(struct reframer *reframer, struct connection *connection,
	const struct dictionaries *dictionaries, struct err *err);
