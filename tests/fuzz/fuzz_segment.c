/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent finds on its disk. A file of the spool that was damaged: readers end, give every
 * record that is whole, and nothing outside of the file. Where a followed file was read to; a path
 * of a control group: of any bytes.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/position.h"
#include "agent/segment.h"
#include "base/cursor.h"
#include "base/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	RECORDS_MAX = 12,
	DAMAGES_MAX = 8,
	FILE_BYTES_MAX = 4 << 20,
	INPUT_BYTES_MAX = 100000,
	NAME_BYTES = 64,
	PAGE_BYTES = 4096,
	FOR_GOOD = 7, /* times */
	WAIT_MS = 60 * 1000,
};

static char folder[NAME_BYTES];
static int folder_fd = -1;

/* One file: records as the agent writes them, with other bytes and damage between and in them. */
struct plan {
	struct spool_id id;
	struct buf bytes; /* behind the head */
	struct record records[RECORDS_MAX];
	size_t starts[RECORDS_MAX], ends[RECORDS_MAX]; /* in bytes */
	bool is_damaged[RECORDS_MAX];
	size_t n;
	bool is_any_damaged, is_pure; /* pure: no other bytes */
	size_t bad_page;              /* in the file: the disk does not give it so many times */
	unsigned bad_times;
};

static struct clock_manual now;
static size_t bad_page;
static unsigned bad_times;

ssize_t __real_pread(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *out, size_t size, off_t offset);

ssize_t __wrap_pread(int fd, void *out, size_t size, off_t offset)
{
	size_t at = (size_t)offset;
	if (!bad_times || at >= bad_page + PAGE_BYTES || at + size <= bad_page)
		return __real_pread(fd, out, size, offset);
	if (at < bad_page) /* until there it is read */
		return __real_pread(fd, out, bad_page - at, offset);
	bad_times -= bad_times != FOR_GOOD;
	errno = EIO;
	return -1;
}

/*
 * The bytes of one make all of it. Its marks are not among them: as outside, nobody can make a
 * mark or a checksum that is good, not even a fuzzer that sees what it is compared with.
 */
static struct spool_id id_of(struct text input)
{
	struct spool_id id = {"0123"};
	struct digest digest = digest_of(input);
	memcpy(id.bytes + 4, digest.bytes, sizeof id.bytes - 4);
	return id;
}

/* The first byte's high half: how many records have other bytes behind them. */
static void add_records(struct plan *plan, struct cursor *cursor, struct text input)
{
	static char much[64 * 1024];
	unsigned first = cursor_u8(cursor), n_others = first >> 4;
	uint64_t number = 0;
	memset(much, 'm', sizeof much); /* no zeros: those are what a bad page is read as */
	plan->n = 1 + first % RECORDS_MAX;
	plan->is_pure = n_others == 0;
	for (size_t i = 0; i < plan->n; i++) {
		unsigned size = cursor_u8(cursor), what = cursor_u8(cursor);
		struct record *record = &plan->records[i];
		number += 1 + what % 4;
		*record = (struct record){.kind = what & 128 ? RECORD_SHED : RECORD_ALERT,
			.number = number,
			.rule = text_part(input, 0, what & 64 ? 9 : 0),
			.raw = what & 128  ? TEXT_NONE
			       : what & 32 ? (struct text){much, size * 256}
					   : text_part(input, what & 15, size)};
		plan->starts[i] = plan->bytes.size;
		record_write(record, &plan->id, &plan->bytes);
		plan->ends[i] = plan->bytes.size;
		if (i < n_others)
			buf_add(&plan->bytes, text_part(input, size, 1 + what));
	}
}

