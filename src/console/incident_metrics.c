/* SPDX-License-Identifier: Apache-2.0 */
#include "console/incident_metrics.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "console/sensor_metrics.h"
#include "store/incident_counts.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, TEXT_BYTES_MAX = 8 * 1024 * 1024 };

static struct metric_family incidents = {
	.name = "tocsin_incidents",
	.help = "Incidents that are kept, by state and severity.",
	.type = METRIC_GAUGE,
	.n_labels = 2,
	.labels = {"state", "severity"},
};

static struct metric_family escalations = {
	.name = "container_privilege_escalation",
	.help = "1 while an open incident of the pod shows privilege escalation.",
	.type = METRIC_GAUGE,
	.n_labels = 2,
	.labels = {"namespace", "pod"},
};

static struct metric_family hidden = {
	.name = "tocsin_privilege_escalation_pods_hidden",
	.help = "Pods with privilege escalation beyond those that are shown.",
	.type = METRIC_GAUGE,
};

struct metric_family *const *incident_metrics(void)
{
	static struct metric_family *const families[] = {&incidents, &escalations, &hidden, NULL};
	return families;
}

struct made {
	struct snapshot snapshot; /* first */
	int64_t made_after_ms;
	struct buf text;
};

static void made_free(struct snapshot *snapshot)
{
	struct made *made = (struct made *)(void *)snapshot;
	buf_done(&made->text);
	free(made);
}

bool incident_metrics_add(struct snapshot_slot *slot, const struct clock *clock, struct buf *out)
{
	struct snapshot *snapshot = snapshot_ref(slot);
	const struct made *made = (const struct made *)(const void *)snapshot;
	bool fresh = made && clock_monotonic_ms(clock) - made->made_after_ms < INCIDENT_METRICS_MS;
	if (fresh)
		buf_add(out, buf_text(&made->text));
	snapshot_unref(snapshot);
	return fresh;
}

static void write_counts(const struct incident_counts *counts, struct buf *out)
{
	metric_write_head(out, &incidents);
	for (unsigned state = 0; state < N_INCIDENT_STATES; state++)
		for (unsigned severity = 0; severity < N_SEVERITIES; severity++)
			metric_write_sample(out, &incidents,
				(struct text[]){
					text_of(incident_state_name((enum incident_state)state)),
					text_of(severity_name((enum severity)severity))},
				(int64_t)counts->n[state][severity]);
	metric_write_head(out, &escalations);
	for (size_t i = 0; i < counts->n_pods; i++)
		metric_write_sample(out, &escalations,
			(struct text[]){counts->pods[i].namespace, counts->pods[i].pod}, 1);
	metric_write_head(out, &hidden);
	metric_write_sample(out, &hidden, NULL, (int64_t)counts->n_pods_hidden);
}

int incident_metrics_of(
	struct connection *connection, const struct scope *scope, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct incident_counts counts;
	arena_init(&arena, ARENA_BYTES);
	if (incident_counts_read(connection, scope, &arena, &counts, err) < 0)
		return -1;
	write_counts(&counts, out);
	return buf_ok(out) ? 0 : buf_error(out, err, "the metrics of incidents");
}

int incident_metrics_refresh(struct connection *connection, struct snapshot_slot *slot,
	const struct clock *clock, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct incident_counts counts;
	arena_init(&arena, ARENA_BYTES);
	if (incident_counts_read(connection, NULL, &arena, &counts, err) < 0)
		return -1;
	struct made *made = calloc(1, sizeof *made);
	if (!made)
		return err_set(err, ERR_MEMORY, "out of memory for the metrics of incidents");
	made->snapshot.free = made_free;
	made->made_after_ms = clock_monotonic_ms(clock);
	buf_init(&made->text, TEXT_BYTES_MAX);
	write_counts(&counts, &made->text);
	if (sensor_metrics_write(connection, clock_wall_ns(clock), &made->text, err) < 0) {
		made_free(&made->snapshot);
		return -1;
	}
	if (!buf_ok(&made->text)) {
		made_free(&made->snapshot);
		return err_set(err, ERR_LIMIT, "the metrics of incidents are too long");
	}
	snapshot_publish(slot, &made->snapshot);
	return 0;
}
