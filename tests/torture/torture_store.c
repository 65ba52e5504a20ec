/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The store and the correlation above it, in a database on memory. A transaction that failed is
 * rolled back (where memory stays short: without memory) and nothing may be left of it: the same
 * alerts are then stored, and everything must read back as from a database where nothing failed.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decode/body.h"
#include "documents/documents.h"
#include "pipeline/correlator.h"
#include "store/alerts.h"
#include "store/audit.h"
#include "store/ledger_verify.h"
#include "store/store.h"
#include "store/tokens.h"
#include "tests/lib/torture.h"
#include "tests/lib/torture_sqlite.h"

enum { N_ALERTS = 12, DOCUMENT_BYTES = 1 << 22 };
#define NOW_NS (INT64_C(1795478400) * NS_PER_S)

static struct {
	char folder[64], path[96];
	struct clock_manual clock;
	struct store *store;
	struct correlator *correlator;
	struct batch *batch;
	struct buf body, expected, found, half;
	bool used; /* the batch is stored: the next run needs a new database */
} rig;

static const struct criticality_rules no_rules = {0};

static void must(int result, const struct err *err)
{
	if (result >= 0)
		return;
	fprintf(stderr, "torture_store: %s: %s\n", err_kind_name(err->kind), err->text);
	abort();
}

/* ---- the rig, with all memory ---- */

static void remove_files(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char name[128];
	for (unsigned i = 0; i < 4; i++) {
		text_format(name, sizeof name, "%s%s", rig.path, suffixes[i]);
		unlink(name);
	}
}

static int open_store(struct err *err)
{
	struct store_options options = {
		.path = rig.path, .clock = &rig.clock.clock, .horizon_s = INT64_C(30) * 86400};
	return store_open(&rig.store, &options, err);
}

static void close_store(void)
{
	store_close(rig.store);
	correlator_free(rig.correlator);
	rig.store = NULL;
	rig.correlator = NULL;
}

static void write_body(unsigned first)
{
	static const char *const tags[] = {"execution", "persistence", "credential_access"};
	buf_clear(&rig.body);
	for (unsigned i = first; i < first + N_ALERTS; i++)
		buf_addf(&rig.body,
			"{\"rule\":\"Rule %u\",\"priority\":\"Warning\",\"output\":\"out %u\","
			"\"time\":\"2026-11-21T19:%02u:28.1Z\",\"tags\":[\"mitre_%s\"],"
			"\"hostname\":\"node-1\",\"output_fields\":{\"container.id\":\"%012x\","
			"\"k8s.ns.name\":\"shop\",\"k8s.pod.name\":\"pod-%u\",\"proc.name\":\"sh\","
			"\"proc.cmdline\":\"sh -c \\\"run "
			"%u\\\"\",\"user.name\":\"\\u0072oot\"}}\n",
			i % 5, i, 2 * i, tags[i % 3], i % 2, i % 2, i);
	buf_addf(&rig.body, "{\"no\":\"alert\",\"at\":%u}\n", first);
	assert(buf_ok(&rig.body));
}

static void decode(unsigned first)
{
	struct err err;
	batch_free(rig.batch);
	write_body(first);
	rig.batch = batch_new();
	assert(rig.batch);
	rig.batch->source = SOURCE_FALCO;
	rig.batch->cluster = TEXT("c");
	rig.batch->credential_id = 1;
	must(body_decode(buf_text(&rig.body), NOW_NS, rig.batch, &err), &err);
	assert(rig.batch->n_alerts == N_ALERTS + 1);
}

static int correlate(struct err *err)
{
	struct connection *connection = store_connection(rig.store);
	for (struct alert *alert = rig.batch->first; alert; alert = alert->next)
		if (correlator_add(rig.correlator, connection, alert, err) < 0)
			return -1;
	return correlator_finish(rig.correlator, connection, NOW_NS, err);
}

static int store_batch(struct err *err)
{
	if (store_begin(rig.store, err) < 0 || store_add_batch(rig.store, rig.batch, err) < 0 ||
		correlate(err) < 0 || store_flush(rig.store, err) < 0)
		return -1;
	return store_commit(rig.store, err);
}

/* A copy of a database with half of what will be stored: a state to go back to. */
static void new_database(void)
{
	struct err err;
	close_store();
	remove_files();
	FILE *file = fopen(rig.path, "we");
	assert(file);
	size_t written = fwrite(rig.half.data, 1, rig.half.size, file);
	fclose(file);
	assert(written == rig.half.size);
	must(open_store(&err), &err);
	rig.correlator = correlator_new(&no_rules);
	assert(rig.correlator);
	rig.used = false;
}

/* Two tokens and what the audit trail says of them. */
static int add_tokens(struct err *err)
{
	static const char *const names[] = {"one", "two"};
	for (unsigned i = 0; i < 2; i++) {
		struct credential token = {.name = text_of(names[i]),
			.role = ROLE_SOURCE,
			.cluster = TEXT("c"),
			.node = TEXT("node-1"),
			.created_at_ns = NOW_NS};
		struct audit_entry entry = {.time_ns = NOW_NS,
			.actor = TEXT("local"),
			.action = TEXT("token.create"),
			.target = token.name,
			.detail = TEXT("{\"a\":1}")};
		memset(token.digest.bytes, (int)i, DIGEST_BYTES);
		if (token_insert(store_connection(rig.store), &token, err) < 0 ||
			audit_append(store_connection(rig.store), &entry, err) < 0)
			return -1;
	}
	return 0;
}

