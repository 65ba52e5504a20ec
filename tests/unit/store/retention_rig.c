/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/retention_rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "store/alerts.h"
#include "store/incidents.h"
#include "tests/lib/unsynced_vfs.h"

enum { RAW_BYTES_MAX = 1 << 20, BITS = 36 * 8 };

static const struct criticality_rules no_rules;

static int64_t wall_ns(const struct clock *clock)
{
	return ((const struct rig *)(const void *)clock)->wall_ns;
}

static int64_t monotonic_ms(const struct clock *clock)
{
	struct rig *rig = (struct rig *)(uintptr_t)clock;
	rig->monotonic_ms += rig->tick_ms;
	return rig->monotonic_ms;
}

static void must(int failed, const struct err *err)
{
	ck_assert_msg(failed >= 0, "%s", failed < 0 ? err->text : "");
}

static void open_store(struct rig *rig)
{
	struct err err;
	/* What a crash of the machine does is another test's: this one needs no fsync. */
	rig->options.vfs = unsynced_vfs();
	must(store_open(&rig->store, &rig->options, &err), &err);
	rig->correlator = correlator_new(&no_rules);
	ck_assert_ptr_nonnull(rig->correlator);
}

static void close_store(struct rig *rig)
{
	correlator_free(rig->correlator);
	store_close(rig->store);
}

