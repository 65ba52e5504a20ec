/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/falco_alert.h"

#include <string.h>

#include "base/clock.h"
#include "decode/falco_line.h"
#include "decode/limits.h"
#include "decode/normalise.h"
#include "decode/occurrence.h"
#include "decode/secrets.h"

#define INTERNAL_PREFIX "Falco internal: "

static struct text field(const struct falco_event *event, enum falco_field name)
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
	return text_to_i64(text, &value) ? value : -1;
}

struct text falco_source(const struct falco_event *event)
{
	if (text_is(event->rule, "Test rule")) /* falcosidekick changes this one */
		return TEXT("internal");
	if (!event->source.size || text_is(event->source, "syscalls"))
		return TEXT("syscall");
	return event->source;
}

/* Of `time`, else of evt.time, which may have any of two names and be text or a number. */
static int64_t event_time(const struct falco_event *event)
{
	int64_t time_ns;
	if (clock_parse(event->time, &time_ns))
		return time_ns;
	struct text other =
		either(field(event, FIELD_EVT_TIME), field(event, FIELD_EVT_TIME_ISO8601));
	if (text_to_i64(other, &time_ns) && time_ns >= TIME_EARLIEST_NS)
		return time_ns;
	return clock_parse(other, &time_ns) ? time_ns : TIME_UNKNOWN_NS;
}

/* As text_find, for what begins with a byte that hardly occurs: looking for one byte is fast. */
static size_t find_mark(struct text text, struct text mark, size_t at)
{
	while ((at = text_find_byte(text, *mark.data, at)) != SIZE_MAX &&
		!text_starts(text_part(text, at, mark.size), mark))
		at++;
	return at;
}

/*
 * The output as both roads have it: Go puts one U+FFFD for each invalid byte, Tocsin's reader one
 * for each invalid sequence, so a row of them counts as one.
 */
static struct text identity_text(struct text output, char out[IDENTITY_TEXT_BYTES])
{
	const struct text mark = TEXT("\xef\xbf\xbd");
	size_t size = 0;
	for (size_t at = 0; at < output.size && size < IDENTITY_TEXT_BYTES;) {
		size_t end = find_mark(output, mark, at);
		struct text part = text_part(
			output, at, (end == SIZE_MAX ? output.size : end + mark.size) - at);
		part = text_part(part, 0, IDENTITY_TEXT_BYTES - size);
		memcpy(out + size, part.data, part.size);
		size += part.size;
		at = end;
		while (at != SIZE_MAX && text_starts(text_part(output, at, mark.size), mark))
			at += mark.size;
	}
	return (struct text){out, size};
}

/*
 * To the end of the first secret that was cut out (decode/secrets.h). The id is made of what is
 * left, so that it does not let anybody try values of a short secret. What follows a secret cannot
 * count: falcosidekick cuts a long one and drops the rest, so how much follows differs by road.
 */
static struct text identity_part(struct text text)
{
	const struct text mark = TEXT(SECRET_MARK);
	size_t at = find_mark(text, mark, 0);
	return at == SIZE_MAX ? text : text_part(text, 0, at + mark.size);
}

/* correlation.md section 3: what no road changes. */
static void identify(const struct falco_event *event, struct alert *alert)
{
	char output[IDENTITY_TEXT_BYTES];
	if (!event->rule.size || alert->time_ns == TIME_UNKNOWN_NS) {
		occurrence_of_raw(alert, TEXT("falco"));
		return;
	}
	struct digest_state room, *state = occurrence_start(&room, alert, TEXT("falco"));
	digest_add_part(state, event->hostname);
	digest_add_part(state, falco_source(event));
	digest_add_part(state, event->rule);
	occurrence_add_i64(state, alert->time_ns);
	digest_add_part(state, field(event, FIELD_EVT_NUM));
	digest_add_part(state, identity_part(identity_text(event->output, output)));
	occurrence_end(state, alert);
}

static void fill_container(
	const struct falco_event *event, struct arena *arena, struct alert *alert)
{
	alert->container_id =
		either(field(event, FIELD_CONTAINER_ID), field(event, FIELD_CONTAINER_FULL_ID));
	alert->container = field(event, FIELD_CONTAINER_NAME);
	alert->image_digest = field(event, FIELD_CONTAINER_IMAGE_DIGEST);
	struct text repository = field(event, FIELD_CONTAINER_IMAGE_REPOSITORY);
	struct text tag = field(event, FIELD_CONTAINER_IMAGE_TAG);
	if (!text_says(repository))
		alert->image = field(event, FIELD_CONTAINER_IMAGE);
	else if (!text_says(tag))
		alert->image = repository;
	else
		alert->image = text_join(arena, (struct text[]){repository, TEXT(":"), tag}, 3);
}

static void fill_pod(const struct falco_event *event, struct alert *alert)
{
	alert->namespace =
		either(field(event, FIELD_K8S_NS_NAME), field(event, FIELD_K8SMETA_NS_NAME));
	alert->pod = either(field(event, FIELD_K8S_POD_NAME), field(event, FIELD_K8SMETA_POD_NAME));
	alert->pod_uid =
		either(either(field(event, FIELD_K8S_POD_UID), field(event, FIELD_K8S_POD_ID)),
			field(event, FIELD_K8SMETA_POD_UID));
	struct text deployment = field(event, FIELD_K8SMETA_DEPLOYMENT_NAME);
	if (text_says(deployment))
		alert->workload = (struct workload){TEXT("Deployment"), deployment, false};
}

