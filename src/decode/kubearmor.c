/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "decode/decoder.h"
#include "decode/kubearmor_event.h"
#include "decode/normalise.h"
#include "decode/occurrence.h"

#define POSTURE "DefaultPosture"

enum { SYSCALL_BYTES = 40, ZONELESS_BYTES = 40 };

static struct text field(const struct kubearmor_event *event, enum kubearmor_field name)
{
	struct text text = event->fields[name];
	return text_says(text) ? text : TEXT_NONE;
}

static struct text either(struct text a, struct text b)
{
	return a.size ? a : b;
}

/* Whole numbers, also as "5.0", which some shippers make of them. */
static bool number(const struct kubearmor_event *event, enum kubearmor_field name, int64_t *out)
{
	struct text text = text_trim(event->fields[name]);
	return text_to_i64(text_part(text, 0, text_find_byte(text, '.', 0)), out);
}

static struct text first_word(struct text text)
{
	return text_part(text, 0, text_find_byte(text, ' ', 0));
}

static struct text base_name(struct text path)
{
	size_t at = path.size;
	while (at > 0 && path.data[at - 1] != '/')
		at--;
	return text_part(path, at, path.size);
}

static bool is_exec(const struct kubearmor_event *event)
{
	return text_is(field(event, KUBEARMOR_OPERATION), "Process");
}

/* UpdatedTime has microseconds, Timestamp seconds only. Both are UTC, with or without saying so. */
static int64_t event_time(const struct kubearmor_event *event)
{
	char zoned[ZONELESS_BYTES + 2];
	int64_t time_ns, seconds;
	struct text updated = text_trim(field(event, KUBEARMOR_UPDATED_TIME));
	if (clock_parse(updated, &time_ns))
		return time_ns;
	if (updated.size && updated.size <= ZONELESS_BYTES) {
		memcpy(zoned, updated.data, updated.size);
		zoned[updated.size] = 'Z';
		if (clock_parse((struct text){zoned, updated.size + 1}, &time_ns))
			return time_ns;
	}
	if (!number(event, KUBEARMOR_TIMESTAMP, &seconds) || seconds <= 0 ||
		__builtin_mul_overflow(seconds, NS_PER_S, &time_ns))
		return TIME_UNKNOWN_NS;
	return time_ns;
}

/* "host" where a container's id should be: none. */
static struct text container_id(const struct kubearmor_event *event)
{
	struct text id = field(event, KUBEARMOR_CONTAINER_ID);
	return text_is(id, "host") ? TEXT_NONE : id;
}

/* A part of the identity, without the marks that stand for invalid bytes: the agent's file has one
 * for each, gRPC none. */
static void add_part(struct digest_state *state, struct arena *arena, struct text text)
{
	const struct text mark = TEXT("\xef\xbf\xbd");
	size_t at = text_find(text, mark, 0), size = 0;
	char *kept = at == SIZE_MAX ? NULL : arena_bytes(arena, text.size);
	if (!kept) {
		digest_add_part(state, text);
		return;
	}
	for (size_t from = 0; from < text.size; from = at + mark.size) {
		at = text_find(text, mark, from);
		struct text good = text_part(text, from, at == SIZE_MAX ? text.size : at - from);
		memcpy(kept + size, good.data, good.size);
		size += good.size;
		if (at == SIZE_MAX)
			break;
	}
	digest_add_part(state, (struct text){kept, size});
}

static void add_number(
	struct digest_state *state, const struct kubearmor_event *event, enum kubearmor_field name)
{
	int64_t value;
	occurrence_add_i64(state, number(event, name, &value) ? value : 0);
}

/*
 * The identity rule: what one happening says in both dialects (correlation.md section 3).
 *
 * Covered: kind; time; where: container id, namespace, pod (without a container the host's name);
 * who: HostPID, PID, Source; what: Operation, Resource, Data, Result; of an alert also PolicyName
 * and Action, of the agent's own message its level and text. An absent number is 0 and an absent
 * text empty, as the relay leaves both out.
 *
 * Not covered, because the roads differ: ClusterName and NodeID (only gRPC has them), the host's
 * name of a container's event (the agent's file has the machine's, gRPC the node's), Type (gRPC
 * renames that of a network policy), the policy of a log (only the file has it), ATags, EventData,
 * oid, and what an export adds. A host's event comes twice by two roads if machine and node have
 * different names. The alert that crosses the agent's limit goes over gRPC as an AlertThreshold
 * instead: that is another statement, so another occurrence. Without a time: all of the raw.
 */
