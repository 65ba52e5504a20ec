/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One reader of events: what waits for it, and the bytes it is sent. Loop thread only.
 *
 * What waits are references to shared batches; the reader is slow when too many or too large ones
 * wait, because the kernel's buffers are then full as well. It is cut and resumes by its last id.
 */

#include <sys/types.h>

#include "console/event_batch.h"
#include "net/http_server.h"
#include "store/alerts.h"

struct events;
struct event_task;
struct viewer;

enum {
	EVENT_BEHIND_BATCHES = 64,
	EVENT_BEHIND_BYTES = 4 * 1024 * 1024, /* of batches that wait */
	EVENT_HEAD_BYTES = 96,
	EVENT_STALL_MS = 60000, /* without taking a byte of what there is for it */
};

enum event_client_state {
	EVENT_CLIENT_WAITS, /* for a page of what it missed; broadcasts pass by */
	EVENT_CLIENT_READS, /* that page */
	EVENT_CLIENT_LIVE,  /* gets every broadcast */
};

struct event_client {
	struct event_client *next, *previous;
	struct events *events;
	struct http_request *request;
	const struct viewer *viewer; /* the request's */
	bool wants_incidents, wants_alerts;
	struct alert_filter filter; /* texts are the request's arena's */
	uint64_t incident;          /* alerts of this one; 0: of all */
	bool has_query, is_refused; /* refused: its query took too long, and this is the end */
	unsigned query;             /* its place (event_queries.h) */
	enum event_client_state state;
	struct change_position position; /* what was sent, with all before it */
	struct event_task *task;         /* the wish that is under way */

	struct event_batch *waiting[EVENT_BEHIND_BATCHES]; /* a ring */
	unsigned first_waiting, n_waiting;
	size_t waiting_bytes;
	size_t at_event; /* of the first batch */
	bool page_is_whole;

	bool is_greeted, is_silent;  /* silent: a comment is due */
	bool has_moved;              /* bytes were taken since event_client_look */
	int64_t moved_ms;            /* when it was seen last to move, or to have all */
	char head[EVENT_HEAD_BYTES]; /* what goes before the text */
	size_t head_size, head_sent;
	struct text text; /* of an event of the first batch, as far as it was not sent */
};

/** Takes a reference to the batch when there is room for it; false: the reader is too slow. */
CHECKED bool event_client_add(struct event_client *client, struct event_batch *batch);

/** As http_stream_source.read: 0 when there is nothing more to send. */
ssize_t event_client_read(struct event_client *client, char *out, size_t size);

/**
 * To be called every now and then; by the monotonic clock. false: there was something for it all
 * the time, and it has taken nothing for EVENT_STALL_MS. Its buffers and the kernel's are full.
 */
CHECKED bool event_client_look(struct event_client *client, int64_t now_ms);

/** Lets go of what waits. */
void event_client_clear(struct event_client *client);
