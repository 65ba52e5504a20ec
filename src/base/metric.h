/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Prometheus metrics. A family is a static object with a fixed number of labels; its series are
 * found or made by the one thread that owns the family, and read by any thread.
 *
 * A new counter series is exposed as 0 at first and with its value only after it was scraped once
 * or is 60 s old: a counter born at 1 has no rate(), so rules would miss the first event. Series
 * are never removed; over `max_series` the label that `overflow_label` names becomes "other", over
 * twice as many all labels do: none is unbounded.
 */

#include <stdatomic.h>

#include "base/buf.h"
#include "base/clock.h"

enum { METRIC_LABELS_MAX = 4, METRIC_BUCKETS_MAX = 16 };

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_series;

struct metric_family {
	const char *name;
	const char *help;
	enum metric_type type;
	unsigned n_labels;
	const char *labels[METRIC_LABELS_MAX];
	unsigned max_series; /* 0: 1 */
	unsigned overflow_label;
	const double *buckets; /* histogram: upper bounds, ascending, ended by 0 */
	/* state */
	_Atomic(struct metric_series *) first;
	struct metric_series *last;
	struct table *index;  /* by labels; the owner's, as all below */
	struct cache *recent; /* by values */
	struct buf key;
	unsigned n_series;
};

/**
 * The series with these label values (family->n_labels of them), made if new. Owner thread only.
 * NULL without memory: metric_add and its siblings accept that.
 */
struct metric_series *metric_series(
	struct metric_family *family, const struct clock *clock, const struct text *values);

void metric_add(struct metric_series *series, uint64_t n);       /* any thread */
void metric_set(struct metric_series *series, int64_t value);    /* gauge; any thread */
void metric_observe(struct metric_series *series, double value); /* histogram; any thread */
uint64_t metric_value(const struct metric_series *series);       /* counter or gauge */

/** Appends all families in Prometheus text format 0.0.4. @families ends with NULL. Any thread. */
void metric_write(
	struct buf *out, struct metric_family *const *families, const struct clock *clock);

/**
 * A family that has no series: its samples are known only when they are asked for. A gauge, its
 * head and then one sample after the other, with n_labels values each. Any thread.
 */
void metric_write_head(struct buf *out, const struct metric_family *family);
void metric_write_sample(struct buf *out, const struct metric_family *family,
	const struct text *values, int64_t value);

/** For a family's end of life (tests, exit). */
void metric_family_done(struct metric_family *family);
