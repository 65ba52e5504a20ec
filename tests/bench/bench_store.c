/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pipeline without network: decode, deduplicate, ledger, rows, correlation, COMMIT with FULL;
 *beside it raw SQLite inserts of the same bytes, interleaved in the same run. One JSON line per
 *measurement.
 *
 *	bench-store LINES FOLDER ROUNDS [PER_COMMIT]
 *
 * With PER_COMMIT only the pipeline, at that size: for profiling.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "decode/body.h"
#include "pipeline/correlator.h"
#include "store/dictionary_train.h"
#include "store/store.h"
#include "tests/lib/load_alerts.h"

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
	       (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
}

static void die(const struct err *err)
{
	fprintf(stderr, "bench-store: %s\n", err->text);
	exit(1);
}

struct bench {
	struct load_alerts *alerts;
	uint64_t next;
	const char *folder;
	struct store *store;
	struct correlator *correlator;
	struct connection raw;
	size_t raw_bytes;
};

static void fill_body(struct bench *bench, size_t n, struct buf *body)
{
	buf_clear(body);
	for (size_t i = 0; i < n; i++) {
		load_alert_write(bench->alerts, bench->next++, body);
		buf_add_byte(body, '\n');
	}
	bench->raw_bytes += body->size;
}

static void commit_batch(struct bench *bench, struct text body)
{
	struct err err;
	struct batch *batch = batch_new();
	assert(batch);
	batch->source = SOURCE_FALCO;
	batch->cluster = TEXT("default");
	struct connection *connection = store_connection(bench->store);
	int64_t now_ns = clock_wall_ns(&clock_system);
	if (body_decode(body, now_ns, batch, &err) < 0 || store_begin(bench->store, &err) < 0 ||
		store_add_batch(bench->store, batch, &err) < 0)
		die(&err);
	for (struct alert *alert = batch->first; alert; alert = alert->next)
		if (correlator_add(bench->correlator, connection, alert, &err) < 0)
			die(&err);
	if (correlator_finish(bench->correlator, connection, now_ns, &err) < 0 ||
		store_flush(bench->store, &err) < 0 || store_commit(bench->store, &err) < 0)
		die(&err);
	assert(batch->n_accepted == batch->n_alerts);
	batch_free(batch);
}

static void insert_raw(struct bench *bench, struct text body)
{
	struct err err;
	struct text line;
	if (connection_run(&bench->raw, "BEGIN IMMEDIATE", &err) < 0)
		die(&err);
	while (text_split(&body, '\n', &line) && line.size) {
		sqlite3_stmt *statement = connection_statement(
			&bench->raw, "INSERT INTO raw (body) VALUES (?1)", &err);
		if (!statement)
			die(&err);
		sql_bind_blob(statement, 1, line.data, line.size);
		if (sql_run(statement, &err) < 0)
			die(&err);
	}
	if (connection_run(&bench->raw, "COMMIT", &err) < 0)
		die(&err);
}

static void measure(struct bench *bench, bool raw, size_t per_commit, size_t n_alerts)
{
	double cpu = 0, wall = 0;
	struct buf body;
	buf_init(&body, 64 * 1024 * 1024);
	for (size_t i = 0; i < n_alerts; i += per_commit) {
		fill_body(bench, per_commit, &body);
		double cpu_before = cpu_seconds();
		int64_t before_ns = clock_wall_ns(&clock_system);
		if (raw)
			insert_raw(bench, buf_text(&body));
		else
			commit_batch(bench, buf_text(&body));
		wall += (double)(clock_wall_ns(&clock_system) - before_ns) / 1e9;
		cpu += cpu_seconds() - cpu_before;
	}
	buf_done(&body);
	printf("{\"bench\":\"%s\",\"per_commit\":%zu,\"alerts\":%zu,\"cpu_us\":%.2f,\"per_second\":"
	       "%.0f}\n",
		raw ? "raw-sqlite" : "pipeline", per_commit, n_alerts, cpu * 1e6 / (double)n_alerts,
		(double)n_alerts / wall);
	fflush(stdout);
}

static const struct criticality_rules no_rules = {NULL, 0};

/* As the trainer does. */
static void keep_dictionary(struct bench *bench, const char *path)
{
	struct err err;
	struct connection reader;
	AUTO(buf_done) struct buf bytes;
	bool enough;
	buf_init(&bytes, DICTIONARY_BYTES + 1);
	if (connection_open(&reader, path, CONNECTION_READ, NULL, &err) < 0)
		die(&err);
	const struct dictionary_wish wish = {.source = SOURCE_FALCO};
	int better = dictionary_train(&reader, &wish, &bytes, &enough, &err);
	connection_close(&reader);
	struct dictionary_made made = {SOURCE_FALCO, buf_text(&bytes)};
	if (better < 0)
		die(&err);
	if (better && (store_begin(bench->store, &err) < 0 ||
			      store_add_dictionary(bench->store, &made, &err) < 0 ||
			      store_commit(bench->store, &err) < 0))
		die(&err);
}

/* All slices there are; the longest one, in ms. */
static double idle(struct bench *bench)
{
	struct err err;
	double longest = 0;
	int more = 1;
	while (more > 0) {
		int64_t before_ns = clock_wall_ns(&clock_system);
		more = store_idle(bench->store, &err);
		double ms = (double)(clock_wall_ns(&clock_system) - before_ns) / 1e6;
		longest = ms > longest ? ms : longest;
	}
	if (more < 0)
		die(&err);
	return longest;
}

