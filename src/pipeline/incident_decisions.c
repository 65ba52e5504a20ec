/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/incident_decisions.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "base/tree.h"
#include "pipeline/grouping_decisions.h"
#include "pipeline/snoozes.h"
#include "store/activities.h"
#include "store/audit.h"
#include "store/edits.h"
#include "store/idempotency.h"
#include "store/incidents.h"
#include "store/links.h"
#include "store/reach.h"

/* Comments of 16 KiB, each byte escaped at its longest. */
enum { DETAIL_BYTES = 256 * 1024, MARK_BYTES = 1024 * 1024, TARGET_BYTES = 32 };

/* Sets of states. */
enum {
	IN_NEW = 1 << INCIDENT_NEW,
	IN_ACKNOWLEDGED = 1 << INCIDENT_ACKNOWLEDGED,
	IN_INVESTIGATING = 1 << INCIDENT_INVESTIGATING,
	IN_CONTAINED = 1 << INCIDENT_CONTAINED,
	IN_RESOLVED = 1 << INCIDENT_RESOLVED,
	IN_CLOSED = 1 << INCIDENT_CLOSED,
	IN_OPEN = IN_NEW | IN_ACKNOWLEDGED | IN_INVESTIGATING | IN_CONTAINED,
	IN_ENDED = IN_RESOLVED | IN_CLOSED,
	IN_ANY = IN_OPEN | IN_ENDED
};

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory for a decision");
}

int deciding_refuse(struct deciding *deciding, unsigned status, struct text why)
{
	deciding->wish->result.status = status;
	deciding->wish->result.refusal = why;
	return 0;
}

static int decide_ack(struct deciding *deciding, struct err *err)
{
	(void)err;
	deciding->overlay.state = INCIDENT_ACKNOWLEDGED;
	return 0;
}

static int decide_assign(struct deciding *deciding, struct err *err)
{
	struct text who = deciding->wish->who;
	(void)err;
	deciding->overlay.assignee = who;
	emit_key(&deciding->detail, "assignee");
	emit_text(&deciding->detail, who);
	if (who.size && deciding->overlay.state == INCIDENT_ACKNOWLEDGED)
		deciding->overlay.state = INCIDENT_INVESTIGATING;
	return 0;
}

static int decide_comment(struct deciding *deciding, struct err *err)
{
	struct text name = decision_actor_name(deciding->decision->actor);
	(void)err;
	emit_member_text(&deciding->detail, "text", deciding->wish->text);
	if (deciding->overlay.state == INCIDENT_ACKNOWLEDGED &&
		text_equal(deciding->overlay.assignee, name))
		deciding->overlay.state = INCIDENT_INVESTIGATING;
	return 0;
}

static int decide_resolve(struct deciding *deciding, struct err *err)
{
	int64_t slot;
	const char *verdict = verdict_name(deciding->wish->verdict);
	if (!verdict)
		return deciding_refuse(deciding, 422,
			TEXT("resolving needs a verdict: true-positive, benign-expected,"
			     " false-positive, duplicate or test"));
	emit_member_string(&deciding->detail, "verdict", verdict);
	deciding->overlay.state = INCIDENT_RESOLVED;
	deciding->overlay.verdict = deciding->wish->verdict;
	deciding->overlay.resolved_ns = deciding->run->now_ns;
	deciding->overlay.snoozed_until_ns = 0;
	/* Nothing joins what is frozen. */
	if (deciding->overlay.frozen)
		return 0;
	if (deciding_slot_behind(deciding, &slot, err) < 0)
		return -1;
	return deciding_cut_at(deciding, slot, err);
}

static int decide_reopen(struct deciding *deciding, struct err *err)
{
	if (deciding_undo_resolution(deciding, err) < 0)
		return -1;
	deciding->overlay.state = INCIDENT_INVESTIGATING;
	deciding->overlay.verdict = VERDICT_NONE;
	deciding->overlay.resolved_ns = 0;
	return 0;
}

