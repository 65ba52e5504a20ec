/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "pages/admin.h"
#include "pages/alerts.h"
#include "pages/entity.h"
#include "pages/health.h"
#include "pages/incident.h"
#include "pages/incidents.h"
#include "pages/on_call.h"
#include "pages/problem.h"
#include "pages/sign_in.h"
#include "pages/suppressions.h"

/*
 * Every page from documents that a daemon wrote (documents.json, with an attacker's texts in them):
 * whole, safe, and still whole when any one member of the documents is not there.
 */

enum { ARENA_BYTES = 64 * 1024 * 1024, HTML_BYTES = 4 * 1024 * 1024, FILE_BYTES = 256 * 1024 };

#define NOW_NS (INT64_C(1795579200) * NS_PER_S) /* 2026-11-25T04:00:00Z */

static struct arena documents_arena;
static struct node *documents;

static const struct node *document(const char *name)
{
	return tree_member(documents, name);
}

static void read_documents(void)
{
	const char *source = getenv("TOCSIN_SOURCE");
	char path[4096];
	struct err err;
	arena_init(&documents_arena, ARENA_BYTES);
	text_format(path, sizeof path, "%s/tests/unit/pages/documents.json", source ? source : ".");
	FILE *file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s", path);
	char *bytes = arena_bytes(&documents_arena, FILE_BYTES);
	size_t size = fread(bytes, 1, FILE_BYTES, file);
	fclose(file);
	ck_assert(size < FILE_BYTES);
	ck_assert_msg(
		tree_read((struct text){bytes, size}, &documents_arena, &documents, &err) == 0,
		"%s", err.text);
}

static void write_on_call(struct page *page)
{
	const struct on_call_data data = {.mine = document("incidents"),
		.unassigned = document("incidents"),
		.status = document("status"),
		.sources = document("sources"),
		.suppressions = document("suppressions")};
	page_on_call(page, &data);
}

static void write_incidents(struct page *page)
{
	const struct incident_filters filters = {.q = TEXT("\"><script>"), .after = TEXT("7")};
	page_incidents(page, document("incidents"), &filters);
}

static void write_part(struct page *page, enum incident_part part, const char *incident)
{
	const struct incident_data data = {.part = part,
		.incident = document(incident),
		.examples = document("examples"),
		.alerts = document("alerts"),
		.activity = document("activity"),
		.similar = document("similar"),
		.sources = document("sources"),
		.rate = document("rate"),
		.processes = document("processes"),
		.entities = document("entities")};
	page_incident(page, &data);
}

static void write_story(struct page *page)
{
	write_part(page, PART_STORY, "incident");
}

static void write_tactics(struct page *page)
{
	write_part(page, PART_TACTICS, "incident");
}

static void write_processes(struct page *page)
{
	write_part(page, PART_PROCESSES, "incident");
}

static void write_entities(struct page *page)
{
	write_part(page, PART_ENTITIES, "incident");
}

static void write_alerts_part(struct page *page)
{
	write_part(page, PART_ALERTS, "incident");
}

static void write_activity(struct page *page)
{
	write_part(page, PART_ACTIVITY, "incident");
}

static void write_similar(struct page *page)
{
	write_part(page, PART_SIMILAR, "incident");
}

static void write_merged(struct page *page)
{
	write_part(page, PART_STORY, "merged");
}

static void write_fingerprints(struct page *page)
{
	page_fingerprints(page, document("fingerprints"), TEXT("count"));
}

static void write_incident_groups(struct page *page)
{
	const struct incident_filters filters = {.q = TEXT("a OR b"), .group = TEXT("workload")};
	page_incidents(page, document("groups"), &filters);
}

static void write_entity(struct page *page)
{
	page_entity(page, document("entity"), TEXT("a&b"));
}

static void write_alert_groups(struct page *page)
{
	page_alert_groups(page, document("groups"), TEXT("workload"));
}

static void write_alerts(struct page *page)
{
	page_alerts(page, document("alerts"));
}

static void write_alert(struct page *page)
{
	page_alert(page, document("alert"), TEXT("{\"a\": \"<script>\x1b\"}\n"), true);
}

static void write_suppressions(struct page *page)
{
	page_suppressions(
		page, document("suppressions"), TEXT("active"), TEXT("rule=\"</textarea>\""));
}

static void write_suppression(struct page *page)
{
	page_suppression(page, document("suppression"), document("hits"));
}

static void write_health(struct page *page)
{
	const struct health_data data = {.sources = document("sources"),
		.status = document("status"),
		.coverage = document("coverage")};
	page_health(page, &data);
}

static void write_admin(struct page *page)
{
	const struct admin_data data = {.tokens = document("tokens"),
		.sessions = document("sessions"),
		.audit = document("audit")};
	page_admin(page, &data);
}

