/* SPDX-License-Identifier: Apache-2.0 */
#include "model/batch.h"

#include <stdlib.h>

struct batch *batch_new(void)
{
	struct batch *batch = calloc(1, sizeof *batch);
	if (!batch)
		return NULL;
	arena_init(&batch->arena, BATCH_ARENA_BYTES);
	batch->last = &batch->first;
	batch->random = digest_random;
	batch->item.weight_bytes = sizeof *batch;
	return batch;
}

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	if (batch->n_redactions)
		arena_wipe(&batch->arena);
	arena_done(&batch->arena);
	free(batch);
}

struct alert *batch_alert_new(struct batch *batch)
{
	struct alert *alert = arena_alloc(&batch->arena, sizeof *alert);
	if (!alert)
		return NULL;
	alert->kind = LEAF_ALERT;
	alert->count = 1;
	alert->process.pid = -1;
	alert->process.uid = -1;
	alert->source = batch->source;
	alert->cluster = batch->cluster;
	return alert;
}

void batch_add(struct batch *batch, struct alert *alert)
{
	alert->next = NULL;
	*batch->last = alert;
	batch->last = &alert->next;
	batch->n_alerts++;
	batch->n_redactions += alert->n_redactions;
	batch->item.weight_bytes += alert->raw.size + sizeof *alert;
}
