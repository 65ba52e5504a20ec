/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/edits.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "store/edits.h"

enum { ARENA_BYTES = 256 * 1024 * 1024 };

/* An edit in memory. */
struct known_edit {
	struct known_edit *next;
	struct stored_edit stored;
	char carved[CARVED_BYTES + 1]; /* of an unlink itself; of the unlink that a cut is of */
	bool undone;
	bool changed; /* not yet told to edits_apply */
};

struct edits {
	bool loaded;
	struct arena arena; /* of the edits */
	struct known_edit *first;
	struct table *by_id;
	struct table *undos;   /* ids that an undo names */
	struct table *waiting; /* anchors that have not come: occ → number of edits */
	size_t n;
	/* The index from key to struct key_edits; made when needed. */
	struct table *by_key;
	struct arena index;
	uint64_t generation; /* of the identities it was made with */
	bool incomplete;     /* an unlink names a fingerprint that no alert has had yet */
};

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory for people's edits");
}

struct edits *edits_new(void)
{
	struct edits *edits = calloc(1, sizeof *edits);
	if (!edits)
		return NULL;
	arena_init(&edits->arena, ARENA_BYTES);
	arena_init(&edits->index, ARENA_BYTES);
	return edits;
}

static void drop_index(struct edits *edits)
{
	table_free(edits->by_key);
	edits->by_key = NULL;
	arena_done(&edits->index);
}

void edits_forget(struct edits *edits)
{
	drop_index(edits);
	table_free(edits->by_id);
	table_free(edits->undos);
	table_free(edits->waiting);
	edits->by_id = edits->undos = edits->waiting = NULL;
	edits->first = NULL;
	edits->n = 0;
	edits->loaded = false;
	arena_done(&edits->arena);
}

void edits_free(struct edits *edits)
{
	if (!edits)
		return;
	edits_forget(edits);
	free(edits);
}

static struct known_edit *find(const struct edits *edits, struct text id)
{
	union table_value *place = table_get(edits->by_id, id);
	return place ? place->pointer : NULL;
}

static struct text occ_key(const struct edit *edit)
{
	return (struct text){(const char *)edit->anchor, OCCURRENCE_BYTES};
}

static bool wait_for(struct edits *edits, const struct edit *edit)
{
	union table_value *place = table_put(edits->waiting, occ_key(edit));
	if (place)
		place->number++;
	return place != NULL;
}

/* An undo takes effect whether its edit is there already or comes later. */
static void note_undo(struct edits *edits, struct known_edit *known)
{
	struct known_edit *target = find(edits, known->stored.edit.target);
	if (!target || target->undone)
		return;
	target->undone = true;
	target->changed = target->stored.anchored;
}

static bool is_undone(const struct edits *edits, struct text id)
{
	return table_get(edits->undos, id) != NULL;
}

/* Puts one more edit into memory; its texts are in the edits' arena already. */
static struct known_edit *keep(struct edits *edits, const struct stored_edit *stored)
{
	struct known_edit *known = arena_alloc(&edits->arena, sizeof *known);
	union table_value *place = table_put(edits->by_id, stored->edit.id);
	if (!known || !place)
		return NULL;
	known->stored = *stored;
	if (stored->edit.kind == EDIT_UNDO && !table_put(edits->undos, stored->edit.target))
		return NULL;
	known->undone = is_undone(edits, stored->edit.id);
	if (stored->edit.kind == EDIT_UNLINK)
		edit_carved(stored->edit.id, known->carved);
	else if (stored->edit.kind == EDIT_CUT && stored->edit.target.size)
		edit_carved(stored->edit.target, known->carved);
	place->pointer = known;
	known->next = edits->first;
	edits->first = known;
	edits->n++;
	if (stored->edit.kind == EDIT_UNDO)
		note_undo(edits, known);
	else if (!stored->anchored && !wait_for(edits, &stored->edit))
		return NULL;
	return known;
}

static int load(struct edits *edits, struct connection *connection, struct err *err)
{
	struct stored_edits stored;
	if (edits->loaded)
		return 0;
	edits_forget(edits);
	edits->by_id = table_new(NULL);
	edits->undos = table_new(NULL);
	edits->waiting = table_new(NULL);
	if (!edits->by_id || !edits->undos || !edits->waiting)
		return no_memory(err);
	if (edits_read(connection, &edits->arena, &stored, err) < 0)
		return -1;
	for (size_t i = 0; i < stored.n; i++)
		if (!keep(edits, &stored.items[i]))
			return no_memory(err);
	for (struct known_edit *known = edits->first; known; known = known->next)
		known->changed = false;
	edits->loaded = true;
	return 0;
}

