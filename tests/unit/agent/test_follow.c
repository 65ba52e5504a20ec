/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/follow.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* The receiver is this test; and the kernel tells nothing when it is told not to. */

enum { HOUR_MS = 3600 * 1000, SOON_MS = 20, STILL_MS = 1000, GUARD_MS = 20000, TEXT_BYTES = 4096 };

static char folder[64], path[128], rotated[128];
static struct loop *loop;
static struct loop_timer *guard, *refusal, *stopper;
static struct follow *follow;
static struct agent_coverage *coverage;
static int64_t quiet_after_ms;
static struct err err;
static char taken[TEXT_BYTES]; /* all that was stored */
static const char *wanted;     /* the loop ends when this was stored */
static unsigned n_refusals;    /* so many of the next are not stored */
static bool is_silent, has_ended;
static void (*refused)(bool is_stored, void *ctx);
static void *refused_ctx;

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);

int __wrap_inotify_init1(int flags)
{
	return is_silent ? -1 : __real_inotify_init1(flags);
}

static void refuse(void *ctx)
{
	(void)ctx;
	refused(false, refused_ctx);
}

void receive_lines(struct receive *receive, enum source source, char *body, size_t size,
	void (*done)(bool is_stored, void *ctx), void *ctx)
{
	(void)receive;
	ck_assert_int_eq(source, SOURCE_FALCO);
	if (n_refusals) {
		n_refusals--;
		refused = done;
		refused_ctx = ctx;
		loop_timer_start(refusal, 0);
	} else {
		size_t end = strlen(taken);
		ck_assert_uint_lt(end + size, sizeof taken);
		memcpy(taken + end, body, size);
		done(true, ctx);
	}
	free(body);
	if (wanted && strcmp(taken, wanted) == 0)
		loop_stop(loop);
}

static void stop_loop(void *ctx)
{
	(void)ctx;
	loop_stop(loop);
}

static void give_up(void *ctx)
{
	(void)ctx;
	ck_abort_msg("waited in vain; stored is '%s'", taken);
}

static void ended(void *ctx)
{
	(void)ctx;
	has_ended = true;
	loop_stop(loop);
}

static void setup(void)
{
	text_format(folder, sizeof folder, "/tmp/tocsin-follow-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	text_format(path, sizeof path, "%s/falco.json", folder);
	text_format(rotated, sizeof rotated, "%s/falco.json.1", folder);
	ck_assert_int_eq(loop_new(&loop, &err), 0);
	guard = loop_timer_new(loop, give_up, NULL);
	refusal = loop_timer_new(loop, refuse, NULL);
	stopper = loop_timer_new(loop, stop_loop, NULL);
	memset(taken, 0, sizeof taken);
	n_refusals = 0;
	is_silent = has_ended = false;
	quiet_after_ms = SOON_MS;
	coverage = agent_coverage_new(&clock_system);
	ck_assert_ptr_nonnull(coverage);
}

static void teardown(void)
{
	char command[128];
	follow_free(follow);
	follow = NULL;
	loop_timer_free(guard);
	loop_timer_free(refusal);
	loop_timer_free(stopper);
	loop_free(loop);
	agent_coverage_free(coverage);
	text_format(command, sizeof command, "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

static void begin(const char *file, int64_t look_after_ms)
{
	const struct follow_options options = {
		.loop = loop,
		.source = SOURCE_FALCO,
		.path = file,
		.folder = folder,
		.coverage = coverage,
		.clock = &clock_system,
		.look_after_ms = look_after_ms,
		.quiet_after_ms = quiet_after_ms,
		.ended = ended,
	};
	ck_assert_int_eq(follow_new(&follow, &options, &err), 0);
}

static void append(const char *file, const char *text)
{
	FILE *out = fopen(file, "ae");
	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	ck_assert_int_eq(fclose(out), 0);
}

/* Until just this was stored. */
static void expect(const char *text)
{
	wanted = text;
	loop_timer_start(guard, GUARD_MS);
	if (strcmp(taken, wanted) != 0)
		ck_assert_int_eq(loop_run(loop, &err), 0);
	ck_assert_str_eq(taken, text);
	wanted = NULL;
}

/* It was there before: what comes now has to be told. */
static void has_looked(void)
{
	loop_timer_start(stopper, SOON_MS);
	ck_assert_int_eq(loop_run(loop, &err), 0);
}

START_TEST(the_kernel_says_what_is_new)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	has_looked();
	append(path, "b\n");
	expect("a\nb\n");
	has_looked();
	append(path, "c\n");
	expect("a\nb\nc\n");
}
END_TEST

START_TEST(a_file_that_comes_later_is_found)
{
	begin(path, HOUR_MS);
	has_looked();
	append(path, "a\n");
	expect("a\n");
}
END_TEST

START_TEST(a_rotation_is_followed)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	has_looked();
	ck_assert_int_eq(rename(path, rotated), 0);
	append(rotated, "b\n"); /* by who has it open still */
	append(path, "c\n");
	expect("a\nb\nc\n");
	has_looked();
	append(path, "d\n");
	expect("a\nb\nc\nd\n");
}
END_TEST

/* The sensor opens the new file when it likes: until then it writes to the old one. */
START_TEST(a_renamed_file_is_read_while_the_new_one_is_empty)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	ck_assert_int_eq(rename(path, rotated), 0);
	append(path, "");
	for (int i = 0; i < 5; i++)
		has_looked();
	append(rotated, "b\n");
	expect("a\nb\n");
	append(path, "c\n");
	expect("a\nb\nc\n");
}
END_TEST

