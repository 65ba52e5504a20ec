/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Makes compression dictionaries from stored alerts. Reads in short statements on a connection of
 * its own and computes for some 100 ms, so it belongs on a thread that nobody waits for
 * (pipeline/trainer.h).
 *
 * The rule: a source with DICTIONARY_SAMPLES_MIN alerts since it was last looked at gets a
 * dictionary trained on some of them, evenly spread. It is kept if it packs alerts that it was not
 * trained on at least a tenth smaller than what is used now, which is the newest dictionary or
 * none.
 */

#include "base/buf.h"
#include "model/source.h"
#include "store/connection.h"

enum { DICTIONARY_SAMPLES_MIN = 2000, DICTIONARY_BYTES = 16 * 1024 };

/* What to train on, and what the result is compared with. */
struct dictionary_wish {
	enum source source;
	uint64_t from;  /* the least leaf */
	int64_t newest; /* dictionary; 0: none */
};

/** 1: *bytes has a better one; 0: too few alerts, or nothing gained (*enough says which). */
CHECKED int dictionary_train(struct connection *connection, const struct dictionary_wish *wish,
	struct buf *bytes, bool *enough, struct err *err);
