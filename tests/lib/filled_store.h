/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A store in a folder of its own, filled with made alerts through decoding and the writer's calls,
 * which remembers what every leaf must read back as.
 */

#include "base/digest.h"
#include "store/store.h"

enum { FILLED_DAY_S = 86400 };

struct filled_leaf {
	struct digest raw;
	enum source source;
	int64_t day; /* received */
};

struct filled_store {
	char folder[64], path[96];
	struct clock_manual clock;
	struct store *store;
	struct filled_leaf *leaves;
	size_t n_leaves;
	uint64_t next;    /* alert: each is another */
	size_t pad_bytes; /* added to each alert */
	bool noise;       /* the padding cannot be compressed */
	const char *word; /* in the texts; another word is other data */
};

void filled_store_init(struct filled_store *self);
void filled_store_done(struct filled_store *self);
void filled_store_reopen(struct filled_store *self); /* as after a restart */
void filled_store_close(struct filled_store *self);
void filled_store_open(struct filled_store *self);

/** One transaction: store_begin, any number of filled_store_put, filled_store_commit. */
void filled_store_begin(struct filled_store *self);
void filled_store_put(struct filled_store *self, enum source source, size_t n);
void filled_store_commit(struct filled_store *self);

/** A transaction of @n alerts. */
void filled_store_add(struct filled_store *self, enum source source, size_t n);

/** store_idle until nothing is left; gives the number of slices. */
size_t filled_store_idle(struct filled_store *self);

/** Every leaf reads back as it came in, and the ledger verifies. On a connection of its own. */
void filled_store_check(struct filled_store *self);

/** The one number that a query gives, on the writer's connection. */
int64_t filled_store_number(struct filled_store *self, const char *sql);
void filled_store_run(struct filled_store *self, const char *sql);