static void write_problem(struct page *page)
{
	page_problem(page, 404, TEXT("nothing <b> here"));
}

static void write_sign_in(struct page *page)
{
	const struct sign_in_form form = {.csrf = TEXT("\""),
		.next = TEXT("/incidents?q=\">"),
		.provider = TEXT("<idp>"),
		.problem = TEXT("<no>")};
	page_sign_in(page, &form);
}

static const struct {
	const char *name;
	void (*write)(struct page *page);
	bool has_evil; /* shows what the attacker wrote */
} pages[] = {
	{"on call", write_on_call, true},
	{"incidents", write_incidents, true},
	{"story", write_story, true},
	{"tactics", write_tactics, true},
	{"processes", write_processes, true},
	{"entities", write_entities, true},
	{"alerts of an incident", write_alerts_part, true},
	{"activity", write_activity, true},
	{"similar", write_similar, true},
	{"merged", write_merged, false},
	{"groups of incidents", write_incident_groups, true},
	{"groups of alerts", write_alert_groups, true},
	{"entity", write_entity, true},
	{"fingerprints", write_fingerprints, true},
	{"alerts", write_alerts, true},
	{"alert", write_alert, true},
	{"suppressions", write_suppressions, true},
	{"suppression", write_suppression, true},
	{"health", write_health, true},
	{"admin", write_admin, true},
	{"problem", write_problem, false},
	{"sign-in", write_sign_in, false},
};

enum { N_PAGES = sizeof pages / sizeof pages[0] };

/* Renders one page into @out; all that was opened must be closed. */
static void render(size_t which, const struct page_reader *reader, struct buf *out)
{
	struct arena arena;
	struct status status = {.started_at_ns = NOW_NS};
	arena_init(&arena, ARENA_BYTES);
	struct page page = {.arena = &arena,
		.reader = reader,
		.path = TEXT("/incidents"),
		.query = TEXT("q=%22"),
		.search = TEXT("\"><b>"),
		.now_ns = NOW_NS,
		.status = &status};
	buf_clear(out);
	html_init(&page.html, out);
	pages[which].write(&page);
	ck_assert_msg(page.html.depth == 0, "%s leaves %u elements open", pages[which].name,
		page.html.depth);
	ck_assert_msg(buf_ok(out) && !arena.failed, "%s is too big", pages[which].name);
	arena_done(&arena);
}

static size_t count(const struct buf *out, const char *needle)
{
	size_t n = 0, size = strlen(needle);
	for (size_t at = 0; (at = text_find(buf_text(out), text_of(needle), at)) != SIZE_MAX;
		at += size)
		n++;
	return n;
}

START_TEST(each_page_is_whole_and_safe)
{
	static const enum role roles[] = {0, ROLE_VIEWER, ROLE_ANALYST, ROLE_ADMIN};
	struct buf out;
	buf_init(&out, HTML_BYTES);
	for (size_t i = 0; i < N_PAGES * 4 * N_LANGUAGES; i++) {
		size_t which = i % N_PAGES;
		enum role role = roles[i / N_PAGES % 4];
		const struct page_reader reader = {.name = TEXT("<ann>"),
			.role = role,
			.csrf = TEXT("c\""),
			.language = (enum language)(i / N_PAGES / 4),
			.theme = THEME_DARK,
			.local_time = true,
			.offset_minutes = -210};
		render(which, &reader, &out);
		const char *name = pages[which].name;
		ck_assert_msg(count(&out, "<script>") == 0, "%s has a script of its own", name);
		ck_assert_msg(count(&out, "<h1") == 1, "%s has %zu h1", name, count(&out, "<h1"));
		ck_assert_msg(count(&out, "\xe2\x80\xae") == 0, "%s misleads", name);
		ck_assert_msg(count(&out, "style=") == 0, "%s has an inline style", name);
		if (pages[which].has_evil)
			ck_assert_msg(count(&out, "&lt;script&gt;") > 0, "%s hides it", name);
		/* whoever may not decide is shown nothing to decide with */
		if (role < ROLE_ANALYST)
			ck_assert_msg(count(&out, "data-act=") == 0, "%s offers decisions", name);
	}
	buf_done(&out);
}
END_TEST

static void break_each(struct node *node, size_t which, const struct page_reader *reader,
	struct buf *out, size_t *n)
{
	for (struct node *item = node->first; item; item = item->next) {
		struct node kept = *item;
		/* not there, then of another type */
		item->key = TEXT("gone");
		item->first = NULL;
		item->value = TEXT_NONE;
		render(which, reader, out);
		item->key = kept.key;
		item->type = PULL_OBJECT;
		render(which, reader, out);
		*item = kept;
		*n += 2;
		break_each(item, which, reader, out, n);
	}
}

