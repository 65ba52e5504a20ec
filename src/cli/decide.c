/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/view.h"
#include "cli/yaml_view.h"
#include "net/http_client.h"

enum { BODY_BYTES = 256 * 1024, PATH_BYTES = 512, HEADER_BYTES = 64, DETAIL_BYTES = 64 * 1024 };

/* "incidents ACTION N MORE...": where these stand among the arguments. */
enum { ACTION = 1, NUMBER = 2, MORE = 3 };

/* The flags of one action, and the body's members that they become. */
static const struct {
	const char *action, *flag, *member;
} flags[] = {
	{"resolve", "verdict", "verdict"},
	{"snooze", "for", "for"},
	{"snooze", "until", "until"},
	{"cut", "at", "at"},
	{"unlink", "since", "from"},
	{"unlink", "until", "to"},
};

static const char *member_of(const char *action, struct text flag)
{
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (strcmp(flags[i].action, action) == 0 && text_is(flag, flags[i].flag))
			return flags[i].member;
	return NULL;
}

/* What people wrote in several words is one text. */
static void write_words(const struct session *session, struct emitter *out)
{
	AUTO(buf_done) struct buf words;
	buf_init(&words, BODY_BYTES);
	for (size_t i = MORE; i < session->n_arguments; i++)
		buf_addf(&words, "%s%s", i > MORE ? " " : "", session->arguments[i]);
	emit_member_text(out, "text", buf_text(&words));
}

static void write_prints(const struct session *session, struct emitter *out)
{
	emit_key(out, "fingerprints");
	emit_array(out);
	for (size_t i = MORE; i < session->n_arguments; i++)
		emit_text(out, text_of(session->arguments[i]));
	emit_array_end(out);
}

static void write_arguments(const struct session *session, struct emitter *out)
{
	const char *action = session->arguments[ACTION];
	if (session->n_arguments <= MORE)
		return;
	const char *more = session->arguments[MORE];
	if (strcmp(action, "comment") == 0) {
		write_words(session, out);
	} else if (strcmp(action, "unlink") == 0) {
		write_prints(session, out);
	} else if (strcmp(action, "assign") == 0) {
		emit_key(out, "assignee");
		emit_text(out, text_of(more));
	} else if (strcmp(action, "merge") == 0) {
		emit_member_string(out, "with", more);
	} else {
		emit_member_string(out, "edit", more);
	}
}

static int usage(struct session *session, struct err *err, const char *why)
{
	session->exit_code = CLI_USAGE;
	return err_set(err, ERR_INPUT, "incidents %s: %s", session->arguments[ACTION], why);
}

static int write_flags(struct session *session, struct emitter *out, struct err *err)
{
	const char *action = session->arguments[ACTION];
	for (size_t i = 0; i < session->n_query; i++) {
		const char *member = member_of(action, session->query[i][0]);
		if (!member) {
			session->exit_code = CLI_USAGE;
			return err_set(err, ERR_INPUT, "incidents %s takes no --%.*s", action,
				TEXT_ARG(session->query[i][0]));
		}
		emit_key(out, member);
		emit_text(out, session->query[i][1]);
	}
	if (session->n_query == 0 && strcmp(action, "resolve") == 0)
		return usage(session, err,
			"--verdict must say what it was: true-positive, benign-expected,"
			" false-positive, duplicate or test");
	if (session->n_query == 0 && strcmp(action, "snooze") == 0)
		return usage(session, err,
			"--for says how long, as 30m, 2h or 7d (0 wakes it), or --until when");
	return 0;
}

static int make_body(struct session *session, struct buf *out, struct err *err)
{
	struct emitter emitter;
	emit_init(&emitter, out);
	emit_object(&emitter);
	write_arguments(session, &emitter);
	if (write_flags(session, &emitter, err) < 0)
		return -1;
	emit_object_end(&emitter);
	return buf_ok(out) ? 0 : err_set(err, ERR_LIMIT, "this is too long to be sent");
}

static void make_path(const struct session *session, char *out, size_t size)
{
	AUTO(buf_done) struct buf number;
	buf_init(&number, PATH_BYTES);
	http_encode(&number, text_of(session->arguments[NUMBER]));
	text_format(out, size, "/api/v1/incidents/%s/%s", buf_string(&number),
		session->arguments[ACTION]);
}

static void write_line(struct buf *out, const char *name, struct text value)
{
	if (!value.size)
		return;
	buf_addf(out, "%-14s ", name);
	utf8_escape(out, value);
	buf_add_byte(out, '\n');
}

