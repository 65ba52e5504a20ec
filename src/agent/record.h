/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One thing in the spool, as bytes. Pure.
 *
 *	mark (4) ‖ size (4) ‖ checksum (16) ‖ number (8) ‖ received_ns (8)
 *	‖ kind, severity, source, 0 (1 each) ‖ rule's size, n_cuts (2 each) ‖ payload (size)
 *
 * The payload is the rule, the cuts (48 bytes each), the raw bytes; of what was shed four numbers
 * in place of the last two. All numbers are big-endian. The checksum is the beginning of SHA-256
 * over the spool's id and all that stands behind it, size included; the mark is of the id too.
 * Alert text is hostile, and a damaged file is searched for the next record: who does not know the
 * id can make neither.
 */

#include "base/buf.h"
#include "base/err.h"
#include "model/severity.h"
#include "model/source.h"

enum {
	SPOOL_ID_BYTES = 16,
	RECORD_HEAD_BYTES = 48,
	RECORD_RULE_BYTES_MAX = 512,
	RECORD_CUT_BYTES = 48, /* salt and hash */
	RECORD_CUTS_MAX = 1024,
	RECORD_RAW_BYTES_MAX = SOURCE_BODY_BYTES,
	RECORD_PAYLOAD_BYTES_MAX =
		RECORD_RULE_BYTES_MAX + RECORD_CUTS_MAX * RECORD_CUT_BYTES + RECORD_RAW_BYTES_MAX,
};

/* Stored: numbers never change. */
enum record_kind {
	RECORD_ALERT = 1,
	RECORD_SHED = 2, /* what records were that had no room */
	RECORD_END = 3,  /* closes a segment; nothing of the sensors' */
};

struct spool_id {
	unsigned char bytes[SPOOL_ID_BYTES];
};

/* Of the records that one RECORD_SHED stands for. */
struct record_shed {
	int64_t from_ns, until_ns; /* of their arrival */
	uint64_t n, n_bytes;       /* of their raw bytes */
};

struct record {
	uint64_t number; /* 1 … */
	enum record_kind kind;
	enum severity severity;
	enum source source;
	int64_t received_ns;
	struct text rule;
	struct text cuts; /* RECORD_CUT_BYTES each: salt, hash */
	struct text raw;  /* RECORD_END: what segment.c puts there */
	struct record_shed shed;
};

enum record_found {
	RECORD_WHOLE,
	RECORD_SHORT,  /* so far it is one, but it ends behind these bytes */
	RECORD_BROKEN, /* it is none */
};

/** Appends its bytes. Limits are the caller's to keep (asserted). */
void record_write(const struct record *record, const struct spool_id *id, struct buf *out);

/** Bytes that record_write takes. */
size_t record_size(const struct record *record);

/**
 * Reads the record at the beginning of @bytes; its texts point into them. *size: of the whole
 * record, with RECORD_SHORT too (if the head is there, else of the head).
 */
enum record_found record_read(
	struct text bytes, const struct spool_id *id, struct record *out, size_t *size);

/** The number that the head of a record has at the beginning of @bytes, whether it is whole or not,
 * and the size of all of it; 0: there is no such head. What it says may be damaged. */
uint64_t record_peek(struct text bytes, const struct spool_id *id, size_t *size);

/** Where the next record may begin, at @from or behind: at its mark, or where too few bytes are
 * left to tell. */
size_t record_seek(struct text bytes, const struct spool_id *id, size_t from);
