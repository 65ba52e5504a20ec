/* SPDX-License-Identifier: Apache-2.0 */

/* What agents send, through the writer: numbers, facts, cuts and what was shed. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "evidence/leaf.h"
#include "pipeline/writer.h"
#include "store/facts.h"
#include "store/ledger_verify.h"
#include "tests/lib/store_rig.h"

enum { WAIT_MS = 20000, HUGE_BYTES = 17 * 1024 * 1024 };

static struct store_rig rig;
static struct queue *queue, *reply;
static struct snapshot_slot *credentials;
static struct status status;
static struct writer *writer;

static void on_failed(void *ctx)
{
	(void)ctx;
	ck_abort_msg("the store cannot be brought back");
}

static void start(void)
{
	struct err err = {0};
	ck_assert_msg(store_rig_open(&rig, &err) == 0, "%s", err.text);
	queue = queue_new(64 * 1024 * 1024);
	ck_assert_ptr_nonnull(queue);
	memset(&status, 0, sizeof status);
	struct writer_options options = {
		.store = rig.store,
		.queue = queue,
		.credentials = credentials,
		.status = &status,
		.clock = &rig.clock.clock,
		.failed = on_failed,
	};
	ck_assert_msg(writer_start(&writer, &options, &err) == 0, "%s", err.text);
}

static void stop(void)
{
	if (!writer)
		return;
	queue_close(queue);
	writer_stop(writer);
	writer = NULL;
	queue_free(queue);
}

static void restart(void)
{
	stop();
	store_rig_close(&rig);
	start();
}

static void setup(void)
{
	store_rig_init(&rig, NULL);
	reply = queue_new(SIZE_MAX);
	credentials = snapshot_slot_new();
	ck_assert(reply && credentials);
	start();
}

static void teardown(void)
{
	stop();
	queue_free(reply);
	snapshot_slot_free(credentials);
	store_rig_done(&rig);
}

static struct batch *give(struct batch *batch)
{
	batch->reply = reply;
	ck_assert(queue_push(queue, &batch->item));
	struct queue_item *item = queue_take(reply, 1, WAIT_MS);
	ck_assert_ptr_nonnull(item);
	return (struct batch *)(void *)item;
}

static struct spool_mark *mark(struct batch *batch, const char *node, uint64_t last)
{
	struct spool_mark *mark = arena_alloc(&batch->arena, sizeof *mark);
	ck_assert_ptr_nonnull(mark);
	memcpy(mark->id, "0123456789abcdef", sizeof mark->id);
	mark->node = text_of(node);
	mark->last = last;
	batch->spool = mark;
	return mark;
}

/* Alerts @from to @to - 1 as the records up to @last; what became of the batch. */
static struct batch *send(unsigned from, unsigned to, uint64_t last)
{
	struct batch *batch = store_rig_batch();
	for (unsigned i = from; i < to; i++)
		store_rig_alert(batch, i);
	mark(batch, "node-1", last);
	return give(batch);
}

static void stored(unsigned from, unsigned to, uint64_t last)
{
	struct batch *batch = send(from, to, last);
	ck_assert_msg(batch->err.kind == ERR_NONE, "%s", batch->err.text);
	batch_free(batch);
}

static uint64_t asked(const char *node, uint64_t next, uint64_t *known)
{
	struct batch *batch = store_rig_batch();
	mark(batch, node, 0)->next = next;
	batch = give(batch);
	ck_assert_msg(batch->err.kind == ERR_NONE, "%s", batch->err.text);
	uint64_t acknowledged = batch->spool->acknowledged;
	*known = batch->spool->known;
	batch_free(batch);
	return acknowledged;
}

/* A hello of a sender that has let go of records up to @released: is one of them not here? */
static bool lacks(const char *node, uint64_t next, uint64_t released)
{
	struct batch *batch = store_rig_batch();
	struct spool_mark *question = mark(batch, node, 0);
	question->next = next;
	question->released = released;
	batch = give(batch);
	ck_assert_msg(batch->err.kind == ERR_NONE, "%s", batch->err.text);
	bool is_lacking = batch->spool->is_lacking;
	batch_free(batch);
	return is_lacking;
}

/* The writer's connection is looked at when it does nothing. */
static int64_t number(const char *sql)
{
	stop();
	int64_t found = store_rig_number(store_connection(rig.store), sql);
	store_rig_close(&rig);
	start();
	return found;
}