/* @n bytes from @at on get other bits, or the file ends there. */
static void damage(struct plan *plan, size_t at, size_t n, unsigned bits)
{
	size_t end = bits ? at + n : plan->bytes.size;
	end = end < plan->bytes.size ? end : plan->bytes.size;
	for (size_t i = at; bits && i < end; i++)
		plan->bytes.data[i] = (char)((unsigned char)plan->bytes.data[i] ^ bits);
	for (size_t i = 0; i < plan->n; i++)
		plan->is_damaged[i] |= at < plan->ends[i] && end > plan->starts[i];
	plan->is_any_damaged |= at < end;
	if (!bits && at < plan->bytes.size)
		plan->bytes.size = at;
}

static void make_plan(struct plan *plan, struct text input)
{
	struct cursor cursor = cursor_of(input);
	buf_init(&plan->bytes, FILE_BYTES_MAX);
	plan->id = id_of(input);
	add_records(plan, &cursor, input);
	for (unsigned left = cursor_u8(&cursor) % DAMAGES_MAX; left; left--) {
		size_t at = cursor_be32(&cursor) % (plan->bytes.size + 1), n = cursor_u8(&cursor);
		damage(plan, at, n, cursor_u8(&cursor));
	}
	assert(buf_ok(&plan->bytes));
	plan->bad_times = cursor_u8(&cursor) % (FOR_GOOD + 1);
	plan->bad_page = cursor_u8(&cursor) * (size_t)PAGE_BYTES;
}

/* Is it in a page that the disk never gives? */
static bool is_unread(const struct plan *plan, size_t i)
{
	size_t start = SEGMENT_HEAD_BYTES + plan->starts[i],
	       end = SEGMENT_HEAD_BYTES + plan->ends[i];
	return plan->bad_times == FOR_GOOD && start < plan->bad_page + PAGE_BYTES &&
	       end > plan->bad_page;
}

static bool may_be_missing(const struct plan *plan, size_t i)
{
	return plan->is_damaged[i] || is_unread(plan, i);
}

/* ---- reading it ---- */

/* A disk that gives nothing is asked again; a minute later what it does not give is passed over. */
static bool read_next(struct segment_reader *reader, const struct plan *plan, struct record *out)
{
	while (!segment_reader_next(reader, &plan->id, out)) {
		if (!reader->failed)
			return false;
		assert(reader->failed == EIO && plan->bad_times);
		if (bad_times == FOR_GOOD)
			now.monotonic_ms += WAIT_MS;
	}
	return true;
}

/* What was read is what was written; whole ones are not passed over. */
static void check_read(const struct plan *plan, struct segment *segment)
{
	struct segment_reader reader = {.clock = &now.clock};
	struct record record;
	size_t i = 0;
	bad_times = plan->bad_times;
	segment_reader_begin(&reader, segment);
	while (read_next(&reader, plan, &record)) {
		for (; i < plan->n && plan->records[i].number != record.number; i++)
			assert(may_be_missing(plan, i));
		assert(i < plan->n && record.kind == plan->records[i].kind);
		assert(text_equal(record.raw, plan->records[i].raw) &&
			text_equal(record.rule, plan->records[i].rule));
		assert(reader.whole_bytes == SEGMENT_HEAD_BYTES + plan->ends[i]);
		i++;
	}
	for (; i < plan->n; i++)
		assert(may_be_missing(plan, i));
	assert(reader.offset <= segment->size_bytes && reader.highest < segment->end);
	segment_reader_done(&reader);
	bad_times = 0;
}

static struct segment *open_it(const struct plan *plan, struct segment_tail *tail)
{
	const struct segment_file file = {folder_fd, "1.segment", 1000};
	struct segment *segment;
	struct err err;
	assert(segment_open(&segment, &file, &plan->id, tail, &err) == 0);
	return segment;
}

