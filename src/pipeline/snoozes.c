/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/snoozes.h"

#include "base/cleanup.h"
#include "base/emit.h"
#include "base/tree.h"
#include "store/activities.h"
#include "store/overlays.h"
#include "store/pieces.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

/* Ending many at once must not keep the others waiting: the rest is for the next transaction. */
enum { ENDED_MAX = 100 };

static void piece_done_auto(struct piece *piece)
{
	piece_sums_done(&piece->sums);
}

int snooze_mark(struct connection *connection, uint64_t number, struct buf *out, struct err *err)
{
	AUTO(piece_done) struct piece piece = {0};
	struct emitter emitter;
	if (piece_read(connection, number, &piece, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_member_u64(&emitter, "severity", piece.sums.severity);
	emit_member_u64(&emitter, "tactics", piece.tactics);
	emit_key(&emitter, "rules");
	emit_array(&emitter);
	for (size_t i = 0; i < piece.sums.n_rules; i++)
		emit_i64(&emitter, piece.sums.rules[i].rule);
	emit_array_end(&emitter);
	emit_object_end(&emitter);
	return 0;
}

static uint64_t number_of(const struct node *mark, const char *key)
{
	uint64_t number = 0;
	text_to_u64(tree_member_text(mark, key), &number);
	return number;
}

/* Both are ascending. */
static bool has_new_rule(const struct node *mark, const struct piece_sums *sums)
{
	const struct node *rules = tree_member(mark, "rules");
	const struct node *known = rules ? rules->first : NULL;
	for (size_t i = 0; i < sums->n_rules; i++) {
		int64_t rule = INT64_MIN;
		for (; known && text_to_i64(known->value, &rule) && rule < sums->rules[i].rule;
			known = known->next)
			;
		if (!known || rule != sums->rules[i].rule)
			return true;
	}
	return false;
}

/* Why it is more than what was put to sleep; absent: it is not. */
static struct text reason(const struct node *mark, const struct piece *piece, struct arena *arena)
{
	bool severity = piece->sums.severity > number_of(mark, "severity");
	bool tactic = (piece->tactics & ~number_of(mark, "tactics")) != 0;
	bool rule = has_new_rule(mark, &piece->sums);
	if (!severity && !tactic && !rule)
		return TEXT_NONE;
	return arena_format(arena, "{\"why\":\"%s%s%s%s%s\"}", severity ? "higher severity" : "",
		severity && (tactic || rule) ? ", " : "", tactic ? "new tactic" : "",
		tactic && rule ? ", " : "", rule ? "new rule" : "");
}

static int note(struct connection *connection, uint64_t number, struct text detail, int64_t now_ns,
	struct err *err)
{
	struct activity activity = {.number = number,
		.time_ns = now_ns,
		.actor = TEXT("tocsin"),
		.kind = ACTIVITY_WOKEN,
		.detail = detail};
	return activity_append(connection, &activity, err);
}

int snooze_check(
	struct connection *connection, struct piece *piece, int64_t now_ns, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct overlay overlay;
	struct node *mark;
	arena_init(&arena, ARENA_BYTES);
	if (!piece->snoozed)
		return 0;
	if (overlay_read(connection, piece->number, &arena, &overlay, err) < 0 ||
		tree_read(overlay.snoozed_from, &arena, &mark, err) < 0)
		return -1;
	struct text why = reason(mark, piece, &arena);
	if (arena.failed)
		return err_set(err, ERR_MEMORY, "out of memory waking an incident");
	if (!why.size)
		return 0;
	piece->snoozed = false;
	return overlay_wake(connection, piece->number, err) < 0
		       ? -1
		       : note(connection, piece->number, why, now_ns, err);
}

int snooze_is_over(struct connection *connection, int64_t now_ns, bool *over, struct err *err)
{
	uint64_t number = 0;
	int failed = overlay_snooze_over(connection, now_ns, &number, err);
	*over = number != 0;
	return failed;
}

static int end_one(struct correlator *correlator, struct connection *connection, uint64_t number,
	int64_t now_ns, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct overlay overlay;
	arena_init(&arena, ARENA_BYTES);
	if (overlay_read(connection, number, &arena, &overlay, err) < 0)
		return -1;
	overlay.snoozed_until_ns = 0;
	correlator_changed(correlator, overlay.key);
	return overlay_write(connection, &overlay, now_ns, err) < 0
		       ? -1
		       : note(connection, number, TEXT("{\"why\":\"its time is over\"}"), now_ns,
				 err);
}

int snoozes_end(struct correlator *correlator, struct connection *connection, int64_t now_ns,
	struct err *err)
{
	for (unsigned i = 0; i < ENDED_MAX; i++) {
		uint64_t number;
		if (overlay_snooze_over(connection, now_ns, &number, err) < 0)
			return -1;
		if (!number)
			return 0;
		if (end_one(correlator, connection, number, now_ns, err) < 0)
			return -1;
	}
	return 0;
}
