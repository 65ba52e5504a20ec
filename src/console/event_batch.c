/* SPDX-License-Identifier: Apache-2.0 */
#include "console/event_batch.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "documents/documents.h"
#include "model/alert.h"
#include "model/incident.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, EVENT_BYTES_MAX = 8 * 1024 * 1024 };

static void free_batch(struct snapshot *snapshot)
{
	struct event_batch *batch = (struct event_batch *)(void *)snapshot;
	arena_done(&batch->arena);
	free(batch);
}

void event_batch_unref(struct event_batch *batch)
{
	snapshot_unref(batch ? &batch->snapshot : NULL);
}

static struct event_batch *new_batch(void)
{
	struct event_batch *batch = calloc(1, sizeof *batch);
	if (!batch)
		return NULL;
	atomic_init(&batch->snapshot.n_refs, 1);
	batch->snapshot.free = free_batch;
	arena_init(&batch->arena, ARENA_BYTES);
	return batch;
}

static void begin_text(struct buf *text, const char *name)
{
	buf_clear(text);
	buf_addf(text, "event: %s\ndata: ", name);
}

/* JSON of ours has no line ends, so it is one line of data. */
static int add_event(struct event_batch *batch, struct event event, struct buf *text, size_t *bytes,
	struct err *err)
{
	buf_add_string(text, "\n\n");
	if (!buf_ok(text))
		return buf_error(text, err, "an event");
	event.text = arena_copy(&batch->arena, buf_text(text));
	if (batch->arena.failed)
		return err_set(err, ERR_MEMORY, "out of memory for events");
	batch->items[batch->n++] = event;
	*bytes += event.text.size;
	return 0;
}

/*
 * An event could not be made: for its own sake, or because nothing can be read now? 0: it is left
 * out, and the next one may do.
 */
static int skip(struct event_batch *batch, enum event_kind kind, const char *what, uint64_t number,
	const struct err *why)
{
	bool all = why->kind == ERR_IO || why->kind == ERR_BUSY || why->kind == ERR_FULL;
	if (all || batch->arena.failed)
		return -1;
	if (batch->skipped.kind == ERR_NONE) {
		batch->skipped = *why;
		err_prefix(&batch->skipped, "%s%llu", what, (unsigned long long)number);
	}
	batch->n_skipped[kind]++;
	return 0;
}

/* What a broadcast or page is made with. */
struct making {
	struct connection *connection;
	const struct event_wish *wish;
	struct event_batch *batch;
	struct buf *text;
	struct event_costs *costs;
};

/* An incident that is looked at before it becomes an event. */
struct looked {
	const struct making *making;
	struct event_bits matches;
	bool is_seen;
};

static void look_at(void *ctx, const struct incident *incident)
{
	struct looked *looked = ctx;
	const struct making *making = looked->making;
	looked->is_seen = true;
	event_queries_of_incident(making->wish->queries, incident, making->costs, &looked->matches);
}

static size_t max_bytes(const struct event_wish *wish)
{
	return wish->is_reader ? EVENT_PAGE_BYTES : EVENT_BATCH_BYTES;
}

/* What readers are told whose query it does not match, or not any more. */
static struct text outside_text(struct arena *arena, uint64_t number)
{
	return arena_format(arena, "event: outside\ndata: {\"number\":\"INC-%llu\"}\n\n",
		(unsigned long long)number);
}

static int add_incident(
	const struct making *making, const struct change *change, size_t *bytes, struct err *err)
{
	struct event_batch *batch = making->batch;
	const struct event_queries *queries = making->wish->queries;
	struct event event = {.kind = EVENT_INCIDENT, .sequence = change->seq};
	struct looked looked = {.making = making};
	struct change_place place = {.arena = &batch->arena, .ctx = &looked};
	if (queries && queries->any) {
		place.look = look_at;
		place.with_story = queries->needs_story;
		event.outside = outside_text(&batch->arena, change->number);
	}
	begin_text(making->text, "incident");
	if (document_change(making->connection, change->number, &place, making->text, err) < 0)
		return -1;
	event.is_placed = place.is_known;
	event.cluster = place.cluster;
	event.namespace = place.namespace;
	event.is_judged = looked.is_seen;
	event.matches = looked.matches;
	return add_event(batch, event, making->text, bytes, err);
}

/* Moves the batch's position to the last one that is told. */
static int add_incidents(const struct making *making, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	const struct event_wish *wish = making->wish;
	struct event_batch *batch = making->batch;
	size_t bytes = 0, i = 0;
	arena_init(&arena, ARENA_BYTES);
	struct change_page page = {
		.after = wish->from.change_seq, .limit = EVENT_BATCH_INCIDENTS, .arena = &arena};
	if (changes_read(making->connection, &page, err) < 0)
		return -1;
	for (; i < page.n && bytes < max_bytes(wish); i++) {
		if (add_incident(making, &page.items[i], &bytes, err) < 0 &&
			skip(batch, EVENT_INCIDENT, "INC-", page.items[i].number, err) < 0)
			return -1;
	}
	if (i == page.n && page.n < page.limit)
		return 0;
	batch->to.change_seq = page.items[i - 1].seq;
	batch->is_whole = false;
	return 0;
}

