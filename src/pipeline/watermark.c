/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/watermark.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/table.h"

#define LATENESS_NS (600 * NS_PER_S)
#define IDLE_NS     (120 * NS_PER_S)

/* Senders beyond this are not told apart: they count as the one that is heard last. */
enum { SENDERS_MAX = 16384, AGENTS_A_NODE_MAX = 16, KEY_BYTES = 4096 };

struct progress {
	int64_t reached_ns; /* the latest of min(event time, received) */
	int64_t heard_ns;
};

/* What an agent's spool holds counts however old it is: it is waited for longer. */
struct agent_progress {
	unsigned char spool[SPOOL_MARK_BYTES];
	int64_t oldest_ns;
	int64_t heard_ns;
	bool is_empty; /* it had nothing waiting */
};

struct node_agents {
	struct agent_progress items[AGENTS_A_NODE_MAX];
	size_t n;
	size_t cluster_size; /* of the key: cluster, then node */
};

struct watermark {
	struct table *agents;  /* cluster and node → struct node_agents */
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

static struct node_agents *node_of(struct watermark *watermark, const struct agent_report *report)
{
	AUTO(buf_done) struct buf key;
	buf_init(&key, KEY_BYTES);
	buf_add(&key, text_part(report->cluster, 0, KEY_BYTES / 2));
	size_t cluster_size = key.size;
	buf_add(&key, text_part(report->node, 0, KEY_BYTES / 2));
	if (!buf_ok(&key) || (table_count(watermark->agents) >= SENDERS_MAX &&
				     !table_get(watermark->agents, buf_text(&key))))
		return NULL;
	union table_value *place = table_put(watermark->agents, buf_text(&key));
	if (place && !place->pointer)
		place->pointer = calloc(1, sizeof(struct node_agents));
	struct node_agents *node = place ? place->pointer : NULL;
	if (node)
		node->cluster_size = cluster_size;
	return node;
}

/* Without those that are succeeded, as agent_note has it, and without this one itself. */
static void make_way(struct node_agents *node, const struct agent_report *report, int64_t now_ns)
{
	size_t kept = 0;
	for (size_t i = 0; i < node->n; i++) {
		const struct agent_progress *agent = &node->items[i];
		bool is_same = memcmp(agent->spool, report->spool, sizeof agent->spool) == 0;
		bool is_over = agent->is_empty && now_ns - agent->heard_ns > AGENT_NOT_HEARD_NS;
		if (!is_same && !is_over)
			node->items[kept++] = *agent;
	}
	node->n = kept;
}

/* Without memory, and above the limits, it is not waited for. */
static void note_agent(
	struct watermark *watermark, const struct agent_report *report, int64_t now_ns)
{
	struct node_agents *node = node_of(watermark, report);
	if (!node)
		return;
	make_way(node, report, now_ns);
	if (node->n == AGENTS_A_NODE_MAX)
		return;
	struct agent_progress *agent = &node->items[node->n++];
	*agent = (struct agent_progress){.oldest_ns = report->oldest_ns,
		.heard_ns = now_ns,
		.is_empty = report->n_waiting == 0};
	memcpy(agent->spool, report->spool, sizeof agent->spool);
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
		const struct node_agents *node = value->pointer;
		for (size_t i = 0; node && i < node->n; i++)
			if (now_ns - node->items[i].heard_ns <= AGENT_NOT_HEARD_NS &&
				node->items[i].oldest_ns < least)
				least = node->items[i].oldest_ns;
	}
	return least;
}

/* Up to when the node's agents that are not waited for have said everything. false: there are none.
 */
static bool find_unheard(const struct node_agents *node, int64_t now_ns, int64_t *oldest_ns)
{
	bool found = false;
	for (size_t i = 0; node && i < node->n; i++) {
		const struct agent_progress *agent = &node->items[i];
		if (now_ns - agent->heard_ns <= AGENT_NOT_HEARD_NS ||
			now_ns - agent->heard_ns > AGENT_FORGOTTEN_NS)
			continue;
		if (!found || agent->oldest_ns < *oldest_ns)
			*oldest_ns = agent->oldest_ns;
		found = true;
	}
	return found;
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
		const struct node_agents *node = value->pointer;
		int64_t oldest_ns;
		if (find_unheard(node, now_ns, &oldest_ns))
			items[n++] = (struct unheard_node){text_part(key, 0, node->cluster_size),
				text_part(key, node->cluster_size, key.size), oldest_ns};
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
