/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keeps the stored incidents equal to the partition of the stored alerts: the writer's step between
 * storing alerts and COMMIT. Everything it knows can be read again from the store; caches only
 * spare the reading. Incidents depend on the set of alerts, not on how it was cut into transactions
 * (correlation.md). The writer thread's.
 */

#include "correlate/criticality.h"
#include "model/alert.h"
#include "model/edit.h"
#include "model/fact.h"
#include "store/connection.h"

struct correlator;

/** @criticality is borrowed for as long as the correlator lives. NULL without memory. */
struct correlator *correlator_new(const struct criticality_rules *criticality);
void correlator_free(struct correlator *correlator);

/** Incidents that end before the horizon may have been frozen: they are not extended from memory.
 */
void correlator_set_horizon(struct correlator *correlator, int64_t horizon_ns);

/** One alert that store_add_batch accepted in the running transaction; others are passed over. */
CHECKED int correlator_add(struct correlator *correlator, struct connection *connection,
	const struct alert *alert, struct err *err);

/** What another witness than an alert says of who is who. @now_ns: when it was said. */
CHECKED int correlator_fact(
	struct correlator *correlator, const struct fact *fact, int64_t now_ns, struct err *err);

/** What people changed about the grouping. */
CHECKED int correlator_edit(struct correlator *correlator, struct connection *connection,
	const struct edit *edit, struct err *err);

/** After the transaction's last alert: writes slots, facts and incidents. @now_ns: when. */
CHECKED int correlator_finish(struct correlator *correlator, struct connection *connection,
	int64_t now_ns, struct err *err);

/** The incidents of this key, as it is stored, are to be computed again in this transaction. */
CHECKED int correlator_recheck(
	struct correlator *correlator, struct text key, bool carved, struct err *err);

/** The incidents of this key, as it is stored, were changed by somebody else: they are read anew.
 */
void correlator_changed(struct correlator *correlator, struct text key);

/** After a rollback: forgets all caches. */
void correlator_forget(struct correlator *correlator);
