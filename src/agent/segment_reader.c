/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/segment.h"

enum {
	CHUNK_BYTES = 64 * 1024,
	PAGE_BYTES = 4096,
	GIVE_UP_MS = 60 * 1000, /* a disk may be away for a while */
};

void segment_reader_begin(struct segment_reader *reader, struct segment *segment)
{
	if (reader->chunk_capacity > CHUNK_BYTES) {
		free(reader->chunk);
		reader->chunk = NULL;
		reader->chunk_capacity = 0;
	}
	reader->segment = segment;
	reader->offset = reader->whole_bytes = SEGMENT_HEAD_BYTES;
	reader->number = segment->head.first - 1;
	reader->n_damaged = 0;
	reader->is_damaged = reader->ends_broken = reader->has_unread = false;
	reader->failed = 0;
	reader->highest = 0;
	reader->chunk_bytes = 0;
	reader->chunk_offset = SEGMENT_HEAD_BYTES;
}

void segment_reader_done(struct segment_reader *reader)
{
	free(reader->chunk);
	*reader = (struct segment_reader){0};
}

/* What is there from the offset on. */
static struct text window(const struct segment_reader *reader)
{
	size_t skip = reader->offset - reader->chunk_offset;
	return (struct text){reader->chunk ? reader->chunk + skip : "", reader->chunk_bytes - skip};
}

static bool make_room(struct segment_reader *reader, size_t wanted)
{
	if (wanted <= reader->chunk_capacity)
		return true;
	char *chunk = realloc(reader->chunk, wanted);
	if (!chunk)
		return false;
	reader->chunk = chunk;
	reader->chunk_capacity = wanted;
	return true;
}

/* Has the disk had its time to give what it did not give? */
static bool is_given_up(const struct segment_reader *reader, size_t offset)
{
	struct segment *segment = reader->segment;
	if (!reader->clock)
		return true;
	int64_t now_ms = clock_monotonic_ms(reader->clock);
	if (!segment->is_bad) {
		segment->is_bad = true;
		segment->bad_offset = offset;
		segment->bad_after_ms = now_ms;
	}
	return now_ms - segment->bad_after_ms >= GIVE_UP_MS;
}

/* A page that the disk does not give again and again, or a file that is shorter than it was, is
 * passed over as zeros. -1: it may give it later. */
static ssize_t read_or_zeros(struct segment_reader *reader, char *out, size_t size, size_t offset)
{
	struct segment *segment = reader->segment;
	ssize_t n;
	do
		n = pread(segment->fd, out, size, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		if (segment->bad_offset >= offset && segment->bad_offset - offset < (size_t)n)
			segment->is_bad = false;
		return n;
	}
	if (n < 0) {
		int saved_errno = errno;
		if (!is_given_up(reader, offset)) {
			reader->failed = saved_errno;
			return -1;
		}
		reader->has_unread = true;
	}
	size_t page = PAGE_BYTES - offset % PAGE_BYTES;
	size = size < page ? size : page;
	memset(out, 0, size);
	return (ssize_t)size;
}

/* At least @wanted bytes from the offset on, if the segment has so many. false: it cannot tell. */
static bool fill(struct segment_reader *reader, size_t wanted)
{
	size_t left = reader->segment->size_bytes - reader->offset;
	struct text there = window(reader);
	wanted = wanted < left ? wanted : left;
	if (there.size >= wanted)
		return true;
	size_t room = wanted > CHUNK_BYTES ? wanted : CHUNK_BYTES;
	if (reader->chunk && there.size)
		memmove(reader->chunk, there.data, there.size);
	reader->chunk_offset = reader->offset;
	reader->chunk_bytes = there.size;
	if (!make_room(reader, room)) {
		reader->failed = ENOMEM;
		return false;
	}
	room = room < left ? room : left;
	while (reader->chunk_bytes < wanted) {
		ssize_t n = read_or_zeros(reader, reader->chunk + reader->chunk_bytes,
			room - reader->chunk_bytes, reader->chunk_offset + reader->chunk_bytes);
		if (n < 0)
			return false;
		reader->chunk_bytes += (size_t)n;
	}
	return true;
}

/* Is it the next one, by its number? What a file system gives back after a crash may be old. */
static bool is_next(const struct segment_reader *reader, const struct record *record)
{
	return record->kind != RECORD_END && record->number > reader->number &&
	       record->number < reader->segment->end;
}

/* No segment has more records than their heads have room. */
static void note_number(struct segment_reader *reader, const struct spool_id *id)
{
	size_t size;
	uint64_t number = record_peek(window(reader), id, &size);
	uint64_t n_max =
		(reader->segment->size_bytes - reader->whole_bytes) / RECORD_HEAD_BYTES + 1;
	if (number <= reader->number || number - reader->number > n_max ||
		number >= reader->segment->end || number <= reader->highest)
		return;
	reader->highest = number;
	reader->highest_end = reader->offset + size;
}

/* To where a record may begin, behind the offset. */
static void skip(struct segment_reader *reader, const struct spool_id *id)
{
	reader->offset += record_seek(window(reader), id, 1);
}

static enum record_found look(
	struct segment_reader *reader, const struct spool_id *id, struct record *out, size_t *size)
{
	enum record_found found;
	size_t wanted = RECORD_HEAD_BYTES;
	do {
		if (!fill(reader, wanted))
			return RECORD_SHORT;
		found = record_read(window(reader), id, out, size);
		if (found != RECORD_SHORT || *size <= wanted)
			break;
		wanted = *size;
	} while (reader->segment->size_bytes - reader->offset >= wanted);
	return found;
}

bool segment_reader_next(
	struct segment_reader *reader, const struct spool_id *id, struct record *out)
{
	size_t size = 0;
	reader->failed = 0;
	reader->ends_broken &= reader->is_damaged;
	while (reader->segment && reader->offset < reader->segment->size_bytes) {
		enum record_found found = look(reader, id, out, &size);
		if (reader->failed || (found == RECORD_WHOLE && out->kind == RECORD_END))
			return false;
		if (found == RECORD_WHOLE && is_next(reader, out)) {
			reader->n_damaged += reader->is_damaged;
			reader->is_damaged = false;
			reader->number = out->number;
			reader->offset += size;
			reader->whole_bytes = reader->offset;
			reader->ends_broken = false;
			reader->highest = 0; /* what is damaged before it is a gap in the numbers */
			return true;
		}
		if (!reader->is_damaged)
			reader->ends_broken = found != RECORD_SHORT;
		reader->is_damaged = true;
		note_number(reader, id);
		skip(reader, id);
	}
	return false;
}
