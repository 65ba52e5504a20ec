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
#include "agent/position.h"
#include "agent/rotation.h"
#include "base/digest.h"
#include "base/log.h"

enum {
	LOOK_MS = 3000,
	GATHER_MS = 10, /* from the first word of something new: many lines are one batch */
	AGAIN_MS = 500,
	READ_BYTES = 256 * 1024,
	LINE_BYTES_MAX = SOURCE_BODY_BYTES, /* a longer one is cut there */
	QUIET_MS = 2000, /* who wrote to a file that was renamed has gone on to the new one */
	PATH_BYTES = 2048,
};

struct follow {
	struct follow_options options;
	struct loop_timer *timer;
	struct loop_watch *watch;   /* of told_fd; NULL: nobody tells */
	struct loop_socket *socket; /* of standard input; NULL: it cannot be waited for */
	int told_fd, file_watch, folder_watch; /* inotify; -1: none */
	bool is_soon;                          /* it will be looked at */
	int fd;
	int64_t left_ns;    /* when the one that was read before was written to last; 0: none was */
	struct position at; /* what comes next */
	bool is_loaded;     /* it is of a file that is to be found yet */
	size_t taken;       /* with the receiver */
	bool is_busy, has_ended;
	struct loop_timer *quiet;
	bool is_waiting, is_quiet; /* for a renamed file to be quiet */
	struct buf lines;          /* read, not given to the receiver */
	char path[PATH_BYTES], position[PATH_BYTES];
};

/* ---- lines ---- */

static void look(void *ctx);

