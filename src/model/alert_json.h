/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* An alert as the API and the command line show it: schema/json/alert.schema.json. */

#include "base/emit.h"
#include "model/alert.h"

/** @incident: the number of its incident; 0: none. */
void alert_write_json(struct emitter *writer, const struct alert *alert, uint64_t incident);
