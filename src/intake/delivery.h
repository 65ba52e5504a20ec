/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One batch from its making to the answer, and what the files of intake/ share. Whoever takes
 * alerts from a peer (posted, push_stream, push_unary) has a struct that begins with a delivery,
 * and is told once what became of it. Private to intake/; the loop's thread.
 */

#include "intake/intake.h"
#include "intake/lane.h"
#include "intake/senders.h"
#include "intake/throttle.h"
#include "model/batch.h"
#include "model/credential.h"

enum ingest_outcome { INGEST_ACCEPTED, INGEST_DUPLICATE, INGEST_QUARANTINED, INGEST_REFUSED };
enum { N_INGEST_OUTCOMES = INGEST_REFUSED + 1, N_INGEST_ROUTES = 5, N_PUSH_METHODS = 2 };

/* How much of the writer's queue one credential fills; kept per credential for good. */
struct usage {
	size_t in_flight_bytes;
	size_t n_held;
	uint64_t waits_in_pass; /* of hold_retry: its share is used up */
};

struct delivery {
	struct delivery *next, *previous;           /* while held */
	struct delivery *sent_next, *sent_previous; /* while with the writer */
	struct intake *intake;
	enum source source;       /* whose refusals are counted */
	enum push_back push_back; /* how long it may be held */
	bool ignores_answers; /* its sender takes any for a delivery: a refusal loses the alerts */

	/** What became of it: 200 (batch->n_…), else a refusal: batch->err, or no room. Frees it
	 * by delivery_done and its owner's own means. */
	void (*finish)(struct delivery *delivery, unsigned status);
	/** It ends without an answer. Frees it likewise. */
	void (*drop)(struct delivery *delivery);
	/** It was held and is with the writer now. NULL: not interested. */
	void (*left_hold)(struct delivery *delivery);

	bool is_held;

	struct usage *usage;
	struct lane *lane; /* joined */
	struct batch *batch;
	char *body; /* the batch's alerts point into it */
	size_t body_size;
	struct sender_entry *sender;
	int64_t arrived_after_ms;
	int64_t held_after_ms; /* since when */
	int64_t held_at_ns;    /* wall time of the submission */
	size_t held_bytes;     /* the batch's weight, which is the writer's to touch later */
};

struct intake {
	struct loop *loop;
	struct queue *writer;
	struct queue *reply; /* batches come back */
	struct loop_watch *reply_watch;
	struct loop_timer *retry_timer;
	struct loop_timer *second_timer;
	bool is_second_due;
	bool is_quiet; /* the end is near: nothing new */
	struct snapshot_slot *credentials;
	struct snapshot_slot *published;
	struct status *status;
	const struct clock *clock;

	struct delivery *first_held, *last_held; /* in order of arrival */
	struct delivery *first_sent, *last_sent; /* with the writer, in the order it got them */
	struct delivery *first_unanswered; /* the store is gone: they wait for the process's end */
	bool is_writer_full;               /* as the last push found it */
	size_t held_bytes;
	uint64_t pass; /* of hold_retry */
	_Atomic size_t n_waiting;

	struct table *usages; /* credential id → struct usage */
	struct table *lanes;
	struct senders *senders;
	struct throttle *throttle;

	/* push_stream.c's, where gRPC is served; NULL elsewhere */
	void (*tell_streams)(struct intake *intake); /* after every round of replies */
	void (*free_streams)(struct intake *intake);
	struct push_stream *streams;
	struct push_stream *news; /* of them: something became of these */
	bool is_telling;          /* them what became of them */

	struct metric_series *alerts[N_SOURCES][N_INGEST_OUTCOMES];
	struct metric_series *shed[N_SOURCES];
	struct metric_series *seconds;
	struct http_route routes[N_INGEST_ROUTES];
	struct grpc_method *methods; /* N_PUSH_METHODS */
};

/* delivery.c */
/** The batch that the credential's alerts go into; its texts are copies. If nobody has given it a
 * lane, it joins that of credential and address. false without memory. */
bool delivery_begin(struct delivery *delivery, const struct credential *credential,
	enum source source, struct text address);
/** Frees what delivery_begin made, and the body; wipes where secrets were. */
void delivery_done(struct delivery *delivery);
/** Takes it: its batch goes to the writer, or is held, or there is nothing in it and it is finished
 * at once. */
void delivery_submit(struct delivery *delivery);
/** Counts, then delivery->finish. Takes it. */
void delivery_finish(struct delivery *delivery, unsigned status);
/** The sender was heard. */
void delivery_heard(struct delivery *delivery);

/* hold.c */
enum hold_result { HOLD_SENT, HOLD_HELD, HOLD_REFUSED };
/** Takes the delivery: its batch goes to the writer now or once it fits. HOLD_REFUSED: it was
 * finished. */
enum hold_result hold_submit(struct delivery *delivery);
/** Takes back what is held, without finish or drop: then it is the caller's again. false: it is not
 * held, but with the writer. */
bool hold_withdraw(struct delivery *delivery);
/** There may be room again, or time ran out for some. */
void hold_retry(struct intake *intake);
/** The batch is back from the writer. */
void hold_release(struct delivery *delivery);
/** Marks senders with what they have held, and warns. Once a second. */
void hold_report(struct intake *intake);

/* intake.c */
/** Something about senders changed: it is published within a second. */
void intake_touch(struct intake *intake);
/** An answer that was not 200. @is_lost: its sender does not look at it, so that is warned of. */
void intake_count_refusal(struct intake *intake, struct sender_entry *sender, enum source source,
	unsigned status, bool is_lost);

/* ingest_http.c: its routes, from routes[0] on; returns how many. */
unsigned ingest_routes_init(struct intake *intake);

/* intake_metrics.c */
bool intake_metrics_init(struct intake *intake);
void intake_metrics_done(void);
