/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/slot.h"
#include "pipeline/writer.h"
#include "store/agents.h"
#include "store/alerts.h"
#include "store/audit.h"
#include "store/ledger.h"
#include "store/ledger_verify.h"
#include "store/retention.h"
#include "store/spools.h"
#include "tests/unit/store/retention_rig.h"

enum { MANY = 3000 };

static struct rig rig;
static struct err err;

static void setup(void)
{
	rig_start(&rig);
}

static void teardown(void)
{
	rig_stop(&rig);
}

static int64_t n_alerts(void)
{
	return rig_count(&rig, "SELECT count(*) FROM alert");
}

/* Moves the clock to where the horizon is at @time_ns and lets everything leave. */
static size_t pass_horizon_to(int64_t time_ns)
{
	rig.wall_ns = time_ns + HORIZON_DAYS * DAY_NS;
	return rig_retain_all(&rig);
}

START_TEST(an_incident_leaves_when_the_horizon_has_passed_it)
{
	/* The horizon lies on slots' borders: the last nanosecond of a slot leaves exactly then. */
	int64_t last_ns = T0 + 15 * SLOT_NS - 1;
	rig_send_row(&rig, "u1", T0 + SLOT_NS, 30);
	rig_send_one(&rig, (struct sent){.time_ns = last_ns, .uid = "u1"}, NULL);
	rig_send_one(&rig, (struct sent){.time_ns = last_ns + 1, .uid = "u2"}, NULL);
	pass_horizon_to(last_ns);
	ck_assert_int_eq(n_alerts(), 32);
	ck_assert_int_eq(rig_count(&rig, "SELECT frozen FROM piece WHERE number = 1"), 0);
	pass_horizon_to(last_ns + 1);
	ck_assert_int_eq(n_alerts(), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT frozen FROM piece WHERE number = 1"), 2);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM slot"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM member WHERE number = 1"), 0);
	ck_assert_uint_eq(rig_incident_of(&rig, 31), 2);
	rig_check(&rig);
}
END_TEST

START_TEST(an_incident_across_the_horizon_stays_whole)
{
	rig_send_row(&rig, "u1", T0, 60 * 5);
	char *before = rig_incident(&rig, 1, &err);
	for (int64_t hour = 1; hour < 5; hour++)
		pass_horizon_to(T0 + hour * HOUR_NS - HOUR_NS / 2);
	char *after = rig_incident(&rig, 1, &err);
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(n_alerts(), 60 * 5);
	pass_horizon_to(T0 + 5 * HOUR_NS);
	ck_assert_int_eq(n_alerts(), 0);
	rig_check(&rig);
	free(before);
	free(after);
}
END_TEST

START_TEST(what_comes_too_late_is_stored_alone)
{
	uint64_t late, in_time;
	int64_t horizon_ns = rig.wall_ns - HORIZON_DAYS * DAY_NS;
	rig_send_one(&rig, (struct sent){.time_ns = horizon_ns - 1, .uid = "u"}, &late);
	rig_send_one(&rig, (struct sent){.time_ns = horizon_ns, .uid = "u"}, &in_time);
	ck_assert_uint_eq(rig_incident_of(&rig, late), 0);
	ck_assert_uint_ne(rig_incident_of(&rig, in_time), 0);
	AUTO(arena_done) struct arena arena;
	struct alert alert;
	arena_init(&arena, SIZE_MAX);
	ck_assert_int_eq(alert_read(store_connection(rig.store), late, &arena, &alert, &err), 0);
	ck_assert(alert_is(&alert, ALERT_ORPHAN_LATE));
	/* It stays as long as any other from when it came. */
	int64_t received_ns = rig.wall_ns;
	pass_horizon_to(received_ns - HOUR_NS);
	ck_assert_int_eq(n_alerts(), 1);
	pass_horizon_to(received_ns + HOUR_NS);
	ck_assert_int_eq(n_alerts(), 0);
	rig_check(&rig);
}
END_TEST

START_TEST(what_is_in_no_incident_leaves_too)
{
	/* Context that nothing founds, health, quarantined bytes, a sender. */
	int64_t at_ns = rig.wall_ns;
	struct sent sent[] = {
		{.time_ns = at_ns, .uid = "u", .flags = ALERT_CONTEXT},
		{.time_ns = at_ns, .flags = ALERT_HEALTH, .rule = "Falco internal"},
		{.time_ns = at_ns, .quarantined = true},
		{.time_ns = at_ns, .uid = "u", .flags = ALERT_TIME_UNTRUSTED},
	};
	batch_free(rig_send(&rig, sent, 4));
	rig.wall_ns = at_ns + 2 * DAY_NS;
	ck_assert_int_ge(store_idle(rig.store, &err), 0);
	batch_free(rig_send(&rig, sent, 1));
	ck_assert_int_ge(store_idle(rig.store, &err), 0);
	pass_horizon_to(at_ns - HOUR_NS);
	ck_assert_int_eq(n_alerts(), 3 + 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM health"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM quarantine"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM sender"), 1);
	pass_horizon_to(at_ns + 2 * HOUR_NS);
	ck_assert_int_eq(n_alerts(), 0);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM health"), 0);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM quarantine"), 0);
	rig_check(&rig);
	pass_horizon_to(at_ns + 3 * DAY_NS);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM sender"), 0);
}
END_TEST

