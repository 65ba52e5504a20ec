/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/tree.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/view.h"
#include "cli/yaml_view.h"
#include "net/http_client.h"

enum { ANSWER_BYTES = 256 * 1024 * 1024 };

/* "3m ago": what somebody asks at night. */
static struct text age(struct arena *arena, struct text time)
{
	int64_t wall_ns;
	if (!clock_parse(time, &wall_ns))
		return time;
	int64_t seconds = (clock_wall_ns(&clock_system) - wall_ns) / NS_PER_S;
	if (seconds < 0)
		return arena_format(arena, "in %llds", (long long)-seconds);
	if (seconds < 120)
		return arena_format(arena, "%llds ago", (long long)seconds);
	if (seconds < 7200)
		return arena_format(arena, "%lldm ago", (long long)(seconds / 60));
	if (seconds < 172800)
		return arena_format(arena, "%lldh ago", (long long)(seconds / 3600));
	return arena_format(arena, "%lldd ago", (long long)(seconds / 86400));
}

static struct text place(struct arena *arena, const struct node *node)
{
	if (cell(node, "pod").size)
		return arena_format(arena, "%.*s/%.*s", TEXT_ARG(cell(node, "namespace")),
			TEXT_ARG(cell(node, "pod")));
	if (cell(node, "container_id").size)
		return arena_format(arena, "container %.*s", TEXT_ARG(cell(node, "container_id")));
	if (cell(node, "node").size)
		return arena_format(arena, "node %.*s", TEXT_ARG(cell(node, "node")));
	return cell(node, "cluster");
}

static struct text tactic_names(struct arena *arena, const struct node *incident)
{
	struct buf names;
	buf_init(&names, 4096);
	const struct node *tactics = tree_member(incident, "tactics");
	for (const struct node *item = tactics ? tactics->first : NULL; item; item = item->next)
		buf_addf(&names, "%s%.*s", names.size ? ", " : "", TEXT_ARG(cell(item, "name")));
	struct text text = arena_copy(arena, buf_text(&names));
	buf_done(&names);
	return text;
}

static int finish_table(struct view *view, const struct table_view *table, struct err *err)
{
	const struct text next = cell(view->tree, "next");
	table_view_write(table, &view->out);
	if (next.size)
		buf_addf(&view->out, "more: --after %.*s\n", TEXT_ARG(next));
	return print_text(buf_text(&view->out), err);
}

static const struct node *first_item(const struct view *view, const char *key)
{
	const struct node *items = tree_member(view->tree, key);
	return items ? items->first : NULL;
}

/* A table for people has many alike as one line, unless they ask otherwise. */
static void roll_up(struct session *session)
{
	for (size_t i = 0; i < session->n_query; i++)
		if (text_is(session->query[i][0], "rollup"))
			return;
	if (session->form != OUTPUT_TABLE ||
		session->n_query == sizeof session->query / sizeof session->query[0])
		return;
	session->query[session->n_query][0] = TEXT("rollup");
	session->query[session->n_query++][1] = TEXT("true");
}

static bool is_grouped(const struct session *session)
{
	for (size_t i = 0; i < session->n_query; i++)
		if (text_is(session->query[i][0], "group"))
			return true;
	return false;
}

