/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "base/utf8.h"

/* 2 × 1 024 combinations of values as they came: finding one spares writing its labels. */
enum { HIDDEN_MS = 60000, KEY_BYTES = 4096, RECENT = 1024 };

struct metric_series {
	_Atomic(struct metric_series *) next;
	const struct metric_family *family;
	_Atomic uint64_t value; /* gauges: the bits of an int64 */
	_Atomic uint64_t counts[METRIC_BUCKETS_MAX + 1];
	_Atomic uint64_t sum_nano; /* histograms: the sum in 1e-9 */
	_Atomic bool scraped;
	int64_t born_after_ms;
	char *labels; /* "{a="b",…}" without braces, escaped */
};

/* Nothing to escape or to repair: almost always. */
static bool is_plain(struct text value)
{
	for (size_t i = 0; i < value.size; i++)
		if ((unsigned char)value.data[i] >= 0x80 || value.data[i] == '\n' ||
			value.data[i] == '"' || value.data[i] == '\\')
			return false;
	return true;
}

static void escape_label(struct buf *out, struct text value)
{
	AUTO(buf_done) struct buf valid;
	buf_init(&valid, KEY_BYTES);
	utf8_repair(&valid, value);
	struct text text = buf_text(&valid);
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '\n') {
			buf_add_string(out, "\\n");
			continue;
		}
		if (text.data[i] == '"' || text.data[i] == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, (unsigned char)text.data[i]);
	}
	if (!buf_ok(&valid))
		out->failed = out->no_memory = true;
}

static struct text label_value(struct text value)
{
	return text_part(value, 0, KEY_BYTES / 4);
}

static void write_labels(
	struct buf *out, const struct metric_family *family, const struct text *values)
{
	for (unsigned i = 0; i < family->n_labels; i++) {
		struct text value = label_value(values[i]);
		buf_add_string(out, i ? "," : "");
		buf_add_string(out, family->labels[i]);
		buf_add_string(out, "=\"");
		if (is_plain(value))
			buf_add(out, value);
		else
			escape_label(out, value);
		buf_add_byte(out, '"');
	}
}

static struct metric_series *make_series(
	struct metric_family *family, const struct clock *clock, struct text labels)
{
	struct metric_series *series = calloc(1, sizeof *series);
	char *copy = strndup(labels.data ? labels.data : "", labels.size);
	union table_value *place = series && copy ? table_put(family->index, labels) : NULL;
	if (!place) {
		free(copy);
		free(series);
		return NULL;
	}
	series->labels = copy;
	series->family = family;
	series->born_after_ms = clock_monotonic_ms(clock);
	place->pointer = series;
	if (family->last)
		atomic_store_explicit(&family->last->next, series, memory_order_release);
	else
		atomic_store_explicit(&family->first, series, memory_order_release);
	family->last = series;
	family->n_series++;
	return series;
}

static union table_value *find_series(const struct metric_family *family, const struct buf *labels)
{
	return buf_ok(labels) ? table_get(family->index, buf_text(labels)) : NULL;
}

/* Over the cap: the overflow label is "other", or @all of them are. */
static void write_other_labels(
	struct buf *out, const struct metric_family *family, const struct text *values, bool all)
{
	struct text bounded[METRIC_LABELS_MAX] = {{0}};
	for (unsigned i = 0; i < family->n_labels; i++)
		bounded[i] = all || i == family->overflow_label ? TEXT("other") : values[i];
	buf_clear(out);
	write_labels(out, family, bounded);
}

/* The series whose labels say @values, made if new. */
static struct metric_series *find_or_make(
	struct metric_family *family, const struct clock *clock, const struct text *values)
{
	AUTO(buf_done) struct buf labels;
	size_t max = family->max_series ? family->max_series : 1;
	buf_init(&labels, KEY_BYTES * METRIC_LABELS_MAX);
	if (!family->index && !(family->index = table_new(NULL)))
		return NULL;
	write_labels(&labels, family, values);
	union table_value *found = find_series(family, &labels);
	for (unsigned round = 1; round <= 2 && family->n_labels; round++) {
		/* Labels that could not be written whole would be those of another series. */
		if (found || !buf_ok(&labels) || family->n_series < round * max)
			break;
		write_other_labels(&labels, family, values, round == 2);
		found = find_series(family, &labels);
	}
	if (found)
		return found->pointer;
	return buf_ok(&labels) ? make_series(family, clock, buf_text(&labels)) : NULL;
}

/* Where the values' series is kept, NULL in it at first; NULL without memory. As series are never
 * removed, the same values always have the same one. */
static union table_value *recent_place(struct metric_family *family, const struct text *values)
{
	struct buf *key = &family->key;
	if (!family->recent && !(family->recent = cache_new(RECENT, NULL)))
		return NULL;
	key->max = KEY_BYTES * METRIC_LABELS_MAX;
	buf_clear(key);
	for (unsigned i = 0; i < family->n_labels; i++)
		buf_add_sized(key, label_value(values[i]));
	return buf_ok(key) ? cache_put(family->recent, buf_text(key)) : NULL;
}

