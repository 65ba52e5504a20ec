/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "decode/decoder.h"
#include "decode/limits.h"
#include "decode/normalise.h"
#include "decode/occurrence.h"
#include "decode/tetragon_event.h"

/*
 * Tetragon's JSON export, one event an object.
 *
 * Identity: the node's name, the event's type, its time in ns, the process (exec_id, tid) and every
 * plain member of the event itself (hook, policy, action, path, status …) in bytewise order of
 * their names, without those that say nothing. That is the sensor's own and the same on every road;
 * pod metadata, refcnt and labels are not in it, because Tetragon adds them when it happens to have
 * them. Arguments are not either: two hooks of one thread never have the same ns. An exec or exit
 * without a time is known by its exec_id, which is unique over time and nodes; anything else
 * without a time by all of its bytes.
 *
 * There is no severity in Tetragon. What is an alert, and how bad, is decided in judge(): a policy
 * that enforces, has a message, or has a tag outside observability.*; and three kinds of exec that
 * tell by themselves. The rest is context: stored, shown in an incident, never founding one.
 */

static struct text field(const struct tetragon_event *event, enum tetragon_field name)
{
	return event->fields[name];
}

/* The first that says something. */
static struct text either(struct text a, struct text b)
{
	return text_says(a) ? a : b;
}

static int64_t number(struct text text)
{
	int64_t value;
	return text_to_i64(text, &value) && value >= 0 ? value : -1;
}

static struct text base_name(struct text path)
{
	size_t at = path.size;
	while (at > 0 && path.data[at - 1] != '/')
		at--;
	return text_part(path, at, path.size);
}

static int64_t event_time(const struct tetragon_event *event)
{
	int64_t time_ns;
	if (clock_parse(field(event, FIELD_TIME), &time_ns) ||
		clock_parse(field(event, FIELD_EVENT_TIME), &time_ns))
		return time_ns;
	bool started = event->kind == TETRAGON_EXEC &&
		       clock_parse(field(event, FIELD_START_TIME), &time_ns);
	return started ? time_ns : TIME_UNKNOWN_NS;
}

static bool member_before(const struct tetragon_member *a, const struct tetragon_member *b)
{
	int order = text_compare(a->key, b->key);
	return order ? order < 0 : text_compare(a->value, b->value) < 0;
}

static void sort_members(struct tetragon_event *event)
{
	struct tetragon_member *members = event->members;
	for (size_t i = 1; i < event->n_members; i++) {
		struct tetragon_member member = members[i];
		size_t at = i;
		for (; at > 0 && member_before(&member, &members[at - 1]); at--)
			members[at] = members[at - 1];
		members[at] = member;
	}
}

static void identify(struct tetragon_event *event, struct alert *alert)
{
	bool once = event->kind == TETRAGON_EXEC || event->kind == TETRAGON_EXIT;
	if (alert->time_ns == TIME_UNKNOWN_NS && !(once && field(event, FIELD_EXEC_ID).size)) {
		occurrence_of_raw(alert, TEXT("tetragon"));
		return;
	}
	sort_members(event);
	struct digest_state room, *state = occurrence_start(&room, alert, TEXT("tetragon"));
	digest_add_part(state, field(event, FIELD_NODE_NAME));
	digest_add_part(state, event->name);
	occurrence_add_i64(state, alert->time_ns);
	digest_add_part(state, field(event, FIELD_EXEC_ID));
	digest_add_part(state, field(event, FIELD_TID));
	for (size_t i = 0; i < event->n_members; i++) {
		digest_add_part(state, event->members[i].key);
		digest_add_part(state, event->members[i].value);
	}
	occurrence_end(state, alert);
}

static void fill_place(const struct tetragon_event *event, struct alert *alert)
{
	struct text image_id = field(event, FIELD_IMAGE_ID);
	size_t at = text_find_byte(image_id, '@', 0);
	alert->namespace = field(event, FIELD_NAMESPACE);
	alert->pod = field(event, FIELD_POD);
	alert->pod_uid = field(event, FIELD_POD_UID);
	alert->container = field(event, FIELD_CONTAINER);
	alert->container_id = either(field(event, FIELD_CONTAINER_ID), field(event, FIELD_DOCKER));
	alert->image = field(event, FIELD_IMAGE);
	if (at != SIZE_MAX)
		alert->image_digest = text_part(image_id, at + 1, image_id.size);
	if (text_says(field(event, FIELD_WORKLOAD)))
		alert->workload = (struct workload){
			field(event, FIELD_WORKLOAD_KIND), field(event, FIELD_WORKLOAD), false};
}

