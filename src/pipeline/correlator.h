/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keeps the stored incidents equal to the partition of the stored alerts: the writer's step between
 * storing alerts and COMMIT. Everything it knows can be read again from the store; caches only
 * spare the reading. Incidents depend on the set of alerts, not on how it was cut into transactions
 * (correlation.md). The writer thread's.
 */

#include "model/alert.h"
#include "store/connection.h"

struct correlator;

struct correlator *correlator_new(void); /* NULL without memory */
void correlator_free(struct correlator *correlator);

/** One alert that store_add_batch accepted in the running transaction; others are passed over. */
CHECKED int correlator_add(struct correlator *correlator, struct connection *connection,
	const struct alert *alert, struct err *err);

/** After the transaction's last alert: writes slots, facts and incidents. @now_ns: when. */
CHECKED int correlator_finish(struct correlator *correlator, struct connection *connection,
	int64_t now_ns, struct err *err);

/** After a rollback: forgets all caches. */
void correlator_forget(struct correlator *correlator);
