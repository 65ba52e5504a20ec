/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

enum { LANE_KEY_BYTES = 80 };

static struct usage *usage_of(struct intake *intake, uint64_t credential_id)
{
	struct text key = {(const char *)&credential_id, sizeof credential_id};
	union table_value *place = table_put(intake->usages, key);
	if (place && !place->pointer)
		place->pointer = calloc(1, sizeof(struct usage));
	return place ? place->pointer : NULL;
}

static struct lane *lane_of_address(
	struct intake *intake, uint64_t credential_id, struct text address)
{
	char key[LANE_KEY_BYTES];
	size_t size = text_format(
		key, sizeof key, "%llu %.*s", (unsigned long long)credential_id, TEXT_ARG(address));
	return lane_of(intake->lanes, (struct text){key, size});
}

/* The credential's word counts, not the payload's. */
bool delivery_begin(struct delivery *delivery, const struct credential *credential,
	enum source source, struct text address)
{
	struct batch *batch = delivery->batch = batch_new();
	delivery->usage = usage_of(delivery->intake, credential->id);
	if (!delivery->lane)
		delivery->lane = lane_of_address(delivery->intake, credential->id, address);
	if (!batch || !delivery->usage || !delivery->lane)
		return false;
	batch->reply = delivery->intake->reply;
	batch->owner = delivery;
	batch->source = source;
	batch->credential_id = credential->id;
	batch->cluster = arena_copy(&batch->arena, credential->cluster);
	batch->address = arena_copy(&batch->arena, address);
	return !batch->arena.failed;
}

void delivery_done(struct delivery *delivery)
{
	if (delivery->batch && delivery->batch->n_redactions && delivery->body)
		explicit_bzero(delivery->body, delivery->body_size);
	batch_free(delivery->batch);
	free(delivery->body);
	lane_leave(delivery->lane);
	delivery->lane = NULL;
	delivery->batch = NULL;
	delivery->body = NULL;
}

void delivery_heard(struct delivery *delivery)
{
	struct intake *intake = delivery->intake;
	if (delivery->sender) {
		delivery->sender->sender.n_requests++;
		delivery->sender->sender.last_heard_ns = clock_wall_ns(intake->clock);
	}
	intake_touch(intake);
}

/* One delivery may be of several sources. */
static void count_outcomes(const struct delivery *delivery)
{
	static const enum ingest_outcome names[] = {[OUTCOME_ACCEPTED] = INGEST_ACCEPTED,
		[OUTCOME_DUPLICATE] = INGEST_DUPLICATE,
		[OUTCOME_QUARANTINED] = INGEST_QUARANTINED};
	const struct intake *intake = delivery->intake;
	uint64_t counts[N_SOURCES][N_INGEST_OUTCOMES] = {{0}};
	for (const struct alert *alert = delivery->batch->first; alert; alert = alert->next) {
		if (alert->outcome == OUTCOME_SHED)
			metric_add(intake->shed[alert->source], alert->shed->n);
		else if (alert->outcome != OUTCOME_NONE)
			counts[alert->source][names[alert->outcome]]++;
	}
	for (unsigned i = 0; i < N_SOURCES; i++)
		for (unsigned j = 0; j < INGEST_REFUSED; j++)
			if (counts[i][j])
				metric_add(intake->alerts[i][j], counts[i][j]);
}

void delivery_finish(struct delivery *delivery, unsigned status)
{
	struct intake *intake = delivery->intake;
	int64_t took_ms = clock_monotonic_ms(intake->clock) - delivery->arrived_after_ms;
	atomic_fetch_sub(&intake->n_waiting, 1);
	metric_observe(intake->seconds, (double)took_ms / 1000);
	if (status == 200)
		count_outcomes(delivery);
	delivery->finish(delivery, status);
}

void delivery_submit(struct delivery *delivery)
{
	if (delivery->batch->first || delivery->batch->facts) {
		hold_submit(delivery);
		return;
	}
	atomic_fetch_add(&delivery->intake->n_waiting, 1);
	delivery_finish(delivery, 200);
}
