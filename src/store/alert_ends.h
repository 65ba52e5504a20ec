/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* When stateful alerts end (ALERT_STATEFUL): beside their rows, because later deliveries say more.
 */

#include "model/alert.h"
#include "store/connection.h"

/** Joins what one delivery says into what is known of alert->leaf: the latest of each counts.
 * Writer. */
CHECKED int alert_end_join(
	struct connection *connection, const struct alert *alert, struct err *err);

/** Fills firing_until_ns and resolved_ns of an alert whose leaf is filled in. */
CHECKED int alert_end_read(struct connection *connection, struct alert *alert, struct err *err);

CHECKED int alert_end_remove(struct connection *connection, uint64_t leaf, struct err *err);