static int decide_snooze(struct deciding *deciding, struct err *err)
{
	AUTO(buf_done) struct buf mark;
	int64_t until_ns = deciding->wish->until_ns;
	buf_init(&mark, MARK_BYTES);
	if (until_ns == 0 && deciding->overlay.snoozed_until_ns == 0)
		return deciding_refuse(deciding, 409, TEXT("it is not snoozed"));
	if (until_ns != 0 && until_ns <= deciding->run->now_ns)
		return deciding_refuse(
			deciding, 422, TEXT("until must be in the future (for \"0\" wakes it)"));
	deciding->overlay.snoozed_until_ns = until_ns;
	if (until_ns == 0) {
		deciding->activity = ACTIVITY_WOKEN;
		emit_member_string(&deciding->detail, "why", "asked for");
		return 0;
	}
	emit_member_time(&deciding->detail, "until", until_ns);
	if (snooze_mark(deciding->run->connection, deciding->overlay.number, &mark, err) < 0)
		return -1;
	deciding->overlay.snoozed_from = arena_copy(deciding->arena, buf_text(&mark));
	return buf_ok(&mark) && !deciding->arena->failed ? 0 : no_memory(err);
}

/* One kind of decision: where it is possible, and what looks at it. */
struct decision_rule {
	unsigned states;
	enum activity_kind activity;
	int (*decide)(struct deciding *deciding, struct err *err);
};

static const struct decision_rule rules[N_DECISION_KINDS] = {
	[DECISION_ACK] = {IN_NEW, ACTIVITY_ACKNOWLEDGED, decide_ack},
	[DECISION_ASSIGN] = {IN_OPEN, ACTIVITY_ASSIGNED, decide_assign},
	[DECISION_COMMENT] = {IN_ANY, ACTIVITY_COMMENT, decide_comment},
	[DECISION_RESOLVE] = {IN_OPEN, ACTIVITY_RESOLVED, decide_resolve},
	[DECISION_REOPEN] = {IN_ENDED, ACTIVITY_REOPENED, decide_reopen},
	[DECISION_SNOOZE] = {IN_OPEN, ACTIVITY_SNOOZED, decide_snooze},
	[DECISION_CUT] = {IN_ANY, ACTIVITY_CUT, decide_cut},
	[DECISION_MERGE] = {IN_ANY, ACTIVITY_LINKED, decide_merge},
	[DECISION_UNLINK] = {IN_ANY, ACTIVITY_UNLINKED, decide_unlink},
	[DECISION_UNDO] = {IN_ANY, ACTIVITY_UNDONE, decide_undo},
};

/* "new, acknowledged or contained" */
static struct text state_names(struct arena *arena, unsigned states)
{
	struct text names = TEXT_NONE;
	for (unsigned i = INCIDENT_NEW; i <= INCIDENT_CLOSED; i++) {
		if (!(states & 1U << i))
			continue;
		bool last = states >> (i + 1) == 0;
		names = arena_format(arena, "%.*s%s%s", TEXT_ARG(names),
			!names.size ? ""
			: last      ? " or "
				    : ", ",
			incident_state_name((enum incident_state)i));
	}
	return names;
}

static int refuse_state(struct deciding *deciding, unsigned states)
{
	const struct overlay *overlay = &deciding->overlay;
	struct text names = state_names(deciding->arena, states);
	struct text why = arena_format(deciding->arena,
		"INC-%" PRIu64 " is %s; %s is for incidents that are %.*s%s", overlay->number,
		incident_state_name(overlay->state), decision_name(deciding->decision->kind),
		TEXT_ARG(names), states == IN_OPEN ? ": reopen it first" : "");
	return deciding_refuse(deciding, 409, why);
}

/* Was the same asked before? Then the result is what it was then, or a refusal. */
static int recall(struct deciding *deciding, struct err *err)
{
	struct incident_decision *wish = deciding->wish;
	struct idempotency item = {
		.actor = deciding->decision->actor, .key = wish->key, .request = wish->request};
	struct node *answer;
	if (!wish->key.size)
		return 0;
	if (idempotency_find(deciding->run->connection, &item, deciding->arena, err) < 0)
		return -1;
	if (item.status == 0)
		return 0;
	if (!item.same)
		return deciding_refuse(
			deciding, 422, TEXT("this Idempotency-Key was used for another request"));
	if (tree_read(item.answer, deciding->arena, &answer, err) < 0)
		return -1;
	wish->result.status = item.status;
	wish->result.answer = item.answer;
	return incident_number_parse(tree_member_text(answer, "incident"), &wish->result.number) &&
			       text_to_u64(
				       tree_member_text(answer, "revision"), &wish->result.revision)
		       ? 0
		       : err_set(err, ERR_CORRUPT, "a kept answer does not read back");
}

