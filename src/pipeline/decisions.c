/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/decisions.h"

#include "base/cleanup.h"
#include "base/emit.h"
#include "pipeline/incident_decisions.h"
#include "pipeline/sign_in_decisions.h"
#include "pipeline/suppression_decisions.h"
#include "pipeline/view_decisions.h"
#include "store/audit.h"
#include "store/tokens.h"

enum { DETAIL_BYTES = 64 * 1024 };

/* What was granted, for the audit trail; never the token or its digest. */
static void describe_token(const struct credential *credential, struct buf *out)
{
	struct emitter writer;
	emit_init(&writer, out);
	emit_object(&writer);
	emit_member_u64(&writer, "id", credential->id);
	emit_member_text(&writer, "name", credential->name);
	if (credential->role)
		emit_member_string(&writer, "role", role_name(credential->role));
	emit_member_text(&writer, "cluster", credential->cluster);
	emit_member_text(&writer, "node", credential->node);
	if (credential->scope.patterns.n) {
		emit_key(&writer, "namespaces");
		emit_array(&writer);
		for (size_t i = 0; i < credential->scope.patterns.n; i++)
			emit_text(&writer, credential->scope.patterns.items[i]);
		emit_array_end(&writer);
	}
	emit_object_end(&writer);
}

static int audit_token(struct connection *connection, const struct decision *decision,
	const char *action, int64_t now_ns, struct err *err)
{
	AUTO(buf_done) struct buf detail;
	char target[32];
	buf_init(&detail, DETAIL_BYTES);
	describe_token(&decision->credential, &detail);
	if (!buf_ok(&detail))
		return buf_error(&detail, err, "a decision to be audited");
	size_t length = text_format(
		target, sizeof target, "token %llu", (unsigned long long)decision->credential.id);
	struct audit_entry entry = {
		.time_ns = now_ns,
		.actor = decision->actor,
		.action = text_of(action),
		.target = {target, length},
		.detail = buf_text(&detail),
	};
	return audit_append(connection, &entry, err);
}

static int create_token(struct decision_run *run, struct decision *decision, struct err *err)
{
	decision->credential.created_at_ns = run->now_ns;
	return token_insert(run->connection, &decision->credential, err) < 0
		       ? -1
		       : audit_token(run->connection, decision, "token.create", run->now_ns, err);
}

static int revoke_token(struct decision_run *run, struct decision *decision, struct err *err)
{
	return token_revoke(run->connection, decision->credential.id, run->now_ns, err) < 0
		       ? -1
		       : audit_token(run->connection, decision, "token.revoke", run->now_ns, err);
}

static int audit_recorrelation(
	struct decision_run *run, const struct decision *decision, struct err *err)
{
	AUTO(buf_done) struct buf detail;
	struct emitter writer;
	buf_init(&detail, DETAIL_BYTES);
	emit_init(&writer, &detail);
	emit_object(&writer);
	emit_member_time(&writer, "from", decision->from_ns);
	emit_member_u64(&writer, "changed", decision->n_changes);
	emit_object_end(&writer);
	if (!buf_ok(&detail))
		return buf_error(&detail, err, "a decision to be audited");
	struct audit_entry entry = {
		.time_ns = run->now_ns,
		.actor = decision->actor,
		.action = TEXT("recorrelate"),
		.target = TEXT("incidents"),
		.detail = buf_text(&detail),
	};
	return audit_append(run->connection, &entry, err);
}

static int carry_out(
	struct decision_run *run, struct decision *decision, struct arena *arena, struct err *err)
{
	if (decision->kind == DECISION_RECHECK)
		return correlator_recheck(run->correlator, decision->key, decision->carved, err);
	if (decision->kind == DECISION_RECORRELATED)
		return audit_recorrelation(run, decision, err);
	if (decision->kind == DECISION_SUPPRESS || decision->kind == DECISION_UNSUPPRESS)
		return suppression_decide(run, decision, arena, err);
	if (decision->kind == DECISION_VIEW_SAVE || decision->kind == DECISION_VIEW_REMOVE)
		return view_decide(run, decision, arena, err);
	if (decision_name(decision->kind))
		return incident_decide(run, decision, arena, err);
	run->credentials_changed = true;
	if (decision->kind >= DECISION_LINK_CREATE && decision->kind <= DECISION_SESSION_USED)
		return sign_in_decide(run, decision, err);
	return decision->kind == DECISION_TOKEN_CREATE ? create_token(run, decision, err)
						       : revoke_token(run, decision, err);
}

int decisions_carry_out(struct decision_run *run, struct batch *batch, struct err *err)
{
	for (struct decision *decision = batch->decisions; decision; decision = decision->next)
		if (carry_out(run, decision, &batch->arena, err) < 0)
			return -1;
	return 0;
}
