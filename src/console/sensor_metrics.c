/* SPDX-License-Identifier: Apache-2.0 */
#include "console/sensor_metrics.h"

#include "store/sensor_counts.h"

static struct metric_family sensors = {
	.name = "tocsin_sensors",
	.help = "Sensors on nodes, by source and whether they watch; unknown: they never speak of "
		"themselves.",
	.type = METRIC_GAUGE,
	.n_labels = 2,
	.labels = {"source", "state"},
};

static struct metric_family silent = {
	.name = "tocsin_source_silent_seconds",
	.help = "Seconds since anything was heard from the source.",
	.type = METRIC_GAUGE,
	.n_labels = 1,
	.labels = {"source"},
};

static struct metric_family agents = {
	.name = "tocsin_agents",
	.help = "Agents on nodes, by whether they are heard.",
	.type = METRIC_GAUGE,
	.n_labels = 1,
	.labels = {"state"},
};

static struct text source_name(size_t source)
{
	return text_of(source_info((enum source)source)->name);
}

static void write_sensors(const struct sensor_counts *counts, struct buf *out)
{
	metric_write_head(out, &sensors);
	for (size_t source = SOURCE_NONE + 1; source < N_SOURCES; source++)
		for (size_t state = 0; counts->last_heard_ns[source] && state < N_SENSOR_STATES;
			state++)
			metric_write_sample(out, &sensors,
				(struct text[]){source_name(source),
					text_of(state ? coverage_state_name(
								(enum coverage_state)state)
						      : "unknown")},
				(int64_t)counts->n[source][state]);
}

int sensor_metrics_write(
	struct connection *connection, int64_t now_ns, struct buf *out, struct err *err)
{
	struct sensor_counts counts;
	if (sensor_counts_read(connection, now_ns, &counts, err) < 0)
		return -1;
	write_sensors(&counts, out);
	metric_write_head(out, &silent);
	for (size_t source = SOURCE_NONE + 1; source < N_SOURCES; source++) {
		int64_t silent_ns = now_ns - counts.last_heard_ns[source];
		struct text label = source_name(source);
		if (counts.last_heard_ns[source])
			metric_write_sample(
				out, &silent, &label, silent_ns > 0 ? silent_ns / 1000000000 : 0);
	}
	metric_write_head(out, &agents);
	for (size_t state = 0; state < N_AGENT_STATES; state++) {
		struct text label = text_of(agent_state_name((enum agent_state)state));
		metric_write_sample(out, &agents, &label, (int64_t)counts.agents[state]);
	}
	return 0;
}
