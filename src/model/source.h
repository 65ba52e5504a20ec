/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an alert may come from: the names of POST /ingest/{source}, their limits and how each sender
 * is pushed back (design.md "Time, memory, overload").
 */

#include "base/text.h"

/*
 * The one table of sources, and of decoders: ROW(number, SYMBOL, decoder_ of decode/, name in the
 * path, bytes of a body after decompression, push-back, may a body be plain text lines). Numbers
 * are stored in the database: they follow one another, never change and are never used again.
 */
#define SOURCES(ROW)                                                                               \
	ROW(1, FALCO, falco, "falco", SOURCE_BODY_BYTES, PUSH_BACK_HOLD, true)                     \
	ROW(2, FALCOSIDEKICK, falcosidekick, "falcosidekick", SOURCE_BODY_BYTES, PUSH_BACK_HOLD,   \
		false)                                                                             \
	ROW(3, TOCSIN, tocsin, "tocsin", SOURCE_BODY_BYTES, PUSH_BACK_SLOW_DOWN, false)            \
	ROW(4, TETRAGON, tetragon, "tetragon", SOURCE_BODY_BYTES, PUSH_BACK_UNAVAILABLE, false)    \
	ROW(5, KUBEARMOR, kubearmor, "kubearmor", SOURCE_BODY_BYTES, PUSH_BACK_SLOW_DOWN, false)   \
	ROW(6, ALERTMANAGER, alertmanager, "alertmanager", SOURCE_BODY_BYTES,                      \
		PUSH_BACK_UNAVAILABLE, false)

enum source {
	SOURCE_NONE = 0,
#define ROW(number, symbol, ...) SOURCE_##symbol = number,
	SOURCES(ROW)
#undef ROW
};

#define ROW(...) +1
enum { N_SOURCES = 1 SOURCES(ROW) };
#undef ROW

enum { SOURCE_BODY_BYTES = 8 * 1024 * 1024 };

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

/** "falco, falcosidekick, …": all of them, for messages. */
const char *source_names(void);