START_TEST(a_renamed_file_is_read_until_it_is_quiet)
{
	quiet_after_ms = STILL_MS;
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	ck_assert_int_eq(rename(path, rotated), 0);
	append(path, "c\n"); /* by one of two */
	has_looked();
	append(rotated, "b");
	has_looked();
	append(rotated, "b\n");
	expect("a\nbb\nc\n");
}
END_TEST

START_TEST(a_file_that_is_cut_is_read_from_its_beginning)
{
	append(path, "a long line\n");
	begin(path, HOUR_MS);
	expect("a long line\n");
	has_looked();
	ck_assert_int_eq(truncate(path, 0), 0);
	has_looked();
	append(path, "b\n");
	expect("a long line\nb\n");
}
END_TEST

START_TEST(without_the_kernels_word_it_looks_now_and_then)
{
	is_silent = true;
	append(path, "a\n");
	begin(path, SOON_MS);
	expect("a\n");
	append(path, "b\n");
	expect("a\nb\n");
	ck_assert_int_eq(rename(path, rotated), 0);
	append(path, "c\n");
	expect("a\nb\nc\n");
}
END_TEST

START_TEST(half_a_line_waits_for_its_end)
{
	append(path, "a\nb");
	begin(path, HOUR_MS);
	expect("a\n");
	append(path, "b\n");
	expect("a\nbb\n");
}
END_TEST

START_TEST(what_is_not_stored_is_given_again)
{
	n_refusals = 2;
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
}
END_TEST

START_TEST(it_goes_on_where_it_was)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	follow_free(follow);
	append(path, "b\n");
	memset(taken, 0, sizeof taken);
	begin(path, HOUR_MS);
	expect("b\n");
}
END_TEST

/* Is a loss told, of which nobody knows how much it is? */
static bool is_loss_told(void)
{
	const struct coverage *at = agent_coverage_report(coverage);
	while (at && at->state != COVERAGE_DROPPING)
		at = at->next;
	return at && at->source == SOURCE_FALCO && at->n == 0 && at->from_ns > 0;
}

static void restart(void)
{
	memset(taken, 0, sizeof taken);
	begin(path, HOUR_MS);
}

START_TEST(a_rotation_while_it_was_away_is_followed)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	follow_free(follow);
	append(path, "b\n");
	ck_assert_int_eq(rename(path, rotated), 0);
	append(path, "c\n");
	restart();
	expect("b\nc\n");
	ck_assert(!is_loss_told());
}
END_TEST