/* The audit log's view: the object acted on is the pod, or not a pod at all. */
static void fill_target(const struct falco_event *event, struct arena *arena, struct alert *alert)
{
	struct text kind = field(event, FIELD_KA_TARGET_RESOURCE);
	struct text part = field(event, FIELD_KA_TARGET_SUBRESOURCE);
	struct text name =
		either(field(event, FIELD_KA_TARGET_NAME), field(event, FIELD_KA_RESP_NAME));
	struct text pod = field(event, FIELD_KA_TARGET_POD_NAME);
	bool is_pod = text_is(kind, "pods");
	alert->entered_container = is_pod && text_is(part, "exec");
	alert->namespace = either(alert->namespace, field(event, FIELD_KA_TARGET_NAMESPACE));
	alert->operation = field(event, FIELD_KA_VERB);
	alert->process.user = field(event, FIELD_KA_USER_NAME);
	if (is_pod || text_says(pod))
		alert->pod = either(alert->pod, either(pod, name));
	struct text what = is_pod ? part : name;
	if (!text_says(kind))
		alert->resource = field(event, FIELD_KA_URI);
	else if (text_says(what))
		alert->resource = text_join(arena, (struct text[]){kind, TEXT("/"), what}, 3);
	else
		alert->resource = kind;
}

static void fill_process(const struct falco_event *event, struct alert *alert)
{
	struct process *process = &alert->process;
	process->name = field(event, FIELD_PROC_NAME);
	process->exe = either(field(event, FIELD_PROC_EXEPATH), field(event, FIELD_PROC_EXE));
	process->cmdline = field(event, FIELD_PROC_CMDLINE);
	process->parent = field(event, FIELD_PROC_PNAME);
	process->parent_exe =
		either(field(event, FIELD_PROC_PEXEPATH), field(event, FIELD_PROC_PEXE));
	process->user = field(event, FIELD_USER_NAME);
	process->pid = number(field(event, FIELD_PROC_PID));
	process->uid = number(field(event, FIELD_USER_UID));
	if (process->uid == UINT32_MAX) /* Falco's "unknown" before it was -1 */
		process->uid = -1;
	alert->operation = field(event, FIELD_EVT_TYPE);
	alert->resource = either(field(event, FIELD_FD_NAME),
		either(field(event, FIELD_FS_PATH_NAME), field(event, FIELD_EVT_ARG_PATH)));
}

static void fill_message(const struct falco_event *event, struct alert *alert)
{
	struct falco_line line;
	if (event->message.size)
		alert->message = event->message;
	else if (falco_line_parse(event->output, &line))
		alert->message = line.message;
	else
		alert->message = event->output;
}

static enum health_kind health_kind(struct text rule)
{
	static const struct {
		struct text rule;
		enum health_kind kind;
	} kinds[] = {
		{{"metrics snapshot", 16}, HEALTH_METRICS},
		{{"syscall event drop", 18}, HEALTH_DROPS},
		{{"hot restart failure", 19}, HEALTH_RESTART_FAILED},
	};
	struct text what = text_part(rule, sizeof INTERNAL_PREFIX - 1, rule.size);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (text_equal(what, kinds[i].rule))
			return kinds[i].kind;
	return HEALTH_OTHER;
}

/* Falco speaks of itself. Old generations name fewer numbers, newer ones more. */
static void fill_health(const struct falco_event *event, struct arena *arena, struct alert *alert)
{
	struct health_fact *health = arena_alloc(arena, sizeof *health);
	if (!health)
		return;
	*health = (struct health_fact){
		.kind = health_kind(event->rule),
		.version = field(event, FIELD_FALCO_VERSION),
		.n_events = number(either(
			field(event, FIELD_N_EVTS), either(field(event, FIELD_SCAP_N_EVTS),
							    field(event, FIELD_FALCO_NUM_EVTS)))),
		.n_drops = number(
			either(field(event, FIELD_N_DROPS), field(event, FIELD_SCAP_N_DROPS))),
		.n_output_drops = number(field(event, FIELD_FALCO_OUTPUTS_QUEUE_NUM_DROPS)),
		.started_at_ns = number(field(event, FIELD_FALCO_START_TS)),
	};
	alert->health = health;
	alert->flags |= ALERT_HEALTH;
}

/* Is it Falco's own? falcosidekick's and Talon's test events only look so. */
static bool is_health(const struct falco_event *event, struct text source)
{
	return text_starts(event->rule, TEXT(INTERNAL_PREFIX)) ||
	       (text_is(source, "internal") && !text_is(event->rule, "Test rule"));
}

int falco_alert_fill(
	const struct falco_event *event, struct arena *arena, struct alert *alert, struct err *err)
{
	struct text source = falco_source(event);
	bool health = is_health(event, source);
	if (!text_trim(event->rule).size)
		return err_set(err, ERR_INPUT, "no rule: not an alert");
	alert->sensor = TEXT("falco");
	alert->sensor_source = source;
	alert->time_ns = event_time(event);
	alert->rule = event->rule;
	alert->severity_reported = event->priority;
	if (!falco_priority(event->priority, &alert->severity))
		alert->severity = health ? SEVERITY_INFO : SEVERITY_MEDIUM;
	/* A plugin's events come from wherever Falco runs, not from the node they speak of. */
	if (health || text_is(source, "syscall") || text_is(source, "internal"))
		alert->node = event->hostname;
	fill_message(event, alert);
	fill_process(event, alert);
	fill_container(event, arena, alert);
	fill_pod(event, alert);
	if (text_is(source, "k8s_audit"))
		fill_target(event, arena, alert);
	if (text_is(source, "syscall"))
		alert->syscall = field(event, FIELD_EVT_TYPE);
	if (health)
		fill_health(event, arena, alert);
	alert->tags = event->tags;
	identify(event, alert);
	return 0;
}
