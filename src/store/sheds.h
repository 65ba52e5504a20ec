/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What agents had to shed: one row beside each LEAF_SHED. */

#include "model/alert.h"
#include "store/alert_rows.h"

CHECKED int shed_row_insert(struct connection *connection, const struct alert *alert,
	const struct alert_place *place, struct err *err);
