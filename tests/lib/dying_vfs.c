/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/dying_vfs.h"

#include <signal.h>
#include <unistd.h>

#include "tests/lib/changed_vfs.h"

static struct changed_vfs dying;
static uint64_t n_writes, last_write;

static int write_or_die(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
	const sqlite3_io_methods *real = changed_vfs_real(file);
	if (++n_writes == last_write) {
		if (size > 1)
			real->xWrite(file, bytes, size / 2, offset);
		kill(getpid(), SIGKILL);
	}
	return real->xWrite(file, bytes, size, offset);
}

static void change(sqlite3_io_methods *methods)
{
	methods->xWrite = write_or_die;
}

const char *dying_vfs_register(void)
{
	changed_vfs_register(&dying, "dying", change);
	return dying.vfs.zName;
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
