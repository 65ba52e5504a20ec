/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/tree.h"
#include "cli/commands.h"
#include "cli/view.h"

enum { ANSWER_BYTES = 4 * 1024 * 1024, PATH_BYTES = 256, LOOK_MS = 250, BAR = 30 };

#define PATH "/api/v1/recorrelation"

static uint64_t number_of(const struct node *report, const char *key)
{
	uint64_t number = 0;
	text_to_u64(tree_member_text(report, key), &number);
	return number;
}

static void show_bar(const struct node *report, bool end)
{
	uint64_t done = number_of(report, "entities_done"), all = number_of(report, "entities");
	int filled = all ? (int)(done * BAR / all) : 0;
	fprintf(stderr, "\r[%-*.*s] %llu of %llu entities, %llu incidents otherwise%s", BAR, filled,
		"##############################", (unsigned long long)done, (unsigned long long)all,
		(unsigned long long)number_of(report, "changed"), end ? "\n" : "");
}

static void pause_ms(int64_t ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&left, NULL);
}

/* When the last one was begun, that of somebody else maybe. Absent: never. */
static int read_started(
	struct session *session, struct arena *arena, struct text *started, struct err *err)
{
	AUTO(buf_done) struct buf answer;
	struct node *report;
	buf_init(&answer, ANSWER_BYTES);
	if (session_get(session, PATH, &answer, err) < 0 ||
		tree_read(buf_text(&answer), arena, &report, err) < 0)
		return -1;
	*started = arena_copy(arena, tree_member_text(report, "started"));
	return 0;
}

/* Asks until the one that was begun after @before has ended; the last answer is in *answer. */
static int wait_for_end(struct session *session, struct text before, struct buf *answer,
	struct arena *arena, struct err *err)
{
	bool shows = isatty(STDERR_FILENO);
	for (;;) {
		struct node *report;
		buf_clear(answer);
		if (session_get(session, PATH, answer, err) < 0 ||
			tree_read(buf_text(answer), arena, &report, err) < 0)
			return -1;
		bool running = text_is(tree_member_text(report, "state"), "running") ||
			       text_equal(tree_member_text(report, "started"), before);
		if (shows)
			show_bar(report, !running);
		if (!running)
			return 0;
		pause_ms(LOOK_MS);
	}
}

static void add_side(struct buf *out, const struct node *change, const char *key)
{
	const struct node *side = tree_member(change, key);
	if (side)
		buf_addf(out, "%.*s %.*s, %.*s alerts",
			TEXT_ARG(tree_member_text(side, "severity")),
			TEXT_ARG(tree_member_text(side, "risk")),
			TEXT_ARG(tree_member_text(side, "alerts")));
	else
		buf_add_string(out, "none");
}

void changes_write(const struct node *report, struct buf *out)
{
	const struct node *changes = tree_member(report, "changes");
	for (const struct node *change = changes ? changes->first : NULL; change;
		change = change->next) {
		struct text number = tree_member_text(change, "number");
		buf_addf(out, "%-12.*s %-8.*s ", TEXT_ARG(number.size ? number : TEXT("(new)")),
			TEXT_ARG(tree_member_text(change, "change")));
		add_side(out, change, "before");
		buf_add_string(out, "  ->  ");
		add_side(out, change, "after");
		buf_add_byte(out, '\n');
	}
	bool dry = text_is(tree_member_text(report, "dry_run"), "true");
	buf_addf(out, "%llu incidents %s otherwise",
		(unsigned long long)number_of(report, "changed"), dry ? "would be" : "are");
	buf_add_byte(out, '\n');
}

static int print_changes(const struct node *report, struct err *err)
{
	AUTO(buf_done) struct buf out;
	buf_init(&out, ANSWER_BYTES);
	changes_write(report, &out);
	if (text_is(tree_member_text(report, "dry_run"), "true"))
		buf_add_string(&out, "without --dry-run they will be\n");
	return buf_ok(&out) ? print_text(buf_text(&out), err)
			    : buf_error(&out, err, "what changed");
}

static int show(struct session *session, struct text answer, struct err *err)
{
	AUTO(view_done) struct view view;
	if (view_take(answer, &view, err) < 0)
		return -1;
	struct text error = cell(view.tree, "error");
	if (view_write(session, &view) && print_text(buf_text(&view.out), err) < 0)
		return -1;
	if (error.size)
		return err_set(err, ERR_BUSY, "%.*s", TEXT_ARG(text_part(error, 0, 200)));
	return session->form == OUTPUT_TABLE ? print_changes(view.tree, err) : 0;
}

int act_recorrelate(struct session *session, struct err *err)
{
	char path[PATH_BYTES];
	struct text from = TEXT_NONE;
	AUTO(buf_done) struct buf answer;
	AUTO(arena_done) struct arena arena;
	buf_init(&answer, ANSWER_BYTES);
	arena_init(&arena, 64 * 1024 * 1024);
	for (size_t i = 0; i < session->n_query; i++)
		if (text_is(session->query[i][0], "from"))
			from = session->query[i][1];
	text_format(path, sizeof path, PATH "?dry_run=%s%s%.*s",
		session->dry_run ? "true" : "false", from.size ? "&from=" : "", TEXT_ARG(from));
	session->n_query = 0;
	struct text before;
	if (read_started(session, &arena, &before, err) < 0 ||
		session_call(session, "POST", path, TEXT_NONE, &answer, err) < 0 ||
		wait_for_end(session, before, &answer, &arena, err) < 0)
		return -1;
	return show(session, buf_text(&answer), err);
}
