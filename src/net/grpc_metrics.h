/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the gRPC server counts, for /metrics. */

#include "base/metric.h"
#include "net/grpc_status.h"

/** Ended by NULL. */
struct metric_family *const *grpc_metrics(void);

/* From the server, on the loop's thread. */
void grpc_metrics_call(enum grpc_code code, const struct clock *clock);
void grpc_metrics_connections(size_t n, const struct clock *clock);
void grpc_metrics_flood(const struct clock *clock);