/* A spool's number, and what was shed: one transaction. */
static void send_shed(int64_t at_ns)
{
	struct batch *batch = batch_new();
	struct shed shed = {.severity = TEXT("low"), .n = 5};
	struct spool_mark mark = {.id = {1}, .node = TEXT("node-1"), .last = 1};
	ck_assert_ptr_nonnull(batch);
	batch->source = SOURCE_FALCO;
	batch->cluster = TEXT("c");
	batch->spool = &mark;
	struct alert *alert = batch_alert_new(batch);
	alert->kind = LEAF_SHED;
	alert->shed = &shed;
	alert->received_ns = alert->time_ns = at_ns;
	alert->raw = TEXT("{\"shed\":{}}");
	alert->raw_digest = digest_of(alert->raw);
	batch_add(batch, alert);
	ck_assert_int_eq(store_begin(rig.store, &err), 0);
	ck_assert_int_eq(store_add_batch(rig.store, batch, &err), 0);
	ck_assert_int_eq(spool_note(store_connection(rig.store), batch, at_ns, &err), 0);
	ck_assert_int_eq(store_flush(rig.store, &err), 0);
	ck_assert_int_eq(store_commit(rig.store, &err), 0);
	batch_free(batch);
}

START_TEST(spools_and_what_was_shed_leave)
{
	static const char tile[] = "SELECT count(*) FROM tile WHERE id = 0";
	int64_t at_ns = rig.wall_ns;
	send_shed(at_ns);
	for (uint64_t i = 0; i < TILE_HASHES; i++)
		rig_send_one(&rig, (struct sent){.time_ns = at_ns, .flags = ALERT_HEALTH}, NULL);
	pass_horizon_to(at_ns - HOUR_NS);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM spool"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM shed"), 1);
	ck_assert_int_eq(rig_count(&rig, tile), 1);
	/* Whose agent is heard may have nothing to send. */
	const struct agent_report report = {
		.cluster = TEXT("c"), .node = TEXT("node-1"), .spool = {1}};
	struct connection *connection = store_connection(rig.store);
	ck_assert_int_eq(agent_note(connection, &report, at_ns + 3 * DAY_NS, &err), 0);
	pass_horizon_to(at_ns + 2 * DAY_NS);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM spool"), 1);
	pass_horizon_to(at_ns + 4 * DAY_NS);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM spool"), 0);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM shed"), 0);
	ck_assert_int_eq(rig_count(&rig, tile), 0);
}
END_TEST

START_TEST(a_duplicate_is_known_as_long_as_its_row)
{
	struct sent sent = {.time_ns = T0 + HOUR_NS, .uid = "u", .occ = 7};
	struct sent other = {.time_ns = T0 + HOUR_NS, .uid = "u", .occ = 7, .rule = "again"};
	ck_assert_int_eq(rig_send_one(&rig, sent, NULL), OUTCOME_ACCEPTED);
	pass_horizon_to(T0);
	ck_assert_int_eq(rig_send_one(&rig, other, NULL), OUTCOME_DUPLICATE);
	pass_horizon_to(T0 + 2 * HOUR_NS);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM duplicate"), 0);
	uint64_t leaf;
	ck_assert_int_eq(rig_send_one(&rig, other, &leaf), OUTCOME_ACCEPTED);
	ck_assert_uint_eq(rig_incident_of(&rig, leaf), 0);
	rig_check(&rig);
}
END_TEST

/* Keys of untrusted times all begin with 0 and share 21 bits: these stand behind one another. */
static uint64_t colliding(uint64_t from, const unsigned char *first)
{
	for (uint64_t occ = from;; occ++) {
		char word[32];
		size_t size = text_format(word, sizeof word, "%llu", (unsigned long long)occ);
		struct digest digest = digest_of((struct text){word, size});
		if (memcmp(digest.bytes, first, 2) == 0 && digest.bytes[2] >> 3 == first[2] >> 3)
			return occ;
	}
}

START_TEST(occurrences_that_share_a_key_stay_known)
{
	struct digest first = digest_of(TEXT("1"));
	uint64_t occs[3] = {1, 0, 0};
	int64_t times[3] = {T0, T0 + DAY_NS, T0 + 4 * DAY_NS};
	for (int i = 1; i < 3; i++)
		occs[i] = colliding(occs[i - 1] + 1, first.bytes);
	for (int i = 0; i < 3; i++) {
		struct sent sent = {.time_ns = rig.wall_ns = times[i],
			.uid = "u",
			.occ = occs[i],
			.flags = ALERT_TIME_UNTRUSTED};
		ck_assert_int_eq(rig_send_one(&rig, sent, NULL), OUTCOME_ACCEPTED);
	}
	pass_horizon_to(T0 + HOUR_NS);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM duplicate"), 2);
	for (int i = 1; i < 3; i++) {
		struct sent again = {.time_ns = rig.wall_ns,
			.uid = "u",
			.occ = occs[i],
			.flags = ALERT_TIME_UNTRUSTED};
		ck_assert_int_eq(rig_send_one(&rig, again, NULL), OUTCOME_DUPLICATE);
	}
	rig_check(&rig);
}
END_TEST

