/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/disk.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/log.h"

enum {
	LOOK_MS = 3000,
	GATHER_MS = 10, /* from the first word of something new: many lines are one batch */
	AGAIN_MS = 500,
	READ_BYTES = 256 * 1024,
	LINE_BYTES_MAX = SOURCE_BODY_BYTES, /* a longer one is cut there */
	PATH_BYTES = 2048,
	POSITION_BYTES = 64,
};

struct follow {
	struct follow_options options;
	struct loop_timer *timer;
	struct loop_watch *watch;   /* of told_fd; NULL: nobody tells */
	struct loop_socket *socket; /* of standard input; NULL: it cannot be waited for */
	int told_fd, file_watch, folder_watch; /* inotify; -1: none */
	bool is_soon;                          /* it will be looked at */
	int fd;
	ino_t inode;
	uint64_t offset; /* of what comes next */
	size_t taken;    /* with the receiver */
	bool is_busy, has_ended;
	struct buf lines; /* read, not given to the receiver */
	char path[PATH_BYTES], position[PATH_BYTES];
};

/* ---- where a file was read to ---- */

static void save(const struct follow *follow)
{
	char room[POSITION_BYTES], path[PATH_BYTES + 8];
	struct err err;
	if (!follow->options.path)
		return;
	size_t size = text_format(room, sizeof room, "%llu %llu\n",
		(unsigned long long)follow->inode, (unsigned long long)follow->offset);
	text_format(path, sizeof path, "%s.new", follow->position);
	AUTO(file_close)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || disk_write(fd, (struct text){room, size}, 0, &err) < 0 ||
		rename(path, follow->position) < 0)
		return; /* read again after a restart: the collector knows what it has */
}

static void load(struct follow *follow)
{
	char room[POSITION_BYTES];
	uint64_t inode, offset;
	struct text rest, first;
	AUTO(file_close) int fd = open(follow->position, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, room, sizeof room);
	if (n <= 0)
		return;
	rest = text_trim((struct text){room, (size_t)n});
	if (!text_split(&rest, ' ', &first) || !text_to_u64(first, &inode) ||
		!text_to_u64(rest, &offset))
		return;
	follow->inode = (ino_t)inode;
	follow->offset = offset;
}

/* ---- lines ---- */

static void look(void *ctx);

static void done(bool is_stored, void *ctx)
{
	struct follow *follow = ctx;
	follow->is_busy = false;
	if (is_stored) {
		char *rest = follow->lines.data + follow->taken;
		size_t left = follow->lines.size - follow->taken;
		memmove(follow->lines.data, rest, left);
		follow->lines.size = left;
		follow->offset += follow->taken;
		save(follow);
	}
	loop_timer_start(follow->timer, is_stored ? 0 : AGAIN_MS);
}

/* Whole lines go; at the end the last one too. */
static bool give(struct follow *follow, bool all)
{
	size_t size = follow->lines.size;
	while (!all && size > 0 && follow->lines.data[size - 1] != '\n')
		size--;
	if (size == 0 && follow->lines.size >= LINE_BYTES_MAX)
		size = follow->lines.size;
	if (size == 0)
		return false;
	char *body = malloc(size);
	if (!body)
		return false;
	memcpy(body, follow->lines.data, size);
	follow->taken = size;
	follow->is_busy = true;
	receive_lines(follow->options.receive, follow->options.source, body, size, done, follow);
	return true;
}

/* Bytes that were read; 0: none now, or the end. -1: failed. */
static ssize_t read_more(struct follow *follow)
{
	size_t room = LINE_BYTES_MAX - follow->lines.size;
	if (room == 0)
		return 0;
	room = room < READ_BYTES ? room : READ_BYTES;
	char *place = buf_reserve(&follow->lines, room);
	if (!place) {
		follow->lines.failed = follow->lines.no_memory = false;
		return -1;
	}
	ssize_t n = follow->options.path ? pread(follow->fd, place, room,
						   (off_t)(follow->offset + follow->lines.size))
					 : read(follow->fd, place, room);
	if (n > 0)
		buf_commit(&follow->lines, (size_t)n);
	return n;
}

/* ---- who tells that there is something new ---- */

static void on_told(void *ctx)
{
	struct follow *follow = ctx;
	char events[4096];
	while (read(follow->told_fd, events, sizeof events) > 0)
		continue; /* which one it was does not matter */
	if (follow->is_busy || follow->is_soon)
		return;
	follow->is_soon = true;
	loop_timer_start(follow->timer, GATHER_MS);
}

/* Without it: every few seconds. */
static void listen_to_kernel(struct follow *follow)
{
	follow->told_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (follow->told_fd >= 0)
		follow->watch =
			loop_watch_new(follow->options.loop, follow->told_fd, on_told, follow);
}

