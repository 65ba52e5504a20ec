/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/dying_vfs.h"

#include <assert.h>
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

/* The default VFS's methods with the write replaced; one for each set of methods it uses. */
struct methods {
	sqlite3_io_methods changed; /* first: a file's pMethods points here */
	const sqlite3_io_methods *real;
};

enum { METHODS_MAX = 8 };

static struct methods known[METHODS_MAX];
static size_t n_known;
static sqlite3_vfs dying;
static sqlite3_vfs *real_vfs;
static uint64_t n_writes, last_write;

static int write_or_die(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
	const struct methods *methods = (const struct methods *)(const void *)file->pMethods;
	if (++n_writes == last_write) {
		if (size > 1)
			methods->real->xWrite(file, bytes, size / 2, offset);
		kill(getpid(), SIGKILL);
	}
	return methods->real->xWrite(file, bytes, size, offset);
}

static const struct methods *methods_of(const sqlite3_io_methods *real)
{
	for (size_t i = 0; i < n_known; i++)
		if (known[i].real == real)
			return &known[i];
	assert(n_known < METHODS_MAX);
	struct methods *methods = &known[n_known++];
	methods->changed = *real;
	methods->changed.xWrite = write_or_die;
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

const char *dying_vfs_register(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	dying = *real_vfs;
	dying.pNext = NULL;
	dying.zName = "dying";
	dying.xOpen = open_file;
	int code = sqlite3_vfs_register(&dying, 0);
	assert(code == SQLITE_OK);
	return dying.zName;
}

void dying_vfs_reset(uint64_t die_at)
{
	n_writes = 0;
	last_write = die_at;
}

uint64_t dying_vfs_writes(void)
{
	return n_writes;
}
