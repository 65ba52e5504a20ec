/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/grouping_decisions.h"

#include <inttypes.h>
#include <string.h>

#include "model/slot.h"
#include "store/activities.h"
#include "store/edits.h"
#include "store/incident_story.h"
#include "store/incidents.h"
#include "store/links.h"

static struct text edit_id(const struct deciding *deciding)
{
	return text_of(deciding->wish->edit_id);
}

/* Ids are drawn by whoever asks: 50 random bits, but nobody's edit is ever taken for another. */
static int id_is_free(struct deciding *deciding, bool *is_free, struct err *err)
{
	bool exists, undone;
	if (edit_find(deciding->run->connection, edit_id(deciding), &exists, &undone, err) < 0)
		return -1;
	*is_free = !exists && deciding->wish->edit_id[0];
	return *is_free ? 0
			: deciding_refuse(deciding, 409,
				  TEXT("the edit's id is taken: ask again for another one"));
}

static int read_extent(struct deciding *deciding, struct incident *out, struct err *err)
{
	*out = (struct incident){0};
	return incident_extent_read(
		deciding->run->connection, deciding->overlay.number, deciding->arena, out, err);
}

/* Whose alerts have left is not grouped anew. */
static int refuse_frozen(struct deciding *deciding)
{
	return deciding_refuse(deciding, 409,
		arena_format(deciding->arena,
			"the alerts of INC-%" PRIu64 " have left with their age: which they were"
			" is final",
			deciding->overlay.number));
}

static struct text carved_of(const struct deciding *deciding)
{
	struct text key = deciding->overlay.key;
	return text_part(key, key.size - CARVED_BYTES, CARVED_BYTES);
}

int deciding_slot_behind(struct deciding *deciding, int64_t *slot, struct err *err)
{
	struct incident extent;
	if (read_extent(deciding, &extent, err) < 0)
		return -1;
	int64_t now = slot_of(deciding->run->now_ns);
	*slot = (now > extent.last_slot ? now : extent.last_slot) + 1;
	return 0;
}

int deciding_cut_at(struct deciding *deciding, int64_t slot, struct err *err)
{
	bool is_free;
	struct incident extent;
	struct edit *edit = &deciding->edit;
	if (id_is_free(deciding, &is_free, err) < 0)
		return -1;
	if (!is_free)
		return 0;
	if (read_extent(deciding, &extent, err) < 0)
		return -1;
	if (slot <= extent.first_slot)
		return deciding_refuse(deciding, 422,
			TEXT("a cut must lie behind the incident's first five minutes: there is"
			     " nothing before it to be cut off from"));
	*edit = (struct edit){.id = edit_id(deciding), .from_slot = slot, .to_slot = slot};
	if (incident_anchor(
		    deciding->run->connection, &extent, deciding->arena, edit->anchor, err) < 0)
		return -1;
	if (extent.claims.carved && edit_carver_find(deciding->run->connection, carved_of(deciding),
					    deciding->arena, &edit->target, err) < 0)
		return -1;
	if (extent.claims.carved && !edit->target.size)
		return err_set(err, ERR_CORRUPT, "INC-%" PRIu64 " was made by no unlink",
			deciding->overlay.number);
	edit->kind = EDIT_CUT;
	deciding->undoable = edit->id;
	emit_member_time(&deciding->detail, "cut", slot * SLOT_NS);
	return 0;
}

int decide_cut(struct deciding *deciding, struct err *err)
{
	int64_t slot = deciding->wish->from_slot;
	if (deciding->overlay.frozen)
		return refuse_frozen(deciding);
	if (!deciding->wish->has_slot && deciding_slot_behind(deciding, &slot, err) < 0)
		return -1;
	return deciding_cut_at(deciding, slot, err);
}

static int undo_edit(struct deciding *deciding, struct text target, struct err *err)
{
	bool is_free;
	if (id_is_free(deciding, &is_free, err) < 0)
		return -1;
	if (is_free)
		deciding->edit =
			(struct edit){.kind = EDIT_UNDO, .id = edit_id(deciding), .target = target};
	return 0;
}

int deciding_undo_resolution(struct deciding *deciding, struct err *err)
{
	struct text cut;
	int64_t slot;
	if (overlay_resolve_cut(deciding->run->connection, deciding->overlay.number,
		    deciding->arena, &cut, &slot, err) < 0)
		return -1;
	return cut.size ? undo_edit(deciding, cut, err) : 0;
}

static bool is_chosen(const struct incident_decision *wish, const struct incident_print *print)
{
	for (size_t i = 0; i < wish->n_prints; i++)
		if (memcmp(wish->prints[i], print->fingerprint, FINGERPRINT_BYTES) == 0)
			return true;
	return false;
}

static bool lies_in(const struct incident_print *print, const struct edit *edit)
{
	return slot_of(print->lo_ns) <= edit->to_slot && slot_of(print->hi_ns) >= edit->from_slot;
}

