/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reframe.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/compress.h"
#include "store/block.h"
#include "store/frames.h"
#include "tests/lib/filled_store.h"

static struct filled_store filled;

static void setup(void)
{
	filled_store_init(&filled);
}

static void teardown(void)
{
	filled_store_done(&filled);
}

static void next_day(void)
{
	filled.clock.wall_ns += FILLED_DAY_S * NS_PER_S;
}

static void add_singles(enum source source, size_t n)
{
	for (size_t i = 0; i < n; i++)
		filled_store_add(&filled, source, 1);
}

static int64_t number(const char *sql)
{
	return filled_store_number(&filled, sql);
}

START_TEST(joins_single_alerts)
{
	add_singles(SOURCE_FALCO, 600);
	ck_assert_int_eq(number("SELECT count(*) FROM block"), 600);
	int64_t before = number("SELECT sum(length(frame)) FROM block");
	filled_store_check(&filled);
	filled_store_idle(&filled);
	/* 256 + 256, closed by what comes after them, and 88 that wait. */
	ck_assert_int_eq(number("SELECT count(*) FROM block"), 90);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE n = 256"), 2);
	ck_assert_int_eq(number("SELECT framed_to FROM stream"), 512);
	ck_assert_int_lt(number("SELECT sum(length(frame)) FROM block"), before / 2);
	filled_store_check(&filled);
	ck_assert_uint_eq(filled_store_idle(&filled), 1); /* nothing is done twice */
}
END_TEST

START_TEST(one_slice_joins_one_run)
{
	struct err err;
	add_singles(SOURCE_FALCO, 1100);
	int more = 1;
	for (int64_t n = 1100; more > 0;) {
		more = store_idle(filled.store, &err);
		ck_assert_int_ge(more, 0);
		int64_t left = number("SELECT count(*) FROM block");
		ck_assert(left == n || left == n - REFRAME_LEAVES + 1);
		n = left;
	}
	ck_assert_int_eq(number("SELECT count(*) FROM block"), 4 + 1100 - 4 * REFRAME_LEAVES);
}
END_TEST

START_TEST(streams_do_not_mix)
{
	for (size_t i = 0; i < 400; i++) {
		filled_store_begin(&filled);
		filled_store_put(&filled, SOURCE_FALCO, 1 + i % 2);
		filled_store_put(&filled, SOURCE_FALCOSIDEKICK, 1);
		filled_store_put(&filled, SOURCE_FALCO, 1);
		filled_store_commit(&filled);
	}
	filled_store_idle(&filled);
	filled_store_check(&filled);
	ck_assert_int_eq(number("SELECT count(*) FROM stream WHERE framed_to > 0"), 2);
	/* 1 000 of one, closed three times at 255 or 256; 400 of the other, once. */
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE n > 250 AND id >> 44 = 1"), 3);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE n = 256 AND id >> 44 = 2"), 1);
	ck_assert_int_eq(number("SELECT sum(n) FROM block WHERE id >> 44 = 1"), 1000);
	ck_assert_int_eq(number("SELECT sum(n) FROM block WHERE id >> 44 = 2"), 400);
	/* A restart looks at each stream to its end, where another begins. */
	int64_t framed_to = number("SELECT framed_to FROM stream WHERE id = 1");
	filled_store_reopen(&filled);
	filled_store_idle(&filled);
	ck_assert_int_eq(number("SELECT framed_to FROM stream WHERE id = 1"), framed_to);
	add_singles(SOURCE_FALCO, 100);
	filled_store_idle(&filled);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE n > 250 AND id >> 44 = 1"), 4);
	filled_store_check(&filled);
}
END_TEST

START_TEST(a_block_has_one_day)
{
	add_singles(SOURCE_FALCO, 100);
	next_day();
	add_singles(SOURCE_FALCO, 30);
	next_day();
	add_singles(SOURCE_FALCO, 300);
	filled_store_idle(&filled);
	filled_store_check(&filled);
	ck_assert_int_eq(number("SELECT n FROM block ORDER BY id LIMIT 1"), 100);
	ck_assert_int_eq(number("SELECT n FROM block ORDER BY id LIMIT 1 OFFSET 1"), 30);
	ck_assert_int_eq(number("SELECT n FROM block ORDER BY id LIMIT 1 OFFSET 2"), 256);
	for (uint64_t leaf = 0; leaf < filled.n_leaves; leaf++) {
		char sql[200];
		text_format(sql, sizeof sql,
			"SELECT received_ns / 86400000000000 FROM block WHERE id <= 1 << 44 | %llu"
			" ORDER BY id DESC LIMIT 1",
			(unsigned long long)leaf);
		ck_assert_int_eq(number(sql), filled.leaves[leaf].day);
	}
}
END_TEST

