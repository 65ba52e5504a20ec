/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/spool.h"

#include <unistd.h>

#include "agent/disk.h"
#include "agent/spool_private.h"

enum { PENDING_KEPT_BYTES = 512 * 1024 };

struct spool_id spool_id(const struct spool *spool)
{
	return spool->id;
}

uint64_t spool_acknowledged(const struct spool *spool)
{
	return spool->acknowledged;
}

uint64_t spool_released(const struct spool *spool)
{
	return spool->released;
}

uint64_t spool_next_number(const struct spool *spool)
{
	return spool->next;
}

/* ---- writing ---- */

int spool_add(struct spool *spool, struct record *record, struct err *err)
{
	size_t size = record_size(record);
	if (size > SPOOL_PENDING_BYTES_MAX - spool->pending.size)
		return err_set(err, ERR_LIMIT, "too many records wait for the disk");
	if (!buf_reserve(&spool->pending, size)) {
		spool->pending.failed = spool->pending.no_memory = false; /* nothing was added */
		return err_set(err, ERR_MEMORY, "no memory for a record");
	}
	if (!spool->pending.size)
		spool->pending_first = spool->next;
	record->number = spool->next++;
	arrivals_note(&spool->arrivals, record->number, record->received_ns);
	record_write(record, &spool->id, &spool->pending);
	segment_sums_add(&spool->pending_sums, record);
	return 0;
}

/* It has no record, and the one that is begun has its first number: its file is used again. Never
 * without a file: the spool would be taken for a new one. */
static void drop_empty_last(struct spool *spool)
{
	struct segment *last = spool->last, **place = &spool->first;
	if (!last || last->head.first != spool->pending_first)
		return;
	spool_forget(spool, last);
	for (spool->last = NULL; *place != last; place = &(*place)->next)
		spool->last = *place;
	*place = NULL;
	segment_free(last);
}

static int begin_segment(struct spool *spool, struct err *err)
{
	drop_empty_last(spool);
	struct segment *before = spool->last, *segment;
	struct segment_head head = {
		.first = spool->pending_first,
		.previous_last = spool->previous_last,
		.born_s = spool_life_s(spool),
	};
	if (segment_new(&segment, spool->folder, &spool->id, &head, false, err) < 0)
		return -1;
	if (before) {
		before->end = head.first;
		if (!before->is_closed && !before->is_unsure)
			segment_close(before, &spool->id);
		before->next = segment;
	} else {
		spool->first = segment;
	}
	spool->last = segment;
	spool->must_begin = false;
	return 0;
}

/* Nothing more into the last segment. What it had and has no more is missed when it is read. */
static void abandon(struct spool *spool, bool sync_failed)
{
	spool->must_begin = true;
	if (!sync_failed)
		return;
	spool->n_sync_failures++;
	spool->n_unsynced += segment_verify(spool->last, &spool->id);
}

static void committed(struct spool *spool)
{
	struct segment *segment = spool->last;
	for (unsigned i = 0; i < N_SEVERITIES; i++) {
		segment->sums.alerts[i].n += spool->pending_sums.alerts[i].n;
		segment->sums.alerts[i].n_bytes += spool->pending_sums.alerts[i].n_bytes;
	}
	segment->last = spool->previous_last = spool->next - 1;
	spool->pending_sums = (struct segment_sums){0};
	if (spool->pending.capacity > PENDING_KEPT_BYTES)
		buf_done(&spool->pending);
	else
		buf_clear(&spool->pending);
}

int spool_commit(struct spool *spool, struct err *err)
{
	bool sync_failed;
	if (!spool->pending.size)
		return 0;
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		if (!spool->last || spool->last->size_bytes >= spool->segment_bytes)
			spool->must_begin = true;
		if (spool->must_begin && begin_segment(spool, err) < 0)
			return -1;
		if (segment_append(spool->last, buf_text(&spool->pending), &sync_failed, err) ==
			0) {
			committed(spool);
			return 0;
		}
		if (!sync_failed && err->kind == ERR_FULL)
			return -1;
		abandon(spool, sync_failed);
	}
	return -1;
}

/* ---- reading ---- */

void spool_lose(struct spool *spool, const struct spool_loss *loss)
{
	struct spool_loss *all = &spool->loss;
	if (!all->n) {
		*all = *loss;
		return;
	}
	all->n += loss->n;
	all->source = loss->source;
	all->from_ns = loss->from_ns && loss->from_ns < all->from_ns ? loss->from_ns : all->from_ns;
	all->until_ns = loss->until_ns > all->until_ns ? loss->until_ns : all->until_ns;
}

/* What is missing before @number. Read again after a broken stream, it is not lost again. */
static void count_loss(struct spool *spool, uint64_t number, enum source source, int64_t until_ns)
{
	uint64_t n = spool->sender.n_lost;
	spool->sender.n_lost = 0;
	if (!n || number <= spool->loss_counted)
		return;
	spool->loss_counted = number;
	if (number >= spool->tail_end) { /* the head of the segment behind the tail has it, too */
		n -= n < spool->n_tail_lost ? n : spool->n_tail_lost;
		spool->n_tail_lost = 0;
	}
	const struct spool_loss loss = {n, source, spool->last_seen_ns, until_ns};
	if (n)
		spool_lose(spool, &loss);
}

