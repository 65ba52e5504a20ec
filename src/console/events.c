/* SPDX-License-Identifier: Apache-2.0 */
#include "console/events.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "console/api.h"
#include "console/event_client.h"
#include "console/event_feed.h"
#include "model/incident.h"
#include "net/http_stream.h"

struct events {
	const struct console_options *options;
	struct queue *wishes; /* the options'; to the feed */
	struct queue *results;
	struct loop_watch *watch;
	struct loop_timer *timer;
	struct event_feed *feed;
	struct event_client *clients;
	struct snapshot_slot *queries; /* of event_queries */
	int64_t idle_ns;               /* after which a session has ended */
	_Atomic size_t n_clients, n_alerts;
	struct change_position position; /* everything up to it was broadcast */
};

/* Asks for what the reader has not had yet. false without memory. */
static bool wish(struct event_client *client)
{
	struct event_task *task = calloc(1, sizeof *task);
	if (!task)
		return false;
	*task = (struct event_task){.item.weight_bytes = 1,
		.client = client,
		.wish = {client->position, client->wants_incidents, client->wants_alerts, true,
			NULL}};
	client->task = task;
	client->state = EVENT_CLIENT_WAITS;
	if (queue_push(client->events->wishes, &task->item))
		return true;
	client->task = NULL;
	event_task_free(task);
	return false;
}

/* Is nothing between what it has had and the next broadcast? */
static bool is_up_to_date(const struct event_client *client)
{
	const struct change_position *told = &client->events->position;
	return client->page_is_whole && client->position.change_seq >= told->change_seq &&
	       client->position.n_leaves >= told->n_leaves;
}

static ssize_t read_client(void *ctx, char *out, size_t size)
{
	struct event_client *client = ctx;
	ssize_t n = event_client_read(client, out, size);
	if (client->is_refused)
		return n ? n : HTTP_STREAM_END;
	if (client->state != EVENT_CLIENT_READS || client->n_waiting)
		return n;
	if (is_up_to_date(client))
		client->state = EVENT_CLIENT_LIVE;
	else if (!wish(client) && n == 0)
		return HTTP_STREAM_END;
	return n;
}

static void end_client(void *ctx)
{
	struct event_client *client = ctx;
	struct events *events = client->events;
	if (client->previous)
		client->previous->next = client->next;
	else
		events->clients = client->next;
	if (client->next)
		client->next->previous = client->previous;
	if (client->task)
		client->task->client = NULL;
	if (client->wants_alerts)
		atomic_fetch_sub(&events->n_alerts, 1);
	if (client->has_query)
		event_queries_remove(events->queries, client->query);
	if (atomic_fetch_sub(&events->n_clients, 1) == 1)
		loop_timer_stop(events->timer);
	event_client_clear(client);
	free(client);
}

/* Too slow, or there is no memory: its last id brings it back to where it was. */
static void deliver(struct event_client *client, struct event_batch *batch)
{
	if (batch && event_client_add(client, batch))
		http_stream_wake(client->request);
	else
		http_stream_cut(client->request);
}

static void deliver_page(struct event_task *task)
{
	struct event_client *client = task->client;
	if (!client)
		return;
	client->task = NULL;
	client->state = EVENT_CLIENT_READS;
	deliver(client, task->batch);
}

static void deliver_broadcast(struct events *events, struct event_batch *batch)
{
	events->position = batch->to;
	for (struct event_client *client = events->clients, *next; client; client = next) {
		next = client->next;
		if (client->state == EVENT_CLIENT_LIVE)
			deliver(client, batch);
	}
}

static void on_results(void *ctx)
{
	struct events *events = ctx;
	struct queue_item *item = queue_take(events->results, SIZE_MAX, 0);
	while (item) {
		struct event_task *task = (struct event_task *)(void *)item;
		item = item->next;
		if (task->is_broadcast)
			deliver_broadcast(events, task->batch);
		else
			deliver_page(task);
		event_task_free(task);
	}
}