/* Of an alert only what filters ask. */
static const struct alert *keep_alert(struct arena *arena, const struct alert *alert)
{
	struct alert *kept = arena_alloc(arena, sizeof *kept);
	if (!kept)
		return NULL;
	kept->severity = alert->severity;
	kept->source = alert->source;
	kept->time_ns = alert->time_ns;
	kept->rule = arena_copy(arena, alert->rule);
	kept->cluster = arena_copy(arena, alert->cluster);
	kept->namespace = arena_copy(arena, alert->namespace);
	kept->pod = arena_copy(arena, alert->pod);
	kept->node = arena_copy(arena, alert->node);
	kept->container_id = arena_copy(arena, alert->container_id);
	return kept;
}

static int add_alert(const struct making *making, uint64_t leaf, size_t *bytes, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct event_batch *batch = making->batch;
	struct alert_seen seen = {.arena = &arena};
	struct event event = {.kind = EVENT_ALERT, .sequence = leaf};
	arena_init(&arena, ARENA_BYTES);
	begin_text(making->text, "alert");
	if (document_alert_at(making->connection, leaf, &seen, making->text, err) < 0)
		return err->kind == ERR_MISSING ? 0 : skip(batch, EVENT_ALERT, "leaf ", leaf, err);
	event.alert = keep_alert(&batch->arena, seen.alert);
	event.incident = seen.incident;
	event_queries_of_alert(
		making->wish->queries, seen.alert, seen.incident, making->costs, &event.matches);
	return add_event(batch, event, making->text, bytes, err) < 0
		       ? skip(batch, EVENT_ALERT, "leaf ", leaf, err)
		       : 0;
}

static int add_alerts(const struct making *making, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	const struct event_wish *wish = making->wish;
	struct event_batch *batch = making->batch;
	size_t bytes = 0, i = 0;
	arena_init(&arena, ARENA_BYTES);
	struct alert_leaves leaves = {.from = wish->from.n_leaves,
		.to = batch->to.n_leaves,
		.limit = EVENT_BATCH_ALERTS,
		.arena = &arena};
	if (alert_leaves_read(making->connection, &leaves, err) < 0)
		return -1;
	for (; i < leaves.n && bytes < max_bytes(wish); i++)
		if (add_alert(making, leaves.items[i], &bytes, err) < 0)
			return -1;
	if (i == leaves.n && leaves.n < leaves.limit)
		return 0;
	batch->to.n_leaves = leaves.items[i - 1] + 1;
	batch->is_whole = false;
	return 0;
}

static uint64_t at_most(uint64_t n, uint64_t limit)
{
	return n < limit ? n : limit;
}

/* Room for all that can have happened between there and here. */
static bool make_room(struct event_batch *batch, const struct event_wish *wish)
{
	size_t n = at_most(batch->to.change_seq - wish->from.change_seq, EVENT_BATCH_INCIDENTS) +
		   at_most(batch->to.n_leaves - wish->from.n_leaves, EVENT_BATCH_ALERTS) + 1;
	batch->items = arena_array(&batch->arena, n, sizeof *batch->items);
	return batch->items != NULL;
}

/* A claim about the future, about what has left, or too long ago. */
static int needs_reset(struct connection *connection, const struct event_wish *wish,
	const struct change_position *now, bool *reset, struct err *err)
{
	uint64_t first_leaf;
	*reset = wish->from.change_seq > now->change_seq || wish->from.n_leaves > now->n_leaves;
	if (*reset || !wish->alerts)
		return 0;
	if (first_leaf_read(connection, &first_leaf, err) < 0)
		return -1;
	*reset = wish->from.n_leaves < first_leaf ||
		 now->n_leaves - wish->from.n_leaves > EVENT_CATCH_UP_ALERTS;
	return 0;
}

static int fill(struct connection *connection, const struct event_wish *wish,
	struct event_batch *batch, struct err *err)
{
	AUTO(buf_done) struct buf text;
	bool reset = false;
	size_t bytes = 0;
	buf_init(&text, EVENT_BYTES_MAX);
	batch->is_whole = true;
	if (change_position_read(connection, &batch->to, err) < 0)
		return -1;
	if (!make_room(batch, wish))
		return err_set(err, ERR_MEMORY, "out of memory for events");
	if (wish->is_reader && needs_reset(connection, wish, &batch->to, &reset, err) < 0)
		return -1;
	if (reset) {
		begin_text(&text, "reset");
		buf_add_string(&text, "{}");
		return add_event(batch, (struct event){.kind = EVENT_RESET}, &text, &bytes, err);
	}
	struct event_costs costs = {0};
	const struct making making = {connection, wish, batch, &text, &costs};
	if ((wish->incidents && add_incidents(&making, err) < 0) ||
		(wish->alerts && add_alerts(&making, err) < 0))
		return -1;
	batch->too_dear = costs.too_dear;
	return 0;
}

int event_batch_read(struct connection *connection, const struct event_wish *wish,
	struct event_batch **out, struct err *err)
{
	struct event_batch *batch = new_batch();
	if (!batch)
		return err_set(err, ERR_MEMORY, "out of memory for events");
	if (fill(connection, wish, batch, err) < 0) {
		event_batch_unref(batch);
		return -1;
	}
	*out = batch;
	return 0;
}
