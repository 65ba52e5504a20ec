/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool_private.h"
#include "base/cleanup.h"
#include "tests/lib/random.h"
#include "tests/unit/agent/spool_rig.h"

static struct spool_rig rig;

static void setup(void)
{
	spool_rig_init(&rig);
	spool_rig_open(&rig);
}

static void teardown(void)
{
	spool_rig_done(&rig);
}

/* Numbers of all that can be read, by what was put as spool_rig_put has it; 0-ended. */
static unsigned read_all(uint64_t *numbers, unsigned room)
{
	struct record record;
	unsigned n = 0;
	while (spool_next(rig.spool, &record)) {
		ck_assert_uint_lt(n, room);
		numbers[n++] = record.number;
	}
	return n;
}

static uint64_t count_all(void)
{
	struct record record;
	uint64_t n = 0;
	while (spool_next(rig.spool, &record))
		n++;
	return n;
}

static uint64_t losses(void)
{
	struct spool_loss loss;
	return spool_take_loss(rig.spool, &loss) ? loss.n : 0;
}

static void expect_same(const struct record *record, uint64_t seed)
{
	char room[200];
	struct record wanted =
		spool_rig_record(seed, 20 + seed % (sizeof room - 20), record->severity, room);
	ck_assert(text_equal(record->raw, wanted.raw));
	ck_assert_int_eq(record->received_ns, wanted.received_ns);
}

