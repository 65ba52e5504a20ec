/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a suppression would have hidden of what is stored: reads slots, the newest day first, until
 * its time is over, and says how far it got. Any connection.
 */

#include "store/suppressions.h"

enum {
	BACKTEST_DAYS = 7,
	BACKTEST_KINDS_SHOWN = 100,
	BACKTEST_KINDS_MAX = 10000,
	BACKTEST_MS = 700
};

struct backtest {
	const struct suppression *wish;
	const struct scope *scope; /* only what is inside is looked at; NULL: everything */
	int64_t now_ns;
	struct arena *arena;
	/* out */
	struct suppression_hit kinds[BACKTEST_KINDS_SHOWN]; /* the newest first */
	size_t n_kinds;                                     /* found, at most BACKTEST_KINDS_MAX */
	uint64_t n_matched, n_alerts;                       /* of so many alerts */
	int64_t since_ns;                                   /* all since then was looked at */
	bool complete;                                      /* that is BACKTEST_DAYS ago */
};

CHECKED int backtest_run(struct connection *connection, struct backtest *backtest, struct err *err);
