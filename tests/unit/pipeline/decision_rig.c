/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pipeline/decision_rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "model/slot.h"
#include "pipeline/echoes.h"
#include "pipeline/snoozes.h"
#include "pipeline/suppressor.h"

/* 2026-09-21T14:20:00Z is the beginning of a slot. */
#define BEGIN_NS (INT64_C(1790000400) * NS_PER_S)

static void open_store(struct rig *rig)
{
	struct err err;
	char path[96];
	text_format(path, sizeof path, "%s/tocsin.db", rig->folder);
	struct store_options options = {
		.path = path, .clock = &rig->clock.clock, .horizon_s = INT64_C(3650) * 86400};
	ck_assert_msg(store_open(&rig->store, &options, &err) == 0, "%s", err.text);
	rig->correlator = correlator_new(&rig->criticality);
	rig->suppressor = suppressor_new();
	ck_assert(rig->correlator && rig->suppressor);
}

static void new_batch(struct rig *rig)
{
	rig->batch = batch_new();
	ck_assert_ptr_nonnull(rig->batch);
	rig->batch->source = SOURCE_TOCSIN;
	rig->batch->cluster = TEXT("c");
}

void rig_open(struct rig *rig)
{
	*rig = (struct rig){0};
	text_format(rig->folder, sizeof rig->folder, "/tmp/decisions-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(rig->folder));
	arena_init(&rig->arena, SIZE_MAX);
	clock_manual_init(&rig->clock, BEGIN_NS);
	open_store(rig);
	new_batch(rig);
}

static void close_store(struct rig *rig)
{
	correlator_free(rig->correlator);
	suppressor_free(rig->suppressor);
	store_close(rig->store);
}

void rig_close(struct rig *rig)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	batch_free(rig->batch);
	close_store(rig);
	for (size_t i = 0; i < 3; i++) {
		char path[96];
		text_format(path, sizeof path, "%s/tocsin.db%s", rig->folder, ends[i]);
		unlink(path);
	}
	ck_assert_int_eq(rmdir(rig->folder), 0);
	arena_done(&rig->arena);
}

void rig_restart(struct rig *rig)
{
	close_store(rig);
	open_store(rig);
}

int64_t rig_time(int64_t at_s)
{
	return BEGIN_NS + at_s * NS_PER_S;
}

int64_t rig_slot(int64_t at_s)
{
	return slot_of(rig_time(at_s));
}

void rig_clock(struct rig *rig, int64_t at_s)
{
	rig->clock.wall_ns = rig_time(at_s);
}

struct connection *rig_connection(struct rig *rig)
{
	return store_connection(rig->store);
}

void rig_fingerprint(const char *rule, unsigned char out[FINGERPRINT_BYTES])
{
	struct digest digest = digest_of(text_of(rule));
	memcpy(out, digest.bytes, FINGERPRINT_BYTES);
}

void rig_alert(struct rig *rig, const struct rig_alert *given)
{
	struct arena *arena = &rig->batch->arena;
	struct alert *alert = batch_alert_new(rig->batch);
	ck_assert_ptr_nonnull(alert);
	alert->raw = arena_format(arena, "{\"n\":%u}", ++rig->n_alerts);
	alert->raw_digest = digest_of(alert->raw);
	memcpy(alert->occ, alert->raw_digest.bytes, OCCURRENCE_BYTES);
	alert->time_ns = alert->received_ns = rig_time(given->at_s);
	alert->cluster = TEXT("c");
	alert->namespace = TEXT("shop");
	alert->pod = text_of(given->pod);
	alert->rule = text_of(given->rule);
	alert->sensor = TEXT("falco");
	alert->severity = given->severity;
	alert->tactics = given->tactic ? (tactic_mask)(1U << (given->tactic - 1)) : 0;
	alert->flags |= given->context ? ALERT_CONTEXT : 0;
	rig_fingerprint(given->rule, alert->fingerprint);
	batch_add(rig->batch, alert);
}

static struct decision *add_decision(struct rig *rig, enum decision_kind kind)
{
	struct decision **last = &rig->batch->decisions;
	struct decision *decision = arena_alloc(&rig->arena, sizeof *decision);
	ck_assert_ptr_nonnull(decision);
	decision->kind = kind;
	decision->actor = TEXT("token:ann");
	while (*last)
		last = &(*last)->next;
	*last = decision;
	return decision;
}

struct incident_decision *rig_decision(struct rig *rig, enum decision_kind kind, uint64_t number)
{
	struct incident_decision *wish = &add_decision(rig, kind)->incident;
	wish->number = number;
	text_format(wish->edit_id, EDIT_ID_BYTES, "edit%06u", ++rig->n_decisions);
	return wish;
}

struct suppression_decision *rig_suppress(struct rig *rig, const char *matchers, int64_t for_s)
{
	struct err err;
	struct suppression_decision *wish = &add_decision(rig, DECISION_SUPPRESS)->suppression;
	text_format(wish->new_id, SUPPRESSION_ID_BYTES, "suppression%u", ++rig->n_decisions);
	wish->longest_ns = INT64_C(90) * 86400 * NS_PER_S;
	wish->wish.reason = TEXT("noise");
	wish->wish.ends_ns = rig->clock.wall_ns + for_s * NS_PER_S;
	ck_assert_msg(
		matchers_read(text_of(matchers), &rig->arena, &wish->wish.matchers, &err) == 0,
		"%s", err.text);
	return wish;
}

