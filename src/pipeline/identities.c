/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/identities.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "store/facts.h"
#include "store/slots.h"
#include "store/workloads.h"

/* 2 × 16 384 entities of about 500 bytes. */
enum { ENTITY_GENERATION = 16384, ARENA_BYTES = 64 * 1024 * 1024 };

/* A fact not yet applied. */
struct noted {
	struct noted *next;
	struct fact fact;
	int64_t day;
};

struct identities {
	struct cache *entities;
	struct arena arena; /* of the noted facts */
	struct noted *noted;
	struct noted **last;
	unsigned n_groups;
	struct table *watched; /* entity → nothing */
	uint64_t generation;   /* changes of what watched entities resolve to */
};

struct identities *identities_new(void)
{
	struct identities *identities = calloc(1, sizeof *identities);
	if (!identities)
		return NULL;
	identities->entities = cache_new(ENTITY_GENERATION, free);
	identities->last = &identities->noted;
	arena_init(&identities->arena, ARENA_BYTES);
	identities->watched = table_new(NULL);
	if (!identities->entities || !identities->watched) {
		identities_free(identities);
		return NULL;
	}
	return identities;
}

void identities_free(struct identities *identities)
{
	if (!identities)
		return;
	cache_free(identities->entities);
	table_free(identities->watched);
	arena_done(&identities->arena);
	free(identities);
}

static void forget_noted(struct identities *identities)
{
	arena_done(&identities->arena);
	identities->noted = NULL;
	identities->last = &identities->noted;
}

void identities_forget(struct identities *identities)
{
	forget_noted(identities);
	cache_clear(identities->entities);
	identities->generation++;
}

bool identities_watch(struct identities *identities, int64_t entity)
{
	struct text key = {(const char *)&entity, sizeof entity};
	return table_put(identities->watched, key) != NULL;
}

uint64_t identities_generation(const struct identities *identities)
{
	return identities->generation;
}

/* What is known of a tuple, read from the store. */
static int read_known(struct connection *connection, const struct identity_seen *seen,
	struct arena *arena, struct identity_known *known, struct err *err)
{
	*known = (struct identity_known){0};
	if (seen->uid.size)
		return 0;
	if (seen->container.size) {
		struct container_fact fact;
		struct cluster_text container = {seen->cluster, seen->container};
		if (container_fact_read(connection, container, arena, &fact, err) < 0)
			return -1;
		known->container_uid = fact.uid;
		known->container_name = fact.name;
	}
	struct text name = seen->name.size ? seen->name : known->container_name;
	if (known->container_uid.size || !name.size)
		return 0;
	struct name_owners owners;
	struct cluster_text named = {seen->cluster, name};
	if (name_owners_read(connection, named, arena, &owners, err) < 0)
		return -1;
	known->owners = owners.items;
	known->n_owners = owners.n;
	return 0;
}

/* Moves a text into the block's tail. */
static struct text pack_text(char **at, struct text text)
{
	struct text copy = {*at, text.size};
	if (text.size)
		memcpy(*at, text.data, text.size);
	*at += text.size;
	return copy;
}

static size_t seen_bytes(const struct identity_seen *seen)
{
	return seen->cluster.size + seen->uid.size + seen->container.size + seen->name.size +
	       seen->node.size;
}

/* One block of memory: the state, its segments, its texts. */
static struct entity_state *make_state(const struct entity_state *from)
{
	size_t n = from->n_segments;
	size_t size = sizeof(struct entity_state) + n * sizeof *from->segments +
		      seen_bytes(&from->seen) + from->workload_name.size;
	for (size_t i = 0; i < n; i++)
		size += from->segments[i].key.size;
	struct entity_state *state = calloc(1, size);
	if (!state)
		return NULL;
	struct identity_segment *copies = (struct identity_segment *)(void *)(state + 1);
	char *at = (char *)(copies + n);
	*state = (struct entity_state){
		.id = from->id,
		.seen.cluster = pack_text(&at, from->seen.cluster),
		.seen.uid = pack_text(&at, from->seen.uid),
		.seen.container = pack_text(&at, from->seen.container),
		.seen.name = pack_text(&at, from->seen.name),
		.seen.node = pack_text(&at, from->seen.node),
		.segments = copies,
		.n_segments = n,
		.marked_slot = INT64_MIN,
		.name_start_ns = INT64_MAX,
		.workload = from->workload,
		.workload_name = pack_text(&at, from->workload_name),
	};
	for (size_t i = 0; i < n; i++) {
		copies[i] = from->segments[i];
		copies[i].key = pack_text(&at, from->segments[i].key);
	}
	return state;
}

