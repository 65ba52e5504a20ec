/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Moving the write-ahead log into the database. */

#include "store/connection.h"

/**
 * Copies what can be copied without making anybody wait (PASSIVE); @restart: waits for readers so
 * that the log begins anew (RESTART). ERR_BUSY when a reader is in the way.
 */
CHECKED int checkpoint_run(struct connection *connection, bool restart, struct err *err);

/** Copies everything and empties the log: what must succeed after a failed write. ERR_BUSY,
 * ERR_FULL. */
CHECKED int checkpoint_all(struct connection *connection, struct err *err);