struct suppression_decision *rig_unsuppress(struct rig *rig, const char *id)
{
	struct suppression_decision *wish = &add_decision(rig, DECISION_UNSUPPRESS)->suppression;
	wish->wish.id = text_of(id);
	return wish;
}

/* The writer's transaction (pipeline/writer.c), step by step. */
static int run(struct rig *rig, bool commit, struct err *err)
{
	struct connection *connection = rig_connection(rig);
	int64_t now_ns = rig->clock.wall_ns;
	struct decision_run decisions = {
		.connection = connection, .correlator = rig->correlator, .now_ns = now_ns};
	if (store_begin(rig->store, err) < 0 ||
		decisions_carry_out(&decisions, rig->batch, err) < 0)
		return -1;
	if (decisions.suppressions_changed)
		suppressor_forget(rig->suppressor);
	if (echoes_mark(connection, rig->batch, err) < 0 ||
		suppressor_mark(rig->suppressor, connection, rig->batch, now_ns, err) < 0 ||
		store_add_batch(rig->store, rig->batch, err) < 0 ||
		suppressor_count(rig->suppressor, connection, rig->batch, now_ns, err) < 0 ||
		echoes_note(connection, rig->batch, now_ns, err) < 0)
		return -1;
	for (const struct alert *alert = rig->batch->first; alert; alert = alert->next)
		if (correlator_add(rig->correlator, connection, alert, err) < 0)
			return -1;
	if (correlator_finish(rig->correlator, connection, rig->clock.wall_ns, err) < 0 ||
		snoozes_end(rig->correlator, connection, rig->clock.wall_ns, err) < 0 ||
		suppressor_finish(rig->suppressor, connection, now_ns, err) < 0 ||
		store_flush(rig->store, err) < 0)
		return -1;
	if (commit)
		return store_commit(rig->store, err);
	store_rollback(rig->store);
	correlator_forget(rig->correlator);
	suppressor_forget(rig->suppressor);
	return 0;
}

void rig_run(struct rig *rig, bool commit)
{
	struct err err = {.kind = ERR_NONE};
	ck_assert_msg(run(rig, commit, &err) == 0, "%s", err.text);
	/* Results refer to the batch's arena; it ends with the rig's. */
	for (struct decision *decision = rig->batch->decisions; decision;
		decision = decision->next) {
		struct decision_result *results[] = {
			&decision->incident.result, &decision->suppression.result};
		for (size_t i = 0; i < 2; i++) {
			results[i]->answer = arena_copy(&rig->arena, results[i]->answer);
			results[i]->refusal = arena_copy(&rig->arena, results[i]->refusal);
		}
	}
	batch_free(rig->batch);
	new_batch(rig);
}

void rig_commit(struct rig *rig)
{
	rig_run(rig, true);
}

struct incident *rig_incident(struct rig *rig, uint64_t number)
{
	struct err err;
	struct incident *incident = arena_alloc(&rig->arena, sizeof *incident);
	ck_assert_msg(incident_read(rig_connection(rig), number, &rig->arena, incident, &err) == 0,
		"%s", err.text);
	return incident;
}

void rig_sql(struct rig *rig, const char *sql)
{
	struct err err;
	ck_assert_msg(connection_run(rig_connection(rig), sql, &err) == 0, "%s", err.text);
}

struct text rig_words(struct rig *rig, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	ck_assert_int_eq(
		sqlite3_prepare_v2(rig_connection(rig)->db, sql, -1, &statement, NULL), SQLITE_OK);
	struct text words = TEXT_NONE;
	if (sqlite3_step(statement) == SQLITE_ROW)
		words = arena_copy(&rig->arena, sql_text(statement, 0));
	sqlite3_finalize(statement);
	return words;
}

int64_t rig_count(struct rig *rig, const char *sql)
{
	int64_t n = -1;
	ck_assert(text_to_i64(rig_words(rig, sql), &n));
	return n;
}

struct text rig_dump(struct rig *rig)
{
	static const char *const tables[] = {"SELECT * FROM incident ORDER BY 1",
		"SELECT number, revision, key, first_slot, last_slot, n FROM piece ORDER BY 1",
		"SELECT * FROM activity ORDER BY 1", "SELECT * FROM edit ORDER BY 1",
		"SELECT * FROM link ORDER BY 1", "SELECT * FROM audit ORDER BY 1",
		"SELECT * FROM idempotency ORDER BY 1, 2"};
	AUTO(buf_done) struct buf out;
	buf_init(&out, 1024 * 1024);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		sqlite3_stmt *statement = NULL;
		ck_assert_int_eq(sqlite3_prepare_v2(
					 rig_connection(rig)->db, tables[i], -1, &statement, NULL),
			SQLITE_OK);
		while (sqlite3_step(statement) == SQLITE_ROW) {
			for (int j = 0; j < sqlite3_column_count(statement); j++) {
				struct text cell = sql_blob(statement, j);
				buf_add_hex(&out, cell.data ? cell.data : "", cell.size);
				buf_add_byte(&out, '|');
			}
			buf_add_byte(&out, '\n');
		}
		sqlite3_finalize(statement);
	}
	ck_assert(buf_ok(&out));
	return arena_copy(&rig->arena, buf_text(&out));
}
