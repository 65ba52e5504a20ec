/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The default SQLite VFS with some methods of its files replaced. */

#include <sqlite3.h>
#include <stddef.h>

enum { CHANGED_METHODS_MAX = 8 };

struct changed_vfs {
	sqlite3_vfs vfs; /* first: SQLite gives it to xOpen */
	void (*change)(sqlite3_io_methods *methods);
	/* One for each set of methods that the default one uses. */
	struct changed_methods {
		sqlite3_io_methods changed; /* first: a file's pMethods points here */
		const sqlite3_io_methods *real;
	} known[CHANGED_METHODS_MAX];
	size_t n_known;
};

/**
 * Registers *@vfs, which must live as long as the process, as @name. @change replaces what it wants
 * in a copy of a file's methods. Once for each; one thread.
 */
void changed_vfs_register(
	struct changed_vfs *vfs, const char *name, void (*change)(sqlite3_io_methods *methods));

/** The methods of a file as they were. */
const sqlite3_io_methods *changed_vfs_real(const sqlite3_file *file);
