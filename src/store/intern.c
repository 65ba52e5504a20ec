/* SPDX-License-Identifier: Apache-2.0 */
#include "store/intern.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "model/entity.h"
#include "model/workload.h"

/* 2 × 32 768 values of about 200 bytes. */
enum { GENERATION = 32768, KEY_BYTES = 256 * 1024, PARTS_MAX = 8 };

/* A value to bind: text, blob or number, by what is set. */
struct part {
	struct text text;
	int64_t number;
	enum { PART_TEXT, PART_BLOB, PART_NUMBER, PART_OPTIONAL } type;
};

/* One row to find or make. The first n_key parts say which one it is. */
struct value {
	unsigned char tag; /* tells tables apart in the cache */
	const char *find;
	const char *insert;
	const char *
		touch; /* writes the epoch, the insert's last value; NULL: the row stays for good */
	struct part parts[PARTS_MAX];
	size_t n_key, n_parts;
};

/* What a fingerprint stands for: its hash covers sensor and rule. */
struct known_print {
	int64_t fingerprint, sensor, rule;
};

struct interns {
	unsigned epoch_bits;
	uint64_t epoch;       /* of the alert that is worked on */
	struct cache *ids;    /* id and the epoch that its row has: pack_use */
	struct cache *prints; /* hash → struct known_print */
	struct buf key;
};

struct interns *interns_new(unsigned epoch_bits)
{
	struct interns *interns = calloc(1, sizeof *interns);
	if (!interns)
		return NULL;
	interns->epoch_bits = epoch_bits ? epoch_bits : INTERN_EPOCH_BITS;
	buf_init(&interns->key, KEY_BYTES);
	interns->ids = cache_new(GENERATION, NULL);
	interns->prints = cache_new(GENERATION, free);
	if (!interns->ids || !interns->prints) {
		interns_free(interns);
		return NULL;
	}
	return interns;
}

void interns_free(struct interns *interns)
{
	if (!interns)
		return;
	cache_free(interns->ids);
	cache_free(interns->prints);
	buf_done(&interns->key);
	free(interns);
}

unsigned interns_epoch_bits(const struct interns *interns)
{
	return interns->epoch_bits;
}

void interns_forget(struct interns *interns)
{
	cache_clear(interns->ids);
	cache_clear(interns->prints);
}

static struct part text_part_of(struct text text)
{
	return (struct part){.text = text, .type = PART_TEXT};
}

static struct part optional_part(struct text text)
{
	return (struct part){.text = text, .type = PART_OPTIONAL};
}

static struct part blob_part(const void *bytes, size_t size)
{
	return (struct part){.text = {bytes, size}, .type = PART_BLOB};
}

static struct part number_part(int64_t number)
{
	return (struct part){.number = number, .type = PART_NUMBER};
}

static struct text cache_key(struct interns *interns, const struct value *value)
{
	struct buf *key = &interns->key;
	buf_clear(key);
	buf_add_byte(key, value->tag);
	for (size_t i = 0; i < value->n_key; i++) {
		const struct part *part = &value->parts[i];
		if (part->type == PART_NUMBER)
			buf_add_varint(key, (uint64_t)part->number);
		else
			buf_add_sized(key, part->text);
	}
	return buf_text(key);
}

static void bind(sqlite3_stmt *statement, const struct value *value, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct part *part = &value->parts[i];
		int at = (int)i + 1;
		switch (part->type) {
		case PART_TEXT:
			sql_bind_text(statement, at, part->text);
			break;
		case PART_BLOB:
			sql_bind_blob(statement, at, part->text.data, part->text.size);
			break;
		case PART_NUMBER:
			sql_bind_i64(statement, at, part->number);
			break;
		case PART_OPTIONAL:
			sql_bind_text_or_null(statement, at, part->text);
			break;
		}
	}
}

/* An id and an epoch in one number of the cache. */
enum { ID_BITS = 36 };

static int64_t pack_use(int64_t id, uint64_t epoch)
{
	return (int64_t)(epoch << ID_BITS | (uint64_t)id);
}

static int64_t id_of(int64_t use)
{
	return use & ((INT64_C(1) << ID_BITS) - 1);
}

static uint64_t epoch_of(int64_t use)
{
	return (uint64_t)use >> ID_BITS;
}

/* The row is used in this epoch. 1: written; 0: there is no such row any more. */
static int touch(struct interns *interns, struct connection *connection, const char *sql,
	int64_t id, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, id);
	sql_bind_i64(statement, 2, (int64_t)interns->epoch);
	return sql_run(statement, err) < 0 ? -1 : sqlite3_changes(connection->db) > 0;
}

