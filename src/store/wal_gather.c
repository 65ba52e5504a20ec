/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wal_gather.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Of one write: SQLite's own VFS takes less than 128 KiB at a time. */
enum { ROOM_BYTES = 124 * 1024, BASES_MAX = 4, NAME_BYTES = 64 };

struct gathered {
	sqlite3_file file; /* first: SQLite's view of it */
	char *room;
	int size;           /* of what waits */
	sqlite3_int64 from; /* where it belongs in the log */
	bool has_hole;      /* what SQLite takes for written from hole_from on is lost */
	sqlite3_int64 hole_from;
};

/* SQLite gives szOsFile bytes: the base's file follows. */
static sqlite3_file *real_of(struct gathered *log)
{
	return (sqlite3_file *)(void *)(log + 1);
}

/*
 * What fails is given up, as the transaction that it is of must be: it must not get into the log
 * later. Until the next transaction begins there, nothing is read or written behind it.
 */
static int flush(struct gathered *log)
{
	sqlite3_file *real = real_of(log);
	if (log->size == 0)
		return SQLITE_OK;
	int code = real->pMethods->xWrite(real, log->room, log->size, log->from);
	if (code != SQLITE_OK) {
		log->has_hole = true;
		log->hole_from = log->from;
	}
	log->size = 0;
	return code;
}

static struct gathered *gathered_of(sqlite3_file *file)
{
	return (struct gathered *)(void *)file;
}

static int log_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
	struct gathered *log = gathered_of(file);
	bool is_next = log->size && offset == log->from + log->size;
	int code = SQLITE_OK;
	if (!is_next || size > ROOM_BYTES - log->size)
		code = flush(log);
	if (code != SQLITE_OK)
		return code;
	if (log->has_hole && offset > log->hole_from)
		return SQLITE_IOERR_WRITE;
	log->has_hole = false;
	if (size > ROOM_BYTES)
		return real_of(log)->pMethods->xWrite(real_of(log), bytes, size, offset);
	if (log->size == 0)
		log->from = offset;
	memcpy(log->room + log->size, bytes, (size_t)size);
	log->size += size;
	return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *out, int size, sqlite3_int64 offset)
{
	struct gathered *log = gathered_of(file);
	int code = flush(log);
	if (code == SQLITE_OK && log->has_hole && offset + size > log->hole_from)
		code = SQLITE_IOERR_READ;
	sqlite3_file *real = real_of(log);
	return code == SQLITE_OK ? real->pMethods->xRead(real, out, size, offset) : code;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = flush(gathered_of(file));
	sqlite3_file *real = real_of(gathered_of(file));
	return code == SQLITE_OK ? real->pMethods->xTruncate(real, size) : code;
}

static int log_sync(sqlite3_file *file, int flags)
{
	struct gathered *log = gathered_of(file);
	int code = flush(log);
	if (code == SQLITE_OK && log->has_hole)
		code = SQLITE_IOERR_FSYNC;
	sqlite3_file *real = real_of(log);
	return code == SQLITE_OK ? real->pMethods->xSync(real, flags) : code;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *out)
{
	int code = flush(gathered_of(file));
	sqlite3_file *real = real_of(gathered_of(file));
	return code == SQLITE_OK ? real->pMethods->xFileSize(real, out) : code;
}

static int log_close(sqlite3_file *file)
{
	struct gathered *log = gathered_of(file);
	sqlite3_file *real = real_of(log);
	free(log->room); /* what no commit has synced is nobody's */
	return real->pMethods->xClose(real);
}

static int log_lock(sqlite3_file *file, int level)
{
	sqlite3_file *real = real_of(gathered_of(file));
	return real->pMethods->xLock(real, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
	sqlite3_file *real = real_of(gathered_of(file));
	return real->pMethods->xUnlock(real, level);
}

static int log_check_lock(sqlite3_file *file, int *out)
{
	sqlite3_file *real = real_of(gathered_of(file));
	return real->pMethods->xCheckReservedLock(real, out);
}

static int log_control(sqlite3_file *file, int operation, void *argument)
{
	sqlite3_file *real = real_of(gathered_of(file));
	return real->pMethods->xFileControl(real, operation, argument);
}

static int log_sector(sqlite3_file *file)
{
	sqlite3_file *real = real_of(gathered_of(file));
	return real->pMethods->xSectorSize(real);
}

static int log_device(sqlite3_file *file)
{
	sqlite3_file *real = real_of(gathered_of(file));
	return real->pMethods->xDeviceCharacteristics(real);
}

/* Version 1: a log is neither shared nor mapped. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_check_lock,
	.xFileControl = log_control,
	.xSectorSize = log_sector,
	.xDeviceCharacteristics = log_device,
};

/* ---- the VFS ---- */

struct place {
	sqlite3_vfs vfs; /* first: it is the base's but for the opening of files */
	sqlite3_vfs *base;
	char name[NAME_BYTES];
};

static struct place places[BASES_MAX];
static size_t n_places;

static int open_log(
	sqlite3_vfs *base, const char *name, struct gathered *log, int flags, int *out_flags)
{
	*log = (struct gathered){.room = malloc(ROOM_BYTES)};
	if (!log->room)
		return SQLITE_NOMEM;
	int code = base->xOpen(base, name, real_of(log), flags, out_flags);
	if (code != SQLITE_OK) {
		if (real_of(log)->pMethods)
			real_of(log)->pMethods->xClose(real_of(log));
		free(log->room);
		return code;
	}
	log->file.pMethods = &methods;
	return SQLITE_OK;
}

static int open_file(
	sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	sqlite3_vfs *base = ((struct place *)(void *)vfs)->base;
	file->pMethods = NULL;
	return flags & SQLITE_OPEN_WAL ? open_log(base, name, gathered_of(file), flags, out_flags)
				       : base->xOpen(base, name, file, flags, out_flags);
}

static struct place *place_over(sqlite3_vfs *base)
{
	for (size_t i = 0; i < n_places; i++)
		if (places[i].base == base)
			return &places[i];
	if (n_places == BASES_MAX)
		return NULL;
	struct place *place = &places[n_places];
	place->base = base;
	place->vfs = *base;
	text_format(place->name, sizeof place->name, "gathered %s", base->zName);
	place->vfs.zName = place->name;
	place->vfs.pNext = NULL;
	place->vfs.xOpen = open_file;
	place->vfs.szOsFile = (int)sizeof(struct gathered) + base->szOsFile;
	if (sqlite3_vfs_register(&place->vfs, 0) != SQLITE_OK)
		return NULL;
	n_places++;
	return place;
}

const char *wal_gather_over(const char *base_name)
{
	sqlite3_mutex *lock =
		sqlite3_initialize() ? NULL : sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
	sqlite3_mutex_enter(lock);
	sqlite3_vfs *base = sqlite3_vfs_find(base_name);
	const struct place *place = base ? place_over(base) : NULL;
	sqlite3_mutex_leave(lock);
	return place ? place->name : NULL;
}
