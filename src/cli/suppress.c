/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/emit.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/view.h"
#include "cli/yaml_view.h"
#include "net/http_client.h"

enum { BODY_BYTES = 256 * 1024, PATH_BYTES = 512 };

/* "suppress ACTION MORE...": where these stand among the arguments. */
enum { ACTION = 1, MORE = 2 };

static const struct node *first_item(const struct view *view)
{
	const struct node *items = tree_member(view->tree, "items");
	return items ? items->first : NULL;
}

/* "in 3h", "2d ago" */
static struct text distance(struct arena *arena, struct text time)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	int64_t wall_ns;
	if (!clock_parse(time, &wall_ns))
		return time;
	int64_t seconds = (wall_ns - clock_wall_ns(&clock_system)) / NS_PER_S;
	int64_t length = seconds < 0 ? -seconds : seconds;
	size_t i = 0;
	while (i < 3 && length < 2 * units[i].seconds)
		i++;
	return arena_format(arena, "%s%lld%c%s", seconds < 0 ? "" : "in ",
		(long long)(length / units[i].seconds), units[i].letter, seconds < 0 ? " ago" : "");
}

static void make_path(const struct session *session, const char *rest, char *out, size_t size)
{
	AUTO(buf_done) struct buf id;
	buf_init(&id, PATH_BYTES);
	http_encode(&id, text_of(session->arguments[MORE]));
	text_format(out, size, "/api/v1/suppressions/%s%s", buf_string(&id), rest);
}

static struct text notes(const struct node *item)
{
	if (text_is(cell(item, "expiring"), "true"))
		return TEXT("ends soon");
	if (text_is(cell(item, "never_matched"), "true"))
		return TEXT("matched nothing");
	return TEXT_NONE;
}

static void write_counts(struct view *view)
{
	const struct node *counts = tree_member(view->tree, "counts");
	buf_addf(&view->out, "active %.*s  pending %.*s  ending soon %.*s  matched nothing %.*s\n",
		TEXT_ARG(cell(counts, "active")), TEXT_ARG(cell(counts, "pending")),
		TEXT_ARG(cell(counts, "expiring")), TEXT_ARG(cell(counts, "unmatched")));
}

static void write_next(struct view *view)
{
	struct text next = cell(view->tree, "next");
	if (next.size)
		buf_addf(&view->out, "more: --after %.*s\n", TEXT_ARG(next));
}

/* Its matchers, its query, or both. */
static struct text shown_condition(struct arena *arena, const struct node *item)
{
	struct text matchers = cell(item, "matcher_text"), query = cell(item, "query");
	if (!matchers.size || !query.size)
		return matchers.size ? matchers : query;
	return arena_format(arena, "%.*s %.*s", TEXT_ARG(matchers), TEXT_ARG(query));
}

