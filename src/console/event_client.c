/* SPDX-License-Identifier: Apache-2.0 */
#include "console/event_client.h"

#include <inttypes.h>
#include <string.h>

#include "model/alert.h"
#include "model/scope.h"

bool event_client_add(struct event_client *client, struct event_batch *batch)
{
	size_t bytes = batch->arena.used_bytes;
	if (client->is_refused)
		return true;
	if (client->n_waiting == EVENT_BEHIND_BATCHES ||
		(client->n_waiting && client->waiting_bytes + bytes > EVENT_BEHIND_BYTES))
		return false;
	snapshot_share(&batch->snapshot);
	client->waiting[(client->first_waiting + client->n_waiting++) % EVENT_BEHIND_BATCHES] =
		batch;
	client->waiting_bytes += bytes;
	return true;
}

static struct event_batch *first_batch(const struct event_client *client)
{
	return client->waiting[client->first_waiting];
}

static void drop_batch(struct event_client *client)
{
	struct event_batch *batch = first_batch(client);
	client->waiting_bytes -= batch->arena.used_bytes;
	client->first_waiting = (client->first_waiting + 1) % EVENT_BEHIND_BATCHES;
	client->n_waiting--;
	client->at_event = 0;
	event_batch_unref(batch);
}

void event_client_clear(struct event_client *client)
{
	while (client->n_waiting)
		drop_batch(client);
}

static bool is_wanted_alert(const struct event_client *client, const struct event *event)
{
	return client->wants_alerts && event->sequence >= client->position.n_leaves &&
	       alert_is_wanted(&client->filter, event->alert) &&
	       (!client->has_query || event_bits_has(&event->matches, client->query)) &&
	       (!client->incident || client->incident == event->incident);
}

/* Of an incident that is gone nobody can say any more where it was. */
static bool is_wanted_incident(const struct event_client *client, const struct event *event)
{
	const struct scope *scope = client->filter.scope;
	return client->wants_incidents && event->sequence > client->position.change_seq &&
	       (scope_is_all(scope) || (event->is_placed && scope_includes(scope, event->cluster,
								    event->namespace)));
}

/* What it has had, by a page that was newer than the broadcast, it does not get again. */
static bool is_wanted(const struct event_client *client, const struct event *event)
{
	switch (event->kind) {
	case EVENT_INCIDENT:
		return is_wanted_incident(client, event);
	case EVENT_ALERT:
		return is_wanted_alert(client, event);
	case EVENT_RESET:
		return true;
	}
	return false;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void set_head(struct event_client *client, const char *before)
{
	client->head_sent = 0;
	client->head_size =
		text_format(client->head, sizeof client->head, "%sid: %" PRIu64 ".%" PRIu64 "\n",
			before, client->position.change_seq, client->position.n_leaves);
}

static void begin_event(
	struct event_client *client, const struct event_batch *batch, const struct event *event)
{
	if (event->kind == EVENT_INCIDENT)
		client->position.change_seq = event->sequence;
	else if (event->kind == EVENT_ALERT)
		client->position.n_leaves = event->sequence + 1;
	else
		client->position = batch->to; /* what it claimed was of no use */
	set_head(client, "");
	bool outside = client->has_query && event->is_judged &&
		       !event_bits_has(&event->matches, client->query);
	client->text = outside ? event->outside : event->text;
}

/* Its query would hold up all others. */
static bool refuse(struct event_client *client)
{
	static const char problem[] =
		"event: problem\n"
		"data: {\"status\":503,\"title\":\"Not now\",\"detail\":\"the query takes too"
		" long for a stream: ask for less by regular expressions\"}\n\n";
	event_client_clear(client);
	client->is_refused = true;
	set_head(client, "");
	client->text = text_of(problem);
	return true;
}

/* The next event of the first batch that is wanted; false: the batch is done and dropped. */
static bool next_event(struct event_client *client)
{
	const struct event_batch *batch = first_batch(client);
	if (client->has_query && event_bits_has(&batch->too_dear, client->query))
		return refuse(client);
	while (client->at_event < batch->n) {
		const struct event *event = &batch->items[client->at_event++];
		if (is_wanted(client, event)) {
			begin_event(client, batch, event);
			return true;
		}
	}
	client->position.change_seq = larger(client->position.change_seq, batch->to.change_seq);
	client->position.n_leaves = larger(client->position.n_leaves, batch->to.n_leaves);
	client->page_is_whole = batch->is_whole;
	drop_batch(client);
	return false;
}

/* How long to wait before coming back; with it the header goes out at once. */
static bool greet(struct event_client *client)
{
	client->is_greeted = true;
	client->head_sent = 0;
	client->head_size = text_format(client->head, sizeof client->head, "retry: 2000\n\n");
	return true;
}

/* The next piece to send, into head and text. */
static bool next_piece(struct event_client *client)
{
	static const char empty[] = "\n";
	if (!client->is_greeted)
		return greet(client);
	if (client->is_refused)
		return false;
	while (client->n_waiting)
		if (next_event(client))
			return true;
	if (!client->is_silent || client->state != EVENT_CLIENT_LIVE)
		return false;
	client->is_silent = false;
	set_head(client, ": nothing new\n");
	client->text = text_of(empty);
	return true;
}

static size_t copy(char *out, size_t size, struct text from)
{
	size_t n = from.size < size ? from.size : size;
	if (n)
		memcpy(out, from.data, n);
	return n;
}

ssize_t event_client_read(struct event_client *client, char *out, size_t size)
{
	size_t used = 0;
	while (used < size) {
		struct text head = {
			client->head + client->head_sent, client->head_size - client->head_sent};
		size_t n = copy(out + used, size - used, head);
		client->head_sent += n;
		used += n;
		n = copy(out + used, size - used, client->text);
		client->text = text_part(client->text, n, client->text.size);
		used += n;
		bool is_sent = client->head_sent == client->head_size && client->text.size == 0;
		if (is_sent && !next_piece(client))
			break;
	}
	client->has_moved |= used > 0;
	return (ssize_t)used;
}

/* A comment that is due is something, too: nobody reads even that. */
static bool has_something(const struct event_client *client)
{
	return client->n_waiting || client->text.size || client->head_sent < client->head_size ||
	       (client->is_silent && client->state == EVENT_CLIENT_LIVE);
}

bool event_client_look(struct event_client *client, int64_t now_ms)
{
	if (client->has_moved || !has_something(client) || client->moved_ms == 0)
		client->moved_ms = now_ms;
	client->has_moved = false;
	return now_ms - client->moved_ms < EVENT_STALL_MS;
}
