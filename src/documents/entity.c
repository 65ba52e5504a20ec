/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/entity.h"
#include "base/cleanup.h"
#include "base/emit.h"
#include "model/query_complete.h"
#include "model/scope.h"
#include "model/workload.h"
#include "store/incidents.h"
#include "store/known.h"
#include "store/reach.h"

enum {
	ARENA_BYTES = 256 * 1024 * 1024,
	RULES_SHOWN = 100,
	NEIGHBOURS_SHOWN = 200,
	IMAGES_OF = 20, /* tuples whose images are looked for */
	CONTAINER_DIGITS = 12,
	QUERY_BYTES = 64 * 1024,
};

bool entity_facts_note(struct entity_facts *facts, const char *kind, struct text id)
{
	const struct group more = {
		.namespace = text_of(kind), .value = id, .n = 1, .first_ns = INT64_MAX};
	return !id.size || groups_add(&facts->neighbours, &more);
}

/* All that a place names. */
bool entity_facts_note_place(struct entity_facts *facts, const struct identity_seen *seen)
{
	struct text pod = seen->name, namespace = TEXT_NONE;
	text_split(&pod, '/', &namespace);
	struct text workload = workload_guess(pod).name;
	if (workload.size)
		workload = arena_format(
			facts->arena, "%.*s/%.*s", TEXT_ARG(namespace), TEXT_ARG(workload));
	return entity_facts_note(facts, "cluster", seen->cluster) &&
	       entity_facts_note(facts, "namespace", namespace) &&
	       entity_facts_note(facts, "pod", seen->name) &&
	       entity_facts_note(facts, "pod_uid", seen->uid) &&
	       entity_facts_note(facts, "container", seen->container) &&
	       entity_facts_note(facts, "node", seen->node) &&
	       entity_facts_note(facts, "workload", workload);
}

void entity_facts_see(struct entity_facts *facts, enum severity severity, uint64_t n,
	int64_t first_ns, int64_t last_ns)
{
	facts->severity = severity > facts->severity ? severity : facts->severity;
	facts->first_ns =
		!facts->n_alerts || first_ns < facts->first_ns ? first_ns : facts->first_ns;
	facts->last_ns = !facts->n_alerts || last_ns > facts->last_ns ? last_ns : facts->last_ns;
	facts->n_alerts += n;
}

static bool add_sum(void *ctx, const struct known_sum *sum)
{
	struct entity_facts *facts = ctx;
	const struct group more = {.value = sum->rule,
		.n = sum->n,
		.severity = sum->severity,
		.first_ns = sum->first_ns,
		.last_ns = sum->last_ns};
	entity_facts_see(facts, sum->severity, sum->n, sum->first_ns, sum->last_ns);
	return groups_add(&facts->rules, &more);
}

static bool is_inside(const struct scope *scope, const struct identity_seen *seen)
{
	struct text rest = seen->name, namespace = TEXT_NONE;
	text_split(&rest, '/', &namespace);
	return scope_includes(scope, seen->cluster, namespace);
}

static int add_images(struct connection *connection, struct entity_facts *facts,
	const struct known_tuple *tuple, struct err *err)
{
	struct text_list images;
	if (known_images_read(connection, tuple->entity, facts->arena, &images, err) < 0)
		return -1;
	for (size_t i = 0; i < images.n; i++)
		if (!entity_facts_note(facts, "image", images.items[i]))
			return err_set(err, ERR_MEMORY, "out of memory for an entity");
	return 0;
}

static int add_tuple(struct connection *connection, struct entity_facts *facts,
	const struct known_tuple *tuple, struct err *err)
{
	bool complete = true;
	if (!entity_facts_note_place(facts, &tuple->seen))
		return err_set(err, ERR_MEMORY, "out of memory for an entity");
	if (known_sums_read(connection, tuple->entity, add_sum, facts, &complete, err) < 0 ||
		known_numbers_add(connection, tuple->entity, &facts->numbers, err) < 0)
		return -1;
	facts->is_partial |= !complete;
	return facts->n_tuples++ < IMAGES_OF ? add_images(connection, facts, tuple, err) : 0;
}