START_TEST(a_spool_goes_on_where_it_was)
{
	uint64_t known;
	ck_assert_uint_eq(asked("node-1", 1, &known), 0);
	stored(0, 3, 3);
	stored(3, 4, 4);
	ck_assert_uint_eq(asked("node-1", 1, &known), 4);
	restart();
	ck_assert_uint_eq(asked("node-1", 3, &known), 4);
	ck_assert_uint_eq(asked("node-2", 3, &known), 2); /* another one's disk, copied */
	ck_assert_uint_eq(known, 0);
	ck_assert_uint_eq(asked("node-1", 11, &known), 10); /* settled elsewhere */
	ck_assert_uint_eq(known, 4);
	stored(4, 5, 11);
	ck_assert_int_eq(number("SELECT count(*) FROM alert"), 5);
	ck_assert_int_eq(number("SELECT count(*) FROM spool"), 2);
}
END_TEST

/* An agent that says how far it has got, and that all before @oldest_ns is stored. */
static void reported(const char *node, int64_t oldest_ns)
{
	struct batch *batch = store_rig_batch();
	struct agent_report report = {
		.cluster = batch->cluster, .node = text_of(node), .oldest_ns = oldest_ns};
	memcpy(report.spool, "0123456789abcdef", sizeof report.spool);
	batch->report = &report;
	batch = give(batch);
	ck_assert_msg(batch->err.kind == ERR_NONE, "%s", batch->err.text);
	batch_free(batch);
}

#define LACKS                                                                                      \
	"SELECT count(*) FROM coverage c JOIN coverage_place p ON p.id = c.place WHERE"            \
	" p.cluster = 'c' AND p.node = 'node-1' AND p.source = 3 AND p.sensor = 'agent'"           \
	" AND c.state = 4 AND c.n = 0"

/* The database is an older copy: its number is behind what the agent was told to be stored. */
START_TEST(what_was_acknowledged_and_is_not_here_is_a_gap)
{
	int64_t complete_ns = rig.clock.wall_ns;
	char sql[400];
	stored(0, 3, 3);
	reported("node-1", complete_ns);
	rig.clock.wall_ns += 60 * NS_PER_S;
	ck_assert(!lacks("node-1", 4, 0)); /* of an agent that does not say it */
	ck_assert(!lacks("node-1", 4, 3));
	ck_assert(!lacks("node-1", 1000, 3)); /* a start passed numbers over */
	stored(3, 4, 1000);
	ck_assert_int_eq(number(LACKS), 0);
	ck_assert(lacks("node-1", 1006, 1005));
	ck_assert(!lacks("node-1", 1006, 1005)); /* told once */
	ck_assert(!lacks("node-1", 9000, 1005));
	text_format(sql, sizeof sql, LACKS " AND c.from_ns = %lld AND c.until_ns = %lld",
		(long long)complete_ns, (long long)rig.clock.wall_ns);
	ck_assert_int_eq(number(sql), 1);
	ck_assert_int_eq(number(LACKS), 1);
}
END_TEST

START_TEST(an_unknown_spool_that_was_acknowledged_is_a_gap)
{
	char sql[400];
	ck_assert(!lacks("node-1", 1, 0)); /* a new one */
	restart();
	ck_assert(!lacks("node-1", 1, 0));
	stop();
	store_rig_close(&rig);
	store_rig_clear(&rig);
	start();
	ck_assert(lacks("node-1", 7, 6));
	ck_assert(!lacks("node-1", 7, 6));
	text_format(sql, sizeof sql, LACKS " AND c.from_ns = %lld AND c.until_ns = c.from_ns",
		(long long)rig.clock.wall_ns);
	ck_assert_int_eq(number(sql), 1);
	ck_assert(!lacks("node-2", 7, 6)); /* the same spool: its node has another name now */
	ck_assert(lacks("node-2", 10, 9));
	ck_assert_int_eq(number(LACKS), 1);
}
END_TEST

/* The batch before it was given up: nothing of this one may count as stored. */
START_TEST(no_batch_is_stored_before_the_one_in_front_of_it)
{
	uint64_t known;
	stored(0, 3, 3);
	struct batch *batch = send(4, 6, 6);
	ck_assert_int_eq(batch->err.kind, ERR_MISSING);
	batch_free(batch);
	ck_assert_uint_eq(asked("node-1", 1, &known), 3);
	ck_assert_int_eq(number("SELECT count(*) FROM alert"), 3);
	batch = send(1, 3, 3); /* nor is anything stored again */
	ck_assert_int_eq(batch->err.kind, ERR_MISSING);
	batch_free(batch);
}
END_TEST

