/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/coverage.h"

#include <stdlib.h>
#include <string.h>

enum {
	SILENT_MS = 3 * 60 * 1000, /* of one that speaks every minute */
	LOSSES_MAX = 64,           /* that wait; more: they grow together */
	SENSOR_BYTES = 64,
};

_Static_assert(LOSSES_MAX > N_SOURCES * COVERAGE_SHED, "make_room finds two of a kind");

struct sensor {
	bool is_heard, is_regular, is_silent;
	int64_t connected_ns, heard_ns, heard_after_ms, silent_ns;
	char name[SENSOR_BYTES]; /* of its family, as the collector's own alerts have it */
};

struct agent_coverage {
	const struct clock *clock;
	struct sensor sensors[N_SOURCES];
	struct coverage losses[LOSSES_MAX];
	size_t n_losses, n_reported;
	struct coverage rows[2 * N_SOURCES + LOSSES_MAX];
};

struct agent_coverage *agent_coverage_new(const struct clock *clock)
{
	struct agent_coverage *coverage = calloc(1, sizeof *coverage);
	if (!coverage)
		return NULL;
	coverage->clock = clock;
	return coverage;
}

void agent_coverage_free(struct agent_coverage *coverage)
{
	free(coverage);
}

static bool is_same_kind(const struct coverage *one, const struct coverage *other)
{
	return one->source == other->source && one->state == other->state;
}

static void grow(struct coverage *one, const struct coverage *loss)
{
	if (loss->until_ns > one->until_ns)
		one->until_ns = loss->until_ns;
	if (loss->from_ns < one->from_ns)
		one->from_ns = loss->from_ns;
	one->n += loss->n;
}

/* Two of a kind become one, as there are more places than kinds. If it was reported, it is again:
 * rather too much than nothing. */
static void make_room(struct agent_coverage *coverage)
{
	for (size_t i = 0; i < coverage->n_losses; i++)
		for (size_t j = i + 1; j < coverage->n_losses; j++) {
			struct coverage *one = &coverage->losses[i], *other = &coverage->losses[j];
			if (!is_same_kind(one, other))
				continue;
			grow(one, other);
			memmove(other, other + 1, (--coverage->n_losses - j) * sizeof *other);
			coverage->n_reported = i < coverage->n_reported ? i : coverage->n_reported;
			return;
		}
}

static void add_loss(struct agent_coverage *coverage, const struct coverage *loss)
{
	for (size_t i = coverage->n_reported; i < coverage->n_losses; i++) {
		struct coverage *one = &coverage->losses[i];
		if (!is_same_kind(one, loss) ||
			(coverage->n_losses < LOSSES_MAX && loss->from_ns > one->until_ns))
			continue;
		grow(one, loss);
		return;
	}
	if (coverage->n_losses == LOSSES_MAX)
		make_room(coverage);
	coverage->losses[coverage->n_losses++] = *loss;
}

static void add_interval(struct agent_coverage *coverage, enum coverage_state state,
	enum source source, int64_t from_ns, int64_t until_ns, uint64_t n)
{
	const struct coverage loss = {
		.source = source == SOURCE_NONE ? SOURCE_FALCO : source,
		.state = state,
		.from_ns = from_ns && from_ns < until_ns ? from_ns : until_ns,
		.until_ns = until_ns,
		.n = n,
	};
	add_loss(coverage, &loss);
}

void agent_coverage_lost(struct agent_coverage *coverage, enum source source, int64_t from_ns,
	int64_t until_ns, uint64_t n)
{
	add_interval(coverage, COVERAGE_DROPPING, source, from_ns, until_ns, n);
}

void agent_coverage_throttled(struct agent_coverage *coverage, enum source source, int64_t from_ns,
	int64_t until_ns, uint64_t n)
{
	add_interval(coverage, COVERAGE_THROTTLED, source, from_ns, until_ns, n);
}

