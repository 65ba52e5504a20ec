/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/disk.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/digest.h"

enum {
	VERSION = 1,
	HEAD_SUM_BYTES = 16,
	END_SUMS = 2 * (N_SEVERITIES + 1),
	END_BYTES = RECORD_HEAD_BYTES + 8 * END_SUMS,
};

_Static_assert(
	SEGMENT_HEAD_BYTES == 8 + 4 + 4 + SPOOL_ID_BYTES + 3 * 8 + HEAD_SUM_BYTES, "the head");

static const struct text magic = {"TOCSPOOL", 8};

static void name_of(uint64_t first, bool is_draft, char out[SEGMENT_NAME_BYTES])
{
	text_format(out, SEGMENT_NAME_BYTES, "%016llx.%s", (unsigned long long)first,
		is_draft ? "new" : "segment");
}

/* ---- the head ---- */

static void write_head(const struct segment_head *head, const struct spool_id *id, struct buf *out)
{
	buf_add(out, magic);
	buf_add_be32(out, VERSION);
	buf_add_be32(out, head->is_thinned);
	buf_add_bytes(out, id->bytes, sizeof id->bytes);
	buf_add_be64(out, head->first);
	buf_add_be64(out, head->previous_last);
	buf_add_be64(out, (uint64_t)head->born_s);
	struct digest sum = digest_of(buf_text(out));
	buf_add_bytes(out, sum.bytes, HEAD_SUM_BYTES);
}

static bool read_head(int fd, struct spool_id *id, struct segment_head *head)
{
	char room[SEGMENT_HEAD_BYTES];
	struct text bytes = {room, sizeof room};
	if (pread(fd, room, sizeof room, 0) != SEGMENT_HEAD_BYTES || !text_starts(bytes, magic))
		return false;
	struct digest sum = digest_of(text_part(bytes, 0, SEGMENT_HEAD_BYTES - HEAD_SUM_BYTES));
	struct cursor cursor = cursor_of(text_part(bytes, magic.size, bytes.size));
	uint32_t version = cursor_be32(&cursor);
	head->is_thinned = cursor_be32(&cursor) == 1;
	memcpy(id->bytes, cursor_take(&cursor, SPOOL_ID_BYTES).data, SPOOL_ID_BYTES);
	head->first = cursor_be64(&cursor);
	head->previous_last = cursor_be64(&cursor);
	head->born_s = (int64_t)cursor_be64(&cursor);
	struct text given = cursor_take(&cursor, HEAD_SUM_BYTES);
	return version == VERSION && memcmp(given.data, sum.bytes, HEAD_SUM_BYTES) == 0;
}

/* ---- its life ---- */

static struct segment *segment_of(const struct segment_head *head, const char *name)
{
	struct segment *segment = calloc(1, sizeof *segment);
	if (!segment)
		return NULL;
	segment->head = *head;
	segment->last = head->first - 1;
	segment->end = UINT64_MAX;
	segment->size_bytes = SEGMENT_HEAD_BYTES;
	segment->fd = -1;
	text_format(segment->name, sizeof segment->name, "%s", name);
	return segment;
}

void segment_free(struct segment *segment)
{
	if (!segment)
		return;
	if (segment->fd >= 0)
		close(segment->fd);
	free(segment);
}

