/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/suppression_decisions.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "base/tree.h"
#include "model/suppression_query.h"
#include "store/audit.h"
#include "store/idempotency.h"
#include "store/suppressions.h"

/* 16 matchers of 1 KiB, each byte escaped at its longest. */
enum { DETAIL_BYTES = 256 * 1024, DAY_S = 86400 };

/* One decision on its way. */
struct deciding {
	struct decision_run *run;
	const struct decision *decision;
	struct suppression_decision *wish;
	struct arena *arena;
	struct suppression made; /* what is wanted, until it is what is stored */
	struct suppression old;  /* the one that it names */
	const char *action;      /* of the audit trail */
};

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory for a decision");
}

static int refuse(struct deciding *deciding, unsigned status, struct text why)
{
	deciding->wish->result.status = status;
	deciding->wish->result.refusal = why;
	return 0;
}

static bool is_refused(const struct deciding *deciding)
{
	return deciding->wish->result.status != 0;
}

/* Was the same asked before? Then the result is what it was then, or a refusal. */
static int recall(struct deciding *deciding, struct err *err)
{
	struct suppression_decision *wish = deciding->wish;
	struct idempotency item = {
		.actor = deciding->decision->actor, .key = wish->key, .request = wish->request};
	if (!wish->key.size)
		return 0;
	if (idempotency_find(deciding->run->connection, &item, deciding->arena, err) < 0)
		return -1;
	if (item.status == 0)
		return 0;
	if (!item.same)
		return refuse(
			deciding, 422, TEXT("this Idempotency-Key was used for another request"));
	wish->result.status = item.status;
	wish->result.answer = item.answer;
	return 0;
}

/* The one that is named, as it is now. */
static int find_old(struct deciding *deciding, struct err *err)
{
	struct text id = deciding->made.id;
	int failed = suppression_find(
		deciding->run->connection, id, deciding->arena, &deciding->old, err);
	if (failed && err->kind != ERR_MISSING)
		return -1;
	if (!failed && suppression_is_inside(&deciding->old, &deciding->decision->scope))
		return 0;
	deciding->old = (struct suppression){0};
	return refuse(deciding, 404,
		arena_format(deciding->arena, "there is no suppression %.*s",
			(int)(id.size < SUPPRESSION_ID_BYTES ? id.size : SUPPRESSION_ID_BYTES),
			id.data ? id.data : ""));
}

static void check_times(struct deciding *deciding)
{
	struct suppression *wish = &deciding->made;
	int64_t now_ns = deciding->run->now_ns, longest_ns = deciding->wish->longest_ns;
	if (!wish->starts_ns || wish->starts_ns < now_ns)
		wish->starts_ns = now_ns;
	if (wish->ends_ns <= now_ns || wish->ends_ns <= wish->starts_ns)
		refuse(deciding, 422, TEXT("it must end in the future, and after it starts"));
	else if (wish->ends_ns - now_ns > longest_ns)
		refuse(deciding, 422,
			arena_format(deciding->arena,
				"it must end within %" PRId64
				" days from now: who has this role may"
				" suppress for no longer",
				longest_ns / NS_PER_S / DAY_S));
}

static int check_room(struct deciding *deciding, struct err *err)
{
	struct suppression_list live;
	if (suppressions_live(deciding->run->connection, deciding->run->now_ns, deciding->arena,
		    &live, err) < 0)
		return -1;
	if (live.n >= SUPPRESSIONS_MAX)
		return refuse(deciding, 422,
			arena_format(deciding->arena,
				"%d suppressions are active or pending: end some first",
				SUPPRESSIONS_MAX));
	return 0;
}

static bool same_matchers(const struct suppression *a, const struct suppression *b)
{
	AUTO(buf_done) struct buf left;
	AUTO(buf_done) struct buf right;
	buf_init(&left, DETAIL_BYTES);
	buf_init(&right, DETAIL_BYTES);
	matchers_write(&left, &a->matchers);
	matchers_write(&right, &b->matchers);
	return buf_ok(&left) && buf_ok(&right) && text_equal(buf_text(&left), buf_text(&right)) &&
	       text_equal(a->query_text, b->query_text);
}

/* What was hidden stays explained by what is said now: other matchers are another suppression. */
static bool may_change(const struct deciding *deciding)
{
	const struct suppression *old = &deciding->old, *wish = &deciding->made;
	return suppression_state_at(old, deciding->run->now_ns) != SUPPRESSION_EXPIRED &&
	       same_matchers(old, wish);
}

static int end_old(struct deciding *deciding, struct err *err)
{
	if (suppression_state_at(&deciding->old, deciding->run->now_ns) == SUPPRESSION_EXPIRED)
		return 0;
	return suppression_expire(deciding->run->connection, deciding->old.number,
		deciding->decision->actor, deciding->run->now_ns, err);
}

