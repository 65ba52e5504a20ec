/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/unsynced_vfs.h"

#include "tests/lib/changed_vfs.h"

static struct changed_vfs unsynced;

static int sync_nothing(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return SQLITE_OK;
}

static void change(sqlite3_io_methods *methods)
{
	methods->xSync = sync_nothing;
}

const char *unsynced_vfs(void)
{
	if (!unsynced.change)
		changed_vfs_register(&unsynced, "unsynced", change);
	return unsynced.vfs.zName;
}
