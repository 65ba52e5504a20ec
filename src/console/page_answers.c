/* SPDX-License-Identifier: Apache-2.0 */
#include "console/page_answers.h"

#include "base/cleanup.h"
#include "base/tree.h"
#include "console/page_request.h"
#include "pages/admin.h"
#include "pages/alerts.h"
#include "pages/entity.h"
#include "pages/health.h"
#include "pages/incident.h"
#include "pages/incidents.h"
#include "pages/on_call.h"
#include "pages/suppressions.h"

enum { PAGE_ARENA_BYTES = 256 * 1024 * 1024 };

#define HTML_TYPE "text/html; charset=utf-8"

/* What a page is made from, on a reader. */
struct making {
	struct connection *connection;
	struct job *job;
	struct page_request *wish;
	struct arena arena;
	struct page page;
};

static void begin(
	struct making *making, struct connection *connection, struct job *job, struct buf *out)
{
	*making = (struct making){
		.connection = connection, .job = job, .wish = api_page(job->request)};
	arena_init(&making->arena, PAGE_ARENA_BYTES);
	page_request_begin(making->wish, job->console, &making->page, &making->arena, out);
}

static void making_done_auto(struct making *making)
{
	arena_done(&making->arena);
}

/* What a document function wrote, as a tree. */
static int read_tree(
	struct making *making, struct buf *document, const struct node **out, struct err *err)
{
	struct node *root;
	struct text source = arena_copy(&making->arena, buf_text(document));
	if (!buf_ok(document))
		return buf_error(document, err, "a document");
	if (making->arena.failed)
		return err_set(err, ERR_MEMORY, "out of memory for a page");
	if (tree_read(source, &making->arena, &root, err) < 0)
		return -1;
	*out = root;
	return 0;
}

static int read_incidents(struct making *making, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	struct document_query query = making->job->query;
	buf_init(&document, DOCUMENT_BYTES_MAX);
	if (!query.limit.size)
		query.limit = TEXT("30");
	if (query.group.size) {
		/* counted is each by itself, and most come first */
		query.rollup = TEXT_NONE;
		query.sort = TEXT_NONE;
	} else if (!query.rollup.size) {
		query.rollup = TEXT("true");
	}
	if (!query.suppressed.size)
		query.suppressed = TEXT("false");
	else if (text_is(query.suppressed, "any"))
		query.suppressed = TEXT_NONE;
	return document_incidents(making->connection, &query, &document, err) < 0
		       ? -1
		       : read_tree(making, &document, out, err);
}

/* One of the lists of the first page. */
static int read_duty(struct making *making, const char *q, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	struct document_query query = making->job->query;
	query.q = text_of(q);
	query.sort = TEXT("risk");
	query.limit = TEXT("25");
	query.rollup = TEXT("true");
	query.suppressed = TEXT("false");
	buf_init(&document, DOCUMENT_BYTES_MAX);
	return document_incidents(making->connection, &query, &document, err) < 0
		       ? -1
		       : read_tree(making, &document, out, err);
}

static int read_status(struct making *making, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	buf_init(&document, DOCUMENT_BYTES_MAX);
	const struct job *job = making->job;
	return document_status(making->connection, job->console->options.status,
		       &job->viewer->scope, &document, err) < 0
		       ? -1
		       : read_tree(making, &document, out, err);
}

static int read_sources(struct making *making, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	struct snapshot *senders = snapshot_ref(making->job->console->options.senders);
	buf_init(&document, DOCUMENT_BYTES_MAX);
	int failed = document_sources(making->connection,
		(const struct sender_set *)(const void *)senders, &document, err);
	snapshot_unref(senders);
	return failed ? -1 : read_tree(making, &document, out, err);
}

static int read_coverage(struct making *making, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	struct document_query query = making->job->query;
	query.now_ns = making->page.now_ns;
	buf_init(&document, DOCUMENT_BYTES_MAX);
	return document_coverage(making->connection, &query, &document, err) < 0
		       ? -1
		       : read_tree(making, &document, out, err);
}

