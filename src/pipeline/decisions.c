/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/decisions.h"

#include "base/cleanup.h"
#include "base/emit.h"
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

static int carry_out(
	struct connection *connection, struct decision *decision, int64_t now_ns, struct err *err)
{
	switch (decision->kind) {
	case DECISION_TOKEN_CREATE:
		decision->credential.created_at_ns = now_ns;
		return token_insert(connection, &decision->credential, err) < 0
			       ? -1
			       : audit_token(connection, decision, "token.create", now_ns, err);
	case DECISION_TOKEN_REVOKE:
		return token_revoke(connection, decision->credential.id, now_ns, err) < 0
			       ? -1
			       : audit_token(connection, decision, "token.revoke", now_ns, err);
	}
	return err_set(err, ERR_INPUT, "an unknown kind of decision");
}

int decisions_carry_out(struct connection *connection, struct batch *batch, int64_t now_ns,
	bool *credentials_changed, struct err *err)
{
	for (struct decision *decision = batch->decisions; decision; decision = decision->next) {
		if (carry_out(connection, decision, now_ns, err) < 0)
			return -1;
		*credentials_changed = true;
	}
	return 0;
}
