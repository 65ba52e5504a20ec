/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/filled_store.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "decode/body.h"
#include "store/alerts.h"
#include "store/ledger_verify.h"
#include "tests/lib/unsynced_vfs.h"

/* 2026-11-21 12:00 UTC */
static const int64_t start_ns = INT64_C(1795262400) * NS_PER_S;

static void die(const char *what, const struct err *err)
{
	ck_abort_msg("%s: %s", what, err->text);
}

void filled_store_open(struct filled_store *self)
{
	struct err err;
	/* A killed process is tested with it, a lost disk is not: thousands of commits are quick.
	 */
	struct store_options options = {.path = self->path,
		.vfs = unsynced_vfs(),
		.clock = &self->clock.clock,
		.horizon_s = INT64_C(3650) * FILLED_DAY_S};
	if (store_open(&self->store, &options, &err) < 0)
		die("open", &err);
}

void filled_store_close(struct filled_store *self)
{
	store_close(self->store);
	self->store = NULL;
}

void filled_store_init(struct filled_store *self)
{
	*self = (struct filled_store){.word = "shop"};
	text_format(self->folder, sizeof self->folder, "/tmp/tocsin-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(self->folder));
	text_format(self->path, sizeof self->path, "%s/t.db", self->folder);
	clock_manual_init(&self->clock, start_ns);
	filled_store_open(self);
}

void filled_store_done(struct filled_store *self)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	filled_store_close(self);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		char path[128];
		text_format(path, sizeof path, "%s%s", self->path, ends[i]);
		unlink(path);
	}
	rmdir(self->folder);
	free(self->leaves);
}

void filled_store_reopen(struct filled_store *self)
{
	filled_store_close(self);
	filled_store_open(self);
}

static uint64_t mixed(uint64_t value)
{
	value ^= value >> 33;
	value *= UINT64_C(0xff51afd7ed558ccd);
	value ^= value >> 33;
	value *= UINT64_C(0xc4ceb9fe1a85ec53);
	return value ^ value >> 33;
}

static void write_padding(const struct filled_store *self, uint64_t i, struct buf *out)
{
	for (size_t j = 0; j < self->pad_bytes; j += 16) {
		uint64_t value = self->noise ? mixed(i * 131071 + j) : j % 7;
		buf_addf(out, "%016llx", (unsigned long long)value);
	}
}

/* As Falco prints it, with the numbers of a real one: pod, container, process, time. */
static void write_alert(
	const struct filled_store *self, uint64_t i, int64_t time_ns, struct buf *out)
{
	char time[CLOCK_TEXT_BYTES];
	uint64_t random = mixed(i);
	clock_format(time_ns + (int64_t)i, time);
	buf_addf(out,
		"{\"uuid\":\"%016llx\",\"hostname\":\"node-%llu\",\"priority\":\"Warning\","
		"\"rule\":\"Terminal shell in %s "
		"%llu\",\"source\":\"syscall\",\"tags\":[\"container\","
		"\"shell\",\"mitre_execution\",\"T1059\"],\"time\":\"%s\",\"output\":\"A shell was "
		"spawned in a %s container with an attached terminal | pad=",
		(unsigned long long)random, (unsigned long long)(random % 40), self->word,
		(unsigned long long)(i % 5), time, self->word);
	write_padding(self, i, out);
	buf_addf(out,
		"\",\"output_fields\":{\"container.id\":\"%012llx\",\"k8s.ns.name\":\"%s\","
		"\"k8s.pod.name\":\"%s-755f25fcf-%05llx\",\"proc.name\":\"sh\",\"proc.pid\":%llu,"
		"\"proc.cmdline\":\"sh -c %s --id %llu\",\"user.name\":\"root\"}}\n",
		(unsigned long long)(random & 0xffffffffffff), self->word, self->word,
		(unsigned long long)(random % 400), (unsigned long long)(random % 32768),
		self->word, (unsigned long long)i);
}

void filled_store_begin(struct filled_store *self)
{
	struct err err;
	if (store_begin(self->store, &err) < 0)
		die("begin", &err);
}