static int read_suppressions(
	struct making *making, struct text show, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	struct document_query query = making->job->query;
	query.show = show;
	buf_init(&document, DOCUMENT_BYTES_MAX);
	return document_suppressions(
		       making->connection, &query, making->page.now_ns, &document, err) < 0
		       ? -1
		       : read_tree(making, &document, out, err);
}

static int answer_on_call(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(making_done) struct making making;
	struct on_call_data data = {0};
	begin(&making, connection, job, out);
	if (read_duty(&making, ON_CALL_MINE, &data.mine, err) < 0 ||
		read_duty(&making, ON_CALL_UNASSIGNED, &data.unassigned, err) < 0)
		return -1;
	if (viewer_sees_all(job->viewer) &&
		(read_status(&making, &data.status, err) < 0 ||
			read_sources(&making, &data.sources, err) < 0 ||
			read_suppressions(&making, TEXT("expiring"), &data.suppressions, err) < 0))
		return -1;
	page_on_call(&making.page, &data);
	return 0;
}

static int answer_health(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(making_done) struct making making;
	struct health_data data = {0};
	begin(&making, connection, job, out);
	if (read_sources(&making, &data.sources, err) < 0 ||
		read_status(&making, &data.status, err) < 0 ||
		read_coverage(&making, &data.coverage, err) < 0)
		return -1;
	page_health(&making.page, &data);
	return 0;
}

static int read_tokens(struct making *making, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	buf_init(&document, DOCUMENT_BYTES_MAX);
	const struct document_query query = {.limit = TEXT("1000")};
	return document_tokens(making->connection, &query, &document, err) < 0
		       ? -1
		       : read_tree(making, &document, out, err);
}

static int read_audit(struct making *making, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	buf_init(&document, DOCUMENT_BYTES_MAX);
	return document_audit(making->connection, &making->job->query, &document, err) < 0
		       ? -1
		       : read_tree(making, &document, out, err);
}

static int read_sessions(struct making *making, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	buf_init(&document, DOCUMENT_BYTES_MAX);
	sessions_write(making->job->console, making->job->viewer, &document);
	return read_tree(making, &document, out, err);
}

static int answer_admin(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(making_done) struct making making;
	struct admin_data data = {0};
	begin(&making, connection, job, out);
	if (read_tokens(&making, &data.tokens, err) < 0 ||
		read_sessions(&making, &data.sessions, err) < 0 ||
		read_audit(&making, &data.audit, err) < 0)
		return -1;
	page_admin(&making.page, &data);
	return 0;
}

static int answer_suppressions(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(making_done) struct making making;
	const struct node *document;
	struct text show = job->query.show.size ? job->query.show : TEXT("active");
	begin(&making, connection, job, out);
	if (read_suppressions(&making, show, &document, err) < 0)
		return -1;
	page_suppressions(&making.page, document, show, making.wish->matchers);
	return 0;
}

static int answer_suppression(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(making_done) struct making making;
	AUTO(buf_done) struct buf one, hidden;
	const struct node *suppression, *hits;
	begin(&making, connection, job, out);
	struct text id = making.wish->part[0];
	buf_init(&one, DOCUMENT_BYTES_MAX);
	buf_init(&hidden, DOCUMENT_BYTES_MAX);
	if (document_suppression(
		    connection, id, &job->viewer->scope, making.page.now_ns, &one, err) < 0 ||
		read_tree(&making, &one, &suppression, err) < 0 ||
		document_suppression_hits(connection, id, &job->query, &hidden, err) < 0 ||
		read_tree(&making, &hidden, &hits, err) < 0)
		return -1;
	page_suppression(&making.page, suppression, hits);
	return 0;
}

/* Kinds of alerts, or with view=single the alerts themselves. */
static int answer_alerts(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(making_done) struct making making;
	AUTO(buf_done) struct buf document;
	const struct node *alerts;
	struct document_query query = job->query;
	begin(&making, connection, job, out);
	bool single = text_is(making.wish->view, "single");
	buf_init(&document, DOCUMENT_BYTES_MAX);
	if (!query.limit.size)
		query.limit = TEXT("50");
	int failed = single || query.group.size
			     ? document_alerts(connection, &query, &document, err)
			     : document_fingerprints(connection, &query, &document, err);
	if (failed || read_tree(&making, &document, &alerts, err) < 0)
		return -1;
	if (query.group.size)
		page_alert_groups(&making.page, alerts, query.group);
	else if (single)
		page_alerts(&making.page, alerts);
	else
		page_fingerprints(&making.page, alerts, query.sort);
	return 0;
}

