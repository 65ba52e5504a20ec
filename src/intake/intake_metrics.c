/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/delivery.h"

static const double seconds_buckets[] = {
	0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 0};

static struct metric_family alerts_total = {
	.name = "tocsin_ingest_alerts_total",
	.help = "Alerts received, by what became of them; refused counts requests.",
	.type = METRIC_COUNTER,
	.n_labels = 2,
	.labels = {"source", "outcome"},
	.max_series = N_SOURCES * N_INGEST_OUTCOMES,
};

static struct metric_family ingest_seconds = {
	.name = "tocsin_ingest_seconds",
	.help = "From the header of a request to its answer, which comes after COMMIT.",
	.type = METRIC_HISTOGRAM,
	.buckets = seconds_buckets,
};

static struct metric_family shed_total = {
	.name = "tocsin_shed_total",
	.help = "Alerts that agents had no room for, by source; each lot is a leaf of the ledger.",
	.type = METRIC_COUNTER,
	.n_labels = 1,
	.labels = {"source"},
	.max_series = N_SOURCES,
};

static struct metric_family *const families[] = {&alerts_total, &ingest_seconds, &shed_total, NULL};

struct metric_family *const *intake_metrics(void)
{
	return families;
}

bool intake_metrics_init(struct intake *intake)
{
	static const char *const outcomes[] = {
		[INGEST_ACCEPTED] = "accepted",
		[INGEST_DUPLICATE] = "duplicate",
		[INGEST_QUARANTINED] = "quarantined",
		[INGEST_REFUSED] = "refused",
	};
	for (unsigned i = SOURCE_NONE; i < N_SOURCES; i++) {
		struct text values[] = {text_of(source_info((enum source)i)->name), TEXT_NONE};
		if (i != SOURCE_NONE)
			intake->shed[i] = metric_series(&shed_total, intake->clock, values);
		for (unsigned j = 0; j < N_INGEST_OUTCOMES; j++) {
			values[1] = text_of(outcomes[j]);
			intake->alerts[i][j] = metric_series(&alerts_total, intake->clock, values);
			if (!intake->alerts[i][j])
				return false;
		}
	}
	intake->seconds = metric_series(&ingest_seconds, intake->clock, NULL);
	return intake->seconds != NULL;
}

void intake_metrics_done(void)
{
	for (struct metric_family *const *family = families; *family; family++)
		metric_family_done(*family);
}
