/* SPDX-License-Identifier: Apache-2.0 */
#include "store/contents.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "store/slot_alerts.h"
#include "store/slot_walk.h"

enum { ROWS_AT_ONCE = 256, IDS_A_ROW = 8, ARENA_BYTES = 16 * 1024 * 1024, GENERATION = 512 };

/* A pass collects the smallest ids behind those that are hashed, sorts them, hashes them. */
enum phase { COLLECT, HEAP, SORT, HASH };

struct id {
	unsigned char bytes[OCCURRENCE_BYTES];
};

struct content_job {
	struct arena arena;
	struct incident incident;
	struct slot_walk walk;
	struct slot_part part; /* of the walk */
	bool has_part;
	int64_t next_leaf; /* of the part */
	enum phase phase;
	struct id *ids; /* the greatest in front while the array is full, or is being sorted */
	size_t n, capacity, ids_max;
	size_t at;       /* of the phase */
	bool more;       /* ids were left for another pass */
	struct id after; /* the last that is hashed */
	bool has_after;
	struct digest_state *digest; /* room, or NULL */
	struct digest_state room;
};

struct content_job *content_job_new(size_t ids_max)
{
	struct content_job *job = calloc(1, sizeof *job);
	if (job) {
		job->ids_max = ids_max ? ids_max : CONTENT_IDS_MAX;
		arena_init(&job->arena, ARENA_BYTES);
	}
	return job;
}

static void end_digest(struct content_job *job, struct digest *out)
{
	struct digest ignored;
	if (job->digest)
		*(out ? out : &ignored) = digest_end(job->digest);
	job->digest = NULL;
}

/* Nothing is begun any more. */
static void clear(struct content_job *job)
{
	end_digest(job, NULL);
	free(job->ids);
	arena_done(&job->arena);
	*job = (struct content_job){.ids_max = job->ids_max};
	arena_init(&job->arena, ARENA_BYTES);
}

void content_job_free(struct content_job *job)
{
	if (job)
		clear(job);
	free(job);
}

static int begin_pass(struct content_job *job, struct connection *connection, struct err *err)
{
	job->phase = COLLECT;
	job->n = job->at = 0;
	job->more = job->has_part = false;
	return slot_walk_start(&job->walk, connection, &job->incident, &job->arena, err);
}

int content_job_begin(
	struct content_job *job, struct connection *connection, uint64_t number, struct err *err)
{
	clear(job);
	if (incident_summary_read(connection, number, &job->arena, &job->incident, err) < 0 ||
		begin_pass(job, connection, err) < 0) {
		job->incident.number = 0;
		return -1;
	}
	job->digest = digest_start(&job->room);
	digest_add_part(job->digest, job->incident.key);
	return 0;
}

uint64_t content_job_number(const struct content_job *job)
{
	return job->incident.number;
}

uint64_t content_job_revision(const struct content_job *job)
{
	return job->incident.revision;
}

static bool is_greater(const struct id *a, const struct id *b)
{
	return memcmp(a, b, sizeof *a) > 0;
}

/* Lets ids[@at] sink among the first @n, of which each is to be greater than its two below. */
static void sink(struct id *ids, size_t at, size_t n)
{
	struct id id = ids[at];
	for (size_t below = 2 * at + 1; below < n; below = 2 * at + 1) {
		if (below + 1 < n && is_greater(&ids[below + 1], &ids[below]))
			below++;
		if (!is_greater(&ids[below], &id))
			break;
		ids[at] = ids[below];
		at = below;
	}
	ids[at] = id;
}

static bool make_room(struct content_job *job)
{
	size_t capacity = job->capacity ? job->capacity * 2 : 64;
	if (capacity > job->ids_max)
		capacity = job->ids_max;
	struct id *ids = realloc(job->ids, capacity * sizeof *ids);
	if (!ids)
		return false;
	job->ids = ids;
	job->capacity = capacity;
	return true;
}

/* A full array is a heap from then on: a smaller id takes the greatest one's place. */
static int collect_id(struct content_job *job, const struct id *id, struct err *err)
{
	if (job->has_after && !is_greater(id, &job->after))
		return 0;
	if (job->n == job->ids_max) {
		job->more = true;
		if (is_greater(&job->ids[0], id)) {
			job->ids[0] = *id;
			sink(job->ids, 0, job->n);
		}
		return 0;
	}
	if (job->n == job->capacity && !make_room(job))
		return err_set(err, ERR_MEMORY, "out of memory for an incident's content id");
	job->ids[job->n++] = *id;
	/* Stepwise: a heap that grows to its full size is made once. */
	for (size_t i = job->n / 2; job->n == job->ids_max && i > 0; i--)
		sink(job->ids, i - 1, job->n);
	return 0;
}

/* The part's next alerts. 1: there may be more of it; 0: none. */
static int collect_rows(
	struct content_job *job, struct connection *connection, size_t *n, struct err *err)
{
	int step, failed = 0;
	*n = 0;
	sqlite3_stmt *statement = slot_alerts(connection,
		SLOT_RUNS "SELECT a.leaf, a.occ, a.fingerprint FROM " SLOT_ALERTS_FROM
			  " WHERE " SLOT_ALERTS_WHERE " LIMIT ?6",
		&job->part, (uint64_t)job->next_leaf, err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 6, ROWS_AT_ONCE);
	while (!failed && (step = sql_step(statement, err)) > 0) {
		struct id id;
		struct text occ = sql_blob(statement, 1);
		job->next_leaf = sql_i64(statement, 0) + 1;
		++*n;
		if (occ.size != sizeof id || !claims_have(&job->incident.claims, job->part.slot,
						     sql_i64(statement, 2) << 1))
			continue;
		memcpy(&id, occ.data, sizeof id);
		failed = collect_id(job, &id, err);
	}
	sqlite3_reset(statement);
	return failed || step < 0 ? -1 : *n == ROWS_AT_ONCE;
}