static struct text command_line(const struct tetragon_event *event, struct arena *arena)
{
	struct text binary = field(event, FIELD_BINARY), arguments = field(event, FIELD_ARGUMENTS);
	if (!binary.size || !arguments.size)
		return either(binary, arguments);
	/* Longer than a field may be, so that normalise sees that it is cut. */
	arguments = utf8_prefix(arguments, FIELD_MAX_BYTES);
	return text_join(arena, (struct text[]){binary, TEXT(" "), arguments}, 3);
}

static void fill_process(
	const struct tetragon_event *event, struct arena *arena, struct alert *alert)
{
	struct process *process = &alert->process;
	process->exe = field(event, FIELD_BINARY);
	process->name = base_name(process->exe);
	process->cmdline = command_line(event, arena);
	process->parent_exe = field(event, FIELD_PARENT_BINARY);
	process->parent = base_name(process->parent_exe);
	process->user = field(event, FIELD_USER);
	process->exec_id = field(event, FIELD_EXEC_ID);
	process->pid = number(field(event, FIELD_PID));
	process->uid = number(field(event, FIELD_UID));
	if (process->uid == UINT32_MAX)
		process->uid = -1;
}

/* The kernel's symbols and trace points of system calls: "__x64_sys_setns", "sys_enter_setns". */
static struct text syscall_of(const struct tetragon_event *event)
{
	static const char *const prefixes[] = {"sys_enter_", "sys_exit_", "__x64_sys_",
		"__arm64_sys_", "__ia32_sys_", "__ia32_compat_sys_", "__arm64_compat_sys_",
		"__riscv_sys_", "__se_sys_", "__do_sys_", "sys_"};
	struct text name = field(event, FIELD_FUNCTION_NAME);
	if (text_is(field(event, FIELD_SUBSYS), "syscalls"))
		name = field(event, FIELD_EVENT);
	else if (!text_is(event->name, "process_kprobe"))
		return TEXT_NONE;
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (text_starts(name, text_of(prefixes[i])))
			return text_part(name, strlen(prefixes[i]), name.size);
	return TEXT_NONE;
}

static void fill_hook(const struct tetragon_event *event, struct arena *arena, struct alert *alert)
{
	struct text provider = field(event, FIELD_PROVIDER), name = field(event, FIELD_NAME);
	struct text type = text_starts(event->name, TEXT("process_"))
				   ? text_part(event->name, sizeof "process_" - 1, SIZE_MAX)
				   : event->name;
	alert->syscall = syscall_of(event);
	alert->operation = event->kind == TETRAGON_EXEC ? TEXT("execve") : type;
	if (provider.size && name.size)
		alert->operation = text_join(arena, (struct text[]){provider, TEXT(":"), name}, 3);
	else if (alert->syscall.size)
		alert->operation = alert->syscall;
	else
		alert->operation = either(
			either(field(event, FIELD_FUNCTION_NAME), field(event, FIELD_SYMBOL)),
			either(field(event, FIELD_EVENT), alert->operation));
	/* A file that a policy watches from inside (uprobe, usdt) or that was loaded. */
	alert->resource = either(field(event, FIELD_PATH), event->resource);
	/* Old versions do not name the policy. */
	alert->rule = field(event, FIELD_POLICY_NAME);
	if (text_says(alert->rule))
		return;
	alert->rule = event->name;
	if (event->kind == TETRAGON_HOOK)
		alert->rule = text_join(
			arena, (struct text[]){event->name, TEXT(" "), alert->operation}, 3);
}

/* Does the kernel act? Which signal KPROBE_ACTION_SIGNAL sends is not said. */
static bool enforces(struct text action, enum alert_action *done)
{
	static const struct {
		const char *name;
		enum alert_action action;
	} actions[] = {
		{"SIGKILL", ACTION_KILLED},
		{"SIGNAL", ACTION_OBSERVED},
		{"OVERRIDE", ACTION_BLOCKED},
		{"NOTIFYENFORCER", ACTION_BLOCKED},
	};
	const struct text prefix = TEXT("KPROBE_ACTION_");
	if (text_starts(action, prefix))
		action = text_part(action, prefix.size, action.size);
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
		if (!text_equal_nocase(action, text_of(actions[i].name)))
			continue;
		if (actions[i].action > *done) /* killed is more than blocked */
			*done = actions[i].action;
		return true;
	}
	return false;
}

