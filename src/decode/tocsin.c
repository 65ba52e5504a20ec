/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/pull.h"
#include "decode/decoder.h"
#include "decode/normalise.h"

/* Our own normalised form (schema/json/alert.schema.json): other programs of ours send it. */

struct document {
	struct text id, time, severity, action, pid, uid, count, sensor;
	struct text container_id;
};

#define FIELD(key, member)                                                                         \
	{                                                                                          \
		{key, sizeof(key) - 1}, offsetof(struct alert, member)                             \
	}

static const struct {
	struct text key;
	size_t offset;
} fields[] = {
	FIELD("node", node),
	FIELD("namespace", namespace),
	FIELD("pod", pod),
	FIELD("pod_uid", pod_uid),
	FIELD("container", container),
	FIELD("image", image),
	FIELD("image_digest", image_digest),
	FIELD("runtime_class", runtime_class),
	FIELD("rule", rule),
	FIELD("severity_reported", severity_reported),
	FIELD("message", message),
	FIELD("resource", resource),
	FIELD("operation", operation),
	FIELD("workload.kind", workload.kind),
	FIELD("workload.name", workload.name),
	FIELD("process.name", process.name),
	FIELD("process.exe", process.exe),
	FIELD("process.cmdline", process.cmdline),
	FIELD("process.parent", process.parent),
	FIELD("process.user", process.user),
	FIELD("process.exec_id", process.exec_id),
};

static bool tocsin_sniff(struct text event)
{
	return text_find(event, TEXT("\"sensor\""), 0) != SIZE_MAX &&
	       text_find(event, TEXT("\"severity\""), 0) != SIZE_MAX;
}

static void set(struct alert *alert, struct document *document, struct text key, struct text value)
{
	const struct {
		const char *key;
		struct text *place;
	} scalars[] = {
		{"id", &document->id},
		{"time", &document->time},
		{"severity", &document->severity},
		{"action", &document->action},
		{"process.pid", &document->pid},
		{"process.uid", &document->uid},
		{"count", &document->count},
		{"sensor", &document->sensor},
		{"container_id", &document->container_id},
	};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (text_equal(fields[i].key, key))
			*(struct text *)(void *)((char *)alert + fields[i].offset) = value;
	for (size_t i = 0; i < sizeof scalars / sizeof scalars[0]; i++)
		if (text_is(key, scalars[i].key))
			*scalars[i].place = value;
}

static void add_item(struct arena *arena, struct text_list *list, struct text value)
{
	if (!list->items)
		list->items = arena_array(arena, ALERT_TAGS_MAX, sizeof *list->items);
	if (list->items && list->n < ALERT_TAGS_MAX)
		list->items[list->n++] = value;
}

/* A string in a list at the top: tags say tactics and techniques as well as their own lists do. */
static void set_item(struct arena *arena, struct alert *alert, struct text key, struct text value)
{
	if (text_is(key, "tags") || text_is(key, "tactics") || text_is(key, "techniques"))
		add_item(arena, &alert->tags, value);
	if (text_is(key, "via"))
		add_item(arena, &alert->via, value);
}

/* Where the reader is: keys at the top and one below ("process.name"). */
struct path {
	struct text top, key;
	bool in_list;
};

static void enter(struct pull *pull, struct path *path, struct arena *arena)
{
	if (pull->depth == 1)
		path->top = path->key = pull->value;
	else if (pull->depth == 2)
		path->key = arena_format(
			arena, "%.*s.%.*s", TEXT_ARG(path->top), TEXT_ARG(pull->value));
	else
		path->key = TEXT_NONE;
}

static int read_document(
	struct arena *arena, struct alert *alert, struct document *document, struct err *err)
{
	struct pull pull;
	struct path path = {0};
	pull_init(&pull, alert->raw, arena, &pull_limits_alert);
	if (pull_next(&pull) != PULL_OBJECT)
		return pull.error ? pull_error(&pull, err)
				  : err_set(err, ERR_INPUT, "not a JSON object");
	for (;;) {
		enum pull_event event = pull_next(&pull);
		if (event == PULL_END)
			return 0;
		if (event == PULL_BAD)
			return pull_error(&pull, err);
		if (event == PULL_KEY)
			enter(&pull, &path, arena);
		if (event == PULL_ARRAY && pull.depth == 2)
			path.in_list = true;
		if (event == PULL_ARRAY_END && pull.depth == 1)
			path.in_list = false;
		if (event != PULL_STRING && event != PULL_NUMBER)
			continue;
		if (path.in_list)
			set_item(arena, alert, path.top, pull.value);
		else
			set(alert, document, path.key, pull.value);
	}
}

static void set_occurrence(struct alert *alert, const struct document *document)
{
	char time[24];
	size_t length = text_format(time, sizeof time, "%lld", (long long)alert->time_ns);
	struct text by_id[] = {TEXT("tocsin"), alert->cluster, alert->sensor, document->id};
	struct text by_content[] = {TEXT("tocsin"), alert->cluster, alert->sensor, alert->node,
		alert->rule, {time, length}, alert->pod_uid, document->container_id,
		text_part(alert->message, 0, 256)};
	struct text whole[] = {TEXT("tocsin"), alert->cluster, alert->raw};
	if (document->id.size == 2 * OCCURRENCE_BYTES && text_is_hex(document->id))
		normalise_occurrence(alert, by_id, sizeof by_id / sizeof by_id[0]);
	else if (alert->time_ns)
		normalise_occurrence(alert, by_content, sizeof by_content / sizeof by_content[0]);
	else
		normalise_occurrence(alert, whole, sizeof whole / sizeof whole[0]);
}

static int tocsin_decode(struct arena *arena, struct alert *alert, struct err *err)
{
	struct document document = {0};
	if (read_document(arena, alert, &document, err) < 0)
		return -1;
	if (!alert->rule.size)
		return err_set(err, ERR_INPUT, "an alert without a rule");
	if (!severity_parse(document.severity, &alert->severity))
		return err_set(err, ERR_INPUT,
			"severity is '%.*s': must be info, low, medium, high or critical",
			(int)(document.severity.size < 32 ? document.severity.size : 32),
			document.severity.data ? document.severity.data : "");
	if (document.action.size && !alert_action_parse(document.action, &alert->action))
		return err_set(
			err, ERR_INPUT, "action must be observed, blocked, audited or killed");
	alert->sensor = document.sensor.size ? text_part(document.sensor, 0, 64) : TEXT("tocsin");
	if (!text_to_i64(document.pid, &alert->process.pid))
		alert->process.pid = -1;
	if (!text_to_i64(document.uid, &alert->process.uid))
		alert->process.uid = -1;
	if (!text_to_u64(document.count, &alert->count) || alert->count == 0)
		alert->count = 1;
	if (!clock_parse(document.time, &alert->time_ns))
		alert->time_ns = 0;
	set_occurrence(alert, &document);
	normalise_alert(arena, alert, document.container_id);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory for an alert") : 0;
}

const struct decoder decoder_tocsin = {
	.name = "tocsin",
	.source = SOURCE_TOCSIN,
	.sensor = "tocsin",
	.sniff = tocsin_sniff,
	.decode = tocsin_decode,
};
