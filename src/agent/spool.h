/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Alerts on the node's disk, until the collector has them. One thread at a time.
 *
 * Records have numbers, 1, 2, 3 …, and are read in their order. One log of segments for all
 * severities: whatever came in while the disk was busy is one write and one fdatasync of one file.
 * The price is paid when there is no room: then a segment is written anew without its records of
 * the lowest severity (shed.h). Nothing but numbers decides what is next, so the wall clock may
 * jump as it likes; age is counted in the spool's own life, the time it was open.
 *
 * A file that is damaged costs what is damaged. Bytes that are no record are passed over, and the
 * numbers that are missing are told (spool_take_loss).
 */

#include "agent/segment.h"
#include "base/clock.h"

enum {
	/* Records that wait for one fdatasync. */
	SPOOL_PENDING_BYTES_MAX = 128 * 1024 * 1024,
	SPOOL_SEGMENT_BYTES = 16 * 1024 * 1024,
	SPOOL_SIZE_BYTES_MIN = 1024 * 1024,
};

struct spool;

struct spool_options {
	const char *folder; /* made, if its parent is there */
	size_t size_bytes;  /* of all segments */
	int64_t age_s;      /* of the spool's life */
	const struct clock *clock;
};

/* Records that a damaged disk took. */
struct spool_loss {
	uint64_t n;
	enum source source;        /* of the record before or behind; SOURCE_NONE: not known */
	int64_t from_ns, until_ns; /* arrival of the records around them */
};

struct spool_waiting {
	uint64_t n, n_bytes;
	int64_t oldest_ns; /* none of them arrived before; 0: nothing waits. Ahead of the clock when
			      that was put back */
};

/* What was shed since the last look. */
struct spool_shed_counts {
	uint64_t n[N_SOURCES][N_SEVERITIES];
};

/**
 * ERR_BUSY: another process has it. ERR_LIMIT: it has too many files. ERR_IO, ERR_FULL, ERR_MEMORY.
 * What is damaged is no failure:
 * @told says in words what was found, or is empty.
 */
CHECKED int spool_open(struct spool **out, const struct spool_options *options, char *told,
	size_t told_size, struct err *err);
void spool_close(struct spool *spool); /* accepts NULL; what is not committed is lost */

struct spool_id spool_id(const struct spool *spool);
uint64_t spool_acknowledged(const struct spool *spool);
/** The highest number of a record that was acknowledged, and so may have left; 0: none, or not
 * known. Never too high; too low only by what was acknowledged in the second before a crash. */
uint64_t spool_released(const struct spool *spool);
uint64_t spool_next_number(const struct spool *spool); /* that spool_add would give */

/** Puts a copy of the record behind all others and sets its number. ERR_LIMIT: too many wait for
 * spool_commit; ERR_MEMORY. */
CHECKED int spool_add(struct spool *spool, struct record *record, struct err *err);

/**
 * All that was added is on the disk when this returns 0. ERR_FULL, ERR_IO: it still waits, call
 * again later; a failed fdatasync is never tried again, but the records are written to a new
 * segment.
 */
CHECKED int spool_commit(struct spool *spool, struct err *err);

/** Sheds what has no room, and what is too old. -1: it could not, which is no more than that. */
CHECKED int spool_keep_bounds(struct spool *spool, struct err *err);
/** Adds to *counts and forgets. */
void spool_take_shed(struct spool *spool, struct spool_shed_counts *counts);

/** The next record to be sent; its texts live until the next call. false: none now, or it cannot
 * tell (spool_failed). */
CHECKED bool spool_next(struct spool *spool, struct record *out);
/** After spool_next said false. true: there may be one, but the disk (ERR_IO) or the memory
 * (ERR_MEMORY) does not give it now; try again later. */
CHECKED bool spool_failed(const struct spool *spool, struct err *err);
/** spool_next gives the last one once more. */
void spool_back(struct spool *spool);
/** What is sent next has a higher number than @number; none from there on is being sent. */
void spool_rewind(struct spool *spool, uint64_t number);

/** All up to @number are the collector's: they leave. Lower than before: nothing happens. */
void spool_acknowledge(struct spool *spool, uint64_t number);
/** Remembers what was acknowledged, and how long the spool has lived. Now and then, and at its end.
 * Losing it costs sending again. */
void spool_save(struct spool *spool);

/** When it cannot be read now: as it was last, and at least one. */
struct spool_waiting spool_waiting(struct spool *spool);
/** true: there was some; it is forgotten. */
bool spool_take_loss(struct spool *spool, struct spool_loss *loss);
size_t spool_size_bytes(const struct spool *spool);
uint64_t spool_sync_failures(const struct spool *spool);
/** Records that had been committed and that the disk did not have any more after a sync had failed.
 * Each is told as a loss, too, when what is behind it is read. */
uint64_t spool_unsynced(const struct spool *spool);
