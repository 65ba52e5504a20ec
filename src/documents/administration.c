/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/emit.h"
#include "documents/coverage.h"
#include "documents/documents.h"
#include "documents/query.h"
#include "model/scope.h"
#include "store/audit.h"
#include "store/heard.h"
#include "store/ledger.h"
#include "store/recent.h"
#include "store/retention.h"
#include "store/tokens.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, RECENT_S = 300 };

static void member_time_if(struct emitter *out, const char *key, int64_t wall_ns)
{
	if (wall_ns)
		emit_member_time(out, key, wall_ns);
}

static void write_stored_sender(struct emitter *out, const struct heard_row *row)
{
	emit_object(out);
	emit_member_text(out, "source", row->source);
	emit_member_text(out, "cluster", row->cluster);
	emit_member_text(out, "node", row->node);
	emit_member_text(out, "sensor", row->sensor);
	emit_member_text(out, "version", row->version);
	emit_member_u64(out, "token", row->credential);
	emit_member_time(out, "first_heard", row->first_received_ns);
	emit_member_time(out, "last_heard", row->last_received_ns);
	member_time_if(out, "last_event", row->last_event_ns);
	emit_member_u64(out, "accepted", row->accepted);
	emit_member_u64(out, "duplicate", row->duplicate);
	emit_member_u64(out, "quarantined", row->quarantined);
	member_time_if(out, "started", row->started_ns);
	member_time_if(out, "spoke_of_itself", row->health_ns);
	emit_member_u64(out, "events_dropped", row->drops);
	emit_member_u64(out, "alerts_dropped", row->output_drops);
	emit_member_u64(out, "alerts_shed", row->shed);
	emit_object_end(out);
}

static void write_sender(struct emitter *out, const struct sender *sender)
{
	emit_object(out);
	emit_member_text(out, "address", sender->address);
	emit_member_string(out, "source", source_info(sender->source)->name);
	if (sender->agent.size) {
		emit_member_string(out, "via", "agent");
		emit_member_text(out, "node", sender->agent);
	}
	emit_member_u64(out, "requests", sender->n_requests);
	emit_member_u64(out, "held", sender->n_held);
	member_time_if(out, "held_since", sender->held_since_ns);
	emit_member_u64(out, "refused_and_lost", sender->n_refused);
	if (sender->n_refused)
		emit_member_u64(out, "last_refusal", sender->last_refusal);
	member_time_if(out, "last_refused", sender->last_refused_ns);
	emit_member_time(out, "last_heard", sender->last_heard_ns);
	emit_object_end(out);
}

