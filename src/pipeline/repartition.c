/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/repartition.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "correlate/numbers.h"
#include "correlate/risk.h"
#include "correlate/session.h"
#include "correlate/sums.h"
#include "pipeline/recurrences.h"
#include "pipeline/snoozes.h"
#include "pipeline/splits.h"
#include "store/activities.h"
#include "store/leaving.h"
#include "store/pieces.h"
#include "store/slots.h"

enum { ARENA_BYTES = 512 * 1024 * 1024, CLAIMS_BYTES = 1024 * 1024 };

/* A piece as the slots have it now. */
struct fresh_piece {
	struct fresh_piece *next;
	struct key_task *task;
	struct piece piece; /* owns its sums until the key state takes them */
	struct counted_rows *rows;
	size_t n_rows, rows_capacity;
	struct entity_parts members;
	size_t members_capacity;
	struct text claims; /* of its scan, as they are stored */
	struct scoring_subject subject;
	bool is_newest;
};

/* A task's keys, old pieces and new pieces while it is worked on. */
struct scan {
	const struct known *known;
	struct connection *connection;
	struct arena *arena;
	struct key_task *task;
	int64_t key;
	struct entity_parts parts;
	struct claims claims;
	struct leaving leaving;
	const struct key_delta **deltas; /* of the task, by slot and entity */
	size_t n_deltas;
	struct session_rules rules; /* with the key's cuts */
	struct piece_list olds;     /* from the first slot that is read, ascending */
	int64_t stop_slot;          /* the first old piece that stays as it is; INT64_MAX: none */
	struct session session;
	struct fresh_piece *first, **last, *current;
	bool ended_in_context;
};

/* One slot of the key: which parts have rows in it. */
struct present {
	int64_t slot;
	size_t part;
};

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory partitioning an incident");
}

static int compare_present(const void *left, const void *right)
{
	const struct present *a = left, *b = right;
	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return (a->part > b->part) - (a->part < b->part);
}

/* Does the part's time touch the slot at all? */
static bool touches(const struct entity_part *part, int64_t slot)
{
	return part->from_ns < (slot + 1) * SLOT_NS && part->to_ns > slot * SLOT_NS;
}

/* The (slot, part) pairs of a day; grows with what is there, not with how many parts a key has. */
struct day_pairs {
	struct present *items;
	size_t n, capacity;
};

static bool add_pair(struct scan *scan, struct day_pairs *pairs, int64_t slot, size_t part)
{
	if (pairs->n == pairs->capacity) {
		size_t capacity = pairs->capacity ? pairs->capacity * 2 : 64;
		struct present *items = arena_array(scan->arena, capacity, sizeof *items);
		if (!items)
			return false;
		if (pairs->n)
			memcpy(items, pairs->items, pairs->n * sizeof *items);
		pairs->items = items;
		pairs->capacity = capacity;
	}
	pairs->items[pairs->n++] = (struct present){slot, part};
	return true;
}

/* From @from_slot on, ascending. */
static int read_day(
	struct scan *scan, int64_t day, int64_t from_slot, struct day_pairs *pairs, struct err *err)
{
	for (size_t i = 0; i < scan->parts.n; i++) {
		const struct entity_part *part = &scan->parts.items[i];
		unsigned char bits[PRESENCE_BYTES];
		if (presence_read(scan->connection, day, part->entity, bits, err) < 0)
			return -1;
		for (unsigned j = 0; j < SLOTS_PER_DAY; j++) {
			int64_t slot = day * SLOTS_PER_DAY + j;
			if (!presence_has(bits, j) || slot < from_slot || !touches(part, slot))
				continue;
			if (!add_pair(scan, pairs, slot, i))
				return no_memory(err);
		}
	}
	if (pairs->n)
		qsort(pairs->items, pairs->n, sizeof *pairs->items, compare_present);
	return 0;
}

