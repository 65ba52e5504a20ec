/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What goes through the one queue to the writer, and back to whoever asked once it is on disk.
 *
 * Owned by one thread at a time: the maker fills it, the writer works on it between queue_take and
 * the push to `reply`, then it is the maker's again (read the outcome, batch_free). Everything in
 * it lives in its arena.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/queue.h"
#include "model/alert.h"
#include "model/coverage.h"
#include "model/decision.h"
#include "model/dictionary.h"
#include "model/fact.h"

/*
 * A spool's records are numbered without a gap, and each is one alert of its batch: the last one
 * has the number `last`. Stored with the alerts, so that a record is stored once.
 */
struct spool_mark {
	unsigned char id[SPOOL_MARK_BYTES]; /* random, the agent's */
	struct text node;
	uint64_t last; /* 0: a question, before any record */
	uint64_t next; /* of a question: what its sender would send; before it all is settled */
	/* Of a question: the last record that it let go of as acknowledged; 0: none, or not known
	 */
	uint64_t released;
	/* set by the writer */
	uint64_t acknowledged; /* of a question: up to here all is settled */
	uint64_t known;        /* of a question: up to here all was known to be stored */
	bool is_lacking;       /* records up to `released` were acknowledged and are not here … */
	int64_t lacking_ns;    /* … which arrived at the node since then; 0: not known */
};

struct batch {
	struct queue_item item; /* first: a batch is what queues hold */
	struct arena arena;
	struct queue *reply;               /* the maker's, unbounded; NULL: `done` */
	void (*done)(struct batch *batch); /* without reply: called by the writer, takes the batch;
					      NULL: freed */
	void *owner;                       /* the maker's, not touched by others */

	enum source source;
	struct text cluster;    /* the credential's */
	uint64_t credential_id; /* 0: none (the daemon itself) */
	struct text address;    /* of the peer, for `sources`; absent: none */
	/* Of the salts of what is cut from its alerts: digest_random, unless a test must know
	 * them. */
	void (*random)(void *out, size_t size);

	struct alert *first; /* in order of arrival */
	struct alert **last;
	size_t n_alerts;
	size_t n_redactions; /* of all: not 0, and what the batch was made of is to be wiped */

	struct fact *facts;                /* what its sender knows of who is who */
	struct spool_mark *spool;          /* where it came from; NULL: from no spool */
	const struct coverage *coverage;   /* told by an agent; NULL: nothing */
	const struct agent_report *report; /* likewise */

	struct decision *decisions;               /* a person's or the API's; NULL for alerts */
	const struct dictionary_made *dictionary; /* the trainer's; NULL for all others */

	/* set by the writer */
	size_t n_accepted, n_duplicate, n_quarantined;
	struct err err; /* kind ERR_NONE: everything is committed */
};

enum { BATCH_ARENA_BYTES = 192 * 1024 * 1024 };

/** NULL without memory. @received weight is added up by batch_add. */
struct batch *batch_new(void);
void batch_free(struct batch *batch); /* accepts NULL */

/** A zeroed alert with defaults (count 1, pid and uid -1), not yet in the batch. NULL without
 * memory. */
struct alert *batch_alert_new(struct batch *batch);

/** Puts the alert at the end and counts its raw size in the batch's weight. */
void batch_add(struct batch *batch, struct alert *alert);