/* Is the wish's print one of the incident's in the edit's slots? */
static bool is_there(
	const struct incident *incident, const unsigned char *fingerprint, const struct edit *edit)
{
	for (size_t i = 0; i < incident->n_prints; i++)
		if (memcmp(incident->prints[i].fingerprint, fingerprint, FINGERPRINT_BYTES) == 0 &&
			lies_in(&incident->prints[i], edit))
			return true;
	return false;
}

static int refuse_print(struct deciding *deciding, const unsigned char *fingerprint)
{
	char hex[2 * FINGERPRINT_BYTES + 1];
	text_hex(hex, fingerprint, FINGERPRINT_BYTES);
	return deciding_refuse(deciding, 422,
		arena_format(deciding->arena, "INC-%" PRIu64 " has no alerts of fingerprint %s%s",
			deciding->overlay.number, hex,
			deciding->wish->has_slot ? " in that time" : ""));
}

/* Both what goes and what stays must be something that founds an incident. */
static int check_parts(
	struct deciding *deciding, const struct incident *incident, const struct edit *edit)
{
	size_t n_gone = 0, n_left = 0;
	bool whole =
		edit->from_slot <= incident->first_slot && edit->to_slot >= incident->last_slot;
	for (size_t i = 0; i < incident->n_prints; i++) {
		const struct incident_print *print = &incident->prints[i];
		if (print->context)
			continue;
		bool chosen = is_chosen(deciding->wish, print);
		n_gone += chosen;
		n_left += !chosen || !whole;
	}
	if (n_gone == 0)
		return deciding_refuse(deciding, 422,
			TEXT("these are context alone, which is no incident by itself"));
	if (n_left == 0)
		return deciding_refuse(deciding, 422,
			TEXT("these are all that the incident has: nothing would be left of it"));
	return 0;
}

static int check_unlink(
	struct deciding *deciding, const struct incident *incident, const struct edit *edit)
{
	if (edit->from_slot > edit->to_slot)
		return deciding_refuse(deciding, 422, TEXT("from must not be behind to"));
	for (size_t i = 0; i < deciding->wish->n_prints; i++)
		if (!is_there(incident, deciding->wish->prints[i], edit))
			return refuse_print(deciding, deciding->wish->prints[i]);
	return check_parts(deciding, incident, edit);
}

static int refuse_carved(struct deciding *deciding, struct err *err)
{
	struct text carver;
	if (edit_carver_find(deciding->run->connection, carved_of(deciding), deciding->arena,
		    &carver, err) < 0)
		return -1;
	return deciding_refuse(deciding, 409,
		arena_format(deciding->arena,
			"INC-%" PRIu64 " was made by the unlink %.*s: undo that instead",
			deciding->overlay.number, TEXT_ARG(carver)));
}

static void describe_unlink(struct deciding *deciding, const struct edit *edit)
{
	char hex[2 * FINGERPRINT_BYTES + 1];
	struct emitter *detail = &deciding->detail;
	emit_key(detail, "fingerprints");
	emit_array(detail);
	for (size_t i = 0; i < edit->n_prints; i++) {
		text_hex(hex, edit->prints[i], FINGERPRINT_BYTES);
		emit_text(detail, text_of(hex));
	}
	emit_array_end(detail);
	emit_member_time(detail, "from", edit->from_slot * SLOT_NS);
	emit_member_time(detail, "to", (edit->to_slot + 1) * SLOT_NS - 1);
}

int decide_unlink(struct deciding *deciding, struct err *err)
{
	bool is_free;
	struct incident incident;
	const struct incident_decision *wish = deciding->wish;
	struct connection *connection = deciding->run->connection;
	if (deciding->overlay.frozen)
		return refuse_frozen(deciding);
	if (id_is_free(deciding, &is_free, err) < 0 ||
		incident_read(
			connection, deciding->overlay.number, deciding->arena, &incident, err) < 0)
		return -1;
	if (!is_free)
		return 0;
	if (incident.claims.carved)
		return refuse_carved(deciding, err);
	struct edit edit = {.id = edit_id(deciding),
		.from_slot = incident.first_slot,
		.to_slot = incident.last_slot,
		.n_prints = wish->n_prints};
	if (wish->has_slot && wish->from_slot != INT64_MIN)
		edit.from_slot = wish->from_slot;
	if (wish->has_slot && wish->to_slot != INT64_MAX)
		edit.to_slot = wish->to_slot;
	memcpy(edit.prints, wish->prints, sizeof edit.prints);
	if (incident_anchor(connection, &incident, deciding->arena, edit.anchor, err) < 0)
		return -1;
	ignore(check_unlink(deciding, &incident, &edit)); /* 0: it only refuses */
	if (deciding->wish->result.status)
		return 0;
	edit.kind = EDIT_UNLINK;
	deciding->edit = edit;
	deciding->undoable = edit.id;
	describe_unlink(deciding, &edit);
	return 0;
}