static int add_member(struct scan *scan, const struct entity_part *part, struct err *err)
{
	struct fresh_piece *fresh = scan->current;
	for (size_t i = 0; i < fresh->members.n; i++)
		if (fresh->members.items[i].entity == part->entity &&
			fresh->members.items[i].from_ns == part->from_ns)
			return 0;
	if (fresh->members.n == fresh->members_capacity) {
		size_t capacity = fresh->members_capacity ? fresh->members_capacity * 2 : 4;
		struct entity_part *items = arena_array(scan->arena, capacity, sizeof *items);
		if (!items)
			return no_memory(err);
		if (fresh->members.n)
			memcpy(items, fresh->members.items, fresh->members.n * sizeof *items);
		fresh->members.items = items;
		fresh->members_capacity = capacity;
	}
	fresh->members.items[fresh->members.n++] = *part;
	return 0;
}

static int compare_places(const struct key_delta *delta, int64_t slot, int64_t entity)
{
	if (delta->row->slot != slot)
		return delta->row->slot < slot ? -1 : 1;
	return (delta->row->entity > entity) - (delta->row->entity < entity);
}

static int compare_deltas(const void *left, const void *right)
{
	const struct key_delta *const *a = left, *const *b = right;
	return compare_places(*a, (*b)->row->slot, (*b)->row->entity);
}

static int sort_deltas(struct scan *scan, struct err *err)
{
	size_t n = 0;
	for (const struct key_delta *delta = scan->task->deltas; delta; delta = delta->next)
		n++;
	scan->deltas = arena_array(scan->arena, n + 1, sizeof(*scan->deltas));
	if (!scan->deltas)
		return no_memory(err);
	for (const struct key_delta *delta = scan->task->deltas; delta; delta = delta->next)
		scan->deltas[scan->n_deltas++] = delta;
	qsort(scan->deltas, n, sizeof(*scan->deltas), compare_deltas);
	return 0;
}

static bool has_whole_slot(const struct entity_part *part, int64_t slot)
{
	return part->from_ns <= slot * SLOT_NS && part->to_ns >= (slot + 1) * SLOT_NS;
}

/* How many of the entity's alerts in the slot came with this transaction: no incident had them. */
static uint64_t count_added(const struct scan *scan, int64_t slot, const struct entity_part *part)
{
	uint64_t n = 0;
	size_t low = 0, high = scan->n_deltas;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (compare_places(scan->deltas[middle], slot, part->entity) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < scan->n_deltas; low++) {
		const struct key_delta *delta = scan->deltas[low];
		if (compare_places(delta, slot, part->entity) != 0)
			break;
		if (delta->part.from_ns == part->from_ns &&
			claims_have(&scan->claims, slot, delta->row->print))
			n += delta->row->n;
	}
	return n;
}

/* *n alerts become those of them that an incident may have had before the transaction. */
static int leave_out_added(const struct scan *scan, int64_t slot, const struct entity_part *part,
	uint64_t *n, struct err *err)
{
	struct slot_part wanted = {slot, part->entity, part->from_ns, part->to_ns};
	uint64_t before;
	if (scan->n_deltas == 0)
		return 0;
	/* Where a name changes hands, a delta does not say which alert is on which side. */
	if (!has_whole_slot(part, slot)) {
		if (slot_part_count(
			    scan->connection, &wanted, scan->task->first_leaf, &before, err) < 0)
			return -1;
	} else {
		uint64_t added = count_added(scan, slot, part);
		before = added < *n ? *n - added : 0;
	}
	*n = before < *n ? before : *n;
	return 0;
}

