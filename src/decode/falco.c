/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "decode/decoder.h"
#include "decode/falco_alert.h"
#include "decode/falco_line.h"
#include "decode/normalise.h"
#include "decode/occurrence.h"

static bool falco_sniff(struct text event)
{
	struct falco_line line;
	if (falco_line_parse(event, &line))
		return true;
	return text_starts(event, TEXT("{")) && text_find(event, TEXT("\"rule\""), 0) != SIZE_MAX &&
	       text_find(event, TEXT("\"output"), 0) != SIZE_MAX &&
	       text_find(event, TEXT("\"uuid\""), 0) == SIZE_MAX;
}

static int falco_decode(struct arena *arena, struct alert *alert, struct err *err)
{
	struct falco_event event;
	if (falco_event_read(alert->raw, arena, &event, err) < 0)
		return -1;
	if (!event.has_fields)
		falco_line_fields(event.output, &event);
	return falco_alert_fill(&event, arena, alert, err);
}

/* Where the first "key=value" begins, or SIZE_MAX. */
static size_t first_pair(struct text message)
{
	size_t at = text_find_byte(message, '=', 0);
	while (at != SIZE_MAX && at > 0 && message.data[at - 1] != ' ')
		at--;
	return at;
}

/*
 * The part of a message that does not change stands in for the rule's name, which the text form has
 * not. A message without any mark of where its values begin gives one common name: rules are
 * counted and kept by name, so values must not become names.
 */
static struct text fixed_part(struct text message)
{
	const size_t ends[] = {text_find(message, TEXT(" | "), 0),
		text_find(message, TEXT(" ("), 0), first_pair(message),
		text_starts(message, TEXT("Falco internal: ")) ? text_find_byte(message, '.', 0)
							       : SIZE_MAX};
	size_t end = SIZE_MAX;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		end = ends[i] < end ? ends[i] : end;
	struct text fixed = end == SIZE_MAX ? TEXT_NONE : text_trim(text_part(message, 0, end));
	return fixed.size ? fixed : TEXT("Falco (rule not named)");
}

/*
 * json_output: false, Falco's default. The short form says no date and not which zone its clock is
 * in, so it has no time at all; the text alone is the alert's identity.
 */
static int falco_decode_text(struct arena *arena, struct alert *alert, struct err *err)
{
	struct falco_line line;
	struct falco_event event = {0};
	struct text text = text_repaired(arena, text_trim(alert->raw));
	if (!falco_line_parse(text, &line))
		return err_set(err, ERR_INPUT, "neither JSON nor a line of Falco's text form");
	event.rule = fixed_part(line.message);
	event.priority = line.priority;
	event.output = text;
	falco_line_fields(line.message, &event);
	if (falco_alert_fill(&event, arena, alert, err) < 0)
		return -1;
	occurrence_of_raw(alert, TEXT("falco"));
	if (line.has_date && !clock_parse(line.time, &alert->time_ns))
		alert->time_ns = TIME_UNKNOWN_NS;
	return 0;
}

const struct decoder decoder_falco = {
	.name = "falco",
	.source = SOURCE_FALCO,
	.sensor = "falco",
	.sniff = falco_sniff,
	.decode = falco_decode,
	.decode_text = falco_decode_text,
};
