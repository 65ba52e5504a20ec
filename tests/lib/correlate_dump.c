/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Feeds the reference's lines (correlate.py) through the real store and correlator and prints what
 * the reference prints. One process does any number of jobs, each with a database of its own:
 *
 *	correlate-dump FOLDER <jobs
 *
 * A job is a line {"job": {...}}, the lines, and a line "end". Its answer is the sorted incidents
 * and a line ". N": N writes to files were made. Members of the job, all optional:
 *
 *	seed           of the transactions' sizes; 0: one line each
 *	restart_every  transactions, after which the store is opened anew
 *	die_at         the write in which the process kills itself; "# N" is printed for N lines
 *	               that are committed
 *	from           lines before it are not fed; the database of the job before is kept
 *	details        1: incidents with numbers and more; 2: and the state after each transaction
 *	now, horizon   seconds
 */

#include <assert.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/lib/correlate_print.h"
#include "tests/lib/dying_vfs.h"

enum { LINES_MAX = 200000 };

struct dump {
	const char *vfs;
	char path[4096];
	json_t *lines[LINES_MAX];
	size_t n_lines;
};

/* The next line as JSON; NULL at "end" and at the end of input. */
static json_t *read_line(void)
{
	AUTO(free) char *line = NULL;
	size_t capacity = 0;
	ssize_t size = getline(&line, &capacity, stdin);
	if (size <= 0 || strcmp(line, "end\n") == 0)
		return NULL;
	json_t *object = json_loadb(line, (size_t)size, 0, NULL);
	assert(object);
	return object;
}

static json_int_t number(const json_t *job, const char *name, json_int_t otherwise)
{
	const json_t *value = json_object_get(job, name);
	return value ? json_integer_value(value) : otherwise;
}

static void remove_database(const struct dump *dump)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		char name[sizeof dump->path + 8];
		text_format(name, sizeof name, "%s%s", dump->path, suffixes[i]);
		unlink(name);
	}
}

static void print_feed(void *ctx)
{
	print_state(ctx);
}

static void do_job(struct dump *dump, const json_t *wanted)
{
	struct feed feed;
	const json_t *settings = json_object_get(wanted, "job");
	json_int_t details = number(settings, "details", 0);
	json_int_t die_at = number(settings, "die_at", 0);
	struct feed_job job = {
		.seed = (uint64_t)number(settings, "seed", 0),
		.restart_every = (unsigned long)number(settings, "restart_every", 0),
		.from = (size_t)number(settings, "from", 0),
		.acknowledge = die_at > 0,
		.horizon_s = number(settings, "horizon", INT64_C(3650) * 86400),
		.now_ns = number(settings, "now", INT64_C(1790000000)) * NS_PER_S,
		.committed = details > 1 ? print_feed : NULL,
		.ctx = &feed,
	};
	if (!json_object_get(settings, "from"))
		remove_database(dump);
	feed_init(&feed, dump->path, dump->vfs, dump->lines, dump->n_lines);
	dying_vfs_reset((uint64_t)die_at);
	feed_run(&feed, &job);
	uint64_t n_writes = dying_vfs_writes();
	dying_vfs_reset(0);
	print_incidents(&feed, details > 0);
	feed_done(&feed);
	printf(". %llu\n", (unsigned long long)n_writes);
	if (fflush(stdout) != 0)
		exit(1);
}

static void read_lines(struct dump *dump)
{
	json_t *line;
	while ((line = read_line())) {
		assert(dump->n_lines < LINES_MAX);
		dump->lines[dump->n_lines++] = line;
	}
}

int main(int argc, char **argv)
{
	static struct dump dump;
	json_t *job;
	if (argc != 2) {
		fputs("usage: correlate-dump FOLDER <jobs\n", stderr);
		return 64;
	}
	setlocale(LC_ALL, "");
	dump.vfs = dying_vfs_register();
	text_format(dump.path, sizeof dump.path, "%s/db", argv[1]);
	while ((job = read_line())) {
		read_lines(&dump);
		do_job(&dump, job);
		while (dump.n_lines)
			json_decref(dump.lines[--dump.n_lines]);
		json_decref(job);
	}
	remove_database(&dump);
	return 0;
}
