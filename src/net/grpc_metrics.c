/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_metrics.h"

static struct metric_family calls = {
	.name = "tocsin_grpc_calls_total",
	.help = "Calls over gRPC that ended, by status.",
	.type = METRIC_COUNTER,
	.n_labels = 1,
	.labels = {"code"},
	.max_series = 17,
};

static struct metric_family connections = {
	.name = "tocsin_grpc_connections",
	.help = "Connections to the gRPC port.",
	.type = METRIC_GAUGE,
};

static struct metric_family floods = {
	.name = "tocsin_grpc_floods_total",
	.help = "Connections to the gRPC port that were ended because they only made work.",
	.type = METRIC_COUNTER,
};

struct metric_family *const *grpc_metrics(void)
{
	static struct metric_family *const families[] = {&calls, &connections, &floods, NULL};
	return families;
}

void grpc_metrics_call(enum grpc_code code, const struct clock *clock)
{
	const struct text label = text_of(grpc_code_name(code));
	metric_add(metric_series(&calls, clock, &label), 1);
}

void grpc_metrics_connections(size_t n, const struct clock *clock)
{
	metric_set(metric_series(&connections, clock, NULL), (int64_t)n);
}

void grpc_metrics_flood(const struct clock *clock)
{
	metric_add(metric_series(&floods, clock, NULL), 1);
}
