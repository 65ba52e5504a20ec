/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An SQLite VFS over the default one that counts what is written to files and can kill the process
 * in the middle of a write, as a crash would: the first half of that write is in the file, nothing
 * after it.
 */

#include <stdint.h>

/** Registers the VFS; its name, for store_options. Once per process. */
const char *dying_vfs_register(void);

/** Starts counting at 0; the @die_at-th write is the process's last. 0: none is. */
void dying_vfs_reset(uint64_t die_at);

/** Writes since dying_vfs_reset. */
uint64_t dying_vfs_writes(void);
