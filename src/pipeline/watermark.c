/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/watermark.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/table.h"

#define LATENESS_NS (600 * NS_PER_S)
#define IDLE_NS     (120 * NS_PER_S)

/* Senders beyond this are not told apart: they count as the one that is heard last. */
enum { SENDERS_MAX = 16384, KEY_BYTES = 4096 };

struct progress {
	int64_t reached_ns; /* the latest of min(event time, received) */
	int64_t heard_ns;
};

struct watermark {
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
	watermark->started_ns = now_ns;
	watermark->last_ns = INT64_MIN;
	if (!watermark->senders) {
		free(watermark);
		return NULL;
	}
	return watermark;
}

void watermark_free(struct watermark *watermark)
{
	if (!watermark)
		return;
	table_free(watermark->senders);
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

void watermark_note(struct watermark *watermark, const struct batch *batch, int64_t now_ns)
{
	AUTO(buf_done) struct buf key;
	const struct alert *previous = NULL;
	struct progress *progress = NULL;
	buf_init(&key, KEY_BYTES);
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
	if (least == INT64_MAX) {
		if (now_ns - watermark->started_ns < IDLE_NS)
			return watermark->last_ns;
		least = now_ns;
	}
	if (least - LATENESS_NS > watermark->last_ns)
		watermark->last_ns = least - LATENESS_NS;
	return watermark->last_ns;
}