static struct entity_state *load_entity(
	struct connection *connection, int64_t entity, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct entity_state from = {.id = entity};
	struct identity_known known;
	struct identity_segment *segments;
	arena_init(&arena, ARENA_BYTES);
	if (entity_read(connection, entity, &arena, &from.seen, err) < 0 ||
		workload_of_entity(
			connection, entity, &arena, &from.workload, &from.workload_name, err) < 0 ||
		read_known(connection, &from.seen, &arena, &known, err) < 0)
		return NULL;
	struct entity_state *state = NULL;
	if (identity_resolve(&from.seen, &known, &arena, &segments, &from.n_segments)) {
		from.segments = segments;
		state = make_state(&from);
	}
	if (!state)
		err_set(err, ERR_MEMORY, "out of memory for an entity");
	return state;
}

static struct text id_key(const int64_t *entity)
{
	return (struct text){(const char *)entity, sizeof *entity};
}

struct entity_state *identities_entity(struct identities *identities, struct connection *connection,
	int64_t entity, struct err *err)
{
	union table_value *found = cache_get(identities->entities, id_key(&entity));
	if (found)
		return found->pointer;
	struct entity_state *state = load_entity(connection, entity, err);
	if (!state)
		return NULL;
	found = cache_put(identities->entities, id_key(&entity));
	if (!found) {
		free(state);
		err_set(err, ERR_MEMORY, "out of memory for an entity");
		return NULL;
	}
	found->pointer = state;
	return state;
}

struct text identities_key(struct identities *identities, struct connection *connection,
	int64_t entity, int64_t time_ns, struct err *err)
{
	struct entity_state *state = identities_entity(identities, connection, entity, err);
	if (!state)
		return TEXT_NONE;
	size_t i = 0;
	while (i + 1 < state->n_segments && state->segments[i].to_ns <= time_ns)
		i++;
	return state->segments[i].key;
}

