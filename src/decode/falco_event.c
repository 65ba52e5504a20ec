/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/falco_event.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/pull.h"
#include "decode/normalise.h"

enum { KEY_BYTES_MAX = 256, FLATTEN_DEPTH_MAX = 8 };

#define FIELD(key, member)                                                                         \
	{                                                                                          \
		{key, sizeof(key) - 1}, offsetof(struct falco_event, member)                       \
	}

/* A key of the event and where its text goes. */
struct field {
	struct text key;
	size_t offset;
};

/* Top-level keys come in any case (Go readers let senders get away with it). */
static const struct field top_fields[] = {
	FIELD("time", time),
	FIELD("rule", rule),
	FIELD("priority", priority),
	FIELD("source", source),
	FIELD("hostname", hostname),
	FIELD("output", output),
	FIELD("message", message),
};

/* Source: facts of Falco's fields; container.*, k8s.*, k8smeta.*, ka.*, metrics and drop events. */
static const struct field output_fields[] = {
	FIELD("evt.num", event_number),
	FIELD("evt.type", event_type),
	FIELD("container.id", container_id),
	FIELD("container.name", container_name),
	FIELD("container.image.repository", repository),
	FIELD("container.image.tag", tag),
	FIELD("container.image", image),
	FIELD("container.image.digest", digest),
	FIELD("k8s.ns.name", namespace),
	FIELD("k8s.pod.name", pod),
	FIELD("k8s.pod.uid", pod_uid),
	FIELD("k8s.pod.id", pod_uid),
	FIELD("k8smeta.ns.name", meta_namespace),
	FIELD("k8smeta.pod.name", meta_pod),
	FIELD("k8smeta.pod.uid", meta_pod_uid),
	FIELD("ka.target.namespace", target_namespace),
	FIELD("ka.target.pod.name", target_pod),
	FIELD("ka.target.name", target_name),
	FIELD("ka.target.resource", target_resource),
	FIELD("ka.resp.name", response_name),
	FIELD("ka.user.name", audit_user),
	FIELD("proc.name", process_name),
	FIELD("proc.exepath", process_exe),
	FIELD("proc.cmdline", process_cmdline),
	FIELD("proc.pid", process_pid),
	FIELD("proc.pname", process_parent),
	FIELD("proc.pexepath", process_parent_exe),
	FIELD("user.name", user_name),
	FIELD("user.uid", user_uid),
	FIELD("fd.name", file),
	FIELD("fs.path.name", file),
	FIELD("falco.version", version),
	FIELD("falco.start_ts", started_at),
	FIELD("scap.n_evts", n_events),
	FIELD("n_evts", n_events),
	FIELD("scap.n_drops", n_drops),
	FIELD("n_drops", n_drops),
	FIELD("falco.outputs_queue_num_drops", n_output_drops),
};

static struct text *place_of(struct falco_event *event, const struct field *field)
{
	return (struct text *)(void *)((char *)event + field->offset);
}

static void set_top(struct falco_event *event, struct text key, struct text value)
{
	for (size_t i = 0; i < sizeof top_fields / sizeof top_fields[0]; i++)
		if (text_equal_nocase(top_fields[i].key, key))
			*place_of(event, &top_fields[i]) = value;
}

static void set_field(struct falco_event *event, struct text key, struct text value)
{
	if (text_is(key, "evt.time") || text_is(key, "evt.time.iso8601")) {
		text_to_i64(value, &event->event_time_ns);
		return;
	}
	for (size_t i = 0; i < sizeof output_fields / sizeof output_fields[0]; i++)
		if (text_equal(output_fields[i].key, key)) {
			*place_of(event, &output_fields[i]) = value;
			return;
		}
}

/* A run over one event. */
struct reading {
	struct pull pull;
	struct falco_event *event;
	struct arena *arena;
	unsigned depth;
};

static bool read_tags(struct reading *reading)
{
	struct text items[ALERT_TAGS_MAX];
	struct text_list *tags = &reading->event->tags;
	size_t n = 0;
	for (;;) {
		enum pull_event event = pull_next(&reading->pull);
		if (event == PULL_ARRAY_END)
			break;
		if (event == PULL_BAD)
			return false;
		if (event == PULL_STRING && n < ALERT_TAGS_MAX)
			items[n++] = reading->pull.value;
		/* The events of a nested value end before this list goes on. */
		if (event == PULL_OBJECT || event == PULL_ARRAY)
			while (reading->pull.depth > 2)
				if (pull_next(&reading->pull) == PULL_BAD)
					return false;
	}
	tags->items = arena_array(reading->arena, n + 1, sizeof *tags->items);
	if (!tags->items)
		return true;
	memcpy(tags->items, items, n * sizeof *items);
	tags->n = n;
	return true;
}

static bool read_fields(struct reading *reading, struct text prefix);