/* Without what tells of being frozen: "flags":["frozen"]. */
static char *whole(uint64_t number)
{
	char *document = rig_incident(&rig, number, &err);
	ck_assert_msg(document, "%s", err.text);
	char *flag = strstr(document, "\"frozen\"");
	if (flag)
		memmove(flag, flag + 8, strlen(flag + 8) + 1);
	return document;
}

START_TEST(a_frozen_incident_reads_as_it_was_at_every_slice)
{
	struct sent more[] = {
		{.time_ns = T0 + HOUR_NS, .uid = "u", .container = "aabbccddeeff", .name = "ns/p"},
		{.time_ns = T0 + HOUR_NS, .container = "aabbccddeeff"},
		{.time_ns = T0 + 2 * HOUR_NS, .uid = "u", .flags = ALERT_CONTEXT},
	};
	rig_send_row(&rig, "u", T0, 500);
	batch_free(rig_send(&rig, more, 3));
	char *before = whole(1);
	ck_assert_ptr_nonnull(strstr(before, "\"content_id\""));
	ck_assert_ptr_nonnull(strstr(before, "\"deliveries\":503"));
	rig.tick_ms = 1;
	rig.wall_ns = T0 + (HORIZON_DAYS + 2) * DAY_NS;
	size_t n = 0;
	while (rig_retain(&rig)) {
		char *after = whole(1);
		ck_assert_str_eq(before, after);
		free(after);
		n++;
	}
	ck_assert_uint_gt(n, 20);
	ck_assert_int_eq(n_alerts(), 0);
	rig_reopen(&rig);
	char *after = whole(1);
	ck_assert_str_eq(before, after);
	char *frozen = rig_incident(&rig, 1, &err);
	ck_assert_ptr_nonnull(strstr(frozen, "\"flags\":[\"frozen\"]"));
	rig_check(&rig);
	/* And in the list. */
	struct buf list;
	struct document_query query = {0};
	buf_init(&list, DOCUMENT_BYTES_MAX);
	ck_assert_int_eq(document_incidents(store_connection(rig.store), &query, &list, &err), 0);
	ck_assert_ptr_nonnull(strstr(list.data, "\"pod\":\"p\""));
	buf_done(&list);
	free(before);
	free(after);
	free(frozen);
}
END_TEST

START_TEST(correlation_never_touches_what_is_frozen)
{
	uint64_t leaf;
	rig_send_row(&rig, "u", T0, 100);
	/* The frozen one ends less than an idle gap before the next alert. */
	int64_t end_ns = T0 + 20 * SLOT_NS;
	rig_send_one(&rig, (struct sent){.time_ns = end_ns - 1, .uid = "u"}, NULL);
	pass_horizon_to(end_ns);
	char *before = whole(1);
	rig_send_one(&rig, (struct sent){.time_ns = end_ns, .uid = "u"}, &leaf);
	ck_assert_uint_eq(rig_incident_of(&rig, leaf), 2);
	char *after = whole(1);
	ck_assert_str_eq(before, after);
	rig_check(&rig);
	free(before);
	free(after);
}
END_TEST

/*
 * A container's alerts, then the fact that it is a pod's: its incidents move to the pod. One of
 * them is leaving while the fact comes.
 */
