/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/fault_vfs.h"

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, PAGES_MAX = 16384, FILES_MAX = 16, PATH_BYTES = 512 };

/* One path: what the disk holds of it, and which pages of the real file are newer. */
struct image {
	char path[PATH_BYTES];
	char *disk;
	int64_t disk_size;
	bool on_disk;  /* there is such a file after a power cut */
	bool is_there; /* the real file has not been deleted */
	bool resized;  /* its size is newer than the disk's */
	unsigned char dirty[PAGES_MAX];
};

struct fault_file {
	sqlite3_file base;
	struct image *image; /* NULL: a file that is not modelled (temporary ones) */
	uint64_t life;
	sqlite3_file *real;
};

static struct {
	pthread_mutex_t lock;
	struct image *images[FILES_MAX];
	size_t n_images;
	struct fault_plan plan;
	uint64_t n_calls;
	bool happened;
	uint64_t n_after;      /* calls after the fault */
	_Atomic uint64_t life; /* files of an earlier life are dead */
	uint64_t random;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .random = 1};

static sqlite3_vfs *real_vfs;

static uint64_t next_random(void)
{
	state.random ^= state.random << 13;
	state.random ^= state.random >> 7;
	state.random ^= state.random << 17;
	return state.random;
}

/* A path's image; what the file holds now counts as being on the disk when it is met first. */
static struct image *image_of(const char *path)
{
	for (size_t i = 0; i < state.n_images; i++)
		if (strcmp(state.images[i]->path, path) == 0)
			return state.images[i];
	assert(state.n_images < FILES_MAX && strlen(path) < PATH_BYTES);
	struct image *image = calloc(1, sizeof *image);
	assert(image);
	state.images[state.n_images++] = image;
	strcpy(image->path, path);
	FILE *file = fopen(path, "rb");
	if (!file)
		return image;
	fseek(file, 0, SEEK_END);
	image->disk_size = ftell(file);
	rewind(file);
	image->disk = malloc((size_t)image->disk_size + 1);
	assert(image->disk);
	size_t n = fread(image->disk, 1, (size_t)image->disk_size, file);
	assert(n == (size_t)image->disk_size);
	fclose(file);
	image->on_disk = image->is_there = true;
	return image;
}

static void resize_disk(struct image *image, int64_t size)
{
	char *grown = realloc(image->disk, (size_t)size + 1);
	assert(grown);
	image->disk = grown;
	if (size > image->disk_size)
		memset(grown + image->disk_size, 0, (size_t)(size - image->disk_size));
	image->disk_size = size;
}

/* Copies page @at of the file to the disk. */
static void page_to_disk(struct image *image, sqlite3_file *real, int64_t at, int64_t file_size)
{
	char page[PAGE_BYTES];
	int64_t from = at * PAGE_BYTES;
	int64_t size = file_size - from < PAGE_BYTES ? file_size - from : PAGE_BYTES;
	if (size <= 0)
		return;
	int code = real->pMethods->xRead(real, page, (int)size, from);
	assert(code == SQLITE_OK);
	if (from + size > image->disk_size)
		resize_disk(image, from + size);
	memcpy(image->disk + from, page, (size_t)size);
}

static int64_t size_of(sqlite3_file *real)
{
	sqlite3_int64 size = 0;
	int code = real->pMethods->xFileSize(real, &size);
	assert(code == SQLITE_OK);
	return size;
}

static void sync_image(struct image *image, sqlite3_file *real)
{
	int64_t size = size_of(real);
	if (!image->on_disk)
		resize_disk(image, 0);
	resize_disk(image, size);
	for (int64_t at = 0; at < PAGES_MAX; at++)
		if (image->dirty[at])
			page_to_disk(image, real, at, size);
	memset(image->dirty, 0, sizeof image->dirty);
	image->resized = false;
	image->on_disk = true;
}