static int make_file(
	struct segment *segment, int folder, const struct spool_id *id, struct err *err)
{
	AUTO(buf_done) struct buf head;
	buf_init(&head, SEGMENT_HEAD_BYTES);
	write_head(&segment->head, id, &head);
	if (!buf_ok(&head))
		return buf_error(&head, err, "a segment's head");
	segment->fd = openat(folder, segment->name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (segment->fd < 0)
		return disk_error(err, errno, "making %s", segment->name);
	if (disk_write(segment->fd, buf_text(&head), 0, err) == 0 && fsync(segment->fd) == 0 &&
		fsync(folder) == 0)
		return 0;
	return err->kind == ERR_NONE ? disk_error(err, errno, "syncing %s", segment->name) : -1;
}

int segment_new(struct segment **out, int folder, const struct spool_id *id,
	const struct segment_head *head, bool is_draft, struct err *err)
{
	char name[SEGMENT_NAME_BYTES];
	name_of(head->first, is_draft, name);
	struct segment *segment = segment_of(head, name);
	if (!segment)
		return err_set(err, ERR_MEMORY, "no memory for a segment");
	err->kind = ERR_NONE;
	if (make_file(segment, folder, id, err) < 0) {
		segment_free(segment);
		return -1;
	}
	*out = segment;
	return 0;
}

/* ---- what is in it ---- */

void segment_sums_add(struct segment_sums *sums, const struct record *record)
{
	struct segment_sum *sum =
		record->kind == RECORD_SHED ? &sums->sheds : &sums->alerts[record->severity];
	sum->n++;
	sum->n_bytes += record_size(record);
}

struct segment_sum segment_sums_all(const struct segment_sums *sums)
{
	struct segment_sum all = sums->sheds;
	for (unsigned i = 0; i < N_SEVERITIES; i++) {
		all.n += sums->alerts[i].n;
		all.n_bytes += sums->alerts[i].n_bytes;
	}
	return all;
}

static void write_sums(const struct segment_sums *sums, struct buf *out)
{
	for (unsigned i = 0; i < N_SEVERITIES; i++) {
		buf_add_be64(out, sums->alerts[i].n);
		buf_add_be64(out, sums->alerts[i].n_bytes);
	}
	buf_add_be64(out, sums->sheds.n);
	buf_add_be64(out, sums->sheds.n_bytes);
}

static bool read_sums(struct text bytes, struct segment_sums *out)
{
	struct segment_sums sums;
	struct cursor cursor = cursor_of(bytes);
	for (unsigned i = 0; i < N_SEVERITIES; i++) {
		sums.alerts[i].n = cursor_be64(&cursor);
		sums.alerts[i].n_bytes = cursor_be64(&cursor);
	}
	sums.sheds.n = cursor_be64(&cursor);
	sums.sheds.n_bytes = cursor_be64(&cursor);
	if (!cursor_at_end(&cursor))
		return false;
	*out = sums;
	return true;
}

void segment_close(struct segment *segment, const struct spool_id *id)
{
	AUTO(buf_done) struct buf sums;
	AUTO(buf_done) struct buf end;
	struct err err;
	buf_init(&sums, 8 * END_SUMS);
	buf_init(&end, END_BYTES);
	write_sums(&segment->sums, &sums);
	struct record record = {
		.kind = RECORD_END, .number = segment->last, .raw = buf_text(&sums)};
	segment_trim(segment); /* what is damaged stays until another segment's head tells of it */
	record_write(&record, id, &end);
	if (buf_ok(&sums) && buf_ok(&end) &&
		disk_write(segment->fd, buf_text(&end), segment->size_bytes, &err) == 0)
		segment->is_closed = true;
	else
		segment_trim(segment);
}

/* Is its end there? Then it says all. */
static bool open_closed(struct segment *segment, const struct spool_id *id, size_t file_bytes)
{
	char room[END_BYTES];
	struct record record;
	size_t size;
	if (file_bytes < SEGMENT_HEAD_BYTES + END_BYTES ||
		pread(segment->fd, room, END_BYTES, (off_t)(file_bytes - END_BYTES)) != END_BYTES ||
		record_read((struct text){room, END_BYTES}, id, &record, &size) != RECORD_WHOLE ||
		record.kind != RECORD_END || !read_sums(record.raw, &segment->sums))
		return false;
	segment->last = record.number;
	segment->size_bytes = file_bytes - END_BYTES;
	segment->is_closed = true;
	return true;
}

static int open_by_reading(struct segment *segment, const struct spool_id *id, size_t file_bytes,
	struct segment_tail *tail, struct err *err)
{
	struct segment_reader reader = {0};
	struct record record;
	segment->size_bytes = file_bytes;
	segment_reader_begin(&reader, segment);
	while (segment_reader_next(&reader, id, &record)) {
		segment_sums_add(&segment->sums, &record);
		segment->last = record.number;
		tail->received_ns = record.received_ns;
		tail->source = record.source;
	}
	/* What the disk does not give now it may give later: nothing is cut off. */
	segment->is_unsure = reader.has_unread;
	segment->size_bytes = reader.has_unread ? file_bytes : reader.whole_bytes;
	tail->n_bytes = file_bytes > segment->size_bytes ? file_bytes - segment->size_bytes : 0;
	tail->is_broken = reader.ends_broken && tail->n_bytes;
	tail->n_lost = reader.highest > segment->last ? reader.highest - segment->last : 0;
	tail->is_counted = tail->n_lost && reader.highest_end == file_bytes;
	bool failed = reader.failed != 0;
	segment_reader_done(&reader);
	return failed ? err_set(err, ERR_MEMORY, "no memory to read %s", segment->name) : 0;
}

bool segment_peek(int folder, const char *name, struct spool_id *id)
{
	struct segment_head head;
	AUTO(file_close) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read_head(fd, id, &head);
}

/* What is known without its head; gaps in its numbers mean nothing then. */
static bool head_of_name(const char *name, struct segment_head *head)
{
	char *end = NULL;
	*head = (struct segment_head){
		.first = strtoull(name, &end, 16), .born_s = -1, .is_thinned = true};
	return head->first > 0 && end && *end == '.';
}

static int read_file(struct segment *segment, const struct spool_id *id, struct segment_tail *tail,
	struct err *err)
{
	struct stat stat;
	*tail = (struct segment_tail){0};
	if (fstat(segment->fd, &stat) < 0)
		return disk_error(err, errno, "opening %s", segment->name);
	if (open_closed(segment, id, (size_t)stat.st_size))
		return 0;
	return open_by_reading(segment, id, (size_t)stat.st_size, tail, err);
}

int segment_open(struct segment **out, const struct segment_file *file, const struct spool_id *id,
	struct segment_tail *tail, struct err *err)
{
	const char *name = file->name;
	struct segment_head head;
	struct spool_id found;
	AUTO(file_close) int fd = openat(file->folder, name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return disk_error(err, errno, "opening %s", name);
	bool has_head = read_head(fd, &found, &head);
	if (has_head && memcmp(&found, id, sizeof found) != 0)
		return err_set(err, ERR_DENIED, "%s is another spool's", name);
	if (!has_head && !head_of_name(name, &head))
		return err_set(err, ERR_DENIED, "%s is no name of a segment", name);
	struct segment *segment = segment_of(&head, name);
	if (!segment)
		return err_set(err, ERR_MEMORY, "no memory for a segment");
	segment->fd = fd;
	fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): the cleanup reads it */
	segment->end = file->end;
	if (read_file(segment, id, tail, err) < 0) {
		segment_free(segment);
		return -1;
	}
	*out = segment;
	return 0;
}

/* ---- writing ---- */

int segment_extend(struct segment *draft, struct text bytes, struct err *err)
{
	if (disk_write(draft->fd, bytes, draft->size_bytes, err) < 0)
		return -1;
	draft->size_bytes += bytes.size;
	return 0;
}

int segment_publish(struct segment *draft, int folder, const struct spool_id *id, bool *is_synced,
	struct err *err)
{
	char name[SEGMENT_NAME_BYTES];
	name_of(draft->head.first, false, name);
	segment_close(draft, id);
	if (!draft->is_closed || fsync(draft->fd) < 0)
		return disk_error(err, errno, "writing %s", draft->name);
	if (renameat(folder, draft->name, folder, name) < 0)
		return disk_error(err, errno, "renaming %s", draft->name);
	text_format(draft->name, sizeof draft->name, "%s", name);
	*is_synced = fsync(folder) == 0;
	return 0;
}

void segment_trim(const struct segment *segment)
{
	if (ftruncate(segment->fd, (off_t)segment->size_bytes) < 0)
		return; /* see segment.h */
}

int segment_append(struct segment *segment, struct text bytes, bool *sync_failed, struct err *err)
{
	*sync_failed = false;
	if (disk_write(segment->fd, bytes, segment->size_bytes, err) < 0) {
		segment_trim(segment);
		return -1;
	}
	if (fdatasync(segment->fd) < 0) {
		*sync_failed = true;
		disk_error(err, errno, "syncing %s", segment->name);
		segment_trim(segment);
		return -1;
	}
	segment->size_bytes += bytes.size;
	return 0;
}

uint64_t segment_verify(struct segment *segment, const struct spool_id *id)
{
	struct segment_reader reader = {0};
	struct record record;
	uint64_t n_before = segment_sums_all(&segment->sums).n, n_after = 0;
	/* Pages whose write failed are taken for clean: they are dropped, and read anew. */
	posix_fadvise(segment->fd, 0, 0, POSIX_FADV_DONTNEED);
	segment_reader_begin(&reader, segment);
	while (segment_reader_next(&reader, id, &record))
		n_after++;
	segment_reader_done(&reader);
	return n_before > n_after ? n_before - n_after : 0;
}
