/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What goes up in tocsin.intake.v1.Intake/Push, as bytes. Pure. */

#include "agent/record.h"
#include "agent/spool.h"
#include "model/coverage.h"

/**
 * Appends a record as one of a Batch's. *source: of the record before, SOURCE_NONE at the
 * beginning. A record that no message can carry becomes what was shed.
 */
void push_wire_record(const struct record *record, enum source *source, struct buf *out);

struct push_wire_hello {
	struct spool_id spool;
	struct text node, boot, version;
	uint64_t next, released;
};

/** The whole message. */
void push_wire_hello(const struct push_wire_hello *hello, struct buf *out);

/** The whole message: @records and @pods are appended fields. */
void push_wire_batch(uint64_t first, struct text records, struct text pods, struct buf *out);
void push_wire_pod(struct text container, struct text uid, struct buf *out);

/** The whole message; @coverage is a list. waiting->oldest_ns: when it was asked, or earlier. */
void push_wire_report(
	const struct spool_waiting *waiting, const struct coverage *coverage, struct buf *out);

/** Of a PushResponse; false: it is none. */
bool push_wire_read_acknowledged(struct text message, uint64_t *number);
