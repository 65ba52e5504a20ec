/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/edits.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "store/edits.h"

enum { ARENA_BYTES = 256 * 1024 * 1024 };

/* An edit in memory: there may be many. */
struct known_edit {
	struct known_edit *next;
	int64_t seq;
	struct text id;
	enum edit_kind kind; /* a cut or an unlink: an undo marks what it undoes */
	unsigned char anchor[OCCURRENCE_BYTES];
	int64_t from_slot, to_slot;
	const unsigned char (*prints)[FINGERPRINT_BYTES];
	size_t n_prints;
	int64_t entity, anchor_ns;
	char carved[CARVED_BYTES + 1]; /* of an unlink itself; of the unlink that a cut is of */
	bool anchored;                 /* the anchor's alert is stored */
	bool undone;
	bool changed; /* not yet told to edits_apply */
};

struct edits {
	bool loaded;
	struct arena arena; /* of the edits */
	struct known_edit *first;
	struct table *by_id;
	struct table *waiting; /* anchors that have not come: occ → number of edits */
	size_t n;
	bool any_changed;
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
	table_free(edits->waiting);
	edits->by_id = edits->waiting = NULL;
	edits->first = NULL;
	edits->n = 0;
	edits->any_changed = false;
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

static struct text occ_key(const unsigned char *anchor)
{
	return (struct text){(const char *)anchor, OCCURRENCE_BYTES};
}

static bool wait_for(struct edits *edits, const unsigned char *anchor)
{
	union table_value *place = table_put(edits->waiting, occ_key(anchor));
	if (place)
		place->number++;
	return place != NULL;
}

static void note_change(struct edits *edits, struct known_edit *known)
{
	known->changed = true;
	edits->any_changed = true;
}

/* An edit that is not in memory reaches nothing that may still change. */
static void undo(struct edits *edits, struct text id)
{
	struct known_edit *target = find(edits, id);
	if (!target || target->undone)
		return;
	target->undone = true;
	if (target->anchored)
		note_change(edits, target);
}

static const unsigned char (
	*copy_prints(struct arena *arena, const struct edit *edit))[FINGERPRINT_BYTES]
{
	unsigned char(*prints)[FINGERPRINT_BYTES] =
		arena_array(arena, edit->n_prints + 1, sizeof *prints);
	if (prints && edit->n_prints)
		memcpy(prints, edit->prints, edit->n_prints * sizeof *prints);
	return prints;
}

/* Copies one more cut or unlink into memory. NULL without. */
static struct known_edit *keep(struct edits *edits, const struct stored_edit *stored)
{
	const struct edit *edit = &stored->edit;
	struct known_edit *known = arena_alloc(&edits->arena, sizeof *known);
	union table_value *place = table_put(edits->by_id, edit->id);
	if (!known || !place)
		return NULL;
	*known = (struct known_edit){.next = edits->first,
		.seq = stored->seq,
		.id = arena_copy(&edits->arena, edit->id),
		.kind = edit->kind,
		.from_slot = edit->from_slot,
		.to_slot = edit->to_slot,
		.prints = copy_prints(&edits->arena, edit),
		.n_prints = edit->n_prints,
		.entity = stored->entity,
		.anchor_ns = stored->anchor_ns,
		.anchored = stored->anchored};
	memcpy(known->anchor, edit->anchor, sizeof known->anchor);
	if (edit->kind == EDIT_UNLINK)
		edit_carved(edit->id, known->carved);
	else if (edit->target.size)
		edit_carved(edit->target, known->carved);
	place->pointer = known;
	edits->first = known;
	edits->n++;
	if (edits->arena.failed || (!known->anchored && !wait_for(edits, known->anchor)))
		return NULL;
	return known;
}

static bool keep_stored(void *ctx, const struct stored_edit *stored)
{
	return keep(ctx, stored) != NULL;
}

static int load(struct edits *edits, struct connection *connection, struct err *err)
{
	if (edits->loaded)
		return 0;
	edits_forget(edits);
	edits->by_id = table_new(NULL);
	edits->waiting = table_new(NULL);
	if (!edits->by_id || !edits->waiting)
		return no_memory(err);
	if (edits_read(connection, keep_stored, edits, err) < 0)
		return -1;
	edits->loaded = true;
	return 0;
}

static int anchor(struct edits *edits, struct connection *connection, struct known_edit *known,
	int64_t entity, int64_t time_ns, struct err *err)
{
	known->anchored = true;
	known->entity = entity;
	known->anchor_ns = time_ns;
	if (!known->undone)
		note_change(edits, known);
	return edit_anchor(connection, known->seq, entity, time_ns, err);
}

/* A new cut or unlink. It may have been undone before it came. */
static int add_known(struct edits *edits, struct connection *connection,
	const struct stored_edit *stored, struct err *err)
{
	bool found, exists;
	int64_t entity, time_ns;
	struct known_edit *known = keep(edits, stored);
	if (!known)
		return no_memory(err);
	if (edit_find(connection, known->id, &exists, &known->undone, err) < 0 ||
		edit_anchor_find(connection, known->anchor, &found, &entity, &time_ns, err) < 0)
		return -1;
	if (!found)
		return 0;
	table_remove(edits->waiting, occ_key(known->anchor));
	return anchor(edits, connection, known, entity, time_ns, err);
}

int edits_add(struct edits *edits, struct connection *connection, const struct edit *edit,
	struct err *err)
{
	bool is_new;
	struct stored_edit stored = {.edit = *edit};
	if (load(edits, connection, err) < 0 ||
		edit_insert(connection, edit, &stored.seq, &is_new, err) < 0)
		return -1;
	if (!is_new)
		return 0;
	drop_index(edits);
	if (edit->kind != EDIT_UNDO)
		return add_known(edits, connection, &stored, err);
	undo(edits, edit->target);
	return 0;
}

int edits_note(struct edits *edits, struct connection *connection, const struct alert *alert,
	struct err *err)
{
	if (load(edits, connection, err) < 0)
		return -1;
	if (table_count(edits->waiting) == 0 || !table_remove(edits->waiting, occ_key(alert->occ)))
		return 0;
	for (struct known_edit *known = edits->first; known; known = known->next) {
		if (known->anchored || memcmp(known->anchor, alert->occ, OCCURRENCE_BYTES) != 0)
			continue;
		if (anchor(edits, connection, known, alert->entity_id, alert->time_ns, err) < 0)
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

/* Room for one more in a list of @n of @size bytes each, which doubles; the list, or NULL. */
static void *grow(struct arena *arena, const void *list, size_t n, size_t size)
{
	/* At powers of two it is full. */
	if (n & (n - 1) && n)
		return (void *)(uintptr_t)list;
	void *larger = arena_array(arena, n ? 2 * n : 1, size);
	if (larger && n)
		memcpy(larger, list, n * size);
	return larger;
}

static bool add_cut(struct edits *edits, struct key_edits *entry, const struct known_edit *known)
{
	struct key_cut *cuts = grow(&edits->index, entry->cuts, entry->n_cuts, sizeof *cuts);
	if (!cuts)
		return false;
	cuts[entry->n_cuts].slot = known->from_slot;
	memcpy(cuts[entry->n_cuts].carved, known->carved, sizeof known->carved);
	entry->cuts = cuts;
	entry->n_cuts++;
	return true;
}

static int make_claim(struct connection *connection, const struct known_edit *known,
	struct claim *claim, struct err *err)
{
	*claim = (struct claim){.from_slot = known->from_slot, .to_slot = known->to_slot};
	for (size_t i = 0; i < known->n_prints; i++) {
		int64_t id;
		if (edit_print_find(connection, known->prints[i], &id, err) < 0)
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
		grow(&edits->index, entry->unlinks, entry->n_unlinks, sizeof *unlinks);
	if (!unlinks)
		return no_memory(err);
	struct key_unlink *unlink = &unlinks[entry->n_unlinks++];
	entry->unlinks = unlinks;
	unlink->live = !known->undone;
	memcpy(unlink->carved, known->carved, sizeof known->carved);
	if (make_claim(connection, known, &unlink->claim, err) < 0)
		return -1;
	edits->incomplete |= unlink->claim.n_prints < known->n_prints;
	return 0;
}

static int index_edit(struct edits *edits, struct identities *identities,
	struct connection *connection, const struct known_edit *known, struct err *err)
{
	int64_t entity = known->entity;
	struct text key = identities_key(identities, connection, entity, known->anchor_ns, err);
	if (!key.size)
		return -1;
	if (!identities_watch(identities, entity))
		return no_memory(err);
	struct key_edits *entry = entry_of(edits, key);
	if (!entry)
		return no_memory(err);
	if (known->kind == EDIT_UNLINK)
		return add_unlink(edits, connection, entry, known, err);
	return known->undone || add_cut(edits, entry, known) ? 0 : no_memory(err);
}

static int compare_ids(const void *left, const void *right)
{
	const struct known_edit *const *a = left, *const *b = right;
	return text_compare((*a)->id, (*b)->id);
}

/* Applies to a key: its alert is there, and it holds or held until this transaction. */
static bool counts(const struct known_edit *known)
{
	return known->anchored && (!known->undone || known->changed);
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
	if (load(edits, connection, err) < 0)
		return -1;
	bool any = edits->any_changed;
	for (struct known_edit *known = edits->first; known && any; known = known->next) {
		if (!known->changed)
			continue;
		struct text key = identities_key(
			identities, connection, known->entity, known->anchor_ns, err);
		int64_t to = known->kind == EDIT_CUT ? known->from_slot : known->to_slot;
		if (!key.size || changed(ctx, key, known->from_slot, to, err) < 0)
			return -1;
	}
	for (struct known_edit *known = edits->first; known && any; known = known->next)
		known->changed = false;
	edits->any_changed = false;
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
