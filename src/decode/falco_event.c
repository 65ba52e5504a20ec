/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/falco_event.h"

#include <string.h>

#include "base/pull.h"
#include "decode/limits.h"
#include "decode/value.h"

#define NAME(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

/* By length, then bytewise: a test checks it. */
static const struct text field_names[N_FALCO_FIELDS] = {
	[FIELD_KA_URI] = NAME("ka.uri"),
	[FIELD_N_EVTS] = NAME("n_evts"),
	[FIELD_EVT_NUM] = NAME("evt.num"),
	[FIELD_FD_NAME] = NAME("fd.name"),
	[FIELD_KA_VERB] = NAME("ka.verb"),
	[FIELD_N_DROPS] = NAME("n_drops"),
	[FIELD_EVT_TIME] = NAME("evt.time"),
	[FIELD_EVT_TYPE] = NAME("evt.type"),
	[FIELD_PROC_EXE] = NAME("proc.exe"),
	[FIELD_PROC_PID] = NAME("proc.pid"),
	[FIELD_USER_UID] = NAME("user.uid"),
	[FIELD_PROC_NAME] = NAME("proc.name"),
	[FIELD_PROC_PEXE] = NAME("proc.pexe"),
	[FIELD_USER_NAME] = NAME("user.name"),
	[FIELD_K8S_POD_ID] = NAME("k8s.pod.id"),
	[FIELD_PROC_PNAME] = NAME("proc.pname"),
	[FIELD_K8S_NS_NAME] = NAME("k8s.ns.name"),
	[FIELD_K8S_POD_UID] = NAME("k8s.pod.uid"),
	[FIELD_SCAP_N_EVTS] = NAME("scap.n_evts"),
	[FIELD_CONTAINER_ID] = NAME("container.id"),
	[FIELD_EVT_ARG_PATH] = NAME("evt.arg.path"),
	[FIELD_FS_PATH_NAME] = NAME("fs.path.name"),
	[FIELD_K8S_POD_NAME] = NAME("k8s.pod.name"),
	[FIELD_KA_RESP_NAME] = NAME("ka.resp.name"),
	[FIELD_KA_USER_NAME] = NAME("ka.user.name"),
	[FIELD_PROC_CMDLINE] = NAME("proc.cmdline"),
	[FIELD_PROC_EXEPATH] = NAME("proc.exepath"),
	[FIELD_SCAP_N_DROPS] = NAME("scap.n_drops"),
	[FIELD_FALCO_VERSION] = NAME("falco.version"),
	[FIELD_PROC_PEXEPATH] = NAME("proc.pexepath"),
	[FIELD_CONTAINER_NAME] = NAME("container.name"),
	[FIELD_FALCO_NUM_EVTS] = NAME("falco.num_evts"),
	[FIELD_FALCO_START_TS] = NAME("falco.start_ts"),
	[FIELD_KA_TARGET_NAME] = NAME("ka.target.name"),
	[FIELD_CONTAINER_IMAGE] = NAME("container.image"),
	[FIELD_K8SMETA_NS_NAME] = NAME("k8smeta.ns.name"),
	[FIELD_K8SMETA_POD_UID] = NAME("k8smeta.pod.uid"),
	[FIELD_EVT_TIME_ISO8601] = NAME("evt.time.iso8601"),
	[FIELD_K8SMETA_POD_NAME] = NAME("k8smeta.pod.name"),
	[FIELD_CONTAINER_FULL_ID] = NAME("container.full_id"),
	[FIELD_KA_TARGET_POD_NAME] = NAME("ka.target.pod.name"),
	[FIELD_KA_TARGET_RESOURCE] = NAME("ka.target.resource"),
	[FIELD_CONTAINER_IMAGE_TAG] = NAME("container.image.tag"),
	[FIELD_KA_TARGET_NAMESPACE] = NAME("ka.target.namespace"),
	[FIELD_KA_TARGET_SUBRESOURCE] = NAME("ka.target.subresource"),
	[FIELD_CONTAINER_IMAGE_DIGEST] = NAME("container.image.digest"),
	[FIELD_K8SMETA_DEPLOYMENT_NAME] = NAME("k8smeta.deployment.name"),
	[FIELD_CONTAINER_IMAGE_REPOSITORY] = NAME("container.image.repository"),
	[FIELD_FALCO_OUTPUTS_QUEUE_NUM_DROPS] = NAME("falco.outputs_queue_num_drops"),
};

const char *falco_field_name(enum falco_field field)
{
	return field_names[field].data;
}

enum { LONGEST_NAME = 29 };

