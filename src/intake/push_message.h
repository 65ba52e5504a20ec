/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the messages of tocsin.intake.v1.Intake say, read and bounded, and the batch that a row of
 * records becomes. Pure; fuzzed.
 *
 * What a peer cannot have meant is refused as a whole (ERR_INPUT, ERR_LIMIT): it would be wrong
 * again. What is only one record's fault is kept in quarantine, because a spool that is refused
 * stands still.
 */

#include "model/batch.h"
#include "model/credential.h"

enum push_kind { PUSH_NOTHING, PUSH_HELLO, PUSH_RECORDS, PUSH_REPORT };

struct push_hello {
	unsigned char spool[SPOOL_MARK_BYTES];
	struct text node, boot, version;
	uint64_t next;     /* ≥ 1 */
	uint64_t released; /* < next; 0: nothing, or not known */
};

/* A Batch, or a PushBatchRequest. */
struct push_records {
	uint64_t first;   /* of a Batch: ≥ 1 when it has records */
	struct text node; /* of a PushBatchRequest; may be absent */
	size_t n;         /* records */
	/* for push_records_decode */
	struct text message;
	uint32_t records_field, pods_field;
};

struct push_request {
	enum push_kind kind; /* PUSH_NOTHING: of a later version */
	struct push_hello hello;
	struct push_records records;
	struct text report;
};

/** Texts point into @message. */
CHECKED int push_request_read(struct text message, struct push_request *out, struct err *err);
CHECKED int push_batch_request_read(struct text message, struct push_records *out, struct err *err);

/* Whose word it is. */
struct push_speaker {
	const struct credential *credential;
	struct text node;          /* that it speaks for; absent: no certain one */
	struct text version, boot; /* of its hello */
	struct text spool;         /* of the same: its id */
	bool is_agent;             /* alerts went by way of an agent */
	int64_t now_ns;
};

/**
 * One alert for each record from number @skip on, in their order, and the facts. A record of a
 * source that the credential may not send for, or that is not known, is quarantined, whatever it
 * is: an event, or what was shed. @message must live
 * as long as the batch. counts[source] grows by the records that were passed over. ERR_MEMORY.
 */
CHECKED int push_records_decode(const struct push_records *records, size_t skip,
	const struct push_speaker *speaker, uint64_t counts[N_SOURCES], struct batch *batch,
	struct err *err);

/**
 * Coverage and the agent's progress. What it says of sources that are not known is left out, and of
 * those that the credential may not send for: these are told by *refused (bit 1 << enum source).
 * ERR_LIMIT, ERR_MEMORY.
 */
CHECKED int push_report_decode(struct text report, const struct push_speaker *speaker,
	struct batch *batch, uint32_t *refused, struct err *err);

/** Does it name a source that the credential may not send for, or none that is known? Then *source
 * is what it says. */
bool push_records_may_be_sent(const struct push_records *records,
	const struct credential *credential, struct text *source);

/** The source of the first record; SOURCE_NONE: not known, or there is none. */
enum source push_records_source(const struct push_records *records);