static int read_known(struct connection *connection, const struct document_query *query,
	struct known *known, struct entity_facts *facts, struct err *err)
{
	known->arena = facts->arena;
	known->cluster = query->cluster;
	if (known_read(connection, known, err) < 0)
		return -1;
	facts->is_partial |= known->is_full;
	for (size_t i = 0; i < known->n; i++)
		if (is_inside(query->scope, &known->tuples[i].seen) &&
			add_tuple(connection, facts, &known->tuples[i], err) < 0)
			return -1;
	return 0;
}

static int missing(struct text kind, struct text id, struct err *err)
{
	return err_set(err, ERR_MISSING, "nothing is known of %.*s '%.*s'", TEXT_ARG(kind),
		(int)(id.size < 80 ? id.size : 80), id.data ? id.data : "");
}

static int read_facts(struct connection *connection, struct text kind, struct text id,
	const struct document_query *query, struct entity_facts *facts, struct err *err)
{
	struct known known = {.value = id};
	bool has_slash = text_find_byte(id, '/', 0) != SIZE_MAX;
	if (text_is(kind, "image"))
		return entity_image_read(connection, id, query, facts, err);
	if (text_is(kind, "pod"))
		known.kind = has_slash ? KNOWN_POD_NAME : KNOWN_POD_UID;
	else if (text_is(kind, "container"))
		known.kind = KNOWN_CONTAINER;
	else if (text_is(kind, "node"))
		known.kind = KNOWN_NODE;
	else if (text_is(kind, "workload"))
		known.kind = KNOWN_WORKLOAD;
	else
		return err_set(err, ERR_MISSING,
			"there are entities of these kinds: pod, container, node, workload, image");
	if (known.kind == KNOWN_CONTAINER && !has_slash)
		known.value = text_part(id, 0, CONTAINER_DIGITS);
	return read_known(connection, query, &known, facts, err);
}

static void write_rules(struct emitter *out, struct groups *rules)
{
	groups_sort(rules);
	emit_key(out, "rules");
	emit_array(out);
	for (size_t i = 0; i < rules->n && i < RULES_SHOWN; i++) {
		const struct group *rule = &rules->items[i];
		emit_object(out);
		emit_member_text(out, "rule", rule->value);
		emit_member_string(out, "severity", severity_name(rule->severity));
		emit_member_u64(out, "alerts", rule->n);
		emit_member_time(out, "first_seen", rule->first_ns);
		emit_member_time(out, "last_seen", rule->last_ns);
		emit_object_end(out);
	}
	emit_array_end(out);
}

/* Itself is no neighbour. */
static void write_neighbours(
	struct emitter *out, struct groups *neighbours, const char *self_kind, struct text self)
{
	groups_sort(neighbours);
	emit_key(out, "neighbours");
	emit_array(out);
	for (size_t i = 0, n = 0; i < neighbours->n && n < NEIGHBOURS_SHOWN; i++) {
		const struct group *one = &neighbours->items[i];
		if (text_is(one->namespace, self_kind) && text_equal(one->value, self))
			continue;
		emit_object(out);
		emit_member_text(out, "kind", one->namespace);
		emit_member_text(out, "id", one->value);
		emit_object_end(out);
		n++;
	}
	emit_array_end(out);
}

static void write_incident(struct emitter *out, const struct incident *incident)
{
	char number[32];
	text_format(number, sizeof number, "INC-%llu", (unsigned long long)incident->number);
	emit_object(out);
	emit_member_string(out, "number", number);
	emit_member_text(out, "title", incident->title);
	emit_member_string(out, "state", incident_state_name(incident->state));
	emit_member_string(out, "severity", severity_name(incident->severity));
	emit_key(out, "risk");
	emit_milli(out, incident->risk_milli);
	emit_member_u64(out, "alerts", incident->n_alerts);
	emit_member_time(out, "first_seen", incident->first_seen_ns);
	emit_member_time(out, "last_seen", incident->last_seen_ns);
	emit_object_end(out);
}