/* "k8s":{"pod":{"name":…}} is "k8s.pod.name": some shippers take dotted keys apart. */
static bool read_nested(struct reading *reading, struct text key)
{
	struct text prefix = arena_format(reading->arena, "%.*s.", TEXT_ARG(key));
	unsigned outer = reading->pull.depth - 1;
	if (reading->depth == FLATTEN_DEPTH_MAX || key.size > KEY_BYTES_MAX || !prefix.data) {
		while (reading->pull.depth > outer)
			if (pull_next(&reading->pull) == PULL_BAD)
				return false;
		return true;
	}
	reading->depth++;
	bool good = read_fields(reading, prefix);
	reading->depth--;
	return good;
}

static bool skip_array(struct reading *reading)
{
	unsigned outer = reading->pull.depth - 1;
	while (reading->pull.depth > outer)
		if (pull_next(&reading->pull) == PULL_BAD)
			return false;
	return true;
}

/* The value of @key within output_fields. */
static bool read_field(struct reading *reading, struct text key)
{
	switch (pull_next(&reading->pull)) {
	case PULL_STRING:
	case PULL_NUMBER:
		set_field(reading->event, key, reading->pull.value);
		return true;
	case PULL_OBJECT:
		return read_nested(reading, key);
	case PULL_ARRAY:
		return skip_array(reading);
	case PULL_BAD:
		return false;
	default:
		return true;
	}
}

/* Members up to the end of the object that is open. */
static bool read_fields(struct reading *reading, struct text prefix)
{
	for (;;) {
		enum pull_event event = pull_next(&reading->pull);
		if (event == PULL_OBJECT_END)
			return true;
		if (event != PULL_KEY)
			return false;
		struct text key = reading->pull.value;
		if (prefix.size)
			key = arena_format(
				reading->arena, "%.*s%.*s", TEXT_ARG(prefix), TEXT_ARG(key));
		if (!read_field(reading, key))
			return false;
	}
}

static bool read_top(struct reading *reading, struct text key)
{
	switch (pull_next(&reading->pull)) {
	case PULL_STRING:
	case PULL_NUMBER:
		set_top(reading->event, key, reading->pull.value);
		return true;
	case PULL_OBJECT:
		if (text_equal_nocase(key, TEXT("output_fields")))
			return read_fields(reading, TEXT_NONE);
		return skip_array(reading);
	case PULL_ARRAY:
		if (text_equal_nocase(key, TEXT("tags")))
			return read_tags(reading);
		return skip_array(reading);
	case PULL_BAD:
		return false;
	default:
		return true;
	}
}

