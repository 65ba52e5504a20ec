/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/emit.h"
#include "documents/documents.h"
#include "documents/hits.h"
#include "documents/query.h"
#include "model/entity.h"
#include "model/suppression_query.h"
#include "store/suppressions.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, MATCHERS_BYTES_MAX = 64 * 1024 };

/* Time enough to have matched something. */
#define UNMATCHED_AFTER_NS (3600 * NS_PER_S)
#define EXPIRING_NS        ((int64_t)SUPPRESSION_EXPIRING_HOURS * 3600 * NS_PER_S)

static bool is_expiring(const struct suppression *item, int64_t now_ns)
{
	return suppression_state_at(item, now_ns) == SUPPRESSION_ACTIVE &&
	       item->ends_ns - now_ns <= EXPIRING_NS;
}

static bool is_unmatched(const struct suppression *item, int64_t now_ns)
{
	return suppression_state_at(item, now_ns) == SUPPRESSION_ACTIVE && item->n_hits == 0 &&
	       now_ns - item->starts_ns >= UNMATCHED_AFTER_NS;
}

static void write_matchers(struct emitter *out, const struct matcher_list *matchers)
{
	AUTO(buf_done) struct buf text;
	buf_init(&text, MATCHERS_BYTES_MAX);
	matchers_write(&text, matchers);
	if (matchers->n)
		emit_member_text(out, "matcher_text", buf_text(&text));
	emit_key(out, "matchers");
	emit_array(out);
	for (size_t i = 0; i < matchers->n; i++) {
		emit_object(out);
		emit_member_text(out, "name", matchers->items[i].name);
		emit_member_string(out, "op", matcher_operator(&matchers->items[i]));
		emit_key(out, "value");
		emit_text(out, matchers->items[i].value);
		emit_object_end(out);
	}
	emit_array_end(out);
}

static void member_time_if(struct emitter *out, const char *key, int64_t wall_ns)
{
	if (wall_ns)
		emit_member_time(out, key, wall_ns);
}

static void write_suppression(struct emitter *out, const struct suppression *item, int64_t now_ns)
{
	emit_object(out);
	emit_member_text(out, "id", item->id);
	emit_member_u64(out, "number", item->number);
	emit_member_string(
		out, "state", suppression_state_name(suppression_state_at(item, now_ns)));
	write_matchers(out, &item->matchers);
	emit_member_text(out, "query", item->query_text);
	emit_member_text(out, "reason", item->reason);
	emit_member_text(out, "author", item->author);
	emit_member_text(out, "created_by", item->created_by);
	emit_member_time(out, "created", item->created_ns);
	emit_member_time(out, "starts", item->starts_ns);
	emit_member_time(out, "ends", item->ends_ns);
	emit_member_text(out, "expired_by", item->expired_by);
	member_time_if(out, "expired", item->expired_ns);
	emit_member_u64(out, "hits", item->n_hits);
	emit_member_u64(out, "kinds", item->n_kinds);
	member_time_if(out, "first_hit", item->first_hit_ns);
	member_time_if(out, "last_hit", item->last_hit_ns);
	emit_member_bool(out, "expiring", is_expiring(item, now_ns));
	emit_member_bool(out, "never_matched", is_unmatched(item, now_ns));
	emit_object_end(out);
}

/* What a list shows. */
struct shown {
	const char *name;
	int states;                                                 /* bits; 0: any */
	bool (*is)(const struct suppression *item, int64_t now_ns); /* NULL: any */
	int (*compare)(const void *left, const void *right); /* NULL: in pages, newest first */
};