static int make(struct interns *interns, struct connection *connection, const struct value *value,
	int64_t *id, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, value->insert, err);
	if (!statement)
		return -1;
	bind(statement, value, value->n_parts);
	if (value->touch)
		sql_bind_i64(statement, (int)value->n_parts + 1, (int64_t)interns->epoch);
	if (sql_run(statement, err) < 0)
		return -1;
	*id = sqlite3_last_insert_rowid(connection->db);
	return 0;
}

static int find_or_make(struct interns *interns, struct connection *connection,
	const struct value *value, int64_t *id, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection, value->find, err);
	if (!statement)
		return -1;
	bind(statement, value, value->n_key);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (!found)
		return make(interns, connection, value, id, err);
	*id = sql_i64(statement, 0);
	sqlite3_reset(statement);
	return value->touch && touch(interns, connection, value->touch, *id, err) < 0 ? -1 : 0;
}

/*
 * What the cache has, if it still holds: rows may leave only after the epoch that they say. 1: *id
 * is it; 0: it is to be looked for.
 */
static int use_cached(struct interns *interns, struct connection *connection,
	union table_value *cached, const char *sql, int64_t *id, struct err *err)
{
	if (!cached)
		return 0;
	*id = id_of(cached->number);
	if (!sql || epoch_of(cached->number) == interns->epoch)
		return 1;
	int there = touch(interns, connection, sql, *id, err);
	if (there > 0)
		cached->number = pack_use(*id, interns->epoch);
	return there;
}

static int intern(struct interns *interns, struct connection *connection, const struct value *value,
	int64_t *id, struct err *err)
{
	struct text key = cache_key(interns, value);
	if (!buf_ok(&interns->key))
		return buf_error(&interns->key, err, "a name to be stored");
	union table_value *cached = cache_get(interns->ids, key);
	int known = use_cached(interns, connection, cached, value->touch, id, err);
	if (known)
		return known < 0 ? -1 : 0;
	if (find_or_make(interns, connection, value, id, err) < 0)
		return -1;
	cached = cache_put(interns->ids, key);
	if (cached)
		cached->number = pack_use(*id, interns->epoch);
	return 0;
}

static int intern_sensor(struct interns *interns, struct connection *connection, struct text name,
	int64_t *id, struct err *err)
{
	struct value value = {
		.tag = 's',
		.find = "SELECT id FROM sensor WHERE name = ?1",
		.insert = "INSERT INTO sensor (id, name)"
			  " VALUES ((SELECT coalesce(max(id) + 1, 0) FROM sensor), ?1)",
		.parts = {text_part_of(name)},
		.n_key = 1,
		.n_parts = 1,
	};
	return intern(interns, connection, &value, id, err) < 0
		       ? err_prefix(err, "sensor '%.*s'", TEXT_ARG(name))
		       : 0;
}

static int intern_rule(struct interns *interns, struct connection *connection, struct text name,
	int64_t *id, struct err *err)
{
	struct value value = {
		.tag = 'r',
		.find = "SELECT id FROM rule WHERE name = ?1",
		.insert = "INSERT INTO rule (name) VALUES (?1)",
		.parts = {text_part_of(name)},
		.n_key = 1,
		.n_parts = 1,
	};
	return intern(interns, connection, &value, id, err);
}

static int intern_image(struct interns *interns, struct connection *connection,
	const struct alert *alert, int64_t *id, struct err *err)
{
	struct value value = {
		.tag = 'i',
		.find = "SELECT id FROM image WHERE name = ?1 AND digest = ?2",
		.insert = "INSERT INTO image (name, digest, used) VALUES (?1, ?2, ?3)",
		.touch = "UPDATE image SET used = ?2 WHERE id = ?1",
		.parts = {text_part_of(alert->image), text_part_of(alert->image_digest)},
		.n_key = 2,
		.n_parts = 2,
	};
	return intern(interns, connection, &value, id, err);
}

