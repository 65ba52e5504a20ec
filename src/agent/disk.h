/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Writes that are whole or failed, what failed in the words of our errors, and where a file is. */

#include "base/err.h"
#include "base/text.h"

/** ERR_FULL when there is no room (any more), ERR_MEMORY, else ERR_IO; with the reason appended. */
__attribute__((format(printf, 3, 4))) int disk_error(
	struct err *err, int saved_errno, const char *format, ...);

/** Into @out (@size bytes) the folder that @path is in, with a slash at its end; "." if it names
 * none.
 */
void disk_folder(const char *path, char *out, size_t size);

/** All of @bytes at @offset. ERR_FULL, ERR_IO: some of it may be there. */
CHECKED int disk_write(int fd, struct text bytes, size_t offset, struct err *err);
