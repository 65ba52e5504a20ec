/* SPDX-License-Identifier: Apache-2.0 */
/* The gathered log against a plain copy of what was written: by random calls, and when writes fail.
 */

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/connection.h"
#include "store/wal_gather.h"
#include "tests/lib/fault_vfs.h"
#include "tests/lib/random.h"

enum { FILE_BYTES = 1 << 20, FRAME_BYTES = 8216, PATH_BYTES = 256 };

struct log {
	char folder[PATH_BYTES];
	sqlite3_filename name;
	sqlite3_vfs *vfs;
	sqlite3_file *file;
};

static struct log it;
static char model[FILE_BYTES];
static sqlite3_int64 model_size;

static void open_over(const char *base)
{
	char database[PATH_BYTES + 16], log[PATH_BYTES + 16];
	connection_set_up_library();
	text_format(it.folder, sizeof it.folder, "/tmp/wal-gather-XXXXXX");
	ck_assert(mkdtemp(it.folder) != NULL);
	text_format(database, sizeof database, "%s/db", it.folder);
	text_format(log, sizeof log, "%s/db-wal", it.folder);
	FILE *empty = fopen(database, "w"); /* whose mode the log's file takes */
	ck_assert(empty != NULL && fclose(empty) == 0);
	it.name = sqlite3_create_filename(database, "", log, 0, NULL);
	it.vfs = sqlite3_vfs_find(wal_gather_over(base));
	ck_assert(it.name != NULL && it.vfs != NULL);
	it.file = calloc(1, (size_t)it.vfs->szOsFile);
	ck_assert(it.file != NULL);
	ck_assert_int_eq(
		it.vfs->xOpen(it.vfs, sqlite3_filename_wal(it.name), it.file,
			SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL, NULL),
		SQLITE_OK);
	model_size = 0;
	memset(model, 0, sizeof model);
}

static void remove_all(void)
{
	unlink(sqlite3_filename_wal(it.name));
	unlink(sqlite3_filename_database(it.name));
	rmdir(it.folder);
	sqlite3_free_filename(it.name);
	free(it.file);
}

static void close_and_remove(void)
{
	ck_assert_int_eq(it.file->pMethods->xClose(it.file), SQLITE_OK);
	remove_all();
}

/* What the file holds, by another handle: what has not been flushed is not seen. */
static void check_disk(void)
{
	static char there[FILE_BYTES];
	FILE *file = fopen(sqlite3_filename_wal(it.name), "r");
	ck_assert(file != NULL);
	size_t n = fread(there, 1, sizeof there, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq((sqlite3_int64)n, model_size);
	ck_assert(memcmp(there, model, n) == 0);
}

static int write_at(sqlite3_int64 at, int size, unsigned char with)
{
	memset(model + at, with, (size_t)size);
	model_size = at + size > model_size ? at + size : model_size;
	return it.file->pMethods->xWrite(it.file, model + at, size, at);
}

static void check_read(sqlite3_int64 at, int size)
{
	static char out[FILE_BYTES];
	int expected = at + size > model_size ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
	ck_assert_int_eq(it.file->pMethods->xRead(it.file, out, size, at), expected);
	sqlite3_int64 n = at < model_size ? model_size - at : 0;
	ck_assert(memcmp(out, model + at, (size_t)(n < size ? n : size)) == 0);
}

static void one_call(struct random *random, sqlite3_int64 *at)
{
	const sqlite3_io_methods *methods = it.file->pMethods;
	unsigned dice = (unsigned)random_below(random, 100);
	sqlite3_int64 size;
	int n = (int)random_below(random, dice < 5 ? 127 * 1024 : FRAME_BYTES) + 1;
	if (dice < 80) {
		if (*at + n > FILE_BYTES || dice > 76) /* elsewhere */
			*at = (sqlite3_int64)random_below(random, FILE_BYTES / 4);
		ck_assert_int_eq(write_at(*at, n, (unsigned char)random_next(random)), SQLITE_OK);
		*at += n;
	} else if (dice < 88) {
		check_read((sqlite3_int64)random_below(random, (uint64_t)model_size + 1), n);
	} else if (dice < 92) {
		ck_assert_int_eq(methods->xFileSize(it.file, &size), SQLITE_OK);
		ck_assert_int_eq(size, model_size);
	} else if (dice < 95) {
		size = (sqlite3_int64)random_below(random, (uint64_t)model_size + 1);
		ck_assert_int_eq(methods->xTruncate(it.file, size), SQLITE_OK);
		memset(model + size, 0, (size_t)(FILE_BYTES - size));
		model_size = size;
	} else {
		ck_assert_int_eq(methods->xSync(it.file, SQLITE_SYNC_FULL), SQLITE_OK);
		check_disk();
	}
}

START_TEST(is_the_log_that_was_written)
{
	struct random random = random_from_environment();
	sqlite3_int64 at = 0;
	open_over(NULL);
	for (int i = 0; i < 20000; i++)
		one_call(&random, &at);
	ck_assert_int_eq(it.file->pMethods->xSync(it.file, SQLITE_SYNC_FULL), SQLITE_OK);
	check_disk();
	close_and_remove();
}
END_TEST

START_TEST(frames_wait_and_are_one_write)
{
	const struct fault_plan counted = {.calls = FAULT_ON_WRITE};
	fault_vfs_reset(1);
	open_over(fault_vfs());
	fault_vfs_plan(&counted);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(write_at(model_size, 24, 1), SQLITE_OK);
		ck_assert_int_eq(write_at(model_size, FRAME_BYTES - 24, 2), SQLITE_OK);
	}
	ck_assert_uint_eq(fault_vfs_calls(), 0);
	ck_assert_int_eq(it.file->pMethods->xSync(it.file, SQLITE_SYNC_FULL), SQLITE_OK);
	ck_assert_uint_eq(fault_vfs_calls(), 1);
	close_and_remove();
}
END_TEST