static bool may_still_read(const struct events *events, const struct credential_set *set,
	const struct viewer *viewer, int64_t now_ns)
{
	if (viewer->session)
		return session_of_id(set, viewer->session, now_ns, events->idle_ns) != NULL;
	return credential_is_in_force(set, viewer->token, now_ns);
}

/* Says that we are there, and sees who may not read any more, or does not. */
static void on_keep_alive(void *ctx)
{
	struct events *events = ctx;
	int64_t now_ns = clock_wall_ns(events->options->clock);
	int64_t now_ms = clock_monotonic_ms(events->options->clock);
	struct credential_set *set =
		(struct credential_set *)(void *)snapshot_ref(events->options->credentials);
	for (struct event_client *client = events->clients; client; client = client->next) {
		bool moves = event_client_look(client, now_ms);
		client->is_silent = true;
		if (moves && set && may_still_read(events, set, client->viewer, now_ns))
			http_stream_wake(client->request);
		else
			http_stream_cut(client->request);
	}
	snapshot_unref(set ? &set->snapshot : NULL);
	if (events->clients)
		loop_timer_start(events->timer, EVENT_KEEP_ALIVE_MS);
}

/* "17.4711". What does not read is a position nobody has had: answered by a reset. */
static struct change_position parse_position(struct text id)
{
	struct change_position position;
	struct text rest = id, seq = TEXT_NONE;
	if (text_split(&rest, '.', &seq) && text_to_u64(seq, &position.change_seq) &&
		text_to_u64(rest, &position.n_leaves))
		return position;
	return (struct change_position){UINT64_MAX, UINT64_MAX};
}

static struct change_position where_to_begin(
	const struct events *events, struct http_request *request)
{
	struct text id = http_header(request, "Last-Event-ID");
	const struct status *status = events->options->status;
	if (id.size)
		return parse_position(id);
	return (struct change_position){
		atomic_load(&status->change_seq), atomic_load(&status->n_leaves)};
}

static int read_switch(struct text word, bool usually, bool *out, struct err *err)
{
	*out = word.size ? text_is(word, "1") : usually;
	if (!word.size || *out || text_is(word, "0"))
		return 0;
	return err_set(err, ERR_INPUT, "incidents and alerts must be 0 or 1");
}

/* The texts must outlive the query's: the request's arena keeps them. */
static void keep_texts(struct arena *arena, struct alert_filter *filter)
{
	struct text *const texts[] = {&filter->rule, &filter->cluster, &filter->namespace,
		&filter->pod, &filter->node, &filter->container_id};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		*texts[i] = arena_copy(arena, *texts[i]);
}

/* ERR_FULL: too many readers have one. */
static int read_query(
	const struct document_query *query, struct event_client *client, struct err *err)
{
	const struct query_options options = {.now_ns = query->now_ns, .me = query->me};
	if (!query->q.size)
		return 0;
	struct event_query *parsed = event_query_new(
		query->q, &options, client->wants_incidents, client->wants_alerts, err);
	if (!parsed)
		return -1;
	client->has_query = event_queries_add(client->events->queries, parsed, &client->query);
	return client->has_query
		       ? 0
		       : err_set(err, ERR_FULL, "too many readers of events have a query");
}

static int read_wanted(struct http_request *request, struct event_client *client, struct err *err)
{
	struct document_query query = {.me = client->viewer->name,
		.now_ns = clock_wall_ns(client->events->options->clock)};
	struct arena *arena = http_arena(request);
	api_query(request, &query);
	if (read_switch(http_query(request, "incidents"), true, &client->wants_incidents, err) <
			0 ||
		read_switch(http_query(request, "alerts"), false, &client->wants_alerts, err) < 0 ||
		document_alert_filter(&query, &client->filter, err) < 0)
		return -1;
	if (query.incident.size && !incident_number_parse(query.incident, &client->incident))
		return err_set(err, ERR_INPUT, "incident must be a number, as INC-12");
	keep_texts(arena, &client->filter);
	client->filter.scope = &client->viewer->scope;
	return arena->failed ? err_set(err, ERR_BUSY, "no memory now")
			     : read_query(&query, client, err);
}

