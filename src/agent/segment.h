/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One file of the spool: a head, records in the order of their numbers, and, once nothing more
 * comes, an end that says what is in it. One thread at a time.
 *
 * What `size_bytes` covers is on the disk. A file that is damaged is read as far as it can be:
 * readers pass over what is no record and go on with the next one.
 */

#include <stdbool.h>

#include "agent/record.h"
#include "base/clock.h"

enum { SEGMENT_NAME_BYTES = 32, SEGMENT_HEAD_BYTES = 72 };

struct segment_sum {
	uint64_t n, n_bytes; /* records and their bytes in the file */
};

struct segment_sums {
	struct segment_sum alerts[N_SEVERITIES];
	struct segment_sum sheds;
};

/* What is at its beginning, fixed when it is made. */
struct segment_head {
	uint64_t first;         /* no record has a lower number */
	uint64_t previous_last; /* the last number before it; 0: none is known */
	int64_t born_s;         /* of the spool's life (spool.h) */
	bool is_thinned;        /* numbers are missing on purpose */
};

struct segment {
	struct segment *next;
	struct segment_head head;
	uint64_t last;     /* the last number in it; first - 1: it is empty */
	uint64_t end;      /* numbers from here on are the next segment's */
	size_t size_bytes; /* as far as it is on the disk */
	bool is_closed;    /* its end is there */
	bool is_unsure;    /* parts of it could not be read when it was opened: there may be more */
	bool is_bad;       /* the disk does not give a page */
	size_t bad_offset; /* of it */
	int64_t bad_after_ms; /* when that was seen first */
	struct segment_sums sums;
	int fd;
	char name[SEGMENT_NAME_BYTES];
};

/** Makes the file, empty if it was there, and its directory entry, both on the disk. A draft (its
 * name ends in .new) is none of the spool's until segment_publish. ERR_FULL, ERR_IO, ERR_MEMORY:
 * the file may be there, without records. */
CHECKED int segment_new(struct segment **out, int folder, const struct spool_id *id,
	const struct segment_head *head, bool is_draft, struct err *err);

/** Adds to a draft; on the disk when it is published. */
CHECKED int segment_extend(struct segment *draft, struct text bytes, struct err *err);

/**
 * Closes the draft and puts it in the place of the segment with the same first number. Without
 * *is_synced a crash may bring the old one back: then what else it replaces must stay.
 */
CHECKED int segment_publish(struct segment *draft, int folder, const struct spool_id *id,
	bool *is_synced, struct err *err);

/* What stands behind the last whole record of a file that has no end. */
struct segment_tail {
	size_t n_bytes;
	bool is_broken;  /* no record that was cut short: one that was damaged */
	uint64_t n_lost; /* damaged records, by the numbers that can still be read; 0: none can */
	bool is_counted; /* there are no more than these */
	int64_t received_ns; /* of the last whole record; 0: there is none */
	enum source source;  /* of the same */
};

struct segment_file {
	int folder;
	const char *name;
	uint64_t end; /* numbers from here on are not its own; UINT64_MAX: it is the last */
};

/**
 * Opens a file that is there and finds out what is in it: by its end, else by reading all. A head
 * that is damaged is replaced by what its name says. ERR_DENIED: it is another spool's.
 */
CHECKED int segment_open(struct segment **out, const struct segment_file *file,
	const struct spool_id *id, struct segment_tail *tail, struct err *err);

/** The spool's id, as the file's head has it; false: it has none. */
bool segment_peek(int folder, const char *name, struct spool_id *id);

void segment_free(struct segment *segment); /* closes it; accepts NULL */

/** Writes at the end of what is on the disk, and waits until it is there too. Whatever fails,
 * size_bytes stays as it was. ERR_FULL, ERR_IO: after a failed write it may be tried again;
 * *sync_failed: never, another segment is to be begun. */
CHECKED int segment_append(
	struct segment *segment, struct text bytes, bool *sync_failed, struct err *err);

/** Counts a record. */
void segment_sums_add(struct segment_sums *sums, const struct record *record);
struct segment_sum segment_sums_all(const struct segment_sums *sums);

/** Cuts off what is behind size_bytes. Failing is harmless: it is passed over when read. */
void segment_trim(const struct segment *segment);

/** Writes the end, in place of what is behind size_bytes. Failing is harmless too: the file is read
 * as a whole when it is opened. */
void segment_close(struct segment *segment, const struct spool_id *id);

/** Reads what the disk has (not the cache) and gives the number of records that are not whole any
 * more; for a segment whose sync failed. */
uint64_t segment_verify(struct segment *segment, const struct spool_id *id);

/* Reads records one after another. */
struct segment_reader {
	const struct clock *clock; /* NULL: what the disk does not give is passed over at once */
	struct segment *segment;   /* NULL: none yet */
	size_t offset;             /* in the file, of what comes next */
	uint64_t number;           /* of the last record that was read */
	uint64_t n_damaged;        /* stretches of bytes that were no record, since the beginning */
	bool is_damaged;           /* the offset is in such a stretch */
	bool ends_broken;          /* what is behind the last record is no beginning of one */
	uint64_t highest;   /* number of a damaged record behind the last whole one; 0: none */
	size_t highest_end; /* in the file */
	bool has_unread;    /* something was passed over that the disk did not give */
	int failed; /* errno; 0: nothing did. No memory or a failed read: there may be more */
	size_t whole_bytes; /* where the last record ended */
	char *chunk;
	size_t chunk_bytes, chunk_capacity;
	size_t chunk_offset; /* in the file */
};

void segment_reader_begin(struct segment_reader *reader, struct segment *segment);
void segment_reader_done(struct segment_reader *reader);

/**
 * The next record; its texts live until the next call. false: none, or it cannot tell (failed): the
 * next call tries again. What the disk does not give for a minute is passed over.
 */
CHECKED bool segment_reader_next(
	struct segment_reader *reader, const struct spool_id *id, struct record *out);
