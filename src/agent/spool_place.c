/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/spool_private.h"

void spool_place_set(struct spool_place *place, uint64_t number)
{
	place->reader.segment = NULL;
	place->number = number;
	place->expected = number + 1;
	place->n_lost = 0;
}

void spool_place_done(struct spool_place *place)
{
	segment_reader_done(&place->reader);
}

/* Numbers that were in segments before this one, or before its first record. */
static void enter(struct spool_place *place, struct segment *segment, bool from_thinned)
{
	uint64_t last_before = segment->head.previous_last;
	if (last_before >= place->expected)
		place->n_lost += from_thinned ? 1 : last_before - place->expected + 1;
	if (place->expected < segment->head.first)
		place->expected = segment->head.first;
	segment_reader_begin(&place->reader, segment);
	place->n_damaged = 0;
}

/* The segment to be read; false: there is nothing behind the number. */
static bool find(struct spool *spool, struct spool_place *place)
{
	struct segment *segment = spool->first;
	while (segment && segment->last <= place->number && !segment->is_unsure)
		segment = segment->next;
	if (!segment)
		return false;
	enter(place, segment, false);
	return true;
}

static void pass(struct spool_place *place, const struct record *record)
{
	const struct segment *segment = place->reader.segment;
	uint64_t n_damaged = place->reader.n_damaged - place->n_damaged;
	if (segment->head.is_thinned)
		place->n_lost += n_damaged;
	else if (record->number > place->expected)
		place->n_lost += record->number - place->expected;
	place->n_damaged = place->reader.n_damaged;
	place->back_number = place->number;
	place->back_offset = place->reader.whole_bytes - record_size(record);
	place->number = record->number;
	place->expected = record->number + 1;
}

/* What should be there up to the segment's end, and is not. Of what could not be read when it was
 * opened no number is known: it is one at least. */
static void leave(struct spool_place *place, const struct segment *segment)
{
	if (segment->last >= place->expected) {
		uint64_t n = segment->last - place->expected + 1;
		place->n_lost += segment->head.is_thinned ? 1 : n;
		place->expected = segment->last + 1;
	} else if (segment->is_unsure && place->reader.is_damaged) {
		place->n_lost++;
		place->reader.is_damaged = false;
	}
}

bool spool_place_next(struct spool *spool, struct spool_place *place, struct record *out)
{
	struct segment_reader *reader = &place->reader;
	reader->clock = spool->clock;
	reader->failed = 0;
	if (!reader->segment && !find(spool, place))
		return false;
	for (;;) {
		while (segment_reader_next(reader, &spool->id, out)) {
			if (out->number > place->number) {
				pass(place, out);
				return true;
			}
			place->n_damaged = reader->n_damaged;
		}
		if (reader->failed)
			return false;
		leave(place, reader->segment);
		if (!reader->segment->next)
			return false;
		enter(place, reader->segment->next, reader->segment->head.is_thinned);
	}
}

void spool_place_back(struct spool_place *place)
{
	place->reader.offset = place->back_offset;
	place->reader.number = place->back_number;
	place->expected = place->number;
	place->number = place->back_number;
}
