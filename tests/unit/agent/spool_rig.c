/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/agent/spool_rig.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/random.h"

struct failing_disk failing_disk = {.bytes_left = SIZE_MAX, .dies_after = -1, .failed_fd = -1};

/* ---- what the linker sends here ---- */

ssize_t __real_pread(int fd, void *out, size_t size, off_t offset);
ssize_t __real_pwrite(int fd, const void *data, size_t size, off_t offset);
int __real_ftruncate(int fd, off_t size);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __real_unlinkat(int folder, const char *name, int flags);
int __real_close(int fd);
ssize_t __wrap_pread(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_unlinkat(int folder, const char *name, int flags);
int __wrap_close(int fd);

/* Is the process as good as gone? */
static bool is_dead(void)
{
	if (failing_disk.dies_after < 0)
		return false;
	if (failing_disk.dies_after == 0) {
		errno = EIO;
		return true;
	}
	failing_disk.dies_after--;
	return false;
}

ssize_t __wrap_pread(int fd, void *out, size_t size, off_t offset)
{
	if (failing_disk.fail_reads || (failing_disk.fail_segment_reads && offset >= 72)) {
		errno = EIO;
		return -1;
	}
	return __real_pread(fd, out, size, offset);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset)
{
	bool last = failing_disk.dies_after == 1;
	if (is_dead())
		return -1;
	if (last) /* it dies in the middle of this one */
		return __real_pwrite(fd, data, size / 2, offset);
	if (failing_disk.bytes_left == SIZE_MAX)
		return __real_pwrite(fd, data, size, offset);
	if (failing_disk.bytes_left == 0) {
		errno = ENOSPC;
		return -1;
	}
	size = size < failing_disk.bytes_left ? size : failing_disk.bytes_left;
	failing_disk.bytes_left -= size;
	return __real_pwrite(fd, data, size, offset);
}

static bool sync_fails(int fd)
{
	failing_disk.synced_again |= fd == failing_disk.failed_fd;
	if (is_dead())
		return true;
	if (!failing_disk.fail_syncs)
		return false;
	failing_disk.fail_syncs--;
	failing_disk.failed_fd = fd;
	errno = EIO;
	return true;
}

int __wrap_fdatasync(int fd)
{
	failing_disk.n_syncs++;
	return sync_fails(fd) ? -1 : 0; /* tests lose no power */
}

int __wrap_fsync(int fd)
{
	return sync_fails(fd) ? -1 : 0;
}

int __wrap_ftruncate(int fd, off_t size)
{
	return is_dead() ? -1 : __real_ftruncate(fd, size);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	return is_dead() ? -1 : __real_renameat(from_folder, from, to_folder, to);
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
	return is_dead() ? -1 : __real_unlinkat(folder, name, flags);
}

int __wrap_close(int fd)
{
	if (fd == failing_disk.failed_fd)
		failing_disk.failed_fd = -1;
	return __real_close(fd);
}

/* ---- the rig ---- */

void spool_rig_init(struct spool_rig *rig)
{
	*rig = (struct spool_rig){.size_bytes = (size_t)1 << 30, .age_s = 7 * 86400};
	text_format(rig->folder, sizeof rig->folder, "/tmp/tocsin-spool-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(rig->folder));
	clock_manual_init(&rig->clock, INT64_C(1795489200) * NS_PER_S);
	failing_disk =
		(struct failing_disk){.bytes_left = SIZE_MAX, .dies_after = -1, .failed_fd = -1};
}

void spool_rig_open(struct spool_rig *rig)
{
	struct err err = {0};
	const struct spool_options options = {
		.folder = rig->folder,
		.size_bytes = rig->size_bytes,
		.age_s = rig->age_s,
		.clock = &rig->clock.clock,
	};
	int result = spool_open(&rig->spool, &options, rig->told, sizeof rig->told, &err);
	ck_assert_msg(result == 0, "spool_open: %s", err.text);
}

void spool_rig_close(struct spool_rig *rig)
{
	spool_close(rig->spool);
	rig->spool = NULL;
}

void spool_rig_reopen(struct spool_rig *rig)
{
	spool_rig_close(rig);
	spool_rig_open(rig);
}

void spool_rig_done(struct spool_rig *rig)
{
	char command[128];
	spool_rig_close(rig);
	text_format(command, sizeof command, "rm -rf '%s'", rig->folder);
	ck_assert_int_eq(system(command), 0);
}

struct record spool_rig_record(uint64_t seed, size_t size, enum severity severity, char *room)
{
	struct random random = random_of(seed);
	for (size_t i = 0; i < size; i++)
		room[i] = (char)random_next(&random);
	return (struct record){
		.kind = RECORD_ALERT,
		.severity = severity,
		.source = SOURCE_FALCO,
		.received_ns = (int64_t)(1000000 + seed),
		.rule = TEXT("a rule"),
		.raw = {room, size},
	};
}

uint64_t spool_rig_put(struct spool_rig *rig, uint64_t seed, enum severity severity)
{
	char room[200];
	struct err err = {0};
	struct record record =
		spool_rig_record(seed, 20 + seed % (sizeof room - 20), severity, room);
	ck_assert_int_eq(spool_add(rig->spool, &record, &err), 0);
	int result = spool_commit(rig->spool, &err);
	ck_assert_msg(result == 0, "spool_commit: %s", err.text);
	return record.number;
}

static int is_segment(const struct dirent *entry)
{
	return text_ends(text_of(entry->d_name), TEXT(".segment"));
}

bool spool_rig_segment(struct spool_rig *rig, unsigned i, char *path, size_t size)
{
	struct dirent **entries;
	int n = scandir(rig->folder, &entries, is_segment, alphasort);
	bool found = n >= 0 && i < (unsigned)n;
	if (found)
		text_format(path, size, "%s/%s", rig->folder, entries[i]->d_name);
	for (int j = 0; j < n; j++)
		free(entries[j]);
	if (n >= 0)
		free(entries);
	return found;
}

unsigned spool_rig_segments(struct spool_rig *rig)
{
	char path[400];
	unsigned n = 0;
	while (spool_rig_segment(rig, n, path, sizeof path))
		n++;
	return n;
}
