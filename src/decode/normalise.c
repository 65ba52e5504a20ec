/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/normalise.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "decode/attack_tags.h"
#include "decode/fingerprint.h"
#include "decode/limits.h"
#include "model/workload.h"

bool text_says(struct text text)
{
	return text.size && !text_equal(text, TEXT("<NA>"));
}

struct text text_join(struct arena *arena, const struct text *parts, size_t n)
{
	size_t size = 0, at = 0;
	for (size_t i = 0; i < n; i++)
		size += parts[i].size;
	char *bytes = arena_bytes(arena, size);
	if (!bytes)
		return TEXT_NONE;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].size)
			memcpy(bytes + at, parts[i].data, parts[i].size);
		at += parts[i].size;
	}
	return (struct text){bytes, size};
}

struct text text_repaired(struct arena *arena, struct text text)
{
	struct buf out;
	struct text repaired = TEXT_NONE;
	if (utf8_valid(text))
		return text;
	buf_init(&out, text.size * 3 + 16); /* one byte becomes three at most */
	utf8_repair(&out, text);
	if (buf_ok(&out))
		repaired = arena_copy(arena, buf_text(&out));
	else
		arena->failed = true;
	buf_done(&out);
	return repaired;
}

static void limit(struct alert *alert, struct text *field, size_t max)
{
	if (!text_says(*field)) {
		*field = TEXT_NONE;
	} else if (field->size > max) {
		*field = utf8_prefix(*field, max);
		alert->flags |= ALERT_TRUNCATED;
	}
}

static void limit_list(struct alert *alert, struct text_list *list)
{
	if (list->n > ALERT_TAGS_MAX) {
		list->n = ALERT_TAGS_MAX;
		alert->flags |= ALERT_TRUNCATED;
	}
	for (size_t i = 0; i < list->n; i++)
		limit(alert, &list->items[i], NAME_MAX_BYTES);
}

static void limit_fields(struct alert *alert)
{
	struct process *process = &alert->process;
	struct text *const names[] = {&alert->node, &alert->namespace, &alert->pod, &alert->pod_uid,
		&alert->container, &alert->container_id, &alert->image, &alert->image_digest,
		&alert->runtime_class, &alert->workload.kind, &alert->workload.name, &alert->rule,
		&alert->operation, &alert->syscall, &alert->sensor_source,
		&alert->severity_reported, &process->name, &process->parent, &process->user,
		&process->exec_id};
	struct text *const texts[] = {&alert->message, &alert->resource, &process->exe,
		&process->cmdline, &process->parent_exe};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		limit(alert, names[i], NAME_MAX_BYTES);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		limit(alert, texts[i], FIELD_MAX_BYTES);
	limit_list(alert, &alert->tags);
	limit_list(alert, &alert->attack_reported);
	limit_list(alert, &alert->via);
}

/* "host" is what sensors say for "no container" and the like. */
static void drop_host(struct text *field)
{
	if (text_is(*field, "host"))
		*field = TEXT_NONE;
}

static struct text strip_runtime(struct text id)
{
	static const char *const prefixes[] = {"docker://", "containerd://", "cri-o://"};
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (text_starts(id, text_of(prefixes[i])))
			return text_part(id, strlen(prefixes[i]), id.size);
	return id;
}

/* correlation.md section 2, rule 1. A name that is unique on its node only needs the node. */
static struct text canonical_container(struct arena *arena, struct text id, struct text node)
{
	id = strip_runtime(id);
	if (id.size >= 12 && text_is_hex(id))
		return text_part(id, 0, 12);
	if (!id.size || !node.size)
		return TEXT_NONE;
	return text_join(arena, (struct text[]){node, TEXT("/"), id}, 3);
}

static void normalise_place(struct arena *arena, struct alert *alert)
{
	drop_host(&alert->node);
	drop_host(&alert->namespace);
	drop_host(&alert->pod);
	drop_host(&alert->pod_uid);
	drop_host(&alert->container);
	drop_host(&alert->container_id);
	drop_host(&alert->image);
	alert->container_id = canonical_container(arena, alert->container_id, alert->node);
	if (!alert->workload.name.size)
		alert->workload = workload_guess(alert->pod);
}

static void normalise_time(struct alert *alert)
{
	int64_t time_ns = alert->time_ns;
	int64_t latest_ns;
	if (__builtin_add_overflow(alert->received_ns, TIME_AHEAD_NS, &latest_ns))
		latest_ns = INT64_MAX;
	if (time_ns >= TIME_EARLIEST_NS && time_ns <= latest_ns)
		return;
	alert->time_ns = alert->received_ns;
	alert->flags |= ALERT_TIME_UNTRUSTED;
}

void alert_normalise(struct arena *arena, struct alert *alert)
{
	limit_fields(alert);
	normalise_place(arena, alert);
	normalise_time(alert);
	attack_tags_read(arena, alert);
	if (alert->action == ACTION_BLOCKED || alert->action == ACTION_KILLED)
		alert->flags |= ALERT_PREVENTED;
	alert_fingerprint(alert);
}