START_TEST(facts_do_not_call_back_what_is_leaving)
{
	for (int64_t day = 0; day < 2; day++) {
		static struct sent sent[200];
		for (size_t i = 0; i < 200; i++)
			sent[i] = (struct sent){
				.time_ns = T0 + day * DAY_NS + (int64_t)i * 60 * NS_PER_S,
				.container = "aabbccddeeff"};
		batch_free(rig_send(&rig, sent, 200));
	}
	char *before = whole(1);
	rig.tick_ms = 1;
	rig.wall_ns = T0 + HORIZON_DAYS * DAY_NS + 12 * HOUR_NS;
	for (int i = 0; i < 3; i++)
		ck_assert(rig_retain(&rig));
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece WHERE frozen = 1"), 1);
	ck_assert_int_gt(rig_count(&rig, "SELECT count(*) FROM slot WHERE slot < 5966880"), 0);
	rig_send_one(&rig,
		(struct sent){.time_ns = T0 + DAY_NS + 4 * HOUR_NS,
			.container = "aabbccddeeff",
			.uid = "u"},
		NULL);
	char *after = whole(1);
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(rig_count(&rig, "SELECT n FROM piece p JOIN key k ON k.id = p.key"
					 " WHERE k.text = 'pod:c/u'"),
		201);
	rig_retain_all(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece"), 2);
	rig_check(&rig);
	free(before);
	free(after);
}
END_TEST

/* A name changes hands inside a slot: two incidents share the slot of one entity. */
START_TEST(a_shared_slot_leaves_in_parts)
{
	int64_t end_ns = T0 + DAY_NS + SLOT_NS / 2;
	struct sent sent[] = {
		{.time_ns = T0 + DAY_NS, .uid = "u1", .name = "ns/p"},
		{.time_ns = end_ns, .uid = "u2", .name = "ns/p"},
		{.time_ns = end_ns - 61 * NS_PER_S, .name = "ns/p"},
		{.time_ns = end_ns - 1, .name = "ns/p"},
		{.time_ns = end_ns + 1, .name = "ns/p"},
		{.time_ns = end_ns + 2 * SLOT_NS, .uid = "u2", .name = "ns/p"},
	};
	batch_free(rig_send(&rig, sent, 6));
	ck_assert_uint_eq(rig_incident_of(&rig, 2), rig_incident_of(&rig, 0));
	ck_assert_uint_ne(rig_incident_of(&rig, 4), rig_incident_of(&rig, 0));
	rig_check(&rig);
	pass_horizon_to(T0 + DAY_NS + SLOT_NS);
	uint64_t second = rig_incident_of(&rig, 5);
	ck_assert_uint_eq(rig_incident_of(&rig, 4), second);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece WHERE frozen = 2"), 1);
	rig_check(&rig);
	pass_horizon_to(T0 + 2 * DAY_NS);
	ck_assert_int_eq(n_alerts(), 0);
	rig_check(&rig);
}
END_TEST

/* An unlink carves an incident out of another one's slots: each leaves with its own alerts. */
START_TEST(what_was_unlinked_leaves_alone)
{
	struct sent sent[100];
	for (size_t i = 0; i < 100; i++)
		sent[i] = (struct sent){.time_ns = T0 + (int64_t)i * 300 * NS_PER_S,
			.uid = "u",
			.rule = i % 2 ? "Terminal shell" : "Read sensitive file",
			.occ = i + 1};
	struct edit edit = {.kind = EDIT_UNLINK,
		.id = TEXT("e1"),
		.from_slot = slot_of(T0),
		.to_slot = slot_of(T0) + 19};
	batch_free(rig_send(&rig, sent, 100));
	rig_edit(&rig, &edit, 1, "Terminal shell");
	uint64_t carved = rig_incident_of(&rig, 1);
	ck_assert_uint_ne(carved, rig_incident_of(&rig, 0));
	rig_check(&rig);
	char *carved_before = whole(carved);
	/* While it leaves, its row mates are partitioned anew by a late alert. */
	rig.tick_ms = 1;
	rig.wall_ns = T0 + 20 * SLOT_NS + HORIZON_DAYS * DAY_NS;
	ck_assert(rig_retain(&rig));
	ck_assert_uint_eq(
		(uint64_t)rig_count(&rig, "SELECT number FROM piece WHERE frozen = 1"), carved);
	rig_send_one(&rig,
		(struct sent){.time_ns = T0 + 60 * SLOT_NS + 1, .uid = "u", .rule = "Late"}, NULL);
	ck_assert_int_eq(rig_count(&rig, "SELECT n FROM piece WHERE frozen = 0"), 91);
	rig_retain_all(&rig);
	char *carved_after = whole(carved);
	ck_assert_str_eq(carved_before, carved_after);
	ck_assert_int_eq(n_alerts(), 91);
	rig_check(&rig);
	/* Undone: what has left does not come back, and takes nothing along. */
	struct edit undo = {.kind = EDIT_UNDO, .id = TEXT("e2"), .target = TEXT("e1")};
	rig_edit(&rig, &undo, 1, "Terminal shell");
	free(carved_after);
	carved_after = whole(carved);
	ck_assert_str_eq(carved_before, carved_after);
	ck_assert_int_eq(rig_count(&rig, "SELECT n FROM piece WHERE frozen = 0"), 91);
	pass_horizon_to(T0 + 2 * DAY_NS);
	ck_assert_int_eq(n_alerts(), 0);
	rig_check(&rig);
	free(carved_before);
	free(carved_after);
}
END_TEST

START_TEST(facts_stay_while_they_speak_for_somebody)
{
	/* The container's only word of its pod is old, its last alert is not. */
	struct sent sent[] = {
		{.time_ns = T0 + HOUR_NS, .container = "aabbccddeeff", .uid = "u", .name = "ns/p"},
		{.time_ns = T0 + 40 * HOUR_NS, .container = "aabbccddeeff"},
	};
	uint64_t leaf;
	batch_free(rig_send(&rig, sent, 2));
	pass_horizon_to(T0 + 30 * HOUR_NS);
	ck_assert_int_eq(n_alerts(), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM container_fact"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM name_fact"), 1);
	rig_reopen(&rig);
	rig_send_one(&rig, (struct sent){.time_ns = T0 + 40 * HOUR_NS, .container = "aabbccddeeff"},
		&leaf);
	ck_assert_uint_eq(rig_incident_of(&rig, leaf), 2);
	pass_horizon_to(T0 + 60 * HOUR_NS);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM container_fact"), 0);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM name_fact"), 0);
	rig_send_one(
		&rig, (struct sent){.time_ns = rig.wall_ns, .container = "aabbccddeeff"}, &leaf);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece p JOIN key k ON k.id = p.key"
					 " WHERE k.text = 'ctr:c/aabbccddeeff'"),
		1);
	rig_check(&rig);
}
END_TEST

