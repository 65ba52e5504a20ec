/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/disk.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

int disk_error(struct err *err, int saved_errno, const char *format, ...)
{
	char what[160];
	va_list args;
	va_start(args, format);
	text_format_list(what, sizeof what, format, args);
	va_end(args);
	err_errno(err, saved_errno, "%s", what);
	if (saved_errno == ENOSPC || saved_errno == EDQUOT || saved_errno == EFBIG)
		err->kind = ERR_FULL;
	return -1;
}

int disk_write(int fd, struct text bytes, size_t offset, struct err *err)
{
	while (bytes.size > 0) {
		ssize_t n = pwrite(fd, bytes.data, bytes.size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return disk_error(err, n < 0 ? errno : EIO, "writing to the spool");
		bytes = text_part(bytes, (size_t)n, bytes.size);
		offset += (size_t)n;
	}
	return 0;
}

void disk_folder(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	text_format(out, size, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
}