/* What the rule says, of blocks as they were added. */
struct expected {
	uint64_t first;
	size_t n;
};

struct model {
	struct expected blocks[2000];
	int64_t days[2000];
	size_t n;
};

static size_t model_join(const struct model *model, struct expected *out)
{
	size_t n_out = 0, i = 0;
	while (i < model->n) {
		size_t end = i, sum = 0;
		bool small = false;
		while (end < model->n && model->days[end] == model->days[i] &&
			(end == i || sum + model->blocks[end].n <= 256)) {
			small |= model->blocks[end].n < REFRAME_SMALL_LEAVES;
			sum += model->blocks[end++].n;
		}
		bool closed = end < model->n || sum >= 256;
		if (closed && small)
			out[n_out++] = (struct expected){model->blocks[i].first, sum};
		for (size_t j = i; !(closed && small) && j < end; j++)
			out[n_out++] = model->blocks[j];
		i = end;
	}
	return n_out;
}

/* The last 256 leaves may be closed already (by a day or a large block) and still wait. */
static void check_against(const struct model *model)
{
	static struct expected joined[2000];
	size_t n = model_join(model, joined);
	int64_t framed_to = number("SELECT framed_to FROM stream");
	sqlite3_stmt *statement;
	sqlite3_prepare_v2(store_connection(filled.store)->db,
		"SELECT id, n FROM block ORDER BY id", -1, &statement, NULL);
	for (size_t i = 0; i < n && (int64_t)joined[i].first < framed_to; i++) {
		ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
		ck_assert_uint_eq(block_first_leaf(sql_i64(statement, 0)), joined[i].first);
		ck_assert_int_eq(sql_i64(statement, 1), (int64_t)joined[i].n);
	}
	sqlite3_finalize(statement);
	ck_assert_int_ge(framed_to + REFRAME_LEAVES, (int64_t)filled.n_leaves);
}

static const size_t random_sizes[] = {
	1, 1, 1, 2, 5, 20, 63, 64, 100, 127, 128, 129, 255, 256, 257, 700};

START_TEST(any_sizes_follow_the_rule)
{
	static struct model model;
	uint64_t random = (uint64_t)_i * 7919 + 1;
	model.n = 0;
	for (size_t i = 0; i < 150; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		size_t n = random_sizes[(random >> 33) % (sizeof random_sizes / sizeof(size_t))];
		if ((random >> 50) % 20 == 0)
			next_day();
		model.blocks[model.n] = (struct expected){filled.n_leaves, n};
		model.days[model.n++] = filled.clock.wall_ns / (FILLED_DAY_S * NS_PER_S);
		filled_store_add(&filled, SOURCE_FALCO, n);
		if ((random >> 40) % 3 == 0)
			filled_store_idle(&filled);
		if ((random >> 45) % 10 == 0)
			filled_store_reopen(&filled);
	}
	filled_store_idle(&filled);
	check_against(&model);
	filled_store_check(&filled);
}
END_TEST

START_TEST(a_block_has_at_most_a_mebibyte)
{
	filled.pad_bytes = 40000;
	add_singles(SOURCE_FALCO, 300);
	filled_store_idle(&filled);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE size > 1024 * 1024 + 4096"), 0);
	ck_assert_int_gt(number("SELECT max(size) FROM block"), 900000);
	filled_store_check(&filled);
}
END_TEST

START_TEST(large_alerts_stay_alone)
{
	filled.pad_bytes = 600000;
	add_singles(SOURCE_FALCO, 3);
	filled.pad_bytes = 0;
	add_singles(SOURCE_FALCO, 500);
	filled_store_idle(&filled);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE size > 600000 AND n = 1"), 3 - 1);
	filled_store_check(&filled);
}
END_TEST

