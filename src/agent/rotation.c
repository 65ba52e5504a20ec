/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rotation.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/disk.h"
#include "base/clock.h"
#include "base/text.h"

enum { PATH_BYTES = 2048, NAME_BYTES = 256 };

/* Behind the name a separator and a digit: no other program's file, and no editor's copy. */
static bool goes_on(struct text rest)
{
	return rest.size > 1 && memchr(".-_", rest.data[0], 3) && rest.data[1] >= '0' &&
	       rest.data[1] <= '9';
}

/* falco.json.1, or falco.1.json, where the ending stays. */
static bool is_rotated(struct text name, struct text base)
{
	size_t stem = base.size;
	while (stem > 0 && base.data[stem - 1] != '.')
		stem--;
	if (text_starts(name, base) && goes_on(text_part(name, base.size, name.size)))
		return true;
	if (stem < 2)
		return false;
	return text_starts(name, text_part(base, 0, stem - 1)) &&
	       text_ends(name, text_part(base, stem - 1, base.size)) &&
	       goes_on(text_part(name, stem - 1, name.size));
}

/* Its name without the ending that a packer gives; the whole, if none did. */
static struct text unpacked_name(struct text name)
{
	static const char *const endings[] = {".gz", ".zst", ".xz", ".bz2", ".lz4"};
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (text_ends(name, text_of(endings[i])))
			return text_part(name, 0, name.size - strlen(endings[i]));
	return name;
}

/* As it is called in its folder, or was when it was removed. */
static struct text name_of(int fd, char *room, size_t size)
{
	char link[64];
	text_format(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = fd < 0 ? -1 : readlink(link, room, size);
	struct text path = {room, n > 0 ? (size_t)n : 0};
	if (text_ends(path, TEXT(" (deleted)")))
		path.size -= strlen(" (deleted)");
	size_t at = path.size;
	while (at > 0 && path.data[at - 1] != '/')
		at--;
	return text_part(path, at, path.size);
}

struct search {
	DIR *folder;
	struct text base, left; /* names: of the file in its place, of one that is known */
	int64_t after_ns, until_ns;
};

/* When it was written to last, if it is one that is searched for; else 0. */
static int64_t written_ns(const struct search *search, const char *entry, bool packed)
{
	struct stat stat;
	struct text name = text_of(entry), plain = unpacked_name(name);
	if ((plain.size < name.size) != packed || !is_rotated(plain, search->base) ||
		(packed && text_equal(plain, search->left)) ||
		fstatat(dirfd(search->folder), entry, &stat, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(stat.st_mode) || stat.st_size == 0)
		return 0;
	int64_t ns = clock_ns_of(stat.st_mtim);
	return ns > search->after_ns && ns < search->until_ns ? ns : 0;
}

/* The first; it ends the search for others. */
static bool find_next(struct search *search, char name[NAME_BYTES])
{
	const struct dirent *entry;
	name[0] = '\0';
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the folder is this call's alone */
	while ((entry = readdir(search->folder)) != NULL) {
		int64_t ns = written_ns(search, entry->d_name, false);
		if (!ns)
			continue;
		search->until_ns = ns;
		text_format(name, NAME_BYTES, "%s", entry->d_name);
	}
	return name[0];
}

static int64_t last_packed_ns(const struct search *search)
{
	const struct dirent *entry;
	int64_t last_ns = 0;
	rewinddir(search->folder);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the folder is this call's alone */
	while ((entry = readdir(search->folder)) != NULL) {
		int64_t ns = written_ns(search, entry->d_name, true);
		last_ns = ns > last_ns ? ns : last_ns;
	}
	return last_ns;
}

int rotation_open_next(const char *path, int64_t after_ns, int left_fd, int64_t *packed_ns)
{
	char folder[PATH_BYTES], left[PATH_BYTES], name[NAME_BYTES];
	const char *slash = strrchr(path, '/');
	int fd = -1;
	disk_folder(path, folder, sizeof folder);
	struct search search = {.folder = opendir(folder),
		.base = text_of(slash ? slash + 1 : path),
		.left = name_of(left_fd, left, sizeof left),
		.after_ns = after_ns,
		.until_ns = INT64_MAX};
	*packed_ns = 0;
	if (!search.folder)
		return -1;
	if (find_next(&search, name))
		fd = openat(
			dirfd(search.folder), name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	*packed_ns = last_packed_ns(&search);
	closedir(search.folder);
	return fd;
}