/* The alerts of one part of the key in one slot, those that an incident may have had before. */
static int count_rows(struct scan *scan, const struct present *pair, const struct slot_rows *rows,
	struct err *err)
{
	struct fresh_piece *fresh = scan->current;
	if (fresh->n_rows == fresh->rows_capacity) {
		size_t capacity = fresh->rows_capacity ? fresh->rows_capacity * 2 : 8;
		struct counted_rows *larger = arena_array(scan->arena, capacity, sizeof *larger);
		if (!larger)
			return no_memory(err);
		if (fresh->n_rows)
			memcpy(larger, fresh->rows, fresh->n_rows * sizeof *larger);
		fresh->rows = larger;
		fresh->rows_capacity = capacity;
	}
	const struct entity_part *part = &scan->parts.items[pair->part];
	struct counted_rows *counted = &fresh->rows[fresh->n_rows++];
	*counted = (struct counted_rows){pair->slot, part->entity, INT64_MAX, INT64_MIN, 0};
	for (size_t i = 0; i < rows->n; i++) {
		const struct slot_row *row = &rows->rows[i];
		counted->lo_ns = row->lo_ns < counted->lo_ns ? row->lo_ns : counted->lo_ns;
		counted->hi_ns = row->hi_ns > counted->hi_ns ? row->hi_ns : counted->hi_ns;
		counted->n += row->n;
	}
	return leave_out_added(scan, pair->slot, part, &counted->n, err);
}

static int found_piece(struct scan *scan, struct err *err)
{
	struct fresh_piece *fresh = arena_alloc(scan->arena, sizeof *fresh);
	if (!fresh)
		return no_memory(err);
	fresh->task = scan->task;
	fresh->piece.key = scan->key;
	*scan->last = fresh;
	scan->last = &fresh->next;
	scan->current = fresh;
	return 0;
}

/* The rows of one slot of the key and what a session sees of them. */
struct gathered_slot {
	struct session_slot seen;
	uint64_t n;
	struct slot_rows *rows; /* per pair */
	const struct present *pairs;
	size_t n_pairs;
};

static void see_row(struct gathered_slot *slot, int64_t *context_lo, const struct slot_row *row)
{
	slot->n += row->n;
	if (slot_row_is_context(row)) {
		*context_lo = row->lo_ns < *context_lo ? row->lo_ns : *context_lo;
		return;
	}
	slot->seen.has_alerts = true;
	slot->seen.lo_ns = row->lo_ns < slot->seen.lo_ns ? row->lo_ns : slot->seen.lo_ns;
	slot->seen.hi_ns = row->hi_ns > slot->seen.hi_ns ? row->hi_ns : slot->seen.hi_ns;
}

/* Leaves only the rows that are the scan's own. */
static void keep_own(const struct scan *scan, struct slot_rows *rows)
{
	size_t n = 0;
	if (scan->claims.n == 0 && !scan->claims.carved)
		return;
	for (size_t i = 0; i < rows->n; i++)
		if (claims_have(&scan->claims, rows->rows[i].slot, rows->rows[i].print))
			rows->rows[n++] = rows->rows[i];
	rows->n = n;
}

static int gather_slot(struct scan *scan, struct gathered_slot *slot, struct err *err)
{
	int64_t context_lo = INT64_MAX;
	slot->rows = arena_array(scan->arena, slot->n_pairs, sizeof *slot->rows);
	if (!slot->rows)
		return no_memory(err);
	slot->seen = (struct session_slot){slot->pairs->slot, false, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < slot->n_pairs; i++) {
		const struct entity_part *part = &scan->parts.items[slot->pairs[i].part];
		struct slot_part wanted = {
			slot->pairs[i].slot, part->entity, part->from_ns, part->to_ns};
		if (leaving_others_read(scan->connection, &scan->leaving, &wanted, scan->arena,
			    &slot->rows[i], err) < 0)
			return -1;
		keep_own(scan, &slot->rows[i]);
		for (size_t j = 0; j < slot->rows[i].n; j++)
			see_row(slot, &context_lo, &slot->rows[i].rows[j]);
	}
	if (!slot->seen.has_alerts)
		slot->seen.lo_ns = context_lo;
	return 0;
}

/* The slot joins the piece that the session is at. */
static int join_slot(struct scan *scan, const struct gathered_slot *slot, struct err *err)
{
	struct fresh_piece *fresh = scan->current;
	for (size_t i = 0; i < slot->n_pairs; i++) {
		const struct slot_rows *rows = &slot->rows[i];
		for (size_t j = 0; j < rows->n; j++)
			if (!sums_add(&fresh->piece.sums, &rows->rows[j]))
				return no_memory(err);
		if (rows->n == 0)
			continue;
		if (add_member(scan, &scan->parts.items[slot->pairs[i].part], err) < 0 ||
			count_rows(scan, &slot->pairs[i], rows, err) < 0)
			return -1;
	}
	fresh->piece.first_slot = scan->session.first_slot;
	fresh->piece.last_slot = scan->session.last_slot;
	fresh->piece.lo_ns = scan->session.lo_ns;
	fresh->piece.hi_ns = scan->session.hi_ns;
	return 0;
}