START_TEST(what_could_not_be_written_never_gets_there_later)
{
	const struct fault_plan once = {.calls = FAULT_ON_WRITE, .at = 1, .kind = FAULT_FULL};
	const sqlite3_io_methods *methods;
	char page[FRAME_BYTES] = {0};
	fault_vfs_reset(1);
	open_over(fault_vfs());
	methods = it.file->pMethods;
	ck_assert_int_eq(write_at(0, FRAME_BYTES, 7), SQLITE_OK);
	ck_assert_int_eq(methods->xSync(it.file, SQLITE_SYNC_FULL), SQLITE_OK);
	fault_vfs_plan(&once);
	ck_assert_int_eq(methods->xWrite(it.file, page, FRAME_BYTES, FRAME_BYTES), SQLITE_OK);
	ck_assert_int_eq(methods->xSync(it.file, SQLITE_SYNC_FULL), SQLITE_FULL);
	/* The transaction cannot go on, read what it wrote, or be synced. */
	ck_assert_int_eq(
		methods->xWrite(it.file, page, FRAME_BYTES, 2 * FRAME_BYTES), SQLITE_IOERR_WRITE);
	ck_assert_int_eq(
		methods->xRead(it.file, page, FRAME_BYTES, FRAME_BYTES), SQLITE_IOERR_READ);
	ck_assert_int_eq(methods->xSync(it.file, SQLITE_SYNC_FULL), SQLITE_IOERR_FSYNC);
	check_read(0, FRAME_BYTES);
	check_disk();
	/* The next one begins where it began. */
	ck_assert_int_eq(write_at(FRAME_BYTES, FRAME_BYTES, 9), SQLITE_OK);
	ck_assert_int_eq(methods->xSync(it.file, SQLITE_SYNC_FULL), SQLITE_OK);
	check_read(FRAME_BYTES, FRAME_BYTES);
	check_disk();
	close_and_remove();
}
END_TEST

START_TEST(what_was_not_synced_goes_with_the_close)
{
	open_over(NULL);
	ck_assert_int_eq(write_at(0, FRAME_BYTES, 7), SQLITE_OK);
	ck_assert_int_eq(it.file->pMethods->xSync(it.file, SQLITE_SYNC_FULL), SQLITE_OK);
	char page[FRAME_BYTES] = {0};
	ck_assert_int_eq(
		it.file->pMethods->xWrite(it.file, page, FRAME_BYTES, FRAME_BYTES), SQLITE_OK);
	ck_assert_int_eq(it.file->pMethods->xClose(it.file), SQLITE_OK);
	check_disk();
	remove_all();
}
END_TEST

START_TEST(only_logs_are_gathered_and_names_are_kept)
{
	connection_set_up_library();
	ck_assert(wal_gather_over("no such one") == NULL);
	ck_assert_ptr_eq(wal_gather_over(NULL), wal_gather_over(sqlite3_vfs_find(NULL)->zName));
	ck_assert_ptr_ne(wal_gather_over(NULL), wal_gather_over(fault_vfs()));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store/wal_gather");
	TCase *tests = tcase_create("wal_gather");
	tcase_add_test(tests, is_the_log_that_was_written);
	tcase_add_test(tests, frames_wait_and_are_one_write);
	tcase_add_test(tests, what_could_not_be_written_never_gets_there_later);
	tcase_add_test(tests, what_was_not_synced_goes_with_the_close);
	tcase_add_test(tests, only_logs_are_gathered_and_names_are_kept);
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