int identities_fact(
	struct identities *identities, const struct fact *fact, int64_t day, struct err *err)
{
	struct arena *arena = &identities->arena;
	struct noted *noted = arena_alloc(arena, sizeof *noted);
	if (noted) {
		noted->day = day;
		noted->fact = (struct fact){
			.kind = fact->kind,
			.rank = fact->rank,
			.cluster = arena_copy(arena, fact->cluster),
			.container = arena_copy(arena, fact->container),
			.uid = arena_copy(arena, fact->uid),
			.name = arena_copy(arena, fact->name),
			.start_ns = fact->start_ns,
		};
	}
	if (arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory for identity facts");
	*identities->last = noted;
	identities->last = &noted->next;
	return 0;
}

/* Does the alert give its name an owner from an earlier time on than was known? */
static bool gives_start(const struct entity_state *entity, const struct alert *alert)
{
	return entity->seen.name.size && entity->seen.uid.size &&
	       !alert_is(alert, ALERT_TIME_UNTRUSTED) && alert->time_ns < entity->name_start_ns;
}

int identities_note(struct identities *identities, struct entity_state *entity,
	const struct alert *alert, struct err *err)
{
	const struct identity_seen *seen = &entity->seen;
	struct fact fact = {.rank = FACT_SENSOR,
		.cluster = seen->cluster,
		.container = seen->container,
		.uid = seen->uid,
		.name = seen->name,
		.start_ns = alert->time_ns};
	bool contains = seen->container.size && (seen->uid.size || seen->name.size);
	int64_t day = day_of_slot(alert->slot);
	if (contains && !entity->facts_noted) {
		fact.kind = FACT_CONTAINER;
		if (identities_fact(identities, &fact, day, err) < 0)
			return -1;
	}
	entity->facts_noted = true;
	if (!gives_start(entity, alert))
		return 0;
	fact.kind = FACT_NAME;
	entity->name_start_ns = alert->time_ns;
	return identities_fact(identities, &fact, day, err);
}

/* A run of identities_apply. */
struct applying {
	struct identities *identities;
	struct connection *connection;
	struct arena *arena;
	key_moved *moved;
	void *ctx;
};

/* Tells about each key that the entities resolve to now. */
static int tell_keys(struct applying *run, const struct id_list *entities, struct err *err)
{
	for (size_t i = 0; i < entities->n; i++) {
		struct entity_state *state =
			identities_entity(run->identities, run->connection, entities->ids[i], err);
		if (!state)
			return -1;
		/* Whoever is told may look entities up, and the cache let this one go. */
		size_t n = state->n_segments;
		struct text *keys = arena_array(run->arena, n, sizeof *keys);
		if (!keys)
			return err_set(err, ERR_MEMORY, "out of memory for identity facts");
		for (size_t j = 0; j < n; j++)
			keys[j] = arena_copy(run->arena, state->segments[j].key);
		if (run->arena->failed)
			return err_set(err, ERR_MEMORY, "out of memory for identity facts");
		for (size_t j = 0; j < n; j++)
			if (run->moved(run->ctx, keys[j], run->identities->n_groups, err) < 0)
				return -1;
	}
	return 0;
}

/* Drops what the entities resolved to, so that they are resolved anew. */
static void drop_entities(struct applying *run, const struct id_list *entities)
{
	struct identities *identities = run->identities;
	for (size_t i = 0; i < entities->n; i++) {
		struct text key = id_key(&entities->ids[i]);
		cache_remove(identities->entities, key);
		if (table_get(identities->watched, key))
			identities->generation++;
	}
}

/* Only entities without a uid of their own depend on facts; those with a name of their own do not
 * depend on their container's (@named false leaves them out). */
static int without_uid(struct applying *run, struct id_list *entities, bool named, struct err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < entities->n; i++) {
		struct identity_seen seen;
		if (entity_read(run->connection, entities->ids[i], run->arena, &seen, err) < 0)
			return -1;
		if (!seen.uid.size && (named || !seen.name.size))
			entities->ids[n++] = entities->ids[i];
	}
	entities->n = n;
	return 0;
}

/* A word joins what is known: the strongest witness, then the smallest value. */
static bool join_word(
	struct text *value, enum fact_rank *value_rank, struct text word, enum fact_rank rank)
{
	if (!word.size || (value->size && *value_rank > rank))
		return false;
	if (value->size && *value_rank == rank && text_compare(*value, word) <= 0)
		return false;
	*value = word;
	*value_rank = rank;
	return true;
}

static int apply_container(struct applying *run, const struct noted *noted, struct err *err)
{
	struct container_fact fact;
	struct id_list entities;
	const struct fact *said = &noted->fact;
	struct cluster_text container = {said->cluster, said->container};
	if (container_fact_read(run->connection, container, run->arena, &fact, err) < 0)
		return -1;
	bool uid_changed = join_word(&fact.uid, &fact.uid_rank, said->uid, said->rank);
	bool name_changed = join_word(&fact.name, &fact.name_rank, said->name, said->rank);
	if (!uid_changed && !name_changed)
		return 0;
	if (entities_find(run->connection, ENTITY_BY_CONTAINER, container, run->arena, &entities,
		    err) < 0 ||
		without_uid(run, &entities, uid_changed, err) < 0)
		return -1;
	run->identities->n_groups++;
	if (tell_keys(run, &entities, err) < 0 ||
		container_fact_write(run->connection, &fact, noted->day, err) < 0)
		return -1;
	drop_entities(run, &entities);
	return tell_keys(run, &entities, err);
}