static int by_end(const void *left, const void *right)
{
	const struct suppression *a = left, *b = right;
	if (a->ends_ns != b->ends_ns)
		return a->ends_ns < b->ends_ns ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

static int by_age(const void *left, const void *right)
{
	const struct suppression *a = left, *b = right;
	return a->number < b->number ? -1 : 1;
}

static const struct shown shows[] = {
	{"all", 0, NULL, NULL},
	{"active", 1 << SUPPRESSION_ACTIVE, NULL, NULL},
	{"pending", 1 << SUPPRESSION_PENDING, NULL, NULL},
	{"expired", 1 << SUPPRESSION_EXPIRED, NULL, NULL},
	{"expiring", 1 << SUPPRESSION_ACTIVE, is_expiring, by_end},
	{"unmatched", 1 << SUPPRESSION_ACTIVE, is_unmatched, by_age},
	{"oldest", 1 << SUPPRESSION_ACTIVE, NULL, by_age},
};

static int read_show(struct text word, const struct shown **out, struct err *err)
{
	*out = &shows[0];
	for (size_t i = 0; i < sizeof shows / sizeof shows[0]; i++)
		if (text_is(word, shows[i].name))
			*out = &shows[i];
	return !word.size || text_is(word, (*out)->name)
		       ? 0
		       : err_set(err, ERR_INPUT,
				 "show must be all, active, pending, expired, expiring, unmatched"
				 " or oldest");
}

static bool is_shown(const struct shown *shown, const struct suppression *item, int64_t now_ns)
{
	return (!shown->states || (shown->states & 1 << suppression_state_at(item, now_ns))) &&
	       (!shown->is || shown->is(item, now_ns));
}

/* A page of those that are shown, newest first. */
static int write_pages(struct connection *connection, const struct shown *shown,
	const struct scope *scope, struct suppression_page *page, struct emitter *out,
	struct err *err)
{
	uint64_t before = page->before;
	const int64_t now_ns = page->now_ns;
	for (size_t n = 0;;) {
		page->before = before;
		if (suppressions_list(connection, page, err) < 0)
			return -1;
		for (size_t i = 0; i < page->list.n && n < page->limit; i++) {
			const struct suppression *item = &page->list.items[i];
			before = item->number;
			if (!is_shown(shown, item, now_ns) || !suppression_is_inside(item, scope))
				continue;
			write_suppression(out, item, now_ns);
			n++;
		}
		if (n == page->limit)
			page->next_before = before;
		if (n == page->limit || !page->next_before)
			return 0;
	}
}

static void write_sorted(struct suppression_list *live, const struct shown *shown, size_t limit,
	int64_t now_ns, struct emitter *out)
{
	if (live->n)
		qsort(live->items, live->n, sizeof *live->items, shown->compare);
	for (size_t i = 0, n = 0; i < live->n && n < limit; i++) {
		if (!is_shown(shown, &live->items[i], now_ns))
			continue;
		write_suppression(out, &live->items[i], now_ns);
		n++;
	}
}

static void write_counts(struct emitter *out, const struct suppression_list *live, int64_t now_ns)
{
	uint64_t n_active = 0, n_pending = 0, n_expiring = 0, n_unmatched = 0;
	for (size_t i = 0; i < live->n; i++) {
		const struct suppression *item = &live->items[i];
		enum suppression_state state = suppression_state_at(item, now_ns);
		n_active += state == SUPPRESSION_ACTIVE;
		n_pending += state == SUPPRESSION_PENDING;
		n_expiring += is_expiring(item, now_ns);
		n_unmatched += is_unmatched(item, now_ns);
	}
	emit_key(out, "counts");
	emit_object(out);
	emit_member_u64(out, "active", n_active);
	emit_member_u64(out, "pending", n_pending);
	emit_member_u64(out, "expiring", n_expiring);
	emit_member_u64(out, "unmatched", n_unmatched);
	emit_object_end(out);
}

/* What is not theirs is not counted either. */
static void keep_inside(struct suppression_list *list, const struct scope *scope)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++)
		if (suppression_is_inside(&list->items[i], scope))
			list->items[n++] = list->items[i];
	list->n = n;
}

int document_suppressions(struct connection *connection, const struct document_query *query,
	int64_t now_ns, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	const struct shown *shown;
	struct suppression_list live;
	arena_init(&arena, ARENA_BYTES);
	struct suppression_page page = {.arena = &arena, .now_ns = now_ns};
	if (query_page(query, &page.limit, &page.before, err) < 0 ||
		read_show(query->show, &shown, err) < 0 ||
		suppressions_live(connection, now_ns, &arena, &live, err) < 0)
		return -1;
	keep_inside(&live, query->scope);
	if (shown->compare && query->after.size)
		return err_set(
			err, ERR_INPUT, "show=%s has one page: limit says how long", shown->name);
	emit_init(&emitter, out);
	emit_object(&emitter);
	write_counts(&emitter, &live, now_ns);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	if (shown->compare)
		write_sorted(&live, shown, page.limit, now_ns, &emitter);
	else if (write_pages(connection, shown, query->scope, &page, &emitter, err) < 0)
		return -1;
	emit_array_end(&emitter);
	if (page.next_before) {
		emit_key(&emitter, "next");
		emit_big(&emitter, page.next_before);
	}
	emit_object_end(&emitter);
	return 0;
}