/* One record that no store can take: kept as bytes, and those behind it are stored. */
START_TEST(a_poisoned_record_goes_to_quarantine)
{
	uint64_t known;
	AUTO(free) char *huge = malloc(HUGE_BYTES);
	ck_assert_ptr_nonnull(huge);
	memset(huge, 'x', HUGE_BYTES);
	struct batch *batch = store_rig_batch();
	for (unsigned i = 0; i < 5; i++) {
		struct alert *alert = store_rig_alert(batch, i);
		if (i == 2)
			alert->message = (struct text){huge, HUGE_BYTES};
	}
	mark(batch, "node-1", 5);
	batch = give(batch);
	ck_assert_msg(batch->err.kind == ERR_NONE, "%s", batch->err.text);
	ck_assert_uint_eq(batch->n_accepted, 4);
	ck_assert_uint_eq(batch->n_quarantined, 1);
	ck_assert_uint_eq(batch->n_alerts, 5);
	ck_assert_int_eq(batch->first->next->next->outcome, OUTCOME_QUARANTINED);
	ck_assert_ptr_nonnull(batch->first->next->next->next->next);
	batch_free(batch);
	ck_assert_uint_eq(asked("node-1", 1, &known), 5);
	ck_assert_int_eq(number("SELECT count(*) FROM alert"), 4);
	ck_assert_int_eq(number("SELECT count(*) FROM quarantine"), 1);
}
END_TEST

static void verify_ledger(uint64_t n_leaves)
{
	struct err err = {0};
	struct ledger_report report;
	stop();
	int failed = ledger_verify(store_connection(rig.store), NULL, NULL, &report, &err);
	ck_assert_msg(!failed, "%s", err.text);
	ck_assert_uint_eq(report.n_leaves, n_leaves);
	ck_assert_uint_eq(report.n_verified, n_leaves);
	ck_assert_uint_eq(report.n_broken, 0);
}

START_TEST(what_was_shed_is_a_leaf_and_is_counted)
{
	struct shed shed = {.severity = TEXT("low"),
		.rule = TEXT("rule 1"),
		.from_ns = RIG_TIME_S * NS_PER_S,
		.until_ns = RIG_TIME_S * NS_PER_S + 1,
		.n = 12,
		.bytes = UINT64_MAX};
	struct batch *batch = store_rig_batch();
	store_rig_alert(batch, 0);
	for (int i = 0; i < 2; i++) {
		struct alert *alert = store_rig_quarantined(batch, 1);
		alert->kind = LEAF_SHED;
		alert->shed = &shed;
		alert->node = TEXT("node-1");
	}
	mark(batch, "node-1", 3);
	batch = give(batch);
	ck_assert_msg(batch->err.kind == ERR_NONE, "%s", batch->err.text);
	ck_assert_uint_eq(batch->n_accepted, 1);
	ck_assert_uint_eq(batch->n_quarantined, 0);
	ck_assert_int_eq(batch->first->next->outcome, OUTCOME_SHED);
	batch_free(batch);
	/* The same bytes twice are two lots. */
	ck_assert_int_eq(number("SELECT count(*) FROM shed WHERE n = 12 AND rule = 'rule 1'"), 2);
	ck_assert_int_eq(number("SELECT max(bytes) FROM shed"), INT64_MAX);
	ck_assert_int_eq(number("SELECT sum(shed) FROM sender"), 24);
	verify_ledger(3);
}
END_TEST

