/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/disk.h"
#include "agent/spool_private.h"
#include "base/cleanup.h"
#include "base/digest.h"

enum {
	SEGMENTS_IN_BOUND = 16,
	SEGMENTS_MAX = 256, /* of a large bound, when all are full */
	SEGMENT_BYTES_MIN = 16 * 1024,
	NAMES_MAX = 32768, /* below process_raise_files */
	NUMBERS_A_MS = 1024,
};

/* What was found that should not be, in words. */
struct findings {
	char *text;
	size_t room, size;
};

__attribute__((format(printf, 2, 3))) static void find_that(
	struct findings *findings, const char *format, ...)
{
	va_list args;
	if (findings->size)
		findings->size += text_format(
			findings->text + findings->size, findings->room - findings->size, "; ");
	va_start(args, format);
	findings->size += text_format_list(
		findings->text + findings->size, findings->room - findings->size, format, args);
	va_end(args);
}

int64_t spool_life_s(struct spool *spool)
{
	int64_t now_ms = clock_monotonic_ms(spool->clock);
	int64_t lived_s = (now_ms - spool->life_counted_ms) / 1000;
	if (lived_s > 0) {
		spool->life_s += lived_s;
		spool->life_counted_ms += lived_s * 1000;
	}
	return spool->life_s;
}

/* ---- the folder ---- */

