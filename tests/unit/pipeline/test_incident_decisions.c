/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/incident_decisions.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "decision_rig.h"
#include "store/audit.h"

static struct rig rig;

/* INC-1: two rules on one pod in the first ten minutes; INC-2: another pod. */
static void setup(void)
{
	rig_open(&rig);
	rig_alert(&rig, &(struct rig_alert){10, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_alert(&rig, &(struct rig_alert){400, "web-1", "secret", SEVERITY_MEDIUM, 9, false});
	rig_commit(&rig);
	rig_alert(&rig, &(struct rig_alert){20, "db-1", "scan", SEVERITY_LOW, 10, false});
	rig_clock(&rig, 700);
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece"), 2);
}

static void teardown(void)
{
	rig_close(&rig);
}

static struct incident_decision *decide(enum decision_kind kind, uint64_t number)
{
	struct incident_decision *wish = rig_decision(&rig, kind, number);
	wish->verdict = kind == DECISION_RESOLVE ? VERDICT_TEST : VERDICT_NONE;
	wish->until_ns = rig_time(7200);
	wish->who = TEXT("ann");
	wish->text = TEXT("a word");
	wish->other = 2;
	rig_fingerprint("shell", wish->prints[0]);
	wish->n_prints = 1;
	return wish;
}

/* Decides at once; -> status */
static unsigned now(enum decision_kind kind, uint64_t number)
{
	struct incident_decision *wish = decide(kind, number);
	rig_commit(&rig);
	return wish->result.status;
}

static enum incident_state state_of(uint64_t number)
{
	return rig_incident(&rig, number)->state;
}

enum { NO = -1, SAME = -2 };

/* What each decision makes of each state: new, acknowledged, investigating, contained, resolved,
 * closed. Nobody is assigned. */
static const struct {
	enum decision_kind kind;
	int to[6];
} transitions[] = {
	{DECISION_ACK, {INCIDENT_ACKNOWLEDGED, NO, NO, NO, NO, NO}},
	{DECISION_ASSIGN, {SAME, INCIDENT_INVESTIGATING, SAME, SAME, NO, NO}},
	{DECISION_COMMENT, {SAME, SAME, SAME, SAME, SAME, SAME}},
	{DECISION_RESOLVE, {INCIDENT_RESOLVED, INCIDENT_RESOLVED, INCIDENT_RESOLVED,
				   INCIDENT_RESOLVED, NO, NO}},
	{DECISION_REOPEN, {NO, NO, NO, NO, INCIDENT_INVESTIGATING, INCIDENT_INVESTIGATING}},
	{DECISION_SNOOZE, {SAME, SAME, SAME, SAME, NO, NO}},
	{DECISION_CUT, {SAME, SAME, SAME, SAME, SAME, SAME}},
	{DECISION_MERGE, {SAME, SAME, SAME, SAME, SAME, SAME}},
	{DECISION_UNLINK, {SAME, SAME, SAME, SAME, SAME, SAME}},
};

enum { N_TRANSITIONS = sizeof transitions / sizeof transitions[0] };

static void bring_to(enum incident_state state)
{
	char sql[80];
	text_format(sql, sizeof sql, "UPDATE incident SET state = %u WHERE number = 1", state);
	rig_sql(&rig, sql);
}

START_TEST(keeps_the_state_table)
{
	enum decision_kind kind = transitions[_i / 6].kind;
	enum incident_state from = (enum incident_state)(_i % 6);
	int to = transitions[_i / 6].to[_i % 6];
	bring_to(from);
	struct text before = rig_dump(&rig);
	struct incident_decision *wish = decide(kind, 1);
	rig_commit(&rig);
	const char *name = decision_name(kind), *was = incident_state_name(from);
	if (to == NO) {
		ck_assert_msg(
			wish->result.status == 409, "%s of %s: %u", name, was, wish->result.status);
		ck_assert(text_equal(before, rig_dump(&rig)));
		/* It says which states allow it. */
		struct text why = wish->result.refusal;
		for (int i = 0; i < 6; i++) {
			const char *state = incident_state_name((enum incident_state)i);
			bool named = text_find(why, text_of(state), 0) != SIZE_MAX;
			ck_assert_msg(named == (transitions[_i / 6].to[i] != NO || i == (int)from),
				"%s: %.*s", state, TEXT_ARG(why));
		}
		return;
	}
	ck_assert_msg(wish->result.status == 200, "%s of %s: %.*s", name, was,
		TEXT_ARG(wish->result.refusal));
	ck_assert_int_eq(state_of(1), to == SAME ? (int)from : to);
	ck_assert_int_eq(rig_count(&rig, "SELECT touched FROM incident WHERE number = 1"), 1);
	ck_assert_int_ge(rig_count(&rig, "SELECT count(*) FROM activity WHERE number = 1"), 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM audit"), 1);
}
END_TEST

START_TEST(comment_of_the_assignee_investigates)
{
	ck_assert_uint_eq(now(DECISION_ASSIGN, 1), 200);
	ck_assert_uint_eq(now(DECISION_COMMENT, 1), 200);
	ck_assert_int_eq(state_of(1), INCIDENT_NEW);
	ck_assert_uint_eq(now(DECISION_ACK, 1), 200);
	rig_sql(&rig, "UPDATE incident SET assignee = 'bob' WHERE number = 1");
	ck_assert_uint_eq(now(DECISION_COMMENT, 1), 200);
	ck_assert_int_eq(state_of(1), INCIDENT_ACKNOWLEDGED);
	rig_sql(&rig, "UPDATE incident SET assignee = 'ann' WHERE number = 1");
	ck_assert_uint_eq(now(DECISION_COMMENT, 1), 200);
	ck_assert_int_eq(state_of(1), INCIDENT_INVESTIGATING);
}
END_TEST

START_TEST(unassigning_investigates_nothing)
{
	ck_assert_uint_eq(now(DECISION_ACK, 1), 200);
	decide(DECISION_ASSIGN, 1)->who = TEXT_NONE;
	rig_commit(&rig);
	ck_assert_int_eq(state_of(1), INCIDENT_ACKNOWLEDGED);
	ck_assert_uint_eq(rig_incident(&rig, 1)->assignee.size, 0);
}
END_TEST

static void prepare_unknown(struct incident_decision *wish)
{
	wish->number = 77;
}

static void prepare_no_verdict(struct incident_decision *wish)
{
	wish->verdict = VERDICT_NONE;
}

static void prepare_foreign_print(struct incident_decision *wish)
{
	rig_fingerprint("scan", wish->prints[0]);
}

static void prepare_other_time(struct incident_decision *wish)
{
	wish->has_slot = true;
	wish->from_slot = rig_slot(300);
	wish->to_slot = rig_slot(900);
}

static void prepare_backwards(struct incident_decision *wish)
{
	wish->has_slot = true;
	wish->from_slot = rig_slot(300);
	wish->to_slot = rig_slot(0);
}

static void prepare_everything(struct incident_decision *wish)
{
	rig_fingerprint("secret", wish->prints[1]);
	wish->n_prints = 2;
}

static void prepare_itself(struct incident_decision *wish)
{
	wish->other = 1;
}

static void prepare_no_other(struct incident_decision *wish)
{
	wish->other = 78;
}

static void prepare_first_slot(struct incident_decision *wish)
{
	wish->has_slot = true;
	wish->from_slot = rig_slot(10);
}

static void prepare_past(struct incident_decision *wish)
{
	wish->until_ns = rig_time(700);
}

static void prepare_wake(struct incident_decision *wish)
{
	wish->until_ns = 0;
}

static void prepare_no_edit(struct incident_decision *wish)
{
	wish->edit = TEXT("nothing");
}

static void prepare_taken_id(struct incident_decision *wish)
{
	text_format(wish->edit_id, EDIT_ID_BYTES, "taken");
}

static const struct {
	enum decision_kind kind;
	unsigned status;
	void (*prepare)(struct incident_decision *wish);
	const char *says;
} refusals[] = {
	{DECISION_ACK, 404, prepare_unknown, "INC-77"},
	{DECISION_UNDO, 404, prepare_unknown, "INC-77"},
	{DECISION_RESOLVE, 422, prepare_no_verdict, "verdict"},
	{DECISION_UNLINK, 422, prepare_foreign_print, "fingerprint"},
	{DECISION_UNLINK, 422, prepare_other_time, "in that time"},
	{DECISION_UNLINK, 422, prepare_backwards, "from"},
	{DECISION_UNLINK, 422, prepare_everything, "nothing would be left"},
	{DECISION_MERGE, 422, prepare_itself, "one incident"},
	{DECISION_MERGE, 404, prepare_no_other, "INC-78"},
	{DECISION_CUT, 422, prepare_first_slot, "first five minutes"},
	{DECISION_SNOOZE, 422, prepare_past, "future"},
	{DECISION_SNOOZE, 409, prepare_wake, "not snoozed"},
	{DECISION_UNDO, 422, prepare_no_edit, "nothing"},
	{DECISION_CUT, 409, prepare_taken_id, "taken"},
	{DECISION_MERGE, 409, prepare_taken_id, "taken"},
	{DECISION_UNLINK, 409, prepare_taken_id, "taken"},
	{DECISION_RESOLVE, 409, prepare_taken_id, "taken"},
};

enum { N_REFUSALS = sizeof refusals / sizeof refusals[0] };

/* Refused, nothing is changed, and what stands beside it in the batch is carried out. */
START_TEST(refuses_what_cannot_be)
{
	rig_sql(&rig, "INSERT INTO edit (id, kind) VALUES ('taken', 3)");
	struct text before = rig_dump(&rig);
	struct incident_decision *wish = decide(refusals[_i].kind, 1);
	refusals[_i].prepare(wish);
	rig_run(&rig, true);
	ck_assert_msg(wish->result.status == refusals[_i].status, "%u: %.*s", wish->result.status,
		TEXT_ARG(wish->result.refusal));
	ck_assert_msg(text_find(wish->result.refusal, text_of(refusals[_i].says), 0) != SIZE_MAX,
		"%.*s", TEXT_ARG(wish->result.refusal));
	ck_assert(text_equal(before, rig_dump(&rig)));

	struct incident_decision *first = decide(DECISION_COMMENT, 1);
	wish = decide(refusals[_i].kind, 1);
	refusals[_i].prepare(wish);
	struct incident_decision *last = decide(DECISION_COMMENT, 2);
	rig_commit(&rig);
	ck_assert_uint_eq(first->result.status, 200);
	ck_assert_uint_eq(wish->result.status, refusals[_i].status);
	ck_assert_uint_eq(last->result.status, 200);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM activity"), 2);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM audit"), 2);
}
END_TEST

START_TEST(context_alone_is_not_unlinked)
{
	rig_alert(&rig, &(struct rig_alert){500, "web-1", "exec", SEVERITY_INFO, 0, true});
	rig_commit(&rig);
	struct incident_decision *wish = decide(DECISION_UNLINK, 1);
	rig_fingerprint("exec", wish->prints[0]);
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 422);
	ck_assert(text_find(wish->result.refusal, TEXT("context"), 0) != SIZE_MAX);
}
END_TEST

