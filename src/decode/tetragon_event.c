/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/tetragon_event.h"

#include <string.h>

#include "base/pull.h"
#include "decode/normalise.h"

enum level {
	LEVEL_NONE,
	LEVEL_TOP,
	LEVEL_AGGREGATION,
	LEVEL_EVENT,
	LEVEL_PROCESS,
	LEVEL_USER,
	LEVEL_PROPERTIES,
	LEVEL_FILE,
	LEVEL_INODE,
	LEVEL_POD,
	LEVEL_CONTAINER,
	LEVEL_IMAGE,
	LEVEL_PARENT,
	N_LEVELS,
};

enum list { LIST_NONE, LIST_FIRST, LIST_TAGS, LIST_ARGUMENTS };

/* A key at one level: it leads a level down, or to a field, or to a list. */
struct row {
	const char *key;
	enum level below;
	enum tetragon_field field;
	enum list list;
};

/* cluster_name is not here: a cluster comes from the credential. environment_variables are not
 * either: they may hold secrets. */
static const struct row top_rows[] = {
	{.key = "node_name", .field = FIELD_NODE_NAME},
	{.key = "time", .field = FIELD_TIME},
	{.key = "aggregation_info", .below = LEVEL_AGGREGATION},
	{0},
};
static const struct row aggregation_rows[] = {{.key = "count", .field = FIELD_COUNT}, {0}};
static const struct row event_rows[] = {
	{.key = "process", .below = LEVEL_PROCESS},
	{.key = "parent", .below = LEVEL_PARENT},
	{.key = "function_name", .field = FIELD_FUNCTION_NAME},
	{.key = "args", .list = LIST_ARGUMENTS},
	{.key = "action", .field = FIELD_ACTION},
	{.key = "return_action", .field = FIELD_RETURN_ACTION},
	{.key = "policy_name", .field = FIELD_POLICY_NAME},
	{.key = "message", .field = FIELD_MESSAGE},
	{.key = "tags", .list = LIST_TAGS},
	{.key = "subsys", .field = FIELD_SUBSYS},
	{.key = "event", .field = FIELD_EVENT},
	{.key = "path", .field = FIELD_PATH},
	{.key = "symbol", .field = FIELD_SYMBOL},
	{.key = "provider", .field = FIELD_PROVIDER},
	{.key = "name", .field = FIELD_NAME},
	{.key = "signal", .field = FIELD_SIGNAL},
	{.key = "status", .field = FIELD_STATUS},
	{.key = "time", .field = FIELD_EVENT_TIME},
	{.key = "number_of_dropped_process_events", .field = FIELD_N_DROPPED},
	{.key = "type", .field = FIELD_THROTTLE_TYPE},
	{.key = "cgroup", .field = FIELD_CGROUP},
	{0},
};
static const struct row process_rows[] = {
	{.key = "exec_id", .field = FIELD_EXEC_ID},
	{.key = "pid", .field = FIELD_PID},
	{.key = "uid", .field = FIELD_UID},
	{.key = "tid", .field = FIELD_TID},
	{.key = "binary", .field = FIELD_BINARY},
	{.key = "arguments", .field = FIELD_ARGUMENTS},
	{.key = "start_time", .field = FIELD_START_TIME},
	{.key = "docker", .field = FIELD_DOCKER},
	{.key = "in_init_tree", .field = FIELD_IN_INIT_TREE},
	{.key = "pod", .below = LEVEL_POD},
	{.key = "user", .below = LEVEL_USER},
	{.key = "binary_properties", .below = LEVEL_PROPERTIES},
	{0},
};
static const struct row user_rows[] = {{.key = "name", .field = FIELD_USER}, {0}};
static const struct row properties_rows[] = {
	{.key = "setuid", .field = FIELD_SETUID},
	{.key = "setgid", .field = FIELD_SETGID},
	{.key = "privileges_changed", .field = FIELD_PRIVILEGES_CHANGED, .list = LIST_FIRST},
	{.key = "file", .below = LEVEL_FILE},
	{0},
};
static const struct row file_rows[] = {{.key = "inode", .below = LEVEL_INODE}, {0}};
static const struct row inode_rows[] = {
	{.key = "number", .field = FIELD_INODE},
	{.key = "links", .field = FIELD_INODE_LINKS},
	{0},
};
static const struct row pod_rows[] = {
	{.key = "namespace", .field = FIELD_NAMESPACE},
	{.key = "name", .field = FIELD_POD},
	{.key = "uid", .field = FIELD_POD_UID},
	{.key = "workload", .field = FIELD_WORKLOAD},
	{.key = "workload_kind", .field = FIELD_WORKLOAD_KIND},
	{.key = "container", .below = LEVEL_CONTAINER},
	{0},
};
static const struct row container_rows[] = {
	{.key = "id", .field = FIELD_CONTAINER_ID},
	{.key = "name", .field = FIELD_CONTAINER},
	{.key = "maybe_exec_probe", .field = FIELD_MAYBE_EXEC_PROBE},
	{.key = "image", .below = LEVEL_IMAGE},
	{0},
};
static const struct row image_rows[] = {
	{.key = "id", .field = FIELD_IMAGE_ID},
	{.key = "name", .field = FIELD_IMAGE},
	{0},
};
static const struct row parent_rows[] = {
	{.key = "binary", .field = FIELD_PARENT_BINARY},
	{.key = "docker", .field = FIELD_PARENT_DOCKER},
	{0},
};