static bool is_old_boundary(const struct scan *scan, int64_t slot)
{
	for (size_t i = 0; i < scan->olds.n; i++)
		if (scan->olds.items[i].first_slot == slot)
			return true;
	return false;
}

/* Feeds one slot. Sets stop_slot where the rest of the key stays as it was. */
static int feed_slot(struct scan *scan, struct gathered_slot *slot, struct err *err)
{
	if (gather_slot(scan, slot, err) < 0)
		return -1;
	if (slot->n == 0)
		return 0;
	struct session before = scan->session;
	switch (session_feed(&scan->session, &slot->seen, &scan->rules)) {
	case SESSION_ENDED:
		scan->ended_in_context = true;
		return 0;
	case SESSION_FOUNDED:
		scan->ended_in_context = false;
		if (slot->seen.slot > scan->task->to_slot &&
			is_old_boundary(scan, slot->seen.slot)) {
			scan->stop_slot = slot->seen.slot;
			scan->session = before;
			return 0;
		}
		if (found_piece(scan, err) < 0)
			return -1;
		break;
	case SESSION_EXTENDED:
		break;
	}
	return join_slot(scan, slot, err);
}

static int feed_day(struct scan *scan, int64_t day, int64_t from_slot, struct err *err)
{
	struct day_pairs pairs = {0};
	if (read_day(scan, day, from_slot, &pairs, err) < 0)
		return -1;
	for (size_t i = 0; i < pairs.n && scan->stop_slot == INT64_MAX;) {
		struct gathered_slot slot = {.pairs = &pairs.items[i]};
		while (i < pairs.n && pairs.items[i].slot == slot.pairs->slot) {
			slot.n_pairs++;
			i++;
		}
		if (feed_slot(scan, &slot, err) < 0)
			return -1;
	}
	return 0;
}

/*
 * Where reading begins: at the incident that starts before the first changed slot. One that starts
 * in it will not do: whether it starts there at all is what has to be decided.
 */
static int find_start(struct scan *scan, int64_t *from_slot, struct err *err)
{
	bool found;
	*from_slot = scan->task->from_slot;
	return piece_first_slot_before(
		scan->connection, scan->key, scan->task->from_slot, from_slot, &found, err);
}

struct text key_task_base(const struct key_task *task)
{
	size_t cut = task->carved ? CARVED_BYTES + 1 : 0;
	return text_part(task->key, 0, task->key.size - cut);
}

/* What people changed about the key: its own rows, its cuts. */
static int scan_edits(struct scan *scan, struct err *err)
{
	const struct known *known = scan->known;
	struct text base = key_task_base(scan->task);
	char carved[CARVED_BYTES + 1] = "";
	if (scan->task->carved)
		text_format(carved, sizeof carved, "%.*s",
			TEXT_ARG(text_part(scan->task->key, base.size + 1, CARVED_BYTES)));
	const struct key_edits *edits =
		edits_of(known->edits, known->identities, scan->connection, base, err);
	if (!edits && err->kind != ERR_NONE)
		return -1;
	scan->rules = session_rules_default;
	scan->rules.cuts = edits_cuts(edits, carved, scan->arena, &scan->rules.n_cuts);
	return scan->rules.cuts && edits_claims(edits, carved, scan->arena, &scan->claims)
		       ? 0
		       : no_memory(err);
}