/* Entities that a name speaks for: those that gave it, and those of containers known by it. */
static int entities_of_name(
	struct applying *run, struct cluster_text name, struct id_list lists[2], struct err *err)
{
	struct text_list containers;
	if (entities_find(run->connection, ENTITY_BY_NAME, name, run->arena, &lists[0], err) < 0 ||
		containers_find(run->connection, true, name, run->arena, &containers, err) < 0)
		return -1;
	lists[1] = (struct id_list){NULL, 0};
	for (size_t i = 0; i < containers.n; i++) {
		struct id_list more;
		struct cluster_text container = {name.cluster, containers.items[i]};
		if (entities_find(run->connection, ENTITY_BY_CONTAINER, container, run->arena,
			    &more, err) < 0)
			return -1;
		int64_t *ids = arena_array(run->arena, lists[1].n + more.n, sizeof *ids);
		if (!ids)
			return err_set(err, ERR_MEMORY, "out of memory for identity facts");
		if (lists[1].n)
			memcpy(ids, lists[1].ids, lists[1].n * sizeof *ids);
		if (more.n)
			memcpy(ids + lists[1].n, more.ids, more.n * sizeof *ids);
		lists[1] = (struct id_list){ids, lists[1].n + more.n};
	}
	return without_uid(run, &lists[0], true, err) < 0 ||
			       without_uid(run, &lists[1], true, err) < 0
		       ? -1
		       : 0;
}

/* Does the word change what is known of the uid: a stronger witness, or an earlier start? */
static bool is_news(const struct name_owners *owners, const struct name_owner *word)
{
	for (size_t i = 0; i < owners->n; i++) {
		const struct name_owner *owner = &owners->items[i];
		if (text_equal(owner->uid, word->uid))
			return owner->rank < word->rank ||
			       (owner->rank == word->rank && word->start_ns < owner->start_ns);
	}
	return true;
}

static int apply_name(struct applying *run, const struct noted *noted, struct err *err)
{
	struct name_owners owners;
	struct id_list lists[2];
	const struct fact *said = &noted->fact;
	struct cluster_text name = {said->cluster, said->name};
	struct name_owner owner = {said->start_ns, said->rank, said->uid};
	if (name_owners_read(run->connection, name, run->arena, &owners, err) < 0)
		return -1;
	if (!is_news(&owners, &owner))
		return 0;
	if (entities_of_name(run, name, lists, err) < 0)
		return -1;
	run->identities->n_groups++;
	if (tell_keys(run, &lists[0], err) < 0 || tell_keys(run, &lists[1], err) < 0 ||
		name_owner_write(run->connection, name, &owner, noted->day, err) < 0)
		return -1;
	drop_entities(run, &lists[0]);
	drop_entities(run, &lists[1]);
	return tell_keys(run, &lists[0], err) < 0 || tell_keys(run, &lists[1], err) < 0 ? -1 : 0;
}

int identities_apply(struct identities *identities, struct connection *connection, key_moved *moved,
	void *ctx, struct err *err)
{
	for (const struct noted *noted = identities->noted; noted; noted = noted->next) {
		AUTO(arena_done) struct arena arena;
		arena_init(&arena, ARENA_BYTES);
		struct applying run = {identities, connection, &arena, moved, ctx};
		int failed = noted->fact.kind == FACT_CONTAINER ? apply_container(&run, noted, err)
								: apply_name(&run, noted, err);
		if (failed)
			return -1;
	}
	forget_noted(identities);
	return 0;
}

/* A run of identities_parts. */
struct gathering {
	struct identities *identities;
	struct connection *connection;
	struct arena *arena;
	struct text key;
	struct entity_parts *out;
	size_t capacity;
};

