/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "alertmanager/filter.h"
#include "base/cleanup.h"
#include "base/emit.h"
#include "base/table.h"
#include "store/incident_story.h"
#include "store/suppressed.h"

/* How long an alert counts as firing when nobody asks again: as there. */
#define RESOLVE_TIMEOUT_NS (300 * NS_PER_S)

enum { ARENA_BYTES = 256 * 1024 * 1024, PAGE = 500 };

/* In the order of their names, as there. */
static const enum suppression_label shown[] = {LABEL_ALERTNAME, LABEL_CLUSTER, LABEL_CONTAINER,
	LABEL_EXE, LABEL_FINGERPRINT, LABEL_NAMESPACE, LABEL_NODE, LABEL_POD, LABEL_SEVERITY,
	LABEL_SOURCE, LABEL_WORKLOAD};
static const enum suppression_label grouped[] = {LABEL_CLUSTER, LABEL_NAMESPACE, LABEL_POD};

enum { N_SHOWN = sizeof shown / sizeof shown[0], N_GROUPED = sizeof grouped / sizeof grouped[0] };

/* One fingerprint of one incident. */
struct item {
	struct text labels[N_SUPPRESSION_LABELS];
	uint64_t hash; /* of the labels: what tells alerts apart */
	const struct incident *incident;
	int64_t lo_ns, hi_ns;
	struct text_list silenced_by;
};

/* A collection under way. */
struct collection {
	struct connection *connection;
	const struct alertmanager_query *query;
	struct arena *arena;
	struct matcher_list filters;
	struct suppressed suppressed;
	struct table *known; /* by hash */
	struct item *items;
	size_t n;
	bool truncated; /* there is more than fits */
};

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory for alerts");
}

