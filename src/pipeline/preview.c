/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/preview.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "pipeline/correlator.h"
#include "pipeline/incident_decisions.h"
#include "pipeline/piece_changes.h"
#include "store/incident_story.h"
#include "store/shadow.h"

enum { STEPS = 10000 };

struct preview {
	struct connection stored; /* what is decided about is looked at here */
	struct connection shadow; /* and computed here */
	struct correlator *correlator;
	int64_t deadline_ms;
};

/* SQLite asks every STEPS instructions: is the time over? */
static int is_over(void *ctx)
{
	const struct preview *preview = ctx;
	return clock_monotonic_ms(&clock_system) > preview->deadline_ms;
}

int preview_open(struct preview **out, const char *database,
	const struct criticality_rules *criticality, struct err *err)
{
	struct preview *preview = calloc(1, sizeof *preview);
	if (!preview)
		return err_set(err, ERR_MEMORY, "out of memory for previews");
	preview->deadline_ms = INT64_MAX;
	preview->correlator = correlator_new(criticality);
	int failed = preview->correlator ? connection_open(&preview->stored, database,
						   CONNECTION_READ, NULL, err)
					 : err_set(err, ERR_MEMORY, "out of memory for previews");
	if (!failed)
		failed = connection_open(&preview->shadow, database, CONNECTION_SHADOW, NULL, err);
	if (failed || shadow_make(&preview->shadow, SHADOW_OF_FAMILY, err) < 0) {
		preview_close(preview);
		return -1;
	}
	sqlite3_progress_handler(preview->stored.db, STEPS, is_over, preview);
	sqlite3_progress_handler(preview->shadow.db, STEPS, is_over, preview);
	*out = preview;
	return 0;
}

void preview_close(struct preview *preview)
{
	if (!preview)
		return;
	correlator_free(preview->correlator);
	connection_close(&preview->shadow);
	connection_close(&preview->stored);
	free(preview);
}

/* All of the family's incidents as the shadow has them. */
static int read_pieces(
	struct connection *shadow, struct arena *arena, struct piece_list *out, struct err *err)
{
	struct shadow_keys keys = {.arena = arena};
	size_t n = 0;
	if (shadow_family_keys(shadow, &keys, err) < 0)
		return -1;
	struct piece_list *lists = arena_array(arena, keys.n + 1, sizeof *lists);
	int failed = lists ? 0 : err_set(err, ERR_MEMORY, "out of memory for a preview");
	for (size_t i = 0; i < keys.n && !failed; i++) {
		failed = pieces_read(shadow, keys.items[i].id, INT64_MIN, arena, &lists[i], err);
		n += lists[i].n;
	}
	struct piece *items = arena_array(arena, n + 1, sizeof *items);
	if (!items && !failed)
		failed = err_set(err, ERR_MEMORY, "out of memory for a preview");
	for (size_t i = 0; lists && i < keys.n; i++) {
		if (failed)
			piece_list_done(&lists[i]);
		for (size_t j = 0; j < lists[i].n && !failed; j++)
			items[out->n++] = lists[i].items[j];
	}
	out->items = items;
	return failed;
}

/* Within the shadow's transaction. */
static int compute(struct preview *preview, const struct edit *edit, int64_t now_ns,
	struct arena *arena, struct grouping_preview *out, struct err *err)
{
	struct connection *shadow = &preview->shadow;
	struct piece_list before = {0}, after = {0};
	int failed = read_pieces(shadow, arena, &before, err);
	if (!failed)
		failed = correlator_edit(preview->correlator, shadow, edit, err);
	if (!failed)
		failed = correlator_finish(preview->correlator, shadow, now_ns, err);
	if (!failed)
		failed = read_pieces(shadow, arena, &after, err);
	if (!failed && !piece_changes(&before, &after, arena, &out->changes))
		failed = err_set(err, ERR_MEMORY, "out of memory for a preview");
	piece_list_done(&before);
	piece_list_done(&after);
	out->n_changes = out->changes.n;
	if (out->changes.n > RECORRELATION_CHANGES_MAX)
		out->changes.n = RECORRELATION_CHANGES_MAX;
	return failed;
}

/* The entity's key of the incident that is decided about: without "#…". */
static int find_base(const struct deciding *deciding, struct text *base, struct err *err)
{
	struct incident extent = {0};
	if (incident_extent_read(deciding->run->connection, deciding->overlay.number,
		    deciding->arena, &extent, err) < 0)
		return -1;
	size_t cut = extent.claims.carved ? CARVED_BYTES + 1 : 0;
	*base = text_part(deciding->overlay.key, 0, deciding->overlay.key.size - cut);
	return 0;
}

static int regroup(struct preview *preview, const struct deciding *deciding,
	struct grouping_preview *out, struct err *err)
{
	struct text base;
	struct err end;
	if (find_base(deciding, &base, err) < 0)
		return -1;
	int failed = shadow_begin_family(&preview->shadow, base, err);
	if (!failed)
		failed = compute(
			preview, &deciding->edit, deciding->run->now_ns, deciding->arena, out, err);
	correlator_forget(preview->correlator);
	preview->deadline_ms = INT64_MAX;
	if (shadow_end(&preview->shadow, &end) < 0 && !failed) {
		*err = end;
		failed = -1;
	}
	return failed;
}

/* Within the read. */
static int look(struct preview *preview, struct deciding *deciding, struct err *err)
{
	AUTO(buf_done) struct buf detail = {0};
	struct grouping_preview *out = &deciding->decision->preview;
	if (incident_decision_look(deciding, &detail, err) < 0)
		return -1;
	if (deciding->wish->result.status)
		return 0;
	if (deciding->link.size && deciding->link_is_undone)
		out->unlinked = deciding->other.number;
	else if (deciding->link.size)
		out->linked = deciding->other.number;
	if (deciding->edit.kind && regroup(preview, deciding, out, err) < 0)
		return -1;
	deciding->wish->result.status = 200;
	return 0;
}

int preview_compute(struct preview *preview, struct decision *decision, int64_t now_ns,
	struct arena *arena, struct err *err)
{
	struct err end;
	struct decision_run run = {.connection = &preview->stored, .now_ns = now_ns};
	struct deciding deciding = {
		.run = &run, .decision = decision, .wish = &decision->incident, .arena = arena};
	decision->preview = (struct grouping_preview){0};
	preview->deadline_ms = clock_monotonic_ms(&clock_system) + PREVIEW_MS;
	int failed = connection_run(&preview->stored, "BEGIN", err);
	if (!failed)
		failed = look(preview, &deciding, err);
	preview->deadline_ms = INT64_MAX;
	if (!sqlite3_get_autocommit(preview->stored.db) &&
		connection_run(&preview->stored, "ROLLBACK", &end) < 0 && !failed) {
		*err = end;
		failed = -1;
	}
	return failed;
}