/* One alert with two cuts, in an empty database; the hash of its leaf. */
static struct digest leaf_with(struct redaction *cuts)
{
	struct digest hash;
	struct batch *batch = store_rig_batch();
	struct alert *alert = store_rig_alert(batch, 1);
	alert->redactions = cuts;
	alert->n_redactions = 2;
	batch_free(give(batch));
	stop();
	struct connection *connection = store_connection(rig.store);
	sqlite3_stmt *statement;
	ck_assert_int_eq(
		sqlite3_prepare_v2(connection->db, "SELECT t.hashes, s.salts FROM tile t, salt s",
			-1, &statement, NULL),
		SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	ck_assert_int_eq(sqlite3_column_bytes(statement, 0), DIGEST_BYTES);
	memcpy(hash.bytes, sqlite3_column_blob(statement, 0), DIGEST_BYTES);
	ck_assert_int_eq(sqlite3_column_bytes(statement, 1), 32);
	ck_assert_mem_eq(sqlite3_column_blob(statement, 1), cuts[0].salt, 16);
	sqlite3_finalize(statement);
	store_rig_close(&rig);
	store_rig_clear(&rig);
	start();
	return hash;
}

START_TEST(a_cut_that_is_only_a_hash_gives_the_same_leaf)
{
	struct redaction direct[2] = {
		{.path = TEXT("/token"), .value = TEXT("secret"), .salt = {1, 2}},
		{.path = TEXT("/data/0"), .value = TEXT("x"), .salt = {3}}};
	struct redaction hashed[2] = {
		{.salt = {1, 2}, .is_hashed = true}, {.salt = {3}, .is_hashed = true}};
	for (int i = 0; i < 2; i++)
		ck_assert(leaf_cut_hash(&direct[i], &hashed[i].hash));
	struct digest first = leaf_with(direct), second = leaf_with(hashed);
	ck_assert_mem_eq(first.bytes, second.bytes, DIGEST_BYTES);
	hashed[1].hash.bytes[0] ^= 1;
	struct digest third = leaf_with(hashed);
	ck_assert(memcmp(first.bytes, third.bytes, DIGEST_BYTES) != 0);
}
END_TEST

#define CONTAINER "0123456789ab"

static void tell(const char *uid)
{
	struct batch *batch = store_rig_batch();
	struct fact fact = {.kind = FACT_CONTAINER,
		.rank = FACT_AGENT,
		.cluster = batch->cluster,
		.container = TEXT(CONTAINER),
		.uid = text_of(uid)};
	batch->facts = &fact;
	batch = give(batch);
	ck_assert_msg(batch->err.kind == ERR_NONE, "%s", batch->err.text);
	batch_free(batch);
}

/* An alert of the container; with @uid it is a witness itself. */
static void alert_of_container(unsigned i, const char *uid)
{
	struct batch *batch = store_rig_batch();
	struct alert *alert = store_rig_alert(batch, i);
	alert->pod = alert->namespace = TEXT_NONE;
	alert->pod_uid = text_of(uid);
	alert->container_id = TEXT(CONTAINER);
	batch_free(give(batch));
}

static void check_owner(const char *uid, enum fact_rank rank)
{
	struct err err = {0};
	struct container_fact fact;
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, 1 << 20);
	stop();
	struct cluster_text container = {TEXT("c"), TEXT(CONTAINER)};
	ck_assert_int_eq(
		container_fact_read(store_connection(rig.store), container, &arena, &fact, &err),
		0);
	ck_assert_msg(text_is(fact.uid, uid), "%.*s", TEXT_ARG(fact.uid));
	ck_assert_int_eq(fact.uid_rank, rank);
	store_rig_close(&rig);
	start();
}

START_TEST(facts_need_no_alerts_and_keep_their_rank)
{
	tell("uid-5");
	check_owner("uid-5", FACT_AGENT);
	alert_of_container(1, "uid-0"); /* a sensor is a weaker witness */
	check_owner("uid-5", FACT_AGENT);
	tell("uid-7"); /* of the same rank the smaller value counts */
	check_owner("uid-5", FACT_AGENT);
}
END_TEST

START_TEST(an_agent_is_heard_after_a_sensor)
{
	alert_of_container(1, "uid-0");
	check_owner("uid-0", FACT_SENSOR);
	tell("uid-5");
	check_owner("uid-5", FACT_AGENT);
}
END_TEST

/* Alerts of a container and of its pod become one incident when the fact comes. */
START_TEST(a_fact_moves_what_is_stored)
{
	static const char keys[] = "SELECT count(DISTINCT key) FROM piece";
	alert_of_container(1, NULL);
	struct batch *batch = store_rig_batch();
	store_rig_alert(batch, 2)->pod_uid = TEXT("uid-5");
	batch_free(give(batch));
	ck_assert_int_eq(number(keys), 2);
	tell("uid-5");
	ck_assert_int_eq(number(keys), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spools");
	TCase *tests = tcase_create("spools");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_spool_goes_on_where_it_was);
	tcase_add_test(tests, what_was_acknowledged_and_is_not_here_is_a_gap);
	tcase_add_test(tests, an_unknown_spool_that_was_acknowledged_is_a_gap);
	tcase_add_test(tests, no_batch_is_stored_before_the_one_in_front_of_it);
	tcase_add_test(tests, a_poisoned_record_goes_to_quarantine);
	tcase_add_test(tests, what_was_shed_is_a_leaf_and_is_counted);
	tcase_add_test(tests, a_cut_that_is_only_a_hash_gives_the_same_leaf);
	tcase_add_test(tests, facts_need_no_alerts_and_keep_their_rank);
	tcase_add_test(tests, an_agent_is_heard_after_a_sensor);
	tcase_add_test(tests, a_fact_moves_what_is_stored);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