void rig_start(struct rig *rig)
{
	*rig = (struct rig){.clock = {wall_ns, monotonic_ms}, .wall_ns = T0 + 2 * DAY_NS};
	strcpy(rig->path, "/tmp/tocsin-retention-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(rig->path));
	strcat(rig->path, "/db");
	rig->options = (struct store_options){.path = rig->path,
		.clock = &rig->clock,
		.horizon_s = HORIZON_DAYS * 86400,
		.epoch_bits = 5};
	open_store(rig);
}

void rig_stop(struct rig *rig)
{
	char name[80];
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	close_store(rig);
	for (size_t i = 0; i < 3; i++) {
		text_format(name, sizeof name, "%s%s", rig->path, suffixes[i]);
		unlink(name);
	}
	rig->path[strlen(rig->path) - 3] = '\0';
	rmdir(rig->path);
}

void rig_reopen(struct rig *rig)
{
	close_store(rig);
	open_store(rig);
}

static struct text word(struct batch *batch, const char *string)
{
	return string ? arena_copy(&batch->arena, text_of(string)) : TEXT_NONE;
}

static struct text make_raw(struct rig *rig, struct batch *batch, const struct sent *sent)
{
	size_t size = sent->raw_size ? sent->raw_size : 24;
	char *bytes = arena_bytes(&batch->arena, size + 1);
	uint64_t state = rig->n_sent * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (size_t i = 0; i < size; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		bytes[i] = (char)('!' + state % 90);
	}
	return (struct text){bytes, size};
}

static void make_occ(uint64_t number, unsigned char occ[OCCURRENCE_BYTES])
{
	char word_[32];
	size_t size = text_format(word_, sizeof word_, "%llu", (unsigned long long)number);
	struct digest digest = digest_of((struct text){word_, size});
	memcpy(occ, digest.bytes, OCCURRENCE_BYTES);
}

static void make_ids(struct rig *rig, struct alert *alert, const struct sent *sent)
{
	make_occ(sent->occ ? sent->occ : UINT64_C(1) << 40 | rig->n_sent, alert->occ);
	struct digest digest = digest_of(alert->rule);
	memcpy(alert->fingerprint, digest.bytes, FINGERPRINT_BYTES);
}

static void add(struct rig *rig, struct batch *batch, const struct sent *sent)
{
	static struct health_fact health = {.kind = HEALTH_METRICS,
		.n_events = -1,
		.n_drops = -1,
		.n_output_drops = -1,
		.started_at_ns = -1};
	struct alert *alert = batch_alert_new(batch);
	rig->n_sent++;
	alert->raw = make_raw(rig, batch, sent);
	alert->raw_digest = digest_of(alert->raw);
	alert->received_ns = rig->wall_ns;
	alert->time_ns = sent->time_ns;
	alert->flags = sent->flags;
	alert->count = sent->count ? sent->count : 1;
	alert->kind = sent->quarantined ? LEAF_QUARANTINED : LEAF_ALERT;
	alert->quarantine_reason = TEXT("not JSON");
	if (sent->flags & ALERT_HEALTH)
		alert->health = &health;
	alert->pod_uid = word(batch, sent->uid);
	alert->container_id = word(batch, sent->container);
	struct text name = word(batch, sent->name);
	if (name.size) {
		text_split(&name, '/', &alert->namespace);
		alert->pod = name;
	}
	alert->rule = word(batch, sent->rule ? sent->rule : "Terminal shell");
	alert->process.name = arena_format(&batch->arena, "process %llu",
		(unsigned long long)(sent->process ? sent->process : 1));
	alert->image = word(batch, sent->image);
	alert->sensor = TEXT("falco");
	alert->severity = SEVERITY_MEDIUM;
	alert->tactics = text_is(alert->rule, "Terminal shell") ? 8 : 16;
	alert_add_technique(alert, (technique_code)alert->tactics << 8);
	make_ids(rig, alert, sent);
	batch_add(batch, alert);
}

struct batch *rig_send(struct rig *rig, const struct sent *sent, size_t n)
{
	struct err err;
	struct connection *connection = store_connection(rig->store);
	struct batch *batch = batch_new();
	batch->source = SOURCE_FALCO;
	batch->cluster = TEXT("c");
	for (size_t i = 0; i < n; i++)
		add(rig, batch, &sent[i]);
	correlator_set_horizon(rig->correlator, store_horizon_ns(rig->store));
	must(store_begin(rig->store, &err), &err);
	must(store_add_batch(rig->store, batch, &err), &err);
	for (struct alert *alert = batch->first; alert; alert = alert->next)
		must(correlator_add(rig->correlator, connection, alert, &err), &err);
	must(correlator_finish(rig->correlator, connection, rig->wall_ns, &err), &err);
	must(store_flush(rig->store, &err), &err);
	must(store_commit(rig->store, &err), &err);
	return batch;
}

enum alert_outcome rig_send_one(struct rig *rig, struct sent sent, uint64_t *leaf)
{
	struct batch *batch = rig_send(rig, &sent, 1);
	enum alert_outcome outcome = batch->first->outcome;
	if (leaf)
		*leaf = batch->first->leaf;
	batch_free(batch);
	return outcome;
}

void rig_edit(struct rig *rig, const struct edit *edit, uint64_t occ, const char *rule)
{
	struct err err;
	struct edit copy = *edit;
	struct connection *connection = store_connection(rig->store);
	struct digest digest = digest_of(text_of(rule));
	make_occ(occ, copy.anchor);
	copy.n_prints = 1;
	memcpy(copy.prints[0], digest.bytes, FINGERPRINT_BYTES);
	correlator_set_horizon(rig->correlator, store_horizon_ns(rig->store));
	must(store_begin(rig->store, &err), &err);
	must(correlator_edit(rig->correlator, connection, &copy, &err), &err);
	must(correlator_finish(rig->correlator, connection, rig->wall_ns, &err), &err);
	must(store_flush(rig->store, &err), &err);
	must(store_commit(rig->store, &err), &err);
}

void rig_send_row(struct rig *rig, const char *uid, int64_t from_ns, size_t n)
{
	struct sent *sent = calloc(n, sizeof *sent);
	for (size_t i = 0; i < n; i++)
		sent[i] = (struct sent){.time_ns = from_ns + (int64_t)i * 60 * NS_PER_S,
			.uid = uid,
			.rule = i % 3 ? "Terminal shell" : "Read sensitive file"};
	batch_free(rig_send(rig, sent, n));
	free(sent);
}

bool rig_retain(struct rig *rig)
{
	struct err err;
	bool facts_removed;
	int more = store_retain(rig->store, &facts_removed, &err);
	must(more, &err);
	if (facts_removed)
		correlator_forget(rig->correlator);
	return more > 0;
}

size_t rig_retain_all(struct rig *rig)
{
	size_t n = 1;
	while (rig_retain(rig))
		ck_assert_uint_lt(n++, 100000);
	return n;
}

int64_t rig_count(struct rig *rig, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	sqlite3 *db = store_connection(rig->store)->db;
	ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s: %s", sql,
		sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return n;
}

static int64_t count_bits(struct rig *rig)
{
	int64_t n = 0;
	sqlite3_stmt *statement = NULL;
	sqlite3_prepare_v2(store_connection(rig->store)->db, "SELECT bits FROM presence", -1,
		&statement, NULL);
	while (sqlite3_step(statement) == SQLITE_ROW)
		for (int i = 0; i < BITS; i++)
			n += ((const unsigned char *)sqlite3_column_blob(statement, 0))[i / 8] >>
				     (i % 8) &
			     1;
	sqlite3_finalize(statement);
	return n;
}

static void none(struct rig *rig, const char *sql)
{
	int64_t n = rig_count(rig, sql);
	ck_assert_msg(n == 0, "%s: %lld", sql, (long long)n);
}

/* The story of each incident has as many alerts as its sums. */
static void check_stories(struct rig *rig)
{
	struct err err;
	struct connection *connection = store_connection(rig->store);
	int64_t last = rig_count(rig, "SELECT coalesce(max(number), 0) FROM piece");
	for (int64_t number = 1; number <= last; number++) {
		AUTO(arena_done) struct arena arena;
		struct incident incident;
		uint64_t n = 0;
		arena_init(&arena, SIZE_MAX);
		if (incident_read(connection, (uint64_t)number, &arena, &incident, &err) < 0 ||
			incident.redirect_to)
			continue;
		for (size_t i = 0; i < incident.n_prints; i++)
			n += incident.prints[i].n;
		ck_assert_msg(n == incident.n_alerts, "INC-%lld has %llu alerts, tells of %llu",
			(long long)number, (unsigned long long)incident.n_alerts,
			(unsigned long long)n);
	}
}

/* What refers to an interned row that is not there? */
static void check_references(struct rig *rig)
{
	none(rig, "SELECT count(*) FROM alert WHERE process NOT IN (SELECT id FROM process)"
		  " OR image NOT IN (SELECT id FROM image) OR attack NOT IN (SELECT id FROM attack)"
		  " OR entity NOT IN (SELECT id FROM entity)"
		  " OR fingerprint NOT IN (SELECT id FROM fingerprint)");
	none(rig, "SELECT count(*) FROM slot WHERE entity NOT IN (SELECT id FROM entity)");
	none(rig, "SELECT count(*) FROM presence WHERE entity NOT IN (SELECT id FROM entity)");
	none(rig, "SELECT count(*) FROM member WHERE entity NOT IN (SELECT id FROM entity)");
	none(rig, "SELECT count(*) FROM edit WHERE entity IS NOT NULL"
		  " AND entity NOT IN (SELECT id FROM entity)");
	none(rig, "SELECT count(*) FROM entity WHERE workload IS NOT NULL"
		  " AND workload NOT IN (SELECT id FROM workload)");
	none(rig, "SELECT count(*) FROM workload_day WHERE workload NOT IN (SELECT id FROM "
		  "workload)");
	none(rig, "SELECT count(*) FROM suppression_hit WHERE entity NOT IN (SELECT id FROM "
		  "entity)");
	none(rig, "SELECT count(*) FROM piece WHERE key NOT IN (SELECT id FROM key)");
}

void rig_check(struct rig *rig)
{
	none(rig, "SELECT count(*) FROM piece WHERE frozen = 1");
	none(rig, "SELECT count(*) FROM alert a WHERE slot IS NOT NULL AND NOT EXISTS (SELECT 1 "
		  "FROM slot s WHERE s.slot = a.slot AND s.entity = a.entity AND s.print >> 1 = "
		  "a.fingerprint)");
	none(rig, "SELECT (SELECT coalesce(sum(n), 0) FROM slot) - (SELECT count(*) FROM alert "
		  "WHERE slot IS NOT NULL)");
	none(rig, "SELECT (SELECT count(*) FROM alert) - (SELECT count(*) FROM duplicate)");
	none(rig, "SELECT count(*) FROM duplicate WHERE leaf NOT IN (SELECT leaf FROM alert)");
	none(rig, "SELECT count(*) FROM health WHERE leaf NOT IN (SELECT leaf FROM alert)");
	none(rig, "SELECT count(*) FROM member m JOIN piece p ON p.number = m.number"
		  " WHERE frozen <> 0");
	none(rig, "SELECT count(*) FROM piece p WHERE frozen = 2 AND n <> (SELECT sum(f.n) FROM "
		  "frozen_print f WHERE f.number = p.number)");
	ck_assert_int_eq(count_bits(rig),
		rig_count(rig, "SELECT count(*) FROM (SELECT DISTINCT slot, entity FROM slot)"));
	check_references(rig);
	check_stories(rig);
}

char *rig_incident(struct rig *rig, uint64_t number, struct err *err)
{
	char word_[32];
	struct buf out;
	buf_init(&out, DOCUMENT_BYTES_MAX);
	text_format(word_, sizeof word_, "INC-%llu", (unsigned long long)number);
	if (document_incident(store_connection(rig->store), text_of(word_), &out, err) < 0) {
		buf_done(&out);
		return NULL;
	}
	char *copy = strndup(out.data, out.size);
	buf_done(&out);
	return copy;
}

uint64_t rig_incident_of(struct rig *rig, uint64_t leaf)
{
	AUTO(arena_done) struct arena arena;
	struct err err;
	struct alert alert;
	uint64_t number;
	arena_init(&arena, SIZE_MAX);
	must(alert_read(store_connection(rig->store), leaf, &arena, &alert, &err), &err);
	must(incident_of_alert(store_connection(rig->store), &alert, &number, &err), &err);
	return number;
}