static int add_part(struct gathering *run, const struct entity_part *part, struct err *err)
{
	struct entity_parts *out = run->out;
	for (size_t i = 0; i < out->n; i++)
		if (out->items[i].entity == part->entity && out->items[i].from_ns == part->from_ns)
			return 0;
	if (out->n == run->capacity) {
		run->capacity = run->capacity ? run->capacity * 2 : 8;
		struct entity_part *items = arena_array(run->arena, run->capacity, sizeof *items);
		if (!items)
			return err_set(err, ERR_MEMORY, "out of memory for an incident's entities");
		if (out->n)
			memcpy(items, out->items, out->n * sizeof *items);
		out->items = items;
	}
	out->items[out->n++] = *part;
	return 0;
}

/* Adds the parts of these entities that resolve to the key. */
static int gather(struct gathering *run, const struct id_list *entities, struct err *err)
{
	for (size_t i = 0; i < entities->n; i++) {
		struct entity_state *state =
			identities_entity(run->identities, run->connection, entities->ids[i], err);
		if (!state)
			return -1;
		for (size_t j = 0; j < state->n_segments; j++) {
			const struct identity_segment *segment = &state->segments[j];
			struct entity_part part = {state->id, segment->from_ns, segment->to_ns};
			if (text_equal(segment->key, run->key) && add_part(run, &part, err) < 0)
				return -1;
		}
	}
	return 0;
}

static int gather_column(struct gathering *run, enum entity_column column,
	struct cluster_text value, struct err *err)
{
	struct id_list entities;
	return entities_find(run->connection, column, value, run->arena, &entities, err) < 0
		       ? -1
		       : gather(run, &entities, err);
}

static int gather_containers(
	struct gathering *run, bool by_name, struct cluster_text value, struct err *err)
{
	struct text_list containers;
	if (containers_find(run->connection, by_name, value, run->arena, &containers, err) < 0)
		return -1;
	for (size_t i = 0; i < containers.n; i++) {
		struct cluster_text container = {value.cluster, containers.items[i]};
		if (gather_column(run, ENTITY_BY_CONTAINER, container, err) < 0)
			return -1;
	}
	return 0;
}

static int gather_name(struct gathering *run, struct cluster_text name, struct err *err)
{
	return gather_column(run, ENTITY_BY_NAME, name, err) < 0 ||
			       gather_containers(run, true, name, err) < 0
		       ? -1
		       : 0;
}

static int gather_pod(struct gathering *run, struct cluster_text uid, struct err *err)
{
	struct text_list names;
	if (gather_column(run, ENTITY_BY_UID, uid, err) < 0 ||
		gather_containers(run, false, uid, err) < 0 ||
		names_find(run->connection, uid, run->arena, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		struct cluster_text name = {uid.cluster, names.items[i]};
		if (gather_name(run, name, err) < 0)
			return -1;
	}
	return 0;
}

int identities_parts(struct identities *identities, struct connection *connection, struct text key,
	struct arena *arena, struct entity_parts *out, struct err *err)
{
	enum entity_kind kind;
	struct cluster_text value;
	struct id_list entities;
	struct gathering run = {identities, connection, arena, key, out, 0};
	*out = (struct entity_parts){NULL, 0};
	if (!entity_key_parse(key, &kind, &value.cluster, &value.value))
		return err_set(err, ERR_CORRUPT, "'%.*s' is no entity key", TEXT_ARG(key));
	switch (kind) {
	case ENTITY_POD:
		return gather_pod(&run, value, err);
	case ENTITY_POD_NAME:
		return gather_name(&run, value, err);
	case ENTITY_CONTAINER:
		return gather_column(&run, ENTITY_BY_CONTAINER, value, err);
	case ENTITY_NODE:
		return gather_column(&run, ENTITY_BY_NODE, value, err);
	case ENTITY_CLUSTER:
		break;
	}
	return entities_of_cluster(connection, value.cluster, arena, &entities, err) < 0
		       ? -1
		       : gather(&run, &entities, err);
}