/* 1: go on; 0: all are collected. */
static int collect(struct content_job *job, struct connection *connection, struct slice *slice,
	struct err *err)
{
	size_t n = 0;
	if (!job->has_part) {
		int found = slot_walk_next(&job->walk, &job->part, err);
		if (found <= 0)
			return found;
		job->has_part = true;
		job->next_leaf = 0;
	}
	int more = collect_rows(job, connection, &n, err);
	if (more < 0)
		return -1;
	job->has_part = more > 0;
	if (slice)
		slice_spend(slice, 1 + n);
	return 1;
}

static void hash_id(struct content_job *job, const struct id *id)
{
	char hex[2 * OCCURRENCE_BYTES + 1];
	text_hex(hex, id->bytes, sizeof id->bytes);
	digest_add_part(job->digest, text_of(hex));
}

/* One step of one id. 1: go on; 0: the phase is over. */
static int step_id(struct content_job *job)
{
	if (job->phase == HEAP) {
		if (job->at == 0)
			return 0;
		sink(job->ids, --job->at, job->n);
		return 1;
	}
	if (job->phase == SORT) {
		if (job->at < 2)
			return 0;
		struct id greatest = job->ids[0];
		job->ids[0] = job->ids[--job->at];
		job->ids[job->at] = greatest;
		sink(job->ids, 0, job->at);
		return 1;
	}
	if (job->at == job->n)
		return 0;
	hash_id(job, &job->ids[job->at++]);
	return 1;
}

static int step_ids(struct content_job *job, struct slice *slice)
{
	for (size_t i = 0; i < (size_t)ROWS_AT_ONCE * IDS_A_ROW; i++)
		if (!step_id(job))
			return 0;
	if (slice)
		slice_spend(slice, ROWS_AT_ONCE);
	return 1;
}

/* After a phase. 1: another follows; 0: all is hashed. */
static int next_phase(struct content_job *job, struct connection *connection, struct err *err)
{
	switch (job->phase) {
	case COLLECT:
		job->phase = HEAP;
		job->at = job->n / 2;
		return 1;
	case HEAP:
		job->phase = SORT;
		job->at = job->n;
		return 1;
	case SORT:
		job->phase = HASH;
		job->at = 0;
		return 1;
	case HASH:
		break;
	}
	if (!job->more)
		return 0;
	job->after = job->ids[job->n - 1];
	job->has_after = true;
	return begin_pass(job, connection, err) < 0 ? -1 : 1;
}

int content_job_step(struct content_job *job, struct connection *connection, struct slice *slice,
	struct digest *out, struct err *err)
{
	do {
		int more = job->phase == COLLECT ? collect(job, connection, slice, err)
						 : step_ids(job, slice);
		if (more == 0)
			more = next_phase(job, connection, err);
		if (more == 0)
			end_digest(job, out);
		if (more <= 0) {
			clear(job);
			return more;
		}
	} while (!slice || !slice_is_over(slice));
	return 1;
}

/* What a connection has computed: an incident's digest as of a revision. */
struct known_content {
	uint64_t revision;
	struct digest digest;
};

static struct text key_of(const uint64_t *number)
{
	return (struct text){(const char *)number, sizeof *number};
}

static struct known_content *find_known(struct connection *connection, uint64_t number)
{
	if (!connection->contents)
		return NULL;
	union table_value *found = cache_get(connection->contents, key_of(&number));
	return found ? found->pointer : NULL;
}

/* Without memory it is computed again the next time. */
static void keep_known(struct connection *connection, const struct incident *incident)
{
	if (!connection->contents && !(connection->contents = cache_new(GENERATION, free)))
		return;
	union table_value *place = cache_put(connection->contents, key_of(&incident->number));
	if (!place)
		return;
	if (!place->pointer && !(place->pointer = malloc(sizeof(struct known_content)))) {
		cache_remove(connection->contents, key_of(&incident->number));
		return;
	}
	*(struct known_content *)place->pointer =
		(struct known_content){incident->revision, incident->content};
}

static int compute(struct connection *connection, struct incident *incident, struct err *err)
{
	struct content_job *job = content_job_new(0);
	if (!job)
		return err_set(err, ERR_MEMORY, "out of memory for an incident's content id");
	int failed = content_job_begin(job, connection, incident->number, err) < 0 ||
		     content_job_step(job, connection, NULL, &incident->content, err) < 0;
	content_job_free(job);
	return failed ? -1 : 0;
}

int incident_content(struct connection *connection, struct incident *incident, struct err *err)
{
	if (incident->frozen)
		return 0;
	const struct known_content *known = find_known(connection, incident->number);
	if (known && known->revision == incident->revision) {
		incident->content = known->digest;
	} else {
		if (compute(connection, incident, err) < 0)
			return -1;
		keep_known(connection, incident);
	}
	incident->has_content = true;
	return 0;
}