/* A token, or a session that stands for none. */
static bool is_same(const struct viewer *a, const struct viewer *b)
{
	return a->token == b->token && (a->token || a->session == b->session);
}

/* May the viewer have one more? */
static bool has_room(const struct events *events, const struct viewer *viewer)
{
	size_t n = 0;
	if (atomic_load(&events->n_clients) >= EVENT_CLIENTS_MAX)
		return false;
	for (const struct event_client *client = events->clients; client; client = client->next)
		n += is_same(client->viewer, viewer);
	return n < EVENT_CLIENTS_PER_CREDENTIAL;
}

static void link_client(struct events *events, struct event_client *client)
{
	client->next = events->clients;
	if (client->next)
		client->next->previous = client;
	events->clients = client;
	if (client->wants_alerts)
		atomic_fetch_add(&events->n_alerts, 1);
	if (atomic_fetch_add(&events->n_clients, 1) == 0)
		loop_timer_start(events->timer, EVENT_KEEP_ALIVE_MS);
}

/* Linked before it wishes: from then on the feed reads what it wants. */
static void begin_stream(struct events *events, struct event_client *client)
{
	struct http_request *request = client->request;
	struct http_stream_source source = {.content_type = "text/event-stream",
		.read = read_client,
		.ended = end_client,
		.ctx = client};
	link_client(events, client);
	if (wish(client)) {
		http_respond_stream(request, &source);
		return;
	}
	end_client(client);
	http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
}

void events_open(struct http_request *request, struct console *console)
{
	struct err err;
	struct events *events = console->events;
	const struct viewer *viewer = api_viewer(request);
	if (!events || !has_room(events, viewer)) {
		http_respond_retry(request, 503, "Too many readers of events", TEXT_NONE, 10);
		return;
	}
	AUTO(free) struct event_client *client = calloc(1, sizeof *client);
	if (!client) {
		http_respond_retry(request, 503, "No memory now", TEXT_NONE, 1);
		return;
	}
	client->events = events;
	client->request = request;
	client->viewer = viewer;
	client->position = where_to_begin(events, request);
	if (read_wanted(request, client, &err) < 0) {
		api_respond_error(request, &err);
		return;
	}
	begin_stream(events, TAKE(client));
}

int events_start(struct events **out, const struct console_options *options, int64_t idle_ns,
	struct err *err)
{
	struct events *events = calloc(1, sizeof *events);
	if (!events)
		return err_set(err, ERR_MEMORY, "out of memory for events");
	events->options = options;
	events->idle_ns = idle_ns;
	events->wishes = options->events;
	events->results = queue_new(SIZE_MAX);
	events->queries = snapshot_slot_new();
	events->timer = loop_timer_new(options->loop, on_keep_alive, events);
	if (events->results)
		events->watch = loop_watch_new(
			options->loop, queue_fd(events->results), on_results, events);
	struct event_feed_options feed = {
		.database = options->database,
		.status = options->status,
		.wishes = events->wishes,
		.results = events->results,
		.n_clients = &events->n_clients,
		.n_alerts = &events->n_alerts,
		.queries = events->queries,
	};
	if (!events->watch || !events->timer || !events->queries)
		err_set(err, ERR_MEMORY, "out of memory for events");
	else if (event_feed_start(&events->feed, &feed, err) == 0) {
		*out = events;
		return 0;
	}
	events_free(events);
	return -1;
}

void events_stop(struct events *events)
{
	if (!events)
		return;
	queue_close(events->wishes);
	event_feed_stop(events->feed);
	events->feed = NULL;
}

static void free_tasks(struct queue *queue)
{
	struct queue_item *item = queue_take(queue, SIZE_MAX, 0);
	while (item) {
		struct event_task *task = (struct event_task *)(void *)item;
		item = item->next;
		event_task_free(task);
	}
}

void events_free(struct events *events)
{
	if (!events)
		return;
	free_tasks(events->wishes);
	if (events->results)
		free_tasks(events->results);
	loop_watch_free(events->watch);
	loop_timer_free(events->timer);
	queue_free(events->results);
	snapshot_slot_free(events->queries);
	free(events);
}
