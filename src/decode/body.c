/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/body.h"

#include <assert.h>
#include <string.h>

#include "base/pull.h"
#include "decode/falco_line.h"
#include "decode/normalise.h"
#include "decode/occurrence.h"
#include "decode/secrets.h"

/* One body on its way to events. */
struct split {
	struct text body;
	size_t at; /* what stands before is done */
	int64_t received_ns;
	struct batch *batch;
	const struct decoder *decoder;
	const struct secrets *secrets; /* NULL: the source has none */
	bool text_lines;
	bool keeps_all; /* nobody can be told that it is refused */
	size_t n_events;
	struct alert *spare; /* of an event that could not be decoded, to be used again */
};

static struct text rest_of(const struct split *split)
{
	return text_part(split->body, split->at, split->body.size);
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void skip_space(struct split *split)
{
	while (split->at < split->body.size && is_space(split->body.data[split->at]))
		split->at++;
}

static struct alert *alert_of(struct split *split, struct text raw)
{
	struct alert *alert = split->spare;
	if (alert)
		*alert = (struct alert){.kind = LEAF_ALERT,
			.count = 1,
			.process = {.pid = -1, .uid = -1},
			.source = split->batch->source,
			.cluster = split->batch->cluster};
	else
		alert = batch_alert_new(split->batch);
	split->spare = NULL;
	if (!alert)
		return NULL;
	alert->raw = raw;
	alert->received_ns = split->received_ns;
	alert->time_ns = TIME_UNKNOWN_NS;
	return alert;
}

static int add(struct split *split, struct alert *alert, struct err *err)
{
	if (!alert || split->batch->arena.failed)
		return err_set(err, ERR_MEMORY, "out of memory decoding alerts");
	if (++split->n_events > BODY_EVENTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d events in one body", BODY_EVENTS_MAX);
	if (alert->n_redactions)
		alert->flags |= ALERT_REDACTED_AT_INGEST;
	alert->raw_digest = digest_of(alert->raw);
	batch_add(split->batch, alert);
	return 0;
}

/* Quarantine keeps bytes too. */
static void cut_undecoded(struct split *split, struct alert *alert)
{
	struct err why;
	if (split->secrets && secrets_cut(split->secrets, split->batch, alert, &why) < 0)
		secrets_cut_broken(split->secrets, split->batch, alert);
}

static int quarantine(struct split *split, struct text raw, const char *reason, struct err *err)
{
	struct arena *arena = &split->batch->arena;
	struct alert *alert = alert_of(split, raw);
	if (alert) {
		cut_undecoded(split, alert);
		alert->kind = LEAF_QUARANTINED;
		alert->quarantine_reason = arena_copy(arena, text_of(reason));
		alert->sensor = text_of(split->decoder->sensor);
		alert_normalise(arena, alert);
		occurrence_of_raw(alert, alert->sensor);
	}
	return add(split, alert, err);
}

typedef int (*decode_event)(struct arena *arena, struct alert *alert, struct err *err);

/* The decoder sees what is left: whatever it makes of it holds no secret. */
static int cut_and_decode(
	struct split *split, struct alert *alert, decode_event decode, struct err *err)
{
	if (split->secrets && secrets_cut(split->secrets, split->batch, alert, err) < 0)
		return -1;
	return decode(&split->batch->arena, alert, err);
}

/* Decodes and adds one event. -1 with ERR_INPUT or ERR_LIMIT: nothing was added, it may go to
 * quarantine; *fatal: the whole body fails. */
static int try_event(
	struct split *split, struct text raw, decode_event decode, bool *fatal, struct err *err)
{
	struct arena *arena = &split->batch->arena;
	struct alert *alert = alert_of(split, raw);
	int failed = alert ? cut_and_decode(split, alert, decode, err) : 0;
	*fatal = true;
	/* What was decoded without memory may look whole, or look broken. */
	if (!alert || arena->failed || (failed && err->kind == ERR_MEMORY))
		return err_set(err, ERR_MEMORY, "out of memory decoding alerts");
	if (!failed)
		alert_normalise(arena, alert);
	if (!failed && !arena->failed && !alert->rule.size)
		/* the rule was a word for nothing, as <NA> */
		failed = err_set(err, ERR_INPUT, "no rule: not an alert");
	if (!failed)
		return add(split, alert, err);
	*fatal = false;
	split->spare = alert;
	return -1;
}

static int decode_or_quarantine(
	struct split *split, struct text raw, decode_event decode, struct err *err)
{
	bool fatal;
	if (try_event(split, raw, decode, &fatal, err) == 0)
		return 0;
	if (fatal)
		return -1;
	struct err reason = *err;
	return quarantine(split, raw, reason.text, err);
}

/* The line at @at without its end. */
static struct text line_at(struct text text, size_t at)
{
	size_t end = text_find_byte(text, '\n', at);
	return text_part(text, at, (end == SIZE_MAX ? text.size : end) - at);
}

static bool starts_text_event(struct text text, size_t at)
{
	struct falco_line ignored;
	return falco_line_parse(line_at(text, at), &ignored);
}

/*
 * Plain text lines. A message may hold line ends (Falco before 0.44 does not escape them), so a
 * line that has not the form belongs to the one before.
 */
static int split_lines(struct split *split, struct text text, struct err *err)
{
	for (size_t at = 0; at < text.size;) {
		size_t end = at;
		do {
			size_t line_end = text_find_byte(text, '\n', end);
			end = line_end == SIZE_MAX ? text.size : line_end + 1;
		} while (end < text.size && !starts_text_event(text, end));
		struct text event = text_trim(text_part(text, at, end - at));
		if (event.size &&
			decode_or_quarantine(split, event, split->decoder->decode_text, err) < 0)
			return -1;
		at = end;
	}
	return 0;
}

/* Only what stands between the elements of an array whose beginning was broken. */
static bool is_punctuation(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!is_space(text.data[i]) && text.data[i] != ',' && text.data[i] != ']')
			return false;
	return true;
}

/* What is no JSON: text lines where the source has them, else one quarantined event. */
static int take_broken(struct split *split, struct text broken, const char *reason, struct err *err)
{
	struct text event = text_trim(broken);
	split->at += broken.size;
	if (is_punctuation(event))
		return 0;
	if (split->text_lines && starts_text_event(event, 0))
		return split_lines(split, event, err);
	return quarantine(split, event, reason, err);
}

/* Behind the line at split->at, the next one that begins an object. */
static size_t next_object(const struct split *split)
{
	size_t found = text_find(split->body, TEXT("\n{"), split->at);
	return found == SIZE_MAX ? split->body.size : found + 1;
}

/* Where the document at split->at may be: among lines, none goes on in one that begins an object.
 */
static struct text place_of_document(const struct split *split)
{
	size_t end = split->keeps_all ? next_object(split) : split->body.size;
	return text_part(split->body, split->at, end - split->at);
}

static bool is_refused(const struct split *split)
{
	return !split->text_lines && !split->keeps_all && split->n_events == 0;
}

/*
 * The document at split->at is broken. If the fault is in its first line, that is one bad line of
 * many: go on at the next object; so where all are lines. Else nothing behind it can be trusted to
 * be where it seems to be.
 */
static int take_broken_document(struct split *split, const struct pull *reader, struct err *err)
{
	struct err reason;
	size_t line_end = line_at(split->body, split->at).size + 1;
	bool is_line = split->keeps_all || reader->error_at <= line_end;
	size_t next = is_line ? next_object(split) : split->body.size;
	ignore(pull_error(reader, &reason)); /* gives the text */
	if (reason.kind == ERR_MEMORY)
		return err_set(err, ERR_MEMORY, "out of memory decoding alerts");
	if (reason.kind == ERR_INPUT && is_refused(split))
		return err_set(err, ERR_INPUT, "offset %zu: %s", split->at + reader->error_at,
			reader->error);
	return take_broken(
		split, text_part(split->body, split->at, next - split->at), reason.text, err);
}

/* Almost always an object is one line: then it is decoded without looking for its end first. */
static bool take_line(struct split *split, bool *fatal, struct err *err)
{
	struct text line = line_at(split->body, split->at);
	struct text event = text_trim(line);
	*fatal = false;
	if (!text_ends(event, TEXT("}")) ||
		try_event(split, event, split->decoder->decode, fatal, err) < 0)
		return false;
	split->at += line.size;
	return true;
}

static int take_object(struct split *split, struct err *err)
{
	struct pull reader;
	bool fatal;
	if (take_line(split, &fatal, err))
		return 0;
	if (fatal)
		return -1;
	pull_init(&reader, place_of_document(split), &split->batch->arena, &pull_limits_alert);
	if (!pull_skip(&reader))
		return take_broken_document(split, &reader, err);
	struct text event = text_part(split->body, split->at, pull_offset(&reader));
	split->at += event.size;
	return decode_or_quarantine(split, event, split->decoder->decode, err);
}

static int take_array(struct split *split, struct err *err)
{
	struct pull reader;
	size_t base = split->at, done = 1;
	pull_init(&reader, place_of_document(split), &split->batch->arena, &pull_limits_alert);
	enum pull_event what = pull_next(&reader);
	while (what != PULL_BAD && (what = pull_next(&reader)) != PULL_ARRAY_END) {
		size_t start = reader.start;
		if (what == PULL_BAD || !pull_finish(&reader, what))
			break;
		done = pull_offset(&reader);
		struct text event = text_part(split->body, base + start, done - start);
		if (decode_or_quarantine(split, event, split->decoder->decode, err) < 0)
			return -1;
	}
	if (what == PULL_ARRAY_END) {
		split->at = base + pull_offset(&reader);
		return 0;
	}
	if (split->n_events) /* a comma stands between the last good event and what is broken */
		split->at = base + done + text_starts(text_part(reader.source, done, 1), TEXT(","));
	reader.error_at -= split->at - base < reader.error_at ? split->at - base : reader.error_at;
	return take_broken_document(split, &reader, err);
}

static int take_next(struct split *split, struct err *err)
{
	char first = split->body.data[split->at];
	if (first == '{')
		return take_object(split, err);
	if (first == '[')
		return take_array(split, err);
	if (is_refused(split))
		return err_set(err, ERR_INPUT, "offset %zu: expected a JSON object or an array",
			split->at);
	size_t next = next_object(split);
	return take_broken(split, text_part(split->body, split->at, next - split->at),
		"not a JSON object", err);
}

/* Too many events: who keeps all keeps what stands from @start on as one. */
static int end_at_limit(struct split *split, size_t start, struct err *err)
{
	if (!split->keeps_all || err->kind != ERR_LIMIT)
		return -1;
	struct err reason = *err;
	struct text rest = text_part(split->body, start, split->body.size - start);
	split->n_events = 0;
	split->at = split->body.size;
	return quarantine(split, text_trim(rest), reason.text, err);
}

static int take_all(struct split *split, struct err *err)
{
	while (split->at < split->body.size) {
		size_t start = split->at;
		if (take_next(split, err) < 0 && end_at_limit(split, start, err) < 0)
			return -1;
		skip_space(split);
	}
	return 0;
}

static struct split split_of(struct text body, int64_t received_ns, struct batch *batch)
{
	struct split split = {.body = body,
		.received_ns = received_ns,
		.batch = batch,
		.decoder = decoder_of(batch->source)};
	assert(split.decoder);
	split.text_lines = split.decoder->decode_text != NULL;
	split.secrets = secrets_of(text_of(split.decoder->name));
	return split;
}

int event_decode(struct text raw, int64_t received_ns, struct batch *batch, struct err *err)
{
	struct split split = split_of(raw, received_ns, batch);
	struct text event = text_trim(raw);
	if (text_starts(event, TEXT("{")))
		return decode_or_quarantine(&split, event, split.decoder->decode, err);
	if (split.text_lines && event.size)
		return decode_or_quarantine(&split, event, split.decoder->decode_text, err);
	return quarantine(&split, event, "not a JSON object", err);
}

int event_keep(struct text raw, const char *reason, int64_t received_ns, struct batch *batch,
	struct err *err)
{
	struct split split = split_of(raw, received_ns, batch);
	return quarantine(&split, text_trim(raw), reason, err);
}

int body_decode(struct text body, int64_t received_ns, struct batch *batch, struct err *err)
{
	struct split split = split_of(body, received_ns, batch);
	skip_space(&split);
	struct text rest = rest_of(&split);
	/* A body that begins as text is text to its end: no line of a message becomes an event. */
	if (split.text_lines && rest.size && rest.data[0] != '{' && rest.data[0] != '[')
		return split_lines(&split, rest, err);
	if (!rest.size && !split.text_lines)
		return err_set(err, ERR_INPUT, "offset %zu: the body is empty", split.at);
	if (split.decoder->unwrap && split.decoder->unwrap(rest, &batch->arena, &split.body))
		split.at = 0;
	return take_all(&split, err);
}

/* Is the first line that is whole one of text? Before it stands the rest of one that was torn. */
static bool is_text(struct text body)
{
	for (size_t at = 0; at < body.size; at += line_at(body, at).size + 1) {
		if (body.data[at] == '{')
			return false;
		if (starts_text_event(body, at))
			return true;
	}
	return true;
}

int lines_decode(struct text lines, int64_t received_ns, struct batch *batch, struct err *err)
{
	struct split split = split_of(lines, received_ns, batch);
	split.keeps_all = true;
	skip_space(&split);
	if (!split.text_lines || !is_text(rest_of(&split)))
		return take_all(&split, err);
	if (split_lines(&split, rest_of(&split), err) == 0)
		return 0;
	return end_at_limit(&split, split.at, err);
}
