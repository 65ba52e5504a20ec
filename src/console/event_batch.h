/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What has changed between two positions, as it is told to readers of /api/v1/events: made once by
 * the feed, shared by all readers, never changed. Events are in order, incidents before alerts; the
 * id of each is the reader's own (where it is afterwards), so it is not part of the text.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/snapshot.h"
#include "console/event_queries.h"
#include "store/changes.h"

struct alert;

enum {
	EVENT_BATCH_INCIDENTS = 500,
	EVENT_BATCH_ALERTS = 1000,
	EVENT_BATCH_BYTES = 512 * 1024, /* of either kind; the last one may go beyond */
	EVENT_PAGE_BYTES = 64 * 1024,   /* likewise, for one reader alone: each may hold one */
	EVENT_CATCH_UP_ALERTS = 100000, /* further behind is told to read lists: reset */
};

enum event_kind { EVENT_INCIDENT, EVENT_ALERT, EVENT_RESET };

struct event {
	enum event_kind kind;
	uint64_t sequence; /* change_seq or leaf */
	struct text text;  /* "event: …\ndata: …\n\n" */
	/* what filters look at */
	const struct alert *alert;
	uint64_t incident;
	bool is_placed; /* an incident that is not gone */
	struct text cluster, namespace;
	bool is_judged;            /* an incident that queries were asked about */
	struct event_bits matches; /* which queries */
	struct text outside; /* an incident, as readers are told whose query it does not match */
};

struct event_batch {
	struct snapshot snapshot;  /* first */
	struct change_position to; /* everything up to there, and after `from`, is in here */
	bool is_whole;             /* there was no more when it was read */
	struct event *items;
	size_t n;
	size_t n_skipped[EVENT_RESET]; /* by kind: what could not be read, and is not in here */
	struct err skipped;            /* why the first of them */
	struct event_bits too_dear;    /* queries that took too long: `matches` lacks them */
	struct arena arena;            /* of all that is in it */
};

struct event_wish {
	struct change_position from;
	bool incidents, alerts; /* which kinds; of the others only the position moves */
	bool is_reader;         /* `from` is what somebody claims: it may have to be a reset */
	const struct event_queries *queries; /* NULL: none */
};

/**
 * In the connection's transaction. n_refs is 1. One incident or alert that does not read back is
 * left out and counted: the others are told. Fails when nothing can be read now.
 */
CHECKED int event_batch_read(struct connection *connection, const struct event_wish *wish,
	struct event_batch **out, struct err *err);
void event_batch_unref(struct event_batch *batch); /* accepts NULL */