/* Another file may come to the place: renames and new files are told by the folder. */
static void watch_folder(struct follow *follow)
{
	char folder[PATH_BYTES];
	const char *slash = strrchr(follow->path, '/');
	if (follow->told_fd < 0 || follow->folder_watch >= 0)
		return;
	text_format(folder, sizeof folder, "%.*s", slash ? (int)(slash - follow->path) + 1 : 1,
		slash ? follow->path : ".");
	follow->folder_watch =
		inotify_add_watch(follow->told_fd, folder, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

/* The file that is open, and no other that takes its place meanwhile. */
static void watch_file(struct follow *follow)
{
	char path[64];
	if (follow->told_fd < 0)
		return;
	if (follow->file_watch >= 0)
		inotify_rm_watch(follow->told_fd, follow->file_watch);
	text_format(path, sizeof path, "/proc/self/fd/%d", follow->fd);
	follow->file_watch = inotify_add_watch(follow->told_fd, path, IN_MODIFY);
}

/* ---- a file ---- */

static void open_file(struct follow *follow)
{
	struct stat stat;
	follow->fd = open(follow->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (follow->fd < 0 || fstat(follow->fd, &stat) < 0)
		return;
	if (stat.st_ino != follow->inode || (uint64_t)stat.st_size < follow->offset)
		follow->offset = 0;
	follow->inode = stat.st_ino;
	watch_file(follow);
}

/* Is another file in its place? Or is it shorter than it was read? */
static bool is_replaced(struct follow *follow)
{
	struct stat now, then;
	if (fstat(follow->fd, &then) == 0 &&
		(uint64_t)then.st_size < follow->offset + follow->lines.size) {
		log_info("follow", "%s was cut: read from its beginning", follow->path);
		follow->offset = 0;
		buf_clear(&follow->lines);
	}
	return stat(follow->path, &now) == 0 && now.st_ino != follow->inode;
}

static void look_at_file(struct follow *follow)
{
	watch_folder(follow);
	if (follow->fd < 0)
		open_file(follow);
	if (follow->fd < 0)
		return;
	bool replaced = is_replaced(follow);
	ssize_t n = read_more(follow);
	if (give(follow, n == 0 && replaced))
		return;
	if (n > 0) {
		loop_timer_start(follow->timer, 0);
		return;
	}
	if (n < 0 || !replaced)
		return;
	close(follow->fd); /* all of it is stored */
	follow->fd = -1;
	follow->offset = 0;
	loop_timer_start(follow->timer, 0);
}

/* ---- standard input ---- */

/* A file as standard input cannot be waited for, and need not. */
static void wait_for_input(struct follow *follow, bool wanted)
{
	if (!follow->socket || loop_socket_want(follow->socket, wanted, false))
		return;
	loop_socket_free(follow->socket);
	follow->socket = NULL;
}

static void on_input(bool readable, bool writable, void *ctx)
{
	struct follow *follow = ctx;
	(void)readable, (void)writable;
	wait_for_input(follow, false);
	loop_timer_start(follow->timer, 0);
}

static void look_at_input(struct follow *follow)
{
	ssize_t n = follow->has_ended ? 0 : read_more(follow);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		wait_for_input(follow, true);
		return;
	}
	follow->has_ended |= n <= 0;
	if (give(follow, follow->has_ended))
		return;
	if (!follow->has_ended)
		loop_timer_start(follow->timer, 0);
	else if (follow->options.ended)
		follow->options.ended(follow->options.ctx);
}

static void look(void *ctx)
{
	struct follow *follow = ctx;
	if (follow->is_busy)
		return;
	follow->is_soon = false;
	loop_timer_start(follow->timer, follow->options.look_after_ms);
	if (follow->options.path)
		look_at_file(follow);
	else
		look_at_input(follow);
}

/* ---- life ---- */

static void name_position(struct follow *follow)
{
	char hex[17];
	struct digest digest = digest_of(text_of(follow->path));
	text_hex(hex, digest.bytes, 8);
	text_format(follow->position, sizeof follow->position, "%s/follow-%s",
		follow->options.folder, hex);
}

int follow_new(struct follow **out, const struct follow_options *options, struct err *err)
{
	struct follow *follow = calloc(1, sizeof *follow);
	if (!follow)
		return err_set(err, ERR_MEMORY, "no memory to follow a file");
	follow->options = *options;
	if (!options->look_after_ms)
		follow->options.look_after_ms = LOOK_MS;
	follow->told_fd = follow->file_watch = follow->folder_watch = -1;
	follow->fd = options->path ? -1 : STDIN_FILENO;
	buf_init(&follow->lines, LINE_BYTES_MAX + 1);
	follow->timer = loop_timer_new(options->loop, look, follow);
	if (!follow->timer) {
		follow_free(follow);
		return err_set(err, ERR_MEMORY, "no memory to follow a file");
	}
	if (options->path) {
		text_format(follow->path, sizeof follow->path, "%s", options->path);
		name_position(follow);
		load(follow);
		listen_to_kernel(follow);
	} else {
		follow->socket = loop_socket_new(options->loop, STDIN_FILENO, on_input, follow);
		fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
	}
	loop_timer_start(follow->timer, 0);
	*out = follow;
	return 0;
}

void follow_free(struct follow *follow)
{
	if (!follow)
		return;
	if (follow->options.path && follow->fd >= 0)
		close(follow->fd);
	loop_watch_free(follow->watch);
	if (follow->told_fd >= 0)
		close(follow->told_fd);
	loop_socket_free(follow->socket);
	loop_timer_free(follow->timer);
	buf_done(&follow->lines);
	free(follow);
}
