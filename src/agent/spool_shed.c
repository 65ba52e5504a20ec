/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/disk.h"
#include "agent/spool_private.h"
#include "base/cleanup.h"
#include "base/table.h"

/*
 * Room is made by writing a segment anew: without the records of one severity, and with a
 * RECORD_SHED for each source, severity, rule and minute of theirs. What is left gets the last of
 * the segment's numbers: they follow one another, so that a sender meets one gap a segment. Numbers
 * only grow, so that a collector which has some of it already gets it again rather than never. One
 * rename puts it in the old one's place: what was shed and that it was shed are never apart. A
 * segment is thinned once for each severity at most, so that all of it is written five times in the
 * worst case; thinned neighbours that are small become one.
 *
 * The last segment, and those of which records may be on their way, stay as they are.
 */

enum {
	GROUPS_MAX = 256, /* of a segment; more: by source and severity only */
	WRITE_BYTES = 256 * 1024,
};

#define NS_PER_MINUTE (60 * NS_PER_S)

struct group {
	struct record record; /* as it will be written; without the rule */
};

/* One rewriting: of one segment, or of two that follow one another, into one. */
struct thinning {
	struct spool *spool;
	struct segment *first;
	unsigned n_segments;
	int severity_max; /* of what is shed; -1: nothing */
	bool is_coarse;
	struct table *groups;
	struct segment *draft;
	bool is_synced; /* its place */
	struct buf out;
	struct spool_shed_counts counts; /* shed by this rewriting */
	uint64_t n_left;                 /* records that the draft will have */
	uint64_t number;                 /* of the last one in it */
	struct spool_loss loss;          /* records that are damaged; of the last walk */
};

static bool is_shed(const struct thinning *thinning, const struct record *record)
{
	return record->kind == RECORD_SHED || (int)record->severity <= thinning->severity_max;
}

/* source, severity, minute, rule */
static void write_key(const struct thinning *thinning, const struct record *record, struct buf *key)
{
	buf_clear(key);
	buf_add_byte(key, (unsigned char)record->source);
	buf_add_byte(key, (unsigned char)record->severity);
	if (thinning->is_coarse)
		return;
	int64_t from_ns = record->kind == RECORD_SHED ? record->shed.from_ns : record->received_ns;
	buf_add_be64(key, (uint64_t)(from_ns / NS_PER_MINUTE));
	buf_add(key, record->rule);
}

static struct record_shed shed_of(const struct record *record)
{
	if (record->kind == RECORD_SHED)
		return record->shed;
	return (struct record_shed){record->received_ns, record->received_ns, 1, record->raw.size};
}

static void join(struct group *group, const struct record *record)
{
	struct record_shed one = shed_of(record), *all = &group->record.shed;
	if (all->n == 0)
		*all = one;
	else
		*all = (struct record_shed){
			.from_ns = one.from_ns < all->from_ns ? one.from_ns : all->from_ns,
			.until_ns = one.until_ns > all->until_ns ? one.until_ns : all->until_ns,
			.n = all->n + one.n,
			.n_bytes = all->n_bytes + one.n_bytes,
		};
	group->record.kind = RECORD_SHED;
	group->record.source = record->source;
	group->record.severity = record->severity;
	group->record.number = record->number;
	group->record.received_ns = all->from_ns;
}

static struct group *group_of(
	struct thinning *thinning, const struct record *record, struct buf *key, bool make)
{
	write_key(thinning, record, key);
	union table_value *place = make ? table_put(thinning->groups, buf_text(key))
					: table_get(thinning->groups, buf_text(key));
	if (place && !place->pointer && make)
		place->pointer = calloc(1, sizeof(struct group));
	return place ? place->pointer : NULL;
}

typedef int visit(
	struct thinning *thinning, const struct record *record, struct buf *key, struct err *err);

/* A damaged record would go without a trace: the draft's numbers have no gap. */
static void count_damaged(struct spool_loss *loss, const struct segment_reader *reader, uint64_t n)
{
	const struct segment *segment = reader->segment;
	if (segment->head.is_thinned)
		loss->n += reader->n_damaged + (reader->number < segment->last);
	else if (segment->last >= segment->head.first)
		loss->n += segment->last + 1 - segment->head.first - n;
}