static uint64_t add_to_hash(uint64_t hash, struct text text)
{
	const uint64_t prime = 1099511628211U;
	for (size_t i = 0; i < text.size; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * prime;
	return (hash ^ 255) * prime;
}

/* FNV-1a over sorted names and values, each closed by 255: as Prometheus' libraries have it. */
static uint64_t hash_labels(const struct text *labels)
{
	uint64_t hash = 14695981039346656037U;
	for (size_t i = 0; i < N_SHOWN; i++) {
		struct text value = labels[shown[i]];
		if (!value.size)
			continue;
		hash = add_to_hash(hash, text_of(suppression_label_name(shown[i])));
		hash = add_to_hash(hash, value);
	}
	return hash;
}

static bool fits_filters(const struct matcher_list *filters, const struct text *labels)
{
	for (size_t i = 0; i < filters->n; i++) {
		unsigned label = suppression_label_parse(filters->items[i].name);
		struct text value = label < N_SUPPRESSION_LABELS ? labels[label] : TEXT_NONE;
		if (!matcher_fits(&filters->items[i], value))
			return false;
	}
	return true;
}

static int find_silences(const struct collection *all, const struct suppression_labels *labels,
	struct item *item, struct err *err)
{
	const struct suppression_list *active = &all->suppressed.active;
	struct text_list *ids = &item->silenced_by;
	for (size_t i = 0; i < active->n; i++) {
		if (!suppression_fits(&active->items[i], labels, LABELS_ALL))
			continue;
		if (!ids->items)
			ids->items = arena_array(all->arena, active->n, sizeof *ids->items);
		if (!ids->items)
			return no_memory(err);
		ids->items[ids->n++] = active->items[i].id;
	}
	return 0;
}

/* The newest incident's is shown, where several have the same labels. */
static int is_known(struct collection *all, uint64_t hash, bool *known, struct err *err)
{
	struct text key = {(const char *)&hash, sizeof hash};
	union table_value *place = table_put(all->known, key);
	if (!place)
		return no_memory(err);
	*known = place->number != 0;
	place->number = 1;
	return 0;
}

static int add_print(struct collection *all, const struct incident *incident,
	const struct incident_print *print, struct err *err)
{
	struct suppression_labels labels = {0};
	struct item item = {.incident = incident, .lo_ns = print->lo_ns, .hi_ns = print->hi_ns};
	bool known = false;
	suppression_labels_of_incident(&labels, incident);
	suppression_labels_of_print(&labels, print);
	if (!fits_filters(&all->filters, labels.values))
		return 0;
	item.hash = hash_labels(labels.values);
	if (find_silences(all, &labels, &item, err) < 0 ||
		is_known(all, item.hash, &known, err) < 0)
		return -1;
	if (known || (item.silenced_by.n ? all->query->hides_silenced : all->query->hides_active))
		return 0;
	for (size_t i = 0; i < N_SUPPRESSION_LABELS; i++)
		item.labels[i] = arena_copy(all->arena, labels.values[i]);
	all->items[all->n++] = item;
	return all->arena->failed ? no_memory(err) : 0;
}

static bool is_open(const struct incident *incident, const struct scope *scope)
{
	return incident->state != INCIDENT_RESOLVED && incident->state != INCIDENT_CLOSED &&
	       !incident->frozen && scope_includes(scope, incident->cluster, incident->namespace);
}

static int add_incident(struct collection *all, struct incident *incident, struct err *err)
{
	if (!is_open(incident, all->query->scope))
		return 0;
	if (incident_story_read(all->connection, incident, all->arena, err) < 0)
		return -1;
	for (size_t i = 0; i < incident->n_prints; i++) {
		if (incident->prints[i].context)
			continue;
		if (all->n == ALERTMANAGER_ALERTS_MAX) {
			all->truncated = true;
			return 0;
		}
		if (add_print(all, incident, &incident->prints[i], err) < 0)
			return -1;
	}
	return 0;
}

static int add_incidents(struct collection *all, struct err *err)
{
	struct incident_filter filter = {0};
	struct incident_page page = {.limit = PAGE, .arena = all->arena};
	size_t n = 0;
	do {
		page.before = page.next_before;
		if (incidents_list(all->connection, &filter, &page, err) < 0)
			return -1;
		for (struct incident *incident = page.first; incident && !all->truncated;
			incident = incident->next, n++) {
			all->truncated |= n == ALERTMANAGER_INCIDENTS_MAX;
			if (!all->truncated && add_incident(all, incident, err) < 0)
				return -1;
		}
	} while (page.next_before && !all->truncated);
	return 0;
}

static bool receiver_fits(
	const struct alertmanager_query *query, struct arena *arena, struct err *err)
{
	const struct regex *pattern;
	return !query->receiver.size ||
	       (regex_parse(query->receiver, arena, &pattern, err) == 0 &&
		       regex_matches(pattern, TEXT(ALERTMANAGER_RECEIVER)));
}

static int collect(struct collection *all, struct err *err)
{
	err->kind = ERR_NONE;
	if (!receiver_fits(all->query, all->arena, err))
		return err->kind == ERR_NONE ? 0 : -1;
	all->items = arena_array(all->arena, ALERTMANAGER_ALERTS_MAX, sizeof *all->items);
	all->known = table_new(NULL);
	if (!all->items || !all->known)
		return no_memory(err);
	if (filters_read(all->query, all->arena, &all->filters, err) < 0 ||
		suppressed_begin(
			&all->suppressed, all->connection, all->query->now_ns, all->arena, err) < 0)
		return -1;
	return add_incidents(all, err);
}

static void write_labels(struct emitter *out, const struct text *labels,
	const enum suppression_label *names, size_t n)
{
	emit_key(out, "labels");
	emit_object(out);
	for (size_t i = 0; i < n; i++)
		emit_member_text(out, suppression_label_name(names[i]), labels[names[i]]);
	emit_object_end(out);
}

static void write_texts(struct emitter *out, const char *key, const struct text_list *list)
{
	emit_key(out, key);
	emit_array(out);
	for (size_t i = 0; i < list->n; i++)
		emit_text(out, list->items[i]);
	emit_array_end(out);
}

static void write_annotations(struct emitter *out, const struct incident *incident)
{
	char number[32];
	text_format(number, sizeof number, "INC-%llu", (unsigned long long)incident->number);
	emit_key(out, "annotations");
	emit_object(out);
	emit_member_text(out, "summary", incident->title);
	emit_member_string(out, "incident", number);
	emit_member_string(out, "state", incident_state_name(incident->state));
	emit_member_text(out, "assignee", incident->assignee);
	emit_object_end(out);
}

static void write_receiver(struct emitter *out)
{
	emit_object(out);
	emit_member_string(out, "name", ALERTMANAGER_RECEIVER);
	emit_object_end(out);
}

static void write_item(struct emitter *out, const struct item *item, int64_t now_ns)
{
	static const struct text_list none = {NULL, 0};
	char fingerprint[20];
	text_format(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)item->hash);
	emit_object(out);
	write_labels(out, item->labels, shown, N_SHOWN);
	write_annotations(out, item->incident);
	emit_member_time(out, "startsAt", item->lo_ns);
	emit_member_time(out, "endsAt", now_ns + RESOLVE_TIMEOUT_NS);
	emit_member_time(out, "updatedAt", item->hi_ns);
	emit_member_string(out, "fingerprint", fingerprint);
	emit_key(out, "receivers");
	emit_array(out);
	write_receiver(out);
	emit_array_end(out);
	emit_key(out, "status");
	emit_object(out);
	emit_member_string(out, "state", item->silenced_by.n ? "suppressed" : "active");
	write_texts(out, "silencedBy", &item->silenced_by);
	write_texts(out, "inhibitedBy", &none);
	write_texts(out, "mutedBy", &none);
	emit_object_end(out);
	emit_object_end(out);
}