START_TEST(held_blocks_stay_apart)
{
	add_singles(SOURCE_FALCO, 300);
	filled_store_run(&filled, "INSERT INTO stream (id, source, class) VALUES (9, 1, 1);"
				  "UPDATE block SET id = id + (8 << 44)"
				  " WHERE id - (1 << 44) BETWEEN 40 AND 49;"
				  "UPDATE alert SET stream = 9 WHERE leaf BETWEEN 40 AND 49");
	filled_store_reopen(&filled);
	filled_store_idle(&filled);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE id >> 44 = 9"), 10);
	ck_assert_int_eq(number("SELECT max(n) FROM block WHERE id >> 44 = 1"), 256);
	filled_store_check(&filled);
}
END_TEST

/* Takes the raw of one leaf out of its block of one, as redaction will. */
static void make_hole(uint64_t leaf)
{
	struct err err;
	struct connection *connection = store_connection(filled.store);
	struct block_entry entry;
	AUTO(arena_done) struct arena arena;
	AUTO(buf_done) struct buf content, frame;
	arena_init(&arena, SIZE_MAX);
	buf_init(&content, 1 << 20);
	buf_init(&frame, 1 << 20);
	ck_assert_int_eq(block_find(connection, 1, leaf, &arena, &entry, &err), 0);
	entry.flags |= BLOCK_HOLE;
	entry.digest = filled.leaves[leaf].raw;
	block_entry_write(&content, leaf, &entry);
	ck_assert_int_eq(
		frame_pack(frames_codec(connection, 0, &err), 0, buf_text(&content), &frame, &err),
		0);
	sqlite3_stmt *statement = connection_statement(
		connection, "UPDATE block SET frame = ?2, size = ?3 WHERE id = ?1", &err);
	sql_bind_i64(statement, 1, block_id(1, leaf));
	sql_bind_blob(statement, 2, frame.data, frame.size);
	sql_bind_i64(statement, 3, (int64_t)content.size);
	ck_assert_int_eq(sql_run(statement, &err), 0);
}

START_TEST(holes_stay_holes)
{
	struct err err;
	struct block_entry entry;
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, SIZE_MAX);
	add_singles(SOURCE_FALCO, 300);
	make_hole(77);
	filled.leaves[77].raw = digest_of(TEXT("")); /* what reads back */
	filled_store_reopen(&filled);
	filled_store_idle(&filled);
	ck_assert_int_eq(number("SELECT max(n) FROM block"), 256);
	ck_assert_int_eq(
		block_find(store_connection(filled.store), 1, 77, &arena, &entry, &err), 0);
	ck_assert_uint_eq(entry.flags & BLOCK_HOLE, BLOCK_HOLE);
	ck_assert_uint_gt(entry.size, 100);
	filled_store_check(&filled);
}
END_TEST

static const char *const failures[] = {
	"CREATE TEMP TRIGGER fail BEFORE DELETE ON block WHEN old.id & 255 = 200"
	" BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END",
	"CREATE TEMP TRIGGER fail AFTER INSERT ON block"
	" BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END",
	"CREATE TEMP TRIGGER fail AFTER UPDATE ON stream"
	" BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END",
};
enum { N_FAILURES = sizeof failures / sizeof failures[0] };

START_TEST(a_failure_leaves_all_as_it_was)
{
	struct err err;
	add_singles(SOURCE_FALCO, 600);
	int64_t bytes = number("SELECT sum(length(frame) + id % 1000) FROM block");
	filled_store_run(&filled, failures[_i]);
	int more;
	while ((more = store_idle(filled.store, &err)) > 0) {
	}
	ck_assert_int_eq(more, -1);
	ck_assert_int_eq(number("SELECT count(*) FROM block"), 600);
	ck_assert_int_eq(number("SELECT sum(length(frame) + id % 1000) FROM block"), bytes);
	ck_assert_int_eq(number("SELECT framed_to FROM stream"), 0);
	filled_store_check(&filled);
	filled_store_run(&filled, "DROP TRIGGER fail");
	filled_store_add(&filled, SOURCE_FALCO, 1); /* it still takes alerts */
	filled_store_idle(&filled);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE n = 256"), 2);
	filled_store_check(&filled);
}
END_TEST