/* The key, its parts and its pieces from *from_slot on. */
static int scan_start(struct scan *scan, int64_t *from_slot, struct err *err)
{
	if (key_intern(scan->connection, scan->task->key, &scan->key, err) < 0 ||
		leaving_find(scan->connection, scan->arena, &scan->leaving, err) < 0 ||
		sort_deltas(scan, err) < 0 || scan_edits(scan, err) < 0 ||
		identities_parts(scan->known->identities, scan->connection,
			key_task_base(scan->task), scan->arena, &scan->parts, err) < 0 ||
		find_start(scan, from_slot, err) < 0)
		return -1;
	return pieces_read(scan->connection, scan->key, *from_slot, scan->arena, &scan->olds, err);
}

/* Who the new pieces are about. */
static int name_subject(struct scan *scan, struct fresh_piece *fresh, struct err *err)
{
	const struct known *known = scan->known;
	scoring_subject_init(known->scoring, key_task_base(scan->task), &fresh->subject);
	for (size_t i = 0; i < fresh->members.n; i++) {
		const struct entity_state *member = identities_entity(
			known->identities, scan->connection, fresh->members.items[i].entity, err);
		if (!member)
			return -1;
		scoring_subject_add(known->scoring, member, &fresh->subject);
	}
	return 0;
}

/* Completes the new pieces by what does not come from their slots. */
static int scan_finish(struct scan *scan, struct err *err)
{
	AUTO(buf_done) struct buf claims;
	buf_init(&claims, CLAIMS_BYTES);
	claims_write(&scan->claims, &claims);
	struct text stored = arena_copy(scan->arena, buf_text(&claims));
	if (!buf_ok(&claims) || scan->arena->failed)
		return no_memory(err);
	for (struct fresh_piece *fresh = scan->first; fresh; fresh = fresh->next) {
		fresh->claims = stored;
		if (name_subject(scan, fresh, err) < 0 ||
			scoring_apply(scan->known->scoring, scan->connection, &fresh->subject,
				&fresh->piece, err) < 0)
			return -1;
	}
	return 0;
}

static int scan_key(struct scan *scan, struct err *err)
{
	int64_t from_slot, first_day, last_day;
	if (scan_start(scan, &from_slot, err) < 0 ||
		presence_days(scan->connection, &first_day, &last_day, err) < 0)
		return -1;
	if (from_slot != INT64_MIN && day_of_slot(from_slot) > first_day)
		first_day = day_of_slot(from_slot);
	for (int64_t day = first_day; day <= last_day && scan->stop_slot == INT64_MAX; day++)
		if (feed_day(scan, day, from_slot, err) < 0)
			return -1;
	if (scan->stop_slot == INT64_MAX && scan->current && !scan->ended_in_context)
		scan->current->is_newest = true;
	return scan_finish(scan, err);
}

/* All pieces of the tasks of one group, for the matching of numbers. */
struct matching {
	struct old_piece *olds;
	const struct piece **pieces; /* of olds */
	size_t n_olds;
	struct new_piece *news;
	struct fresh_piece **fresh; /* of news */
	size_t n_news;
};

static bool is_replaced(const struct scan *scan, const struct piece *old)
{
	return old->first_slot < scan->stop_slot;
}

static int compare_members(const void *left, const void *right)
{
	const struct piece_member *a = left, *b = right;
	return (a->entity > b->entity) - (a->entity < b->entity);
}

static int take_old(
	struct scan *scan, const struct piece *piece, struct matching *matching, struct err *err)
{
	struct member_list members;
	if (members_read(scan->connection, piece->number, scan->arena, &members, err) < 0)
		return -1;
	if (members.n)
		qsort(members.items, members.n, sizeof *members.items, compare_members);
	matching->pieces[matching->n_olds] = piece;
	matching->olds[matching->n_olds++] = (struct old_piece){
		.number = piece->number,
		.key = piece->key,
		.first_slot = piece->first_slot,
		.last_slot = piece->last_slot,
		.lo_ns = piece->lo_ns,
		.members = members.items,
		.n_members = members.n,
		.touched = piece->touched,
	};
	return 0;
}

