/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The write-ahead log of the writer's connection, written in great pieces: SQLite writes each frame
 * with two calls, its 24 bytes and its page. An SQLite VFS over another one.
 *
 * What is appended waits in memory until the log is synced, read, measured, cut or closed, or
 * something is written elsewhere; what was not synced when it is closed is not written. So it is
 * right only where nothing but this connection writes to the log and each commit syncs it before
 * others may read it: CONNECTION_WRITE.
 */

#include "base/err.h"

/** The name of such a VFS over @base (NULL: the default one), made at the first call and kept.
 * NULL: there is no such base, or too many were asked for. Any thread. */
const char *wal_gather_over(const char *base);
