/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A validating pull reader for JSON (RFC 8259): no tree, no allocation except for strings that need
 * one.
 *
 * json_next gives one event after another; the first error is sticky and comes back as JSON_BAD for
 * ever. Strings are given decoded and as valid UTF-8: without escapes and invalid bytes they point
 * into the source, else into the arena (\u0000 stays a NUL byte; lone surrogates and invalid bytes
 * become U+FFFD). Numbers are given as their text: 64-bit integers stay exact. One document per
 * reader; whatever follows it is the caller's (json_rest).
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

enum json_event {
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
	JSON_END, /* the document is complete */
	JSON_BAD, /* json_error says what and where */
};

struct json_limits {
	unsigned max_depth;      /* nested objects and arrays, ≤ JSON_DEPTH_MAX */
	size_t max_string_bytes; /* decoded; keys too */
	size_t max_keys;         /* per object */
	size_t max_bytes;        /* of the document */
};

enum { JSON_DEPTH_MAX = 128 };

/** For alerts: depth 64, strings 1 MiB, 4 096 keys an object, 8 MiB. */
extern const struct json_limits json_limits_alert;

struct json_reader {
	struct text source;
	struct arena *arena;
	const struct json_limits *limits;
	size_t at;         /* of the next byte */
	struct text value; /* of KEY, STRING, NUMBER; until the source or the arena goes */
	size_t start;      /* offset of the last event's first byte */
	unsigned depth;
	bool integer; /* JSON_NUMBER: has no fraction and no exponent */
	/* the reader's own */
	unsigned char state;
	uint64_t in_object[JSON_DEPTH_MAX / 64];
	uint32_t n_keys[JSON_DEPTH_MAX];
	enum err_kind error_kind;
	const char *error;
	size_t error_at;
};

void json_reader_init(struct json_reader *reader, struct text source, struct arena *arena,
	const struct json_limits *limits);

enum json_event json_next(struct json_reader *reader);

/** After JSON_KEY or before any value: reads the next value whole and validates it. false:
 * JSON_BAD. */
bool json_skip(struct json_reader *reader);

/** After JSON_END: what follows the document in the source. */
struct text json_rest(const struct json_reader *reader);

/** Offset just behind the last event. With `start`, the verbatim bytes of a value. */
size_t json_offset(const struct json_reader *reader);

/** Sets *err ("offset 17: …") with ERR_INPUT or ERR_LIMIT; returns -1. After JSON_BAD only. */
int json_error(const struct json_reader *reader, struct err *err);