/* Where the names of a size begin; those of the next size begin where they end. */
static const unsigned char first_of_size[LONGEST_NAME + 2] = {
	[0 ... 6] = FIELD_KA_URI,
	[7] = FIELD_EVT_NUM,
	[8] = FIELD_EVT_TIME,
	[9] = FIELD_PROC_NAME,
	[10] = FIELD_K8S_POD_ID,
	[11] = FIELD_K8S_NS_NAME,
	[12] = FIELD_CONTAINER_ID,
	[13] = FIELD_FALCO_VERSION,
	[14] = FIELD_CONTAINER_NAME,
	[15] = FIELD_CONTAINER_IMAGE,
	[16] = FIELD_EVT_TIME_ISO8601,
	[17] = FIELD_CONTAINER_FULL_ID,
	[18] = FIELD_KA_TARGET_POD_NAME,
	[19] = FIELD_CONTAINER_IMAGE_TAG,
	[20 ... 21] = FIELD_KA_TARGET_SUBRESOURCE,
	[22] = FIELD_CONTAINER_IMAGE_DIGEST,
	[23] = FIELD_K8SMETA_DEPLOYMENT_NAME,
	[24 ... 26] = FIELD_CONTAINER_IMAGE_REPOSITORY,
	[27 ... 29] = FIELD_FALCO_OUTPUTS_QUEUE_NUM_DROPS,
	[30] = N_FALCO_FIELDS,
};

enum falco_field falco_field_find(struct text key)
{
	if (key.size > LONGEST_NAME)
		return N_FALCO_FIELDS;
	size_t low = first_of_size[key.size], high = first_of_size[key.size + 1];
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = memcmp(key.data, field_names[middle].data, key.size);
		if (order == 0)
			return (enum falco_field)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return N_FALCO_FIELDS;
}

/* A name on its way down nested objects. */
struct path {
	char bytes[FIELD_PATH_MAX_BYTES];
	size_t size; /* > FIELD_PATH_MAX_BYTES: too long to be one of ours */
};

static bool path_add(struct path *path, struct text key)
{
	size_t dot = path->size > 0;
	if (key.size + dot > FIELD_PATH_MAX_BYTES - path->size)
		return false;
	if (dot)
		path->bytes[path->size++] = '.';
	if (key.size)
		memcpy(path->bytes + path->size, key.data, key.size);
	path->size += key.size;
	return true;
}

static bool next_is_object(const struct pull *reader)
{
	struct text source = reader->source;
	for (size_t at = pull_offset(reader); at < source.size; at++) {
		char byte = source.data[at];
		if (byte != ':' && byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n')
			return byte == '{';
	}
	return false;
}

static bool read_field(struct pull *reader, struct falco_event *event, struct text name)
{
	enum falco_field field = falco_field_find(name);
	if (field == N_FALCO_FIELDS)
		return pull_skip(reader);
	return value_read_text(reader, &event->fields[field]);
}

/* The members of output_fields, or of an object inside it; the reader stands before its brace. */
static bool read_fields(
	struct pull *reader, struct falco_event *event, struct path *path, unsigned depth)
{
	size_t above = path->size;
	if (pull_next(reader) != PULL_OBJECT)
		return false;
	for (;;) {
		enum pull_event what = pull_next(reader);
		if (what != PULL_KEY)
			return what == PULL_OBJECT_END;
		event->has_fields = true;
		struct text name = reader->value;
		bool nested = next_is_object(reader);
		if (above || nested) {
			path->size = above;
			if (!path_add(path, name) || (nested && depth == FIELD_DEPTH_MAX)) {
				if (!pull_skip(reader))
					return false;
				continue;
			}
			name = (struct text){path->bytes, path->size};
		}
		if (nested ? !read_fields(reader, event, path, depth + 1)
			   : !read_field(reader, event, name))
			return false;
	}
}

static struct text *member_of(struct falco_event *event, struct text key)
{
	const struct {
		struct text name;
		struct text *member;
	} members[] = {
		{TEXT("time"), &event->time},
		{TEXT("rule"), &event->rule},
		{TEXT("priority"), &event->priority},
		{TEXT("source"), &event->source},
		{TEXT("hostname"), &event->hostname},
		{TEXT("output"), &event->output},
		{TEXT("message"), &event->message},
	};
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (key.size == members[i].name.size && text_equal_nocase(key, members[i].name))
			return members[i].member;
	return NULL;
}

static bool read_member(struct pull *reader, struct falco_event *event)
{
	struct text key = reader->value;
	struct text *member = member_of(event, key);
	if (member)
		return value_read_text(reader, member);
	if (text_equal_nocase(key, TEXT("tags")))
		return value_read_list(reader, &event->tags);
	if (text_equal_nocase(key, TEXT("output_fields")) && next_is_object(reader))
		return read_fields(reader, event, &(struct path){.size = 0}, 1);
	return pull_skip(reader);
}

int falco_event_read(
	struct text raw, struct arena *arena, struct falco_event *event, struct err *err)
{
	struct pull reader;
	pull_init(&reader, raw, arena, &pull_limits_alert);
	memset(event, 0, sizeof *event);
	enum pull_event what = pull_next(&reader);
	if (what != PULL_BAD && what != PULL_OBJECT)
		return err_set(err, ERR_INPUT, "not a JSON object");
	while (what != PULL_BAD && (what = pull_next(&reader)) == PULL_KEY)
		if (!read_member(&reader, event))
			return pull_error(&reader, err);
	if (what == PULL_BAD)
		return pull_error(&reader, err);
	if (text_trim(pull_rest(&reader)).size)
		return err_set(err, ERR_INPUT, "more follows the JSON object");
	return 0;
}