static int collect(struct scan *scans, size_t n_scans, struct arena *arena,
	struct matching *matching, struct err *err)
{
	size_t n_olds = 0, n_news = 0;
	for (size_t i = 0; i < n_scans; i++) {
		n_olds += scans[i].olds.n;
		for (struct fresh_piece *fresh = scans[i].first; fresh; fresh = fresh->next)
			n_news++;
	}
	matching->olds = arena_array(arena, n_olds + 1, sizeof *matching->olds);
	matching->pieces = arena_array(arena, n_olds + 1, sizeof *matching->pieces);
	matching->news = arena_array(arena, n_news + 1, sizeof *matching->news);
	matching->fresh = arena_array(arena, n_news + 1, sizeof *matching->fresh);
	if (arena->failed)
		return no_memory(err);
	for (size_t i = 0; i < n_scans; i++) {
		for (size_t j = 0; j < scans[i].olds.n; j++) {
			const struct piece *old = &scans[i].olds.items[j];
			if (!is_replaced(&scans[i], old))
				continue;
			if (take_old(&scans[i], old, matching, err) < 0)
				return -1;
		}
		for (struct fresh_piece *fresh = scans[i].first; fresh; fresh = fresh->next) {
			matching->fresh[matching->n_news] = fresh;
			matching->news[matching->n_news++] =
				(struct new_piece){.key = fresh->piece.key,
					.rows = fresh->rows,
					.n_rows = fresh->n_rows};
		}
	}
	return 0;
}

static int write_members(
	struct connection *connection, const struct fresh_piece *fresh, struct err *err)
{
	if (members_clear(connection, fresh->piece.number, err) < 0)
		return -1;
	for (size_t i = 0; i < fresh->members.n; i++) {
		const struct entity_part *part = &fresh->members.items[i];
		struct piece_member member = {part->entity, part->from_ns, part->to_ns};
		if (member_add(connection, fresh->piece.number, &member, err) < 0)
			return -1;
	}
	return 0;
}

/* @old: the piece that had the number before; NULL: it is new. */
static int write_fresh(struct connection *connection, struct fresh_piece *fresh,
	const struct piece *old, uint64_t split_from, struct err *err)
{
	struct piece_origin origin = {fresh->claims, split_from};
	int64_t now_ns = fresh->task->now_ns;
	if (old) {
		fresh->piece.revision = old->revision;
		fresh->piece.sealed = old->sealed;
		fresh->piece.touched = old->touched;
		fresh->piece.snoozed = old->snoozed;
	}
	/* A revision is a change that somebody could see. */
	int failed = 0;
	if (!old || !piece_equal(old, &fresh->piece))
		failed = piece_write(connection, &fresh->piece, &origin, now_ns, err) < 0 ||
			 snooze_check(connection, &fresh->piece, now_ns, err) < 0;
	else if (old->has_claims || fresh->claims.size)
		failed = piece_claims_write(connection, old->number, fresh->claims, err);
	return failed ? -1 : write_members(connection, fresh, err);
}

/* The key's state takes the newest piece, sums and all. */
static void keep_newest(struct fresh_piece *fresh)
{
	struct key_state *state = fresh->task->state;
	piece_sums_done(&state->newest.sums);
	state->key = fresh->piece.key;
	state->newest = fresh->piece;
	fresh->piece.sums = (struct piece_sums){0};
	state->subject = fresh->subject;
	state->loose_context = false;
	state->n_members = 0;
	for (size_t i = 0; i < fresh->members.n && i < KEY_MEMBERS_MAX; i++) {
		const struct entity_part *part = &fresh->members.items[i];
		state->members[state->n_members++] =
			(struct piece_member){part->entity, part->from_ns, part->to_ns};
	}
}

/* Old pieces whose number no new one has: they redirect, or their alerts are gone. */
static int remove_olds(struct connection *connection, const struct matching *matching,
	int64_t now_ns, struct err *err)
{
	for (size_t i = 0; i < matching->n_olds; i++) {
		const struct old_piece *old = &matching->olds[i];
		bool kept = false;
		for (size_t j = 0; j < matching->n_news; j++)
			kept |= matching->fresh[j]->piece.number == old->number;
		uint64_t to =
			old->redirect_to ? matching->fresh[old->redirect_to - 1]->piece.number : 0;
		if (kept)
			continue;
		if (piece_remove(connection, old->number, err) < 0 ||
			(to && incident_merge(connection, old->number, to, now_ns, err) < 0))
			return -1;
	}
	return 0;
}

