/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which rules a workload showed on which UTC day: what novelty is read from (correlation.md section
 * 6). Days are counted from 1970. Written by the writer.
 */

#include "base/arena.h"
#include "store/connection.h"

/* What one entry changed. */
struct workload_news {
	bool is_new;       /* the rule was not yet known on that day */
	bool has_first;    /* the workload had shown a rule before */
	bool has_last;     /* it had been seen before, were it in context */
	int64_t first_day; /* before this entry, if has_first */
	int64_t last_day;  /* likewise, if has_last */
};

/** Notes that the workload showed the rule on that day. */
CHECKED int workload_note(struct connection *connection, int64_t workload, int64_t rule,
	int64_t day, struct workload_news *news, struct err *err);

/** Notes that the workload was seen on that day, in context: no rule is known by it, but there may
 * be an incident of that day that is scored by this workload. */
CHECKED int workload_note_context(
	struct connection *connection, int64_t workload, int64_t day, struct err *err);

/* A workload's past as seen from a day. */
struct workload_past {
	int64_t workload, rule, day; /* in */
	unsigned n_before;           /* in: how many days before it are looked at */
	unsigned n_days;             /* out: of these, the days that show the rule */
	bool has_history;            /* out: the workload was seen on the first of them or before */
};

CHECKED int workload_past_read(
	struct connection *connection, struct workload_past *past, struct err *err);

/** 0 and *name absent when the entity's tuple tells no workload. */
CHECKED int workload_of_entity(struct connection *connection, int64_t entity, struct arena *arena,
	int64_t *workload, struct text *name, struct err *err);

/* A piece that has to be scored again. */
struct workload_piece {
	struct text key; /* whole, with "#…" when carved */
	bool carved;     /* an unlink made it */
	int64_t first_slot, last_slot;
};

struct workload_pieces {
	int64_t workload;       /* in */
	int64_t from_ns, to_ns; /* in: from <= lo < to */
	struct arena *arena;    /* in: where items go */
	struct workload_piece *items;
	size_t n;
};

/** Pieces in the span with an alert of one of the workload's entities. */
CHECKED int workload_pieces_read(
	struct connection *connection, struct workload_pieces *pieces, struct err *err);

/** Forgets some of what was shown before @before_day. How many entries; 0: there were none; -1. */
CHECKED int workload_days_remove(
	struct connection *connection, int64_t before_day, struct err *err);