static int open_folder(struct spool *spool, const char *path, struct err *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return disk_error(err, errno, "making %s", path);
	spool->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->folder < 0)
		return disk_error(err, errno, "opening %s", path);
	spool->lock = openat(spool->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (spool->lock < 0)
		return disk_error(err, errno, "opening %s/lock", path);
	if (flock(spool->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_BUSY,
			"another tocsin-agent uses %s: give this one --spool DIR of its own", path);
	spool->mark = openat(spool->folder, "mark", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return spool->mark < 0 ? disk_error(err, errno, "opening %s/mark", path) : 0;
}

static int compare_names(const void *a, const void *b)
{
	return memcmp(a, b, SEGMENT_NAME_BYTES);
}

struct names {
	char (*names)[SEGMENT_NAME_BYTES];
	size_t n;
};

static int add_name(struct names *names, const char *name, struct err *err)
{
	size_t size = strlen(name) + 1;
	if (names->n == NAMES_MAX)
		return err_set(err, ERR_LIMIT,
			"the spool has more than %d files: move the newest elsewhere, and back "
			"once the others are sent",
			NAMES_MAX);
	if (names->n % 64 == 0) {
		void *more = realloc(names->names, (names->n + 64) * sizeof *names->names);
		if (!more)
			return err_set(err, ERR_MEMORY, "no memory for the spool's files");
		names->names = more;
	}
	memset(names->names[names->n], 0, SEGMENT_NAME_BYTES);
	memcpy(names->names[names->n++], name, size);
	return 0;
}

/* Names of segments, lowest number first. Drafts that were not finished go away. */
static int list_names(struct spool *spool, struct names *names, struct err *err)
{
	int fd = dup(spool->folder);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	int result = 0;
	if (!folder) {
		int saved_errno = errno;
		if (fd >= 0)
			close(fd);
		return disk_error(err, saved_errno, "reading the spool's folder");
	}
	struct dirent *entry;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the folder is this call's alone */
	while (result == 0 && (entry = readdir(folder))) {
		struct text name = text_of(entry->d_name);
		if (text_ends(name, TEXT(".new")))
			unlinkat(spool->folder, entry->d_name, 0);
		else if (text_ends(name, TEXT(".segment")) && name.size == 24)
			result = add_name(names, entry->d_name, err);
	}
	closedir(folder);
	if (names->n)
		qsort(names->names, names->n, sizeof *names->names, compare_names);
	return result;
}

/* ---- which spool it is ---- */

static bool id_of_segments(struct spool *spool, const struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (segment_peek(spool->folder, names->names[i], &spool->id))
			return true;
	return false;
}

/* A spool without segments is a new one: where its numbers had got to is not known. */
static int make_id(struct spool *spool, struct err *err)
{
	digest_random(spool->id.bytes, sizeof spool->id.bytes);
	spool->acknowledged = 0;
	spool_mark_write(spool);
	if (fsync(spool->mark) < 0 || fsync(spool->folder) < 0)
		return disk_error(err, errno, "syncing the spool's mark");
	return 0;
}

/* Out of the way, but not gone: somebody may want to look at it. */
static void put_aside(
	struct spool *spool, const char *name, const char *why, struct findings *findings)
{
	char aside[SEGMENT_NAME_BYTES + 16];
	text_format(aside, sizeof aside, "%s.damaged", name);
	ignore(renameat(spool->folder, name, spool->folder, aside)); /* found again then */
	find_that(findings, "%s was put aside: %s", name, why);
}

static int identify(
	struct spool *spool, struct names *names, struct findings *findings, struct err *err)
{
	bool known = spool_mark_read(spool);
	if (!known && names->n)
		known = id_of_segments(spool, names);
	if (known && names->n)
		return 0;
	for (size_t i = 0; i < names->n; i++)
		put_aside(spool, names->names[i], "no segment has a head", findings);
	names->n = 0;
	return make_id(spool, err);
}

/* ---- its segments ---- */

static uint64_t number_of_name(const char *name)
{
	return strtoull(name, NULL, 16);
}

static void link_segment(struct spool *spool, struct segment *segment)
{
	if (segment->head.born_s < 0) /* its head is damaged */
		segment->head.born_s = spool->life_s;
	if (spool->last)
		spool->last->next = segment;
	else
		spool->first = segment;
	spool->last = segment;
}

/* Two segments became one, and this one was about to go. */
static bool is_superseded(const struct spool *spool, uint64_t first)
{
	return spool->last && spool->last->is_closed && spool->last->last >= first;
}

static int open_segment(struct spool *spool, const struct names *names, size_t i,
	struct findings *findings, struct segment_tail *tail, struct err *err)
{
	struct segment *segment;
	const char *name = names->names[i];
	bool is_last = i + 1 == names->n;
	const struct segment_file file = {
		spool->folder, name, is_last ? UINT64_MAX : number_of_name(names->names[i + 1])};
	if (is_superseded(spool, number_of_name(name))) {
		unlinkat(spool->folder, name, 0);
		return 0;
	}
	if (segment_open(&segment, &file, &spool->id, tail, err) == 0) {
		link_segment(spool, segment);
		return 0;
	}
	if (err->kind != ERR_DENIED)
		return -1;
	put_aside(spool, name, err->text, findings);
	return 0;
}

/* Damaged records at the very end: they were answered. Told at once, because nothing may come
 * behind them for long; the next segment's head has them too, for the next start. */
static void lose_tail(
	struct spool *spool, const struct segment_tail *tail, struct findings *findings)
{
	uint64_t n = tail->n_lost ? tail->n_lost : 1;
	find_that(findings, "%zu bytes at the end are damaged: %s%llu records are lost",
		tail->n_bytes, tail->is_counted ? "" : "how many is not known, at least ",
		(unsigned long long)n);
	spool->loss = (struct spool_loss){
		.n = n,
		.source = tail->source,
		.from_ns = tail->received_ns,
		.until_ns = clock_wall_ns(spool->clock),
	};
	spool->n_tail_lost = n;
	spool->previous_last = spool->last->last + n;
}

/* Behind all that was given out before, also by a spool of which this one is an old copy: 1024 a
 * millisecond are never put in. Only a copy and a clock that went back together can meet. */
static uint64_t next_of_now(const struct spool *spool)
{
	int64_t now_ms = clock_wall_ns(spool->clock) / 1000000;
	return now_ms > 0 ? (uint64_t)now_ms * NUMBERS_A_MS : 0; /* below 2^54 */
}

/* The last number of a record that is or was here; 0: none is known. Of a segment without a record,
 * or without a head, nothing follows: numbers before its first may never have been given out. */
static uint64_t last_given(const struct spool *spool)
{
	uint64_t last = 0;
	for (const struct segment *segment = spool->first; segment; segment = segment->next) {
		uint64_t before = segment->head.previous_last;
		last = before > last ? before : last;
		if (segment->last >= segment->head.first)
			last = segment->last;
	}
	return last;
}

/* What stands behind the last whole record was never answered, or is damaged: its numbers are not
 * used again. */
static void pass_tail(
	struct spool *spool, const struct segment_tail *tail, struct findings *findings)
{
	spool->next += tail->n_bytes / RECORD_HEAD_BYTES + 1;
	if (tail->is_broken) {
		lose_tail(spool, tail, findings);
		return;
	}
	find_that(findings, "%zu bytes behind the last whole record were cut off", tail->n_bytes);
	segment_trim(spool->last);
}

/* Which of the files that wait begin before the one in front of them. Where the clock was put back
 * within a file is not looked for. */
static void note_arrivals(struct spool *spool)
{
	struct segment_reader reader = {.clock = spool->clock};
	struct record record;
	for (struct segment *segment = spool->first; segment; segment = segment->next) {
		if (segment->last <= spool->acknowledged)
			continue;
		segment_reader_begin(&reader, segment);
		if (segment_reader_next(&reader, &spool->id, &record))
			arrivals_note(&spool->arrivals, record.number, record.received_ns);
	}
	segment_reader_done(&reader);
}

/* Where to go on writing: in another segment, since its numbers do not follow. */
static void go_on(struct spool *spool, const struct segment_tail *tail, struct findings *findings)
{
	struct segment *last = spool->last;
	spool->next = last ? last->last + 1 : 1;
	spool->previous_last = last_given(spool);
	spool->must_begin = true;
	if (last && last->is_unsure) {
		spool->next += last->size_bytes / RECORD_HEAD_BYTES + 1;
		find_that(findings, "%s cannot be read as a whole now", last->name);
	}
	if (last && tail->n_bytes)
		pass_tail(spool, tail, findings);
	if (last && spool->next < next_of_now(spool))
		spool->next = next_of_now(spool);
	spool->tail_end = spool->next;
	spool_release(spool, spool->acknowledged);
	/* What had the numbers before the first segment was acknowledged, or it would be there. */
	if (spool->first && spool->acknowledged < spool->first->head.previous_last)
		spool->acknowledged = spool->first->head.previous_last;
	if (spool->next <= spool->acknowledged)
		spool->next = spool->acknowledged + 1;
	spool_place_set(&spool->sender, spool->acknowledged);
	spool->sent = spool->acknowledged;
	note_arrivals(spool);
}

static int open_files(
	struct spool *spool, const char *path, struct findings *findings, struct err *err)
{
	struct segment_tail tail = {0};
	struct names names = {0};
	int result = open_folder(spool, path, err);
	if (result == 0)
		result = list_names(spool, &names, err);
	if (result == 0)
		result = identify(spool, &names, findings, err);
	for (size_t i = 0; i < names.n && result == 0; i++)
		result = open_segment(spool, &names, i, findings, &tail, err);
	free(names.names);
	if (result == 0)
		go_on(spool, &tail, findings);
	return result;
}

static size_t segment_bytes_of(size_t bound)
{
	size_t bytes = bound / SEGMENTS_IN_BOUND;
	if (bytes < SEGMENT_BYTES_MIN)
		return SEGMENT_BYTES_MIN;
	if (bytes < SPOOL_SEGMENT_BYTES)
		return bytes;
	/* Each of them is an open file. */
	return bound / SEGMENTS_MAX > SPOOL_SEGMENT_BYTES ? bound / SEGMENTS_MAX
							  : SPOOL_SEGMENT_BYTES;
}

int spool_open(struct spool **out, const struct spool_options *options, char *told,
	size_t told_size, struct err *err)
{
	struct findings findings = {told, told_size, 0};
	struct spool *spool = calloc(1, sizeof *spool);
	told[0] = '\0';
	if (!spool)
		return err_set(err, ERR_MEMORY, "no memory for the spool");
	spool->folder = spool->lock = spool->mark = -1;
	spool->clock = options->clock;
	spool->size_max = options->size_bytes;
	spool->segment_bytes = segment_bytes_of(options->size_bytes);
	spool->age_s = options->age_s;
	spool->life_counted_ms = clock_monotonic_ms(options->clock);
	buf_init(&spool->pending, SPOOL_PENDING_BYTES_MAX);
	if (open_files(spool, options->folder, &findings, err) < 0) {
		spool_close(spool);
		return -1;
	}
	*out = spool;
	return 0;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	if (spool->first)
		spool_mark_write(spool);
	spool_place_done(&spool->sender);
	spool_place_done(&spool->oldest);
	while (spool->first) {
		struct segment *next = spool->first->next;
		segment_free(spool->first);
		spool->first = next;
	}
	buf_done(&spool->pending);
	if (spool->mark >= 0)
		close(spool->mark);
	if (spool->lock >= 0)
		close(spool->lock);
	if (spool->folder >= 0)
		close(spool->folder);
	free(spool);
}
