/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/watermark.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/table.h"

#define LATENESS_NS (600 * NS_PER_S)
#define IDLE_NS     (120 * NS_PER_S)
#define AGENT_NS    (900 * NS_PER_S)

/* Senders beyond this are not told apart: they count as the one that is heard last. */
enum { SENDERS_MAX = 16384, KEY_BYTES = 4096 };

struct progress {
	int64_t reached_ns; /* the latest of min(event time, received) */
	int64_t heard_ns;
};

/* What an agent's spool holds counts however old it is: it is waited for longer. */
struct agent_progress {
	int64_t oldest_ns;
	int64_t heard_ns;
	size_t cluster_size; /* of the key: cluster, then node */
};

struct watermark {
	struct table *agents;  /* cluster and node → struct agent_progress */
	struct table *senders; /* credential, source, node → struct progress */
	int64_t started_ns;
	int64_t last_ns;
};

struct watermark *watermark_new(int64_t now_ns)
{
	struct watermark *watermark = calloc(1, sizeof *watermark);
	if (!watermark)
		return NULL;
	watermark->senders = table_new(free);
	watermark->agents = table_new(free);
	watermark->started_ns = now_ns;
	watermark->last_ns = INT64_MIN;
	if (!watermark->senders || !watermark->agents) {
		watermark_free(watermark);
		return NULL;
	}
	return watermark;
}

void watermark_free(struct watermark *watermark)
{
	if (!watermark)
		return;
	table_free(watermark->senders);
	table_free(watermark->agents);
	free(watermark);
}

static struct progress *progress_of(struct watermark *watermark, const struct batch *batch,
	const struct alert *alert, struct buf *key)
{
	buf_clear(key);
	buf_add_varint(key, batch->credential_id);
	buf_add_varint(key, (uint64_t)alert->source);
	if (table_count(watermark->senders) < SENDERS_MAX)
		buf_add(key, text_part(alert->node, 0, KEY_BYTES / 2));
	union table_value *place = table_put(watermark->senders, buf_text(key));
	if (place && !place->pointer)
		place->pointer = calloc(1, sizeof(struct progress));
	return place ? place->pointer : NULL;
}

static void note_agent(
	struct watermark *watermark, const struct agent_report *report, int64_t now_ns)
{
	AUTO(buf_done) struct buf key;
	buf_init(&key, KEY_BYTES);
	buf_add(&key, text_part(report->cluster, 0, KEY_BYTES / 2));
	size_t cluster_size = key.size;
	buf_add(&key, text_part(report->node, 0, KEY_BYTES / 2));
	if (!buf_ok(&key) || table_count(watermark->agents) >= SENDERS_MAX)
		return;
	union table_value *place = table_put(watermark->agents, buf_text(&key));
	if (place && !place->pointer)
		place->pointer = calloc(1, sizeof(struct agent_progress));
	struct agent_progress *progress = place ? place->pointer : NULL;
	/* Without memory it is not waited for. */
	if (progress)
		*progress = (struct agent_progress){report->oldest_ns, now_ns, cluster_size};
}

void watermark_expect(struct watermark *watermark, const struct agent_report *report)
{
	note_agent(watermark, report, watermark->started_ns);
}

void watermark_note(struct watermark *watermark, const struct batch *batch, int64_t now_ns)
{
	AUTO(buf_done) struct buf key;
	const struct alert *previous = NULL;
	struct progress *progress = NULL;
	buf_init(&key, KEY_BYTES);
	if (batch->report)
		note_agent(watermark, batch->report, now_ns);
	for (const struct alert *alert = batch->first; alert; alert = alert->next) {
		/* What is not correlated does not tell how far a sender has got. */
		if (alert->kind != LEAF_ALERT || alert_is(alert, ALERT_TIME_UNTRUSTED) ||
			alert_is(alert, ALERT_ORPHAN_LATE))
			continue;
		if (!previous || previous->source != alert->source ||
			!text_equal(previous->node, alert->node))
			progress = progress_of(watermark, batch, alert, &key);
		previous = alert;
		/* Without memory the sender is not waited for; nothing else depends on it. */
		if (!progress)
			continue;
		int64_t reached =
			alert->time_ns < alert->received_ns ? alert->time_ns : alert->received_ns;
		progress->reached_ns =
			reached > progress->reached_ns ? reached : progress->reached_ns;
		progress->heard_ns = now_ns;
	}
}

/* The least of what the agents that are waited for have not sent yet; or @least. */
static int64_t least_of_agents(const struct watermark *watermark, int64_t now_ns, int64_t least)
{
	size_t at = 0;
	struct text key;
	union table_value *value;
	while (table_next(watermark->agents, &at, &key, &value)) {
		const struct agent_progress *agent = value->pointer;
		if (agent && now_ns - agent->heard_ns <= AGENT_NS && agent->oldest_ns < least)
			least = agent->oldest_ns;
	}
	return least;
}

static int compare_nodes(const void *left, const void *right)
{
	const struct unheard_node *a = left, *b = right;
	int by_cluster = text_compare(a->cluster, b->cluster);
	return by_cluster ? by_cluster : text_compare(a->node, b->node);
}

struct unheard_nodes watermark_unheard(
	const struct watermark *watermark, int64_t now_ns, struct arena *arena)
{
	size_t at = 0, n = 0;
	struct text key;
	union table_value *value;
	struct unheard_node *items =
		arena_array(arena, table_count(watermark->agents), sizeof *items);
	while (items && table_next(watermark->agents, &at, &key, &value)) {
		const struct agent_progress *agent = value->pointer;
		if (!agent || now_ns - agent->heard_ns <= AGENT_NS ||
			now_ns - agent->heard_ns > AGENT_FORGOTTEN_NS)
			continue;
		items[n++] = (struct unheard_node){text_part(key, 0, agent->cluster_size),
			text_part(key, agent->cluster_size, key.size), agent->oldest_ns};
	}
	if (n)
		qsort(items, n, sizeof *items, compare_nodes);
	return (struct unheard_nodes){items, n};
}

int64_t watermark_at(struct watermark *watermark, int64_t now_ns)
{
	int64_t least = INT64_MAX;
	size_t at = 0;
	struct text key;
	union table_value *value;
	/* A minimum does not depend on the order of the visit. */
	while (table_next(watermark->senders, &at, &key, &value)) {
		const struct progress *progress = value->pointer;
		if (progress && now_ns - progress->heard_ns <= IDLE_NS &&
			progress->reached_ns < least)
			least = progress->reached_ns;
	}
	least = least_of_agents(watermark, now_ns, least);
	if (least == INT64_MAX) {
		if (now_ns - watermark->started_ns < IDLE_NS)
			return watermark->last_ns;
		least = now_ns;
	}
	if (least - LATENESS_NS > watermark->last_ns)
		watermark->last_ns = least - LATENESS_NS;
	return watermark->last_ns;
}
