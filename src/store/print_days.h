/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How many alerts of each fingerprint each workload had on each UTC day of event time: what lists
 * of fingerprints read, however many alerts there are. All stored alerts are in it, context and
 * such without a slot too. Counted in memory while a transaction adds alerts, written before it
 * commits. The writer's.
 */

#include "model/alert.h"
#include "store/connection.h"

struct print_days;

struct print_days *print_days_new(void); /* NULL without memory */
void print_days_free(struct print_days *days);
void print_days_forget(struct print_days *days); /* what was not written, and what was read */

/** Counts a stored alert; its leaf, entity and fingerprint are set. @attack: interned. */
CHECKED int print_days_count(struct print_days *days, struct connection *connection,
	const struct alert *alert, int64_t attack, struct err *err);

/** Writes what was counted into the running transaction. */
CHECKED int print_days_flush(
	struct print_days *days, struct connection *connection, struct err *err);

/** Forgets some of what is before @before_day. How many entries; 0: there were none; -1. */
CHECKED int print_days_remove(struct connection *connection, int64_t before_day, struct err *err);