static void identify(const struct kubearmor_event *event, struct arena *arena, struct alert *alert)
{
	static const enum kubearmor_field of_event[] = {KUBEARMOR_NAMESPACE_NAME,
		KUBEARMOR_POD_NAME, KUBEARMOR_SOURCE, KUBEARMOR_OPERATION, KUBEARMOR_RESOURCE,
		KUBEARMOR_DATA, KUBEARMOR_RESULT};
	static const enum kubearmor_field more[][2] = {
		[KUBEARMOR_ALERT] = {KUBEARMOR_POLICY_NAME, KUBEARMOR_ACTION},
		[KUBEARMOR_LOG] = {N_KUBEARMOR_FIELDS, N_KUBEARMOR_FIELDS},
		[KUBEARMOR_OWN_MESSAGE] = {KUBEARMOR_LEVEL, KUBEARMOR_MESSAGE},
	};
	if (alert->time_ns == TIME_UNKNOWN_NS) {
		occurrence_of_raw(alert, TEXT("kubearmor"));
		return;
	}
	struct digest_state room, *state = occurrence_start(&room, alert, TEXT("kubearmor"));
	occurrence_add_i64(state, event->kind);
	occurrence_add_i64(state, alert->time_ns);
	add_part(state, arena, container_id(event));
	if (!container_id(event).size)
		add_part(state, arena, field(event, KUBEARMOR_HOST_NAME));
	add_number(state, event, KUBEARMOR_HOST_PID);
	add_number(state, event, KUBEARMOR_PID);
	for (size_t i = 0; i < sizeof of_event / sizeof of_event[0]; i++)
		add_part(state, arena, field(event, of_event[i]));
	for (size_t i = 0; i < 2 && more[event->kind][i] < N_KUBEARMOR_FIELDS; i++)
		add_part(state, arena, field(event, more[event->kind][i]));
	occurrence_end(state, alert);
}

static void fill_image(struct alert *alert, struct text image)
{
	size_t at = text_find_byte(image, '@', 0);
	alert->image = text_part(image, 0, at);
	if (at != SIZE_MAX)
		alert->image_digest = text_part(image, at + 1, image.size);
}

/* KubeArmor's words for a container that is no pod's: no namespace of Kubernetes has such a name.
 */
static bool is_no_namespace(struct text namespace)
{
	return text_is(namespace, "container_namespace") || text_is(namespace, "Unknown");
}

static void fill_place(const struct kubearmor_event *event, struct alert *alert)
{
	struct text owner = field(event, KUBEARMOR_OWNER_NAME);
	alert->node = field(event, KUBEARMOR_HOST_NAME);
	alert->container = field(event, KUBEARMOR_CONTAINER_NAME);
	alert->container_id = container_id(event);
	fill_image(alert, field(event, KUBEARMOR_CONTAINER_IMAGE));
	if (is_no_namespace(field(event, KUBEARMOR_NAMESPACE_NAME)))
		return;
	alert->namespace = field(event, KUBEARMOR_NAMESPACE_NAME);
	alert->pod = field(event, KUBEARMOR_POD_NAME);
	if (owner.size)
		alert->workload =
			(struct workload){field(event, KUBEARMOR_OWNER_REF), owner, false};
}

/* Old relays left out a user that is 0, as protobuf does: where there is a process, none is root.
 */
static int64_t user_id(const struct kubearmor_event *event, bool has_process)
{
	int64_t uid;
	if (!event->fields[KUBEARMOR_UID].size)
		return has_process ? 0 : -1;
	return number(event, KUBEARMOR_UID, &uid) && uid >= 0 ? uid : -1;
}

/* Of an exec the process is what was to be run, and Source is who wanted it. */
static void fill_process(const struct kubearmor_event *event, struct alert *alert)
{
	struct process *process = &alert->process;
	struct text source = field(event, KUBEARMOR_SOURCE);
	struct text line = is_exec(event) ? field(event, KUBEARMOR_RESOURCE) : source;
	struct text path = either(field(event, KUBEARMOR_PROCESS_NAME), first_word(line));
	struct text parent = either(field(event, KUBEARMOR_PARENT_PROCESS_NAME),
		is_exec(event) ? first_word(source) : TEXT_NONE);
	process->exe = text_starts(path, TEXT("/")) ? path : TEXT_NONE;
	process->name = base_name(path);
	process->cmdline = line;
	process->parent_exe = text_starts(parent, TEXT("/")) ? parent : TEXT_NONE;
	process->parent = base_name(parent);
	process->user = field(event, KUBEARMOR_USER_NAME);
	process->exec_id = field(event, KUBEARMOR_EXEC_ID);
	if (!number(event, KUBEARMOR_HOST_PID, &process->pid) || process->pid <= 0)
		if (!number(event, KUBEARMOR_PID, &process->pid) || process->pid <= 0)
			process->pid = -1;
	process->uid = user_id(event, process->pid > 0);
}

