/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/changed_vfs.h"

#include <assert.h>

#include "store/connection.h"

static const struct changed_methods *methods_of(
	struct changed_vfs *vfs, const sqlite3_io_methods *real)
{
	for (size_t i = 0; i < vfs->n_known; i++)
		if (vfs->known[i].real == real)
			return &vfs->known[i];
	assert(vfs->n_known < CHANGED_METHODS_MAX);
	struct changed_methods *methods = &vfs->known[vfs->n_known++];
	methods->changed = *real;
	methods->real = real;
	vfs->change(&methods->changed);
	return methods;
}

static int open_file(
	sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);
	int code = real->xOpen(real, name, file, flags, out_flags);
	if (code == SQLITE_OK && file->pMethods)
		file->pMethods =
			&methods_of((struct changed_vfs *)(void *)vfs, file->pMethods)->changed;
	return code;
}

void changed_vfs_register(
	struct changed_vfs *vfs, const char *name, void (*change)(sqlite3_io_methods *methods))
{
	connection_set_up_library();
	vfs->vfs = *sqlite3_vfs_find(NULL);
	vfs->vfs.pNext = NULL;
	vfs->vfs.zName = name;
	vfs->vfs.xOpen = open_file;
	vfs->change = change;
	int code = sqlite3_vfs_register(&vfs->vfs, 0);
	assert(code == SQLITE_OK);
}

const sqlite3_io_methods *changed_vfs_real(const sqlite3_file *file)
{
	return ((const struct changed_methods *)(const void *)file->pMethods)->real;
}