static int64_t number(struct bench *bench, const char *sql)
{
	struct err err;
	sqlite3_stmt *statement;
	sqlite3 *db = store_connection(bench->store)->db;
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
		sql_step(statement, &err) < 0) {
		connection_error(db, sqlite3_errcode(db), &err);
		die(&err);
	}
	int64_t found = sql_i64(statement, 0);
	sqlite3_finalize(statement);
	return found;
}

/* Bytes an alert in the file, and without the pages that are free for what comes. */
static void print_stored(struct bench *bench, const char *name, size_t per_commit, double slice_ms)
{
	struct err err;
	if (connection_run(
		    store_connection(bench->store), "PRAGMA wal_checkpoint(TRUNCATE)", &err) < 0)
		die(&err);
	double n = (double)store_leaves(bench->store);
	double all = (double)store_file_bytes(bench->store);
	double unused = 8192.0 * (double)number(bench, "PRAGMA freelist_count");
	double raw = (double)bench->raw_bytes / (double)bench->next;
	printf("{\"bench\":\"%s\",\"per_commit\":%zu,\"alerts\":%.0f,\"bytes_per_alert\":%.0f,"
	       "\"used_bytes_per_alert\":%.0f,\"frame_bytes_per_alert\":%.0f,"
	       "\"raw_bytes_per_alert\":%.0f,\"share\":%.3f,\"longest_slice_ms\":%.1f}\n",
		name, per_commit, n, all / n, (all - unused) / n,
		(double)number(bench, "SELECT sum(length(frame)) FROM block") / n, raw,
		all / n / raw, slice_ms);
	fflush(stdout);
}

static void open_store(struct bench *bench, const char *path)
{
	struct err err;
	struct store_options options = {
		.path = path, .clock = &clock_system, .horizon_s = INT64_C(30) * 86400};
	if (store_open(&bench->store, &options, &err) < 0)
		die(&err);
	bench->correlator = correlator_new(&no_rules);
	assert(bench->correlator);
}

static void close_store(struct bench *bench)
{
	correlator_free(bench->correlator);
	store_close(bench->store);
}

/* What alerts cost on disk when each commit has @per_commit: as committed, or with idle time, which
 * comes after every hundred and brings a dictionary when there are samples enough. */
static void measure_stored(struct bench *bench, size_t per_commit, bool with_idle)
{
	char path[4096];
	struct buf body;
	double longest = 0;
	const size_t n_alerts = 20000;
	buf_init(&body, 64 * 1024 * 1024);
	text_format(path, sizeof path, "%s/stored-%zu-%d.db", bench->folder, per_commit, with_idle);
	open_store(bench, path);
	bool trained = false;
	for (size_t i = 0; i < n_alerts; i += per_commit) {
		fill_body(bench, per_commit, &body);
		commit_batch(bench, buf_text(&body));
		if (with_idle && !trained && i >= DICTIONARY_SAMPLES_MIN) {
			keep_dictionary(bench, path);
			trained = true;
		}
		double ms = with_idle && i % (100 * per_commit) == 0 ? idle(bench) : 0;
		longest = ms > longest ? ms : longest;
	}
	print_stored(bench, with_idle ? "stored-idle" : "stored-plain", per_commit, longest);
	buf_done(&body);
	close_store(bench);
}

static void open_all(struct bench *bench, const char *lines)
{
	static char path[4096], raw[4096];
	struct err err;
	int64_t first_ns = clock_wall_ns(&clock_system) - INT64_C(7200) * NS_PER_S;
	text_format(path, sizeof path, "%s/bench.db", bench->folder);
	text_format(raw, sizeof raw, "%s/raw.db", bench->folder);
	open_store(bench, path);
	if (load_alerts_read(&bench->alerts, lines, first_ns, 1000, &err) < 0 ||
		connection_open(&bench->raw, raw, CONNECTION_WRITE, NULL, &err) < 0 ||
		connection_run(&bench->raw,
			"CREATE TABLE raw (id INTEGER PRIMARY KEY, body BLOB NOT NULL)", &err) < 0)
		die(&err);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {1, 64, 256, 1000};
	if (argc != 4 && argc != 5) {
		fputs("usage: bench-store LINES FOLDER ROUNDS [PER_COMMIT]\n", stderr);
		return 64;
	}
	struct bench bench = {.folder = argv[2]};
	open_all(&bench, argv[1]);
	measure(&bench, false, 1000, 10000); /* warm-up */
	long rounds = strtol(argv[3], NULL, 10);
	for (long round = 0; argc == 5 && round < rounds; round++)
		measure(&bench, false, strtoul(argv[4], NULL, 10), 40000);
	if (argc == 5)
		return 0;
	for (long round = rounds; round > 0; round--)
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			size_t n = sizes[i] == 1 ? 1000 : sizes[i] * 40;
			measure(&bench, false, sizes[i], n);
			measure(&bench, true, sizes[i], n);
		}
	print_stored(&bench, "stored-bytes", 0, 0);
	print_stored(&bench, "stored-bytes-after-idle", 0, idle(&bench));
	close_store(&bench);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (int with_idle = 0; with_idle <= 1; with_idle++)
			measure_stored(&bench, sizes[i], with_idle);
	connection_close(&bench.raw);
	load_alerts_free(bench.alerts);
	return 0;
}