int document_sources(struct connection *connection, const struct sender_set *senders,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct heard_list list;
	arena_init(&arena, ARENA_BYTES);
	if (heard_list(connection, &arena, &list, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (size_t i = 0; i < list.n; i++)
		write_stored_sender(&emitter, &list.items[i]);
	emit_array_end(&emitter);
	emit_key(&emitter, "addresses");
	emit_array(&emitter);
	for (size_t i = 0; senders && i < senders->n; i++)
		write_sender(&emitter, &senders->items[i]);
	emit_array_end(&emitter);
	if (agents_write(connection, clock_wall_ns(&clock_system), &emitter, err) < 0)
		return -1;
	emit_object_end(&emitter);
	return 0;
}

static void write_sources_bits(struct emitter *out, uint32_t sources)
{
	emit_key(out, "sources");
	emit_array(out);
	for (unsigned i = SOURCE_NONE + 1; i < N_SOURCES; i++)
		if (sources & 1U << i)
			emit_text(out, text_of(source_info((enum source)i)->name));
	emit_array_end(out);
}

static void write_namespaces(struct emitter *out, const struct scope *scope)
{
	if (scope_is_all(scope))
		return;
	emit_key(out, "namespaces");
	emit_array(out);
	for (size_t i = 0; i < scope->patterns.n; i++)
		emit_text(out, scope->patterns.items[i]);
	emit_array_end(out);
}

int document_tokens(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct credential_list list;
	size_t limit, at = 0, n = 0;
	uint64_t after;
	arena_init(&arena, ARENA_BYTES);
	if (query_page(query, &limit, &after, err) < 0 ||
		tokens_list(connection, &arena, &list, err) < 0)
		return -1;
	while (at < list.n && list.items[at].id <= after)
		at++;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (size_t i = at; i < list.n && n < limit; i++, n++) {
		const struct credential *token = &list.items[i];
		emit_object(&emitter);
		emit_member_u64(&emitter, "id", token->id);
		emit_member_text(&emitter, "name", token->name);
		emit_member_string(&emitter, "role", role_name(token->role));
		emit_member_text(&emitter, "cluster", token->cluster);
		if (token->role == ROLE_SOURCE)
			write_sources_bits(&emitter, token->sources);
		emit_member_text(&emitter, "node", token->node);
		emit_member_text(&emitter, "subject", token->subject);
		write_namespaces(&emitter, &token->scope);
		emit_member_time(&emitter, "created", token->created_at_ns);
		member_time_if(&emitter, "expires", token->expires_at_ns);
		member_time_if(&emitter, "revoked", token->revoked_at_ns);
		emit_object_end(&emitter);
	}
	emit_array_end(&emitter);
	if (at + n < list.n) {
		emit_key(&emitter, "next");
		emit_big(&emitter, list.items[at + n - 1].id);
	}
	emit_object_end(&emitter);
	return 0;
}

int document_audit(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	arena_init(&arena, ARENA_BYTES);
	struct audit_page page = {.arena = &arena};
	if (query_page(query, &page.limit, &page.before, err) < 0 ||
		audit_list(connection, &page, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (size_t i = 0; i < page.n; i++) {
		const struct audit_entry *entry = &page.items[i];
		char hash[2 * DIGEST_BYTES + 1];
		text_hex(hash, entry->hash.bytes, DIGEST_BYTES);
		emit_object(&emitter);
		emit_member_u64(&emitter, "id", entry->id);
		emit_member_time(&emitter, "time", entry->time_ns);
		emit_member_text(&emitter, "actor", entry->actor);
		emit_member_text(&emitter, "action", entry->action);
		emit_member_text(&emitter, "target", entry->target);
		emit_key(&emitter, "detail");
		emit_raw(&emitter, entry->detail);
		emit_member_string(&emitter, "hash", hash);
		emit_object_end(&emitter);
	}
	emit_array_end(&emitter);
	if (page.next_before) {
		emit_key(&emitter, "next");
		emit_big(&emitter, page.next_before);
	}
	emit_object_end(&emitter);
	return 0;
}

static void write_ledger(struct emitter *out, const struct ledger *ledger)
{
	char hex[2 * DIGEST_BYTES + 1];
	struct digest root = ledger_root(ledger);
	text_hex(hex, root.bytes, DIGEST_BYTES);
	emit_object(out);
	emit_key(out, "leaves");
	emit_big(out, ledger->n_leaves);
	emit_member_string(out, "root", hex);
	emit_object_end(out);
}

int document_ledger(struct connection *connection, struct buf *out, struct err *err)
{
	struct emitter emitter;
	AUTO(free) struct ledger *ledger = calloc(1, sizeof *ledger);
	if (!ledger)
		return err_set(err, ERR_MEMORY, "out of memory for the ledger");
	if (ledger_load(ledger, connection, err) < 0)
		return -1;
	emit_init(&emitter, out);
	write_ledger(&emitter, ledger);
	return 0;
}

static void write_running(struct emitter *out, const struct status *status)
{
	int64_t held_since = atomic_load(&status->held_since_ns);
	int64_t late_since = atomic_load(&status->late_since_ns);
	if (!held_since || (late_since && late_since < held_since))
		held_since = late_since;
	emit_member_time(out, "started", status->started_at_ns);
	emit_member_string(out, "store",
		store_state_name((enum store_state)atomic_load(&status->store_state)));
	member_time_if(out, "store_since", atomic_load(&status->store_state_since_ns));
	member_time_if(out, "last_commit", atomic_load(&status->last_commit_at_ns));
	int64_t watermark_ns = atomic_load(&status->watermark_ns);
	member_time_if(out, "watermark", watermark_ns == INT64_MIN ? 0 : watermark_ns);
	emit_member_u64(out, "held", atomic_load(&status->n_held) + atomic_load(&status->n_late));
	member_time_if(out, "held_since", held_since);
	if (held_since) {
		int64_t held_ns = clock_wall_ns(&clock_system) - held_since;
		emit_member_i64(out, "held_for_s", held_ns > 0 ? held_ns / NS_PER_S : 0);
	}
	emit_member_u64(out, "database_bytes", atomic_load(&status->database_bytes));
	emit_member_u64(out, "log_bytes", atomic_load(&status->wal_bytes));
}

/* How far back there is something. */
static void write_retention(
	struct emitter *out, const struct status *status, const struct retention_state *state)
{
	uint64_t limit = status ? atomic_load(&status->size_limit_bytes) : 0;
	emit_key(out, "retention");
	emit_object(out);
	member_time_if(out, "horizon", state->horizon_ns);
	member_time_if(out, "raw_since", state->raw_ns);
	member_time_if(out, "shortened_by_size", state->shortened_ns);
	if (status)
		emit_member_u64(out, "used_bytes", atomic_load(&status->used_bytes));
	if (limit) {
		emit_member_u64(out, "size_limit_bytes", limit);
		emit_member_bool(out, "size_exceeded", atomic_load(&status->size_exceeded));
	}
	emit_object_end(out);
}

/* What is nobody's in particular: since when it runs, whether it works, how far back there is
 * something, and where streams begin. */
static int write_status_for_some(struct connection *connection, const struct status *status,
	struct buf *out, struct err *err)
{
	struct emitter emitter;
	struct retention_state retention;
	uint64_t n_leaves;
	if (retention_state_read(connection, &retention, err) < 0 ||
		ledger_count(connection, &n_leaves, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_member_time(&emitter, "started", status->started_at_ns);
	emit_member_string(&emitter, "store",
		store_state_name((enum store_state)atomic_load(&status->store_state)));
	emit_key(&emitter, "retention");
	emit_object(&emitter);
	member_time_if(&emitter, "horizon", retention.horizon_ns);
	member_time_if(&emitter, "raw_since", retention.raw_ns);
	emit_object_end(&emitter);
	emit_key(&emitter, "ledger");
	emit_object(&emitter);
	emit_key(&emitter, "leaves");
	emit_big(&emitter, n_leaves);
	emit_object_end(&emitter);
	emit_object_end(&emitter);
	return 0;
}

int document_status(struct connection *connection, const struct status *status,
	const struct scope *scope, struct buf *out, struct err *err)
{
	struct emitter emitter;
	if (status && !scope_is_all(scope))
		return write_status_for_some(connection, status, out, err);
	AUTO(free) struct ledger *ledger = calloc(1, sizeof *ledger);
	if (!ledger)
		return err_set(err, ERR_MEMORY, "out of memory for the ledger");
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT count(*) FROM piece", err);
	if (ledger_load(ledger, connection, err) < 0 || !statement || sql_step(statement, err) < 0)
		return -1;
	struct retention_state retention;
	uint64_t n_recent;
	int64_t n_incidents = sql_i64(statement, 0);
	int64_t since_ns = clock_wall_ns(&clock_system) - RECENT_S * NS_PER_S;
	sqlite3_reset(statement);
	if (retention_state_read(connection, &retention, err) < 0 ||
		recent_count(connection, since_ns, &n_recent, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	if (status)
		write_running(&emitter, status);
	emit_member_i64(&emitter, "incidents", n_incidents);
	emit_member_u64(&emitter, "alerts_recent", n_recent);
	write_retention(&emitter, status, &retention);
	emit_key(&emitter, "ledger");
	write_ledger(&emitter, ledger);
	emit_object_end(&emitter);
	return 0;
}
