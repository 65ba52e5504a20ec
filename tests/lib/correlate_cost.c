/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the correlator costs where much is stored already: counted in SQLite's own steps, so that it
 * does not depend on the machine. One JSON line per measurement (tests/property/
 * test_correlate_cost.py reads them).
 *
 *	correlate-cost FOLDER others N    one alert more, N slots of other pods stored
 *	correlate-cost FOLDER own N       one alert more, N slots of other incidents of its pod
 *stored correlate-cost FOLDER storm N     N alerts of one rule in one pod in a day correlate-cost
 *FOLDER pods N      N pods in an hour
 */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "documents/documents.h"
#include "pipeline/correlator.h"
#include "store/store.h"

/* Both change what memory is used for. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

#define NOW_NS (INT64_C(1790000000) / 86400 * 86400 * NS_PER_S)

enum { PER_COMMIT = 1000, HORIZON_DAYS = 30, SLOT_S = 300, DAY_S = 86400 };

struct cost {
	char path[4096];
	struct clock_manual clock;
	struct store *store;
	struct correlator *correlator;
	uint64_t n_alerts;
	struct batch *batch;
};

static const struct criticality_rules no_rules = {NULL, 0};

static void die(const struct err *err)
{
	fprintf(stderr, "correlate-cost: %s\n", err->text);
	exit(1);
}

static void open_store(struct cost *cost)
{
	struct err err;
	struct store_options options = {.path = cost->path,
		.clock = &cost->clock.clock,
		.horizon_s = (int64_t)DAY_S * 2 * HORIZON_DAYS};
	if (store_open(&cost->store, &options, &err) < 0)
		die(&err);
	cost->correlator = correlator_new(&no_rules);
	assert(cost->correlator);
}

static void close_store(struct cost *cost)
{
	correlator_free(cost->correlator);
	store_close(cost->store);
}

static void commit(struct cost *cost)
{
	struct err err;
	struct batch *batch = cost->batch;
	struct connection *connection = store_connection(cost->store);
	if (!batch)
		return;
	if (store_begin(cost->store, &err) < 0 || store_add_batch(cost->store, batch, &err) < 0)
		die(&err);
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		if (correlator_add(cost->correlator, connection, alert, &err) < 0)
			die(&err);
	if (correlator_finish(cost->correlator, connection, NOW_NS, &err) < 0 ||
		store_flush(cost->store, &err) < 0 || store_commit(cost->store, &err) < 0)
		die(&err);
	assert(batch->n_accepted == batch->n_alerts);
	batch_free(batch);
	cost->batch = NULL;
}

/* What an alert of the load is about. */
struct wanted {
	uint64_t pod;
	unsigned rule;
	int64_t time_ns;
};

static void add(struct cost *cost, const struct wanted *wanted)
{
	if (!cost->batch) {
		cost->batch = batch_new();
		assert(cost->batch);
		cost->batch->source = SOURCE_TOCSIN;
		cost->batch->cluster = TEXT("c");
	}
	struct batch *batch = cost->batch;
	struct arena *arena = &batch->arena;
	struct alert *alert = batch_alert_new(batch);
	assert(alert);
	alert->raw = arena_format(arena, "alert %" PRIu64, cost->n_alerts++);
	alert->raw_digest = digest_of(alert->raw);
	memcpy(alert->occ, alert->raw_digest.bytes, OCCURRENCE_BYTES);
	alert->time_ns = alert->received_ns = wanted->time_ns;
	alert->cluster = batch->cluster;
	alert->pod_uid = arena_format(arena, "uid-%" PRIu64, wanted->pod);
	alert->namespace = TEXT("ns");
	alert->pod = arena_format(arena, "pod-%" PRIu64, wanted->pod);
	alert->container_id = arena_format(arena, "%012" PRIx64, wanted->pod);
	alert->rule = arena_format(arena, "Rule %u", wanted->rule);
	alert->sensor = TEXT("falco");
	alert->severity = SEVERITY_MEDIUM;
	struct digest print = digest_of(alert->rule);
	memcpy(alert->fingerprint, print.bytes, FINGERPRINT_BYTES);
	batch_add(batch, alert);
	if (batch->n_alerts == PER_COMMIT)
		commit(cost);
}

