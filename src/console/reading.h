/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A read-only connection of one thread whose reads are bounded: a read transaction that stays open
 * would keep the log from being emptied.
 */

#include "model/status.h"
#include "store/connection.h"

struct reading {
	const char *database;
	const struct status *status;
	struct connection connection;
	int64_t deadline_ms; /* INT64_MAX: no read is going on */
	int64_t late_ms;     /* from then on lists give what they have found */
};

/** Opens the connection if it is not, waits a moment if reads have to, begins a transaction. */
CHECKED int reading_begin(struct reading *reading, struct err *err);
void reading_end(struct reading *reading);

/** What a broken connection shows is not to be trusted: after ERR_IO and ERR_CORRUPT. */
void reading_close(struct reading *reading);