int deciding_check_reach(struct deciding *deciding, uint64_t number, struct err *err)
{
	if (reach_incident(deciding->run->connection, &deciding->decision->scope, number, err) == 0)
		return 0;
	return err->kind != ERR_MISSING ? -1
					: deciding_refuse(deciding, 404,
						  arena_format(deciding->arena, "%s", err->text));
}

/* The incident that is meant now, as it is. */
static int find_incident(struct deciding *deciding, struct err *err)
{
	uint64_t number;
	struct connection *connection = deciding->run->connection;
	struct overlay *overlay = &deciding->overlay;
	if (overlay_survivor(connection, deciding->wish->number, &number, err) < 0 ||
		overlay_read(connection, number, deciding->arena, overlay, err) < 0)
		return err->kind != ERR_MISSING
			       ? -1
			       : deciding_refuse(deciding, 404,
					 arena_format(deciding->arena, "%s", err->text));
	if (deciding_check_reach(deciding, number, err) < 0)
		return -1;
	if (deciding->wish->result.status)
		return 0;
	deciding->wish->result.number = number;
	deciding->wish->result.asked =
		number == deciding->wish->number ? 0 : deciding->wish->number;
	deciding->wish->result.revision = overlay->revision;
	if (!overlay->key.size)
		return deciding_refuse(deciding, 404,
			arena_format(
				deciding->arena, "INC-%" PRIu64 " has no alerts any more", number));
	return 0;
}

/* Whoever saw a number that was merged since has not seen what it is part of. */
static bool is_stale(const struct deciding *deciding)
{
	const struct incident_decision *wish = deciding->wish;
	return wish->has_revision && (wish->revision != deciding->overlay.revision ||
					     wish->number != deciding->overlay.number);
}

/* What to look at, and what to say to decide about that. */
static int refuse_stale(struct deciding *deciding)
{
	const struct overlay *overlay = &deciding->overlay;
	uint64_t asked = deciding->wish->result.asked;
	if (asked)
		return deciding_refuse(deciding, 409,
			arena_format(deciding->arena,
				"INC-%" PRIu64 " is part of INC-%" PRIu64
				" now, whose revision is %" PRIu64 ": decide about INC-%" PRIu64,
				asked, overlay->number, overlay->revision, overlay->number));
	return deciding_refuse(deciding, 409,
		arena_format(deciding->arena,
			"INC-%" PRIu64 " has changed: its revision is %" PRIu64 " now",
			overlay->number, overlay->revision));
}

static int look(struct deciding *deciding, struct err *err)
{
	const struct decision_rule *rule = &rules[deciding->decision->kind];
	const struct decision_result *result = &deciding->wish->result;
	if (recall(deciding, err) < 0)
		return -1;
	if (result->status)
		return 0;
	if (find_incident(deciding, err) < 0)
		return -1;
	if (result->status)
		return 0;
	if (is_stale(deciding))
		return refuse_stale(deciding);
	if (!(rule->states & 1U << deciding->overlay.state))
		return refuse_state(deciding, rule->states);
	deciding->activity = rule->activity;
	return rule->decide(deciding, err);
}

/* The first decision freezes the title as it is shown now. */
static int write_overlay(struct deciding *deciding, struct overlay *overlay, struct err *err)
{
	struct connection *connection = deciding->run->connection;
	if (!overlay->title.size) {
		struct incident shown;
		if (incident_summary_read(
			    connection, overlay->number, deciding->arena, &shown, err) < 0)
			return -1;
		overlay->title = shown.title;
	}
	overlay->touched = true;
	correlator_changed(deciding->run->correlator, overlay->key);
	return overlay_write(connection, overlay, deciding->run->now_ns, err);
}

static int write_grouping(struct deciding *deciding, struct err *err)
{
	struct connection *connection = deciding->run->connection;
	if (deciding->edit.kind)
		return correlator_edit(deciding->run->correlator, connection, &deciding->edit, err);
	if (!deciding->link.size)
		return 0;
	if (deciding->link_is_undone)
		return link_undo(connection, deciding->link, err);
	return link_add(
		connection, deciding->link, deciding->overlay.number, deciding->other.number, err);
}

static int write_activity(struct deciding *deciding, const struct overlay *overlay,
	struct text detail, uint64_t *id, struct err *err)
{
	struct activity activity = {.number = overlay->number,
		.time_ns = deciding->run->now_ns,
		.actor = deciding->decision->actor,
		.kind = deciding->activity,
		.revision = overlay->revision,
		.detail = detail,
		.edit = deciding->undoable};
	if (activity_append(deciding->run->connection, &activity, err) < 0)
		return -1;
	*id = activity.id;
	return 0;
}