static void make_half(void)
{
	struct err err;
	must(open_store(&err), &err);
	rig.correlator = correlator_new(&no_rules);
	assert(rig.correlator);
	decode(0);
	must(store_batch(&err), &err);
	must(add_tokens(&err), &err);
	close_store(); /* empties the log too */
	FILE *file = fopen(rig.path, "re");
	char *room = buf_reserve(&rig.half, DOCUMENT_BYTES);
	assert(file && room);
	buf_commit(&rig.half, fread(room, 1, DOCUMENT_BYTES, file));
	fclose(file);
	assert(rig.half.size > 0 && rig.half.size < DOCUMENT_BYTES);
}

static void prepare_batch(void)
{
	if (rig.used)
		new_database();
	decode(N_ALERTS);
}

/* ---- what is read back ---- */

typedef int (*document)(struct connection *connection, struct buf *out, struct err *err);

static int write_alerts(struct connection *connection, struct buf *out, struct err *err)
{
	const struct document_query all = {0}, quarantined = {.quarantined = true};
	if (document_alerts(connection, &all, out, err) < 0)
		return -1;
	return document_alerts(connection, &quarantined, out, err);
}

static int write_raw(struct connection *connection, struct buf *out, struct err *err)
{
	char number[24];
	for (unsigned leaf = 0; leaf < N_ALERTS; leaf++) {
		text_format(number, sizeof number, "%u", leaf);
		if (document_alert(connection, text_of(number), out, err) < 0 ||
			document_raw(connection, text_of(number), out, err) < 0)
			return -1;
	}
	return 0;
}

static int write_incidents(struct connection *connection, struct buf *out, struct err *err)
{
	const struct document_query all = {0};
	if (document_incidents(connection, &all, out, err) < 0)
		return -1;
	return document_incident(connection, TEXT("1"), out, err);
}

static int write_administration(struct connection *connection, struct buf *out, struct err *err)
{
	const struct document_query all = {0};
	if (document_sources(connection, NULL, out, err) < 0 ||
		document_tokens(connection, &all, out, err) < 0 ||
		document_audit(connection, &all, out, err) < 0)
		return -1;
	return document_ledger(connection, out, err);
}

static const document documents[] = {
	write_alerts, write_raw, write_incidents, write_administration};

static void verify_ledger(uint64_t n_leaves)
{
	struct err err;
	struct ledger_report report;
	must(ledger_verify(store_connection(rig.store), NULL, NULL, &report, &err), &err);
	assert(report.n_leaves == n_leaves && report.n_verified == n_leaves);
	assert(report.n_broken == 0 && report.n_broken_tiles == 0);
}

static void check_all(void)
{
	struct err err;
	verify_ledger(2 * (N_ALERTS + 1));
	buf_clear(&rig.found);
	for (size_t i = 0; i < 3; i++) /* what administration shows holds times of day */
		must(documents[i](store_connection(rig.store), &rig.found, &err), &err);
	if (!text_equal(buf_text(&rig.found), buf_text(&rig.expected))) {
		fprintf(stderr, "expected: %s\nfound: %s\n", buf_string(&rig.expected),
			buf_string(&rig.found));
		abort();
	}
}

/* ---- operations ---- */

static void prepare_files(void)
{
	close_store();
	remove_files();
	rig.used = true;
}

static bool opens(void)
{
	struct err err;
	int failed = open_store(&err);
	torture_end();
	if (failed < 0) {
		assert(!rig.store);
		return torture_reported(&err);
	}
	verify_ledger(0);
	return true;
}

static bool stores(void)
{
	struct err err, other;
	uint64_t n_before = store_leaves(rig.store);
	if (store_batch(&err) == 0) {
		torture_end();
		rig.used = true;
		check_all();
		return true;
	}
	if (!torture_lasts())
		torture_end();
	store_rollback(rig.store);
	correlator_forget(rig.correlator);
	torture_end();
	assert(store_leaves(rig.store) == n_before);
	torture_reported(&err);
	/* As the writer does: the same database, without opening it again. */
	decode(N_ALERTS);
	must(store_batch(&other), &other);
	rig.used = true;
	check_all();
	return false;
}

static void prepare_reading(void)
{
	struct err err;
	if (!rig.used || !rig.store) {
		new_database();
		decode(N_ALERTS);
		must(store_batch(&err), &err);
		rig.used = true;
	}
}