int show_suppressions(struct session *session, struct err *err)
{
	static const char *const titles[] = {
		"ID", "STATE", "MATCHERS", "ENDS", "HITS", "BY", "REASON", "NOTE", NULL};
	AUTO(view_done) struct view view = {0};
	struct table_view table;
	if (view_get(session, "/api/v1/suppressions", &view, err) < 0)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	table_view_init(&table, &view.arena, titles);
	for (const struct node *item = first_item(&view); item; item = item->next) {
		struct text cells[] = {cell(item, "id"), cell(item, "state"),
			shown_condition(&view.arena, item),
			distance(&view.arena, cell(item, "ends")), cell(item, "hits"),
			cell(item, "created_by"), cell(item, "reason"), notes(item)};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	write_counts(&view);
	table_view_write(&table, &view.out);
	write_next(&view);
	return print_text(buf_text(&view.out), err);
}

/* As YAML for people too, unless JSON is asked for. */
static int print_document(struct session *session, struct view *view, struct err *err)
{
	if (!view_write(session, view))
		yaml_view_write(view->tree, &view->out);
	return print_text(buf_text(&view->out), err);
}

int show_suppression(struct session *session, struct err *err)
{
	char path[PATH_BYTES];
	AUTO(view_done) struct view view = {0};
	make_path(session, "", path, sizeof path);
	return view_get(session, path, &view, err) < 0 ? -1 : print_document(session, &view, err);
}

int show_suppression_hits(struct session *session, struct err *err)
{
	static const char *const titles[] = {"RULE", "SENSOR", "NAMESPACE", "POD", "NODE", "ALERTS",
		"LAST", "FINGERPRINT", NULL};
	char path[PATH_BYTES];
	AUTO(view_done) struct view view = {0};
	struct table_view table;
	make_path(session, "/hits", path, sizeof path);
	if (view_get(session, path, &view, err) < 0)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	table_view_init(&table, &view.arena, titles);
	for (const struct node *item = first_item(&view); item; item = item->next) {
		const struct node *entity = tree_member(item, "entity");
		struct text cells[] = {cell(item, "rule"), cell(item, "sensor"),
			cell(entity, "namespace"), cell(entity, "pod"), cell(entity, "node"),
			cell(item, "alerts"), distance(&view.arena, cell(item, "last_seen")),
			cell(item, "fingerprint")};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	table_view_write(&table, &view.out);
	write_next(&view);
	return print_text(buf_text(&view.out), err);
}

static int refuse_offline(struct session *session, struct err *err)
{
	session->exit_code = CLI_USAGE;
	return err_set(err, ERR_INPUT,
		"a database that is read offline takes no decisions; leave --data out and ask the"
		" daemon");
}

/* Matchers as they were typed, and each flag as a member of its name. */
static int make_body(struct session *session, struct buf *out, struct err *err)
{
	static const char *const names[] = {"reason", "starts", "ends", "for", "query"};
	struct emitter emitter;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "matchers");
	emit_array(&emitter);
	for (size_t i = MORE; i < session->n_arguments; i++)
		emit_text(&emitter, text_of(session->arguments[i]));
	emit_array_end(&emitter);
	for (size_t i = 0; i < session->n_query; i++) {
		size_t known = text_is(session->query[i][0], "q") ? 4 : 0;
		while (known < 5 && !text_is(session->query[i][0], names[known]) &&
			!text_is(session->query[i][0], "q"))
			known++;
		if (known == 5) {
			session->exit_code = CLI_USAGE;
			return err_set(err, ERR_INPUT, "suppress %s takes no --%.*s",
				session->arguments[ACTION], TEXT_ARG(session->query[i][0]));
		}
		emit_key(&emitter, names[known]);
		emit_text(&emitter, session->query[i][1]);
	}
	emit_object_end(&emitter);
	return buf_ok(out) ? 0 : err_set(err, ERR_LIMIT, "this is too long to be sent");
}

int act_suppress(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf body;
	AUTO(view_done) struct view view = {0};
	buf_init(&body, BODY_BYTES);
	if (session->data)
		return refuse_offline(session, err);
	if (make_body(session, &body, err) < 0 ||
		view_post(session, "/api/v1/suppressions", buf_text(&body), &view, err) < 0)
		return -1;
	return print_document(session, &view, err);
}

int show_suppression_preview(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf body;
	AUTO(view_done) struct view view = {0};
	buf_init(&body, BODY_BYTES);
	if (session->data)
		return refuse_offline(session, err);
	if (make_body(session, &body, err) < 0 ||
		view_post(session, "/api/v1/suppressions/preview", buf_text(&body), &view, err) < 0)
		return -1;
	return print_document(session, &view, err);
}

int show_suppression_export(struct session *session, struct err *err)
{
	char path[PATH_BYTES];
	AUTO(buf_done) struct buf answer;
	buf_init(&answer, BODY_BYTES);
	make_path(session, "/export", path, sizeof path);
	return session_get(session, path, &answer, err) < 0 ? -1
							    : print_text(buf_text(&answer), err);
}

int act_unsuppress(struct session *session, struct err *err)
{
	char path[PATH_BYTES];
	AUTO(buf_done) struct buf answer;
	buf_init(&answer, BODY_BYTES);
	if (session->data)
		return refuse_offline(session, err);
	make_path(session, "", path, sizeof path);
	if (session_call(session, "DELETE", path, TEXT_NONE, &answer, err) < 0)
		return -1;
	buf_clear(&answer);
	struct emitter emitter;
	emit_init(&emitter, &answer);
	emit_object(&emitter);
	emit_member_string(&emitter, "ended", command_argument(session));
	emit_object_end(&emitter);
	return view_print(session, buf_text(&answer), TEXT("ended\n"), err);
}