int falco_event_read(
	struct text raw, struct arena *arena, struct falco_event *event, struct err *err)
{
	struct reading reading = {.event = event, .arena = arena};
	*event = (struct falco_event){0};
	pull_init(&reading.pull, raw, arena, &pull_limits_alert);
	enum pull_event next = pull_next(&reading.pull);
	if (next != PULL_OBJECT)
		return next == PULL_BAD ? pull_error(&reading.pull, err)
					: err_set(err, ERR_INPUT, "not a JSON object");
	while ((next = pull_next(&reading.pull)) == PULL_KEY)
		if (!read_top(&reading, reading.pull.value))
			return pull_error(&reading.pull, err);
	if (next == PULL_BAD)
		return pull_error(&reading.pull, err);
	if (arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory for an event");
	return 0;
}

/* Falco's eight words, in any case, or their numbers. */
static const struct {
	const char *word;
	enum severity severity;
} priorities[] = {
	{"Emergency", SEVERITY_CRITICAL},
	{"Alert", SEVERITY_CRITICAL},
	{"Critical", SEVERITY_CRITICAL},
	{"Error", SEVERITY_HIGH},
	{"Warning", SEVERITY_MEDIUM},
	{"Notice", SEVERITY_LOW},
	{"Informational", SEVERITY_INFO},
	{"Debug", SEVERITY_INFO},
};

static void set_severity(const struct falco_event *event, struct alert *alert)
{
	uint64_t number;
	size_t n = sizeof priorities / sizeof priorities[0];
	size_t i = n;
	if (text_to_u64(event->priority, &number) && number < n)
		i = (size_t)number;
	if (text_equal_nocase(event->priority, TEXT("info")))
		i = 6;
	for (size_t j = 0; j < n && i == n; j++)
		if (text_equal_nocase(event->priority, text_of(priorities[j].word)))
			i = j;
	alert->severity = i < n ? priorities[i].severity : SEVERITY_INFO;
	alert->severity_reported = i < n ? text_of(priorities[i].word) : event->priority;
}

static struct text first_of(struct text a, struct text b)
{
	return a.size ? a : b;
}

/* Pod of a Kubernetes audit event: the target, if it is a pod. */
static void set_audit_pod(const struct falco_event *event, struct alert *alert)
{
	if (!text_is(event->target_resource, "pods") && !event->target_pod.size)
		return;
	alert->namespace = event->target_namespace;
	alert->pod = first_of(event->target_pod, event->target_name);
	if (word_is_absent(alert->pod))
		alert->pod = event->response_name;
}

static void set_place(
	struct arena *arena, const struct falco_event *event, struct alert *alert, bool syscall)
{
	alert->node = syscall ? event->hostname : TEXT_NONE;
	alert->namespace = first_of(event->namespace, event->meta_namespace);
	alert->pod = first_of(event->pod, event->meta_pod);
	alert->pod_uid = first_of(event->pod_uid, event->meta_pod_uid);
	if (text_is(alert->sensor_source, "k8s_audit"))
		set_audit_pod(event, alert);
	alert->container = event->container_name;
	alert->image_digest = event->digest;
	alert->image = first_of(event->image, event->repository);
	if (!word_is_absent(event->repository))
		alert->image = word_is_absent(event->tag)
				       ? event->repository
				       : arena_format(arena, "%.*s:%.*s",
						 TEXT_ARG(event->repository), TEXT_ARG(event->tag));
}

static void set_process(const struct falco_event *event, struct alert *alert)
{
	struct process *process = &alert->process;
	process->name = event->process_name;
	process->exe = event->process_exe;
	process->cmdline = event->process_cmdline;
	process->parent = event->process_parent;
	process->parent_exe = event->process_parent_exe;
	process->user = first_of(event->user_name, event->audit_user);
	if (!text_to_i64(event->process_pid, &process->pid))
		process->pid = -1;
	if (!text_to_i64(event->user_uid, &process->uid) || process->uid == UINT32_MAX)
		process->uid = -1;
}

/* "HH:MM:SS.nnnnnnnnn: Priority message" or the ISO form: what stands before the message, if
 * exactly that. */
static size_t prefix_size(const struct falco_event *event)
{
	struct text output = event->output;
	size_t colon = text_find(output, TEXT(": "), 0);
	if (colon == SIZE_MAX || colon < 8 || colon > 40)
		return 0;
	for (size_t i = 0; i < colon; i++)
		if (!strchr("0123456789:.-+TZ", output.data[i]))
			return 0;
	size_t space = text_find_byte(output, ' ', colon + 2);
	struct text word = text_part(output, colon + 2, space - colon - 2);
	return space != SIZE_MAX && text_equal_nocase(word, event->priority) ? space + 1 : 0;
}

static int64_t said(struct text number)
{
	int64_t value;
	return text_to_i64(number, &value) && value >= 0 ? value : -1;
}

static bool is_internal(const struct falco_event *event)
{
	return text_is(event->source, "internal") ||
	       text_starts(event->rule, TEXT("Falco internal:"));
}

static void set_health(struct arena *arena, const struct falco_event *event, struct alert *alert)
{
	struct health_fact *health = arena_alloc(arena, sizeof *health);
	if (!health)
		return;
	*health = (struct health_fact){
		.kind = HEALTH_OTHER,
		.version = event->version,
		.n_events = said(event->n_events),
		.n_drops = said(event->n_drops),
		.n_output_drops = said(event->n_output_drops),
		.started_at_ns = said(event->started_at),
	};
	if (text_is(event->rule, "Falco internal: metrics snapshot"))
		health->kind = HEALTH_METRICS;
	if (text_is(event->rule, "Falco internal: syscall event drop"))
		health->kind = HEALTH_DROPS;
	if (text_is(event->rule, "Falco internal: hot restart failure"))
		health->kind = HEALTH_RESTART_FAILED;
	alert->health = health;
	alert->flags |= ALERT_HEALTH;
}

/* The sensor's own content alone: what every road leaves as it was. */
static void set_occurrence(const struct falco_event *event, struct alert *alert)
{
	char time[24];
	size_t length = text_format(time, sizeof time, "%lld", (long long)alert->time_ns);
	struct text whole[] = {alert->sensor, alert->cluster, alert->raw};
	struct text parts[] = {alert->sensor, alert->cluster, event->hostname, alert->sensor_source,
		event->rule, {time, length}, event->event_number, text_part(event->output, 0, 256)};
	if (alert->time_ns)
		normalise_occurrence(alert, parts, sizeof parts / sizeof parts[0]);
	else
		normalise_occurrence(alert, whole, sizeof whole / sizeof whole[0]);
}

int falco_event_finish(
	struct arena *arena, const struct falco_event *event, struct alert *alert, struct err *err)
{
	if (!event->rule.size)
		return err_set(err, ERR_INPUT, "a Falco event without a rule");
	bool syscall = !event->source.size || text_is(event->source, "syscall") ||
		       text_is(event->source, "syscalls") || text_is(event->source, "internal");
	bool plain = !event->source.size || text_is(event->source, "syscalls");
	alert->sensor = TEXT("falco");
	alert->sensor_source = plain ? TEXT("syscall") : event->source;
	alert->rule = event->rule;
	alert->tags = event->tags;
	alert->operation = event->event_type;
	alert->resource = event->file;
	if (!clock_parse(event->time, &alert->time_ns))
		alert->time_ns = event->event_time_ns;
	set_occurrence(event, alert);
	set_severity(event, alert);
	set_place(arena, event, alert, syscall);
	set_process(event, alert);
	alert->message = event->message.size
				 ? event->message
				 : text_part(event->output, prefix_size(event), SIZE_MAX);
	if (is_internal(event))
		set_health(arena, event, alert);
	normalise_alert(arena, alert, event->container_id);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory for an alert") : 0;
}