static const struct row *const levels[N_LEVELS] = {
	[LEVEL_TOP] = top_rows,
	[LEVEL_AGGREGATION] = aggregation_rows,
	[LEVEL_EVENT] = event_rows,
	[LEVEL_PROCESS] = process_rows,
	[LEVEL_USER] = user_rows,
	[LEVEL_PROPERTIES] = properties_rows,
	[LEVEL_FILE] = file_rows,
	[LEVEL_INODE] = inode_rows,
	[LEVEL_POD] = pod_rows,
	[LEVEL_CONTAINER] = container_rows,
	[LEVEL_IMAGE] = image_rows,
	[LEVEL_PARENT] = parent_rows,
};

static const struct row *row_of(enum level level, struct text key)
{
	if (!key.size)
		return NULL;
	for (const struct row *row = levels[level]; row->key; row++)
		if (*row->key == *key.data && text_is(key, row->key))
			return row;
	return NULL;
}

static bool is_name(struct text key)
{
	for (size_t i = 0; i < key.size; i++)
		if ((key.data[i] < 'a' || key.data[i] > 'z') && key.data[i] != '_')
			return false;
	return key.size <= TETRAGON_NAME_BYTES;
}

static enum tetragon_kind kind_of(struct text key)
{
	static const struct {
		const char *key;
		enum tetragon_kind kind;
	} kinds[] = {
		{"process_exec", TETRAGON_EXEC},
		{"process_exit", TETRAGON_EXIT},
		{"process_kprobe", TETRAGON_HOOK},
		{"process_tracepoint", TETRAGON_HOOK},
		{"process_lsm", TETRAGON_HOOK},
		{"process_uprobe", TETRAGON_HOOK},
		{"process_usdt", TETRAGON_HOOK},
		{"process_loader", TETRAGON_LOADER},
		{"process_throttle", TETRAGON_THROTTLE},
		{"rate_limit_info", TETRAGON_RATE_LIMIT},
		{"test", TETRAGON_TEST},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (text_is(key, kinds[i].key))
			return kinds[i].kind;
	return text_starts(key, TEXT("process_")) && is_name(key) ? TETRAGON_OTHER : TETRAGON_NONE;
}

static bool is_scalar(enum pull_event what)
{
	return what == PULL_STRING || what == PULL_NUMBER || what == PULL_TRUE ||
	       what == PULL_FALSE;
}

static struct text scalar(const struct pull *reader, enum pull_event what)
{
	if (what == PULL_TRUE)
		return TEXT("true");
	return what == PULL_FALSE ? TEXT("false") : reader->value;
}

/* protojson leaves out what is zero, a road in between may write it: both are nothing. */
static void add_plain(struct tetragon_event *event, struct text key, struct text value)
{
	if (!value.size || text_is(value, "0") || text_is(value, "false"))
		return;
	if (event->n_members < TETRAGON_MEMBERS_MAX)
		event->members[event->n_members] = (struct tetragon_member){key, value};
	event->n_members++;
}

/* What an argument may name, the most telling first. */
enum { RANK_PATH = 1, RANK_CONNECTION, RANK_STRING, RANK_NAME };

static void offer(struct tetragon_event *event, unsigned rank, struct text resource)
{
	if (!text_says(resource) || (event->resource_rank && event->resource_rank <= rank))
		return;
	event->resource = resource;
	event->resource_rank = rank;
}

struct argument {
	struct text path, saddr, sport, daddr, dport, addr, port, name;
};

static struct text endpoint(struct arena *arena, struct text address, struct text port)
{
	if (!address.size || !port.size)
		return address;
	return text_join(arena, (struct text[]){address, TEXT(":"), port}, 3);
}

static void offer_argument(
	struct tetragon_event *event, struct arena *arena, const struct argument *argument)
{
	struct text to = endpoint(arena, argument->daddr, argument->dport);
	struct text from = endpoint(arena, argument->saddr, argument->sport);
	if (to.size && from.size)
		to = text_join(arena, (struct text[]){from, TEXT("->"), to}, 3);
	offer(event, RANK_PATH, argument->path);
	offer(event, RANK_CONNECTION, to);
	offer(event, RANK_CONNECTION, endpoint(arena, argument->addr, argument->port));
	offer(event, RANK_NAME, argument->name);
}

static struct text *argument_place(struct argument *argument, struct text key)
{
	const struct {
		const char *key;
		struct text *place;
	} places[] = {
		{"path", &argument->path},
		{"saddr", &argument->saddr},
		{"sport", &argument->sport},
		{"daddr", &argument->daddr},
		{"dport", &argument->dport},
		{"addr", &argument->addr},
		{"port", &argument->port},
		{"name", &argument->name},
		{"ProgName", &argument->name},
		{"MapName", &argument->name},
		{"KprobeFunc", &argument->name},
	};
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (text_is(key, places[i].key))
			return places[i].place;
	return NULL;
}

/* "file_arg": {…}: behind its brace. */
static bool read_argument_value(struct pull *reader, struct tetragon_event *event)
{
	struct argument argument = {0};
	enum pull_event what;
	while ((what = pull_next(reader)) == PULL_KEY) {
		struct text *place = argument_place(&argument, reader->value);
		what = pull_next(reader);
		if (place && (what == PULL_STRING || what == PULL_NUMBER))
			*place = reader->value;
		if (!pull_finish(reader, what))
			return false;
	}
	offer_argument(event, reader->arena, &argument);
	return what == PULL_OBJECT_END;
}

/* One of args: one kind of value and maybe a label; behind its brace. */
static bool read_argument(struct pull *reader, struct tetragon_event *event)
{
	enum pull_event what;
	while ((what = pull_next(reader)) == PULL_KEY) {
		bool is_string = text_is(reader->value, "string_arg");
		what = pull_next(reader);
		if (what == PULL_STRING && is_string)
			offer(event, RANK_STRING, reader->value);
		if (what == PULL_OBJECT ? !read_argument_value(reader, event)
					: !pull_finish(reader, what))
			return false;
	}
	return what == PULL_OBJECT_END;
}

static void add_tag(struct tetragon_event *event, struct arena *arena, struct text tag)
{
	if (event->tags.n < ALERT_TAGS_MAX && tag.size)
		arena_list_add(arena, &event->tags, tag);
}

static bool read_list(struct pull *reader, struct tetragon_event *event, const struct row *row)
{
	enum pull_event what;
	while ((what = pull_next(reader)) != PULL_ARRAY_END) {
		if (what == PULL_OBJECT && row->list == LIST_ARGUMENTS) {
			if (!read_argument(reader, event))
				return false;
			continue;
		}
		if (what == PULL_STRING && row->list == LIST_TAGS)
			add_tag(event, reader->arena, reader->value);
		if (what == PULL_STRING && row->list == LIST_FIRST &&
			!event->fields[row->field].size)
			event->fields[row->field] = reader->value;
		if (!pull_finish(reader, what))
			return false;
	}
	return true;
}

static bool read_members(struct pull *reader, struct tetragon_event *event, enum level level);

/* An object at the top that is none of ours: the event, or a stranger. */
static bool read_event(struct pull *reader, struct tetragon_event *event, struct text key)
{
	enum tetragon_kind kind = kind_of(key);
	if (kind == TETRAGON_NONE || event->n_events++ > 0)
		return pull_finish(reader, PULL_OBJECT);
	event->kind = kind;
	event->name = key;
	return read_members(reader, event, LEVEL_EVENT);
}

static void keep_scalar(struct tetragon_event *event, enum level level, const struct row *row,
	struct text key, struct text value)
{
	if (row)
		event->fields[row->field] = value;
	if (level == LEVEL_EVENT)
		add_plain(event, key, value);
}

static bool read_member(struct pull *reader, struct tetragon_event *event, enum level level)
{
	struct text key = reader->value;
	const struct row *row = row_of(level, key);
	enum pull_event what = pull_next(reader);
	if (what == PULL_OBJECT && row && row->below)
		return read_members(reader, event, row->below);
	if (what == PULL_OBJECT && !row && level == LEVEL_TOP)
		return read_event(reader, event, key);
	if (what == PULL_ARRAY && row && row->list)
		return read_list(reader, event, row);
	if (is_scalar(what))
		keep_scalar(event, level, row, key, scalar(reader, what));
	return pull_finish(reader, what);
}

/* Behind an object's brace, to its end. */
static bool read_members(struct pull *reader, struct tetragon_event *event, enum level level)
{
	enum pull_event what;
	while ((what = pull_next(reader)) == PULL_KEY)
		if (!read_member(reader, event, level))
			return false;
	return what == PULL_OBJECT_END;
}

int tetragon_event_read(
	struct text raw, struct arena *arena, struct tetragon_event *event, struct err *err)
{
	struct pull reader;
	pull_init(&reader, raw, arena, &pull_limits_alert);
	memset(event, 0, sizeof *event);
	enum pull_event what = pull_next(&reader);
	if (what != PULL_BAD && what != PULL_OBJECT)
		return err_set(err, ERR_INPUT, "not a JSON object");
	if (what == PULL_BAD || !read_members(&reader, event, LEVEL_TOP))
		return pull_error(&reader, err);
	if (text_trim(pull_rest(&reader)).size)
		return err_set(err, ERR_INPUT, "more follows the JSON object");
	if (event->n_events != 1)
		return err_set(err, ERR_INPUT,
			event->n_events ? "more than one event in one object"
					: "no event of Tetragon's: no process_… in it");
	if (event->n_members > TETRAGON_MEMBERS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d plain members in one event",
			TETRAGON_MEMBERS_MAX);
	return 0;
}