/* Document @i from a connection of its own, as readers have it. */
static bool reads(unsigned i)
{
	struct err err;
	struct connection connection;
	AUTO(buf_done) struct buf out, again;
	buf_init(&out, DOCUMENT_BYTES);
	buf_init(&again, DOCUMENT_BYTES);
	if (connection_open(&connection, rig.path, CONNECTION_READ, NULL, &err) < 0)
		return torture_reported(&err);
	int failed = documents[i](&connection, &out, &err);
	connection_close(&connection);
	torture_end();
	if (failed < 0)
		return torture_reported(&err);
	if (!buf_ok(&out)) /* the caller's to check */
		return false;
	must(documents[i](store_connection(rig.store), &again, &err), &err);
	if (text_equal(buf_text(&out), buf_text(&again)))
		return true;
	fprintf(stderr, "expected: %s\nfound: %s\n", buf_string(&again), buf_string(&out));
	abort();
}

static bool reads_alerts(void)
{
	return reads(0);
}

static bool reads_raw(void)
{
	return reads(1);
}

static bool reads_incidents(void)
{
	return reads(2);
}

static bool reads_administration(void)
{
	return reads(3);
}

/* Duplicates leave counts behind that idle time writes. */
static void prepare_idle(void)
{
	struct err err;
	prepare_reading();
	decode(N_ALERTS);
	must(store_batch(&err), &err);
}

static bool loads_tokens(void)
{
	struct err err;
	struct credential_set *set;
	if (tokens_load(store_connection(rig.store), &set, &err) < 0)
		return torture_reported(&err);
	assert(set->n == 2);
	for (size_t i = 0; i < set->n; i++)
		assert(text_is(set->items[i].node, "node-1"));
	set->snapshot.free(&set->snapshot);
	return true;
}

static bool works_idle(void)
{
	struct err err;
	int more = store_idle(rig.store, &err);
	torture_end();
	if (more < 0)
		torture_reported(&err);
	verify_ledger(2 * (N_ALERTS + 1));
	return more >= 0;
}

static bool verifies(void)
{
	struct err err;
	struct ledger_report report;
	if (ledger_verify(store_connection(rig.store), NULL, NULL, &report, &err) < 0)
		return torture_reported(&err);
	assert(report.n_verified == 2 * (N_ALERTS + 1) && report.n_broken == 0);
	assert(report.n_broken_tiles == 0 && report.broken_audit_id == 0);
	return true;
}

static void rig_start(void)
{
	struct err err;
	const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	text_format(rig.folder, sizeof rig.folder, "%s/tocsin-torture-XXXXXX", memory);
	const char *made = mkdtemp(rig.folder);
	assert(made);
	text_format(rig.path, sizeof rig.path, "%s/tocsin.db", rig.folder);
	clock_manual_init(&rig.clock, NOW_NS);
	buf_init(&rig.body, 1 << 20);
	buf_init(&rig.expected, DOCUMENT_BYTES);
	buf_init(&rig.found, DOCUMENT_BYTES);
	buf_init(&rig.half, DOCUMENT_BYTES);
	make_half();
	new_database();
	decode(N_ALERTS);
	must(store_batch(&err), &err);
	for (size_t i = 0; i < 3; i++)
		must(documents[i](store_connection(rig.store), &rig.expected, &err), &err);
	assert(buf_ok(&rig.expected));
	rig.used = true;
}

static void rig_stop(void)
{
	close_store();
	remove_files();
	rmdir(rig.folder);
	batch_free(rig.batch);
	buf_done(&rig.body);
	buf_done(&rig.expected);
	buf_done(&rig.found);
	buf_done(&rig.half);
}

int main(void)
{
	static const struct torture_case ours[] = {
		{.name = "open", .run = opens, .prepare = prepare_files},
		{.name = "add, correlate, commit", .run = stores, .prepare = prepare_batch},
		{.name = "idle work", .run = works_idle, .prepare = prepare_idle},
		{.name = "load tokens", .run = loads_tokens, .prepare = prepare_reading},
		{.name = "read alerts", .run = reads_alerts, .prepare = prepare_reading},
		{.name = "read raw", .run = reads_raw, .prepare = prepare_reading},
		{.name = "read incidents", .run = reads_incidents, .prepare = prepare_reading},
		{.name = "read the rest", .run = reads_administration, .prepare = prepare_reading},
		{.name = "verify", .run = verifies, .prepare = prepare_reading},
		{0},
	};
	static const struct torture_case with_sqlite[] = {
		{.name = "open", .run = opens, .prepare = prepare_files, .step = 41},
		{.name = "add", .run = stores, .prepare = prepare_batch, .step = 41},
		{.name = "alerts", .run = reads_alerts, .prepare = prepare_reading, .step = 7},
		{.name = "raw", .run = reads_raw, .prepare = prepare_reading, .step = 7},
		{.name = "incidents",
			.run = reads_incidents,
			.prepare = prepare_reading,
			.step = 7},
		{.name = "rest",
			.run = reads_administration,
			.prepare = prepare_reading,
			.step = 7},
		{0},
	};
	torture_sqlite_start();
	rig_start();
	int status = torture_run("store", ours);
	torture_sqlite_fails(true);
	if (status == EXIT_SUCCESS)
		status = torture_run("store, SQLite", with_sqlite);
	rig_stop();
	return status;
}
