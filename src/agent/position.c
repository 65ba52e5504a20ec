/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/position.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/disk.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"

enum { FILE_BYTES = 128, PATH_BYTES = 2048 };

void position_begin(struct position *position, int fd)
{
	struct stat stat;
	*position = (struct position){0};
	if (fstat(fd, &stat) == 0)
		position->inode = stat.st_ino;
}

void position_advance(struct position *position, struct text bytes)
{
	size_t size = POSITION_HEAD_BYTES - position->head_size;
	if (position->head_size == position->offset) {
		size = size < bytes.size ? size : bytes.size;
		memcpy(position->head + position->head_size, bytes.data, size);
		position->head_size += size;
	}
	position->offset += bytes.size;
}

static bool is_large_enough(const struct position *position, int fd)
{
	struct stat stat;
	return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_ino == position->inode &&
	       (uint64_t)stat.st_size >= position->offset;
}

static bool read_head(int fd, char *head, size_t size)
{
	return pread(fd, head, size, 0) == (ssize_t)size;
}

bool position_is_in(const struct position *position, int fd)
{
	char head[POSITION_HEAD_BYTES];
	return is_large_enough(position, fd) && read_head(fd, head, position->head_size) &&
	       memcmp(head, position->head, position->head_size) == 0;
}

/* ---- on the disk ---- */

/* "INODE OFFSET HEAD_SIZE HEAD_DIGEST"; without the head in what earlier versions wrote. */
static bool parse(struct position *position, struct text line)
{
	struct text inode, offset, size;
	uint64_t head_size;
	*position = (struct position){0};
	if (!text_split(&line, ' ', &inode) || !text_to_u64(inode, &position->inode) ||
		!text_split(&line, ' ', &offset) || !text_to_u64(offset, &position->offset))
		return false;
	if (!line.size)
		return true;
	if (!text_split(&line, ' ', &size) || !text_to_u64(size, &head_size) ||
		head_size > POSITION_HEAD_BYTES ||
		!text_to_bytes(line, position->head_digest, sizeof position->head_digest))
		return false;
	position->head_size = (size_t)head_size;
	return true;
}

bool position_load(struct position *position, const char *name)
{
	char room[FILE_BYTES];
	struct position loaded;
	struct stat stat;
	AUTO(file_close) int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, room, sizeof room);
	if (n <= 0 || fstat(fd, &stat) < 0 ||
		!parse(&loaded, text_trim((struct text){room, (size_t)n})))
		return false;
	loaded.saved_ns = clock_ns_of(stat.st_mtim);
	*position = loaded;
	return true;
}

void position_save(const struct position *position, const char *name)
{
	char room[FILE_BYTES], path[PATH_BYTES + 8], hex[2 * sizeof position->head_digest + 1];
	struct err err;
	struct digest digest = digest_of((struct text){position->head, position->head_size});
	text_hex(hex, digest.bytes, sizeof position->head_digest);
	size_t size = text_format(room, sizeof room, "%llu %llu %zu %s\n",
		(unsigned long long)position->inode, (unsigned long long)position->offset,
		position->head_size, hex);
	text_format(path, sizeof path, "%s.new", name);
	AUTO(file_close)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || disk_write(fd, (struct text){room, size}, 0, &err) < 0 ||
		rename(path, name) < 0)
		return; /* read again after a restart: the collector knows what it has */
}

/* ---- finding it ---- */

/* The head is known afterwards. */
static bool resume(struct position *position, int fd)
{
	char head[POSITION_HEAD_BYTES];
	if (!is_large_enough(position, fd) || !read_head(fd, head, position->head_size))
		return false;
	struct digest digest = digest_of((struct text){head, position->head_size});
	if (position->head_size &&
		memcmp(digest.bytes, position->head_digest, sizeof position->head_digest) != 0)
		return false;
	size_t size = position->offset < sizeof head ? (size_t)position->offset : sizeof head;
	if (!read_head(fd, head, size))
		return false;
	memcpy(position->head, head, size);
	position->head_size = size;
	return true;
}

static int open_at(struct position *position, int folder, const char *name, int flags)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	if (fd < 0 || resume(position, fd))
		return fd;
	close(fd);
	return -1;
}

/* Rotation renames within a folder; who may write there may also put links there. */
static int open_in_folder(struct position *position, const char *path)
{
	char name[PATH_BYTES];
	const struct dirent *entry;
	int fd = -1;
	disk_folder(path, name, sizeof name);
	DIR *folder = opendir(name);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the folder is this call's alone */
	while (folder && fd < 0 && (entry = readdir(folder)) != NULL)
		if (entry->d_ino == position->inode)
			fd = open_at(position, dirfd(folder), entry->d_name, O_NOFOLLOW);
	if (folder)
		closedir(folder);
	return fd;
}

int position_open(struct position *position, const char *path)
{
	int fd = open_at(position, AT_FDCWD, path, 0);
	return fd >= 0 ? fd : open_in_folder(position, path);
}