static int write_audit(struct deciding *deciding, struct text detail, struct err *err)
{
	char target[TARGET_BYTES];
	size_t size = text_format(target, sizeof target, "INC-%" PRIu64, deciding->overlay.number);
	struct audit_entry entry = {
		.time_ns = deciding->run->now_ns,
		.actor = deciding->decision->actor,
		.action = arena_format(
			deciding->arena, "incident.%s", decision_name(deciding->decision->kind)),
		.target = {target, size},
		.detail = detail,
	};
	return deciding->arena->failed ? no_memory(err)
				       : audit_append(deciding->run->connection, &entry, err);
}

static void emit_number(struct emitter *emitter, const char *key, uint64_t number)
{
	char text[TARGET_BYTES];
	text_format(text, sizeof text, "INC-%" PRIu64, number);
	emit_member_string(emitter, key, text);
}

/* What was done: answered now, and whenever the same is asked again by its key. */
static int make_answer(struct deciding *deciding, uint64_t activity, struct err *err)
{
	AUTO(buf_done) struct buf out;
	struct emitter emitter;
	struct incident_decision *wish = deciding->wish;
	struct decision_result *result = &wish->result;
	buf_init(&out, DETAIL_BYTES);
	emit_init(&emitter, &out);
	emit_object(&emitter);
	emit_member_string(&emitter, "action", decision_name(deciding->decision->kind));
	emit_number(&emitter, "incident", deciding->overlay.number);
	if (wish->number != deciding->overlay.number)
		emit_number(&emitter, "asked", wish->number);
	emit_member_u64(&emitter, "revision", deciding->overlay.revision);
	emit_member_u64(&emitter, "activity", activity);
	emit_member_text(&emitter, "edit", deciding->undoable);
	emit_member_time(&emitter, "time", deciding->run->now_ns);
	emit_object_end(&emitter);
	result->status = 200;
	result->number = deciding->overlay.number;
	result->revision = deciding->overlay.revision;
	result->answer = arena_copy(deciding->arena, buf_text(&out));
	if (!buf_ok(&out) || deciding->arena->failed)
		return no_memory(err);
	struct idempotency item = {.actor = deciding->decision->actor,
		.key = wish->key,
		.request = wish->request,
		.status = result->status,
		.answer = result->answer};
	return wish->key.size ? idempotency_keep(deciding->run->connection, &item,
					deciding->run->now_ns, err)
			      : 0;
}

/* Nothing refuses any more: all of it is written, or the transaction fails. */
static int write_down(struct deciding *deciding, struct text detail, struct err *err)
{
	uint64_t activity, other_activity;
	if (write_overlay(deciding, &deciding->overlay, err) < 0 ||
		write_grouping(deciding, err) < 0 ||
		write_activity(deciding, &deciding->overlay, detail, &activity, err) < 0 ||
		write_audit(deciding, detail, err) < 0)
		return -1;
	struct text seen = arena_format(
		deciding->arena, "{\"with\":\"INC-%" PRIu64 "\"}", deciding->overlay.number);
	if (deciding->other.number &&
		(write_overlay(deciding, &deciding->other, err) < 0 ||
			write_activity(deciding, &deciding->other, seen, &other_activity, err) < 0))
		return -1;
	return make_answer(deciding, activity, err);
}

int incident_decision_look(struct deciding *deciding, struct buf *detail, struct err *err)
{
	deciding->wish->result = (struct decision_result){0};
	buf_init(detail, DETAIL_BYTES);
	emit_init(&deciding->detail, detail);
	emit_object(&deciding->detail);
	if (look(deciding, err) < 0)
		return -1;
	return deciding->arena->failed ? no_memory(err) : 0;
}

int incident_decide(
	struct decision_run *run, struct decision *decision, struct arena *arena, struct err *err)
{
	AUTO(buf_done) struct buf detail = {0};
	struct deciding deciding = {
		.run = run, .decision = decision, .wish = &decision->incident, .arena = arena};
	if (incident_decision_look(&deciding, &detail, err) < 0)
		return -1;
	if (deciding.wish->result.status)
		return 0;
	emit_member_string(&deciding.detail, "state", incident_state_name(deciding.overlay.state));
	emit_object_end(&deciding.detail);
	return buf_ok(&detail) ? write_down(&deciding, buf_text(&detail), err) : no_memory(err);
}
