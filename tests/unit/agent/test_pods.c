/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pods.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"
#include "intake_fields.h"

#define UID_A "01234567-89ab-cdef-0123-456789abcdef"
#define UID_B "11111111-2222-3333-4444-555555555555"

enum { NEWS_BYTES = 64 * 1024 };

static char folder[64];
static struct loop *loop;
static struct pods *pods;
static struct err err;

static void setup(void)
{
	text_format(folder, sizeof folder, "/tmp/tocsin-pods-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(loop_new(&loop, &err), 0);
	ck_assert_int_eq(pods_new(&pods, loop, folder, &err), 0);
}

static void teardown(void)
{
	char command[128];
	pods_free(pods);
	loop_free(loop);
	text_format(command, sizeof command, "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

/* A container's id: 64 digits that begin with the number. */
static const char *container(unsigned number)
{
	static char id[65];
	memset(id, 'a', 64);
	text_format(id, 9, "%08x", number);
	id[8] = 'a';
	return id;
}

static void run(const char *command, const char *below)
{
	char line[512];
	text_format(line, sizeof line, "%s '%s%s'", command, folder, below);
	ck_assert_int_eq(system(line), 0);
}

static const char *place(const char *uid, unsigned number)
{
	static char path[256];
	text_format(path, sizeof path, "/kubepods/besteffort/pod%s/%s", uid, container(number));
	return path;
}

static void add(const char *uid, unsigned number)
{
	run("mkdir -p", place(uid, number));
}

static void take_away(const char *uid, unsigned number)
{
	run("rmdir", place(uid, number));
}

static struct text member(struct text message, unsigned field)
{
	struct wire reader = wire_of(message);
	while (wire_next(&reader))
		if (reader.field == field)
			return reader.bytes;
	return TEXT_NONE;
}

/* What is told now fits into @room bytes: how many pairs, and whether one is (number, uid). */
static unsigned tell(size_t room, unsigned number, const char *uid, bool *found)
{
	struct buf out;
	unsigned n = 0;
	buf_init(&out, room);
	pods_take_news(pods, &out);
	ck_assert(buf_ok(&out));
	*found = false;
	struct wire reader = wire_of(buf_text(&out));
	while (wire_next(&reader)) {
		ck_assert_uint_eq(reader.field, INTAKE_BATCH_PODS);
		bool is_it = text_is(member(reader.bytes, INTAKE_CONTAINER_POD_CONTAINER),
				     container(number)) &&
			     text_is(member(reader.bytes, INTAKE_CONTAINER_POD_POD_UID), uid);
		*found |= is_it;
		n++;
	}
	buf_done(&out);
	return n;
}

static unsigned tell_all(void)
{
	bool found;
	return tell(NEWS_BYTES, 0, "", &found);
}

START_TEST(tells_each_pair_once)
{
	bool found;
	add(UID_A, 1);
	add(UID_B, 2);
	pods_look(pods);
	ck_assert(pods_have_news(pods));
	ck_assert_uint_eq(tell(NEWS_BYTES, 2, UID_B, &found), 2);
	ck_assert(found);
	ck_assert(!pods_have_news(pods));
	pods_look(pods);
	ck_assert(!pods_have_news(pods));
	ck_assert_uint_eq(tell_all(), 0);
}
END_TEST

START_TEST(tells_again_to_a_new_stream)
{
	add(UID_A, 1);
	pods_look(pods);
	ck_assert_uint_eq(tell_all(), 1);
	pods_tell_again(pods);
	ck_assert(pods_have_news(pods));
	ck_assert_uint_eq(tell_all(), 1);
}
END_TEST

START_TEST(what_is_gone_is_told_if_it_was_not_yet_and_then_forgotten)
{
	bool found;
	add(UID_A, 1);
	pods_look(pods);
	take_away(UID_A, 1);
	pods_look(pods);
	ck_assert_uint_eq(tell(NEWS_BYTES, 1, UID_A, &found), 1); /* its alerts may still wait */
	ck_assert(found);
	pods_look(pods);
	pods_tell_again(pods);
	ck_assert(!pods_have_news(pods));
	add(UID_A, 1); /* the same again is news */
	pods_look(pods);
	ck_assert_uint_eq(tell_all(), 1);
}
END_TEST

START_TEST(a_container_in_another_pod_is_news)
{
	bool found;
	add(UID_A, 1);
	pods_look(pods);
	ck_assert_uint_eq(tell_all(), 1);
	take_away(UID_A, 1);
	add(UID_B, 1);
	pods_look(pods);
	ck_assert_uint_eq(tell(NEWS_BYTES, 1, UID_B, &found), 1);
	ck_assert(found);
}
END_TEST

START_TEST(what_does_not_fit_is_told_the_next_time)
{
	enum { N = 10, ROOM = 600 };
	unsigned told = 0, turns = 0;
	for (unsigned i = 0; i < N; i++)
		add(UID_A, i);
	pods_look(pods);
	for (; pods_have_news(pods); turns++) {
		bool found;
		unsigned n = tell(ROOM, 0, UID_A, &found);
		ck_assert_uint_gt(n, 0);
		told += n;
	}
	ck_assert_uint_eq(told, N);
	ck_assert_uint_gt(turns, 1);
}
END_TEST

START_TEST(links_are_not_followed_and_other_folders_are_nothing)
{
	char other[64], line[512];
	run("mkdir -p", "/system.slice/docker.service");
	text_format(other, sizeof other, "/tmp/tocsin-other-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(other));
	text_format(line, sizeof line, "mkdir -p '%s%s' && ln -s '%s' '%s/linked'", other,
		place(UID_A, 1), other, folder);
	ck_assert_int_eq(system(line), 0);
	pods_look(pods);
	ck_assert(!pods_have_news(pods));
	text_format(line, sizeof line, "rm -rf '%s'", other);
	ck_assert_int_eq(system(line), 0);
}
END_TEST

START_TEST(a_root_that_is_not_there_is_no_failure)
{
	char command[128];
	add(UID_A, 1);
	pods_look(pods);
	text_format(command, sizeof command, "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
	pods_look(pods);
	ck_assert_uint_eq(tell_all(), 1);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent/pods");
	TCase *tests = tcase_create("pods");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, tells_each_pair_once);
	tcase_add_test(tests, tells_again_to_a_new_stream);
	tcase_add_test(tests, what_is_gone_is_told_if_it_was_not_yet_and_then_forgotten);
	tcase_add_test(tests, a_container_in_another_pod_is_news);
	tcase_add_test(tests, what_does_not_fit_is_told_the_next_time);
	tcase_add_test(tests, links_are_not_followed_and_other_folders_are_nothing);
	tcase_add_test(tests, a_root_that_is_not_there_is_no_failure);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
