/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/store_rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "store/alerts.h"
#include "store/ledger_verify.h"

enum { PODS = 7, RULES = 5 };

void store_rig_init(struct store_rig *rig, const char *vfs)
{
	const char *temporary = getenv("TMPDIR");
	memset(rig, 0, sizeof *rig);
	text_format(rig->folder, sizeof rig->folder, "%s/tocsin-XXXXXX",
		temporary ? temporary : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(rig->folder));
	text_format(rig->path, sizeof rig->path, "%s/tocsin.db", rig->folder);
	rig->vfs = vfs;
	clock_manual_init(&rig->clock, (INT64_C(3600) + RIG_TIME_S) * NS_PER_S);
}

static void remove_files(const struct store_rig *rig)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char name[128];
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		text_format(name, sizeof name, "%s%s", rig->path, suffixes[i]);
		unlink(name);
	}
}

void store_rig_clear(struct store_rig *rig)
{
	store_rig_close(rig);
	remove_files(rig);
	memset(rig->tried, 0, sizeof rig->tried);
	memset(rig->acknowledged, 0, sizeof rig->acknowledged);
}

void store_rig_done(struct store_rig *rig)
{
	store_rig_clear(rig);
	ck_assert_int_eq(rmdir(rig->folder), 0);
}

static const struct criticality_rules no_rules;

static int open_with(struct store_rig *rig, const char *vfs, struct err *err)
{
	struct store_options options = {
		.path = rig->path,
		.vfs = vfs,
		.clock = &rig->clock.clock,
		.horizon_s = INT64_C(30) * 86400,
	};
	ck_assert_ptr_null(rig->store);
	if (store_open(&rig->store, &options, err) < 0)
		return -1;
	rig->correlator = correlator_new(&no_rules);
	ck_assert_ptr_nonnull(rig->correlator);
	return 0;
}

int store_rig_open(struct store_rig *rig, struct err *err)
{
	return open_with(rig, rig->vfs, err);
}

void store_rig_close(struct store_rig *rig)
{
	correlator_free(rig->correlator);
	store_close(rig->store);
	rig->correlator = NULL;
	rig->store = NULL;
}

struct batch *store_rig_batch(void)
{
	struct batch *batch = batch_new();
	ck_assert_ptr_nonnull(batch);
	batch->source = SOURCE_TOCSIN;
	batch->cluster = TEXT("c");
	batch->credential_id = 1;
	return batch;
}

static struct text raw_of(struct arena *arena, unsigned i)
{
	return arena_format(arena, "{\"number\":%u,\"text\":\"%032x\"}", i, i * 2654435761U);
}

struct alert *store_rig_alert(struct batch *batch, unsigned i)
{
	struct alert *alert = batch_alert_new(batch);
	struct arena *arena = &batch->arena;
	ck_assert_ptr_nonnull(alert);
	alert->raw = raw_of(arena, i);
	alert->raw_digest = digest_of(alert->raw);
	memcpy(alert->occ, alert->raw_digest.bytes, OCCURRENCE_BYTES);
	alert->time_ns = (RIG_TIME_S + INT64_C(1) * i) * NS_PER_S;
	alert->received_ns = alert->time_ns + NS_PER_S;
	alert->sensor = TEXT("rig");
	alert->node = TEXT("node-1");
	alert->namespace = TEXT("shop");
	alert->pod = arena_format(arena, "pod-%u", i % PODS);
	alert->pod_uid = arena_format(arena, "uid-%u", i % PODS);
	alert->rule = arena_format(arena, "rule %u", i % RULES);
	alert->severity = (enum severity)(i % N_SEVERITIES);
	alert->tactics = (tactic_mask)(1U << i % 4);
	struct digest print = digest_of(alert->rule);
	memcpy(alert->fingerprint, print.bytes, FINGERPRINT_BYTES);
	ck_assert(!arena->failed);
	batch_add(batch, alert);
	return alert;
}

struct alert *store_rig_quarantined(struct batch *batch, unsigned i)
{
	struct alert *alert = batch_alert_new(batch);
	ck_assert_ptr_nonnull(alert);
	alert->kind = LEAF_QUARANTINED;
	alert->raw = arena_format(&batch->arena, "not JSON, number %u", i);
	alert->raw_digest = digest_of(alert->raw);
	alert->received_ns = RIG_TIME_S * NS_PER_S;
	alert->sensor = TEXT("rig");
	alert->quarantine_reason = TEXT("not JSON");
	batch_add(batch, alert);
	return alert;
}