/* ---- one alert more ---- */

/* Steps of all statements since this was last asked; *runs: how often one was run. */
static int64_t count_steps(struct cost *cost, int64_t *runs)
{
	int64_t steps = 0;
	sqlite3_stmt *statement = NULL;
	*runs = 0;
	while ((statement = sqlite3_next_stmt(store_connection(cost->store)->db, statement))) {
		steps += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
		*runs += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_RUN, 1);
	}
	return steps;
}

static int64_t count_pages(struct cost *cost)
{
	static const int counters[] = {SQLITE_DBSTATUS_CACHE_HIT, SQLITE_DBSTATUS_CACHE_MISS};
	int64_t pages = 0;
	for (size_t i = 0; i < 2; i++) {
		int now, highest;
		sqlite3_db_status(
			store_connection(cost->store)->db, counters[i], &now, &highest, 1);
		pages += now;
	}
	return pages;
}

static void measure(struct cost *cost, const char *name, uint64_t stored, struct wanted wanted)
{
	int64_t runs;
	count_steps(cost, &runs);
	count_pages(cost);
	add(cost, &wanted);
	commit(cost);
	int64_t steps = count_steps(cost, &runs);
	printf("{\"case\":\"%s\",\"stored\":%" PRIu64 ",\"statements\":%" PRId64
	       ",\"steps\":%" PRId64 ",\"pages\":%" PRId64 "}\n",
		name, stored, runs, steps, count_pages(cost));
}

static const uint64_t target = 1000000;

/* An incident of 12 slots on that day. */
static void add_session(struct cost *cost, uint64_t pod, int64_t day)
{
	for (int64_t i = 0; i < 12; i++)
		add(cost, &(struct wanted){pod, 1,
				  NOW_NS - (day * DAY_S - DAY_S / 2 - i * SLOT_S) * NS_PER_S});
	commit(cost);
}

static void measure_all(struct cost *cost, uint64_t stored)
{
	const int64_t slot_ns = SLOT_S * NS_PER_S, day_ns = DAY_S * NS_PER_S;
	int64_t last_ns = NOW_NS - 10 * day_ns + day_ns / 2;
	int64_t early_ns = last_ns - 10 * day_ns;
	measure(cost, "newest", stored, (struct wanted){target, 1, last_ns + 12 * slot_ns});
	measure(cost, "late", stored, (struct wanted){target, 1, early_ns + NS_PER_S});
	measure(cost, "late, behind", stored, (struct wanted){target, 1, early_ns + 20 * slot_ns});
	/* A rule that is news to the workload: its incidents of the 7 days after are scored anew.
	 */
	measure(cost, "late, news", stored, (struct wanted){target, 2, early_ns + 2 * NS_PER_S});
	measure(cost, "new pod", stored, (struct wanted){target + 1, 1, last_ns});
	close_store(cost);
	open_store(cost);
	measure(cost, "after a restart", stored,
		(struct wanted){target, 1, last_ns + 13 * slot_ns});
}

/* 288 pods in turn, slot after slot: as many in any span of time, whatever N is. */
static void measure_others(struct cost *cost, uint64_t n)
{
	int64_t step_ns = (int64_t)HORIZON_DAYS * DAY_S * NS_PER_S / (int64_t)(n / 288 + 1);
	for (uint64_t i = 0; i < n; i++)
		add(cost, &(struct wanted){i % 288, 1,
				  NOW_NS - (int64_t)HORIZON_DAYS * DAY_S * NS_PER_S +
					  (int64_t)(i / 288) * step_ns});
	commit(cost);
	for (int64_t day = HORIZON_DAYS; day >= 10; day -= 5)
		add_session(cost, target, day);
	measure_all(cost, n);
}