int document_suppression(struct connection *connection, struct text id, const struct scope *scope,
	int64_t now_ns, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct suppression suppression;
	arena_init(&arena, ARENA_BYTES);
	if (suppression_find_inside(connection, id, scope, &arena, &suppression, err) < 0)
		return -1;
	emit_init(&emitter, out);
	write_suppression(&emitter, &suppression, now_ns);
	return 0;
}

static void write_place(struct emitter *out, struct text packed)
{
	struct identity_seen seen;
	struct text pod = TEXT_NONE, namespace = TEXT_NONE;
	emit_key(out, "entity");
	emit_object(out);
	if (identity_seen_unpack(packed, &seen)) {
		pod = seen.name;
		if (pod.size)
			text_split(&pod, '/', &namespace);
		emit_member_text(out, "cluster", seen.cluster);
		emit_member_text(out, "namespace", namespace);
		emit_member_text(out, "pod", pod);
		emit_member_text(out, "pod_uid", seen.uid);
		emit_member_text(out, "container_id", seen.container);
		emit_member_text(out, "node", seen.node);
	}
	emit_object_end(out);
}

void hit_write(struct emitter *out, const struct suppression_hit *hit)
{
	char hex[2 * FINGERPRINT_BYTES + 1];
	text_hex(hex, hit->hash, FINGERPRINT_BYTES);
	emit_object(out);
	emit_member_string(out, "fingerprint", hex);
	emit_member_text(out, "rule", hit->rule);
	emit_member_text(out, "sensor", hit->sensor);
	emit_member_text(out, "exe", hit->exe);
	write_place(out, hit->packed);
	emit_member_u64(out, "alerts", hit->n);
	emit_member_time(out, "first_seen", hit->lo_ns);
	emit_member_time(out, "last_seen", hit->hi_ns);
	if (hit->suppression) {
		emit_key(out, "first_leaf");
		emit_big(out, hit->first_leaf);
		emit_key(out, "last_leaf");
		emit_big(out, hit->last_leaf);
	}
	emit_object_end(out);
}

/* "12-345": behind which entity and fingerprint. */
static int read_after(struct text word, struct suppression_hit_page *page, struct err *err)
{
	struct text rest = word, entity = TEXT_NONE;
	if (!word.size)
		return 0;
	text_split(&rest, '-', &entity);
	return text_to_i64(entity, &page->after_entity) &&
			       text_to_i64(rest, &page->after_fingerprint)
		       ? 0
		       : err_set(err, ERR_INPUT, "after must be what 'next' of the last page said");
}

int document_suppression_hits(struct connection *connection, struct text id,
	const struct document_query *query, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct suppression suppression;
	struct document_query first = *query;
	uint64_t ignored;
	arena_init(&arena, ARENA_BYTES);
	struct suppression_hit_page page = {.arena = &arena};
	first.after = TEXT_NONE;
	if (query_page(&first, &page.limit, &ignored, err) < 0 ||
		read_after(query->after, &page, err) < 0 ||
		suppression_find_inside(connection, id, query->scope, &arena, &suppression, err) <
			0)
		return -1;
	page.suppression = suppression.number;
	if (suppression_hits_read(connection, &page, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_member_u64(&emitter, "hits", suppression.n_hits);
	emit_member_u64(&emitter, "kinds", suppression.n_kinds);
	emit_member_bool(&emitter, "complete", suppression.n_kinds < SUPPRESSION_KINDS_MAX);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (size_t i = 0; i < page.n; i++)
		hit_write(&emitter, &page.items[i]);
	emit_array_end(&emitter);
	if (page.n == page.limit) {
		char next[64];
		text_format(next, sizeof next, "%lld-%lld",
			(long long)page.items[page.n - 1].entity,
			(long long)page.items[page.n - 1].fingerprint);
		emit_member_string(&emitter, "next", next);
	}
	emit_object_end(&emitter);
	return 0;
}