/* "syscall=SYS_OPENAT fd=-100": openat. */
static struct text syscall_of(struct text data, struct arena *arena)
{
	static const struct text start = {"syscall=SYS_", 12};
	struct text name = first_word(text_part(data, start.size, data.size));
	if (!text_starts(data, start) || !name.size || name.size > SYSCALL_BYTES)
		return TEXT_NONE;
	char *lower = arena_bytes(arena, name.size);
	if (!lower)
		return TEXT_NONE;
	for (size_t i = 0; i < name.size; i++)
		lower[i] = text_lower(name.data[i]);
	return (struct text){lower, name.size};
}

/* The arguments of an exec are in its command line; here they would make each run a row of its own.
 */
static void fill_operation(
	const struct kubearmor_event *event, struct arena *arena, struct alert *alert)
{
	struct text resource = field(event, KUBEARMOR_RESOURCE);
	struct text path = field(event, KUBEARMOR_PROCESS_NAME);
	alert->operation = field(event, KUBEARMOR_OPERATION);
	alert->syscall = syscall_of(field(event, KUBEARMOR_DATA), arena);
	if (!is_exec(event))
		alert->resource = either(resource, field(event, KUBEARMOR_DATA));
	else
		alert->resource =
			path.size && text_starts(resource, path) ? path : first_word(resource);
}

static bool is_system_event(const struct kubearmor_event *event)
{
	return text_is(field(event, KUBEARMOR_TYPE), "SystemEvent");
}

/* The policy that a person wrote, if one matched. */
static struct text policy(const struct kubearmor_event *event)
{
	struct text name = field(event, KUBEARMOR_POLICY_NAME);
	return event->kind != KUBEARMOR_ALERT || text_is(name, POSTURE) ? TEXT_NONE : name;
}

static struct text rule_of(const struct kubearmor_event *event)
{
	if (event->kind == KUBEARMOR_OWN_MESSAGE)
		return TEXT("KubeArmor message");
	if (event->kind == KUBEARMOR_LOG)
		return field(event, KUBEARMOR_TYPE);
	if (policy(event).size)
		return policy(event);
	if (is_system_event(event))
		return either(field(event, KUBEARMOR_OPERATION), field(event, KUBEARMOR_TYPE));
	return field(event, KUBEARMOR_POLICY_NAME);
}

/* Of a block that passed all the same, and of "Audit (Block)", the thing happened. */
static enum alert_action action_of(const struct kubearmor_event *event)
{
	struct text action = field(event, KUBEARMOR_ACTION);
	if (text_starts(action, TEXT("Audit")))
		return ACTION_AUDITED;
	if (!text_starts(action, TEXT("Block")))
		return ACTION_OBSERVED;
	return text_is(field(event, KUBEARMOR_RESULT), "Passed") ? ACTION_AUDITED : ACTION_BLOCKED;
}

/* 1 to 10, 0 or nothing where the policy sets none; ten is the worst. A word of ours does too. */
static enum severity severity_of(const struct kubearmor_event *event, enum severity otherwise)
{
	struct text word = text_trim(field(event, KUBEARMOR_SEVERITY));
	int64_t value;
	for (unsigned i = 0; i < N_SEVERITIES; i++)
		if (text_equal_nocase(word, text_of(severity_name((enum severity)i))))
			return (enum severity)i;
	if (!number(event, KUBEARMOR_SEVERITY, &value) || value < 1)
		return otherwise;
	if (value >= 9)
		return SEVERITY_CRITICAL;
	if (value >= 7)
		return SEVERITY_HIGH;
	return value >= 4 ? SEVERITY_MEDIUM : SEVERITY_LOW;
}

static void fill_policy(const struct kubearmor_event *event, struct alert *alert)
{
	alert->rule = rule_of(event);
	alert->sensor_source = field(event, KUBEARMOR_TYPE);
	alert->severity = SEVERITY_INFO;
	if (!policy(event).size && event->kind != KUBEARMOR_OWN_MESSAGE)
		alert->flags |= ALERT_CONTEXT;
	if (event->kind != KUBEARMOR_ALERT)
		return;
	alert->severity = severity_of(event, policy(event).size ? SEVERITY_MEDIUM : SEVERITY_INFO);
	alert->severity_reported = field(event, KUBEARMOR_SEVERITY);
	alert->action = action_of(event);
	alert->tags = event->atags.n ? event->atags : event->tags;
}

