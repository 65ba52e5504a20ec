/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a file was read to, as a restart needs it: which file it was, and the byte that comes next.
 * A name says nothing, since rotation renames; an inode's number is given again to a new file. So
 * the file's first bytes are looked at, too; only their hash is kept on the disk, as they may hold
 * secrets.
 */

#include "base/text.h"

enum { POSITION_HEAD_BYTES = 256 };

struct position {
	uint64_t inode, offset;
	int64_t saved_ns;               /* when it was saved that was loaded; 0: none was */
	size_t head_size;               /* of the file's first bytes: as many as were read */
	char head[POSITION_HEAD_BYTES]; /* after position_load not yet known */
	unsigned char head_digest[8];   /* of a loaded one */
};

/** The beginning of the file that is open as @fd. */
void position_begin(struct position *position, int fd);
/** @bytes, which stood there, were read. */
void position_advance(struct position *position, struct text bytes);

/** Does the file hold what was read of it? False: it was cut, or written anew. */
bool position_is_in(const struct position *position, int fd);

/** From and to the file @name, replaced as a whole. False: there is none, or it cannot be read. */
bool position_load(struct position *position, const char *name);
void position_save(const struct position *position, const char *name);

/**
 * Opens the file that a loaded position is of: @path, or what a rotation made of it in the same
 * folder. Returns its fd, or -1: it is not there.
 */
int position_open(struct position *position, const char *path);
