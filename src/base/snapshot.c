/* SPDX-License-Identifier: Apache-2.0 */
#include "base/snapshot.h"

#include <pthread.h>
#include <stdlib.h>

struct snapshot_slot {
	pthread_mutex_t mutex;
	struct snapshot *current;
};

struct snapshot_slot *snapshot_slot_new(void)
{
	struct snapshot_slot *slot = calloc(1, sizeof *slot);
	if (slot)
		pthread_mutex_init(&slot->mutex, NULL);
	return slot;
}

void snapshot_slot_free(struct snapshot_slot *slot)
{
	if (!slot)
		return;
	snapshot_unref(slot->current);
	pthread_mutex_destroy(&slot->mutex);
	free(slot);
}

void snapshot_publish(struct snapshot_slot *slot, struct snapshot *snapshot)
{
	atomic_store(&snapshot->n_refs, 1);
	pthread_mutex_lock(&slot->mutex);
	struct snapshot *previous = slot->current;
	slot->current = snapshot;
	pthread_mutex_unlock(&slot->mutex);
	snapshot_unref(previous);
}

struct snapshot *snapshot_ref(struct snapshot_slot *slot)
{
	pthread_mutex_lock(&slot->mutex);
	struct snapshot *current = slot->current;
	if (current)
		atomic_fetch_add(&current->n_refs, 1);
	pthread_mutex_unlock(&slot->mutex);
	return current;
}

void snapshot_share(struct snapshot *snapshot)
{
	atomic_fetch_add(&snapshot->n_refs, 1);
}

void snapshot_unref(struct snapshot *snapshot)
{
	if (snapshot && atomic_fetch_sub(&snapshot->n_refs, 1) == 1)
		snapshot->free(snapshot);
}