struct metric_series *metric_series(
	struct metric_family *family, const struct clock *clock, const struct text *values)
{
	union table_value *place = recent_place(family, values);
	if (!place)
		return find_or_make(family, clock, values);
	if (!place->pointer)
		place->pointer = find_or_make(family, clock, values);
	return place->pointer;
}

void metric_add(struct metric_series *series, uint64_t n)
{
	if (series)
		atomic_fetch_add_explicit(&series->value, n, memory_order_relaxed);
}

void metric_set(struct metric_series *series, int64_t value)
{
	if (series)
		atomic_store_explicit(&series->value, (uint64_t)value, memory_order_relaxed);
}

void metric_observe(struct metric_series *series, double value)
{
	if (!series)
		return;
	value = value > 0 ? value : 0; /* a clock may have gone back */
	unsigned i = 0;
	const double *buckets = series->family->buckets;
	while (i < METRIC_BUCKETS_MAX && buckets[i] > 0 && value > buckets[i])
		i++;
	atomic_fetch_add_explicit(&series->counts[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(
		&series->sum_nano, (uint64_t)(value * 1e9 + 0.5), memory_order_relaxed);
	atomic_fetch_add_explicit(&series->value, 1, memory_order_relaxed);
}

uint64_t metric_value(const struct metric_series *series)
{
	return series ? atomic_load_explicit(&series->value, memory_order_relaxed) : 0;
}

static void write_histogram(struct buf *out, const struct metric_series *series)
{
	const struct metric_family *family = series->family;
	const char *comma = series->labels[0] ? "," : "";
	uint64_t running = 0;
	for (unsigned i = 0; i < METRIC_BUCKETS_MAX && family->buckets[i] > 0; i++) {
		running += atomic_load(&series->counts[i]);
		buf_addf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", family->name, series->labels,
			comma, family->buckets[i], (unsigned long long)running);
	}
	uint64_t total = metric_value(series);
	total = total < running ? running : total;
	uint64_t nano = atomic_load(&series->sum_nano);
	buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", family->name, series->labels, comma,
		(unsigned long long)total);
	const char *open = series->labels[0] ? "{" : "";
	const char *close = series->labels[0] ? "}" : "";
	buf_addf(out, "%s_sum%s%s%s %llu.%09llu\n", family->name, open, series->labels, close,
		(unsigned long long)(nano / 1000000000U), (unsigned long long)(nano % 1000000000U));
	buf_addf(out, "%s_count%s%s%s %llu\n", family->name, open, series->labels, close,
		(unsigned long long)total);
}

static void write_series(struct buf *out, struct metric_series *series, const struct clock *clock)
{
	const struct metric_family *family = series->family;
	if (family->type == METRIC_HISTOGRAM) {
		write_histogram(out, series);
		return;
	}
	bool hidden = family->type == METRIC_COUNTER && family->n_labels &&
		      !atomic_exchange(&series->scraped, true) &&
		      clock_monotonic_ms(clock) - series->born_after_ms < HIDDEN_MS;
	buf_add_string(out, family->name);
	if (series->labels[0])
		buf_addf(out, "{%s}", series->labels);
	buf_add_byte(out, ' ');
	if (family->type == METRIC_GAUGE)
		buf_add_i64(out, (int64_t)metric_value(series));
	else
		buf_add_u64(out, hidden ? 0 : metric_value(series));
	buf_add_byte(out, '\n');
}

void metric_write_head(struct buf *out, const struct metric_family *family)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
		types[family->type]);
}

void metric_write_sample(struct buf *out, const struct metric_family *family,
	const struct text *values, int64_t value)
{
	buf_add_string(out, family->name);
	if (family->n_labels) {
		buf_add_byte(out, '{');
		write_labels(out, family, values);
		buf_add_byte(out, '}');
	}
	buf_add_byte(out, ' ');
	buf_add_i64(out, value);
	buf_add_byte(out, '\n');
}

void metric_write(struct buf *out, struct metric_family *const *families, const struct clock *clock)
{
	for (; *families; families++) {
		struct metric_family *family = *families;
		metric_write_head(out, family);
		struct metric_series *series =
			atomic_load_explicit(&family->first, memory_order_acquire);
		for (; series; series = atomic_load_explicit(&series->next, memory_order_acquire))
			write_series(out, series, clock);
	}
}

void metric_family_done(struct metric_family *family)
{
	struct metric_series *series = atomic_load(&family->first);
	while (series) {
		struct metric_series *next = atomic_load(&series->next);
		free(series->labels);
		free(series);
		series = next;
	}
	table_free(family->index);
	cache_free(family->recent);
	buf_done(&family->key);
	atomic_store(&family->first, NULL);
	family->last = NULL;
	family->index = NULL;
	family->recent = NULL;
	family->n_series = 0;
}
