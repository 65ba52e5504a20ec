/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Compression dictionaries: one table, ids that are never used again. A frame names the dictionary
 * it was packed with, so a row stays as long as a frame needs it and never changes; new frames use
 * the newest of their source. store/dictionary_train.h makes them.
 *
 * A dictionary holds pieces of alerts verbatim. What is cut before storing is never in one; whoever
 * takes bytes out of stored blocks has to think of the dictionaries, too.
 */

#include "model/dictionary.h"
#include "store/connection.h"

struct frame_codec;

/* A source gets no more than this, so that one codec can hold all of all sources. */
enum { DICTIONARIES_PER_SOURCE = 12 };

/* The newest of each source, as committed. The writer's. */
struct dictionaries {
	int64_t newest[N_SOURCES]; /* 0: none */
};

CHECKED int dictionaries_load(
	struct dictionaries *dictionaries, struct connection *connection, struct err *err);

/**
 * Stores a dictionary, in a transaction of the writer's. No codec may be given *id before the
 * commit: after a rollback the same id can come again for other bytes.
 */
CHECKED int dictionary_insert(struct connection *connection, const struct dictionary_made *made,
	int64_t now_ns, uint64_t leaf, int64_t *id, struct err *err);

/** Makes a committed dictionary known to the codec; 0 is none. ERR_CORRUPT if it is not there. */
CHECKED int dictionary_load(
	struct connection *connection, struct frame_codec *codec, int64_t id, struct err *err);

/* What there is of one source. */
struct dictionary_state {
	unsigned n;
	int64_t newest; /* 0: none; then all below is 0 */
	int64_t created_ns;
	uint64_t leaf; /* the ledger's size when it was stored */
};

CHECKED int dictionary_state_read(struct connection *connection, enum source source,
	struct dictionary_state *out, struct err *err);
