/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The write-ahead log's file, while no connection writes to it. */

#include "base/err.h"

/**
 * Writes the log of the database @path over itself and syncs it: before a connection reads it.
 *
 * A process that died between a write and its fsync, or after an fsync that failed, leaves pages
 * that reads find and the disk may not have; a failed fsync marks them clean, so that later ones
 * succeed without writing them (Linux; fsync(2)). SQLite takes a log that it reads for durable.
 * @vfs as in connection_open. ERR_IO, ERR_FULL, ERR_MEMORY.
 */
CHECKED int wal_settle(const char *path, const char *vfs, struct err *err);