static void done(bool is_stored, void *ctx)
{
	struct follow *follow = ctx;
	follow->is_busy = false;
	if (is_stored) {
		char *rest = follow->lines.data + follow->taken;
		size_t left = follow->lines.size - follow->taken;
		position_advance(&follow->at, (struct text){follow->lines.data, follow->taken});
		memmove(follow->lines.data, rest, left);
		follow->lines.size = left;
		if (follow->options.path)
			position_save(&follow->at, follow->position);
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

/* Bytes that were read; 0: none now, or the end. -1: failed, or without room (ENOMEM). */
static ssize_t read_more(struct follow *follow)
{
	size_t room = LINE_BYTES_MAX - follow->lines.size;
	errno = ENOMEM;
	if (room == 0)
		return -1;
	room = room < READ_BYTES ? room : READ_BYTES;
	char *place = buf_reserve(&follow->lines, room);
	if (!place) {
		follow->lines.failed = follow->lines.no_memory = false;
		return -1;
	}
	ssize_t n = follow->options.path ? pread(follow->fd, place, room,
						   (off_t)(follow->at.offset + follow->lines.size))
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
	if (follow->told_fd < 0 || follow->folder_watch >= 0)
		return;
	disk_folder(follow->path, folder, sizeof folder);
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

/* Nobody knows how much. */
static void tell_lost(const struct follow *follow, int64_t from_ns, int64_t until_ns)
{
	const struct follow_options *options = &follow->options;
	if (!options->coverage)
		return;
	int64_t now_ns = clock_wall_ns(options->clock);
	agent_coverage_lost(options->coverage, options->source, from_ns,
		until_ns < now_ns ? until_ns : now_ns, 0);
}

static void tell_gone(const struct follow *follow)
{
	log_warning("follow",
		"%s: the file that was read to byte %llu is not found any more: what was written "
		"behind it is lost",
		follow->path, (unsigned long long)follow->at.offset);
	tell_lost(follow, follow->at.saved_ns, INT64_MAX);
}

static void tell_packed(const struct follow *follow, int64_t until_ns)
{
	log_warning("follow",
		"%s: compressed files between the one that was read and the next one are not read: "
		"they are lost (logrotate: delaycompress)",
		follow->path);
	tell_lost(follow, follow->left_ns, until_ns);
}

/* What is in its place, unless a rotation made others since one was read. -1: nothing yet. */
static int open_newer(struct follow *follow)
{
	int64_t packed_ns, after_ns = follow->is_loaded ? follow->at.saved_ns : follow->left_ns;
	int fd = open(follow->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (!after_ns || (fd < 0 && follow->is_loaded))
		return fd;
	if (follow->is_loaded)
		tell_gone(follow);
	int between = rotation_open_next(follow->path, after_ns, -1, &packed_ns);
	if (between < 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return between;
}

/* A renamed file is found first: the new one is read when the old one has been read to its end. */
static void open_file(struct follow *follow)
{
	if (follow->is_loaded)
		follow->fd = position_open(&follow->at, follow->path);
	if (follow->fd < 0) {
		follow->fd = open_newer(follow);
		if (follow->fd < 0)
			return; /* it may come yet, and be the one that is looked for */
		position_begin(&follow->at, follow->fd);
	}
	follow->is_loaded = false;
	watch_file(follow);
}

static void look_for_cut(struct follow *follow)
{
	struct stat now;
	if (fstat(follow->fd, &now) < 0 ||
		((uint64_t)now.st_size >= follow->at.offset + follow->lines.size &&
			position_is_in(&follow->at, follow->fd)))
		return;
	log_info("follow", "%s was cut: read from its beginning", follow->path);
	position_begin(&follow->at, follow->fd);
	buf_clear(&follow->lines);
}

/* Is it not in its place any more? */
static bool is_replaced(const struct follow *follow, struct stat *now)
{
	*now = (struct stat){0};
	return stat(follow->path, now) < 0 || now->st_ino != follow->at.inode;
}

static int64_t written_ns(const struct follow *follow)
{
	struct stat now;
	if (fstat(follow->fd, &now) < 0)
		return INT64_MAX;
	return clock_ns_of(now.st_mtim);
}

/* Did a rotation make others between it and the one in its place? */
static bool has_between(const struct follow *follow, int64_t *packed_ns)
{
	int fd = rotation_open_next(follow->path, written_ns(follow), follow->fd, packed_ns);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* While the new one is empty, and the next, the old one is still written to. */
static bool has_next(const struct follow *follow, const struct stat *new)
{
	int64_t packed_ns;
	return new->st_size > 0 || has_between(follow, &packed_ns);
}

static void on_quiet(void *ctx)
{
	struct follow *follow = ctx;
	follow->is_waiting = false;
	follow->is_quiet = true;
	look(follow);
}

/* Several may write to a file, and not all go on to the new one at once. */
static void wait_for_quiet(struct follow *follow, bool wanted)
{
	if (!wanted)
		loop_timer_stop(follow->quiet);
	else if (!follow->is_waiting)
		loop_timer_start(follow->quiet, follow->options.quiet_after_ms);
	follow->is_waiting = wanted;
	follow->is_quiet = false;
}

/* All of it is stored. */
static void leave_file(struct follow *follow)
{
	int64_t packed_ns;
	wait_for_quiet(follow, false);
	follow->left_ns = written_ns(follow);
	has_between(follow, &packed_ns);
	if (packed_ns)
		tell_packed(follow, packed_ns);
	close(follow->fd);
	follow->fd = -1;
	loop_timer_start(follow->timer, 0);
}

static void read_file(struct follow *follow)
{
	struct stat other;
	bool replaced = is_replaced(follow, &other);
	bool is_over = replaced && follow->is_quiet && has_next(follow, &other);
	ssize_t n = read_more(follow);
	if (n > 0)
		wait_for_quiet(follow, false);
	if (give(follow, n == 0 && is_over))
		return;
	if (n > 0)
		loop_timer_start(follow->timer, 0);
	else if (n == 0 && is_over && !follow->lines.size) /* else there was no memory: later */
		leave_file(follow);
	else if (n == 0 && replaced)
		wait_for_quiet(follow, true);
}

static void look_at_file(struct follow *follow)
{
	watch_folder(follow);
	if (follow->fd < 0)
		open_file(follow);
	if (follow->fd < 0)
		return;
	look_for_cut(follow);
	read_file(follow);
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

/* false: there is nothing now. */
static bool read_input(struct follow *follow, bool *lacks_memory)
{
	ssize_t n = follow->has_ended ? 0 : read_more(follow);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		wait_for_input(follow, true);
		return false;
	}
	*lacks_memory = n < 0 && errno == ENOMEM;
	follow->has_ended |= n <= 0 && !*lacks_memory;
	return true;
}

static void look_at_input(struct follow *follow)
{
	bool lacks_memory;
	if (!read_input(follow, &lacks_memory))
		return;
	if (give(follow, follow->has_ended))
		return;
	lacks_memory |= follow->has_ended && follow->lines.size;
	if (lacks_memory || !follow->has_ended)
		loop_timer_start(follow->timer, lacks_memory ? AGAIN_MS : 0);
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
	if (!options->quiet_after_ms)
		follow->options.quiet_after_ms = QUIET_MS;
	follow->told_fd = follow->file_watch = follow->folder_watch = -1;
	follow->fd = options->path ? -1 : STDIN_FILENO;
	buf_init(&follow->lines, LINE_BYTES_MAX + 1);
	follow->timer = loop_timer_new(options->loop, look, follow);
	follow->quiet = loop_timer_new(options->loop, on_quiet, follow);
	if (!follow->timer || !follow->quiet) {
		follow_free(follow);
		return err_set(err, ERR_MEMORY, "no memory to follow a file");
	}
	if (options->path) {
		text_format(follow->path, sizeof follow->path, "%s", options->path);
		name_position(follow);
		follow->is_loaded = position_load(&follow->at, follow->position);
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
	loop_timer_free(follow->quiet);
	buf_done(&follow->lines);
	free(follow);
}
