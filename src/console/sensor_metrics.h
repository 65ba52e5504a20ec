/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which sensors and agents are heard, as metrics: read from the store when they are asked for. */

#include "base/metric.h"
#include "store/connection.h"

CHECKED int sensor_metrics_write(
	struct connection *connection, int64_t now_ns, struct buf *out, struct err *err);