START_TEST(revision_guards_against_what_was_not_seen)
{
	uint64_t seen = rig_incident(&rig, 1)->revision;
	struct incident_decision *first = decide(DECISION_ACK, 1);
	struct incident_decision *second = decide(DECISION_RESOLVE, 1);
	first->has_revision = second->has_revision = true;
	first->revision = second->revision = seen;
	rig_commit(&rig);
	ck_assert_uint_eq(first->result.status, 200);
	ck_assert_uint_eq(first->result.revision, seen + 1);
	ck_assert_uint_eq(second->result.status, 409);
	ck_assert_uint_eq(second->result.revision, seen + 1);
	ck_assert_int_eq(state_of(1), INCIDENT_ACKNOWLEDGED);
	ck_assert_uint_eq(rig_incident(&rig, 1)->revision, seen + 1);
	/* More alerts are a revision too, above what the decision made, with or without a cache. */
	for (int i = 0; i < 2; i++) {
		rig_alert(&rig,
			&(struct rig_alert){410 + i, "web-1", "shell", SEVERITY_LOW, 2, false});
		rig_commit(&rig);
		ck_assert_uint_eq(rig_incident(&rig, 1)->revision, seen + 2 + (uint64_t)i);
	}
	ck_assert_uint_eq(now(DECISION_COMMENT, 1), 200);
	ck_assert_uint_eq(rig_incident(&rig, 1)->revision, seen + 4);
}
END_TEST

