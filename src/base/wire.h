/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Protocol Buffers on the wire, without generated code: a pull reader, a writer, and a scan that
 * bounds a message of untrusted shape before anything walks it.
 *
 * A reader gives one field after another, in the order of the bytes; the last value of a field that
 * is not repeated counts. Nothing is copied. Groups (wire types 3 and 4) are refused: nobody sends
 * them.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

enum { WIRE_DEPTH_MAX = 32 };
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire {
	struct text left;    /* not read yet */
	uint32_t field;      /* number of the field that was read last */
	enum wire_type type; /* its type */
	uint64_t number;     /* its value: varint or fixed */
	struct text bytes;   /* its value: bytes, string or message */
	bool failed;         /* broken: no more fields */
	const char *why;     /* of a failure */
	size_t offset;       /* of the last field, in the message */
	size_t size;         /* of the message */
};

struct wire wire_of(struct text message);
/** The next field; false at the end, or when broken (`failed`). */
bool wire_next(struct wire *reader);
/** ERR_INPUT "offset 17: …" after a failure; returns -1. */
int wire_error(const struct wire *reader, struct err *err);

/* sint32, sint64 */
int64_t wire_zigzag(uint64_t number);

/* What a scan knows of a message: which of its fields are messages again. */
struct wire_shape {
	uint32_t field;
	const struct wire_shape *inside; /* of WIRE_BYTES; a table ended by field 0 */
};

struct wire_limits {
	unsigned depth_max;  /* of messages inside messages, WIRE_DEPTH_MAX at most */
	size_t n_fields_max; /* all together */
};

/**
 * Walks the whole message once, without recursion: every tag, length and depth is good. ERR_INPUT
 * or ERR_LIMIT with the offset.
 */
CHECKED int wire_scan(struct text message, const struct wire_shape *shape,
	const struct wire_limits *limits, struct err *err);

/* The writer; failures stay in the buf. Zero numbers and empty texts are not written (proto3). */
void wire_add_varint(struct buf *out, uint32_t field, uint64_t value);
void wire_add_fixed64(struct buf *out, uint32_t field, uint64_t value);
void wire_add_bytes(struct buf *out, uint32_t field, struct text bytes);
/** As wire_add_bytes, written when empty too: repeated fields, messages, members of a oneof. */
void wire_add_member(struct buf *out, uint32_t field, struct text bytes);