static int anchor(struct connection *connection, struct known_edit *known, int64_t entity,
	int64_t time_ns, struct err *err)
{
	known->stored.anchored = true;
	known->stored.entity = entity;
	known->stored.anchor_ns = time_ns;
	known->changed = !known->undone;
	return edit_anchor(connection, known->stored.seq, entity, time_ns, err);
}

static struct edit copy_edit(struct arena *arena, const struct edit *edit)
{
	struct edit copy = *edit;
	copy.id = arena_copy(arena, edit->id);
	copy.target = arena_copy(arena, edit->target);
	return copy;
}

int edits_add(struct edits *edits, struct connection *connection, const struct edit *edit,
	struct err *err)
{
	bool is_new, found;
	int64_t entity, time_ns;
	struct stored_edit stored = {0};
	if (load(edits, connection, err) < 0 ||
		edit_insert(connection, edit, &stored.seq, &is_new, err) < 0)
		return -1;
	if (!is_new)
		return 0;
	stored.edit = copy_edit(&edits->arena, edit);
	struct known_edit *known = edits->arena.failed ? NULL : keep(edits, &stored);
	if (!known)
		return no_memory(err);
	drop_index(edits);
	if (edit->kind == EDIT_UNDO)
		return 0;
	if (edit_anchor_find(connection, edit->anchor, &found, &entity, &time_ns, err) < 0)
		return -1;
	if (!found)
		return 0;
	table_remove(edits->waiting, occ_key(edit));
	return anchor(connection, known, entity, time_ns, err);
}

int edits_note(struct edits *edits, struct connection *connection, const struct alert *alert,
	struct err *err)
{
	if (load(edits, connection, err) < 0)
		return -1;
	struct text occ = {(const char *)alert->occ, OCCURRENCE_BYTES};
	if (table_count(edits->waiting) == 0 || !table_remove(edits->waiting, occ))
		return 0;
	for (struct known_edit *known = edits->first; known; known = known->next) {
		const struct stored_edit *stored = &known->stored;
		if (stored->edit.kind == EDIT_UNDO || stored->anchored ||
			memcmp(stored->edit.anchor, alert->occ, OCCURRENCE_BYTES) != 0)
			continue;
		if (anchor(connection, known, alert->entity_id, alert->time_ns, err) < 0)
			return -1;
	}
	drop_index(edits);
	return 0;
}

/* The key's entry in the index, made if new. */
static struct key_edits *entry_of(struct edits *edits, struct text key)
{
	union table_value *place = table_put(edits->by_key, key);
	if (place && !place->pointer)
		place->pointer = arena_alloc(&edits->index, sizeof(struct key_edits));
	return place ? place->pointer : NULL;
}

static bool add_cut(struct edits *edits, struct key_edits *entry, const struct known_edit *known)
{
	struct key_cut *cuts = arena_array(&edits->index, entry->n_cuts + 1, sizeof *cuts);
	if (!cuts)
		return false;
	if (entry->n_cuts)
		memcpy(cuts, entry->cuts, entry->n_cuts * sizeof *cuts);
	cuts[entry->n_cuts].slot = known->stored.edit.from_slot;
	memcpy(cuts[entry->n_cuts].carved, known->carved, sizeof known->carved);
	entry->cuts = cuts;
	entry->n_cuts++;
	return true;
}

static int make_claim(struct connection *connection, const struct edit *edit, struct claim *claim,
	struct err *err)
{
	*claim = (struct claim){.from_slot = edit->from_slot, .to_slot = edit->to_slot};
	for (size_t i = 0; i < edit->n_prints; i++) {
		int64_t id;
		if (edit_print_find(connection, edit->prints[i], &id, err) < 0)
			return -1;
		if (id)
			claim->prints[claim->n_prints++] = id;
	}
	return 0;
}

static int add_unlink(struct edits *edits, struct connection *connection, struct key_edits *entry,
	const struct known_edit *known, struct err *err)
{
	struct key_unlink *unlinks =
		arena_array(&edits->index, entry->n_unlinks + 1, sizeof *unlinks);
	if (!unlinks)
		return no_memory(err);
	if (entry->n_unlinks)
		memcpy(unlinks, entry->unlinks, entry->n_unlinks * sizeof *unlinks);
	struct key_unlink *unlink = &unlinks[entry->n_unlinks++];
	entry->unlinks = unlinks;
	unlink->live = !known->undone;
	memcpy(unlink->carved, known->carved, sizeof known->carved);
	if (make_claim(connection, &known->stored.edit, &unlink->claim, err) < 0)
		return -1;
	edits->incomplete |= unlink->claim.n_prints < known->stored.edit.n_prints;
	return 0;
}

