/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/emit.h"
#include "documents/documents.h"
#include "documents/query.h"
#include "store/print_groups.h"

enum { ARENA_BYTES = 64 * 1024 * 1024 };

static void write_tactics(struct emitter *out, tactic_mask tactics)
{
	emit_key(out, "tactics");
	emit_array(out);
	for (unsigned rank = 1; rank <= N_TACTICS; rank++) {
		if (!(tactics & 1U << (rank - 1)))
			continue;
		emit_object(out);
		emit_member_string(out, "id", tactic_info(rank)->id);
		emit_member_string(out, "name", tactic_info(rank)->name);
		emit_member_u64(out, "rank", rank);
		emit_object_end(out);
	}
	emit_array_end(out);
}

static void write_group(struct emitter *out, const struct print_group *group)
{
	const struct alert *like = &group->like;
	char hex[2 * FINGERPRINT_BYTES + 1];
	text_hex(hex, like->fingerprint, FINGERPRINT_BYTES);
	emit_object(out);
	emit_member_string(out, "fingerprint", hex);
	emit_member_text(out, "rule", like->rule);
	emit_member_text(out, "sensor", like->sensor);
	emit_member_string(out, "severity", severity_name(like->severity));
	emit_member_text(out, "cluster", like->cluster);
	emit_member_text(out, "namespace", like->namespace);
	emit_member_text(out, "workload", like->workload.name);
	emit_member_text(out, "node", like->node);
	emit_member_text(out, "exe", like->process.exe);
	emit_member_text(out, "parent", like->process.parent);
	emit_member_text(out, "operation", like->operation);
	emit_member_text(out, "resource", like->resource);
	write_tactics(out, like->tactics);
	emit_member_u64(out, "alerts", group->n);
	emit_member_time(out, "first_seen", group->first_ns);
	emit_member_time(out, "last_seen", like->time_ns);
	emit_key(out, "leaf");
	emit_big(out, like->leaf);
	emit_object_end(out);
}

/* "order.fingerprint.workload", as `next` has it. */
static int read_after(struct text after, struct print_page *page, struct err *err)
{
	struct text rest = after, order, fingerprint;
	page->has_after = after.size > 0;
	if (!page->has_after)
		return 0;
	if (text_split(&rest, '.', &order) && text_to_i64(order, &page->after.order) &&
		text_split(&rest, '.', &fingerprint) &&
		text_to_i64(fingerprint, &page->after.fingerprint) &&
		text_to_i64(rest, &page->after.workload))
		return 0;
	return err_set(err, ERR_INPUT, "after must be what 'next' of the last page said");
}

static int read_order(struct text sort, enum print_order *order, struct err *err)
{
	*order = text_is(sort, "count") ? PRINTS_MOST : PRINTS_NEWEST;
	if (!sort.size || *order == PRINTS_MOST || text_is(sort, "newest"))
		return 0;
	return err_set(err, ERR_INPUT, "sort must be newest or count");
}

static void write_page(struct emitter *out, const struct print_page *page)
{
	char next[80];
	emit_object(out);
	emit_key(out, "items");
	emit_array(out);
	for (const struct print_group *group = page->first; group; group = group->next)
		write_group(out, group);
	emit_array_end(out);
	if (page->has_next) {
		text_format(next, sizeof next, "%lld.%lld.%lld", (long long)page->next.order,
			(long long)page->next.fingerprint, (long long)page->next.workload);
		emit_member_string(out, "next", next);
	}
	emit_object_end(out);
}

int document_fingerprints(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct document_query without_after = *query;
	struct print_filter filter = {.scope = query->scope};
	uint64_t none;
	arena_init(&arena, ARENA_BYTES);
	struct print_page page = {.arena = &arena};
	without_after.after = TEXT_NONE;
	if (query_page(&without_after, &page.limit, &none, err) < 0 ||
		read_after(query->after, &page, err) < 0 ||
		read_order(query->sort, &filter.order, err) < 0 ||
		query_filter(query, QUERY_OF_FINGERPRINTS, &arena, &filter.query, err) < 0 ||
		print_groups_list(connection, &filter, &page, err) < 0)
		return -1;
	emit_init(&emitter, out);
	write_page(&emitter, &page);
	return 0;
}
