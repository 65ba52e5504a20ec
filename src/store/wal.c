/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wal.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "store/connection.h"

enum { CHUNK_BYTES = 64 * 1024, NAME_BYTES = 4096 };

static int write_over(sqlite3_file *file, char *chunk)
{
	sqlite3_int64 size;
	int code = file->pMethods->xFileSize(file, &size);
	for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size; at += CHUNK_BYTES) {
		int n = size - at < CHUNK_BYTES ? (int)(size - at) : CHUNK_BYTES;
		code = file->pMethods->xRead(file, chunk, n, at);
		if (code == SQLITE_OK)
			code = file->pMethods->xWrite(file, chunk, n, at);
	}
	return code == SQLITE_OK && size > 0 ? file->pMethods->xSync(file, SQLITE_SYNC_FULL) : code;
}

static int open_and_write_over(sqlite3_vfs *vfs, const char *log, struct err *err)
{
	AUTO(free) sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
	AUTO(free) char *chunk = malloc(CHUNK_BYTES);
	if (!file || !chunk)
		return err_set(err, ERR_MEMORY, "out of memory for the log");
	int code = vfs->xOpen(vfs, log, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, NULL);
	if (code == SQLITE_OK)
		code = write_over(file, chunk);
	if (file->pMethods)
		file->pMethods->xClose(file);
	return code == SQLITE_OK ? 0 : connection_error(NULL, code, err);
}

int wal_settle(const char *path, const char *vfs_name, struct err *err)
{
	char full[NAME_BYTES], log[NAME_BYTES + 8];
	int is_there = 0;
	connection_set_up_library();
	sqlite3_vfs *vfs = sqlite3_vfs_find(vfs_name);
	if (!vfs || vfs->xFullPathname(vfs, path, sizeof full, full) & 0xff)
		return err_set(err, ERR_IO, "%s: there is no such path", path);
	text_format(log, sizeof log, "%s-wal", full);
	int code = vfs->xAccess(vfs, log, SQLITE_ACCESS_EXISTS, &is_there);
	if (code != SQLITE_OK)
		return connection_error(NULL, code, err);
	if (!is_there)
		return 0;
	/* A VFS may ask for parameters behind the name, which only this adds. */
	sqlite3_filename name = sqlite3_create_filename(full, "", log, 0, NULL);
	if (!name)
		return err_set(err, ERR_MEMORY, "out of memory for the log");
	int failed = open_and_write_over(vfs, sqlite3_filename_wal(name), err);
	sqlite3_free_filename(name);
	return failed ? err_prefix(err, "the log of %s", path) : 0;
}
