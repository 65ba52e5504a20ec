/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An SQLite VFS over the default one whose syncs do nothing: for tests of many commits that are not
 * about a machine that dies.
 */

/** Its name, for store_options; registered at the first call. One thread. */
const char *unsynced_vfs(void);
