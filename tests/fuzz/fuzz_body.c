/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting: the input between good events, as lines and in an array; and as lines of a file, of
 * which no byte is passed over and no good line lost. */
#include "tests/fuzz/check_decode.h"

#define GOOD "{\"rule\":\"r\",\"time\":\"2026-11-21T19:52:28Z\"}"

/* The same bytes are cut to the same bytes. */
static void no_random(void *out, size_t size)
{
	memset(out, 7, size);
}

static struct batch *decode_lines(enum source source, struct text lines)
{
	struct err err;
	struct batch *batch = batch_new();
	assert(batch);
	batch->source = source;
	batch->cluster = TEXT("fuzz");
	batch->random = no_random;
	assert(lines_decode(lines, INT64_C(1795478400000000000), batch, &err) == 0);
	return batch;
}

/* What may stand between events: space, and what is left of an array. */
static bool is_between(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!memchr(" \t\r\n\v\f,[]", text.data[i], 10))
			return false;
	return true;
}

/* Each byte is one event's, or stands between events. */
static void check_accounted(const struct batch *batch, struct text lines)
{
	bool is_cut = false; /* an event here has not the sensor's bytes any more */
	size_t at = 0;
	for (const struct alert *alert = batch->first; alert; alert = alert->next) {
		check_alert(alert, lines);
		is_cut |= alert->n_redactions > 0;
		if (alert->n_redactions)
			continue;
		size_t start = (size_t)(alert->raw.data - lines.data);
		assert(start >= at && (is_cut || is_between(text_part(lines, at, start - at))));
		at = start + alert->raw.size;
		is_cut = false;
	}
	assert(is_cut || is_between(text_part(lines, at, lines.size)));
}

static bool is_same(const struct alert *a, const struct alert *b)
{
	return a->kind == b->kind && text_equal(a->raw, b->raw) &&
	       memcmp(a->occ, b->occ, OCCURRENCE_BYTES) == 0;
}

/* All are the same as those from @alert on, which is returned behind them. */
static const struct alert *check_same(const struct batch *batch, const struct alert *alert)
{
	for (const struct alert *at = batch->first; at; at = at->next, alert = alert->next)
		assert(alert && is_same(at, alert));
	return alert;
}

static struct text join(struct buf *out, struct text before, struct text lines, struct text after)
{
	buf_clear(out);
	buf_add(out, before);
	buf_add(out, lines);
	buf_add(out, after);
	return buf_text(out);
}

/* A line that begins an object is read, whatever stands before it. */
static void check_behind_torn(enum source source, const struct batch *alone, struct text lines)
{
	const struct text torn[] = {TEXT("ue\",\"a\":1}}\n"), TEXT("{\"a\":\n"),
		TEXT("{\"a\":\"b\n"), TEXT("[1,\n"), TEXT("{\"a\":x}\n")};
	struct buf room;
	buf_init(&room, lines.size + 1024);
	for (size_t i = 0; i < sizeof torn / sizeof torn[0]; i++) {
		struct batch *batch = decode_lines(source, join(&room, torn[i], lines, TEXT_NONE));
		assert(batch->first->kind == LEAF_QUARANTINED);
		assert(!check_same(alone, batch->first->next));
		batch_free(batch);
	}
	buf_done(&room);
}

static void check_before_good(enum source source, const struct batch *alone, struct text lines)
{
	struct buf room;
	buf_init(&room, lines.size + 1024);
	struct batch *batch =
		decode_lines(source, join(&room, TEXT_NONE, lines, TEXT("\n" GOOD "\nx\n" GOOD)));
	const struct alert *behind = check_same(alone, batch->first);
	assert(behind && text_is(behind->raw, GOOD));
	assert(behind->next && text_is(behind->next->raw, "x"));
	behind = behind->next->next;
	assert(behind && text_is(behind->raw, GOOD) && !behind->next);
	batch_free(batch);
	buf_done(&room);
}

static void check_lines(enum source source, struct text lines)
{
	struct batch *alone = decode_lines(source, lines);
	check_accounted(alone, lines);
	if (text_starts(lines, TEXT("{")))
		check_behind_torn(source, alone, lines);
	if (!source_info(source)->text_lines) /* a message of text has lines of any kind */
		check_before_good(source, alone, lines);
	batch_free(alone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum source sources[] = {
		SOURCE_FALCO, SOURCE_FALCOSIDEKICK, SOURCE_TETRAGON, SOURCE_KUBEARMOR};
	const struct text good = TEXT(GOOD), input = {(const char *)data, size};
	struct buf body;
	buf_init(&body, size + 1024);
	for (unsigned array = 0; array < 2; array++) {
		buf_clear(&body);
		buf_add_string(&body, array ? "[" : "");
		buf_add(&body, good);
		buf_add_string(&body, array ? "," : "\n");
		buf_add(&body, input);
		buf_add_string(&body, array ? "]" : "\n");
		check_decode(SOURCE_FALCO, buf_text(&body));
		check_decode(SOURCE_FALCOSIDEKICK, buf_text(&body));
	}
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
		check_lines(sources[i], input);
	buf_done(&body);
	return 0;
}