/* The pages of a failed sync become clean; the cache may drop them. */
static void lose_pages(struct image *image, sqlite3_file *real)
{
	int64_t size = size_of(real);
	for (int64_t at = 0; at < PAGES_MAX; at++) {
		char page[PAGE_BYTES] = {0};
		int64_t from = at * PAGE_BYTES, known = image->disk_size - from;
		if (!image->dirty[at] || state.plan.lost == FAULT_LOST_LATER || from >= size)
			continue;
		if (known > 0)
			memcpy(page, image->disk + from,
				(size_t)(known < PAGE_BYTES ? known : PAGE_BYTES));
		int64_t length = size - from < PAGE_BYTES ? size - from : PAGE_BYTES;
		int code = real->pMethods->xWrite(real, page, (int)length, from);
		assert(code == SQLITE_OK);
	}
	memset(image->dirty, 0, sizeof image->dirty);
}

/* Unsynced pages reach the disk or not, one by one; so does a new size. */
static void image_after_power_cut(struct image *image)
{
	FILE *file = fopen(image->path, "rb");
	if (file && image->on_disk) {
		char page[PAGE_BYTES];
		fseek(file, 0, SEEK_END);
		int64_t size = ftell(file);
		if (image->resized && next_random() % 2)
			resize_disk(image, size);
		for (int64_t at = 0; at < PAGES_MAX; at++) {
			if (!image->dirty[at] || next_random() % 2)
				continue;
			fseek(file, at * PAGE_BYTES, SEEK_SET);
			size_t n = fread(page, 1, sizeof page, file);
			int64_t end = at * PAGE_BYTES + (int64_t)n;
			if (n && end > image->disk_size)
				resize_disk(image, end);
			memcpy(image->disk + at * PAGE_BYTES, page, n);
		}
	}
	if (file)
		fclose(file);
	memset(image->dirty, 0, sizeof image->dirty);
	image->resized = false;
	image->is_there = image->on_disk;
	unlink(image->path);
	if (!image->on_disk)
		return;
	file = fopen(image->path, "wb");
	assert(file);
	size_t n = fwrite(image->disk, 1, (size_t)image->disk_size, file);
	assert(n == (size_t)image->disk_size);
	fclose(file);
}

static void power_cut(void)
{
	state.life++;
	for (size_t i = 0; i < state.n_images; i++)
		image_after_power_cut(state.images[i]);
}

static bool is_due(enum fault_call call)
{
	if (!(state.plan.calls & (unsigned)call))
		return false;
	uint64_t n = ++state.n_calls, at = state.plan.at;
	return at && n >= at && n - at <= state.plan.more;
}

/* Counts the call; what it meets. */
static enum fault_kind meet(enum fault_call call)
{
	if (state.happened && ++state.n_after == state.plan.power_after) {
		power_cut();
		return FAULT_POWER;
	}
	if (!is_due(call))
		return FAULT_NONE;
	state.happened = true;
	if (state.plan.kind == FAULT_POWER)
		power_cut();
	else if (state.plan.kind == FAULT_KILL || state.plan.killed)
		state.life++;
	return state.plan.kind;
}

static struct fault_file *file_of(sqlite3_file *file)
{
	return (struct fault_file *)(void *)file;
}

static bool is_dead(const struct fault_file *file)
{
	return file->image && file->life != state.life;
}

/* What a call on a file meets: a dead one's fail without counting. */
static enum fault_kind meet_on(const struct fault_file *file, enum fault_call call)
{
	if (is_dead(file))
		return FAULT_KILL;
	return file->image ? meet(call) : FAULT_NONE;
}

static int file_close(sqlite3_file *base)
{
	struct fault_file *file = file_of(base);
	int code = file->real->pMethods->xClose(file->real);
	free(file->real);
	return code;
}

static int file_read(sqlite3_file *base, void *out, int size, sqlite3_int64 at)
{
	sqlite3_file *real = file_of(base)->real;
	return is_dead(file_of(base)) ? SQLITE_IOERR_READ
				      : real->pMethods->xRead(real, out, size, at);
}

static void mark_dirty(struct image *image, int64_t at, int64_t size)
{
	assert((at + size) / PAGE_BYTES < PAGES_MAX);
	for (int64_t page = at / PAGE_BYTES; size > 0 && page <= (at + size - 1) / PAGE_BYTES;
		page++)
		image->dirty[page] = 1;
}