START_TEST(a_renamed_file_is_found_before_the_new_one_is_there)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	follow_free(follow);
	append(path, "b\n");
	ck_assert_int_eq(rename(path, rotated), 0);
	restart();
	expect("b\n");
	append(path, "c\n");
	expect("b\nc\n");
}
END_TEST

/* An inode's number is given again; here it is the same file, written anew. */
START_TEST(another_file_of_the_same_inode_is_read_from_its_beginning)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	follow_free(follow);
	ck_assert_int_eq(truncate(path, 0), 0);
	append(path, "b\nc\n");
	restart();
	expect("b\nc\n");
	ck_assert(is_loss_told());
}
END_TEST

START_TEST(a_file_that_is_written_anew_at_once_is_seen)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	ck_assert_int_eq(truncate(path, 0), 0);
	append(path, "b\nc\n");
	expect("a\nb\nc\n");
}
END_TEST

START_TEST(more_than_a_head_is_read_once)
{
	char lines[1024];
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	for (size_t i = 0; i < sizeof lines; i++)
		lines[i] = i % 16 == 15 ? '\n' : 'l';
	lines[sizeof lines - 1] = '\0';
	append(path, lines);
	append(path, "\nz\n");
	while (!strchr(taken, 'z'))
		has_looked();
	follow_free(follow);
	append(path, "b\n");
	restart();
	expect("b\n");
	ck_assert(!is_loss_told());
}
END_TEST

START_TEST(what_was_remembered_without_a_head_is_understood)
{
	char command[256];
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	follow_free(follow);
	text_format(command, sizeof command,
		"sed -i 's/^\\([0-9]* [0-9]*\\) .*/\\1/' '%s'/follow-*", folder);
	ck_assert_int_eq(system(command), 0);
	append(path, "b\n");
	restart();
	expect("b\n");
}
END_TEST

START_TEST(another_file_in_its_place_is_read_from_its_beginning)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	follow_free(follow);
	append(rotated, "b\nc\n"); /* while the old one exists: it is another inode */
	ck_assert_int_eq(rename(rotated, path), 0);
	restart();
	expect("b\nc\n");
	ck_assert(is_loss_told()); /* nobody knows what else the old one had */
}
END_TEST

/* Writes it, as if so many seconds ago. */
static void write_file(const char *name, const char *text, int64_t ago_s)
{
	char file[128];
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	text_format(file, sizeof file, "%s/%s", folder, name);
	append(file, text);
	times[1].tv_sec = (time_t)(clock_wall_ns(&clock_system) / NS_PER_S - ago_s);
	ck_assert_int_eq(utimensat(AT_FDCWD, file, times, 0), 0);
}

START_TEST(all_files_of_several_rotations_are_read)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	follow_free(follow);
	ck_assert_int_eq(rename(path, rotated), 0);
	write_file("falco.json.3", "0\n", 600); /* was read long ago */
	write_file("falco.json.1", "b\n", 500);
	write_file("falco.json-20261125", "c\n", 400);
	write_file("falco.2.json", "d\n", 300);
	write_file("falco.json.gz", "no\n", 200); /* others' */
	write_file("falco.json.old", "no\n", 200);
	write_file("falcon.json.1", "no\n", 200);
	write_file("falco.json.4", "", 200);
	write_file("falco.json", "e\n", 100);
	restart();
	expect("b\nc\nd\ne\n");
	ck_assert(!is_loss_told());
	has_looked();
	append(path, "f\n");
	expect("b\nc\nd\ne\nf\n");
}
END_TEST

START_TEST(a_file_between_is_read_while_the_new_one_is_empty)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	write_file("falco.json", "", 500);
	ck_assert_int_eq(rename(path, rotated), 0);
	write_file("falco.json.0", "b\n", 400);
	append(path, "");
	expect("a\nb\n");
	append(path, "c\n");
	expect("a\nb\nc\n");
	ck_assert(!is_loss_told());
}
END_TEST