static void die_here(sqlite3_context *context, int n, sqlite3_value **values)
{
	(void)context;
	(void)n;
	(void)values;
	kill(getpid(), SIGKILL);
}

static const char *const deaths[] = {
	"CREATE TEMP TRIGGER die BEFORE DELETE ON block WHEN old.id & 255 = 200"
	" BEGIN SELECT die(); END",
	"CREATE TEMP TRIGGER die AFTER INSERT ON block BEGIN SELECT die(); END",
	"CREATE TEMP TRIGGER die AFTER UPDATE ON stream BEGIN SELECT die(); END",
};

/* The second join of a process that then is no more. */
_Noreturn static void join_and_die(const char *trigger)
{
	struct err err;
	filled_store_open(&filled);
	if (store_idle(filled.store, &err) != 1)
		_exit(1);
	sqlite3_create_function(store_connection(filled.store)->db, "die", 0,
		SQLITE_UTF8 | SQLITE_INNOCUOUS, NULL, die_here, NULL, NULL);
	filled_store_run(&filled, trigger);
	while (store_idle(filled.store, &err) > 0) {
	}
	_exit(2);
}

START_TEST(a_crash_in_the_middle_loses_nothing)
{
	int status;
	add_singles(SOURCE_FALCO, 800);
	filled_store_close(&filled);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		join_and_die(deaths[_i]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	filled_store_open(&filled);
	ck_assert_int_eq(number("SELECT count(*) FROM block"), 800 - 255);
	ck_assert_int_eq(number("SELECT framed_to FROM stream"), 256);
	filled_store_check(&filled);
	filled_store_idle(&filled);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE n = 256"), 3);
	filled_store_check(&filled);
}
END_TEST

START_TEST(what_is_broken_stays_apart)
{
	add_singles(SOURCE_FALCO, 600);
	filled_store_run(&filled, "UPDATE block SET frame = zeroblob(length(frame))"
				  " WHERE id = (1 << 44) + 100");
	filled_store_reopen(&filled);
	filled_store_idle(&filled);
	ck_assert_int_eq(number("SELECT count(*) FROM block WHERE n = 256"), 1);
	ck_assert_int_eq(number("SELECT count(*) FROM block"), 256 + 1 + 88);
	ck_assert_int_eq(number("SELECT framed_to FROM stream"), 512);
}
END_TEST

START_TEST(a_reader_does_not_notice)
{
	struct err err;
	struct connection reader;
	struct block_entry entry;
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, SIZE_MAX);
	add_singles(SOURCE_FALCO, 300);
	ck_assert_int_eq(connection_open(&reader, filled.path, CONNECTION_READ, NULL, &err), 0);
	ck_assert_int_eq(block_find(&reader, 1, 5, &arena, &entry, &err), 0);
	filled_store_idle(&filled);
	for (uint64_t leaf = 0; leaf < 300; leaf++) {
		ck_assert_int_eq(block_find(&reader, 1, leaf, &arena, &entry, &err), 0);
		struct digest raw = digest_of(entry.raw);
		ck_assert_mem_eq(raw.bytes, filled.leaves[leaf].raw.bytes, DIGEST_BYTES);
	}
	connection_close(&reader);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/reframe");
	TCase *tests = tcase_create("reframe");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, joins_single_alerts);
	tcase_add_test(tests, one_slice_joins_one_run);
	tcase_add_test(tests, streams_do_not_mix);
	tcase_add_test(tests, a_block_has_one_day);
	tcase_add_loop_test(tests, any_sizes_follow_the_rule, 0, 6);
	tcase_add_test(tests, a_block_has_at_most_a_mebibyte);
	tcase_add_test(tests, large_alerts_stay_alone);
	tcase_add_test(tests, held_blocks_stay_apart);
	tcase_add_test(tests, holes_stay_holes);
	tcase_add_loop_test(tests, a_failure_leaves_all_as_it_was, 0, N_FAILURES);
	tcase_add_loop_test(tests, a_crash_in_the_middle_loses_nothing, 0,
		(int)(sizeof deaths / sizeof deaths[0]));
	tcase_add_test(tests, what_is_broken_stays_apart);
	tcase_add_test(tests, a_reader_does_not_notice);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
