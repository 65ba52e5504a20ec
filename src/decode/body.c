/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/body.h"

#include <string.h>

#include "decode/normalise.h"

/* A run over one body. */
struct splitting {
	struct text body;
	size_t at;
	const struct decoder *decoder;
	int64_t received_ns;
	struct batch *batch;
};

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static void skip_space(struct splitting *run)
{
	while (run->at < run->body.size && is_space(run->body.data[run->at]))
		run->at++;
}

/* Behind the closing quote of the string that begins at @at; the end of the body if it has none. */
static size_t string_end(struct text body, size_t at)
{
	for (at++; at < body.size; at++) {
		const char *quote = memchr(body.data + at, '"', body.size - at);
		if (!quote)
			return body.size;
		const char *escape = memchr(body.data + at, '\\', (size_t)(quote - body.data) - at);
		if (!escape)
			return (size_t)(quote - body.data) + 1;
		at = (size_t)(escape - body.data) + 1;
	}
	return body.size;
}

/* Behind the bracket that closes the one at @at, by counting; SIZE_MAX when nothing does. */
static size_t value_end(struct text body, size_t at)
{
	size_t depth = 0;
	while (at < body.size) {
		char byte = body.data[at];
		if (byte == '"') {
			at = string_end(body, at);
			continue;
		}
		at++;
		if (byte == '{' || byte == '[')
			depth++;
		else if ((byte == '}' || byte == ']') && --depth == 0)
			return at;
	}
	return SIZE_MAX;
}

static size_t line_end(struct text body, size_t at)
{
	size_t end = text_find_byte(body, '\n', at);
	return end == SIZE_MAX ? body.size : end;
}

static void quarantine(struct alert *alert, struct arena *arena, const struct err *reason)
{
	struct alert bare = {.kind = LEAF_QUARANTINED,
		.raw = alert->raw,
		.raw_digest = alert->raw_digest,
		.received_ns = alert->received_ns,
		.time_ns = alert->received_ns,
		.source = alert->source,
		.cluster = alert->cluster,
		.sensor = alert->sensor,
		.count = 1,
		.process = {.pid = -1, .uid = -1},
		.quarantine_reason = arena_copy(arena, text_of(reason->text))};
	*alert = bare;
}

typedef int decode_event(struct arena *arena, struct alert *alert, struct err *err);

static int add_event(struct splitting *run, struct text raw, decode_event *decode, struct err *err)
{
	struct err reason;
	struct arena *arena = &run->batch->arena;
	if (run->batch->n_alerts == BODY_EVENTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d events in one body", BODY_EVENTS_MAX);
	struct alert *alert = batch_alert_new(run->batch);
	if (!alert)
		return err_set(err, ERR_MEMORY, "out of memory for an alert");
	alert->raw = raw;
	alert->raw_digest = digest_of(raw);
	alert->received_ns = run->received_ns;
	alert->sensor = text_of(run->decoder->sensor);
	if (decode(arena, alert, &reason) < 0) {
		if (reason.kind == ERR_MEMORY)
			return err_set(err, ERR_MEMORY, "%s", reason.text);
		quarantine(alert, arena, &reason);
	}
	batch_add(run->batch, alert);
	return 0;
}

static int refuse(struct arena *arena, struct alert *alert, struct err *err)
{
	(void)arena;
	(void)alert;
	return err_set(err, ERR_INPUT, "not a JSON object");
}

static int refuse_cut(struct arena *arena, struct alert *alert, struct err *err)
{
	(void)arena;
	(void)alert;
	return err_set(err, ERR_INPUT, "the JSON ends before it is complete");
}

/* The rest of the line: a text line where the product has them, else for quarantine. */
static int add_line(struct splitting *run, struct err *err)
{
	size_t end = line_end(run->body, run->at);
	struct text line = text_trim(text_part(run->body, run->at, end - run->at));
	decode_event *decode = run->decoder->decode_text ? run->decoder->decode_text : refuse;
	run->at = end;
	return line.size ? add_event(run, line, decode, err) : 0;
}

static int add_object(struct splitting *run, struct err *err)
{
	size_t end = value_end(run->body, run->at);
	struct text raw = text_part(run->body, run->at, end - run->at);
	run->at = end == SIZE_MAX ? run->body.size : end;
	return add_event(run, end == SIZE_MAX ? text_trim(raw) : raw,
		end == SIZE_MAX ? refuse_cut : run->decoder->decode, err);
}

/* Something in an array that is no object: up to the next comma or bracket. */
static int add_oddity(struct splitting *run, struct err *err)
{
	size_t from = run->at;
	char byte = run->body.data[from];
	if (byte == '[') {
		size_t end = value_end(run->body, from);
		run->at = end == SIZE_MAX ? run->body.size : end;
	} else if (byte == '"') {
		run->at = string_end(run->body, from);
	} else {
		while (run->at < run->body.size && !strchr(",]\n", run->body.data[run->at]))
			run->at++;
	}
	if (run->at == from)
		run->at++;
	return add_event(run, text_part(run->body, from, run->at - from), refuse, err);
}

/* The elements of the array that begins here. What follows a missing bracket was read as elements.
 */
static int add_array(struct splitting *run, struct err *err)
{
	run->at++;
	for (;;) {
		skip_space(run);
		if (run->at >= run->body.size)
			return 0;
		char byte = run->body.data[run->at];
		if (byte == ']' || byte == ',')
			run->at++;
		if (byte == ']')
			return 0;
		if (byte == ',')
			continue;
		if ((byte == '{' ? add_object(run, err) : add_oddity(run, err)) < 0)
			return -1;
	}
}

int body_decode(struct text body, int64_t received_ns, struct batch *batch, struct err *err)
{
	const struct decoder *decoder = decoder_of(batch->source);
	struct splitting run = {body, 0, decoder, received_ns, batch};
	if (!decoder)
		return err_set(err, ERR_INPUT, "no decoder for this source");
	skip_space(&run);
	if (run.at < body.size && !decoder->decode_text && body.data[run.at] != '{' &&
		body.data[run.at] != '[')
		return err_set(
			err, ERR_INPUT, "offset %zu: neither a JSON object nor an array", run.at);
	while (run.at < body.size) {
		char byte = body.data[run.at];
		int failed = byte == '{'   ? add_object(&run, err)
			     : byte == '[' ? add_array(&run, err)
					   : add_line(&run, err);
		if (failed)
			return -1;
		skip_space(&run);
	}
	return 0;
}