static int answer_incidents(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(making_done) struct making making;
	const struct node *document;
	const struct document_query *query = &job->query;
	begin(&making, connection, job, out);
	if (read_incidents(&making, &document, err) < 0)
		return -1;
	const struct incident_filters filters = {.q = query->q,
		.severity = query->severity,
		.sort = query->sort,
		.rollup = query->rollup,
		.suppressed = query->suppressed,
		.cluster = query->cluster,
		.namespace = query->namespace,
		.pod = query->pod,
		.node = query->node,
		.since = query->since,
		.after = query->after,
		.limit = query->limit,
		.group = query->group};
	page_incidents(&making.page, document, &filters);
	return 0;
}

typedef int part_document(
	struct connection *connection, struct text number, struct buf *out, struct err *err);

static int read_of_part(
	struct making *making, part_document *function, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	buf_init(&document, DOCUMENT_BYTES_MAX);
	return function(making->connection, making->wish->part[0], &document, err) < 0
		       ? -1
		       : read_tree(making, &document, out, err);
}

static int read_of_query(
	struct making *making, const char *what, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	struct document_query query = making->job->query;
	struct connection *connection = making->connection;
	bool of_alerts = text_is(text_of(what), "alerts");
	buf_init(&document, DOCUMENT_BYTES_MAX);
	if (!query.limit.size)
		query.limit = of_alerts ? TEXT("100") : TEXT("1000");
	query.incident = making->wish->part[0];
	int failed = of_alerts ? document_alerts(connection, &query, &document, err)
			       : document_activity(
					 connection, making->wish->part[0], &query, &document, err);
	return failed ? -1 : read_tree(making, &document, out, err);
}

static int read_similar(struct making *making, const struct node **out, struct err *err)
{
	AUTO(buf_done) struct buf document;
	buf_init(&document, DOCUMENT_BYTES_MAX);
	return document_incident_similar(making->connection, making->wish->part[0],
		       &making->job->viewer->scope, &document, err) < 0
		       ? -1
		       : read_tree(making, &document, out, err);
}

/* What the first screen and the story need. */
static int read_story(struct making *making, struct incident_data *data, struct err *err)
{
	return read_of_part(making, document_incident_examples, &data->examples, err) < 0 ||
			       read_of_part(making, document_incident_rate, &data->rate, err) < 0 ||
			       read_similar(making, &data->similar, err) < 0 ||
			       read_of_query(making, "activity", &data->activity, err) < 0
		       ? -1
		       : read_sources(making, &data->sources, err);
}

static int read_part(struct making *making, struct incident_data *data, struct err *err)
{
	switch (data->part) {
	case PART_STORY:
		return read_story(making, data, err);
	case PART_PROCESSES:
		return read_of_part(making, document_incident_processes, &data->processes, err);
	case PART_ENTITIES:
		return read_of_part(making, document_incident_entities, &data->entities, err);
	case PART_ALERTS:
		return read_of_query(making, "alerts", &data->alerts, err);
	case PART_ACTIVITY:
		return read_of_query(making, "activity", &data->activity, err);
	case PART_SIMILAR:
		return read_similar(making, &data->similar, err);
	case PART_TACTICS:
	case N_INCIDENT_PARTS:
		return 0;
	}
	return 0;
}

static int answer_incident(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(making_done) struct making making;
	struct incident_data data = {.part = PART_STORY};
	begin(&making, connection, job, out);
	if (making.wish->part[1].size && !incident_part_parse(making.wish->part[1], &data.part))
		return err_set(err, ERR_MISSING, "an incident has no such part");
	if (read_of_part(&making, document_incident, &data.incident, err) < 0)
		return -1;
	if (!tree_member(data.incident, "redirect_to") && read_part(&making, &data, err) < 0)
		return -1;
	page_incident(&making.page, &data);
	return 0;
}

