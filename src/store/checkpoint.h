/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Moving the write-ahead log into the database. */

#include "store/connection.h"

/**
 * Copies what can be copied without making anybody wait (PASSIVE); @restart: waits for readers so
 * that the log begins anew (RESTART). ERR_BUSY when a reader is in the way.
 */
CHECKED int checkpoint_run(struct connection *connection, bool restart, struct err *err);

/**
 * For a writer whose log has grown too long: copies everything and empties the log, but waits for
 * readers CONNECTION_CHECKPOINT_BUSY_MS at most. ERR_BUSY: try again later. ERR_FULL, ERR_IO.
 */
CHECKED int checkpoint_soon(struct connection *connection, struct err *err);

/** Copies everything and empties the log: what must succeed after a failed write. ERR_BUSY,
 * ERR_FULL. */
CHECKED int checkpoint_all(struct connection *connection, struct err *err);
