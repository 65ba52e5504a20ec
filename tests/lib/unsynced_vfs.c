/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/unsynced_vfs.h"

#include <assert.h>
#include <sqlite3.h>

#include "store/connection.h"

/* The default VFS's methods with the sync replaced; one for each set of methods it uses. */
struct methods {
	sqlite3_io_methods changed; /* first: a file's pMethods points here */
	const sqlite3_io_methods *real;
};

enum { METHODS_MAX = 8 };

static struct methods known[METHODS_MAX];
static size_t n_known;
static sqlite3_vfs unsynced;
static sqlite3_vfs *real_vfs;

static int sync_nothing(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return SQLITE_OK;
}

static const struct methods *methods_of(const sqlite3_io_methods *real)
{
	for (size_t i = 0; i < n_known; i++)
		if (known[i].real == real)
			return &known[i];
	assert(n_known < METHODS_MAX);
	struct methods *methods = &known[n_known++];
	methods->changed = *real;
	methods->changed.xSync = sync_nothing;
	methods->real = real;
	return methods;
}

static int open_file(
	sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	(void)vfs;
	int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
	if (code == SQLITE_OK && file->pMethods)
		file->pMethods = &methods_of(file->pMethods)->changed;
	return code;
}

const char *unsynced_vfs(void)
{
	if (real_vfs)
		return unsynced.zName;
	connection_set_up_library();
	real_vfs = sqlite3_vfs_find(NULL);
	unsynced = *real_vfs;
	unsynced.pNext = NULL;
	unsynced.zName = "unsynced";
	unsynced.xOpen = open_file;
	int code = sqlite3_vfs_register(&unsynced, 0);
	assert(code == SQLITE_OK);
	return unsynced.zName;
}