static void note_time(struct spool_loss *loss, const struct record *record)
{
	loss->source = record->source;
	loss->until_ns = record->received_ns;
	if (!loss->from_ns)
		loss->from_ns = record->received_ns;
}

/* All records that are not acknowledged. */
static int walk(struct thinning *thinning, visit *each, struct err *err)
{
	AUTO(buf_done) struct buf key;
	struct spool *spool = thinning->spool;
	struct segment_reader reader = {.clock = spool->clock};
	struct segment *segment = thinning->first;
	struct record record;
	int result = 0;
	buf_init(&key, RECORD_RULE_BYTES_MAX + 16);
	thinning->loss = (struct spool_loss){0};
	for (unsigned i = 0; i < thinning->n_segments && result == 0; i++) {
		uint64_t n = 0;
		segment_reader_begin(&reader, segment);
		while (result == 0 && segment_reader_next(&reader, &spool->id, &record)) {
			n++;
			note_time(&thinning->loss, &record);
			if (record.number > spool->acknowledged)
				result = each(thinning, &record, &key, err);
		}
		if (result == 0 && reader.failed)
			result = disk_error(err, reader.failed, "reading %s", segment->name);
		if (segment->last >= spool->loss_counted)
			count_damaged(&thinning->loss, &reader, n);
		segment = segment->next;
	}
	segment_reader_done(&reader);
	return result;
}

static int gather(
	struct thinning *thinning, const struct record *record, struct buf *key, struct err *err)
{
	if (!is_shed(thinning, record)) {
		thinning->n_left++;
		return 0;
	}
	struct group *group = group_of(thinning, record, key, true);
	if (!group)
		return err_set(err, ERR_MEMORY, "no memory to shed");
	thinning->n_left += group->record.shed.n == 0;
	join(group, record);
	if (record->kind == RECORD_ALERT)
		thinning->counts.n[record->source][record->severity]++;
	return 0;
}

static int flush(struct thinning *thinning, struct err *err)
{
	if (!buf_ok(&thinning->out))
		return buf_error(&thinning->out, err, "what a segment keeps");
	if (segment_extend(thinning->draft, buf_text(&thinning->out), err) < 0)
		return -1;
	buf_clear(&thinning->out);
	return 0;
}

/* A group is written where its last record was. */
static int keep(
	struct thinning *thinning, const struct record *record, struct buf *key, struct err *err)
{
	struct record kept = *record;
	if (is_shed(thinning, record)) {
		const struct group *group = group_of(thinning, record, key, false);
		if (!group || group->record.number != record->number)
			return 0;
		kept = group->record;
		kept.rule = thinning->is_coarse ? TEXT_NONE : record->rule;
	}
	kept.number = ++thinning->number;
	record_write(&kept, &thinning->spool->id, &thinning->out);
	segment_sums_add(&thinning->draft->sums, &kept);
	thinning->draft->last = kept.number;
	return thinning->out.size >= WRITE_BYTES ? flush(thinning, err) : 0;
}

static int make_groups(struct thinning *thinning, struct err *err)
{
	thinning->groups = table_new(free);
	if (!thinning->groups)
		return err_set(err, ERR_MEMORY, "no memory to shed");
	if (walk(thinning, gather, err) < 0)
		return -1;
	if (table_count(thinning->groups) <= GROUPS_MAX)
		return 0;
	thinning->is_coarse = true;
	table_clear(thinning->groups);
	thinning->counts = (struct spool_shed_counts){0};
	thinning->n_left = 0;
	return walk(thinning, gather, err);
}

static int write_draft(struct thinning *thinning, struct err *err)
{
	struct spool *spool = thinning->spool;
	struct segment_head head = thinning->first->head;
	const struct segment *last = thinning->first;
	head.is_thinned = true;
	if (thinning->n_segments > 1)
		last = last->next;
	thinning->number = last->last - thinning->n_left;
	if (segment_new(&thinning->draft, spool->folder, &spool->id, &head, true, err) < 0)
		return -1;
	if (walk(thinning, keep, err) < 0 || flush(thinning, err) < 0)
		return -1;
	return segment_publish(
		thinning->draft, spool->folder, &spool->id, &thinning->is_synced, err);
}

