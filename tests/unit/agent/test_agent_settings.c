/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent_settings.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct agent_options options;
static struct err err;

/* As `tocsin-agent --server tocsin:8790 FLAG VALUE --check-config`. */
static int read_with(const char *flag, const char *value)
{
	char words[6][256];
	char *argv[7] = {0};
	const char *given[] = {
		"tocsin-agent", "--server", "tocsin:8790", flag, value, "--check-config"};
	for (int i = 0; i < 6; i++) {
		text_format(words[i], sizeof words[i], "%s", given[i]);
		argv[i] = words[i];
	}
	err = (struct err){0};
	return agent_options_read(&options, 6, argv, &err);
}

START_TEST(listens_on_this_machine_only)
{
	static const char *const own[] = {"127.0.0.1:8788", "127.9.9.9:0", "[::1]:8788",
		"unix:/run/tocsin-agent/socket", NULL};
	static const char *const others[] = {"0.0.0.0:8788", "[::]:8788", "10.0.0.1:8788",
		"128.0.0.1:8788", "126.255.255.255:8788", "[::ffff:10.0.0.1]:8788",
		"localhost:8788", "127.0.0.1", "unix:", ":8788", NULL};
	for (size_t i = 0; own[i]; i++)
		ck_assert_msg(read_with("--listen", own[i]) == 0, "%s", err.text);
	for (size_t i = 0; others[i]; i++) {
		ck_assert_msg(read_with("--listen", others[i]) < 0, "%s", others[i]);
		ck_assert_int_eq(err.kind, ERR_DENIED);
		ck_assert_ptr_nonnull(strstr(err.text, "listen"));
	}
}
END_TEST

START_TEST(who_reads_standard_input_listens_nowhere)
{
	ck_assert_int_eq(read_with("--node", "n"), 0);
	ck_assert_str_eq(options.settings.listen, "127.0.0.1:8788");
	ck_assert_int_eq(read_with("--stdin", "falco"), 0);
	ck_assert_str_eq(options.settings.listen, "");
	ck_assert_int_eq(setenv("TOCSIN_AGENT_LISTEN", "127.0.0.1:8788", 1), 0);
	ck_assert_int_eq(read_with("--stdin", "falco"), 0);
	ck_assert_str_eq(options.settings.listen, "127.0.0.1:8788");
	ck_assert_int_eq(unsetenv("TOCSIN_AGENT_LISTEN"), 0);
	ck_assert_int_lt(read_with("--stdin", "nosuch"), 0);
	ck_assert_int_eq(err.kind, ERR_DENIED);
}
END_TEST

START_TEST(checks_what_it_follows)
{
	static const char *const wrong[] = {
		"/var/log/a.json", "/var/log/a.json=nosuch", "=falco", "/a=falco,/b", NULL};
	ck_assert_msg(read_with("--follow", "/a=falco, /b=tetragon,") == 0, "%s", err.text);
	struct text rest = text_of(options.settings.follow);
	struct agent_follow one;
	ck_assert(agent_follow_next(&rest, &one, &err));
	ck_assert(text_is(one.path, "/a") && one.source == SOURCE_FALCO);
	ck_assert(agent_follow_next(&rest, &one, &err));
	ck_assert(text_is(one.path, "/b") && one.source == SOURCE_TETRAGON);
	ck_assert(!agent_follow_next(&rest, &one, &err));
	ck_assert_int_eq(err.kind, ERR_NONE);
	for (size_t i = 0; wrong[i]; i++) {
		ck_assert_msg(read_with("--follow", wrong[i]) < 0, "%s", wrong[i]);
		ck_assert_int_eq(err.kind, ERR_DENIED);
	}
}
END_TEST

START_TEST(follows_so_many_files)
{
	char follow[256] = "";
	for (int i = 0; i < AGENT_FOLLOWS_MAX; i++)
		text_format(
			follow + strlen(follow), sizeof follow - strlen(follow), "/%d=falco,", i);
	ck_assert_msg(read_with("--follow", follow) == 0, "%s", err.text);
	text_format(follow + strlen(follow), sizeof follow - strlen(follow), "/x=falco");
	ck_assert_int_lt(read_with("--follow", follow), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "at most"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent/agent_settings");
	TCase *tests = tcase_create("agent_settings");
	tcase_add_test(tests, listens_on_this_machine_only);
	tcase_add_test(tests, who_reads_standard_input_listens_nowhere);
	tcase_add_test(tests, checks_what_it_follows);
	tcase_add_test(tests, follows_so_many_files);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
