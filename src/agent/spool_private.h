/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the spool's own files share. Private to them. */

#include "agent/spool.h"
#include "base/buf.h"

/* A place in the spool that goes forward. */
struct spool_place {
	struct segment_reader reader; /* without a segment: to be found anew, by the number */
	uint64_t number;              /* what is next has a higher one */
	size_t back_offset;           /* in the file, of the last record */
	uint64_t back_number;
	uint64_t expected;  /* the number that is to come, if none is missing */
	uint64_t n_damaged; /* of the reader's, counted */
	uint64_t n_lost;    /* found to be missing */
};

/* Where times of arrival fall from one record to the next, as the clock was put back: from the
 * first record that waits on they only rise, but for these. */
enum { ARRIVALS_MAX = 64 };

struct arrival {
	uint64_t number;
	int64_t ns;
};

struct arrivals {
	struct arrival items[ARRIVALS_MAX]; /* numbers and times rise */
	size_t n;
	int64_t last_ns; /* of the last record */
};

struct spool {
	const struct clock *clock;
	size_t size_max, segment_bytes;
	int64_t age_s;
	int folder, lock, mark; /* open files */
	struct spool_id id;
	uint64_t mark_turn;

	struct segment *first, *last; /* in the order of their numbers */
	bool must_begin;              /* nothing more into the last segment */
	uint64_t next, acknowledged;
	uint64_t released; /* the last record up to the acknowledged number, which may be none's */
	uint64_t previous_last; /* for the next segment's head, with must_begin */

	struct buf pending; /* records that are not on the disk */
	struct segment_sums pending_sums;
	uint64_t pending_first;

	struct spool_place sender, oldest;
	uint64_t sent;                   /* up to here records may be on their way */
	uint64_t n_passed, passed_bytes; /* acknowledged, of the segment where `oldest` is */
	struct spool_waiting waited;     /* as it was found last */
	struct arrivals arrivals;
	struct spool_loss loss;
	uint64_t n_tail_lost; /* in the loss since the spool was opened, before tail_end */
	uint64_t tail_end;
	uint64_t loss_counted; /* what is missing before this number is in a loss */
	int64_t last_seen_ns;  /* arrival of the record before, for a loss */

	int64_t life_s, life_counted_ms; /* until then, and when that was */
	struct spool_shed_counts shed;
	uint64_t n_sync_failures, n_unsynced; /* records that were not there after one */
};

/* spool_open.c */
int64_t spool_life_s(struct spool *spool);
/** Nobody reads @segment any more: it is about to go. */
void spool_forget(struct spool *spool, const struct segment *segment);

/* spool.c */
/** All records up to @number were acknowledged. Before any of them leaves. */
void spool_release(struct spool *spool, uint64_t number);
/** Adds to what spool_take_loss gives. */
void spool_lose(struct spool *spool, const struct spool_loss *loss);

/* spool_place.c */
CHECKED bool spool_place_next(struct spool *spool, struct spool_place *place, struct record *out);
void spool_place_back(struct spool_place *place);
void spool_place_set(struct spool_place *place, uint64_t number);
void spool_place_done(struct spool_place *place);

/* spool_arrivals.c. Pure. */
/** The next record. */
void arrivals_note(struct arrivals *arrivals, uint64_t number, int64_t ns);
/** No record behind @acknowledged is older, unless the first of them is; INT64_MAX: nor that. */
int64_t arrivals_least(struct arrivals *arrivals, uint64_t acknowledged);
/** Records @first to @last may have got higher numbers, up to @last. */
void arrivals_raise(struct arrivals *arrivals, uint64_t first, uint64_t last);

/* spool_mark.c: which spool this is, and what was acknowledged */
bool spool_mark_read(struct spool *spool);
void spool_mark_write(struct spool *spool);