/* "severity:high", "severity.high", "high": how operators say what Tetragon has no field for. */
static bool severity_of_tag(struct text tag, enum severity *out)
{
	const struct text label = TEXT("severity");
	if (tag.size > label.size && text_equal_nocase(text_part(tag, 0, label.size), label) &&
		strchr(":=.-_/", tag.data[label.size]))
		tag = text_part(tag, label.size + 1, tag.size);
	for (unsigned i = 0; i < N_SEVERITIES; i++)
		if (text_equal_nocase(tag, text_of(severity_name((enum severity)i)))) {
			*out = (enum severity)i;
			return true;
		}
	return false;
}

/* The worst that a tag says. */
static bool severity_of_tags(struct alert *alert)
{
	bool found = false;
	for (size_t i = 0; i < alert->tags.n; i++) {
		enum severity severity;
		if (!severity_of_tag(alert->tags.items[i], &severity) ||
			(found && severity <= alert->severity))
			continue;
		alert->severity = severity;
		alert->severity_reported = alert->tags.items[i];
		found = true;
	}
	return found;
}

/* Tetragon's own policies for watching have tags as "observability.filesystem". */
static bool tags_tell(const struct text_list *tags)
{
	for (size_t i = 0; i < tags->n; i++)
		if (!text_starts(tags->items[i], TEXT("observability.")))
			return true;
	return false;
}

/* ATT&CK's view of an exec that tells by itself. */
struct local_rule {
	const char *rule;
	enum severity severity;
	technique_code technique;
	const char *tactic;
};

static const struct local_rule local_exec = {
	"Exec into a running container", SEVERITY_LOW, 1609000, "execution"};
static const struct local_rule local_deleted = {
	"Exec of a deleted or memory-only file", SEVERITY_HIGH, 1620000, "stealth"};
static const struct local_rule local_privileges = {
	"Exec that gains privileges", SEVERITY_LOW, 1548001, "privilege-escalation"};

/* runc and crun run themselves from memory to start a container's process. */
static bool is_runtime(struct text exe)
{
	struct text name = base_name(exe);
	return text_is(name, "runc") || text_is(name, "crun");
}

/*
 * kubectl exec and the like: outside the tree of the container's first process, and not the child
 * of one that came the same way. Tetragon itself knows probes by their command.
 */
static bool enters_container(const struct tetragon_event *event)
{
	struct text docker = field(event, FIELD_DOCKER);
	return event->kind == TETRAGON_EXEC && docker.size &&
	       text_is(field(event, FIELD_IN_INIT_TREE), "false") &&
	       !text_equal(docker, field(event, FIELD_PARENT_DOCKER)) &&
	       !text_is(field(event, FIELD_MAYBE_EXEC_PROBE), "true");
}

static const struct local_rule *local_rule_of(
	const struct tetragon_event *event, const struct alert *alert)
{
	struct text links = field(event, FIELD_INODE_LINKS);
	bool in_container = field(event, FIELD_DOCKER).size > 0;
	bool from_outside = !field(event, FIELD_PARENT_DOCKER).size;
	if (event->kind != TETRAGON_EXEC || !in_container)
		return NULL;
	if (field(event, FIELD_INODE).size && (!links.size || text_is(links, "0")) &&
		!(from_outside && is_runtime(alert->process.parent_exe)))
		return &local_deleted;
	if (field(event, FIELD_SETUID).size || field(event, FIELD_SETGID).size ||
		field(event, FIELD_PRIVILEGES_CHANGED).size)
		return &local_privileges;
	return enters_container(event) ? &local_exec : NULL;
}

static void judge_local(const struct local_rule *local, struct alert *alert)
{
	if (!local) {
		alert->severity = SEVERITY_INFO;
		alert->flags |= ALERT_CONTEXT;
		return;
	}
	alert->rule = text_of(local->rule);
	alert->severity = local->severity;
	alert->tactics |= (tactic_mask)(1U << (tactic_parse(text_of(local->tactic)) - 1));
	alert_add_technique(alert, local->technique);
	alert->flags |= ALERT_ATTACK_INFERRED;
}

static void judge(const struct tetragon_event *event, struct alert *alert)
{
	bool enforced = enforces(field(event, FIELD_ACTION), &alert->action);
	enforced |= enforces(field(event, FIELD_RETURN_ACTION), &alert->action);
	bool told = text_says(field(event, FIELD_MESSAGE)) || tags_tell(&alert->tags);
	if (severity_of_tags(alert))
		return;
	if (enforced || told)
		alert->severity = enforced ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	else
		judge_local(local_rule_of(event, alert), alert);
}