/* Its raw bytes, if they are for this reader and still there. */
static int read_raw(struct making *making, struct text *raw, struct err *err)
{
	AUTO(buf_done) struct buf bytes = {0};
	*raw = TEXT_NONE;
	if (!page_may(&making->page, ROLE_ANALYST))
		return 0;
	buf_init(&bytes, DOCUMENT_BYTES_MAX);
	if (document_raw(making->connection, making->wish->part[0], &bytes, err) < 0)
		return err->kind == ERR_MISSING ? 0 : -1;
	*raw = arena_copy(&making->arena, buf_text(&bytes));
	return 0;
}

static int answer_alert(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(making_done) struct making making;
	const struct node *alert;
	struct text raw;
	begin(&making, connection, job, out);
	if (read_of_part(&making, document_alert, &alert, err) < 0 ||
		read_raw(&making, &raw, err) < 0)
		return -1;
	page_alert(&making.page, alert, raw, page_may(&making.page, ROLE_ANALYST));
	return 0;
}

static int answer_entity(
	struct connection *connection, struct job *job, struct buf *out, struct err *err)
{
	AUTO(making_done) struct making making;
	AUTO(buf_done) struct buf document = {0};
	const struct node *entity;
	begin(&making, connection, job, out);
	buf_init(&document, DOCUMENT_BYTES_MAX);
	if (document_entity(connection, making.wish->part[0], making.wish->part[1], &job->query,
		    &document, err) < 0 ||
		read_tree(&making, &document, &entity, err) < 0)
		return -1;
	page_entity(&making.page, entity, job->query.cluster);
	return 0;
}

static const char *const of_incidents[] = {"q", "limit", "after", "sort", "rollup", "severity",
	"cluster", "namespace", "pod", "node", "since", "suppressed", "group", NULL};

static const char *const of_suppressions[] = {"limit", "after", "show", "matchers", NULL};
static const char *const of_alerts[] = {"q", "limit", "after", "sort", "view", "group", NULL};
static const char *const of_entity[] = {"cluster", NULL};
static const char *const paged[] = {"limit", "after", NULL};

const struct endpoint page_endpoints[] = {
	{HTTP_GET, "/", ROLE_VIEWER, answer_on_call, NULL, HTML_TYPE, NULL, "On call.", REACH_LIST},
	{HTTP_GET, "/health", ROLE_VIEWER, answer_health, NULL, HTML_TYPE, NULL, "Health.",
		REACH_ALL},
	{HTTP_GET, "/admin", ROLE_ADMIN, answer_admin, NULL, HTML_TYPE, paged, "Admin.", REACH_ALL},
	{HTTP_GET, "/suppressions", ROLE_VIEWER, answer_suppressions, NULL, HTML_TYPE,
		of_suppressions, "Suppressions.", REACH_LIST},
	{HTTP_GET, "/suppressions/{id}", ROLE_VIEWER, answer_suppression, NULL, HTML_TYPE, paged,
		"One suppression.", REACH_LIST},
	{HTTP_GET, "/alerts", ROLE_VIEWER, answer_alerts, NULL, HTML_TYPE, of_alerts, "Alerts.",
		REACH_LIST},
	{HTTP_GET, "/incidents", ROLE_VIEWER, answer_incidents, NULL, HTML_TYPE, of_incidents,
		"Incidents.", REACH_LIST},
	{HTTP_GET, "/incidents/{n}", ROLE_VIEWER, answer_incident, NULL, HTML_TYPE, NULL,
		"One incident.", REACH_INCIDENT},
	{HTTP_GET, "/incidents/{n}/{part}", ROLE_VIEWER, answer_incident, NULL, HTML_TYPE, paged,
		"A part of one incident.", REACH_INCIDENT},
	{HTTP_GET, "/alerts/{id}", ROLE_VIEWER, answer_alert, NULL, HTML_TYPE, NULL, "One alert.",
		REACH_ALERT},
	{HTTP_GET, "/entities/{kind}/{id}", ROLE_VIEWER, answer_entity, NULL, HTML_TYPE, of_entity,
		"What is known of one thing.", REACH_LIST},
	{HTTP_POST, "/preferences", 0, NULL, preferences_take, NULL, NULL,
		"How pages look, in cookies.", REACH_OWN},
	{0},
};