static void break_document(size_t which, const char *name, size_t *n)
{
	const struct page_reader reader = {
		.name = TEXT("ann"), .role = ROLE_ADMIN, .language = LANGUAGE_CHINESE};
	struct buf out;
	buf_init(&out, HTML_BYTES);
	for (struct node *item = documents->first; item; item = item->next)
		if (text_is(item->key, name))
			break_each(item, which, &reader, &out, n);
	buf_done(&out);
}

START_TEST(a_member_that_is_missing_breaks_no_page)
{
	static const struct {
		const char *page, *document;
	} pairs[] = {{"incidents", "incidents"}, {"story", "incident"}, {"story", "examples"},
		{"story", "rate"}, {"story", "similar"}, {"story", "sources"},
		{"tactics", "incident"}, {"processes", "processes"}, {"entities", "entities"},
		{"activity", "activity"}, {"similar", "similar"}, {"merged", "merged"},
		{"groups of incidents", "groups"}, {"entity", "entity"},
		{"fingerprints", "fingerprints"}, {"alerts", "alerts"}, {"alert", "alert"},
		{"suppressions", "suppressions"}, {"suppression", "suppression"},
		{"suppression", "hits"}, {"health", "sources"}, {"health", "status"},
		{"admin", "tokens"}, {"admin", "sessions"}, {"admin", "audit"}};
	size_t n = 0;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		for (size_t which = 0; which < N_PAGES; which++)
			if (strcmp(pages[which].name, pairs[i].page) == 0)
				break_document(which, pairs[i].document, &n);
	ck_assert_uint_gt(n, 2000);
}
END_TEST

/* A parent that comes after its child, or is itself, must not make the tree endless. */
START_TEST(a_tree_that_is_none_ends)
{
	static const char text[] =
		"{\"processes\": {\"items\": [{\"id\": 1, \"parent\": 1, \"name\": "
		"\"a\"}, {\"id\": 2, \"parent\": 3, \"name\": \"b\"}, {\"id\": 3, "
		"\"parent\": 2, \"name\": \"c\"}, {\"id\": 4, \"name\": \"d\"}]}, "
		"\"incident\": {\"number\": \"INC-1\"}}";
	const struct page_reader reader = {.role = ROLE_VIEWER};
	struct node *kept = documents, *broken;
	struct arena arena;
	struct buf out;
	struct err err;
	arena_init(&arena, ARENA_BYTES);
	buf_init(&out, HTML_BYTES);
	ck_assert(tree_read(text_of(text), &arena, &broken, &err) == 0);
	documents = broken;
	for (size_t which = 0; which < N_PAGES; which++)
		if (strcmp(pages[which].name, "processes") == 0)
			render(which, &reader, &out);
	ck_assert(count(&out, ">d</b>") == 1);
	documents = kept;
	buf_done(&out);
	arena_done(&arena);
}
END_TEST

/* Names are an attacker's: none of them leaves its part of the path. */
START_TEST(links_to_entities_keep_their_parts)
{
	static const struct {
		const char *kind, *id, *cluster, *link;
	} pairs[] = {{"pod", "shop/front-1", "", "/entities/pod/shop%2Ffront-1"},
		{"workload", "a/b", "c1", "/entities/workload/a%2Fb?cluster=c1"},
		{"image", "r.local/x:1@sha256:0f", "",
			"/entities/image/r.local%2Fx%3A1%40sha256%3A0f"},
		{"node", "../..?x=#y", "", "/entities/node/..%2F..%3Fx%3D%23y"},
		{"namespace", "a&b", "", "/incidents?namespace=a%26b"},
		{"cluster", "c", "d", "/incidents?cluster=c"}, {"file", "/etc/passwd", "", ""},
		{"pod", "", "", ""}, {"nothing", "x", "", ""}};
	const struct page_reader reader = {.role = ROLE_VIEWER};
	struct arena arena;
	arena_init(&arena, ARENA_BYTES);
	const struct page page = {.arena = &arena, .reader = &reader};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct text link = entity_link(&page, text_of(pairs[i].kind), text_of(pairs[i].id),
			text_of(pairs[i].cluster));
		ck_assert_msg(text_is(link, pairs[i].link), "%.*s is not %s", TEXT_ARG(link),
			pairs[i].link);
	}
	arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pages/pages");
	TCase *tests = tcase_create("pages");
	tcase_set_timeout(tests, 120);
	tcase_add_unchecked_fixture(tests, read_documents, NULL);
	tcase_add_test(tests, each_page_is_whole_and_safe);
	tcase_add_test(tests, a_member_that_is_missing_breaks_no_page);
	tcase_add_test(tests, a_tree_that_is_none_ends);
	tcase_add_test(tests, links_to_entities_keep_their_parts);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	arena_done(&documents_arena);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