static int file_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 at)
{
	struct fault_file *file = file_of(base);
	pthread_mutex_lock(&state.lock);
	enum fault_kind kind = meet_on(file, FAULT_ON_WRITE);
	int written = kind == FAULT_NONE ? size : kind == FAULT_SHORT ? size / 2 : 0;
	int code =
		written ? file->real->pMethods->xWrite(file->real, bytes, written, at) : SQLITE_OK;
	if (file->image && written) {
		mark_dirty(file->image, at, written);
		file->image->resized |= at + written > file->image->disk_size;
	}
	pthread_mutex_unlock(&state.lock);
	if (kind == FAULT_FULL || kind == FAULT_SHORT)
		return SQLITE_FULL;
	return kind ? SQLITE_IOERR_WRITE : code;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct fault_file *file = file_of(base);
	pthread_mutex_lock(&state.lock);
	enum fault_kind kind = meet_on(file, FAULT_ON_TRUNCATE);
	int code = kind ? SQLITE_IOERR_TRUNCATE : file->real->pMethods->xTruncate(file->real, size);
	if (!kind && file->image)
		file->image->resized = true;
	pthread_mutex_unlock(&state.lock);
	return code;
}

static int file_sync(sqlite3_file *base, int flags)
{
	struct fault_file *file = file_of(base);
	(void)flags;
	if (!file->image)
		return SQLITE_OK;
	pthread_mutex_lock(&state.lock);
	enum fault_kind kind = meet_on(file, FAULT_ON_SYNC);
	if (kind == FAULT_NONE)
		sync_image(file->image, file->real);
	else if (kind != FAULT_KILL && kind != FAULT_POWER)
		lose_pages(file->image, file->real);
	pthread_mutex_unlock(&state.lock);
	return kind ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
	sqlite3_file *real = file_of(base)->real;
	return real->pMethods->xFileSize(real, size);
}

static int file_lock(sqlite3_file *base, int level)
{
	sqlite3_file *real = file_of(base)->real;
	return real->pMethods->xLock(real, level);
}

static int file_unlock(sqlite3_file *base, int level)
{
	sqlite3_file *real = file_of(base)->real;
	return real->pMethods->xUnlock(real, level);
}

static int file_check_lock(sqlite3_file *base, int *held)
{
	sqlite3_file *real = file_of(base)->real;
	return real->pMethods->xCheckReservedLock(real, held);
}

static int file_control(sqlite3_file *base, int operation, void *argument)
{
	sqlite3_file *real = file_of(base)->real;
	return real->pMethods->xFileControl(real, operation, argument);
}

static int file_sector_size(sqlite3_file *base)
{
	sqlite3_file *real = file_of(base)->real;
	return real->pMethods->xSectorSize(real);
}

static int file_characteristics(sqlite3_file *base)
{
	sqlite3_file *real = file_of(base)->real;
	return real->pMethods->xDeviceCharacteristics(real);
}

static int file_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
	sqlite3_file *real = file_of(base)->real;
	return real->pMethods->xShmMap(real, region, size, extend, out);
}

static int file_shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
	sqlite3_file *real = file_of(base)->real;
	return real->pMethods->xShmLock(real, offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *base)
{
	sqlite3_file *real = file_of(base)->real;
	real->pMethods->xShmBarrier(real);
}

