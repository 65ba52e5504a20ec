/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings/settings.h"
#include "settings/table.h"

static struct settings settings;
static struct err err;

/* Reads @yaml as a file. 0, or -1 with err set. */
static int read_yaml(const char *yaml)
{
	char path[] = "/tmp/tocsin-settings-XXXXXX";
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	close(fd);
	settings_defaults(&settings);
	int failed = settings_read_file(&settings, path, &err);
	unlink(path);
	return failed;
}

static void refused(const char *yaml, const char *where, const char *what)
{
	ck_assert_int_eq(read_yaml(yaml), -1);
	ck_assert_msg(strstr(err.text, where) && strstr(err.text, what), "%s", err.text);
}

START_TEST(the_file_sets_what_it_says)
{
	ck_assert_int_eq(read_yaml("data: /srv/t\nlisten: '[::1]:99'\nlisten_metrics: 127.0.0.1:0\n"
				   "tls:\n  mode: off\n  key: k\nretention: {horizon: 10d, raw: "
				   "2d, size: 1TiB}\n"
				   "intake:\n  queue: 3MiB\n"),
		0);
	ck_assert_str_eq(settings.data, "/srv/t");
	ck_assert_str_eq(settings.listen_address, "::1");
	ck_assert_int_eq(settings.listen_port, 99);
	ck_assert_str_eq(settings.metrics_address, "127.0.0.1");
	ck_assert_int_eq(settings.tls_mode, TLS_OFF);
	ck_assert_str_eq(settings.tls_key, "k");
	ck_assert_int_eq(settings.retention_horizon_s, 10 * 86400);
	ck_assert_int_eq(settings.retention_raw_s, 2 * 86400);
	ck_assert_int_eq(settings.retention_size_bytes, INT64_C(1) << 40);
	ck_assert_int_eq(settings.intake_queue_bytes, 3 << 20);
	ck_assert_int_eq(read_yaml("tls: off\n"), 0);
	ck_assert_int_eq(settings.tls_mode, TLS_OFF);
}
END_TEST

START_TEST(what_is_wrong_is_said_with_its_place)
{
	refused("data: a\ntypo: 1\n", ":2:7:", "there is no setting 'typo'");
	refused("data: a\ndata: b\n", ":2:1", "given before");
	refused("retention:\n  horizon: 691199s\n", ":2:12:", "must be 691200");
	refused("retention:\n  horizon: 10y\n", ":2:12:", "retention.horizon");
	refused("retention:\n  raw: 0\n", ":2:8:", "must be 3600");
	refused("listen: 1.2.3.4\n", ":1:9:", "ADDR:PORT");
	refused("listen: 1.2.3.4:65536\n", ":1:9:", "ADDR:PORT");
	refused("log:\n  level: loud\n", ":2:10:", "error, warning, info, debug");
	refused("data: [a]\n", ":1:7:", "lists");
	refused("data: &x a\nlisten: *x\n", ":1:7:", "anchors");
	refused("just a word\n", ":1:1:", "name: value");
	refused("data: 'a\n", ":2:1:", "end of stream");
}
END_TEST

START_TEST(limits_hold_at_their_edge)
{
	ck_assert_int_eq(read_yaml("retention: {horizon: 691200s}\n"), 0);
	char *deep = calloc(1, 200);
	for (int i = 0; i < 17; i++)
		strcat(deep, "a: {");
	refused(deep, ":1:", "nested too deep");
	free(deep);
	char *large = malloc((256 << 10) + 2);
	memset(large, ' ', (256 << 10) + 1);
	large[256 << 10] = '\0';
	ck_assert_int_eq(read_yaml(large), 0);
	large[256 << 10] = ' ';
	large[(256 << 10) + 1] = '\0';
	refused(large, ":1:1:", "longer than");
	free(large);
}
END_TEST

START_TEST(the_environment_beats_the_file)
{
	ck_assert_int_eq(read_yaml("log:\n  level: debug\n"), 0);
	setenv("TOCSIN_LOG_LEVEL", "error", 1);
	ck_assert_int_eq(settings_read_environment(&settings, &err), 0);
	ck_assert_int_eq(settings.log_level, 0);
	setenv("TOCSIN_LOG_LEVEL", "loud", 1);
	ck_assert_int_eq(settings_read_environment(&settings, &err), -1);
	ck_assert_msg(strstr(err.text, "TOCSIN_LOG_LEVEL"), "%s", err.text);
	unsetenv("TOCSIN_LOG_LEVEL");
}
END_TEST

START_TEST(plain_http_beyond_loopback_must_be_said)
{
	ck_assert_int_eq(read_yaml("listen: 0.0.0.0:1\n"), 0);
	ck_assert_int_eq(settings_check(&settings, &err), -1);
	ck_assert_int_eq(err.kind, ERR_DENIED);
	ck_assert_int_eq(read_yaml("listen: 0.0.0.0:1\ntls: off\n"), 0);
	ck_assert_int_eq(settings_check(&settings, &err), 0);
	ck_assert_int_eq(read_yaml("tls: {certificate: c}\n"), 0);
	ck_assert_int_eq(settings_check(&settings, &err), -1);
}
END_TEST

START_TEST(a_size_limit_leaves_room_to_work_in)
{
	ck_assert_int_eq(read_yaml("retention: {size: 67108863}\n"), 0);
	ck_assert_int_eq(settings_check(&settings, &err), -1);
	ck_assert_msg(strstr(err.text, "64MiB"), "%s", err.text);
	ck_assert_int_eq(read_yaml("retention: {size: 64MiB}\n"), 0);
	ck_assert_int_eq(settings_check(&settings, &err), 0);
}
END_TEST

/* What is shown or given as a sample reads back as what it was made from. */
START_TEST(sample_and_show_read_back)
{
	struct buf out;
	static struct settings defaults, before;
	buf_init(&out, 1 << 20);
	settings_write_sample(&out);
	ck_assert_int_eq(read_yaml(buf_string(&out)), 0);
	settings_defaults(&defaults);
	ck_assert_int_eq(memcmp(&settings, &defaults, sizeof settings), 0);
	ck_assert_int_eq(read_yaml("listen: 127.0.0.9:7\nretention: {horizon: 9d}\n"), 0);
	before = settings;
	buf_clear(&out);
	settings_show(&settings, &out);
	ck_assert_int_eq(read_yaml(buf_string(&out)), 0);
	ck_assert_int_eq(memcmp(&settings, &before, sizeof settings), 0);
	buf_done(&out);
}
END_TEST

START_TEST(every_row_is_whole)
{
	for (const struct setting *a = settings_table; a->name; a++) {
		ck_assert_msg(a->text && *a->text && a->fallback, "%s", a->name);
		ck_assert_msg(a->type != SETTING_NUMBER || (a->units && a->least < a->most), "%s",
			a->name);
		ck_assert_msg(a->type != SETTING_CHOICE || a->choices, "%s", a->name);
		for (const struct setting *b = a + 1; b->name; b++)
			ck_assert_str_ne(a->name, b->name);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings");
	TCase *tests = tcase_create("settings");
	tcase_add_test(tests, the_file_sets_what_it_says);
	tcase_add_test(tests, what_is_wrong_is_said_with_its_place);
	tcase_add_test(tests, limits_hold_at_their_edge);
	tcase_add_test(tests, the_environment_beats_the_file);
	tcase_add_test(tests, plain_http_beyond_loopback_must_be_said);
	tcase_add_test(tests, a_size_limit_leaves_room_to_work_in);
	tcase_add_test(tests, sample_and_show_read_back);
	tcase_add_test(tests, every_row_is_whole);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