/* The incident that is to be linked; refused when there is none. */
static int find_other(struct deciding *deciding, struct err *err)
{
	uint64_t number;
	struct connection *connection = deciding->run->connection;
	if (overlay_survivor(connection, deciding->wish->other, &number, err) < 0 ||
		overlay_read(connection, number, deciding->arena, &deciding->other, err) < 0)
		return err->kind != ERR_MISSING
			       ? -1
			       : deciding_refuse(deciding, 404,
					 arena_format(deciding->arena, "%s", err->text));
	if (!deciding->other.key.size)
		return deciding_refuse(deciding, 404,
			arena_format(
				deciding->arena, "INC-%" PRIu64 " has no alerts any more", number));
	if (number == deciding->overlay.number)
		return deciding_refuse(deciding, 422,
			arena_format(deciding->arena,
				"INC-%" PRIu64 " and INC-%" PRIu64 " are one incident",
				deciding->wish->number, deciding->wish->other));
	return deciding_check_reach(deciding, number, err);
}

static int refuse_linked(struct deciding *deciding, struct err *err)
{
	struct incident links = {.number = deciding->overlay.number};
	if (links_read(deciding->run->connection, &links, deciding->arena, err) < 0)
		return -1;
	for (size_t i = 0; i < links.n_links; i++)
		if (links.links[i].number == deciding->other.number)
			return deciding_refuse(deciding, 409,
				arena_format(deciding->arena, "they are linked already, by %.*s",
					TEXT_ARG(links.links[i].edit)));
	return 0;
}

int decide_merge(struct deciding *deciding, struct err *err)
{
	bool is_free;
	char with[32];
	if (id_is_free(deciding, &is_free, err) < 0)
		return -1;
	if (is_free && find_other(deciding, err) < 0)
		return -1;
	if (deciding->wish->result.status)
		return 0;
	if (refuse_linked(deciding, err) < 0)
		return -1;
	text_format(with, sizeof with, "INC-%" PRIu64, deciding->other.number);
	emit_member_string(&deciding->detail, "with", with);
	deciding->link = edit_id(deciding);
	deciding->undoable = deciding->link;
	return 0;
}

/* The link that is to be undone; the other incident notes it as well. */
static int undo_link(struct deciding *deciding, struct text edit, struct err *err)
{
	struct link_row row;
	struct connection *connection = deciding->run->connection;
	if (link_find(connection, edit, &row, err) < 0)
		return -1;
	deciding->link = edit;
	deciding->link_is_undone = true;
	uint64_t other = row.a == deciding->overlay.number ? row.b : row.a;
	if (other == deciding->overlay.number)
		return 0;
	struct overlay found;
	if (overlay_read(connection, other, deciding->arena, &found, err) < 0)
		return -1;
	if (found.key.size)
		deciding->other = found;
	return deciding_check_reach(deciding, other, err);
}

/* What made the edit that is to be undone; *kind 0: it is none of this incident's. */
static int find_edit(
	struct deciding *deciding, struct text edit, enum activity_kind *kind, struct err *err)
{
	struct incident extent;
	char digits[CARVED_BYTES + 1];
	if (activity_of_edit(deciding->run->connection, deciding->overlay.number, edit, kind, err) <
		0)
		return -1;
	if (*kind)
		return 0;
	if (read_extent(deciding, &extent, err) < 0)
		return -1;
	edit_carved(edit, digits);
	if (extent.claims.carved && text_is(carved_of(deciding), digits))
		*kind = ACTIVITY_UNLINKED;
	return 0;
}

int decide_undo(struct deciding *deciding, struct err *err)
{
	bool exists, undone;
	enum activity_kind kind;
	int64_t slot;
	struct text edit = deciding->wish->edit, resolution;
	if (find_edit(deciding, edit, &kind, err) < 0 ||
		overlay_resolve_cut(deciding->run->connection, deciding->overlay.number,
			deciding->arena, &resolution, &slot, err) < 0 ||
		edit_find(deciding->run->connection, edit, &exists, &undone, err) < 0)
		return -1;
	if (!kind || !exists)
		return deciding_refuse(deciding, 422,
			arena_format(deciding->arena, "INC-%" PRIu64 " has no edit '%.*s'",
				deciding->overlay.number, (int)(edit.size < 40 ? edit.size : 40),
				edit.data));
	if (undone)
		return deciding_refuse(deciding, 409,
			TEXT("it was undone already; undoing is final, decide anew instead"));
	if (text_equal(edit, resolution))
		return deciding_refuse(deciding, 409,
			TEXT("this cut was made by resolving: reopen the incident instead"));
	if (deciding->overlay.frozen && kind != ACTIVITY_LINKED)
		return refuse_frozen(deciding);
	emit_member_text(&deciding->detail, "edit", edit);
	return kind == ACTIVITY_LINKED ? undo_link(deciding, edit, err)
				       : undo_edit(deciding, edit, err);
}