static struct ledger_report verify(void)
{
	struct ledger_report report;
	ck_assert_msg(ledger_verify(store_connection(rig.store), NULL, NULL, &report, &err) == 0,
		"%s", err.text);
	ck_assert_uint_eq(report.n_broken, 0);
	ck_assert_uint_eq(report.n_broken_tiles, 0);
	ck_assert_uint_eq(report.broken_audit_id, 0);
	return report;
}

static void send_thousand(const char *uid, int64_t day)
{
	rig.wall_ns = T0 + (day + 1) * DAY_NS;
	rig_send_row(&rig, uid, T0 + day * DAY_NS, 1000);
}

START_TEST(the_ledger_verifies_after_its_tiles_are_reduced)
{
	for (int64_t day = 1; day <= 5; day++)
		send_thousand("u", day);
	struct ledger_report before = verify();
	ck_assert_uint_eq(before.n_verified, 5000);
	ck_assert_uint_eq(before.n_reduced, 0);
	pass_horizon_to(T0 + 4 * DAY_NS + HOUR_NS);
	struct ledger_report after = verify();
	ck_assert_uint_eq(after.n_leaves, 5000);
	ck_assert_uint_eq(after.n_verified + after.n_without_raw, 5000);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM tile WHERE id < 1 << 48"),
		20 - (int64_t)after.n_reduced / TILE_HASHES);
	ck_assert_uint_ge(after.n_reduced, 2000 / 256 * 256);
	ck_assert_mem_eq(&before.root, &after.root, sizeof before.root);
	/* All gone: the tree still knows how long it is, and goes on. */
	pass_horizon_to(T0 + 20 * DAY_NS);
	ck_assert_int_eq(n_alerts(), 0);
	after = verify();
	ck_assert_uint_eq(after.n_verified, 0);
	ck_assert_uint_eq(after.n_reduced, 5000 / 256 * 256);
	ck_assert_mem_eq(&before.root, &after.root, sizeof before.root);
	rig_reopen(&rig);
	ck_assert_uint_eq(store_leaves(rig.store), 5000);
	uint64_t leaf;
	rig_send_one(&rig, (struct sent){.time_ns = rig.wall_ns, .uid = "u"}, &leaf);
	ck_assert_uint_eq(leaf, 5000);
	ck_assert_uint_eq(verify().n_verified, 1);
}
END_TEST

START_TEST(a_full_last_tile_stays)
{
	rig_send_row(&rig, "u", T0, 2 * TILE_HASHES);
	pass_horizon_to(T0 + 20 * DAY_NS);
	ck_assert_uint_eq(verify().n_reduced, TILE_HASHES);
	rig_reopen(&rig);
	ck_assert_uint_eq(store_leaves(rig.store), 2 * TILE_HASHES);
}
END_TEST

START_TEST(a_missing_tile_of_roots_is_found)
{
	struct ledger_report report;
	struct sent *sent = calloc(TILE_HASHES * TILE_HASHES, sizeof *sent);
	for (size_t i = 0; i < TILE_HASHES * TILE_HASHES; i++)
		sent[i] = (struct sent){.time_ns = T0 + (int64_t)i, .uid = "u"};
	batch_free(rig_send(&rig, sent, TILE_HASHES * TILE_HASHES));
	free(sent);
	pass_horizon_to(T0 + 20 * DAY_NS);
	ck_assert_uint_eq(verify().n_reduced, (TILE_HASHES - 1) * TILE_HASHES);
	ck_assert_int_eq(connection_run(store_connection(rig.store),
				 "DELETE FROM tile WHERE id = 1 << 48", &err),
		0);
	ck_assert_int_eq(ledger_verify(store_connection(rig.store), NULL, NULL, &report, &err), 0);
	ck_assert_uint_eq(report.n_broken_tiles, 1);
}
END_TEST

static void raw_is_gone(uint64_t leaf, const char *why)
{
	struct buf out;
	char id[32];
	buf_init(&out, DOCUMENT_BYTES_MAX);
	text_format(id, sizeof id, "%llu", (unsigned long long)leaf);
	ck_assert_int_eq(document_raw(store_connection(rig.store), text_of(id), &out, &err), -1);
	ck_assert_int_eq(err.kind, ERR_MISSING);
	ck_assert_msg(strstr(err.text, why), "%s", err.text);
	buf_done(&out);
}