/* The same pod: the days that have incidents of 12 slots at noon are full of others at night. */
static void measure_own(struct cost *cost, uint64_t n)
{
	for (int64_t day = HORIZON_DAYS; day >= 10; day--) {
		for (uint64_t i = 0; i < n / (HORIZON_DAYS - 9) && i < 96; i++)
			add(cost, &(struct wanted){target, 1,
					  NOW_NS - (day * DAY_S - (int64_t)i * SLOT_S) * NS_PER_S});
		commit(cost);
		if (day % 5 == 0)
			add_session(cost, target, day);
	}
	measure_all(cost, n);
}

/* ---- much of one kind ---- */

static int64_t query(struct cost *cost, const char *sql)
{
	struct err err;
	sqlite3_stmt *statement = connection_statement(store_connection(cost->store), sql, &err);
	if (!statement || sql_step(statement, &err) <= 0)
		die(&err);
	int64_t value = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return value;
}

static int64_t resident_kb(void)
{
	char line[256];
	int64_t kb = 0;
	FILE *file = fopen("/proc/self/status", "r");
	assert(file);
	while (fgets(line, sizeof line, file))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = strtoll(line + 6, NULL, 10);
	fclose(file);
	return kb;
}

static double read_ms(struct cost *cost, bool list)
{
	struct err err;
	AUTO(buf_done) struct buf out;
	struct document_query wanted = {0};
	struct connection connection;
	buf_init(&out, DOCUMENT_BYTES_MAX);
	if (connection_open(&connection, cost->path, CONNECTION_READ, NULL, &err) < 0)
		die(&err);
	int64_t before_ns = clock_wall_ns(&clock_system);
	int failed = list ? document_incidents(&connection, &wanted, &out, &err)
			  : document_incident(&connection, TEXT("1"), &out, &err);
	if (failed)
		die(&err);
	int64_t after_ns = clock_wall_ns(&clock_system);
	connection_close(&connection);
	return (double)(after_ns - before_ns) / 1e6;
}

static void print_load(struct cost *cost, const char *name, uint64_t n, double seconds)
{
	int64_t kb = resident_kb();
	printf("{\"case\":\"%s\",\"alerts\":%" PRIu64 ",\"resident_kb\":%" PRId64
	       ",\"sanitized\":%s,\"seconds\":%.2f,\"incidents\":%" PRId64
	       ",\"rows_per_slot\":%" PRId64 ",\"row_bytes\":%" PRId64
	       ",\"incident_ms\":%.2f,\"list_ms\":%.2f}\n",
		name, n, kb, sanitized ? "true" : "false", seconds,
		query(cost, "SELECT count(*) FROM piece"),
		query(cost, "SELECT max(n) FROM (SELECT count(*) AS n FROM slot GROUP BY slot, "
			    "entity)"),
		query(cost, "SELECT max(length(samples) + length(techniques)) FROM slot"),
		read_ms(cost, false), read_ms(cost, true));
}

static void measure_load(struct cost *cost, const char *name, uint64_t n, int64_t span_s)
{
	bool storm = strcmp(name, "storm") == 0;
	int64_t began_ns = clock_wall_ns(&clock_system);
	for (uint64_t i = 0; i < n; i++)
		add(cost, &(struct wanted){storm ? 0 : i, 1,
				  NOW_NS - span_s * NS_PER_S +
					  (int64_t)((double)i / (double)n * (double)span_s * 1e9)});
	commit(cost);
	print_load(cost, name, n, (double)(clock_wall_ns(&clock_system) - began_ns) / 1e9);
}

int main(int argc, char **argv)
{
	static struct cost cost;
	if (argc != 4) {
		fputs("usage: correlate-cost FOLDER others|own|storm|pods N\n", stderr);
		return 64;
	}
	uint64_t n = strtoull(argv[3], NULL, 10);
	text_format(cost.path, sizeof cost.path, "%s/db", argv[1]);
	clock_manual_init(&cost.clock, NOW_NS);
	open_store(&cost);
	if (strcmp(argv[2], "others") == 0)
		measure_others(&cost, n);
	else if (strcmp(argv[2], "own") == 0)
		measure_own(&cost, n);
	else
		measure_load(&cost, argv[2], n, strcmp(argv[2], "storm") == 0 ? DAY_S : 3600);
	close_store(&cost);
	return 0;
}
