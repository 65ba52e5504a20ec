/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/suppressor.h"

#include <stdlib.h>

#include "store/suppressions.h"

/* Storms are of few kinds: so many are added up before they are written. */
enum { PENDING_MAX = 64, ARENA_BYTES = 64 * 1024 * 1024, MATCHES_MAX = 16 };

struct suppressor {
	struct arena arena;
	struct suppression_list live;
	bool is_known;
	struct suppression_hit pending[PENDING_MAX];
	size_t n_pending;
};

struct suppressor *suppressor_new(void)
{
	struct suppressor *suppressor = calloc(1, sizeof *suppressor);
	if (suppressor)
		arena_init(&suppressor->arena, ARENA_BYTES);
	return suppressor;
}

void suppressor_free(struct suppressor *suppressor)
{
	if (!suppressor)
		return;
	arena_done(&suppressor->arena);
	free(suppressor);
}

void suppressor_forget(struct suppressor *suppressor)
{
	arena_done(&suppressor->arena);
	suppressor->live = (struct suppression_list){NULL, 0};
	suppressor->is_known = false;
	suppressor->n_pending = 0;
}

static int know(struct suppressor *suppressor, struct connection *connection, int64_t now_ns,
	struct err *err)
{
	if (suppressor->is_known)
		return 0;
	arena_done(&suppressor->arena);
	if (suppressions_live(connection, now_ns, &suppressor->arena, &suppressor->live, err) < 0)
		return -1;
	suppressor->is_known = true;
	return 0;
}

/* The numbers of those that match the alert, into @out. */
static size_t find_matches(const struct suppressor *suppressor, const struct alert *alert,
	int64_t now_ns, uint64_t *out)
{
	struct suppression_labels labels = {0};
	size_t n = 0;
	suppression_labels_of_alert(&labels, alert);
	for (size_t i = 0; i < suppressor->live.n && n < MATCHES_MAX; i++) {
		const struct suppression *suppression = &suppressor->live.items[i];
		if (suppression_state_at(suppression, now_ns) == SUPPRESSION_ACTIVE &&
			suppression_fits(suppression, &labels, LABELS_ALL))
			out[n++] = suppression->number;
	}
	return n;
}

int suppressor_mark(struct suppressor *suppressor, struct connection *connection,
	struct batch *batch, int64_t now_ns, struct err *err)
{
	if (know(suppressor, connection, now_ns, err) < 0)
		return -1;
	for (struct alert *alert = batch->first; alert; alert = alert->next) {
		uint64_t found[MATCHES_MAX];
		alert->flags &= ~(uint32_t)ALERT_SUPPRESSED;
		alert->n_suppressions = 0;
		if (suppressor->live.n == 0 || alert->kind != LEAF_ALERT ||
			alert_is(alert, ALERT_HEALTH) || alert_is(alert, ALERT_ECHO))
			continue;
		size_t n = find_matches(suppressor, alert, now_ns, found);
		uint64_t *numbers = n ? arena_array(&batch->arena, n, sizeof *numbers) : NULL;
		if (n && !numbers)
			return err_set(err, ERR_MEMORY, "out of memory marking alerts");
		for (size_t i = 0; i < n; i++)
			numbers[i] = found[i];
		alert->suppressions = numbers;
		alert->n_suppressions = n;
		if (n)
			alert->flags |= ALERT_SUPPRESSED;
	}
	return 0;
}

static int write_pending(struct suppressor *suppressor, struct connection *connection,
	int64_t now_ns, struct err *err)
{
	for (size_t i = 0; i < suppressor->n_pending; i++)
		if (suppression_hit_add(connection, &suppressor->pending[i], now_ns, err) < 0)
			return -1;
	suppressor->n_pending = 0;
	return 0;
}

static struct suppression_hit *find_pending(
	struct suppressor *suppressor, const struct alert *alert, uint64_t number)
{
	for (size_t i = 0; i < suppressor->n_pending; i++) {
		struct suppression_hit *hit = &suppressor->pending[i];
		if (hit->suppression == number && hit->entity == alert->entity_id &&
			hit->fingerprint == alert->fingerprint_id)
			return hit;
	}
	return NULL;
}

static int count_one(struct suppressor *suppressor, struct connection *connection,
	const struct alert *alert, uint64_t number, int64_t now_ns, struct err *err)
{
	struct suppression_hit *hit = find_pending(suppressor, alert, number);
	if (hit) {
		hit->n++;
		hit->lo_ns = alert->time_ns < hit->lo_ns ? alert->time_ns : hit->lo_ns;
		hit->hi_ns = alert->time_ns > hit->hi_ns ? alert->time_ns : hit->hi_ns;
		hit->last_leaf = alert->leaf;
		return 0;
	}
	if (suppressor->n_pending == PENDING_MAX &&
		write_pending(suppressor, connection, now_ns, err) < 0)
		return -1;
	suppressor->pending[suppressor->n_pending++] = (struct suppression_hit){
		.suppression = number,
		.entity = alert->entity_id,
		.fingerprint = alert->fingerprint_id,
		.n = 1,
		.lo_ns = alert->time_ns,
		.hi_ns = alert->time_ns,
		.first_leaf = alert->leaf,
		.last_leaf = alert->leaf,
	};
	return 0;
}

int suppressor_count(struct suppressor *suppressor, struct connection *connection,
	const struct batch *batch, int64_t now_ns, struct err *err)
{
	for (const struct alert *alert = batch->first; alert; alert = alert->next) {
		size_t n = alert->outcome == OUTCOME_ACCEPTED ? alert->n_suppressions : 0;
		for (size_t i = 0; i < n; i++)
			if (count_one(suppressor, connection, alert, alert->suppressions[i], now_ns,
				    err) < 0)
				return -1;
	}
	return 0;
}

int suppressor_finish(struct suppressor *suppressor, struct connection *connection, int64_t now_ns,
	struct err *err)
{
	return write_pending(suppressor, connection, now_ns, err);
}