/* What one control group makes is kept back until THROTTLE_STOP. */
static enum health_kind throttle_kind(const struct tetragon_event *event)
{
	return text_is(field(event, FIELD_THROTTLE_TYPE), "THROTTLE_START") ? HEALTH_THROTTLED
									    : HEALTH_OTHER;
}

/* Tetragon speaks of itself: what it did not see or could not send. */
static void fill_health(
	const struct tetragon_event *event, struct arena *arena, struct alert *alert)
{
	struct health_fact *health = arena_alloc(arena, sizeof *health);
	if (!health)
		return;
	bool drops = event->kind == TETRAGON_RATE_LIMIT;
	*health = (struct health_fact){
		.kind = drops ? HEALTH_DROPS : throttle_kind(event),
		.n_events = -1,
		.n_drops = number(field(event, FIELD_N_DROPPED)),
		.n_output_drops = -1,
		.started_at_ns = -1,
	};
	alert->rule = event->name;
	alert->severity = SEVERITY_INFO;
	alert->resource = field(event, FIELD_CGROUP);
	alert->health = health;
	alert->flags |= ALERT_HEALTH;
	struct text what =
		drops ? field(event, FIELD_N_DROPPED) : field(event, FIELD_THROTTLE_TYPE);
	alert->message = text_trim(text_join(arena,
		(struct text[]){event->name, TEXT(" "), utf8_prefix(what, NAME_MAX_BYTES),
			TEXT(" "), utf8_prefix(alert->resource, NAME_MAX_BYTES)},
		5));
}

/* What happened, where Tetragon's policy does not say it: "setns by /usr/bin/nsenter -t 1". */
static struct text describe(
	const struct tetragon_event *event, const struct alert *alert, struct arena *arena)
{
	struct text said = field(event, FIELD_MESSAGE);
	if (text_says(said))
		return said;
	struct text what = alert_is(alert, ALERT_ATTACK_INFERRED) ? alert->rule : alert->operation;
	struct text object =
		utf8_prefix(either(alert->resource, field(event, FIELD_SIGNAL)), FIELD_MAX_BYTES);
	return text_join(arena,
		(struct text[]){what, object.size ? TEXT(" ") : TEXT_NONE, object, TEXT(" by "),
			alert->process.cmdline},
		5);
}

static void fill_count(const struct tetragon_event *event, struct alert *alert)
{
	int64_t count = number(field(event, FIELD_COUNT));
	if (count > 0)
		alert->count = (uint64_t)count;
}

static int tetragon_decode(struct arena *arena, struct alert *alert, struct err *err)
{
	struct tetragon_event event;
	if (tetragon_event_read(alert->raw, arena, &event, err) < 0)
		return -1;
	bool health = event.kind == TETRAGON_THROTTLE || event.kind == TETRAGON_RATE_LIMIT ||
		      event.kind == TETRAGON_TEST;
	if (!health && !field(&event, FIELD_EXEC_ID).size && !field(&event, FIELD_BINARY).size)
		return err_set(err, ERR_INPUT, "no process in the event");
	alert->sensor = TEXT("tetragon");
	alert->sensor_source = event.name;
	alert->node = field(&event, FIELD_NODE_NAME);
	alert->time_ns = event_time(&event);
	fill_count(&event, alert);
	if (health) {
		fill_health(&event, arena, alert);
	} else {
		alert->tags = event.tags;
		fill_place(&event, alert);
		fill_process(&event, arena, alert);
		fill_hook(&event, arena, alert);
		judge(&event, alert);
		alert->entered_container = enters_container(&event);
		alert->message = describe(&event, alert, arena);
	}
	identify(&event, alert);
	return 0;
}

static bool tetragon_sniff(struct text event)
{
	if (!text_starts(event, TEXT("{")))
		return false;
	return text_find(event, TEXT("\"rate_limit_info\""), 0) != SIZE_MAX ||
	       (text_find(event, TEXT("\"process_"), 0) != SIZE_MAX &&
		       (text_find(event, TEXT("\"exec_id\""), 0) != SIZE_MAX ||
			       text_find(event, TEXT("\"cgroup\""), 0) != SIZE_MAX));
}

const struct decoder decoder_tetragon = {
	.name = "tetragon",
	.source = SOURCE_TETRAGON,
	.sensor = "tetragon",
	.sniff = tetragon_sniff,
	.decode = tetragon_decode,
};