START_TEST(raw_leaves_at_its_own_age)
{
	struct buf out;
	rig.options.raw_s = 2 * 86400;
	rig_reopen(&rig);
	rig_send_row(&rig, "u", T0, 300);
	int64_t received_ns = rig.wall_ns;
	rig.wall_ns = received_ns + 2 * DAY_NS;
	rig_retain_all(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM block"), 1);
	rig.wall_ns++;
	rig_reopen(&rig);
	rig_retain_all(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM block"), 0);
	ck_assert_int_eq(n_alerts(), 300);
	raw_is_gone(3, "retention.raw");
	buf_init(&out, DOCUMENT_BYTES_MAX);
	ck_assert_int_eq(document_alert(store_connection(rig.store), TEXT("3"), &out, &err), 0);
	buf_done(&out);
	/* Rows still stand for their leaves: no tile is reduced. */
	struct ledger_report report = verify();
	ck_assert_uint_eq(report.n_without_raw, 300);
	ck_assert_uint_eq(report.n_reduced, 0);
	pass_horizon_to(T0 + 9 * DAY_NS);
	raw_is_gone(3, "has left with its age");
	raw_is_gone(300, "there is no alert with leaf 300");
}
END_TEST

/* Alerts of as many processes, pods and images, an incident each. */
static void send_many_names(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char uid[16], name[24];
		text_format(uid, sizeof uid, "uid-%zu", i);
		text_format(name, sizeof name, "n/pod%zu", i);
		struct sent sent = {.time_ns = rig.wall_ns,
			.uid = uid,
			.name = name,
			.image = uid,
			.process = i + 2};
		ck_assert_int_eq(rig_send_one(&rig, sent, NULL), OUTCOME_ACCEPTED);
	}
}

static int64_t n_names(void)
{
	return rig_count(&rig, "SELECT (SELECT count(*) FROM process)"
			       " + (SELECT count(*) FROM image) + (SELECT count(*) FROM entity)"
			       " + (SELECT count(*) FROM workload)");
}

START_TEST(interned_rows_leave_when_nothing_refers_to_them)
{
	rig.wall_ns = T0;
	send_many_names(200);
	/* Somebody had hidden three. */
	ck_assert_int_eq(connection_run(store_connection(rig.store),
				 "INSERT INTO suppression_hit SELECT 1, id, 1, 1, 0, 0, 0, 0 FROM "
				 "entity LIMIT 3",
				 &err),
		0);
	int64_t before = n_names();
	pass_horizon_to(T0 + 12 * DAY_NS); /* novelty looks back on a workload's days */
	ck_assert_int_ge(before, 800);
	/* The newest rows, and those of the epoch that the ledger is in. */
	ck_assert_int_le(n_names(), 4 * 32 + 4 + 2 * 3);
	/* Their keys stay: the frozen incidents have them. */
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM key"), 200);
	rig_check(&rig);
	char *document = whole(7);
	ck_assert_ptr_nonnull(strstr(document, "uid-6"));
	free(document);
	/* What is known in memory is found to be gone, and made again under another id. */
	int64_t last = rig_count(&rig, "SELECT max(id) FROM process");
	send_many_names(200);
	ck_assert_int_gt(rig_count(&rig, "SELECT max(id) FROM process"), last);
	ck_assert_int_ge(n_names(), before);
	rig_check(&rig);
	rig_reopen(&rig);
	send_many_names(200);
	rig_check(&rig);
}
END_TEST

/* Old rows stay as long as one alert of their time does, or one uses them now. */
START_TEST(interned_rows_stay_while_they_may_be_referred_to)
{
	rig.wall_ns = T0;
	send_many_names(100);
	rig.wall_ns = T0 + DAY_NS;
	struct sent first = {
		.time_ns = rig.wall_ns, .uid = "uid-0", .image = "uid-0", .process = 2};
	for (int i = 0; i < 40; i++)
		rig_send_one(&rig, first, NULL);
	pass_horizon_to(T0 + 2 * HOUR_NS);
	ck_assert_int_eq(n_alerts(), 40);
	ck_assert_int_eq(
		rig_count(&rig, "SELECT count(*) FROM process WHERE name = 'process 2'"), 1);
	ck_assert_int_eq(
		rig_count(&rig, "SELECT count(*) FROM process WHERE name = 'process 3'"), 0);
	rig_check(&rig);
}
END_TEST

START_TEST(what_is_held_stays)
{
	rig_send_row(&rig, "u", T0, 600);
	ck_assert_int_eq(
		connection_run(store_connection(rig.store), "UPDATE stream SET class = 1", &err),
		0);
	pass_horizon_to(T0 + 20 * DAY_NS);
	ck_assert_int_eq(n_alerts(), 0);
	struct ledger_report report = verify();
	ck_assert_uint_eq(report.n_verified, 600);
	ck_assert_uint_eq(report.n_reduced, 0);
}
END_TEST

enum { HEAVY_BYTES = 4 << 20 };

static int64_t seen_by_writer[2];
static size_t n_seen_by_writer;

/* On the writer's thread, after a transaction and before the next. */
static void look_again(struct batch *batch)
{
	seen_by_writer[n_seen_by_writer++] = n_alerts();
	batch_free(batch);
}

/* The writer's thread does it by itself, after each transaction. */
START_TEST(the_writer_lets_things_leave)
{
	struct writer *writer;
	struct status status = {0};
	struct snapshot_slot *credentials = snapshot_slot_new();
	struct queue *queue = queue_new(4 * HEAVY_BYTES);
	struct writer_options options = {.store = rig.store,
		.queue = queue,
		.credentials = credentials,
		.status = &status,
		.clock = &rig.clock};
	rig_send_row(&rig, "u", T0, 100);
	rig.wall_ns = T0 + (HORIZON_DAYS + 2) * DAY_NS;
	/* Each heavy enough for a transaction of its own, so that nothing is idle between them. */
	for (int i = 0; i < 2; i++) {
		struct batch *batch = batch_new();
		batch->item.weight_bytes = HEAVY_BYTES;
		batch->done = look_again;
		ck_assert(queue_push(queue, &batch->item));
	}
	queue_close(queue);
	ck_assert_int_eq(writer_start(&writer, &options, &err), 0);
	writer_stop(writer);
	ck_assert_int_eq(seen_by_writer[0], 100);
	ck_assert_int_eq(seen_by_writer[1], 0);
	ck_assert_int_eq(n_alerts(), 0);
	ck_assert_int_eq(rig_count(&rig, "SELECT frozen FROM piece WHERE number = 1"), 2);
	ck_assert_uint_gt(atomic_load(&status.used_bytes), 0);
	/* And says so. */
	struct buf out;
	buf_init(&out, DOCUMENT_BYTES_MAX);
	atomic_store(&status.size_limit_bytes, 77);
	ck_assert_int_eq(
		document_status(store_connection(rig.store), &status, NULL, &out, &err), 0);
	ck_assert_ptr_nonnull(strstr(out.data, "\"retention\":{\"horizon\":\"2026-"));
	ck_assert_ptr_nonnull(strstr(out.data, "\"size_limit_bytes\":77,\"size_exceeded\":false"));
	buf_done(&out);
	queue_free(queue);
	snapshot_slot_free(credentials);
}
END_TEST

START_TEST(a_slice_is_short)
{
	rig_send_row(&rig, "u", T0, MANY);
	rig.wall_ns = T0 + (HORIZON_DAYS + 4) * DAY_NS;
	int64_t before = n_alerts();
	while (rig_retain(&rig)) {
		int64_t now = n_alerts();
		ck_assert_int_le(before - now, 1000 + 128);
		before = now;
	}
	ck_assert_int_eq(n_alerts(), 0);
}
END_TEST

enum { LIMIT_BYTES = 8 << 20, PER_COMMIT = 100, COMMITS = 400 };

/* What the writer does after each transaction. */
static void send_and_retain(size_t commit)
{
	struct sent sent[PER_COMMIT];
	for (size_t i = 0; i < PER_COMMIT; i++) {
		static const char *const uids[] = {"a", "b", "c", "d"};
		sent[i] = (struct sent){.time_ns = rig.wall_ns - (int64_t)i * NS_PER_S,
			.uid = uids[(commit / 8 + i) % 4],
			.raw_size = 600};
	}
	struct batch *batch = rig_send(&rig, sent, PER_COMMIT);
	ck_assert_uint_eq(batch->n_accepted, PER_COMMIT);
	batch_free(batch);
	for (int i = 0; i < 4 && rig_retain(&rig); i++)
		;
}

START_TEST(the_file_stays_below_its_limit)
{
	rig.options.size_bytes = LIMIT_BYTES;
	rig_reopen(&rig);
	for (size_t i = 0; i < COMMITS; i++) {
		rig.wall_ns += HOUR_NS / 2;
		send_and_retain(i);
		int64_t n_pages = rig_count(&rig, "PRAGMA page_count");
		ck_assert_int_le(n_pages * 8192, LIMIT_BYTES);
	}
	/* All of it was accepted, far more than fits; what left is in the audit trail. */
	ck_assert_uint_eq(store_leaves(rig.store), COMMITS * PER_COMMIT);
	ck_assert_int_lt(n_alerts(), COMMITS * PER_COMMIT);
	ck_assert_int_gt(n_alerts(), PER_COMMIT * 40);
	ck_assert_int_gt(rig_count(&rig, "SELECT count(*) FROM audit"), 2);
	ck_assert(!store_room(rig.store).full);
	struct retention_state state;
	ck_assert_int_eq(retention_state_read(store_connection(rig.store), &state, &err), 0);
	ck_assert_int_gt(state.shortened_ns, 0);
	ck_assert_int_gt(state.horizon_ns, rig.wall_ns - 9 * DAY_NS);
	ck_assert_int_le(state.horizon_ns, rig.wall_ns - 25 * HOUR_NS);
	/* Raw went first: rows are there whose raw is not. */
	struct ledger_report report = verify();
	ck_assert_uint_gt(report.n_verified, PER_COMMIT * 40);
	ck_assert_int_gt(n_alerts(), (int64_t)report.n_verified);
	/* What is younger than the moved horizon is correlated, what is older is not. */
	uint64_t leaf;
	rig_send_one(&rig, (struct sent){.time_ns = state.horizon_ns - 1, .uid = "z"}, &leaf);
	ck_assert_uint_eq(rig_incident_of(&rig, leaf), 0);
	rig_send_one(&rig, (struct sent){.time_ns = state.horizon_ns, .uid = "z"}, &leaf);
	ck_assert_uint_ne(rig_incident_of(&rig, leaf), 0);
	rig_retain_all(&rig);
	rig_check(&rig);
}
END_TEST

START_TEST(what_must_stay_may_exceed_the_limit)
{
	rig.options.size_bytes = LIMIT_BYTES / 4;
	rig_reopen(&rig);
	for (size_t i = 0; i < 60; i++)
		send_and_retain(i);
	ck_assert(store_room(rig.store).full);
	ck_assert_uint_eq(store_leaves(rig.store), 60 * PER_COMMIT);
	ck_assert_int_eq(n_alerts(), 60 * PER_COMMIT);
	/* A day later the horizon may pass them. */
	rig.wall_ns += 3 * DAY_NS;
	rig_retain_all(&rig);
	ck_assert(!store_room(rig.store).full);
	rig_check(&rig);
}
END_TEST

START_TEST(a_smaller_limit_shrinks_the_file)
{
	for (size_t i = 0; i < 120; i++) {
		rig.wall_ns += HOUR_NS;
		send_and_retain(i);
	}
	int64_t before = rig_count(&rig, "PRAGMA page_count");
	rig.options.size_bytes = (uint64_t)before * 8192 / 2;
	rig_reopen(&rig);
	rig_retain_all(&rig);
	ck_assert_int_le(rig_count(&rig, "PRAGMA page_count"), before / 2);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM pragma_integrity_check"
					 " WHERE integrity_check <> 'ok'"),
		0);
	rig_check(&rig);
	verify();
}
END_TEST