/* How the incident is now, and how to go back. */
static void write_outcome(const struct session *session, struct view *view)
{
	const struct node *incident = view->tree;
	const struct node *decision = tree_member(incident, "decision");
	struct text number = cell(decision, "incident"), asked = cell(decision, "asked");
	struct text edit = cell(decision, "edit");
	struct buf *out = &view->out;
	if (asked.size)
		buf_addf(out, "%.*s is part of %.*s now: it was decided there\n", TEXT_ARG(asked),
			TEXT_ARG(number));
	buf_addf(out, "%.*s  %.*s  ", TEXT_ARG(number), TEXT_ARG(cell(incident, "state")));
	utf8_escape(out, cell(incident, "title"));
	buf_add_byte(out, '\n');
	write_line(out, "verdict", cell(incident, "verdict"));
	write_line(out, "assignee", cell(incident, "assignee"));
	write_line(out, "snoozed until", cell(incident, "snoozed_until"));
	if (edit.size && strcmp(session->arguments[ACTION], "resolve") != 0)
		buf_addf(out, "%-14s %.*s (tocsin incidents undo %.*s %.*s)\n", "edit",
			TEXT_ARG(edit), TEXT_ARG(number), TEXT_ARG(edit));
}

static bool can_be_tried(const struct session *session)
{
	static const char *const actions[] = {"cut", "merge", "unlink", "undo"};
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (strcmp(session->arguments[ACTION], actions[i]) == 0)
			return true;
	return false;
}

/* What would be otherwise. */
static void write_trial(const struct session *session, struct view *view)
{
	struct text linked = cell(view->tree, "linked"), unlinked = cell(view->tree, "unlinked");
	changes_write(view->tree, &view->out);
	if (linked.size)
		buf_addf(&view->out, "%.*s would be shown together with it\n", TEXT_ARG(linked));
	if (unlinked.size)
		buf_addf(&view->out, "%.*s would not be shown together with it any more\n",
			TEXT_ARG(unlinked));
	buf_addf(&view->out, "without --dry-run it is done (tocsin incidents %s)\n",
		session->arguments[ACTION]);
}

int act_decide(struct session *session, struct err *err)
{
	char path[PATH_BYTES], if_match[HEADER_BYTES];
	AUTO(buf_done) struct buf body;
	AUTO(view_done) struct view view = {0};
	buf_init(&body, BODY_BYTES);
	if (session->data)
		return usage(session, err,
			"a database that is read offline takes no decisions; leave --data out and"
			" ask the daemon");
	if (make_body(session, &body, err) < 0)
		return -1;
	if (session->dry_run && !can_be_tried(session))
		return usage(session, err, "--dry-run is for cut, merge, unlink and undo");
	if (session->revision) {
		text_format(if_match, sizeof if_match, "If-Match: \"%s\"", session->revision);
		session->headers[0] = if_match;
	}
	make_path(session, path, sizeof path);
	if (session->dry_run)
		text_format(path + strlen(path), sizeof path - strlen(path), "?dry_run=true");
	int failed = view_post(session, path, buf_text(&body), &view, err);
	session->headers[0] = NULL;
	if (failed)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	if (session->dry_run)
		write_trial(session, &view);
	else
		write_outcome(session, &view);
	return print_text(buf_text(&view.out), err);
}

/* What was said stands alone; anything else as it is stored. */
static struct text describe(struct arena *arena, const struct node *item)
{
	AUTO(buf_done) struct buf out;
	const struct node *detail = tree_member(item, "detail");
	struct text said = cell(detail, "text");
	buf_init(&out, DETAIL_BYTES);
	if (said.size || !detail)
		return said;
	json_view_write(detail, &out);
	return arena_copy(arena, buf_text(&out));
}

int show_activity(struct session *session, struct err *err)
{
	static const char *const titles[] = {"TIME", "WHO", "WHAT", "DETAIL", "EDIT", "FROM", NULL};
	char path[PATH_BYTES];
	AUTO(view_done) struct view view = {0};
	struct table_view table;
	make_path(session, path, sizeof path);
	if (view_get(session, path, &view, err) < 0)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	const struct node *items = tree_member(view.tree, "items");
	table_view_init(&table, &view.arena, titles);
	for (const struct node *item = items ? items->first : NULL; item; item = item->next) {
		struct text cells[] = {cell(item, "time"), cell(item, "actor"), cell(item, "kind"),
			describe(&view.arena, item), cell(item, "edit"), cell(item, "origin")};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	table_view_write(&table, &view.out);
	struct text next = cell(view.tree, "next");
	if (next.size)
		buf_addf(&view.out, "more: --after %.*s\n", TEXT_ARG(next));
	return print_text(buf_text(&view.out), err);
}
