/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "decode/decoder.h"
#include "decode/falco_event.h"

static bool falco_sniff(struct text event)
{
	return text_find(event, TEXT("\"output_fields\""), 0) != SIZE_MAX &&
	       text_find(event, TEXT("\"priority\""), 0) != SIZE_MAX;
}

static int falco_decode(struct arena *arena, struct alert *alert, struct err *err)
{
	struct falco_event event;
	return falco_event_read(alert->raw, arena, &event, err) < 0
		       ? -1
		       : falco_event_finish(arena, &event, alert, err);
}

/* The value behind "key=" up to the next space, ')' or the end; absent if the key is not there. */
static struct text value_of(struct text line, struct text key)
{
	for (size_t at = text_find(line, key, 0); at != SIZE_MAX;
		at = text_find(line, key, at + 1)) {
		if (at > 0 && line.data[at - 1] != ' ' && line.data[at - 1] != '(')
			continue;
		size_t from = at + key.size, to = from;
		while (to < line.size && line.data[to] != ' ' && line.data[to] != ')')
			to++;
		return text_part(line, from, to - from);
	}
	return TEXT_NONE;
}

static struct text either(struct text line, struct text key, struct text older)
{
	struct text value = value_of(line, key);
	return value.size ? value : value_of(line, older);
}

/* The two forms of time a line begins with; the short one has no date and gives no time. */
static bool is_time(struct text word)
{
	if (word.size < 8 || word.size > 40)
		return false;
	for (size_t i = 0; i < word.size; i++)
		if (word.data[i] != ':' && word.data[i] != '.' && word.data[i] != '-' &&
			word.data[i] != '+' && word.data[i] != 'T' && word.data[i] != 'Z' &&
			(word.data[i] < '0' || word.data[i] > '9'))
			return false;
	return word.data[2] == ':' || word.data[10] == 'T';
}

/*
 * A line names no rule: its message up to the first value stands for it, which is the rule's own
 * text in all of Falco's shipped rules ("Warning Sensitive file opened for reading … (file=…").
 */
static struct text rule_of(struct text message)
{
	size_t end = 0;
	while (end < message.size && message.data[end] != '(' && message.data[end] != '|' &&
		message.data[end] != '=')
		end++;
	if (end < message.size && message.data[end] == '=')
		while (end > 0 && message.data[end - 1] != ' ')
			end--;
	return text_trim(text_part(message, 0, end));
}

static int falco_decode_text(struct arena *arena, struct alert *alert, struct err *err)
{
	struct text line = text_trim(alert->raw);
	size_t colon = text_find(line, TEXT(": "), 0);
	struct text time = text_part(line, 0, colon == SIZE_MAX ? 0 : colon);
	size_t space = colon == SIZE_MAX ? SIZE_MAX : text_find_byte(line, ' ', colon + 2);
	if (!is_time(time) || space == SIZE_MAX)
		return err_set(err, ERR_INPUT, "neither JSON nor a Falco text line");
	struct text message = text_part(line, space + 1, SIZE_MAX);
	struct falco_event event = {
		.time = time.data[2] == ':' ? TEXT_NONE : time,
		.priority = text_part(line, colon + 2, space - colon - 2),
		.rule = rule_of(message),
		.output = line,
		.container_id = either(message, TEXT("container_id="), TEXT("container=")),
		.container_name = value_of(message, TEXT("container_name=")),
		.repository = value_of(message, TEXT("container_image_repository=")),
		.tag = value_of(message, TEXT("container_image_tag=")),
		.pod = either(message, TEXT("k8s_pod_name="), TEXT("k8s.pod=")),
		.namespace = either(message, TEXT("k8s_ns_name="), TEXT("k8s.ns=")),
		.process_name = value_of(message, TEXT("process=")),
		.process_exe = value_of(message, TEXT("proc_exepath=")),
		.process_parent = value_of(message, TEXT("parent=")),
		.user_name = value_of(message, TEXT("user=")),
		.file = value_of(message, TEXT("file=")),
		.event_type = value_of(message, TEXT("evt_type=")),
	};
	return falco_event_finish(arena, &event, alert, err);
}

const struct decoder decoder_falco = {
	.name = "falco",
	.source = SOURCE_FALCO,
	.sensor = "falco",
	.sniff = falco_sniff,
	.decode = falco_decode,
	.decode_text = falco_decode_text,
};