static void look(struct agent_coverage *coverage, struct sensor *sensor)
{
	int64_t now_ms = clock_monotonic_ms(coverage->clock);
	if (!sensor->is_heard || !sensor->is_regular || sensor->is_silent ||
		now_ms - sensor->heard_after_ms <= SILENT_MS)
		return;
	sensor->is_silent = true;
	sensor->silent_ns = sensor->heard_ns;
}

/* It speaks again. What was before the silence may not have been told either. */
static void end_silence(
	struct agent_coverage *coverage, struct sensor *sensor, enum source source, int64_t now_ns)
{
	if (sensor->connected_ns < sensor->silent_ns)
		add_interval(coverage, COVERAGE_CONNECTED, source, sensor->connected_ns,
			sensor->silent_ns, 0);
	add_interval(coverage, COVERAGE_SILENT, source, sensor->silent_ns,
		now_ns > sensor->silent_ns ? now_ns : sensor->silent_ns, 0);
	sensor->is_silent = sensor->is_heard = false;
}

void agent_coverage_heard(struct agent_coverage *coverage, const struct alert *alert)
{
	struct sensor *sensor = &coverage->sensors[alert->source];
	look(coverage, sensor);
	if (sensor->is_silent)
		end_silence(coverage, sensor, alert->source, alert->received_ns);
	/* What a sensor says that it lost the collector reads from the same alert. */
	if (alert->health && alert->health->kind == HEALTH_METRICS)
		sensor->is_regular = true;
	if (!text_equal(text_of(sensor->name), alert->sensor))
		text_format(sensor->name, sizeof sensor->name, "%.*s", TEXT_ARG(alert->sensor));
	if (!sensor->is_heard)
		sensor->connected_ns = alert->received_ns;
	sensor->is_heard = true;
	sensor->heard_ns = alert->received_ns;
	sensor->heard_after_ms = clock_monotonic_ms(coverage->clock);
}

/* One that was never heard may lose alerts, too: at its first that finds no room. */
static struct text name_of(const struct agent_coverage *coverage, enum source source)
{
	struct text name = text_of(coverage->sensors[source].name);
	return name.size ? name : text_of(source_info(source)->name);
}

const struct coverage *agent_coverage_report(struct agent_coverage *coverage)
{
	int64_t now_ns = clock_wall_ns(coverage->clock);
	size_t n = 0;
	for (unsigned i = 1; i < N_SOURCES; i++) {
		struct sensor *sensor = &coverage->sensors[i];
		struct coverage row = {
			.source = (enum source)i,
			.sensor = name_of(coverage, (enum source)i),
			.state = COVERAGE_CONNECTED,
			.from_ns = sensor->connected_ns,
			.until_ns = sensor->heard_ns,
		};
		look(coverage, sensor);
		if (!sensor->is_heard)
			continue;
		if (row.until_ns < row.from_ns)
			row.until_ns = row.from_ns;
		coverage->rows[n++] = row;
		if (!sensor->is_silent)
			continue;
		row.state = COVERAGE_SILENT;
		row.from_ns = sensor->silent_ns;
		row.until_ns = now_ns > row.from_ns ? now_ns : row.from_ns;
		coverage->rows[n++] = row;
	}
	for (size_t i = 0; i < coverage->n_losses; i++) {
		coverage->rows[n] = coverage->losses[i];
		coverage->rows[n++].sensor = name_of(coverage, coverage->losses[i].source);
	}
	coverage->n_reported = coverage->n_losses;
	for (size_t i = 0; i < n; i++)
		coverage->rows[i].next = i + 1 < n ? &coverage->rows[i + 1] : NULL;
	return n ? coverage->rows : NULL;
}

void agent_coverage_reported(struct agent_coverage *coverage)
{
	size_t left = coverage->n_losses - coverage->n_reported;
	for (size_t i = 0; i < left; i++)
		coverage->losses[i] = coverage->losses[coverage->n_reported + i];
	coverage->n_losses = left;
	coverage->n_reported = 0;
}