static int write_incidents(struct connection *connection, const struct scope *scope,
	const struct entity_facts *facts, struct emitter *out, struct err *err)
{
	emit_key(out, "incidents");
	emit_array(out);
	for (size_t i = 0; i < facts->numbers.n; i++) {
		AUTO(arena_done) struct arena arena;
		struct incident incident;
		arena_init(&arena, ARENA_BYTES);
		int failed = incident_summary_read(
			connection, facts->numbers.numbers[i], &arena, &incident, err);
		if (failed && err->kind != ERR_MISSING)
			return -1;
		if (!failed && reach_has_incident(scope, &incident))
			write_incident(out, &incident);
	}
	emit_array_end(out);
	return 0;
}

/* What finds its alerts in their list. */
static void write_query(struct emitter *out, struct text kind, struct text id)
{
	AUTO(buf_done) struct buf text;
	struct text rest = id, namespace = TEXT_NONE;
	buf_init(&text, QUERY_BYTES);
	bool is_named = text_is(kind, "pod") || text_is(kind, "workload");
	bool has_slash = text_find_byte(id, '/', 0) != SIZE_MAX;
	if (is_named && has_slash) {
		text_split(&rest, '/', &namespace);
		buf_add_string(&text, "namespace=");
		query_value_write(namespace, &text);
		buf_add_byte(&text, ' ');
	}
	if (text_is(kind, "pod") && !has_slash)
		buf_add_string(&text, "pod_uid=");
	else if (text_is(kind, "container"))
		buf_add_string(&text, "container_id=");
	else
		buf_addf(&text, "%.*s=", TEXT_ARG(kind));
	query_value_write(text_is(kind, "container") && !has_slash
				  ? text_part(id, 0, CONTAINER_DIGITS)
				  : rest,
		&text);
	if (buf_ok(&text))
		emit_member_text(out, "q", buf_text(&text));
}

static int write_entity(struct connection *connection, const struct scope *scope,
	struct entity_facts *facts, struct buf *out, struct err *err)
{
	struct text kind = facts->kind, id = facts->id;
	struct emitter emitter;
	bool by_uid = text_is(kind, "pod") && text_find_byte(id, '/', 0) == SIZE_MAX;
	bool is_container = text_is(kind, "container");
	char kind_name[16];
	text_format(kind_name, sizeof kind_name, "%.*s%s", TEXT_ARG(kind), by_uid ? "_uid" : "");
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_member_text(&emitter, "kind", kind);
	emit_member_text(&emitter, "id", id);
	emit_member_u64(&emitter, "alerts", facts->n_alerts);
	if (facts->n_alerts) {
		emit_member_string(&emitter, "severity", severity_name(facts->severity));
		emit_member_time(&emitter, "first_seen", facts->first_ns);
		emit_member_time(&emitter, "last_seen", facts->last_ns);
	}
	write_rules(&emitter, &facts->rules);
	if (write_incidents(connection, scope, facts, &emitter, err) < 0)
		return -1;
	write_neighbours(&emitter, &facts->neighbours, kind_name,
		is_container ? text_part(id, 0, CONTAINER_DIGITS) : id);
	write_query(&emitter, kind, id);
	emit_member_bool(&emitter, "complete", !facts->is_partial && !facts->numbers.is_full);
	emit_object_end(&emitter);
	return facts->arena->failed ? err_set(err, ERR_MEMORY, "out of memory for an entity") : 0;
}

int document_entity(struct connection *connection, struct text kind, struct text id,
	const struct document_query *query, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, ARENA_BYTES);
	AUTO(entity_facts_done)
	struct entity_facts facts = {.kind = kind,
		.id = id,
		.arena = &arena,
		.rules = {.arena = &arena},
		.neighbours = {.arena = &arena}};
	if (read_facts(connection, kind, id, query, &facts, err) < 0)
		return -1;
	if (!facts.neighbours.n)
		return missing(kind, id, err);
	return write_entity(connection, query->scope, &facts, out, err);
}