/* Some alerts have had a field cut, so that commitments are among what must stay. */
static void cut_a_field(struct batch *batch, struct alert *alert)
{
	alert->redactions = arena_array(&batch->arena, 1, sizeof *alert->redactions);
	ck_assert_ptr_nonnull(alert->redactions);
	alert->redactions[0] = (struct redaction){.path = TEXT("/token"), .value = TEXT("secret")};
	alert->n_redactions = 1;
}

static void remember(struct filled_store *self, const struct alert *alert, int64_t received_ns)
{
	size_t n = (size_t)alert->leaf + 1;
	if (n > self->n_leaves) {
		self->leaves = realloc(self->leaves, n * sizeof *self->leaves);
		self->n_leaves = n;
	}
	self->leaves[alert->leaf] = (struct filled_leaf){
		digest_of(alert->raw), alert->source, received_ns / (FILLED_DAY_S * NS_PER_S)};
}

void filled_store_put(struct filled_store *self, enum source source, size_t n)
{
	struct err err;
	int64_t now_ns = clock_wall_ns(&self->clock.clock);
	struct batch *batch = batch_new();
	AUTO(buf_done) struct buf body;
	buf_init(&body, 64 * 1024 * 1024);
	for (size_t i = 0; i < n; i++)
		write_alert(self, self->next++, now_ns, &body);
	ck_assert_ptr_nonnull(batch);
	ck_assert(buf_ok(&body));
	batch->source = source;
	batch->cluster = TEXT("default");
	if (body_decode(buf_text(&body), now_ns, batch, &err) < 0)
		die("decode", &err);
	for (struct alert *alert = batch->first; alert; alert = alert->next)
		if (alert->raw.data[9] == '7')
			cut_a_field(batch, alert);
	if (store_add_batch(self->store, batch, &err) < 0)
		die("add", &err);
	ck_assert_uint_eq(batch->n_accepted, n);
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		remember(self, alert, now_ns);
	batch_free(batch);
}

void filled_store_commit(struct filled_store *self)
{
	struct err err;
	if (store_flush(self->store, &err) < 0 || store_commit(self->store, &err) < 0)
		die("commit", &err);
}

void filled_store_add(struct filled_store *self, enum source source, size_t n)
{
	filled_store_begin(self);
	filled_store_put(self, source, n);
	filled_store_commit(self);
}

size_t filled_store_idle(struct filled_store *self)
{
	struct err err;
	for (size_t n = 1;; n++) {
		int more = store_idle(self->store, &err);
		if (more < 0)
			die("idle", &err);
		if (!more)
			return n;
		ck_assert_uint_lt(n, 1000000);
	}
}

static void check_leaf(struct filled_store *self, struct connection *reader, uint64_t leaf)
{
	struct err err;
	struct alert alert;
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, SIZE_MAX);
	if (alert_read(reader, leaf, &arena, &alert, &err) < 0)
		die("read", &err);
	struct digest raw = digest_of(alert.raw);
	ck_assert_mem_eq(raw.bytes, self->leaves[leaf].raw.bytes, DIGEST_BYTES);
	ck_assert_int_eq(alert.source, self->leaves[leaf].source);
}

void filled_store_check(struct filled_store *self)
{
	struct err err;
	struct connection reader;
	struct ledger_report report;
	if (connection_open(&reader, self->path, CONNECTION_READ, NULL, &err) < 0)
		die("reader", &err);
	for (uint64_t leaf = 0; leaf < self->n_leaves; leaf++)
		check_leaf(self, &reader, leaf);
	if (ledger_verify(&reader, NULL, NULL, &report, &err) < 0)
		die("verify", &err);
	ck_assert_uint_eq(report.n_leaves, self->n_leaves);
	ck_assert_uint_eq(report.n_verified, self->n_leaves);
	ck_assert_uint_eq(report.n_broken, 0);
	ck_assert_uint_eq(report.n_broken_tiles, 0);
	connection_close(&reader);
}

int64_t filled_store_number(struct filled_store *self, const char *sql)
{
	sqlite3_stmt *statement;
	sqlite3 *db = store_connection(self->store)->db;
	ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s: %s", sql,
		sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

void filled_store_run(struct filled_store *self, const char *sql)
{
	struct err err;
	if (connection_run(store_connection(self->store), sql, &err) < 0)
		die(sql, &err);
}