/* Puts the new segment into the list, and lets go of the old ones. */
static void replace(struct thinning *thinning)
{
	struct spool *spool = thinning->spool;
	struct segment **place = &spool->first, *old = thinning->first;
	arrivals_raise(&spool->arrivals, thinning->draft->head.first, thinning->draft->last);
	while (*place != old)
		place = &(*place)->next;
	for (unsigned i = 0; i < thinning->n_segments; i++) {
		struct segment *next = old->next;
		spool_forget(spool, old);
		if (i > 0 && thinning->is_synced)
			unlinkat(spool->folder, old->name, 0); /* else it is superseded, and found
								  to be so at the next start */
		segment_free(old);
		old = next;
	}
	*place = thinning->draft;
	thinning->draft->next = old;
	thinning->draft = NULL;
}

static void count(struct spool *spool, const struct spool_shed_counts *counts)
{
	for (unsigned i = 0; i < N_SOURCES; i++)
		for (unsigned j = 0; j < N_SEVERITIES; j++)
			spool->shed.n[i][j] += counts->n[i][j];
}

static int rewrite(struct spool *spool, struct segment *first, unsigned n_segments,
	int severity_max, struct err *err)
{
	struct thinning thinning = {
		.spool = spool,
		.first = first,
		.n_segments = n_segments,
		.severity_max = severity_max,
	};
	buf_init(&thinning.out, WRITE_BYTES + RECORD_HEAD_BYTES + RECORD_PAYLOAD_BYTES_MAX);
	int result = make_groups(&thinning, err);
	if (result == 0)
		result = write_draft(&thinning, err);
	if (result == 0) {
		replace(&thinning);
		count(spool, &thinning.counts);
		if (thinning.loss.n)
			spool_lose(spool, &thinning.loss);
	} else if (thinning.draft) {
		unlinkat(spool->folder, thinning.draft->name, 0);
		segment_free(thinning.draft);
	}
	table_free(thinning.groups);
	buf_done(&thinning.out);
	return result;
}

/* ---- which ---- */

static bool may_change(const struct spool *spool, const struct segment *segment)
{
	return segment && segment != spool->last && segment->head.first > spool->sent &&
	       !segment->is_unsure;
}

/* Thinned neighbours that are small together. */
static struct segment *find_small_pair(const struct spool *spool)
{
	for (struct segment *segment = spool->first; segment; segment = segment->next)
		if (may_change(spool, segment) && may_change(spool, segment->next) &&
			segment->head.is_thinned && segment->next->head.is_thinned &&
			segment->size_bytes + segment->next->size_bytes <= spool->segment_bytes / 2)
			return segment;
	return NULL;
}

static struct segment *find_oldest_of(const struct spool *spool, unsigned severity)
{
	for (struct segment *segment = spool->first; segment; segment = segment->next)
		if (may_change(spool, segment) && segment->sums.alerts[severity].n)
			return segment;
	return NULL;
}

static int shed_lowest(struct spool *spool, bool *done, struct err *err)
{
	struct segment *segment = NULL;
	unsigned severity = 0;
	for (; severity < N_SEVERITIES && !segment; severity++)
		segment = find_oldest_of(spool, severity);
	*done = segment != NULL;
	return segment ? rewrite(spool, segment, 1, (int)severity - 1, err) : 0;
}

/* All of it is older than allowed, if the next one was begun so long ago. */
static struct segment *find_old(const struct spool *spool, int64_t life_s)
{
	struct segment *segment = spool->first;
	for (; segment && segment->next; segment = segment->next) {
		if (life_s - segment->next->head.born_s <= spool->age_s)
			return NULL;
		struct segment_sum all = segment_sums_all(&segment->sums);
		if (may_change(spool, segment) && all.n > segment->sums.sheds.n)
			return segment;
	}
	return NULL;
}

static int join_small(struct spool *spool, struct err *err)
{
	struct segment *segment = find_small_pair(spool);
	return segment ? rewrite(spool, segment, 2, -1, err) : 0;
}

int spool_keep_bounds(struct spool *spool, struct err *err)
{
	int64_t life_s = spool_life_s(spool);
	bool more = true;
	for (struct segment *old = find_old(spool, life_s); old; old = find_old(spool, life_s))
		if (rewrite(spool, old, 1, N_SEVERITIES - 1, err) < 0 || join_small(spool, err) < 0)
			return -1;
	while (more && spool_size_bytes(spool) > spool->size_max)
		if (shed_lowest(spool, &more, err) < 0 || join_small(spool, err) < 0)
			return -1;
	return 0;
}
