/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an alert may come from: the names of POST /ingest/{source}, their limits and how each sender
 * is pushed back (design.md "Time, memory, overload"). One row per source; the numbers are stored
 * in the database and never change or get used again.
 */

#include "base/text.h"

enum source {
	SOURCE_NONE = 0,
	SOURCE_FALCO = 1,
	SOURCE_FALCOSIDEKICK = 2,
	SOURCE_TOCSIN = 3,
};

enum { N_SOURCES = SOURCE_TOCSIN + 1 };

enum push_back {
	PUSH_BACK_HOLD,        /* never refuse: the sender would lose the alert */
	PUSH_BACK_UNAVAILABLE, /* 503 after SOURCE_WAIT_MS */
	PUSH_BACK_SLOW_DOWN,   /* 429 and Retry-After after SOURCE_WAIT_MS */
};

enum { SOURCE_WAIT_MS = 5000 };

struct source_info {
	const char *name;      /* in the ingest path */
	size_t max_body_bytes; /* after decompression */
	enum push_back push_back;
	bool text_lines; /* a body that is not JSON may be plain text lines */
};

const struct source_info *source_info(enum source source);

/** SOURCE_NONE when there is no such source. */
enum source source_parse(struct text name);