static int index_edit(struct edits *edits, struct identities *identities,
	struct connection *connection, const struct known_edit *known, struct err *err)
{
	int64_t entity = known->stored.entity;
	struct text key =
		identities_key(identities, connection, entity, known->stored.anchor_ns, err);
	if (!key.size)
		return -1;
	if (!identities_watch(identities, entity))
		return no_memory(err);
	struct key_edits *entry = entry_of(edits, key);
	if (!entry)
		return no_memory(err);
	if (known->stored.edit.kind == EDIT_UNLINK)
		return add_unlink(edits, connection, entry, known, err);
	return known->undone || add_cut(edits, entry, known) ? 0 : no_memory(err);
}

static int compare_ids(const void *left, const void *right)
{
	const struct known_edit *const *a = left, *const *b = right;
	return text_compare((*a)->stored.edit.id, (*b)->stored.edit.id);
}

/* Applies to a key: its alert is there, and it holds or held until this transaction. */
static bool counts(const struct known_edit *known)
{
	return known->stored.edit.kind != EDIT_UNDO && known->stored.anchored &&
	       (!known->undone || known->changed);
}

static int make_index(struct edits *edits, struct identities *identities,
	struct connection *connection, struct err *err)
{
	size_t n = 0;
	drop_index(edits);
	edits->incomplete = false;
	edits->by_key = table_new(NULL);
	struct known_edit **sorted = arena_array(&edits->index, edits->n + 1, sizeof(*sorted));
	if (!edits->by_key || !sorted)
		return no_memory(err);
	for (struct known_edit *known = edits->first; known; known = known->next)
		if (counts(known))
			sorted[n++] = known;
	qsort(sorted, n, sizeof(*sorted), compare_ids);
	for (size_t i = 0; i < n; i++)
		if (index_edit(edits, identities, connection, sorted[i], err) < 0)
			return -1;
	edits->generation = identities_generation(identities);
	return 0;
}

const struct key_edits *edits_of(struct edits *edits, struct identities *identities,
	struct connection *connection, struct text key, struct err *err)
{
	err->kind = ERR_NONE;
	if (load(edits, connection, err) < 0)
		return NULL;
	if (edits->n == 0)
		return NULL;
	if ((!edits->by_key || edits->generation != identities_generation(identities)) &&
		make_index(edits, identities, connection, err) < 0) {
		drop_index(edits);
		return NULL;
	}
	union table_value *place = table_get(edits->by_key, key);
	return place ? place->pointer : NULL;
}

int edits_apply(struct edits *edits, struct identities *identities, struct connection *connection,
	edit_changed *changed, void *ctx, struct err *err)
{
	bool any = false;
	if (load(edits, connection, err) < 0)
		return -1;
	for (struct known_edit *known = edits->first; known; known = known->next) {
		if (!known->changed)
			continue;
		const struct edit *edit = &known->stored.edit;
		struct text key = identities_key(
			identities, connection, known->stored.entity, known->stored.anchor_ns, err);
		int64_t to = edit->kind == EDIT_CUT ? edit->from_slot : edit->to_slot;
		if (!key.size || changed(ctx, key, edit->from_slot, to, err) < 0)
			return -1;
		any = true;
	}
	for (struct known_edit *known = edits->first; known && any; known = known->next)
		known->changed = false;
	if (any || edits->incomplete)
		drop_index(edits);
	return 0;
}

bool edits_claims(
	const struct key_edits *edits, const char *carved, struct arena *arena, struct claims *out)
{
	*out = (struct claims){NULL, 0, carved[0] != '\0'};
	if (!edits)
		return true;
	out->items = arena_array(arena, edits->n_unlinks + 1, sizeof *out->items);
	for (size_t i = 0; i < edits->n_unlinks && out->items; i++) {
		const struct key_unlink *unlink = &edits->unlinks[i];
		if (!unlink->live)
			continue;
		out->items[out->n] = unlink->claim;
		out->items[out->n++].own = strcmp(unlink->carved, carved) == 0;
	}
	return out->items != NULL;
}

const int64_t *edits_cuts(
	const struct key_edits *edits, const char *carved, struct arena *arena, size_t *n)
{
	size_t n_cuts = edits ? edits->n_cuts : 0;
	int64_t *slots = arena_array(arena, n_cuts + 1, sizeof *slots);
	*n = 0;
	for (size_t i = 0; i < n_cuts && slots; i++)
		if (strcmp(edits->cuts[i].carved, carved) == 0)
			slots[(*n)++] = edits->cuts[i].slot;
	return slots;
}
