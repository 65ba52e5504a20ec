/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/sign_in_decisions.h"

#include "base/cleanup.h"
#include "base/emit.h"
#include "store/audit.h"
#include "store/sessions.h"

enum { DETAIL_BYTES = 64 * 1024 };

static void describe(const struct decision *decision, struct buf *out)
{
	const struct session *session = &decision->sign_in.session;
	struct emitter writer;
	emit_init(&writer, out);
	emit_object(&writer);
	if (session->id)
		emit_member_u64(&writer, "id", session->id);
	emit_member_text(&writer, "name", session->name);
	emit_member_text(&writer, "subject", session->subject);
	if (session->role)
		emit_member_string(&writer, "role", role_name(session->role));
	if (session->scope.patterns.n) {
		emit_key(&writer, "namespaces");
		emit_array(&writer);
		for (size_t i = 0; i < session->scope.patterns.n; i++)
			emit_text(&writer, session->scope.patterns.items[i]);
		emit_array_end(&writer);
	}
	if (session->way)
		emit_member_string(&writer, "how", sign_in_way_name(session->way));
	emit_member_text(&writer, "address", session->address);
	emit_object_end(&writer);
}

static int audit(struct decision_run *run, const struct decision *decision, const char *action,
	const char *what, uint64_t id, struct err *err)
{
	AUTO(buf_done) struct buf detail;
	char target[40];
	buf_init(&detail, DETAIL_BYTES);
	describe(decision, &detail);
	if (!buf_ok(&detail))
		return buf_error(&detail, err, "a sign-in to be audited");
	size_t length = text_format(target, sizeof target, "%s %llu", what, (unsigned long long)id);
	struct audit_entry entry = {
		.time_ns = run->now_ns,
		.actor = decision->actor,
		.action = text_of(action),
		.target = {target, length},
		.detail = buf_text(&detail),
	};
	return audit_append(run->connection, &entry, err);
}

static int create_link(struct decision_run *run, struct decision *decision, struct err *err)
{
	const struct sign_in_link *link = &decision->sign_in.link;
	return sign_in_link_insert(run->connection, link, err) < 0
		       ? -1
		       : audit(run, decision, "sign_in_link.create", "token", link->token, err);
}

static int begin(struct decision_run *run, struct decision *decision, struct err *err)
{
	struct sign_in_decision *wish = &decision->sign_in;
	uint64_t token;
	bool ended;
	if (wish->has_link) {
		if (sign_in_link_use(
			    run->connection, &wish->link.digest, run->now_ns, &token, err) < 0)
			return -1;
		if (token != wish->session.token) {
			wish->refusal = "this link was used already";
			return 0;
		}
	}
	if (wish->replaces &&
		session_end(run->connection, wish->replaces, run->now_ns, &ended, err) < 0)
		return -1;
	return session_insert(run->connection, &wish->session, run->now_ns, err) < 0
		       ? -1
		       : audit(run, decision, "session.begin", "session", wish->session.id, err);
}

static int end(struct decision_run *run, struct decision *decision, struct err *err)
{
	bool ended;
	uint64_t id = decision->sign_in.session.id;
	if (session_end(run->connection, id, run->now_ns, &ended, err) < 0)
		return -1;
	if (ended)
		return audit(run, decision, "session.end", "session", id, err);
	decision->sign_in.refusal = "this session has ended already";
	return 0;
}

int sign_in_decide(struct decision_run *run, struct decision *decision, struct err *err)
{
	if (decision->kind == DECISION_LINK_CREATE)
		return create_link(run, decision, err);
	if (decision->kind == DECISION_SESSION_BEGIN)
		return begin(run, decision, err);
	if (decision->kind == DECISION_SESSION_END)
		return end(run, decision, err);
	return session_used(run->connection, decision->sign_in.session.id, run->now_ns, err);
}
