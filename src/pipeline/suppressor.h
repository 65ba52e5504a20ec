/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Marks the alerts that active suppressions match, and counts what each of them hid, in the
 * transaction that stores the alerts. Changes nothing else: they are stored and correlated like all
 * others. The writer thread's.
 */

#include "model/batch.h"
#include "store/connection.h"

struct suppressor;

struct suppressor *suppressor_new(void);             /* NULL without memory */
void suppressor_free(struct suppressor *suppressor); /* accepts NULL */

/** Before they are stored: sets ALERT_SUPPRESSED and which suppressions match. */
CHECKED int suppressor_mark(struct suppressor *suppressor, struct connection *connection,
	struct batch *batch, int64_t now_ns, struct err *err);

/** After they were stored: duplicates count nothing. */
CHECKED int suppressor_count(struct suppressor *suppressor, struct connection *connection,
	const struct batch *batch, int64_t now_ns, struct err *err);

/** Before the commit: writes what was counted. */
CHECKED int suppressor_finish(struct suppressor *suppressor, struct connection *connection,
	int64_t now_ns, struct err *err);

/** Suppressions were changed, or the transaction was rolled back: all is read again. */
void suppressor_forget(struct suppressor *suppressor);