static struct incident_decision *keyed(const char *key, const char *request)
{
	struct incident_decision *wish = decide(DECISION_CUT, 1);
	wish->key = text_of(key);
	wish->request = digest_of(text_of(request));
	return wish;
}

START_TEST(same_key_gives_the_same_answer)
{
	struct incident_decision *first = keyed("k", "a"), *again = keyed("k", "a");
	rig_commit(&rig);
	ck_assert_uint_eq(first->result.status, 200);
	ck_assert_uint_eq(again->result.status, 200);
	ck_assert(text_equal(first->result.answer, again->result.answer));
	struct text before = rig_dump(&rig);
	rig_restart(&rig);
	rig_clock(&rig, 3600 * 23);
	again = keyed("k", "a");
	again->has_revision = true; /* what was seen then is stale: it does not matter */
	again->revision = 1;
	struct incident_decision *other = keyed("k", "b");
	rig_commit(&rig);
	ck_assert(text_equal(first->result.answer, again->result.answer));
	ck_assert_uint_eq(again->result.number, 1);
	ck_assert_uint_eq(again->result.revision, first->result.revision);
	ck_assert_uint_eq(other->result.status, 422);
	ck_assert(text_equal(before, rig_dump(&rig)));
}
END_TEST

START_TEST(keys_are_an_actors_own_and_end)
{
	keyed("k", "a");
	rig_commit(&rig);
	keyed("k", "a");
	rig.batch->decisions->actor = TEXT("token:bob");
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM activity"), 2);
	rig_clock(&rig, 700 + 24 * 3600 + 1);
	keyed("another", "a");
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM idempotency"), 1);
}
END_TEST