START_TEST(the_horizon_does_not_move_back)
{
	rig_send_row(&rig, "u", T0, 10);
	pass_horizon_to(T0 + 3 * DAY_NS);
	rig.wall_ns -= DAY_NS;
	ck_assert_int_eq(store_horizon_ns(rig.store), T0 + 3 * DAY_NS);
	rig.options.horizon_s *= 2;
	rig_reopen(&rig);
	ck_assert_int_eq(store_horizon_ns(rig.store), T0 + 3 * DAY_NS);
	/* But a clock that was wrong for a while does not make everything late. */
	pass_horizon_to(T0 + 500 * DAY_NS);
	rig.wall_ns = T0 + 40 * DAY_NS;
	ck_assert_int_lt(store_horizon_ns(rig.store), rig.wall_ns - DAY_NS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("retention");
	TCase *tests = tcase_create("retention");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_incident_leaves_when_the_horizon_has_passed_it);
	tcase_add_test(tests, an_incident_across_the_horizon_stays_whole);
	tcase_add_test(tests, what_comes_too_late_is_stored_alone);
	tcase_add_test(tests, what_is_in_no_incident_leaves_too);
	tcase_add_test(tests, spools_and_what_was_shed_leave);
	tcase_add_test(tests, a_duplicate_is_known_as_long_as_its_row);
	tcase_add_test(tests, occurrences_that_share_a_key_stay_known);
	tcase_add_test(tests, a_frozen_incident_reads_as_it_was_at_every_slice);
	tcase_add_test(tests, correlation_never_touches_what_is_frozen);
	tcase_add_test(tests, facts_do_not_call_back_what_is_leaving);
	tcase_add_test(tests, a_shared_slot_leaves_in_parts);
	tcase_add_test(tests, what_was_unlinked_leaves_alone);
	tcase_add_test(tests, facts_stay_while_they_speak_for_somebody);
	tcase_add_test(tests, the_ledger_verifies_after_its_tiles_are_reduced);
	tcase_add_test(tests, a_full_last_tile_stays);
	tcase_add_test(tests, a_missing_tile_of_roots_is_found);
	tcase_add_test(tests, raw_leaves_at_its_own_age);
	tcase_add_test(tests, interned_rows_leave_when_nothing_refers_to_them);
	tcase_add_test(tests, interned_rows_stay_while_they_may_be_referred_to);
	tcase_add_test(tests, what_is_held_stays);
	tcase_add_test(tests, the_writer_lets_things_leave);
	tcase_add_test(tests, a_slice_is_short);
	tcase_add_test(tests, the_file_stays_below_its_limit);
	tcase_add_test(tests, what_must_stay_may_exceed_the_limit);
	tcase_add_test(tests, a_smaller_limit_shrinks_the_file);
	tcase_add_test(tests, the_horizon_does_not_move_back);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