static int by_hash(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	return (a->hash > b->hash) - (a->hash < b->hash);
}

static int compare_groups(const struct item *a, const struct item *b)
{
	int order = 0;
	for (size_t i = 0; i < N_GROUPED && !order; i++)
		order = text_compare(a->labels[grouped[i]], b->labels[grouped[i]]);
	return order;
}

static int by_group(const void *left, const void *right)
{
	int order = compare_groups(left, right);
	return order ? order : by_hash(left, right);
}

static void write_alerts(struct emitter *out, const struct collection *all)
{
	emit_array(out);
	for (size_t i = 0; i < all->n; i++)
		write_item(out, &all->items[i], all->query->now_ns);
	emit_array_end(out);
}

static void write_groups(struct emitter *out, const struct collection *all)
{
	emit_array(out);
	for (size_t i = 0, next; i < all->n; i = next) {
		emit_object(out);
		write_labels(out, all->items[i].labels, grouped, N_GROUPED);
		emit_key(out, "receiver");
		write_receiver(out);
		emit_key(out, "alerts");
		emit_array(out);
		for (next = i; next < all->n && !compare_groups(&all->items[i], &all->items[next]);
			next++)
			write_item(out, &all->items[next], all->query->now_ns);
		emit_array_end(out);
		emit_object_end(out);
	}
	emit_array_end(out);
}

static int show(struct connection *connection, const struct alertmanager_query *query,
	bool in_groups, bool *truncated, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	arena_init(&arena, ARENA_BYTES);
	struct collection all = {.connection = connection, .query = query, .arena = &arena};
	int failed = collect(&all, err);
	table_free(all.known);
	if (failed)
		return -1;
	if (all.n)
		qsort(all.items, all.n, sizeof *all.items, in_groups ? by_group : by_hash);
	*truncated = all.truncated;
	emit_init(&emitter, out);
	if (in_groups)
		write_groups(&emitter, &all);
	else
		write_alerts(&emitter, &all);
	return 0;
}

int alertmanager_alerts(struct connection *connection, const struct alertmanager_query *query,
	bool *truncated, struct buf *out, struct err *err)
{
	return show(connection, query, false, truncated, out, err);
}

int alertmanager_groups(struct connection *connection, const struct alertmanager_query *query,
	bool *truncated, struct buf *out, struct err *err)
{
	return show(connection, query, true, truncated, out, err);
}