/* A list that was asked for by one of its fields. */
static int print_groups(struct view *view, struct err *err)
{
	static const char *const titles[] = {
		"VALUE", "NAMESPACE", "COUNT", "SEVERITY", "FIRST", "LAST", NULL};
	struct table_view table;
	table_view_init(&table, &view->arena, titles);
	for (const struct node *item = first_item(view, "items"); item; item = item->next) {
		struct text cells[] = {cell(item, "value"), cell(item, "namespace"),
			cell(item, "count"), cell(item, "severity"),
			age(&view->arena, cell(item, "first_seen")),
			age(&view->arena, cell(item, "last_seen"))};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	if (text_is(cell(view->tree, "complete"), "false"))
		buf_add_string(&view->out,
			"there is more than could be counted in a second: the newest\n");
	return finish_table(view, &table, err);
}

int show_incidents(struct session *session, struct err *err)
{
	static const char *const titles[] = {"NUMBER", "STATE", "WHO", "SEVERITY", "RISK", "TITLE",
		"WHERE", "TACTICS", "ALERTS", "LAST", NULL};
	AUTO(view_done) struct view view;
	struct table_view table;
	if (!is_grouped(session))
		roll_up(session);
	if (view_get(session, "/api/v1/incidents", &view, err) < 0)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	if (is_grouped(session))
		return print_groups(&view, err);
	table_view_init(&table, &view.arena, titles);
	for (const struct node *item = first_item(&view, "items"); item; item = item->next) {
		struct text cells[] = {cell(item, "number"), cell(item, "state"),
			cell(item, "assignee"), cell(item, "severity"), cell(item, "risk"),
			cell(item, "title"), place(&view.arena, tree_member(item, "entity")),
			tactic_names(&view.arena, item), cell(item, "alerts"),
			age(&view.arena, cell(item, "last_seen"))};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	return finish_table(&view, &table, err);
}

int show_alerts(struct session *session, struct err *err)
{
	static const char *const titles[] = {
		"LEAF", "TIME", "SEVERITY", "RULE", "WHERE", "PROCESS", "INCIDENT", NULL};
	AUTO(view_done) struct view view;
	struct table_view table;
	if (view_get(session, "/api/v1/alerts", &view, err) < 0)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	if (is_grouped(session))
		return print_groups(&view, err);
	table_view_init(&table, &view.arena, titles);
	for (const struct node *item = first_item(&view, "items"); item; item = item->next) {
		struct text cells[] = {cell(item, "leaf"), cell(item, "time"),
			cell(item, "severity"), cell(item, "rule"), place(&view.arena, item),
			cell(tree_member(item, "process"), "cmdline"), cell(item, "incident")};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	return finish_table(&view, &table, err);
}

int show_alert_kinds(struct session *session, struct err *err)
{
	static const char *const titles[] = {"FINGERPRINT", "SEVERITY", "ALERTS", "RULE",
		"NAMESPACE", "WORKLOAD", "FIRST", "LAST", "LEAF", NULL};
	AUTO(view_done) struct view view;
	struct table_view table;
	if (view_get(session, "/api/v1/fingerprints", &view, err) < 0)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	table_view_init(&table, &view.arena, titles);
	for (const struct node *item = first_item(&view, "items"); item; item = item->next) {
		struct text cells[] = {text_part(cell(item, "fingerprint"), 0, 12),
			cell(item, "severity"), cell(item, "alerts"), cell(item, "rule"),
			cell(item, "namespace"),
			cell(item, cell(item, "workload").size ? "workload" : "node"),
			age(&view.arena, cell(item, "first_seen")),
			age(&view.arena, cell(item, "last_seen")), cell(item, "leaf")};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	return finish_table(&view, &table, err);
}

/* A table of its own, if there are any. */
static int write_agents(struct view *view, struct err *err)
{
	static const char *const titles[] = {"NODE", "AGENT", "HEARD", "COMPLETE UNTIL", "WAITING",
		"VERSION", "BOOT SINCE", NULL};
	struct table_view table;
	table_view_init(&table, &view->arena, titles);
	for (const struct node *item = first_item(view, "agents"); item; item = item->next) {
		struct text cells[] = {cell(item, "node"), cell(item, "state"),
			age(&view->arena, cell(item, "last_heard")), cell(item, "complete_until"),
			cell(item, "waiting"), cell(item, "version"),
			age(&view->arena, cell(item, "boot_first_heard"))};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	if (table.n_rows) {
		table_view_write(&table, &view->out);
		buf_add_byte(&view->out, '\n');
	}
	return 0;
}

int show_sources(struct session *session, struct err *err)
{
	static const char *const titles[] = {"SOURCE", "NODE", "SENSOR", "LAST HEARD", "ACCEPTED",
		"DUPLICATE", "QUARANTINED", "EVENTS DROPPED", "ALERTS SHED", NULL};
	static const char *const addresses[] = {"ADDRESS", "SOURCE", "AGENT OF", "LAST HEARD",
		"HELD", "HELD SINCE", "REFUSED AND LOST", NULL};
	AUTO(view_done) struct view view;
	struct table_view table, senders;
	if (view_get(session, "/api/v1/sources", &view, err) < 0)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	table_view_init(&table, &view.arena, titles);
	table_view_init(&senders, &view.arena, addresses);
	bool good = true;
	for (const struct node *item = first_item(&view, "items"); item; item = item->next) {
		struct text cells[] = {cell(item, "source"), cell(item, "node"),
			cell(item, "sensor"), age(&view.arena, cell(item, "last_heard")),
			cell(item, "accepted"), cell(item, "duplicate"), cell(item, "quarantined"),
			cell(item, "events_dropped"), cell(item, "alerts_shed")};
		good &= table_view_add(&table, cells);
	}
	for (const struct node *item = first_item(&view, "addresses"); item; item = item->next) {
		struct text cells[] = {cell(item, "address"), cell(item, "source"),
			cell(item, "node"), age(&view.arena, cell(item, "last_heard")),
			cell(item, "held"), age(&view.arena, cell(item, "held_since")),
			cell(item, "refused_and_lost")};
		good &= table_view_add(&senders, cells);
	}
	if (!good)
		return err_set(err, ERR_MEMORY, "out of memory for the table");
	if (senders.n_rows) {
		table_view_write(&senders, &view.out);
		buf_add_byte(&view.out, '\n');
	}
	if (write_agents(&view, err) < 0)
		return -1;
	return finish_table(&view, &table, err);
}

/* What agents had no room for. */
static int write_sheds(struct view *view, struct err *err)
{
	static const char *const titles[] = {
		"NODE", "SOURCE", "SHED", "BYTES", "SEVERITY", "RULE", "FROM", "UNTIL", NULL};
	struct table_view table;
	table_view_init(&table, &view->arena, titles);
	for (const struct node *item = first_item(view, "shed"); item; item = item->next) {
		struct text rule = cell(item, "rule");
		struct text cells[] = {cell(item, "node"), cell(item, "source"), cell(item, "n"),
			cell(item, "bytes"), cell(item, "severity"),
			rule.size ? rule : TEXT("several"), cell(item, "from"),
			cell(item, "until")};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	if (table.n_rows) {
		table_view_write(&table, &view->out);
		buf_add_byte(&view->out, '\n');
	}
	return 0;
}

int show_coverage(struct session *session, struct err *err)
{
	static const char *const titles[] = {
		"NODE", "SOURCE", "SENSOR", "STATE", "FROM", "UNTIL", "LOST", NULL};
	AUTO(view_done) struct view view;
	struct table_view table;
	if (view_get(session, "/api/v1/coverage", &view, err) < 0)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	table_view_init(&table, &view.arena, titles);
	for (const struct node *item = first_item(&view, "items"); item; item = item->next) {
		struct text until = cell(item, "until");
		struct text cells[] = {cell(item, "node"), cell(item, "source"),
			cell(item, "sensor"), cell(item, "state"), cell(item, "from"),
			until.size ? until : TEXT("goes on"), cell(item, "n")};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	if (write_sheds(&view, err) < 0)
		return -1;
	return finish_table(&view, &table, err);
}

int show_tokens(struct session *session, struct err *err)
{
	static const char *const titles[] = {
		"ID", "NAME", "ROLE", "CLUSTER", "NODE", "CREATED", "EXPIRES", "REVOKED", NULL};
	AUTO(view_done) struct view view;
	struct table_view table;
	if (view_get(session, "/api/v1/tokens", &view, err) < 0)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	table_view_init(&table, &view.arena, titles);
	for (const struct node *item = first_item(&view, "items"); item; item = item->next) {
		struct text cells[] = {cell(item, "id"), cell(item, "name"), cell(item, "role"),
			cell(item, "cluster"), cell(item, "node"), cell(item, "created"),
			cell(item, "expires"), cell(item, "revoked")};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	return finish_table(&view, &table, err);
}

/* A document that is not a list: as YAML for people too, unless JSON is asked for. */
static int show_document(struct session *session, const char *path, struct err *err)
{
	AUTO(view_done) struct view view;
	if (view_get(session, path, &view, err) < 0)
		return -1;
	if (!view_write(session, &view))
		yaml_view_write(view.tree, &view.out);
	return print_text(buf_text(&view.out), err);
}

int show_status(struct session *session, struct err *err)
{
	return show_document(session, "/api/v1/status", err);
}

int show_ledger(struct session *session, struct err *err)
{
	return show_document(session, "/api/v1/ledger", err);
}

static void item_path(
	const struct session *session, const char *list, const char *rest, char *out, size_t size)
{
	text_format(out, size, "/api/v1/%s/%s%s", list, command_argument(session), rest);
}

int show_alert(struct session *session, struct err *err)
{
	char path[512];
	item_path(session, "alerts", "", path, sizeof path);
	return show_document(session, path, err);
}

/* "entities show KIND ID" */
int show_entity(struct session *session, struct err *err)
{
	char path[1024];
	AUTO(buf_done) struct buf id;
	size_t n = session->n_arguments;
	buf_init(&id, sizeof path / 2);
	http_encode(&id, text_of(session->arguments[n - 1]));
	if (!buf_ok(&id))
		return buf_error(&id, err, "the id");
	text_format(path, sizeof path, "/api/v1/entities/%.40s/%s", session->arguments[n - 2],
		buf_string(&id));
	return show_document(session, path, err);
}

int show_raw(struct session *session, struct err *err)
{
	char path[512];
	AUTO(buf_done) struct buf body;
	buf_init(&body, ANSWER_BYTES);
	item_path(session, "alerts", "/raw", path, sizeof path);
	return session_get(session, path, &body, err) < 0 ? -1 : print_text(buf_text(&body), err);
}

static void add_line(struct buf *out, const char *name, struct text value)
{
	if (!value.size)
		return;
	buf_addf(out, "%-12s ", name);
	utf8_escape(out, value);
	buf_add_byte(out, '\n');
}

static void write_why(const struct node *incident, struct buf *out)
{
	const struct node *terms = tree_member(incident, "risk_terms");
	buf_add_string(out, "\nWHY THIS RISK\n");
	for (const struct node *term = terms ? terms->first : NULL; term; term = term->next) {
		buf_addf(out, "  %-16.*s %6.*s  ", TEXT_ARG(cell(term, "name")),
			TEXT_ARG(cell(term, "value")));
		utf8_escape(out, cell(term, "why"));
		buf_add_byte(out, '\n');
	}
}

static void write_tactics(const struct node *incident, struct buf *out)
{
	const struct node *tactics = tree_member(incident, "tactics");
	unsigned n = 0;
	buf_add_string(out, "\nTACTICS, as they appeared\n");
	for (const struct node *item = tactics ? tactics->first : NULL; item; item = item->next)
		buf_addf(out, "  %u. %.*s  %.*s (%.*s)\n", ++n, TEXT_ARG(cell(item, "first_seen")),
			TEXT_ARG(cell(item, "name")), TEXT_ARG(cell(item, "id")));
}

/* What people said, as far as there is any. */
static void write_state(const struct node *incident, struct buf *out)
{
	add_line(out, "suggested", cell(incident, "suggested_title"));
	add_line(out, "state", cell(incident, "state"));
	add_line(out, "verdict", cell(incident, "verdict"));
	add_line(out, "assignee", cell(incident, "assignee"));
	add_line(out, "snoozed to", cell(incident, "snoozed_until"));
	add_line(out, "recurrence", cell(incident, "recurrence_of"));
	const struct node *links = tree_member(incident, "links");
	for (const struct node *link = links ? links->first : NULL; link; link = link->next)
		add_line(out, "linked to", cell(link, "incident"));
	if (!text_is(cell(incident, "activities"), "0"))
		add_line(out, "activities", cell(incident, "activities"));
	add_line(out, "revision", cell(incident, "revision"));
}

/* What may be missing. */
static void write_gaps(const struct node *incident, struct buf *out)
{
	const struct node *gaps = tree_member(incident, "coverage");
	const struct node *unheard = tree_member(incident, "not_yet_heard");
	if (!(gaps && gaps->first) && !(unheard && unheard->first))
		return;
	buf_add_string(out, "\nMAY BE INCOMPLETE\n");
	for (const struct node *node = unheard ? unheard->first : NULL; node; node = node->next) {
		buf_add_string(out, "  node ");
		utf8_escape(out, tree_text(node));
		buf_add_string(out, " not yet heard\n");
	}
	for (const struct node *gap = gaps ? gaps->first : NULL; gap; gap = gap->next) {
		struct text until = cell(gap, "until"), n = cell(gap, "n");
		buf_addf(out, "  %.*s %.*s from %.*s ", TEXT_ARG(cell(gap, "source")),
			TEXT_ARG(cell(gap, "state")), TEXT_ARG(cell(gap, "from")));
		if (until.size)
			buf_addf(out, "to %.*s", TEXT_ARG(until));
		else
			buf_add_string(out, "on");
		if (n.size)
			buf_addf(out, ", %.*s lost", TEXT_ARG(n));
		buf_add_string(out, " on ");
		utf8_escape(out, cell(gap, "node"));
		buf_add_byte(out, '\n');
	}
}

static void write_edits(const struct node *incident, struct buf *out)
{
	const struct node *edits = tree_member(incident, "edits");
	if (!edits || !edits->first)
		return;
	buf_add_string(out, "\nCHANGED BY PEOPLE (tocsin incidents undo N EDIT)\n");
	for (const struct node *edit = edits->first; edit; edit = edit->next) {
		buf_addf(out, "  %.*s  %.*s  %.*s  ", TEXT_ARG(cell(edit, "edit")),
			TEXT_ARG(cell(edit, "time")), TEXT_ARG(cell(edit, "what")));
		utf8_escape(out, cell(edit, "actor"));
		buf_add_byte(out, '\n');
	}
}

/* The date stands above. */
static struct text time_of_day(struct text time)
{
	const size_t date = sizeof "2026-11-24T" - 1, clock = sizeof "03:00:00" - 1;
	return text_part(time, date, clock);
}

/* The example of a row of the story; the absent node if it has none. */
static const struct node *example_of(const struct view *examples, const struct node *row)
{
	for (const struct node *item = first_item(examples, "items"); item; item = item->next)
		if (text_equal(cell(item, "fingerprint"), cell(row, "fingerprint")) &&
			text_equal(cell(item, "context"), cell(row, "context")))
			return item;
	return NULL;
}

static int write_story(struct view *view, const struct view *examples, struct err *err)
{
	static const char *const titles[] = {
		"FIRST", "SEVERITY", "ALERTS", "RULE", "EXAMPLE", "LEAF", NULL};
	struct table_view table;
	table_view_init(&table, &view->arena, titles);
	for (const struct node *item = first_item(view, "story"); item; item = item->next) {
		const struct node *example = example_of(examples, item);
		struct text cells[] = {time_of_day(cell(item, "first_seen")),
			cell(item, "severity"), cell(item, "alerts"), cell(item, "rule"),
			cell(example, "example"), cell(example, "leaf")};
		if (!table_view_add(&table, cells))
			return err_set(err, ERR_MEMORY, "out of memory for the table");
	}
	buf_add_string(&view->out, "\nWHAT HAPPENED\n");
	table_view_write(&table, &view->out);
	return 0;
}

int show_incident(struct session *session, struct err *err)
{
	char path[512];
	AUTO(view_done) struct view view;
	AUTO(view_done) struct view examples = {0};
	item_path(session, "incidents", "", path, sizeof path);
	if (view_get(session, path, &view, err) < 0)
		return -1;
	if (view_write(session, &view))
		return print_text(buf_text(&view.out), err);
	const struct node *incident = view.tree;
	struct text redirect = cell(incident, "redirect_to");
	if (redirect.size) {
		buf_addf(&view.out, "%.*s is now part of %.*s\n",
			TEXT_ARG(cell(incident, "number")), TEXT_ARG(redirect));
		return print_text(buf_text(&view.out), err);
	}
	buf_addf(&view.out, "%.*s  %.*s  risk %.*s  ", TEXT_ARG(cell(incident, "number")),
		TEXT_ARG(cell(incident, "severity")), TEXT_ARG(cell(incident, "risk")));
	utf8_escape(&view.out, cell(incident, "title"));
	buf_add_byte(&view.out, '\n');
	add_line(&view.out, "where", place(&view.arena, tree_member(incident, "entity")));
	add_line(&view.out, "node", cell(tree_member(incident, "entity"), "node"));
	write_state(incident, &view.out);
	add_line(&view.out, "first seen", cell(incident, "first_seen"));
	add_line(&view.out, "last seen", cell(incident, "last_seen"));
	add_line(&view.out, "alerts", cell(incident, "alerts"));
	add_line(&view.out, "content id", cell(incident, "content_id"));
	write_why(incident, &view.out);
	write_tactics(incident, &view.out);
	write_gaps(incident, &view.out);
	write_edits(incident, &view.out);
	item_path(session, "incidents", "/examples", path, sizeof path);
	if (view_get(session, path, &examples, err) < 0)
		return -1;
	return write_story(&view, &examples, err) < 0 ? -1 : print_text(buf_text(&view.out), err);
}
