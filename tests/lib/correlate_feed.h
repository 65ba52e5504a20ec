/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The reference's lines (alerts, facts, edits, criticality; see correlate.py), fed through the real
 * store and correlator.
 */

#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/table.h"
#include "pipeline/correlator.h"
#include "store/store.h"

/* How one set of lines is fed. */
struct feed_job {
	uint64_t seed;               /* of the transactions' sizes; 0: one line each */
	unsigned long restart_every; /* transactions, then the store is opened anew; 0: never */
	size_t from;                 /* lines before are not fed, but known by name */
	bool acknowledge;            /* print "# N" once the first N lines are committed */
	int64_t horizon_s;
	int64_t now_ns;
	void (*committed)(void *ctx); /* after each transaction; may be NULL */
	void *ctx;
};

struct feed {
	const char *path, *vfs;
	struct clock_manual clock;
	struct store *store;
	struct correlator *correlator;
	struct table *names; /* fingerprint hash → its name in the input */
	struct arena arena;  /* of the rest */
	json_t **lines;
	size_t n_lines;
	struct criticality_rules criticality;
};

/** @lines: an array of objects; borrowed until feed_done. Nothing is opened yet. */
void feed_init(struct feed *feed, const char *path, const char *vfs, json_t **lines, size_t n);

/** Opens the store (made if new) and feeds the lines; the store stays open. */
void feed_run(struct feed *feed, const struct feed_job *job);

void feed_done(struct feed *feed);
void feed_die(const struct err *err); /* prints and exits */