START_TEST(files_between_are_read_where_the_first_is_gone)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	follow_free(follow);
	ck_assert_int_eq(unlink(path), 0);
	write_file("falco.json.2", "b\n", -100);
	write_file("falco.json.1", "c\n", -200);
	write_file("falco.json", "d\n", -300);
	restart();
	expect("b\nc\nd\n");
	ck_assert(is_loss_told());
}
END_TEST

START_TEST(a_compressed_file_between_is_told)
{
	append(path, "a\n");
	begin(path, HOUR_MS);
	expect("a\n");
	write_file("falco.json", "", 500);
	ck_assert_int_eq(rename(path, rotated), 0);
	write_file("falco.json.3.gz", "packed", 600); /* was read before */
	write_file("falco.json.1.gz", "packed", 100); /* what is read now */
	append(path, "b\n");
	expect("a\nb\n");
	ck_assert(!is_loss_told());
	write_file("falco.json", "", 400);
	ck_assert_int_eq(rename(path, rotated), 0);
	write_file("falco.json.2.gz", "packed", 300);
	append(path, "c\n");
	expect("a\nb\nc\n");
	ck_assert(is_loss_told());
}
END_TEST

START_TEST(standard_input_ends_with_its_last_line)
{
	int pair[2];
	ck_assert_int_eq(pipe(pair), 0);
	ck_assert_int_eq(dup2(pair[0], STDIN_FILENO), STDIN_FILENO);
	close(pair[0]);
	begin(NULL, HOUR_MS);
	ck_assert_int_eq(write(pair[1], "a\nb", 3), 3);
	expect("a\n");
	ck_assert_int_eq(write(pair[1], "b", 1), 1);
	close(pair[1]);
	expect("a\nbb");
	ck_assert_int_eq(loop_run(loop, &err), 0);
	ck_assert(has_ended);
}
END_TEST

/* A file cannot be waited for. */
START_TEST(standard_input_may_be_a_file)
{
	append(path, "a\nb\n");
	ck_assert_ptr_nonnull(freopen(path, "re", stdin));
	begin(NULL, HOUR_MS);
	expect("a\nb\n");
	ck_assert_int_eq(loop_run(loop, &err), 0);
	ck_assert(has_ended);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent/follow");
	TCase *tests = tcase_create("follow");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_kernel_says_what_is_new);
	tcase_add_test(tests, a_file_that_comes_later_is_found);
	tcase_add_test(tests, a_rotation_is_followed);
	tcase_add_test(tests, a_renamed_file_is_read_while_the_new_one_is_empty);
	tcase_add_test(tests, a_renamed_file_is_read_until_it_is_quiet);
	tcase_add_test(tests, a_file_that_is_cut_is_read_from_its_beginning);
	tcase_add_test(tests, without_the_kernels_word_it_looks_now_and_then);
	tcase_add_test(tests, half_a_line_waits_for_its_end);
	tcase_add_test(tests, what_is_not_stored_is_given_again);
	tcase_add_test(tests, it_goes_on_where_it_was);
	tcase_add_test(tests, a_rotation_while_it_was_away_is_followed);
	tcase_add_test(tests, a_renamed_file_is_found_before_the_new_one_is_there);
	tcase_add_test(tests, another_file_of_the_same_inode_is_read_from_its_beginning);
	tcase_add_test(tests, a_file_that_is_written_anew_at_once_is_seen);
	tcase_add_test(tests, more_than_a_head_is_read_once);
	tcase_add_test(tests, what_was_remembered_without_a_head_is_understood);
	tcase_add_test(tests, another_file_in_its_place_is_read_from_its_beginning);
	tcase_add_test(tests, all_files_of_several_rotations_are_read);
	tcase_add_test(tests, a_file_between_is_read_while_the_new_one_is_empty);
	tcase_add_test(tests, files_between_are_read_where_the_first_is_gone);
	tcase_add_test(tests, a_compressed_file_between_is_told);
	tcase_add_test(tests, standard_input_ends_with_its_last_line);
	tcase_add_test(tests, standard_input_may_be_a_file);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