static int file_shm_unmap(sqlite3_file *base, int delete)
{
	sqlite3_file *real = file_of(base)->real;
	return real->pMethods->xShmUnmap(real, delete);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

/* A new file at a path, perhaps of an old one: until its first sync the disk has none. */
static void note_opened(struct image *image)
{
	if (image->is_there)
		return;
	image->is_there = true;
	image->on_disk = false;
	memset(image->dirty, 0, sizeof image->dirty);
}

static int vfs_open(
	sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags, int *out_flags)
{
	struct fault_file *file = file_of(base);
	bool modelled = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
	(void)vfs;
	*file = (struct fault_file){.base.pMethods = NULL};
	pthread_mutex_lock(&state.lock);
	struct image *image = modelled ? image_of(name) : NULL;
	enum fault_kind kind = modelled ? meet(FAULT_ON_OPEN) : FAULT_NONE;
	file->real = kind ? NULL : calloc(1, (size_t)real_vfs->szOsFile);
	int code = file->real ? real_vfs->xOpen(real_vfs, name, file->real, flags, out_flags)
			      : SQLITE_CANTOPEN;
	if (code == SQLITE_OK) {
		file->base.pMethods = &methods;
		file->image = image;
		file->life = state.life;
		if (image)
			note_opened(image);
	} else {
		free(file->real);
	}
	pthread_mutex_unlock(&state.lock);
	return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	(void)vfs;
	pthread_mutex_lock(&state.lock);
	enum fault_kind kind = meet(FAULT_ON_DELETE);
	int code = kind ? SQLITE_IOERR_DELETE : real_vfs->xDelete(real_vfs, name, 0);
	for (size_t i = 0; !kind && i < state.n_images; i++) {
		struct image *image = state.images[i];
		if (strcmp(image->path, name) != 0)
			continue;
		image->is_there = false;
		image->on_disk &= !sync_folder && next_random() % 2;
	}
	pthread_mutex_unlock(&state.lock);
	return code;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs;
	return real_vfs->xAccess(real_vfs, name, flags, out);
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	return real_vfs->xFullPathname(real_vfs, name, size, out);
}

static int vfs_randomness(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	return real_vfs->xRandomness(real_vfs, size, out);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return real_vfs->xSleep(real_vfs, us);
}

static int vfs_time(sqlite3_vfs *vfs, double *now)
{
	(void)vfs;
	return real_vfs->xCurrentTime(real_vfs, now);
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	return real_vfs->xGetLastError(real_vfs, size, out);
}

const char *fault_vfs(void)
{
	static sqlite3_vfs vfs = {
		.iVersion = 1,
		.szOsFile = sizeof(struct fault_file),
		.mxPathname = PATH_BYTES - 1,
		.zName = "fault",
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_name,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xGetLastError = vfs_last_error,
	};
	if (!real_vfs) {
		real_vfs = sqlite3_vfs_find(NULL);
		int code = sqlite3_vfs_register(&vfs, 0);
		assert(real_vfs && code == SQLITE_OK);
	}
	return vfs.zName;
}

void fault_vfs_plan(const struct fault_plan *plan)
{
	pthread_mutex_lock(&state.lock);
	state.plan = *plan;
	state.n_calls = state.n_after = 0;
	state.happened = false;
	pthread_mutex_unlock(&state.lock);
}

uint64_t fault_vfs_calls(void)
{
	pthread_mutex_lock(&state.lock);
	uint64_t n = state.n_calls;
	pthread_mutex_unlock(&state.lock);
	return n;
}

bool fault_vfs_happened(void)
{
	pthread_mutex_lock(&state.lock);
	bool happened = state.happened;
	pthread_mutex_unlock(&state.lock);
	return happened;
}

bool fault_vfs_power_went(void)
{
	pthread_mutex_lock(&state.lock);
	bool went = state.plan.power_after && state.n_after >= state.plan.power_after;
	pthread_mutex_unlock(&state.lock);
	return went;
}

void fault_vfs_reset(uint64_t seed)
{
	pthread_mutex_lock(&state.lock);
	for (size_t i = 0; i < state.n_images; i++) {
		free(state.images[i]->disk);
		free(state.images[i]);
	}
	state.n_images = 0;
	state.plan = (struct fault_plan){.at = 0};
	state.n_calls = state.n_after = 0;
	state.happened = false;
	state.random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	pthread_mutex_unlock(&state.lock);
}

void fault_vfs_kill(void)
{
	pthread_mutex_lock(&state.lock);
	state.life++;
	pthread_mutex_unlock(&state.lock);
}

void fault_vfs_power_cut(void)
{
	pthread_mutex_lock(&state.lock);
	power_cut();
	pthread_mutex_unlock(&state.lock);
}