bool spool_next(struct spool *spool, struct record *out)
{
	if (!spool_place_next(spool, &spool->sender, out)) {
		if (!spool->sender.reader.failed && spool->last)
			count_loss(
				spool, spool->last->last, SOURCE_NONE, clock_wall_ns(spool->clock));
		return false;
	}
	count_loss(spool, out->number, out->source, out->received_ns);
	spool->last_seen_ns = out->received_ns;
	spool->sent = out->number > spool->sent ? out->number : spool->sent;
	return true;
}

bool spool_failed(const struct spool *spool, struct err *err)
{
	const struct segment_reader *reader = &spool->sender.reader;
	if (reader->failed)
		disk_error(err, reader->failed, "reading %s", reader->segment->name);
	return reader->failed != 0;
}

void spool_back(struct spool *spool)
{
	spool_place_back(&spool->sender);
}

void spool_rewind(struct spool *spool, uint64_t number)
{
	spool_place_set(&spool->sender, number);
	spool->sent = number;
}

bool spool_take_loss(struct spool *spool, struct spool_loss *loss)
{
	if (!spool->loss.n)
		return false;
	*loss = spool->loss;
	spool->loss = (struct spool_loss){0};
	return true;
}

/* ---- leaving ---- */

void spool_forget(struct spool *spool, const struct segment *segment)
{
	if (spool->sender.reader.segment == segment)
		spool->sender.reader.segment = NULL;
	if (spool->oldest.reader.segment == segment) {
		spool_place_set(&spool->oldest, 0);
		spool->n_passed = spool->passed_bytes = 0;
	}
}

static void remove_first(struct spool *spool)
{
	struct segment *segment = spool->first;
	spool_forget(spool, segment);
	spool->first = segment->next;
	unlinkat(spool->folder, segment->name, 0); /* else it is found, and passed over, at the
						      next start */
	segment_free(segment);
}

/* A segment that could not be read as a whole has numbers up to the next one's. */
static bool has_all_of(const struct segment *segment, uint64_t number)
{
	return (segment->is_unsure ? segment->next->head.first : segment->last) <= number;
}

/* The lowest number of a record in it. What is left of a thinned one has the last of its numbers.
 */
static uint64_t lowest_of(const struct segment *segment)
{
	return segment->head.is_thinned ? segment->last + 1 - segment_sums_all(&segment->sums).n
					: segment->head.first;
}

void spool_release(struct spool *spool, uint64_t number)
{
	uint64_t released = spool->first ? spool->first->head.previous_last : 0;
	const struct segment *segment = spool->first;
	for (; segment && lowest_of(segment) <= number; segment = segment->next)
		if (segment->last >= segment->head.first)
			released = segment->last;
	released = released < number ? released : number;
	if (released > spool->released)
		spool->released = released;
}

void spool_acknowledge(struct spool *spool, uint64_t number)
{
	if (number <= spool->acknowledged)
		return;
	spool->acknowledged = number;
	spool_release(spool, number);
	/* The collector has more than there is here: numbers are never used twice. */
	if (number >= spool->next && !spool->pending.size) {
		spool->next = number + 1;
		spool->must_begin = true;
	}
	while (spool->first != spool->last && has_all_of(spool->first, number))
		remove_first(spool);
	if (spool->sender.number < number)
		spool_rewind(spool, number);
}

void spool_save(struct spool *spool)
{
	spool_mark_write(spool);
}

struct spool_waiting spool_waiting(struct spool *spool)
{
	struct spool_waiting waiting = {0};
	struct record record;
	for (;;) {
		const struct segment *before = spool->oldest.reader.segment;
		if (!spool_place_next(spool, &spool->oldest, &record))
			break;
		if (spool->oldest.reader.segment != before)
			spool->n_passed = spool->passed_bytes = 0;
		if (record.number > spool->acknowledged) {
			int64_t least_ns = arrivals_least(&spool->arrivals, spool->acknowledged);
			waiting.oldest_ns =
				record.received_ns < least_ns ? record.received_ns : least_ns;
			spool_place_back(&spool->oldest);
			break;
		}
		spool->n_passed++;
		spool->passed_bytes += record_size(&record);
	}
	if (spool->oldest.reader.failed) {
		waiting = spool->waited;
		waiting.n += waiting.n == 0;
		waiting.oldest_ns += waiting.oldest_ns == 0; /* of nothing it is known to be new */
		return waiting;
	}
	if (!waiting.oldest_ns) {
		spool->waited = waiting;
		return waiting;
	}
	for (const struct segment *segment = spool->oldest.reader.segment; segment;
		segment = segment->next) {
		struct segment_sum all = segment_sums_all(&segment->sums);
		waiting.n += all.n;
		waiting.n_bytes += all.n_bytes;
	}
	waiting.n -= spool->n_passed < waiting.n ? spool->n_passed : waiting.n;
	waiting.n_bytes -=
		spool->passed_bytes < waiting.n_bytes ? spool->passed_bytes : waiting.n_bytes;
	spool->waited = waiting;
	return waiting;
}

size_t spool_size_bytes(const struct spool *spool)
{
	size_t size = 0;
	for (const struct segment *segment = spool->first; segment; segment = segment->next)
		size += segment->size_bytes;
	return size;
}

void spool_take_shed(struct spool *spool, struct spool_shed_counts *counts)
{
	for (unsigned i = 0; i < N_SOURCES; i++)
		for (unsigned j = 0; j < N_SEVERITIES; j++)
			counts->n[i][j] += spool->shed.n[i][j];
	spool->shed = (struct spool_shed_counts){0};
}

uint64_t spool_sync_failures(const struct spool *spool)
{
	return spool->n_sync_failures;
}

uint64_t spool_unsynced(const struct spool *spool)
{
	return spool->n_unsynced;
}
