/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/kubearmor_event.h"

#include <string.h>

#include "base/pull.h"
#include "decode/value.h"

enum object { OBJECT_EVENT, OBJECT_OWNER, OBJECT_EXEC_EVENT };

#define KEY(literal)                                                                               \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

static const struct {
	struct text key;
	enum object object;
} keys[N_KUBEARMOR_FIELDS] = {
	[KUBEARMOR_TIMESTAMP] = {KEY("Timestamp"), OBJECT_EVENT},
	[KUBEARMOR_UPDATED_TIME] = {KEY("UpdatedTime"), OBJECT_EVENT},
	[KUBEARMOR_HOST_NAME] = {KEY("HostName"), OBJECT_EVENT},
	[KUBEARMOR_NAMESPACE_NAME] = {KEY("NamespaceName"), OBJECT_EVENT},
	[KUBEARMOR_POD_NAME] = {KEY("PodName"), OBJECT_EVENT},
	[KUBEARMOR_CONTAINER_ID] = {KEY("ContainerID"), OBJECT_EVENT},
	[KUBEARMOR_CONTAINER_NAME] = {KEY("ContainerName"), OBJECT_EVENT},
	[KUBEARMOR_CONTAINER_IMAGE] = {KEY("ContainerImage"), OBJECT_EVENT},
	[KUBEARMOR_HOST_PID] = {KEY("HostPID"), OBJECT_EVENT},
	[KUBEARMOR_PID] = {KEY("PID"), OBJECT_EVENT},
	[KUBEARMOR_UID] = {KEY("UID"), OBJECT_EVENT},
	[KUBEARMOR_USER_NAME] = {KEY("UserName"), OBJECT_EVENT},
	[KUBEARMOR_PARENT_PROCESS_NAME] = {KEY("ParentProcessName"), OBJECT_EVENT},
	[KUBEARMOR_PROCESS_NAME] = {KEY("ProcessName"), OBJECT_EVENT},
	[KUBEARMOR_POLICY_NAME] = {KEY("PolicyName"), OBJECT_EVENT},
	[KUBEARMOR_SEVERITY] = {KEY("Severity"), OBJECT_EVENT},
	[KUBEARMOR_MESSAGE] = {KEY("Message"), OBJECT_EVENT},
	[KUBEARMOR_TYPE] = {KEY("Type"), OBJECT_EVENT},
	[KUBEARMOR_SOURCE] = {KEY("Source"), OBJECT_EVENT},
	[KUBEARMOR_OPERATION] = {KEY("Operation"), OBJECT_EVENT},
	[KUBEARMOR_RESOURCE] = {KEY("Resource"), OBJECT_EVENT},
	[KUBEARMOR_DATA] = {KEY("Data"), OBJECT_EVENT},
	[KUBEARMOR_ACTION] = {KEY("Action"), OBJECT_EVENT},
	[KUBEARMOR_RESULT] = {KEY("Result"), OBJECT_EVENT},
	[KUBEARMOR_MAX_ALERTS_PER_SEC] = {KEY("MaxAlertsPerSec"), OBJECT_EVENT},
	[KUBEARMOR_DROPPING_ALERTS_INTERVAL] = {KEY("DroppingAlertsInterval"), OBJECT_EVENT},
	[KUBEARMOR_LEVEL] = {KEY("Level"), OBJECT_EVENT},
	[KUBEARMOR_OWNER_REF] = {KEY("Ref"), OBJECT_OWNER},
	[KUBEARMOR_OWNER_NAME] = {KEY("Name"), OBJECT_OWNER},
	[KUBEARMOR_EXEC_ID] = {KEY("ExecID"), OBJECT_EXEC_EVENT},
};

static struct text *place_of(struct kubearmor_event *event, enum object object, struct text key)
{
	for (size_t i = 0; i < N_KUBEARMOR_FIELDS; i++)
		if (key.size == keys[i].key.size && object == keys[i].object &&
			text_equal_nocase(key, keys[i].key))
			return &event->fields[i];
	return NULL;
}

static bool read_object(struct pull *reader, struct kubearmor_event *event, enum object object);

static bool read_member(struct pull *reader, struct kubearmor_event *event, enum object object)
{
	struct text key = reader->value;
	struct text *place = place_of(event, object, key);
	if (place)
		return value_read_text(reader, place);
	if (object != OBJECT_EVENT)
		return pull_skip(reader);
	if (text_equal_nocase(key, TEXT("Tags")))
		return value_read_list(reader, &event->tags);
	if (text_equal_nocase(key, TEXT("ATags")))
		return value_read_list(reader, &event->atags);
	if (text_equal_nocase(key, TEXT("Owner")))
		return read_object(reader, event, OBJECT_OWNER);
	if (text_equal_nocase(key, TEXT("ExecEvent")))
		return read_object(reader, event, OBJECT_EXEC_EVENT);
	if (!text_is(key, "Detail"))
		return pull_skip(reader);
	event->by_sidekick = true;
	return read_object(reader, event, OBJECT_EVENT);
}

/* The value that comes next, if it is an object; else it is read over. Deep only as far as the
 * reader allows. */
static bool read_object(struct pull *reader, struct kubearmor_event *event, enum object object)
{
	enum pull_event what = pull_next(reader);
	if (what != PULL_OBJECT)
		return pull_finish(reader, what);
	while ((what = pull_next(reader)) == PULL_KEY)
		if (!read_member(reader, event, object))
			return false;
	return what == PULL_OBJECT_END;
}

static enum kubearmor_kind kind_of(struct text type)
{
	if (text_is(type, "Message"))
		return KUBEARMOR_OWN_MESSAGE;
	return text_ends(type, TEXT("Log")) ? KUBEARMOR_LOG : KUBEARMOR_ALERT;
}

int kubearmor_event_read(
	struct text raw, struct arena *arena, struct kubearmor_event *event, struct err *err)
{
	struct pull reader;
	memset(event, 0, sizeof *event);
	if (!text_starts(raw, TEXT("{")))
		return err_set(err, ERR_INPUT, "not a JSON object");
	pull_init(&reader, raw, arena, &pull_limits_alert);
	if (!read_object(&reader, event, OBJECT_EVENT))
		return pull_error(&reader, err);
	if (text_trim(pull_rest(&reader)).size)
		return err_set(err, ERR_INPUT, "more follows the JSON object");
	event->kind = kind_of(event->fields[KUBEARMOR_TYPE]);
	return 0;
}