static int commit(struct store_rig *rig, struct batch *batch, struct err *err)
{
	struct connection *connection = store_connection(rig->store);
	if (store_begin(rig->store, err) < 0 || store_add_batch(rig->store, batch, err) < 0)
		return -1;
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		if (correlator_add(rig->correlator, connection, alert, err) < 0)
			return -1;
	if (correlator_finish(rig->correlator, connection, clock_wall_ns(&rig->clock.clock), err) <
			0 ||
		store_flush(rig->store, err) < 0)
		return -1;
	return store_commit(rig->store, err);
}

int store_rig_commit(struct store_rig *rig, struct batch *batch, struct err *err)
{
	if (commit(rig, batch, err) == 0)
		return 0;
	store_rollback(rig->store);
	correlator_forget(rig->correlator);
	return -1;
}

int store_rig_add(struct store_rig *rig, unsigned from, unsigned to, struct err *err)
{
	struct batch *batch = store_rig_batch();
	ck_assert_uint_le(to, RIG_ALERTS_MAX);
	for (unsigned i = from; i < to; i++) {
		store_rig_alert(batch, i);
		rig->tried[i] = true;
	}
	int failed = store_rig_commit(rig, batch, err);
	for (unsigned i = from; i < to && !failed; i++)
		rig->acknowledged[i] = true;
	batch_free(batch);
	return failed;
}

int store_rig_recover(struct store_rig *rig, struct err *err)
{
	if (store_recover(rig->store, err) < 0)
		return -1;
	correlator_forget(rig->correlator);
	return 0;
}

int64_t store_rig_number(struct connection *connection, const char *sql)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL);
	ck_assert_msg(code == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(connection->db));
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

static void check_alert(struct connection *connection, unsigned i)
{
	AUTO(arena_done) struct arena arena;
	struct err err = {0};
	struct alert alert;
	uint64_t leaf;
	char hex[2 * OCCURRENCE_BYTES + 1];
	arena_init(&arena, 1024 * 1024);
	struct text raw = raw_of(&arena, i);
	struct digest digest = digest_of(raw);
	text_hex(hex, digest.bytes, OCCURRENCE_BYTES);
	ck_assert_msg(alert_find(connection, text_of(hex), &leaf, &err) == 0,
		"alert %u was acknowledged: %s", i, err.text);
	ck_assert_msg(alert_read(connection, leaf, &arena, &alert, &err) == 0, "alert %u: %s", i,
		err.text);
	ck_assert_msg(text_equal(alert.raw, raw), "alert %u has other bytes", i);
}

static void check_ledger(struct connection *connection)
{
	struct ledger_report report;
	struct err err = {0};
	ck_assert_msg(ledger_verify(connection, NULL, NULL, &report, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(report.n_broken, 0);
	ck_assert_uint_eq(report.n_broken_tiles, 0);
	ck_assert_uint_eq(report.broken_audit_id, 0);
	ck_assert_uint_eq(report.n_verified, report.n_leaves);
}

void store_rig_check(struct store_rig *rig)
{
	struct err err = {0};
	int64_t n_tried = 0;
	ck_assert_msg(open_with(rig, NULL, &err) == 0, "%s", err.text);
	struct connection *connection = store_connection(rig->store);
	for (unsigned i = 0; i < RIG_ALERTS_MAX; i++) {
		n_tried += rig->tried[i];
		if (rig->acknowledged[i])
			check_alert(connection, i);
	}
	int64_t n = store_rig_number(connection, "SELECT count(*) FROM alert");
	ck_assert_int_le(n, n_tried);
	ck_assert_int_eq(store_rig_number(connection, "SELECT count(DISTINCT occ) FROM alert"), n);
	ck_assert_int_eq(store_rig_number(connection, "SELECT count(*) FROM duplicate"), n);
	ck_assert_int_eq(store_rig_number(connection, "SELECT (SELECT count(*) FROM alert)"
						      " + (SELECT count(*) FROM quarantine)"),
		(int64_t)store_leaves(rig->store));
	ck_assert_int_eq(store_rig_number(connection, "SELECT coalesce(sum(n), 0) FROM piece"), n);
	ck_assert_int_eq(store_rig_number(connection, "SELECT coalesce(sum(n), 0) FROM slot"), n);
	ck_assert_int_eq(store_rig_number(connection, "SELECT count(*) FROM pragma_integrity_check"
						      " WHERE integrity_check <> 'ok'"),
		0);
	check_ledger(connection);
	store_rig_close(rig);
}