static int intern_process(struct interns *interns, struct connection *connection,
	const struct process *process, int64_t *id, struct err *err)
{
	struct value value = {
		.tag = 'p',
		.find = "SELECT id FROM process"
			" WHERE name = ?1 AND exe = ?2 AND parent = ?3 AND user = ?4",
		.insert = "INSERT INTO process (name, exe, parent, user, used) VALUES (?1, ?2, ?3, "
			  "?4, ?5)",
		.touch = "UPDATE process SET used = ?2 WHERE id = ?1",
		.parts = {text_part_of(process->name), text_part_of(process->exe),
			text_part_of(process->parent), text_part_of(process->user)},
		.n_key = 4,
		.n_parts = 4,
	};
	return intern(interns, connection, &value, id, err);
}

int interns_origin(struct interns *interns, struct connection *connection,
	const struct alert *alert, uint64_t credential, int64_t *out, struct err *err)
{
	struct value value = {
		.tag = 'o',
		.find = "SELECT id FROM origin WHERE source = ?1 AND cluster = ?2 AND credential = "
			"?3",
		.insert = "INSERT INTO origin (source, cluster, credential) VALUES (?1, ?2, ?3)",
		.parts = {number_part(alert->source), text_part_of(alert->cluster),
			number_part((int64_t)credential)},
		.n_key = 3,
		.n_parts = 3,
	};
	return intern(interns, connection, &value, out, err);
}

int interns_stream(struct interns *interns, struct connection *connection, enum source source,
	int64_t *out, struct err *err)
{
	struct value value = {
		.tag = 'b',
		.find = "SELECT id FROM stream WHERE source = ?1 AND class = ?2",
		.insert = "INSERT INTO stream (source, class) VALUES (?1, ?2)",
		.parts = {number_part(source), number_part(0)},
		.n_key = 2,
		.n_parts = 2,
	};
	return intern(interns, connection, &value, out, err);
}

static int intern_attack(struct interns *interns, struct connection *connection,
	const struct alert *alert, int64_t *id, struct err *err)
{
	unsigned char techniques[ATTACK_TECHNIQUES_MAX * 4];
	for (size_t i = 0; i < alert->n_techniques; i++)
		for (unsigned j = 0; j < 4; j++)
			techniques[4 * i + j] =
				(unsigned char)(alert->techniques[i] >> (24 - 8 * j));
	struct value value = {
		.tag = 'a',
		.find = "SELECT id FROM attack WHERE tactics = ?1 AND techniques = ?2",
		.insert = "INSERT INTO attack (tactics, techniques, used) VALUES (?1, ?2, ?3)",
		.touch = "UPDATE attack SET used = ?2 WHERE id = ?1",
		.parts = {number_part(alert->tactics),
			blob_part(techniques, 4 * alert->n_techniques)},
		.n_key = 2,
		.n_parts = 2,
	};
	return intern(interns, connection, &value, id, err);
}

static int intern_fingerprint(struct interns *interns, struct connection *connection,
	const struct alert *alert, struct interned *out, struct err *err)
{
	struct value value = {
		.find = "SELECT id FROM fingerprint WHERE hash = ?1",
		.insert = "INSERT INTO fingerprint"
			  " (hash, rule, sensor, exe, parent, operation, resource)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		.parts = {blob_part(alert->fingerprint, FINGERPRINT_BYTES), number_part(out->rule),
			number_part(out->sensor), text_part_of(alert->process.exe),
			text_part_of(alert->process.parent), text_part_of(alert->operation),
			text_part_of(alert->resource)},
		.n_key = 1,
		.n_parts = 7,
	};
	return find_or_make(interns, connection, &value, &out->fingerprint, err);
}

static struct text print_key(const struct alert *alert)
{
	return (struct text){(const char *)alert->fingerprint, FINGERPRINT_BYTES};
}

static void keep_print(
	struct interns *interns, const struct alert *alert, const struct interned *ids)
{
	union table_value *place = cache_put(interns->prints, print_key(alert));
	struct known_print *known = place ? malloc(sizeof *known) : NULL;
	if (known)
		*known = (struct known_print){ids->fingerprint, ids->sensor, ids->rule};
	if (place && known)
		place->pointer = known;
	else if (place)
		cache_remove(interns->prints, print_key(alert));
}

/* The fingerprint, and the sensor and rule that it stands for. */
static int intern_print(struct interns *interns, struct connection *connection,
	const struct alert *alert, struct interned *out, struct err *err)
{
	union table_value *found = cache_get(interns->prints, print_key(alert));
	if (found) {
		const struct known_print *known = found->pointer;
		out->fingerprint = known->fingerprint;
		out->sensor = known->sensor;
		out->rule = known->rule;
		return 0;
	}
	if (intern_sensor(interns, connection, alert->sensor, &out->sensor, err) < 0 ||
		intern_rule(interns, connection, alert->rule, &out->rule, err) < 0 ||
		intern_fingerprint(interns, connection, alert, out, err) < 0)
		return -1;
	keep_print(interns, alert, out);
	return 0;
}