START_TEST(refusals_are_not_kept)
{
	struct incident_decision *wish = decide(DECISION_REOPEN, 1);
	wish->key = TEXT("k");
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 409);
	ck_assert_uint_eq(now(DECISION_RESOLVE, 1), 200);
	wish = decide(DECISION_REOPEN, 1);
	wish->key = TEXT("k");
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 200);
}
END_TEST

START_TEST(rollback_leaves_nothing)
{
	for (unsigned i = 0; i < N_TRANSITIONS; i++) {
		if (transitions[i].kind == DECISION_REOPEN)
			continue;
		struct text before = rig_dump(&rig);
		struct incident_decision *wish = decide(transitions[i].kind, 1);
		wish->key = TEXT("k");
		rig_run(&rig, false);
		ck_assert_uint_eq(wish->result.status, 200);
		ck_assert(text_equal(before, rig_dump(&rig)));
	}
	/* Nothing of them is left in memory either: later alerts join what they would have. */
	rig_alert(&rig, &(struct rig_alert){1000, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece"), 2);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_alerts, 3);
}
END_TEST

START_TEST(same_decision_twice_is_the_same)
{
	struct decision decision;
	decide(DECISION_RESOLVE, 1);
	decision = *rig.batch->decisions;
	rig_run(&rig, false);
	*rig_decision(&rig, DECISION_RESOLVE, 1) = decision.incident;
	struct incident_decision *wish = &rig.batch->decisions->incident;
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 200);
	ck_assert(text_is(rig_words(&rig, "SELECT edit FROM activity"), decision.incident.edit_id));
	ck_assert(text_is(rig_words(&rig, "SELECT id FROM edit"), decision.incident.edit_id));
}
END_TEST

START_TEST(title_is_frozen_as_it_was)
{
	struct text title = rig_incident(&rig, 1)->title;
	ck_assert_uint_eq(now(DECISION_COMMENT, 1), 200);
	ck_assert(text_equal(rig_incident(&rig, 1)->title, title));
	ck_assert_uint_eq(rig_incident(&rig, 1)->suggested_title.size, 0);
	rig_alert(&rig, &(struct rig_alert){420, "web-1", "escape", SEVERITY_CRITICAL, 4, false});
	rig_commit(&rig);
	ck_assert(text_equal(rig_incident(&rig, 1)->title, title));
	ck_assert(rig_incident(&rig, 1)->suggested_title.size > 0);
}
END_TEST

START_TEST(resolving_cuts_and_reopening_mends)
{
	ck_assert_uint_eq(now(DECISION_RESOLVE, 1), 200);
	/* The slot that now is in still belongs to it. */
	rig_alert(&rig, &(struct rig_alert){890, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_alerts, 3);
	if (_i)
		rig_restart(&rig);
	rig_alert(&rig, &(struct rig_alert){900, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	const struct incident *next = rig_incident(&rig, 3);
	ck_assert_uint_eq(next->n_alerts, 1);
	ck_assert_uint_eq(next->recurrence_of, 1);
	ck_assert_int_eq(next->state, INCIDENT_NEW);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM activity WHERE kind = 16"
					 " AND number IN (1, 3)"),
		2);
	if (_i)
		rig_restart(&rig);
	ck_assert_uint_eq(now(DECISION_REOPEN, 1), 200);
	const struct incident *whole = rig_incident(&rig, 1);
	ck_assert_uint_eq(whole->n_alerts, 4);
	ck_assert_int_eq(whole->verdict, VERDICT_NONE);
	ck_assert_int_eq(whole->resolved_ns, 0);
	ck_assert_uint_eq(rig_incident(&rig, 3)->redirect_to, 1);
	/* A second resolution is a second cut. */
	rig_clock(&rig, 1300);
	ck_assert_uint_eq(now(DECISION_RESOLVE, 1), 200);
	rig_alert(&rig, &(struct rig_alert){1600, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	ck_assert_uint_eq(rig_incident(&rig, 4)->recurrence_of, 1);
}
END_TEST

/* The next incident of the pod follows the resolved one, however long after; not once it is
 * reopened. */
START_TEST(what_comes_much_later_recurs_too)
{
	ck_assert_uint_eq(now(DECISION_RESOLVE, 1), 200);
	if (_i)
		ck_assert_uint_eq(now(DECISION_REOPEN, 1), 200);
	rig_alert(&rig, &(struct rig_alert){20000, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	ck_assert_uint_eq(rig_incident(&rig, 3)->recurrence_of, _i ? 0 : 1);
}
END_TEST

START_TEST(a_cut_of_a_person_is_no_recurrence)
{
	ck_assert_uint_eq(now(DECISION_CUT, 1), 200);
	rig_alert(&rig, &(struct rig_alert){900, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	ck_assert_uint_eq(rig_incident(&rig, 3)->recurrence_of, 0);
}
END_TEST

/* Sensors whose clocks are ahead: what was seen when it was resolved stays in it. */
START_TEST(resolving_cuts_behind_what_is_there)
{
	rig_alert(&rig, &(struct rig_alert){1500, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	ck_assert_uint_eq(now(DECISION_RESOLVE, 1), 200);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_alerts, 3);
}
END_TEST

static void snooze(void)
{
	ck_assert_uint_eq(now(DECISION_SNOOZE, 1), 200);
	ck_assert_int_eq(rig_incident(&rig, 1)->snoozed_until_ns, rig_time(7200));
}

static struct text woken(void)
{
	return rig_words(&rig, "SELECT detail FROM activity WHERE kind = 7 AND number = 1");
}

static const struct {
	struct rig_alert alert;
	const char *why; /* NULL: it sleeps on */
} wakers[] = {
	{{600, "web-1", "shell", SEVERITY_LOW, 2, false}, NULL},
	{{600, "web-1", "exec", SEVERITY_INFO, 5, true}, NULL},
	{{600, "web-1", "other", SEVERITY_LOW, 2, false}, "{\"why\":\"new rule\"}"},
	{{600, "web-1", "shell", SEVERITY_LOW, 4, false}, "{\"why\":\"new tactic\"}"},
	{{600, "web-1", "shell", SEVERITY_HIGH, 2, false}, "{\"why\":\"higher severity\"}"},
	{{600, "web-1", "other", SEVERITY_HIGH, 4, false},
		"{\"why\":\"higher severity, new tactic, new rule\"}"},
	/* Before it, so that it has to be partitioned anew. */
	{{-400, "web-1", "other", SEVERITY_LOW, 2, false}, "{\"why\":\"new rule\"}"},
};

enum { N_WAKERS = sizeof wakers / sizeof wakers[0] };

START_TEST(more_than_was_put_to_sleep_wakes)
{
	snooze();
	/* So that the second alert extends what is cached. */
	rig_alert(&rig, &(struct rig_alert){580, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	if (_i >= N_WAKERS)
		rig_restart(&rig);
	rig_alert(&rig, &wakers[_i % N_WAKERS].alert);
	rig_commit(&rig);
	const char *why = wakers[_i % N_WAKERS].why;
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_alerts, 4);
	if (!why) {
		ck_assert_int_ne(rig_incident(&rig, 1)->snoozed_until_ns, 0);
		ck_assert_uint_eq(woken().size, 0);
		return;
	}
	ck_assert_int_eq(rig_incident(&rig, 1)->snoozed_until_ns, 0);
	ck_assert_msg(text_is(woken(), why), "%.*s", TEXT_ARG(woken()));
	/* Awake is awake: once. */
	rig_alert(&rig, &(struct rig_alert){601, "web-1", "fourth", SEVERITY_CRITICAL, 3, false});
	rig_commit(&rig);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM activity WHERE kind = 7"), 1);
}
END_TEST

START_TEST(snoozes_end_with_their_time)
{
	snooze();
	uint64_t revision = rig_incident(&rig, 1)->revision;
	rig_clock(&rig, 7199);
	rig_commit(&rig);
	ck_assert_uint_eq(rig_incident(&rig, 1)->revision, revision);
	rig_clock(&rig, 7200);
	rig_commit(&rig);
	ck_assert_int_eq(rig_incident(&rig, 1)->snoozed_until_ns, 0);
	ck_assert_uint_eq(rig_incident(&rig, 1)->revision, revision + 1);
	ck_assert(text_is(woken(), "{\"why\":\"its time is over\"}"));
}
END_TEST

START_TEST(a_person_wakes_too)
{
	snooze();
	decide(DECISION_SNOOZE, 1)->until_ns = 0;
	rig_commit(&rig);
	ck_assert_int_eq(rig_incident(&rig, 1)->snoozed_until_ns, 0);
	ck_assert(woken().size > 0);
	snooze();
	ck_assert_uint_eq(now(DECISION_RESOLVE, 1), 200);
	ck_assert_int_eq(rig_incident(&rig, 1)->snoozed_until_ns, 0);
}
END_TEST

static void undo(uint64_t number, const char *edit, unsigned status)
{
	struct incident_decision *wish = decide(DECISION_UNDO, number);
	wish->edit = text_of(edit);
	rig_commit(&rig);
	ck_assert_msg(wish->result.status == status, "%u: %.*s", wish->result.status,
		TEXT_ARG(wish->result.refusal));
}

/* The numbers, whose key and how many alerts each has. */
static struct text grouping(void)
{
	return rig_words(&rig,
		"SELECT group_concat(p.number || ' ' || k.text || ' ' || p.n || ' ' || "
		"p.first_slot)"
		" FROM (SELECT * FROM piece ORDER BY number) p JOIN key k ON k.id = p.key");
}

START_TEST(undo_brings_the_grouping_back)
{
	static const enum decision_kind kinds[] = {DECISION_UNLINK, DECISION_CUT};
	rig_alert(&rig, &(struct rig_alert){800, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	struct text before = grouping();
	struct incident_decision *wish = decide(kinds[_i], 1);
	if (kinds[_i] == DECISION_CUT) {
		wish->has_slot = true;
		wish->from_slot = rig_slot(600);
	}
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 200);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece"), 3);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_edits, 1);
	rig_restart(&rig);
	undo(1, wish->edit_id, 200);
	ck_assert_msg(text_equal(before, grouping()), "%.*s", TEXT_ARG(grouping()));
	ck_assert_uint_eq(rig_incident(&rig, 3)->redirect_to, 1);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_edits, 0);
	undo(1, wish->edit_id, 409); /* final */
	undo(2, wish->edit_id, 422); /* another incident's */
}
END_TEST

START_TEST(a_carved_incident_lives_its_own_life)
{
	struct incident_decision *wish = decide(DECISION_UNLINK, 1);
	wish->has_slot = true;
	wish->from_slot = rig_slot(0);
	wish->to_slot = rig_slot(3000);
	rig_commit(&rig);
	ck_assert_uint_eq(rig_incident(&rig, 3)->n_alerts, 1);
	/* Where it was carved out of is looked at when more is to be carved from it. */
	ck_assert_uint_eq(now(DECISION_UNLINK, 3), 409);
	ck_assert_uint_eq(now(DECISION_RESOLVE, 3), 200);
	ck_assert(
		text_is(rig_words(&rig, "SELECT target FROM edit WHERE kind = 1"), wish->edit_id));
	rig_alert(&rig, &(struct rig_alert){950, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_alert(&rig, &(struct rig_alert){951, "web-1", "secret", SEVERITY_LOW, 9, false});
	rig_commit(&rig);
	ck_assert_uint_eq(rig_incident(&rig, 4)->recurrence_of, 3);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_alerts, 2);
	/* What made it can be undone from it. */
	ck_assert_uint_eq(rig_incident(&rig, 4)->n_edits, 1);
	undo(4, wish->edit_id, 200);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM piece"), 2);
}
END_TEST

START_TEST(a_resolution_is_undone_by_reopening)
{
	struct incident_decision *wish = decide(DECISION_RESOLVE, 1);
	rig_commit(&rig);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_edits, 0);
	undo(1, wish->edit_id, 409);
}
END_TEST

/* Its alerts have left: nothing joins it, and which they were is final. */
START_TEST(a_frozen_incident_is_decided_but_not_grouped_anew)
{
	struct incident_decision *cut = decide(DECISION_CUT, 1);
	rig_commit(&rig);
	rig_sql(&rig, "UPDATE piece SET frozen = 2 WHERE number = 1;"
		      "INSERT INTO frozen_incident VALUES (1, 'shop', 'web-1', '', '', 2,"
		      " zeroblob(120), NULL)");
	ck_assert_uint_eq(now(DECISION_CUT, 1), 409);
	ck_assert_uint_eq(now(DECISION_UNLINK, 1), 409);
	undo(1, cut->edit_id, 409);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_edits, 0);
	ck_assert_uint_eq(now(DECISION_MERGE, 1), 200);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_edits, 1);
	ck_assert_uint_eq(now(DECISION_RESOLVE, 1), 200);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM edit"), 1);
	ck_assert_uint_eq(now(DECISION_REOPEN, 1), 200);
	ck_assert_int_eq(rig_count(&rig, "SELECT frozen FROM piece WHERE number = 1"), 2);
}
END_TEST

START_TEST(links_show_and_end)
{
	struct incident_decision *wish = decide(DECISION_MERGE, 1);
	struct incident_decision *twice = decide(DECISION_MERGE, 2);
	twice->other = 1;
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 200);
	ck_assert_uint_eq(twice->result.status, 409);
	ck_assert_uint_eq(rig_incident(&rig, 1)->links[0].number, 2);
	ck_assert_uint_eq(rig_incident(&rig, 2)->links[0].number, 1);
	ck_assert_int_eq(rig_count(&rig, "SELECT min(touched) FROM incident"), 1);
	ck_assert_uint_eq(rig_incident(&rig, 2)->n_edits, 1);
	undo(2, wish->edit_id, 200);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_links, 0);
	ck_assert_int_eq(rig_count(&rig, "SELECT count(*) FROM activity WHERE kind = 11"), 2);
	undo(1, wish->edit_id, 409);
	ck_assert_uint_eq(now(DECISION_MERGE, 1), 200); /* decided anew */
}
END_TEST

/* A second incident of web-1, out of reach of the first, and then the alert that joins them. */
static void meet(void (*between)(void))
{
	rig_alert(&rig, &(struct rig_alert){6000, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_clock(&rig, 6100);
	rig_commit(&rig);
	ck_assert_uint_eq(rig_incident(&rig, 3)->n_alerts, 1);
	between();
	rig_alert(&rig, &(struct rig_alert){3000, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	ck_assert_uint_eq(rig_incident(&rig, 3)->redirect_to, 1);
}

static void comment_on_both(void)
{
	ck_assert_uint_eq(now(DECISION_ACK, 3), 200);
	ck_assert_uint_eq(now(DECISION_MERGE, 3), 200);
	ck_assert_uint_eq(now(DECISION_COMMENT, 1), 200);
}

static void assign_to_two(void)
{
	ck_assert_uint_eq(now(DECISION_ASSIGN, 1), 200);
	decide(DECISION_ASSIGN, 3)->who = TEXT("bob");
	rig_commit(&rig);
}

START_TEST(a_merged_number_means_the_survivor)
{
	meet(comment_on_both);
	/* It was worked on, and linked. */
	ck_assert_int_eq(state_of(1), INCIDENT_ACKNOWLEDGED);
	ck_assert_uint_eq(rig_incident(&rig, 1)->links[0].number, 2);
	ck_assert_uint_eq(rig_incident(&rig, 2)->links[0].number, 1);
	struct incident_decision *wish = decide(DECISION_COMMENT, 3);
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 200);
	ck_assert_uint_eq(wish->result.number, 1);
	ck_assert(text_find(wish->result.answer, TEXT("\"asked\":\"INC-3\""), 0) != SIZE_MAX);
	/* Nobody who saw INC-3 alone has seen what it is part of. */
	wish = decide(DECISION_COMMENT, 3);
	wish->has_revision = true;
	wish->revision = rig_incident(&rig, 1)->revision;
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 409);
	ck_assert(text_find(wish->result.refusal,
			  TEXT("INC-3 is part of INC-1 now, whose revision"), 0) == 0);
	ck_assert_uint_eq(wish->result.number, 1);
	ck_assert_uint_eq(wish->result.asked, 3);
	/* What it says works. */
	uint64_t revision = wish->result.revision;
	wish = decide(DECISION_COMMENT, 1);
	wish->has_revision = true;
	wish->revision = revision;
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.status, 200);
	ck_assert_uint_eq(wish->result.asked, 0);
}
END_TEST

static char merged_cut[EDIT_ID_BYTES];

static void resolve_the_younger(void)
{
	ck_assert_uint_eq(now(DECISION_ACK, 1), 200);
	struct incident_decision *wish = decide(DECISION_RESOLVE, 3);
	rig_commit(&rig);
	memcpy(merged_cut, wish->edit_id, sizeof merged_cut);
}

/* It is not resolved itself, so there is nothing to reopen. */
START_TEST(the_cut_of_a_merged_resolution_is_undone)
{
	meet(resolve_the_younger);
	ck_assert_int_eq(state_of(1), INCIDENT_ACKNOWLEDGED);
	rig_alert(&rig, &(struct rig_alert){6400, "web-1", "shell", SEVERITY_LOW, 2, false});
	rig_commit(&rig);
	uint64_t n = rig_incident(&rig, 1)->n_alerts;
	ck_assert_uint_eq(rig_incident(&rig, 4)->recurrence_of, 0);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_edits, 1);
	undo(1, merged_cut, 200);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_alerts, n + 1);
	ck_assert_uint_eq(rig_incident(&rig, 1)->n_edits, 0);
}
END_TEST

START_TEST(an_alias_means_the_survivor)
{
	meet(assign_to_two);
	ck_assert_uint_eq(rig_incident(&rig, 3)->alias_of, 1);
	ck_assert(text_is(rig_incident(&rig, 3)->assignee, "bob"));
	struct incident_decision *wish = decide(DECISION_RESOLVE, 3);
	rig_commit(&rig);
	ck_assert_uint_eq(wish->result.number, 1);
	ck_assert_int_eq(state_of(1), INCIDENT_RESOLVED);
	ck_assert(text_is(rig_incident(&rig, 1)->assignee, "ann"));
}
END_TEST

START_TEST(the_audit_trail_verifies)
{
	struct err err;
	uint64_t n, broken;
	decide(DECISION_COMMENT, 1)->text = TEXT("<\"\\\n\x01 quoted");
	decide(DECISION_ACK, 1);
	decide(DECISION_MERGE, 1);
	decide(DECISION_RESOLVE, 2);
	rig_commit(&rig);
	rig_restart(&rig);
	ck_assert_int_eq(audit_verify(rig_connection(&rig), &n, &broken, &err), 0);
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(broken, 0);
	ck_assert(
		text_is(rig_words(&rig, "SELECT action || ' ' || target || ' ' || actor FROM audit"
					" ORDER BY id DESC"),
			"incident.resolve INC-2 token:ann"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pipeline/incident_decisions");
	TCase *tests = tcase_create("decisions");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, keeps_the_state_table, 0, N_TRANSITIONS * 6);
	tcase_add_test(tests, comment_of_the_assignee_investigates);
	tcase_add_test(tests, unassigning_investigates_nothing);
	tcase_add_loop_test(tests, refuses_what_cannot_be, 0, N_REFUSALS);
	tcase_add_test(tests, context_alone_is_not_unlinked);
	tcase_add_test(tests, revision_guards_against_what_was_not_seen);
	tcase_add_test(tests, same_key_gives_the_same_answer);
	tcase_add_test(tests, keys_are_an_actors_own_and_end);
	tcase_add_test(tests, refusals_are_not_kept);
	tcase_add_test(tests, rollback_leaves_nothing);
	tcase_add_test(tests, same_decision_twice_is_the_same);
	tcase_add_test(tests, title_is_frozen_as_it_was);
	tcase_add_loop_test(tests, resolving_cuts_and_reopening_mends, 0, 2);
	tcase_add_loop_test(tests, what_comes_much_later_recurs_too, 0, 2);
	tcase_add_test(tests, a_cut_of_a_person_is_no_recurrence);
	tcase_add_test(tests, resolving_cuts_behind_what_is_there);
	tcase_add_loop_test(tests, more_than_was_put_to_sleep_wakes, 0, 2 * N_WAKERS);
	tcase_add_test(tests, snoozes_end_with_their_time);
	tcase_add_test(tests, a_person_wakes_too);
	tcase_add_loop_test(tests, undo_brings_the_grouping_back, 0, 2);
	tcase_add_test(tests, a_carved_incident_lives_its_own_life);
	tcase_add_test(tests, a_resolution_is_undone_by_reopening);
	tcase_add_test(tests, a_frozen_incident_is_decided_but_not_grouped_anew);
	tcase_add_test(tests, links_show_and_end);
	tcase_add_test(tests, a_merged_number_means_the_survivor);
	tcase_add_test(tests, the_cut_of_a_merged_resolution_is_undone);
	tcase_add_test(tests, an_alias_means_the_survivor);
	tcase_add_test(tests, the_audit_trail_verifies);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