START_TEST(gives_back_what_it_was_given)
{
	struct record record;
	for (uint64_t i = 1; i <= 100; i++)
		ck_assert_uint_eq(spool_rig_put(&rig, i, SEVERITY_LOW), i);
	for (uint64_t i = 1; i <= 100; i++) {
		ck_assert(spool_next(rig.spool, &record));
		ck_assert_uint_eq(record.number, i);
		expect_same(&record, i);
		if (i == 50) {
			spool_back(rig.spool);
			ck_assert(spool_next(rig.spool, &record));
			ck_assert_uint_eq(record.number, i);
		}
	}
	ck_assert(!spool_next(rig.spool, &record));
	spool_rig_put(&rig, 101, SEVERITY_LOW);
	ck_assert(spool_next(rig.spool, &record));
	expect_same(&record, 101);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

START_TEST(one_sync_for_all_that_waits)
{
	char room[100];
	struct err err;
	spool_rig_put(&rig, 1, SEVERITY_LOW);
	failing_disk.n_syncs = 0;
	for (unsigned i = 0; i < 500; i++) {
		struct record record =
			spool_rig_record(i, 100, (enum severity)(i % N_SEVERITIES), room);
		ck_assert_int_eq(spool_add(rig.spool, &record, &err), 0);
	}
	ck_assert_int_eq(spool_commit(rig.spool, &err), 0);
	ck_assert_uint_eq(failing_disk.n_syncs, 1);
	ck_assert_int_eq(spool_commit(rig.spool, &err), 0);
	ck_assert_uint_eq(failing_disk.n_syncs, 1);
}
END_TEST

START_TEST(goes_on_after_a_restart)
{
	struct spool_id id = spool_id(rig.spool), again;
	uint64_t numbers[10];
	for (uint64_t i = 1; i <= 5; i++)
		spool_rig_put(&rig, i, SEVERITY_LOW);
	spool_acknowledge(rig.spool, 2);
	spool_rig_reopen(&rig);
	again = spool_id(rig.spool);
	ck_assert_mem_eq(&id, &again, sizeof id);
	ck_assert_str_eq(rig.told, "");
	ck_assert_uint_eq(spool_acknowledged(rig.spool), 2);
	uint64_t number = spool_rig_put(&rig, 6, SEVERITY_LOW);
	ck_assert_uint_gt(number, 5);
	ck_assert_uint_eq(read_all(numbers, 10), 4);
	ck_assert_uint_eq(numbers[0], 3);
	ck_assert_uint_eq(numbers[3], number);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

START_TEST(an_empty_spool_keeps_its_numbers)
{
	spool_rig_put(&rig, 1, SEVERITY_LOW);
	spool_acknowledge(rig.spool, 1);
	ck_assert_uint_eq(spool_waiting(rig.spool).n, 0);
	spool_rig_reopen(&rig);
	ck_assert_uint_eq(spool_waiting(rig.spool).n, 0);
	ck_assert_uint_gt(spool_rig_put(&rig, 2, SEVERITY_LOW), 1);
}
END_TEST

START_TEST(two_processes_cannot_have_it)
{
	struct spool *second;
	struct err err;
	char told[100];
	const struct spool_options options = {.folder = rig.folder,
		.size_bytes = SPOOL_SIZE_BYTES_MIN,
		.age_s = 60,
		.clock = &rig.clock.clock};
	ck_assert_int_eq(spool_open(&second, &options, told, sizeof told, &err), -1);
	ck_assert_int_eq(err.kind, ERR_BUSY);
}
END_TEST

/* What the collector has leaves the disk, whole segments at a time. */
START_TEST(what_is_acknowledged_leaves)
{
	rig.size_bytes = 64 * 1024 * 16;
	spool_rig_reopen(&rig);
	uint64_t last = 0;
	for (uint64_t i = 1; spool_rig_segments(&rig) < 5; i++)
		last = spool_rig_put(&rig, i, SEVERITY_LOW);
	size_t before = spool_size_bytes(rig.spool);
	struct spool_waiting waiting = spool_waiting(rig.spool);
	ck_assert_uint_eq(waiting.n, last);
	ck_assert_int_eq(waiting.oldest_ns, 1000001);
	spool_acknowledge(rig.spool, last / 2);
	waiting = spool_waiting(rig.spool);
	ck_assert_uint_eq(waiting.n, last - last / 2);
	ck_assert_int_eq(waiting.oldest_ns, (int64_t)(1000001 + last / 2));
	ck_assert_uint_lt(spool_size_bytes(rig.spool), before);
	spool_acknowledge(rig.spool, last / 2 + 10);
	ck_assert_uint_eq(spool_waiting(rig.spool).n, last - last / 2 - 10);
	spool_acknowledge(rig.spool, last - 1);
	ck_assert_uint_eq(spool_waiting(rig.spool).n, 1);
	ck_assert_uint_eq(spool_rig_segments(&rig), 1);
	ck_assert_uint_eq(count_all(), 1);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

/* The clock was ahead, and is put right: what came then is not the oldest, though it is the first.
 */
START_TEST(the_oldest_need_not_be_the_first)
{
	static const uint64_t seeds[] = {5000, 5001, 100, 200, 50, 60, 55, 5002};
	static const int64_t oldest[] = {50, 50, 50, 50, 50, 55, 55, 5002};
	enum { N = sizeof seeds / sizeof seeds[0] };
	for (uint64_t i = 0; i < N; i++)
		spool_rig_put(&rig, seeds[i], SEVERITY_LOW);
	for (uint64_t i = 0; i < N; i++) {
		ck_assert_int_eq(spool_waiting(rig.spool).oldest_ns, 1000000 + oldest[i]);
		ck_assert_uint_eq(spool_waiting(rig.spool).n, N - i);
		spool_acknowledge(rig.spool, i + 1);
	}
	ck_assert_int_eq(spool_waiting(rig.spool).oldest_ns, 0);
}
END_TEST

/* Each start begins a file, and remembers where one begins earlier than the one before it. */
START_TEST(the_oldest_is_known_after_a_restart)
{
	static const uint64_t seeds[] = {5000, 100, 200};
	uint64_t number = 0;
	for (size_t i = 0; i < 3; i++) {
		number = spool_rig_put(&rig, seeds[i], SEVERITY_LOW);
		spool_rig_put(&rig, seeds[i] + 1, SEVERITY_LOW);
		spool_rig_reopen(&rig);
	}
	ck_assert_int_eq(spool_waiting(rig.spool).oldest_ns, 1000100);
	spool_acknowledge(rig.spool, number);
	ck_assert_int_eq(spool_waiting(rig.spool).oldest_ns, 1000201);
	spool_rig_reopen(&rig);
	ck_assert_int_eq(spool_waiting(rig.spool).oldest_ns, 1000201);
}
END_TEST

/* Too many falls to be remembered: it may be said too early, and never too late. */
START_TEST(the_oldest_is_never_said_too_late)
{
	enum { N = 400 };
	int64_t times[N];
	uint64_t random = 88172645463325252ULL, seed;
	bool is_exact = false;
	for (unsigned i = 0; i < N; i++) {
		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		/* rising on the whole: each fall is one to be remembered */
		seed = 10 * i + random % 40;
		spool_rig_put(&rig, seed, SEVERITY_LOW);
		times[i] = (int64_t)(1000000 + seed);
	}
	for (unsigned acknowledged = 0; acknowledged < N; acknowledged++) {
		int64_t least = INT64_MAX;
		for (unsigned i = acknowledged; i < N; i++)
			least = times[i] < least ? times[i] : least;
		int64_t said = spool_waiting(rig.spool).oldest_ns;
		ck_assert_int_le(said, least);
		ck_assert_int_ge(said, 1000000);
		is_exact = said == least;
		spool_acknowledge(rig.spool, acknowledged + 1);
	}
	ck_assert(is_exact);
}
END_TEST

/* A segment that is thinned gives what is left the last of its numbers. */
START_TEST(what_gets_another_number_is_still_the_oldest)
{
	struct arrivals arrivals = {0};
	arrivals_note(&arrivals, 1, 500);
	arrivals_note(&arrivals, 2, 100);
	arrivals_note(&arrivals, 20, 90);
	arrivals_note(&arrivals, 21, 600);
	arrivals_note(&arrivals, 22, 550);
	arrivals_raise(&arrivals, 15, 21);
	ck_assert_int_eq(arrivals_least(&arrivals, 20), 90);
	ck_assert_int_eq(arrivals_least(&arrivals, 21), 550);
	ck_assert_int_eq(arrivals_least(&arrivals, 22), INT64_MAX);
}
END_TEST

START_TEST(a_collector_that_has_more_is_believed)
{
	uint64_t number;
	spool_rig_put(&rig, 1, SEVERITY_LOW);
	spool_acknowledge(rig.spool, 100);
	number = spool_rig_put(&rig, 2, SEVERITY_LOW);
	ck_assert_uint_eq(number, 101);
	ck_assert_uint_eq(read_all(&number, 1), 1);
	spool_rig_reopen(&rig);
	ck_assert_uint_eq(read_all(&number, 1), 1);
	ck_assert_uint_eq(number, 101);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

/* ---- damage ---- */

static size_t file_bytes(const char *path)
{
	struct stat stat_;
	ck_assert_int_eq(stat(path, &stat_), 0);
	return (size_t)stat_.st_size;
}

static void flip(const char *path, size_t offset, unsigned bit)
{
	char byte;
	AUTO(file_close) int fd = open(path, O_RDWR);
	ck_assert_int_eq(pread(fd, &byte, 1, (off_t)offset), 1);
	byte = (char)(byte ^ 1 << bit);
	ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)offset), 1);
}

/* A crash leaves the last write unfinished, at any byte. */
START_TEST(is_torn_at_every_byte)
{
	char path[400];
	uint64_t numbers[20];
	size_t whole[7] = {SEGMENT_HEAD_BYTES};
	for (uint64_t i = 1; i <= 5; i++) {
		spool_rig_put(&rig, i, SEVERITY_LOW);
		ck_assert(spool_rig_segment(&rig, 0, path, sizeof path));
		whole[i] = file_bytes(path);
	}
	spool_rig_close(&rig);
	for (size_t size = whole[5] - 1; size >= SEGMENT_HEAD_BYTES; size--) {
		unsigned n_whole = 0;
		ck_assert_int_eq(truncate(path, (off_t)size), 0);
		while (whole[n_whole + 1] <= size)
			n_whole++;
		spool_rig_open(&rig);
		ck_assert_uint_eq(read_all(numbers, 20), n_whole);
		ck_assert_int_eq(rig.told[0] != '\0', size != whole[n_whole]);
		ck_assert_uint_eq(file_bytes(path), whole[n_whole]);
		/* What may have been sent is not another record's number. */
		if (size != whole[n_whole]) {
			char second[400];
			uint64_t number = spool_rig_put(&rig, 6, SEVERITY_LOW);
			ck_assert_uint_gt(number, n_whole + 1);
			ck_assert_uint_eq(read_all(numbers, 20), 1);
			ck_assert_uint_eq(numbers[0], number);
			ck_assert(spool_rig_segment(&rig, 1, second, sizeof second));
			unlink(second);
		}
		ck_assert_uint_eq(losses(), 0);
		spool_rig_close(&rig);
	}
	spool_rig_open(&rig);
}
END_TEST

enum { N_FLIP_RECORDS = 400, N_FLIPS = 200 };

/* Each record that was not hit is there, and how many are missing is told. */
START_TEST(a_flipped_bit_costs_one_record)
{
	struct random random = random_of(17);
	char path[400];
	uint64_t numbers[N_FLIP_RECORDS];
	size_t ends[N_FLIP_RECORDS + 1] = {SEGMENT_HEAD_BYTES};
	for (uint64_t i = 1; i <= N_FLIP_RECORDS; i++) {
		spool_rig_put(&rig, i, SEVERITY_LOW);
		ck_assert(spool_rig_segment(&rig, 0, path, sizeof path));
		ends[i] = file_bytes(path);
	}
	spool_rig_close(&rig);
	for (unsigned i = 0; i < N_FLIPS; i++) {
		size_t offset = random_below(&random, ends[N_FLIP_RECORDS]);
		unsigned bit = (unsigned)random_below(&random, 8), hit = 0, n_expected;
		while (ends[hit] <= offset)
			hit++;
		flip(path, offset, bit);
		spool_rig_open(&rig);
		n_expected = hit == 0 ? N_FLIP_RECORDS : N_FLIP_RECORDS - 1;
		ck_assert_uint_eq(read_all(numbers, N_FLIP_RECORDS), n_expected);
		for (unsigned j = 0; j < n_expected; j++)
			ck_assert_uint_eq(numbers[j], hit && j + 1 >= hit ? j + 2 : j + 1);
		if (hit < N_FLIP_RECORDS)
			ck_assert_uint_eq(losses(), hit == 0 ? 0 : 1);
		spool_rig_close(&rig);
		if (hit == N_FLIP_RECORDS) /* it was cut off */
			break;
		flip(path, offset, bit);
	}
	spool_rig_open(&rig);
}
END_TEST

/* Damaged at the very end: told at each start, until something behind it is acknowledged. */
START_TEST(a_damaged_end_is_told)
{
	char path[400];
	uint64_t numbers[10];
	for (uint64_t i = 1; i <= 3; i++)
		spool_rig_put(&rig, i, SEVERITY_LOW);
	ck_assert(spool_rig_segment(&rig, 0, path, sizeof path));
	spool_rig_close(&rig);
	flip(path, file_bytes(path) - 1, 3);
	spool_rig_open(&rig);
	ck_assert_ptr_nonnull(strstr(rig.told, "damaged"));
	ck_assert_uint_eq(losses(), 1);
	spool_rig_reopen(&rig); /* it was not told before it ended */
	spool_acknowledge(rig.spool, 2);
	ck_assert_uint_eq(losses(), 1);
	ck_assert_uint_gt(spool_rig_put(&rig, 4, SEVERITY_LOW), 4);
	ck_assert_uint_eq(read_all(numbers, 10), 1);
	ck_assert_uint_eq(losses(), 0);
	spool_rewind(rig.spool, 2); /* sent again: not lost again */
	ck_assert_uint_eq(read_all(numbers, 10), 1);
	ck_assert_uint_eq(losses(), 0);
	spool_rig_reopen(&rig);
	ck_assert_uint_eq(read_all(numbers, 10), 1);
	ck_assert_uint_eq(losses(), 1);
}
END_TEST

/* The second half, or all of it, is zeros; or only each record's text is damaged; or but for the
 * head of one the second half is zeros. */
START_TEST(a_long_damage_at_the_end_is_told)
{
	enum { N = 50 };
	char path[400];
	size_t ends[N + 1] = {SEGMENT_HEAD_BYTES};
	for (uint64_t i = 1; i <= N; i++) {
		spool_rig_put(&rig, i, SEVERITY_LOW);
		ck_assert(spool_rig_segment(&rig, 0, path, sizeof path));
		ends[i] = file_bytes(path);
	}
	spool_rig_close(&rig);
	unsigned n_left = _i == 1 ? 0 : N / 2;
	if (_i != 2) {
		size_t head = _i == 3 ? RECORD_HEAD_BYTES : 0;
		ck_assert_int_eq(truncate(path, (off_t)(ends[n_left] + head)), 0);
		ck_assert_int_eq(truncate(path, (off_t)ends[N]), 0);
	}
	for (unsigned i = n_left; i < N && _i == 2; i++)
		flip(path, ends[i + 1] - 1, 0);
	spool_rig_open(&rig);
	ck_assert_int_eq(strstr(rig.told, "not known") != NULL, _i != 2);
	ck_assert_uint_eq(losses(), _i == 2 ? N - n_left : 1);
	spool_rig_put(&rig, 1, SEVERITY_LOW);
	ck_assert_uint_eq(count_all(), n_left + 1);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

/* A segment was begun and nothing came into it: the numbers that were passed over are no loss. */
START_TEST(an_empty_end_is_no_loss)
{
	char room[100];
	struct err err;
	spool_rig_put(&rig, 1, SEVERITY_LOW);
	spool_rig_reopen(&rig);
	struct record record = spool_rig_record(2, 100, SEVERITY_LOW, room);
	ck_assert_int_eq(spool_add(rig.spool, &record, &err), 0);
	failing_disk.bytes_left = SEGMENT_HEAD_BYTES;
	ck_assert_int_eq(spool_commit(rig.spool, &err), -1);
	failing_disk.bytes_left = SIZE_MAX;
	ck_assert_uint_eq(spool_rig_segments(&rig), 2);
	rig.clock.wall_ns += _i * NS_PER_S; /* 0: its file is used again */
	spool_rig_reopen(&rig);
	spool_rig_put(&rig, 3, SEVERITY_LOW);
	ck_assert_uint_eq(count_all(), 2);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

static void copy_folder(const char *from, const char *to)
{
	char command[200];
	text_format(command, sizeof command, "rm -rf '%s'; cp -a '%s' '%s'", to, from, to);
	ck_assert_int_eq(system(command), 0);
}

/* What the collector is told to have stored: records, never numbers that only a start passed over.
 */
START_TEST(knows_the_last_record_that_was_acknowledged)
{
	uint64_t second, last;
	ck_assert_uint_eq(spool_released(rig.spool), 0);
	for (uint64_t i = 1; i <= 3; i++)
		spool_rig_put(&rig, i, SEVERITY_LOW);
	ck_assert_uint_eq(spool_released(rig.spool), 0);
	spool_acknowledge(rig.spool, 2);
	ck_assert_uint_eq(spool_released(rig.spool), 2);
	spool_rig_reopen(&rig);
	ck_assert_uint_eq(spool_released(rig.spool), 2);
	spool_acknowledge(rig.spool, 3);
	rig.clock.wall_ns += 60 * NS_PER_S;
	spool_rig_reopen(&rig);
	last = spool_next_number(rig.spool) - 1; /* as the collector answers the hello */
	ck_assert_uint_gt(last, 1000);
	spool_acknowledge(rig.spool, last);
	ck_assert_uint_eq(spool_released(rig.spool), 3);
	spool_rig_reopen(&rig);
	ck_assert_uint_eq(spool_released(rig.spool), 3);
	second = spool_rig_put(&rig, 4, SEVERITY_LOW);
	ck_assert_uint_eq(spool_released(rig.spool), 3);
	spool_acknowledge(rig.spool, second); /* its file is the only one now */
	ck_assert_uint_eq(spool_rig_segments(&rig), 1);
	ck_assert_uint_eq(spool_released(rig.spool), second);
	rig.clock.wall_ns += 60 * NS_PER_S;
	spool_rig_reopen(&rig);
	ck_assert_uint_eq(spool_released(rig.spool), second);
	last = spool_rig_put(&rig, 5, SEVERITY_LOW);
	spool_acknowledge(rig.spool, last + 1000); /* of another copy */
	ck_assert_uint_eq(spool_released(rig.spool), last);
}
END_TEST

/* Numbers that were given up for others are nobody's. */
START_TEST(what_was_shed_is_not_released)
{
	uint64_t first;
	struct record record;
	struct err err;
	rig.size_bytes = SPOOL_SIZE_BYTES_MIN;
	spool_rig_reopen(&rig);
	spool_rig_put(&rig, 0, SEVERITY_HIGH);
	first = spool_rig_put(&rig, 1, SEVERITY_HIGH);
	spool_acknowledge(rig.spool, first);
	spool_rig_reopen(&rig);
	for (uint64_t i = 2; spool_size_bytes(rig.spool) < SPOOL_SIZE_BYTES_MIN * 2; i++)
		spool_rig_put(&rig, i, SEVERITY_LOW);
	ck_assert_int_eq(spool_keep_bounds(rig.spool, &err), 0);
	ck_assert(spool_next(rig.spool, &record));
	ck_assert_uint_gt(record.number, first + 2);
	spool_acknowledge(rig.spool, record.number - 1); /* as the collector answers the hello */
	ck_assert_uint_eq(spool_released(rig.spool), first);
	spool_acknowledge(rig.spool, record.number);
	ck_assert_uint_eq(spool_released(rig.spool), record.number);
}
END_TEST

/* It died before it wrote the new file's head: numbers up to there were not given out, and so are
 * not acknowledged. What was before is still known. */
START_TEST(a_file_without_a_head_acknowledges_nothing)
{
	char path[160];
	for (uint64_t i = 1; i <= 10; i++)
		spool_rig_put(&rig, i, SEVERITY_LOW);
	spool_rig_close(&rig);
	rig.clock.wall_ns += NS_PER_S;
	snprintf(path, sizeof path, "%s/%016llx.segment", rig.folder,
		(unsigned long long)(rig.clock.wall_ns / 1000000 * 1024));
	AUTO(file_close) int fd = open(path, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	rig.clock.wall_ns += NS_PER_S;
	spool_rig_open(&rig);
	uint64_t number = spool_rig_put(&rig, 11, SEVERITY_LOW);
	spool_acknowledge(rig.spool, 10);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(spool_acknowledged(rig.spool), 10);
		ck_assert_uint_eq(count_all(), 1);
		ck_assert_uint_eq(losses(), 0);
		spool_rig_reopen(&rig);
	}
	spool_acknowledge(rig.spool, number);
	ck_assert_uint_eq(count_all(), 0);
	spool_rig_reopen(&rig);
	ck_assert_uint_eq(spool_acknowledged(rig.spool), number);
}
END_TEST

/* The collector has had other records from this spool: their numbers do not come again. */
START_TEST(an_old_copy_gives_other_numbers)
{
	char copy[100];
	uint64_t last = 0;
	text_format(copy, sizeof copy, "%s.copy", rig.folder);
	for (uint64_t i = 1; i <= 5; i++)
		spool_rig_put(&rig, i, SEVERITY_LOW);
	spool_rig_close(&rig);
	copy_folder(rig.folder, copy);
	rig.clock.wall_ns += 20000000;
	spool_rig_open(&rig);
	for (uint64_t i = 6; i <= 25; i++)
		last = spool_rig_put(&rig, i, SEVERITY_LOW);
	spool_rig_close(&rig);
	copy_folder(copy, rig.folder);
	rig.clock.wall_ns += 20000000;
	spool_rig_open(&rig);
	for (uint64_t i = 26; i <= 35; i++)
		ck_assert_uint_gt(spool_rig_put(&rig, i, SEVERITY_LOW), last);
	spool_acknowledge(rig.spool, last); /* as the collector answers the hello */
	ck_assert_uint_eq(count_all(), 10);
	ck_assert_uint_eq(losses(), 0);
	last = spool_next_number(rig.spool); /* a clock that goes back changes nothing */
	rig.clock.wall_ns -= 100 * 86400 * NS_PER_S;
	spool_rig_reopen(&rig);
	ck_assert_uint_ge(spool_rig_put(&rig, 36, SEVERITY_LOW), last);
	ck_assert_uint_lt(last, UINT64_C(1) << 62);
	spool_rig_close(&rig);
	copy_folder(copy, rig.folder);
	text_format(rig.told, sizeof rig.told, "rm -rf '%s'", copy);
	ck_assert_int_eq(system(rig.told), 0);
	spool_rig_open(&rig);
}
END_TEST

/* The alert's own bytes may look like records; they are none, since nobody outside knows the id. */
START_TEST(a_record_inside_an_alert_is_none)
{
	AUTO(buf_done) struct buf inner;
	const struct spool_id guess = {{0}};
	char path[400], room[100];
	uint64_t numbers[10];
	struct err err;
	struct record forged = spool_rig_record(9, 50, SEVERITY_CRITICAL, room);
	buf_init(&inner, 1000);
	forged.number = 2;
	record_write(&forged, &guess, &inner);
	struct record record = spool_rig_record(1, 50, SEVERITY_LOW, room);
	record.raw = buf_text(&inner);
	ck_assert_int_eq(spool_add(rig.spool, &record, &err), 0);
	ck_assert_int_eq(spool_commit(rig.spool, &err), 0);
	spool_rig_put(&rig, 2, SEVERITY_LOW);
	ck_assert(spool_rig_segment(&rig, 0, path, sizeof path));
	spool_rig_close(&rig);
	flip(path, SEGMENT_HEAD_BYTES, 1);
	spool_rig_open(&rig);
	ck_assert_uint_eq(read_all(numbers, 10), 1);
	ck_assert_uint_eq(numbers[0], 2);
	ck_assert_uint_eq(losses(), 1);
}
END_TEST

START_TEST(a_lost_mark_costs_nothing)
{
	char path[400];
	uint64_t numbers[10];
	struct spool_id id = spool_id(rig.spool), again;
	spool_rig_put(&rig, 1, SEVERITY_LOW);
	spool_rig_put(&rig, 2, SEVERITY_LOW);
	spool_acknowledge(rig.spool, 1);
	spool_rig_close(&rig);
	text_format(path, sizeof path, "%s/mark", rig.folder);
	ck_assert_int_eq(truncate(path, 0), 0);
	spool_rig_open(&rig);
	again = spool_id(rig.spool);
	ck_assert_mem_eq(&id, &again, sizeof id);
	ck_assert_uint_eq(read_all(numbers, 10), 2);
}
END_TEST

START_TEST(a_lost_spool_has_another_id)
{
	char path[400];
	struct spool_id id = spool_id(rig.spool), again;
	spool_rig_put(&rig, 1, SEVERITY_LOW);
	ck_assert(spool_rig_segment(&rig, 0, path, sizeof path));
	spool_rig_close(&rig);
	unlink(path);
	spool_rig_open(&rig);
	again = spool_id(rig.spool);
	ck_assert_int_ne(memcmp(&id, &again, sizeof id), 0);
	ck_assert_uint_eq(spool_rig_put(&rig, 1, SEVERITY_LOW), 1);
}
END_TEST

/* A segment in the middle is gone, or its head is damaged. */
START_TEST(a_lost_segment_is_told)
{
	char path[400];
	struct record record;
	rig.size_bytes = 64 * 1024 * 16;
	spool_rig_reopen(&rig);
	uint64_t last = 0, n = 0;
	for (uint64_t i = 1; spool_rig_segments(&rig) < 4; i++)
		last = spool_rig_put(&rig, i, SEVERITY_LOW);
	ck_assert(spool_rig_segment(&rig, 1, path, sizeof path));
	spool_rig_close(&rig);
	if (_i)
		flip(path, 20, 1);
	else
		unlink(path);
	spool_rig_open(&rig);
	while (spool_next(rig.spool, &record))
		n++;
	ck_assert_uint_eq(n + losses(), last);
	ck_assert_int_eq(n == last, _i);
}
END_TEST

/* Each is an open file: none is passed over. */
START_TEST(too_many_files_are_an_error)
{
	enum { NAMES_MAX = 32768 };
	struct err err;
	char told[100];
	spool_rig_close(&rig);
	AUTO(file_close) int folder = open(rig.folder, O_RDONLY | O_DIRECTORY);
	for (unsigned i = 1; i <= NAMES_MAX + 1; i++) {
		char name[64];
		text_format(name, sizeof name, "%016x.segment", i);
		close(openat(folder, name, O_WRONLY | O_CREAT, 0600));
	}
	const struct spool_options options = {.folder = rig.folder,
		.size_bytes = SPOOL_SIZE_BYTES_MIN,
		.age_s = 60,
		.clock = &rig.clock.clock};
	ck_assert_int_eq(spool_open(&rig.spool, &options, told, sizeof told, &err), -1);
	ck_assert_int_eq(err.kind, ERR_LIMIT);
	rig.spool = NULL;
}
END_TEST

/* A spool of 16 TiB has no more than 256 full ones. */
START_TEST(a_large_spool_has_large_segments)
{
	char room[64];
	struct err err;
	size_t size_bytes = (size_t)1024 * 1024;
	AUTO(free) char *raw = calloc(1, size_bytes);
	rig.size_bytes = (size_t)16 << 30;
	spool_rig_reopen(&rig);
	for (unsigned i = 0; i < 70; i++) {
		struct record record = spool_rig_record(i, sizeof room, SEVERITY_LOW, room);
		record.raw = (struct text){raw, size_bytes};
		ck_assert_int_eq(spool_add(rig.spool, &record, &err), 0);
		ck_assert_int_eq(spool_commit(rig.spool, &err), 0);
		ck_assert_uint_eq(spool_rig_segments(&rig), i < 64 ? 1 : 2);
	}
}
END_TEST

/* ---- failing disks ---- */

START_TEST(a_full_disk_holds)
{
	char room[100];
	uint64_t numbers[10];
	struct err err;
	spool_rig_put(&rig, 1, SEVERITY_LOW);
	struct record record = spool_rig_record(2, 100, SEVERITY_LOW, room);
	ck_assert_int_eq(spool_add(rig.spool, &record, &err), 0);
	failing_disk.bytes_left = (size_t)_i;
	ck_assert_int_eq(spool_commit(rig.spool, &err), -1);
	ck_assert_int_eq(err.kind, ERR_FULL);
	ck_assert_int_eq(spool_commit(rig.spool, &err), -1);
	ck_assert_uint_eq(read_all(numbers, 10), 1);
	failing_disk.bytes_left = SIZE_MAX;
	ck_assert_int_eq(spool_commit(rig.spool, &err), 0);
	ck_assert_uint_eq(read_all(numbers, 10), 1);
	ck_assert_uint_eq(numbers[0], 2);
	spool_rig_reopen(&rig);
	ck_assert_uint_eq(read_all(numbers, 10), 2);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

/* Never twice on one file: its records go to another one. */
START_TEST(a_failed_sync_is_not_tried_again)
{
	uint64_t numbers[10];
	spool_rig_put(&rig, 1, SEVERITY_LOW);
	failing_disk.fail_syncs = 1;
	spool_rig_put(&rig, 2, SEVERITY_LOW);
	ck_assert(!failing_disk.synced_again);
	ck_assert_uint_eq(spool_sync_failures(rig.spool), 1);
	ck_assert_uint_eq(spool_rig_segments(&rig), 2);
	spool_rig_put(&rig, 3, SEVERITY_LOW);
	ck_assert_uint_eq(read_all(numbers, 10), 3);
	spool_rig_reopen(&rig);
	ck_assert_uint_eq(read_all(numbers, 10), 3);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

START_TEST(syncs_that_go_on_failing_hold)
{
	char room[100];
	uint64_t numbers[10];
	struct err err;
	spool_rig_put(&rig, 1, SEVERITY_LOW);
	struct record record = spool_rig_record(2, 100, SEVERITY_LOW, room);
	ck_assert_int_eq(spool_add(rig.spool, &record, &err), 0);
	failing_disk.fail_syncs = 3;
	ck_assert_int_eq(spool_commit(rig.spool, &err), -1);
	ck_assert_int_eq(err.kind, ERR_IO);
	for (unsigned i = 0; i < 4 && spool_commit(rig.spool, &err) < 0; i++)
		;
	ck_assert_uint_eq(read_all(numbers, 10), 2);
	spool_rig_reopen(&rig);
	ck_assert_uint_eq(read_all(numbers, 10), 2);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

/* What the disk does not give now is not taken for nothing. */
START_TEST(a_failed_read_is_tried_again)
{
	struct record record;
	struct err err;
	for (uint64_t i = 1; i <= 3; i++)
		spool_rig_put(&rig, i, SEVERITY_LOW);
	spool_acknowledge(rig.spool, 1);
	failing_disk.fail_reads = true;
	ck_assert(!spool_next(rig.spool, &record));
	ck_assert(spool_failed(rig.spool, &err));
	ck_assert_int_eq(err.kind, ERR_IO);
	ck_assert_uint_ge(spool_waiting(rig.spool).n, 1); /* and not: nothing waits */
	ck_assert_int_gt(spool_waiting(rig.spool).oldest_ns, 0);
	rig.clock.monotonic_ms += 59 * 1000;
	ck_assert(!spool_next(rig.spool, &record) && spool_failed(rig.spool, &err));
	failing_disk.fail_reads = false;
	ck_assert_uint_eq(count_all(), 2);
	ck_assert(!spool_failed(rig.spool, &err));
	ck_assert_uint_eq(losses(), 0);
	ck_assert_uint_eq(spool_waiting(rig.spool).n, 2);
}
END_TEST

/* A page that the disk never gives holds up what is behind it for a minute, and is told. */
START_TEST(a_read_that_goes_on_failing_is_passed_over)
{
	struct record record;
	struct err err;
	for (uint64_t i = 1; i <= 3; i++)
		spool_rig_put(&rig, i, SEVERITY_LOW);
	failing_disk.fail_reads = true;
	ck_assert(!spool_next(rig.spool, &record) && spool_failed(rig.spool, &err));
	rig.clock.monotonic_ms += 60 * 1000;
	ck_assert(!spool_next(rig.spool, &record) && !spool_failed(rig.spool, &err));
	ck_assert_uint_eq(losses(), 3);
	spool_rewind(rig.spool, 0);
	ck_assert(!spool_next(rig.spool, &record) && !spool_failed(rig.spool, &err));
	ck_assert_uint_eq(losses(), 0);
	failing_disk.fail_reads = false;
	spool_rig_put(&rig, 4, SEVERITY_LOW);
	ck_assert_uint_eq(count_all(), 1);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

/* Nothing is cut off that may be there; its numbers are not used again. */
START_TEST(what_cannot_be_read_at_the_start_is_kept)
{
	struct record record;
	char path[400];
	struct err err;
	for (uint64_t i = 1; i <= 3; i++)
		spool_rig_put(&rig, i, SEVERITY_LOW);
	ck_assert(spool_rig_segment(&rig, 0, path, sizeof path));
	size_t size = file_bytes(path);
	spool_acknowledge(rig.spool, 1);
	spool_rig_close(&rig);
	failing_disk.fail_segment_reads = true;
	spool_rig_open(&rig);
	ck_assert_uint_ge(file_bytes(path), size);
	ck_assert(!spool_next(rig.spool, &record) && spool_failed(rig.spool, &err));
	ck_assert_uint_gt(spool_rig_put(&rig, 4, SEVERITY_LOW), 3);
	failing_disk.fail_segment_reads = false;
	if (_i)
		spool_rig_reopen(&rig);
	ck_assert_uint_eq(count_all(), 3);
	ck_assert_uint_eq(losses(), 0);
	spool_acknowledge(rig.spool, 3);
	ck_assert_uint_eq(spool_waiting(rig.spool).n, 1);
}
END_TEST

/* ---- bounds ---- */

struct totals {
	uint64_t kept[N_SEVERITIES], shed[N_SEVERITIES];
	uint64_t first_kept[N_SEVERITIES]; /* number */
};

static void total(struct totals *totals)
{
	struct record record;
	*totals = (struct totals){0};
	spool_rewind(rig.spool, spool_acknowledged(rig.spool));
	while (spool_next(rig.spool, &record)) {
		if (record.kind == RECORD_SHED) {
			totals->shed[record.severity] += record.shed.n;
			continue;
		}
		if (!totals->kept[record.severity]++)
			totals->first_kept[record.severity] = record.number;
	}
	spool_rewind(rig.spool, spool_acknowledged(rig.spool));
}

static void bound(void)
{
	struct err err;
	int result = spool_keep_bounds(rig.spool, &err);
	ck_assert_msg(result == 0, "spool_keep_bounds: %s", err.text);
}

START_TEST(sheds_the_oldest_of_the_lowest)
{
	struct totals totals;
	uint64_t put[N_SEVERITIES] = {0};
	rig.size_bytes = SPOOL_SIZE_BYTES_MIN;
	spool_rig_reopen(&rig);
	for (uint64_t i = 1; i <= 24000; i++) {
		enum severity severity = i % 10 == 0  ? SEVERITY_CRITICAL
					 : i % 3 == 0 ? SEVERITY_MEDIUM
						      : SEVERITY_INFO;
		spool_rig_put(&rig, i, severity);
		put[severity]++;
		bound();
		ck_assert_uint_le(spool_size_bytes(rig.spool), rig.size_bytes);
	}
	for (unsigned again = 0; again < 2; again++) {
		total(&totals);
		for (unsigned i = 0; i < N_SEVERITIES; i++)
			ck_assert_uint_eq(totals.kept[i] + totals.shed[i], put[i]);
		ck_assert_uint_eq(totals.shed[SEVERITY_CRITICAL], 0);
		ck_assert_uint_gt(totals.shed[SEVERITY_INFO], put[SEVERITY_INFO] / 2);
		ck_assert_uint_gt(totals.kept[SEVERITY_CRITICAL], 2000);
		spool_rig_reopen(&rig);
	}
	ck_assert_uint_eq(losses(), 0);
	ck_assert_uint_lt(spool_rig_segments(&rig), 64);
	spool_acknowledge(rig.spool, 24000);
	ck_assert_uint_eq(spool_waiting(rig.spool).n, 0);
}
END_TEST

/* Of one severity only the last are kept, and what is told of the others stays small. */
START_TEST(a_long_absence_stays_bounded)
{
	struct totals totals;
	rig.size_bytes = SPOOL_SIZE_BYTES_MIN;
	spool_rig_reopen(&rig);
	for (uint64_t i = 1; i <= 100000; i++) {
		char room[200];
		struct err err;
		struct record record = spool_rig_record(i, 100, SEVERITY_HIGH, room);
		record.received_ns = (int64_t)i * NS_PER_S;
		ck_assert_int_eq(spool_add(rig.spool, &record, &err), 0);
		if (i % 50 == 0) {
			ck_assert_int_eq(spool_commit(rig.spool, &err), 0);
			bound();
		}
		if (i % 1000 == 0)
			ck_assert_uint_le(spool_size_bytes(rig.spool), rig.size_bytes);
	}
	total(&totals);
	ck_assert_uint_eq(totals.kept[SEVERITY_HIGH] + totals.shed[SEVERITY_HIGH], 100000);
	ck_assert_uint_gt(totals.kept[SEVERITY_HIGH], 4000);
	ck_assert_uint_lt(spool_rig_segments(&rig), 64);
}
END_TEST

/* Of a minute and a rule. */
START_TEST(tells_what_it_shed)
{
	struct record record;
	char room[1000];
	struct err err;
	rig.size_bytes = SPOOL_SIZE_BYTES_MIN;
	spool_rig_reopen(&rig);
	for (uint64_t i = 0; i < 1200; i++) {
		struct record put = spool_rig_record(i, sizeof room, SEVERITY_LOW, room);
		put.rule = i % 2 ? TEXT("odd") : TEXT("even");
		put.received_ns = (int64_t)(i / 20) * 60 * NS_PER_S + (int64_t)i;
		ck_assert_int_eq(spool_add(rig.spool, &put, &err), 0);
		ck_assert_int_eq(spool_commit(rig.spool, &err), 0);
	}
	bound();
	ck_assert(spool_next(rig.spool, &record));
	ck_assert_int_eq(record.kind, RECORD_SHED);
	ck_assert(text_is(record.rule, "even"));
	ck_assert_uint_eq(record.shed.n, 10);
	ck_assert_uint_eq(record.shed.n_bytes, 10000);
	ck_assert_int_eq(record.shed.from_ns, 0);
	ck_assert_int_eq(record.shed.until_ns, 18);
	uint64_t number = record.number;
	ck_assert_uint_gt(number, 19);
	ck_assert(spool_next(rig.spool, &record));
	ck_assert(text_is(record.rule, "odd"));
	ck_assert_uint_eq(record.number, number + 1);
}
END_TEST

/* What may be on its way is not changed. */
START_TEST(what_is_being_sent_is_not_shed)
{
	struct record record;
	rig.size_bytes = SPOOL_SIZE_BYTES_MIN;
	spool_rig_reopen(&rig);
	for (uint64_t i = 1; i <= 12000; i++) {
		spool_rig_put(&rig, i, SEVERITY_INFO);
		if (i == 500)
			for (unsigned n = 0; n < 300; n++)
				ck_assert(spool_next(rig.spool, &record));
		if (i % 100 == 0)
			bound();
	}
	ck_assert_uint_eq(record.number, 300);
	ck_assert(spool_next(rig.spool, &record));
	ck_assert_uint_eq(record.number, 301);
	ck_assert_int_eq(record.kind, RECORD_ALERT);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

/* A damaged record is not among those that are counted as shed. _i: the first, one in the middle,
 * the last. */
START_TEST(what_is_damaged_before_it_is_shed_is_told)
{
	char path[400];
	struct totals totals;
	struct spool_loss loss;
	uint64_t n = 0, records;
	rig.size_bytes = SPOOL_SIZE_BYTES_MIN;
	spool_rig_reopen(&rig);
	while (spool_rig_segments(&rig) < 2)
		spool_rig_put(&rig, ++n, SEVERITY_LOW);
	records = n - 1;
	while (spool_size_bytes(rig.spool) <= SPOOL_SIZE_BYTES_MIN)
		spool_rig_put(&rig, ++n, SEVERITY_LOW);
	ck_assert(spool_rig_segment(&rig, 0, path, sizeof path));
	size_t end = SEGMENT_HEAD_BYTES;
	for (uint64_t i = 1; i <= (_i == 0 ? 1 : _i == 1 ? 40 : records); i++)
		end += RECORD_HEAD_BYTES + strlen("a rule") + 20 + i % 180;
	flip(path, end - 1, 0);
	bound();
	ck_assert(spool_take_loss(rig.spool, &loss));
	ck_assert_uint_eq(loss.n, 1);
	ck_assert_int_eq(loss.source, SOURCE_FALCO);
	ck_assert_int_gt(loss.until_ns, loss.from_ns);
	total(&totals);
	ck_assert_uint_eq(totals.kept[SEVERITY_LOW] + totals.shed[SEVERITY_LOW] + 1, n);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

/* Age is the spool's own; the wall clock means nothing. */
START_TEST(sheds_what_is_too_old)
{
	struct totals totals;
	rig.size_bytes = 64 * 1024 * 16;
	rig.age_s = 3600;
	spool_rig_reopen(&rig);
	uint64_t n = 0;
	while (spool_rig_segments(&rig) < 3)
		spool_rig_put(&rig, ++n, SEVERITY_CRITICAL);
	rig.clock.wall_ns += 30 * 86400 * NS_PER_S;
	bound();
	total(&totals);
	ck_assert_uint_eq(totals.kept[SEVERITY_CRITICAL], n);
	rig.clock.monotonic_ms += 1800 * 1000;
	spool_rig_reopen(&rig);
	rig.clock.wall_ns -= 300 * 86400 * NS_PER_S;
	rig.clock.monotonic_ms += 1801 * 1000;
	bound();
	total(&totals);
	ck_assert_uint_gt(totals.shed[SEVERITY_CRITICAL], n / 2);
	ck_assert_uint_eq(totals.kept[SEVERITY_CRITICAL] + totals.shed[SEVERITY_CRITICAL], n);
	ck_assert_uint_eq(losses(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spool");
	TCase *tests = tcase_create("spool");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, gives_back_what_it_was_given);
	tcase_add_test(tests, one_sync_for_all_that_waits);
	tcase_add_test(tests, goes_on_after_a_restart);
	tcase_add_test(tests, an_empty_spool_keeps_its_numbers);
	tcase_add_test(tests, two_processes_cannot_have_it);
	tcase_add_test(tests, what_is_acknowledged_leaves);
	tcase_add_test(tests, what_gets_another_number_is_still_the_oldest);
	tcase_add_test(tests, the_oldest_need_not_be_the_first);
	tcase_add_test(tests, the_oldest_is_known_after_a_restart);
	tcase_add_test(tests, the_oldest_is_never_said_too_late);
	tcase_add_test(tests, a_collector_that_has_more_is_believed);
	tcase_add_test(tests, is_torn_at_every_byte);
	tcase_add_test(tests, a_flipped_bit_costs_one_record);
	tcase_add_test(tests, a_damaged_end_is_told);
	tcase_add_loop_test(tests, a_long_damage_at_the_end_is_told, 0, 4);
	tcase_add_loop_test(tests, an_empty_end_is_no_loss, 0, 2);
	tcase_add_test(tests, knows_the_last_record_that_was_acknowledged);
	tcase_add_test(tests, what_was_shed_is_not_released);
	tcase_add_test(tests, a_file_without_a_head_acknowledges_nothing);
	tcase_add_test(tests, an_old_copy_gives_other_numbers);
	tcase_add_test(tests, a_record_inside_an_alert_is_none);
	tcase_add_test(tests, a_lost_mark_costs_nothing);
	tcase_add_test(tests, a_lost_spool_has_another_id);
	tcase_add_loop_test(tests, a_lost_segment_is_told, 0, 2);
	tcase_add_test(tests, too_many_files_are_an_error);
	tcase_add_test(tests, a_large_spool_has_large_segments);
	tcase_add_loop_test(tests, a_full_disk_holds, 0, 154);
	tcase_add_test(tests, a_failed_sync_is_not_tried_again);
	tcase_add_test(tests, syncs_that_go_on_failing_hold);
	tcase_add_test(tests, a_failed_read_is_tried_again);
	tcase_add_test(tests, a_read_that_goes_on_failing_is_passed_over);
	tcase_add_loop_test(tests, what_cannot_be_read_at_the_start_is_kept, 0, 2);
	tcase_add_test(tests, sheds_the_oldest_of_the_lowest);
	tcase_add_test(tests, a_long_absence_stays_bounded);
	tcase_add_test(tests, tells_what_it_shed);
	tcase_add_test(tests, what_is_being_sent_is_not_shed);
	tcase_add_loop_test(tests, what_is_damaged_before_it_is_shed_is_told, 0, 3);
	tcase_add_test(tests, sheds_what_is_too_old);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