/* The piece that had this number before; NULL: the number is new. */
static const struct piece *old_of(const struct matching *matching, uint64_t number)
{
	for (size_t i = 0; i < matching->n_olds && number; i++)
		if (matching->olds[i].number == number)
			return matching->pieces[i];
	return NULL;
}

/* The piece of the same key in front of news[i]; NULL: it is the first of those that were read. */
static const struct fresh_piece *in_front(const struct matching *matching, size_t i)
{
	return i > 0 && matching->fresh[i - 1]->task == matching->fresh[i]->task
		       ? matching->fresh[i - 1]
		       : NULL;
}

static int write_matching(
	struct connection *connection, struct matching *matching, int64_t now_ns, struct err *err)
{
	numbers_match(matching->olds, matching->n_olds, matching->news, matching->n_news);
	for (size_t i = 0; i < matching->n_news; i++) {
		struct fresh_piece *fresh = matching->fresh[i];
		const struct new_piece *found = &matching->news[i];
		fresh->piece.number = found->number;
		if (write_fresh(connection, fresh, old_of(matching, found->number),
			    found->split_from, err) < 0)
			return -1;
		if (found->split_from && split_note(connection, found->split_from,
						 fresh->piece.number, now_ns, err) < 0)
			return -1;
		const struct fresh_piece *front = found->number ? NULL : in_front(matching, i);
		if (front && recurrence_note(connection, front->piece.number, &fresh->piece, now_ns,
				     err) < 0)
			return -1;
	}
	if (remove_olds(connection, matching, now_ns, err) < 0)
		return -1;
	for (size_t i = 0; i < matching->n_news; i++)
		if (matching->fresh[i]->is_newest)
			keep_newest(matching->fresh[i]);
	return 0;
}

static void free_scans(struct scan *scans, size_t n_scans)
{
	for (size_t i = 0; i < n_scans; i++) {
		piece_list_done(&scans[i].olds);
		for (struct fresh_piece *fresh = scans[i].first; fresh; fresh = fresh->next)
			piece_sums_done(&fresh->piece.sums);
	}
}

/* The tasks from @task on that are of its group; a task without group is alone. */
static size_t group_size(const struct key_task *task)
{
	size_t n = 1;
	for (const struct key_task *other = task->next; other && task->group; other = other->next)
		n += other->group == task->group;
	return n;
}

static int repartition_group(const struct known *known, struct connection *connection,
	struct key_task *first, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct matching matching = {0};
	size_t n = 0;
	arena_init(&arena, ARENA_BYTES);
	struct scan *scans = arena_array(&arena, group_size(first), sizeof *scans);
	if (!scans)
		return no_memory(err);
	int failed = 0;
	for (struct key_task *task = first; task && !failed;
		task = first->group ? task->next : NULL) {
		if (task->group != first->group)
			continue;
		struct scan *scan = &scans[n++];
		*scan = (struct scan){.known = known,
			.connection = connection,
			.arena = &arena,
			.task = task,
			.stop_slot = INT64_MAX};
		scan->last = &scan->first;
		failed = scan_key(scan, err);
	}
	if (!failed)
		failed = collect(scans, n, &arena, &matching, err);
	if (!failed)
		failed = write_matching(connection, &matching, first->now_ns, err);
	free_scans(scans, n);
	return failed;
}

/* Was an earlier task of the same group worked on already? */
static bool is_done(const struct key_task *tasks, const struct key_task *task)
{
	for (const struct key_task *other = tasks; task->group && other != task;
		other = other->next)
		if (other->group == task->group)
			return true;
	return false;
}

int repartition(const struct known *known, struct connection *connection, struct key_task *tasks,
	struct err *err)
{
	for (struct key_task *task = tasks; task; task = task->next)
		if (!is_done(tasks, task) && repartition_group(known, connection, task, err) < 0)
			return -1;
	return 0;
}