/* As it is found at a start, and at the next one. */
static void check_open(const struct plan *plan, size_t file_bytes)
{
	struct segment_tail tail;
	bad_page = plan->bad_page;
	bad_times = plan->bad_times == FOR_GOOD ? FOR_GOOD : 0;
	struct segment *segment = open_it(plan, &tail);
	bad_times = 0;
	assert(segment->size_bytes + tail.n_bytes == file_bytes && !segment->is_closed);
	assert(tail.n_bytes == 0 || !segment->is_unsure);
	assert(tail.n_lost <= tail.n_bytes / RECORD_HEAD_BYTES + (tail.n_bytes > 0) ||
		segment->is_unsure);
	assert(!tail.is_broken || tail.n_bytes);
	assert(plan->is_any_damaged || !plan->is_pure || tail.n_bytes == 0);
	check_read(plan, segment);
	uint64_t n = segment_sums_all(&segment->sums).n, last = segment->last;
	bool is_unsure = segment->is_unsure;
	if (!is_unsure)
		segment_close(segment, &plan->id);
	segment_free(segment);
	segment = open_it(plan, &tail);
	assert(segment->is_closed != is_unsure);
	/* Zeros for a bad page may put right what was damaged. */
	assert(segment_sums_all(&segment->sums).n >= n || plan->is_any_damaged);
	assert(is_unsure || (segment_sums_all(&segment->sums).n == n && segment->last == last));
	check_read(plan, segment);
	segment_free(segment);
}

/* Its head is not there: what is known then is in its name. */
static void check_segment(struct text input)
{
	static struct plan plan;
	static const char no_head[SEGMENT_HEAD_BYTES];
	plan = (struct plan){0};
	make_plan(&plan, input);
	int fd = openat(folder_fd, "1.segment", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert(fd >= 0 && pwrite(fd, no_head, sizeof no_head, 0) == (ssize_t)sizeof no_head);
	assert(pwrite(fd, plan.bytes.data, plan.bytes.size, sizeof no_head) ==
		(ssize_t)plan.bytes.size);
	close(fd);
	check_open(&plan, sizeof no_head + plan.bytes.size);
	buf_done(&plan.bytes);
}

/* ---- others ---- */

static void write_file(const char *name, struct text bytes)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert(fd >= 0 && write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size);
	close(fd);
}

/* The bytes are what was remembered, and the file that it is of. */
static void check_position(struct text input)
{
	char remembered[NAME_BYTES], followed[NAME_BYTES];
	struct position position, again;
	struct stat stat;
	text_format(remembered, sizeof remembered, "%s/position", folder);
	text_format(followed, sizeof followed, "%s/followed", folder);
	write_file(remembered, input);
	if (!position_load(&position, remembered))
		return;
	assert(position.head_size <= POSITION_HEAD_BYTES);
	write_file(followed, input);
	int fd = open(followed, O_RDONLY | O_CLOEXEC);
	assert(fd >= 0 && fstat(fd, &stat) == 0);
	position.inode = stat.st_ino;
	int found = position_open(&position, followed);
	assert(found < 0 ||
		(position.offset <= (uint64_t)stat.st_size && position_is_in(&position, found)));
	if (found >= 0)
		close(found);
	position_begin(&position, fd);
	position_advance(&position, text_part(input, 0, input.size / 2));
	position_save(&position, remembered);
	assert(position_load(&again, remembered) && again.offset == input.size / 2);
	found = position_open(&again, followed);
	assert(found >= 0 && again.head_size == position.head_size);
	assert(memcmp(again.head, position.head, again.head_size) == 0);
	close(found);
	close(fd);
}

static void remove_folder(void)
{
	unlinkat(folder_fd, "1.segment", 0);
	unlinkat(folder_fd, "position", 0);
	unlinkat(folder_fd, "followed", 0);
	rmdir(folder);
}

static void begin(void)
{
	clock_manual_init(&now, 0);
	text_format(folder, sizeof folder, "%s/tocsin-fuzz-segment-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert(mkdtemp(folder));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(folder_fd >= 0);
	atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct text input = {(const char *)data, size};
	struct cgroup_pod pod;
	if (size > INPUT_BYTES_MAX)
		return 0;
	if (folder_fd < 0)
		begin();
	check_segment(input);
	check_position(input);
	cgroup_read(input, &pod);
	return 0;
}
