/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One call of Push: what of it is under way, what is acknowledged, when it is paused and how it
 * ends. Private to push.c, which knows what its messages say; the loop's thread.
 *
 * Whoever ends a call may free its stream: the network's `closed` may come at once.
 */

#include "intake/delivery.h"
#include "model/batch.h"
#include "net/grpc_server.h"

/* One call. It lives until the call is closed and all of its batches are back. */
struct push_stream {
	struct push_stream *next, *previous; /* of the intake */
	struct push_stream *next_news;
	bool has_news;
	struct intake *intake;
	struct grpc_call *call; /* NULL: it was finished or is closed */
	bool is_closed;
	bool is_half_closed;
	bool is_paused;
	uint64_t credential_id;

	struct arena arena; /* of the texts below */
	struct text cluster, node, version, boot;
	unsigned char spool[SPOOL_MARK_BYTES];
	struct lane *lane; /* its spool's, joined; NULL before hello */
	bool has_said_hello;
	bool is_open;          /* hello is answered */
	uint64_t expected;     /* number of the next record */
	uint64_t acknowledged; /* all up to here is stored */
	bool is_to_tell;
	uint32_t refused; /* bit 1 << enum source: said once that their coverage is not kept */
	size_t n_flying;  /* batches, held or with the writer */
	struct delivery *held;
};

/* A batch of a stream, until it is back from the writer. */
struct flight {
	struct delivery delivery; /* first */
	struct push_stream *stream;
};

/** Of a call that is admitted; becomes its owner. NULL without memory. */
struct push_stream *push_stream_new(
	struct intake *intake, struct grpc_call *call, uint64_t credential_id);
/** Its peer sends no more: it ends when all is stored. */
void push_stream_half_close(struct push_stream *stream);
/** Its call is over. It is freed, once its batches are back. */
void push_stream_close(struct push_stream *stream);
/** Ends the call; what is held of it is taken back. */
void push_stream_end(struct push_stream *stream, enum grpc_code code, struct text why);
/** Ends the other calls of its spool. What they have in the queue stands before what comes now. */
void push_stream_end_rivals(const struct push_stream *stream);
/** What is acknowledged is said again, though nothing is new. */
void push_stream_repeat(struct push_stream *stream);

/** An empty batch of the credential. NULL without memory. */
struct flight *flight_new(
	struct push_stream *stream, const struct credential *credential, enum source source);
void flight_free(struct flight *flight);
/** Takes the flight: it goes to the writer, or is held, and then the call is paused. */
void flight_submit(struct flight *flight);

/* For struct intake. */
void push_streams_tell(struct intake *intake);
void push_streams_free(struct intake *intake);
