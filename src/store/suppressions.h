/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Suppressions and what they hid. Written by the writer, read by any connection. */

#include "model/suppression.h"
#include "store/connection.h"

/** Adds it; number is set. Forgets some that ended SUPPRESSION_KEPT_DAYS ago. */
CHECKED int suppression_insert(
	struct connection *connection, struct suppression *suppression, struct err *err);

/** Reason, author and times of one that is stored already, by number. */
CHECKED int suppression_update(
	struct connection *connection, const struct suppression *suppression, struct err *err);

/** It ends now. */
CHECKED int suppression_expire(struct connection *connection, uint64_t number, struct text actor,
	int64_t now_ns, struct err *err);

/** By its UUID, or by its number. ERR_MISSING. */
CHECKED int suppression_find(struct connection *connection, struct text id, struct arena *arena,
	struct suppression *out, struct err *err);

struct scope;

/** Likewise; one that reaches beyond @scope is missing, too. */
CHECKED int suppression_find_inside(struct connection *connection, struct text id,
	const struct scope *scope, struct arena *arena, struct suppression *out, struct err *err);

/** Those that have not ended at @now_ns, begun or not, oldest first. */
CHECKED int suppressions_live(struct connection *connection, int64_t now_ns, struct arena *arena,
	struct suppression_list *out, struct err *err);

struct suppression_page {
	uint64_t before; /* numbers below this; 0: from the newest */
	size_t limit;
	int64_t now_ns; /* the reader's own: what they are shown as */
	struct arena *arena;
	/* out */
	struct suppression_list list; /* newest first */
	uint64_t next_before;         /* 0: the end was reached */
};

CHECKED int suppressions_list(
	struct connection *connection, struct suppression_page *page, struct err *err);

/* Alerts of one place and kind that one suppression hid. */
struct suppression_hit {
	uint64_t suppression; /* 0: what one would have hidden (store/backtest.h) */
	int64_t entity, fingerprint;
	uint64_t n;
	int64_t lo_ns, hi_ns;
	uint64_t first_leaf, last_leaf;
	/* read only */
	struct text packed; /* the entity (model/entity.h) */
	unsigned char hash[FINGERPRINT_BYTES];
	struct text rule, sensor, exe;
};

/** Adds to what is stored. @received_ns: when the last of them came in. */
CHECKED int suppression_hit_add(struct connection *connection, const struct suppression_hit *hit,
	int64_t received_ns, struct err *err);

struct suppression_hit_page {
	uint64_t suppression;
	int64_t after_entity, after_fingerprint; /* 0, 0: from the first */
	size_t limit;
	struct arena *arena;
	/* out */
	struct suppression_hit *items;
	size_t n; /* less than the limit: the end was reached */
};

CHECKED int suppression_hits_read(
	struct connection *connection, struct suppression_hit_page *page, struct err *err);