static int intern_workload(struct interns *interns, struct connection *connection, struct text name,
	int64_t *id, struct err *err)
{
	struct value value = {
		.tag = 'w',
		.find = "SELECT id FROM workload WHERE name = ?1",
		.insert = "INSERT INTO workload (name, used) VALUES (?1, ?2)",
		.touch = "UPDATE workload SET used = ?2 WHERE id = ?1",
		.parts = {text_part_of(name)},
		.n_key = 1,
		.n_parts = 1,
	};
	return intern(interns, connection, &value, id, err);
}

static const char touch_entity[] = "UPDATE entity SET used = ?2 WHERE id = ?1";

/* The names that the tuple is made of, which cost less to put together. Absent: see the buf. */
static struct text entity_cache_key(struct interns *interns, const struct alert *alert)
{
	const struct text names[] = {alert->cluster, alert->pod_uid, alert->container_id,
		alert->namespace, alert->pod, alert->node};
	buf_clear(&interns->key);
	buf_add_byte(&interns->key, 'e');
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		buf_add_sized(&interns->key, names[i]);
	return buf_ok(&interns->key) ? buf_text(&interns->key) : TEXT_NONE;
}

static int find_or_make_entity(struct interns *interns, struct connection *connection,
	const struct alert *alert, int64_t *id, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct identity_seen seen = {.cluster = alert->cluster,
		.uid = alert->pod_uid,
		.container = alert->container_id,
		.node = alert->node};
	arena_init(&arena, KEY_BYTES);
	if (alert->namespace.size && alert->pod.size)
		seen.name = arena_format(
			&arena, "%.*s/%.*s", TEXT_ARG(alert->namespace), TEXT_ARG(alert->pod));
	struct text packed = identity_seen_pack(&arena, &seen);
	struct text name = workload_of_seen(&arena, &seen);
	if (arena.failed)
		return err_set(err, ERR_MEMORY, "out of memory for an alert's names");
	if (!packed.data)
		return err_set(
			err, ERR_LIMIT, "names of the alert's pod are too long to be stored");
	int64_t workload = 0;
	if (name.size && intern_workload(interns, connection, name, &workload, err) < 0)
		return -1;
	struct value value = {
		.find = "SELECT id FROM entity WHERE packed = ?1",
		.insert = "INSERT INTO entity"
			  " (packed, cluster, uid, container, name, node, workload, used)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, 0), ?8)",
		.touch = touch_entity,
		.parts = {blob_part(packed.data, packed.size), text_part_of(seen.cluster),
			optional_part(seen.uid), optional_part(seen.container),
			optional_part(seen.name), optional_part(seen.node), number_part(workload)},
		.n_key = 1,
		.n_parts = 7,
	};
	return find_or_make(interns, connection, &value, id, err);
}

static int intern_entity(struct interns *interns, struct connection *connection,
	const struct alert *alert, int64_t *id, struct err *err)
{
	struct text key = entity_cache_key(interns, alert);
	if (!key.data)
		return buf_error(&interns->key, err, "a name to be stored");
	union table_value *cached = cache_get(interns->ids, key);
	int known = use_cached(interns, connection, cached, touch_entity, id, err);
	if (known)
		return known < 0 ? -1 : 0;
	if (find_or_make_entity(interns, connection, alert, id, err) < 0)
		return -1;
	key = entity_cache_key(interns, alert); /* a workload's was made in its place */
	cached = key.data ? cache_put(interns->ids, key) : NULL;
	if (cached)
		cached->number = pack_use(*id, interns->epoch);
	return 0;
}

int interns_alert(struct interns *interns, struct connection *connection, const struct alert *alert,
	uint64_t credential, struct interned *out, struct err *err)
{
	interns->epoch = alert->leaf >> interns->epoch_bits;
	if (intern_print(interns, connection, alert, out, err) < 0 ||
		intern_image(interns, connection, alert, &out->image, err) < 0 ||
		intern_process(interns, connection, &alert->process, &out->process, err) < 0 ||
		interns_origin(interns, connection, alert, credential, &out->origin, err) < 0 ||
		intern_attack(interns, connection, alert, &out->attack, err) < 0)
		return -1;
	return intern_entity(interns, connection, alert, &out->entity, err);
}