/* "Block: File /etc/shadow by /bin/cat (Permission denied)" */
static struct text described(const struct kubearmor_event *event, struct arena *arena)
{
	struct text what = either(field(event, KUBEARMOR_RESOURCE), field(event, KUBEARMOR_DATA));
	const struct {
		struct text before, text, after;
	} all[] = {
		{TEXT(""),
			event->kind == KUBEARMOR_ALERT ? field(event, KUBEARMOR_ACTION) : TEXT_NONE,
			TEXT(": ")},
		{TEXT(""), field(event, KUBEARMOR_OPERATION), TEXT("")},
		{TEXT(" "), what, TEXT("")},
		{TEXT(" by "), field(event, KUBEARMOR_SOURCE), TEXT("")},
		{TEXT(" ("), field(event, KUBEARMOR_RESULT), TEXT(")")},
	};
	struct text parts[3 * sizeof all / sizeof all[0]];
	size_t n = 0;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (!all[i].text.size)
			continue;
		parts[n++] = all[i].before;
		parts[n++] = all[i].text;
		parts[n++] = all[i].after;
	}
	return text_join(arena, parts, n);
}

static bool is_threshold(const struct kubearmor_event *event, const struct alert *alert)
{
	return is_system_event(event) && text_is(alert->operation, "AlertThreshold");
}

/* The agent is about to say nothing more of this container: whoever looks must know. */
static struct text threshold_message(const struct kubearmor_event *event, struct arena *arena)
{
	int64_t seconds, most;
	if (!number(event, KUBEARMOR_DROPPING_ALERTS_INTERVAL, &seconds) ||
		!number(event, KUBEARMOR_MAX_ALERTS_PER_SEC, &most))
		return TEXT("KubeArmor drops alerts from here on: too many a second");
	return arena_format(arena,
		"KubeArmor drops alerts from here on for %lld s: more than %lld a second",
		(long long)seconds, (long long)most);
}

static void fill_message(
	const struct kubearmor_event *event, struct arena *arena, struct alert *alert)
{
	struct text said =
		event->kind == KUBEARMOR_LOG ? TEXT_NONE : field(event, KUBEARMOR_MESSAGE);
	if (is_threshold(event, alert))
		alert->message = threshold_message(event, arena);
	else
		alert->message = said.size ? said : described(event, arena);
}

static void add_health(
	const struct kubearmor_event *event, struct arena *arena, struct alert *alert)
{
	struct health_fact *health = arena_alloc(arena, sizeof *health);
	bool throttled = is_threshold(event, alert);
	if (!health)
		return;
	*health = (struct health_fact){.kind = throttled ? HEALTH_THROTTLED : HEALTH_OTHER,
		.n_events = -1,
		.n_drops = -1,
		.n_output_drops = -1,
		.started_at_ns = -1};
	if (throttled && !number(event, KUBEARMOR_DROPPING_ALERTS_INTERVAL, &health->lasts_s))
		health->lasts_s = 0;
	alert->health = health;
}

/* The agent speaks of itself. */
static void fill_own_message(const struct kubearmor_event *event, struct alert *alert)
{
	alert->flags |= ALERT_HEALTH;
	alert->severity_reported = field(event, KUBEARMOR_LEVEL);
}

static int kubearmor_decode(struct arena *arena, struct alert *alert, struct err *err)
{
	struct kubearmor_event event;
	if (kubearmor_event_read(alert->raw, arena, &event, err) < 0)
		return -1;
	alert->sensor = TEXT("kubearmor");
	alert->time_ns = event_time(&event);
	fill_policy(&event, alert);
	if (!text_trim(alert->rule).size)
		return err_set(err, ERR_INPUT, "neither a policy's name nor a log: not an alert");
	fill_place(&event, alert);
	fill_process(&event, alert);
	fill_operation(&event, arena, alert);
	fill_message(&event, arena, alert);
	if (event.kind == KUBEARMOR_OWN_MESSAGE)
		fill_own_message(&event, alert);
	if (event.kind == KUBEARMOR_OWN_MESSAGE || is_threshold(&event, alert))
		add_health(&event, arena, alert);
	if (event.by_sidekick) {
		alert->via.items = arena_array(arena, 1, sizeof(struct text));
		if (!alert->via.items)
			return err_set(err, ERR_MEMORY, "out of memory");
		alert->via.items[alert->via.n++] = TEXT("kubearmor-sidekick");
	}
	identify(&event, arena, alert);
	return 0;
}

/* Either dialect; a rule has none of the two. */
static bool kubearmor_sniff(struct text event)
{
	bool relay = text_find(event, TEXT("\"HostName\""), 0) != SIZE_MAX &&
		     text_find(event, TEXT("\"Timestamp\""), 0) != SIZE_MAX;
	bool agent = text_find(event, TEXT("\"hostName\""), 0) != SIZE_MAX &&
		     text_find(event, TEXT("\"updatedTime\""), 0) != SIZE_MAX;
	return text_starts(event, TEXT("{")) && (relay || agent) &&
	       text_find(event, TEXT("\"rule\""), 0) == SIZE_MAX;
}

const struct decoder decoder_kubearmor = {
	.name = "kubearmor",
	.source = SOURCE_KUBEARMOR,
	.sensor = "kubearmor",
	.sniff = kubearmor_sniff,
	.decode = kubearmor_decode,
};