static int make_new(struct deciding *deciding, struct err *err)
{
	struct suppression *wish = &deciding->made;
	if (check_room(deciding, err) < 0)
		return -1;
	if (is_refused(deciding))
		return 0;
	wish->id = text_of(deciding->wish->new_id);
	wish->created_by = deciding->decision->actor;
	wish->created_ns = deciding->run->now_ns;
	deciding->action = "suppression.create";
	return suppression_insert(deciding->run->connection, wish, err);
}

static int suppress(struct deciding *deciding, struct err *err)
{
	struct suppression *wish = &deciding->made;
	if (wish->id.size && find_old(deciding, err) < 0)
		return -1;
	if (!is_refused(deciding) && !suppression_is_inside(wish, &deciding->decision->scope))
		refuse(deciding, 422,
			TEXT("it reaches beyond your namespaces: name one of them, as"
			     " namespace=\"shop\""));
	if (!is_refused(deciding))
		check_times(deciding);
	if (is_refused(deciding))
		return 0;
	if (!deciding->old.number)
		return make_new(deciding, err);
	if (!may_change(deciding))
		return end_old(deciding, err) < 0 ? -1 : make_new(deciding, err);
	/* One that has begun has begun. */
	if (deciding->old.starts_ns <= deciding->run->now_ns)
		wish->starts_ns = deciding->old.starts_ns;
	wish->number = deciding->old.number;
	wish->id = deciding->old.id;
	deciding->action = "suppression.update";
	return suppression_update(deciding->run->connection, wish, err);
}

static int unsuppress(struct deciding *deciding, struct err *err)
{
	if (find_old(deciding, err) < 0)
		return -1;
	if (is_refused(deciding))
		return 0;
	if (suppression_state_at(&deciding->old, deciding->run->now_ns) == SUPPRESSION_EXPIRED)
		return refuse(deciding, 409, TEXT("it has ended already"));
	deciding->made = deciding->old;
	deciding->made.ends_ns = deciding->run->now_ns;
	deciding->action = "suppression.expire";
	return end_old(deciding, err);
}

static int write_audit(struct deciding *deciding, struct err *err)
{
	AUTO(buf_done) struct buf detail;
	AUTO(buf_done) struct buf matchers;
	struct emitter emitter;
	const struct suppression *wish = &deciding->made;
	buf_init(&matchers, DETAIL_BYTES);
	matchers_write(&matchers, &wish->matchers);
	buf_init(&detail, DETAIL_BYTES);
	emit_init(&emitter, &detail);
	emit_object(&emitter);
	emit_member_text(&emitter, "matchers", buf_text(&matchers));
	emit_member_text(&emitter, "query", wish->query_text);
	emit_member_text(&emitter, "reason", wish->reason);
	emit_member_text(&emitter, "author", wish->author);
	emit_member_time(&emitter, "starts", wish->starts_ns);
	emit_member_time(&emitter, "ends", wish->ends_ns);
	if (deciding->old.number && !text_equal(deciding->old.id, wish->id))
		emit_member_text(&emitter, "replaces", deciding->old.id);
	emit_object_end(&emitter);
	struct audit_entry entry = {
		.time_ns = deciding->run->now_ns,
		.actor = deciding->decision->actor,
		.action = text_of(deciding->action),
		.target = arena_format(deciding->arena, "suppression %.*s", TEXT_ARG(wish->id)),
		.detail = buf_text(&detail),
	};
	if (!buf_ok(&detail) || !buf_ok(&matchers) || deciding->arena->failed)
		return no_memory(err);
	return audit_append(deciding->run->connection, &entry, err);
}

/* What was done: answered now, and whenever the same is asked again by its key. */
static int make_answer(struct deciding *deciding, struct err *err)
{
	struct suppression_decision *wish = deciding->wish;
	wish->result.status = 200;
	wish->result.answer =
		arena_format(deciding->arena, "{\"id\":\"%.*s\"}", TEXT_ARG(deciding->made.id));
	if (deciding->arena->failed)
		return no_memory(err);
	struct idempotency item = {.actor = deciding->decision->actor,
		.key = wish->key,
		.request = wish->request,
		.status = wish->result.status,
		.answer = wish->result.answer};
	return wish->key.size ? idempotency_keep(deciding->run->connection, &item,
					deciding->run->now_ns, err)
			      : 0;
}

int suppression_decide(
	struct decision_run *run, struct decision *decision, struct arena *arena, struct err *err)
{
	struct deciding deciding = {
		.run = run, .decision = decision, .wish = &decision->suppression, .arena = arena};
	deciding.wish->result = (struct decision_result){0};
	/* The wish stays as it is: where the commit fails it is tried again. */
	deciding.made = deciding.wish->wish;
	if (recall(&deciding, err) < 0)
		return -1;
	if (is_refused(&deciding))
		return 0;
	bool ends = decision->kind == DECISION_UNSUPPRESS;
	if ((ends ? unsuppress(&deciding, err) : suppress(&deciding, err)) < 0)
		return -1;
	if (arena->failed)
		return no_memory(err);
	if (is_refused(&deciding))
		return 0;
	run->suppressions_changed = true;
	return write_audit(&deciding, err) < 0 ? -1 : make_answer(&deciding, err);
}
