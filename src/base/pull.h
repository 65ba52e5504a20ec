/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A validating pull reader for JSON (RFC 8259): no tree, no allocation except for strings that need
 * one.
 *
 * pull_next gives one event after another; the first error is sticky and comes back as PULL_BAD for
 * ever. Strings are given decoded and as valid UTF-8: without escapes and invalid bytes they point
 * into the source, else into the arena (\u0000 stays a NUL byte; lone surrogates and invalid bytes
 * become U+FFFD). Numbers are given as their text: 64-bit integers stay exact. One document per
 * reader; whatever follows it is the caller's (pull_rest).
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

enum pull_event {
	PULL_OBJECT,
	PULL_OBJECT_END,
	PULL_ARRAY,
	PULL_ARRAY_END,
	PULL_KEY,
	PULL_STRING,
	PULL_NUMBER,
	PULL_TRUE,
	PULL_FALSE,
	PULL_NULL,
	PULL_END, /* the document is complete */
	PULL_BAD, /* pull_error says what and where */
};

struct pull_limits {
	unsigned max_depth;      /* nested objects and arrays, ≤ PULL_DEPTH_MAX */
	size_t max_string_bytes; /* decoded; keys too */
	size_t max_keys;         /* per object */
	size_t max_bytes;        /* of the document */
};

enum { PULL_DEPTH_MAX = 128 };

/** For alerts: depth 64, strings 1 MiB, 4 096 keys an object, 8 MiB. */
extern const struct pull_limits pull_limits_alert;

struct pull {
	struct text source;
	struct arena *arena;
	const struct pull_limits *limits;
	size_t at;         /* of the next byte */
	struct text value; /* of KEY, STRING, NUMBER; until the source or the arena goes */
	size_t start;      /* offset of the last event's first byte */
	unsigned depth;
	bool integer; /* PULL_NUMBER: has no fraction and no exponent */
	/* the reader's own */
	unsigned char state;
	uint64_t in_object[PULL_DEPTH_MAX / 64];
	uint32_t n_keys[PULL_DEPTH_MAX];
	enum err_kind error_kind;
	const char *error;
	size_t error_at;
};

void pull_init(struct pull *reader, struct text source, struct arena *arena,
	const struct pull_limits *limits);

enum pull_event pull_next(struct pull *reader);

/** After PULL_KEY or before any value: reads the next value whole and validates it. false:
 * PULL_BAD. */
bool pull_skip(struct pull *reader);

/** Reads on to the end of the value whose first event @event was; a scalar is over already. false:
 * PULL_BAD. */
bool pull_finish(struct pull *reader, enum pull_event event);

/** After PULL_END: what follows the document in the source. */
struct text pull_rest(const struct pull *reader);

/** Offset just behind the last event. With `start`, the verbatim bytes of a value. */
size_t pull_offset(const struct pull *reader);

/** Sets *err ("offset 17: …") with ERR_INPUT or ERR_LIMIT; returns -1. After PULL_BAD only. */
int pull_error(const struct pull *reader, struct err *err);
