/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One request from its header to its answer, and what the files of intake/ share. Private to
 * intake/; the loop's thread.
 */

#include "intake/intake.h"
#include "intake/senders.h"
#include "intake/throttle.h"
#include "model/batch.h"
#include "model/credential.h"

enum encoding { ENCODING_NONE, ENCODING_GZIP, ENCODING_ZSTD };
enum ingest_outcome { INGEST_ACCEPTED, INGEST_DUPLICATE, INGEST_QUARANTINED, INGEST_REFUSED };
enum { N_INGEST_OUTCOMES = INGEST_REFUSED + 1, N_INGEST_ROUTES = 4 };

/* How much of the writer's queue one credential fills; kept per credential for good. */
struct usage {
	size_t in_flight_bytes;
	size_t n_held;
	uint64_t waits_in_pass; /* of hold_retry: its share is used up */
};

struct ingest {
	struct ingest *next, *previous;           /* while held */
	struct ingest *sent_next, *sent_previous; /* while with the writer */
	struct intake *intake;
	struct http_request *request; /* NULL: given up, nobody waits for the answer */
	enum source source;
	enum encoding encoding;
	bool is_foreign; /* posted as to an Alertmanager: answered likewise */

	/* until the batch is made */
	struct credential_set *credentials;
	const struct credential *credential;

	struct usage *usage;
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
	struct snapshot_slot *credentials;
	struct snapshot_slot *published;
	struct status *status;
	const struct clock *clock;

	struct ingest *first_held, *last_held; /* in order of arrival */
	struct ingest *first_sent, *last_sent; /* with the writer, in the order it got them */
	struct ingest *first_unanswered; /* the store is gone: they wait for the process's end */
	bool is_writer_full;             /* as the last push found it */
	size_t held_bytes;
	uint64_t pass; /* of hold_retry */
	_Atomic size_t n_waiting;

	struct table *usages; /* credential id → struct usage */
	struct senders *senders;
	struct throttle *throttle;

	struct metric_series *alerts[N_SOURCES][N_INGEST_OUTCOMES];
	struct metric_series *seconds;
	struct http_route routes[N_INGEST_ROUTES];
};

/* ingest_http.c */
void ingest_routes_init(struct intake *intake);
/** The writer gave the batch back, or it will never get it (@status 429, 503): answers, frees. */
void ingest_finish(struct ingest *ingest, unsigned status);
void ingest_free(struct ingest *ingest);

/* hold.c */
/** Takes the ingest: its batch goes to the writer now or once it fits. */
void hold_submit(struct ingest *ingest);
/** There may be room again, or time ran out for some. */
void hold_retry(struct intake *intake);
/** The batch is back from the writer. */
void hold_release(struct ingest *ingest);
/** Marks senders with what they have held, and warns. Once a second. */
void hold_report(struct intake *intake);

/* intake.c */
/** Something about senders changed: it is published within a second. */
void intake_touch(struct intake *intake);
/** An answer that was not 200. */
void intake_count_refusal(
	struct intake *intake, struct sender_entry *sender, enum source source, unsigned status);

/* intake_metrics.c */
bool intake_metrics_init(struct intake *intake);
void intake_metrics_done(void);
