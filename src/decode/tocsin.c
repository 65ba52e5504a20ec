/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/pull.h"
#include "base/utf8.h"
#include "decode/decoder.h"
#include "decode/limits.h"
#include "decode/normalise.h"
#include "decode/occurrence.h"

/*
 * Tocsin's own form (schema/json/alert.schema.json), for programs that have no decoder here and for
 * alerts that were exported. What the ledger or a credential decides (cluster, leaf, received,
 * source, incident, fingerprint) is not taken from it; unknown keys stay in the raw.
 */

/* Sensors are few and stored by number, so only families we know keep their name. */
static const char *const families[] = {"falco", "kubearmor", "tetragon", "sysdig", "k8s-audit",
	"tracee", "gvisor", "alertmanager"};

struct form {
	struct alert *alert;
	struct text id, time, severity, action, sensor;
	struct text_list tactics, techniques, flags;
};

static bool read_text(struct pull *reader, struct text *out)
{
	*out = TEXT_NONE;
	enum pull_event what = pull_next(reader);
	if (what == PULL_STRING || what == PULL_NUMBER)
		*out = reader->value;
	return pull_finish(reader, what);
}

static bool read_number(struct pull *reader, int64_t *out)
{
	struct text text;
	if (!read_text(reader, &text))
		return false;
	if (!text_to_i64(text, out) || *out < 0)
		*out = -1;
	return true;
}

/* An array's strings; any other value is passed over. */
static bool read_list(struct pull *reader, struct text_list *list)
{
	enum pull_event what = pull_next(reader);
	if (what != PULL_ARRAY)
		return pull_finish(reader, what);
	list->n = 0;
	while ((what = pull_next(reader)) != PULL_ARRAY_END) {
		if (!pull_finish(reader, what))
			return false;
		if (what == PULL_STRING && reader->value.size && list->n < ALERT_TAGS_MAX)
			arena_list_add(reader->arena, list, reader->value);
	}
	return true;
}

typedef bool (*read_member)(struct pull *reader, struct form *form, struct text key);

static bool read_members(struct pull *reader, struct form *form, read_member member)
{
	enum pull_event what = pull_next(reader);
	if (what == PULL_ARRAY) {
		while (what != PULL_BAD && reader->depth > 1)
			what = pull_next(reader);
		return what != PULL_BAD;
	}
	if (what != PULL_OBJECT)
		return what != PULL_BAD;
	while ((what = pull_next(reader)) == PULL_KEY)
		if (!member(reader, form, reader->value))
			return false;
	return what == PULL_OBJECT_END;
}

struct place {
	const char *key;
	struct text *text;
};

static struct text *place_of(const struct place *places, size_t n, struct text key)
{
	for (size_t i = 0; i < n; i++)
		if (text_is(key, places[i].key))
			return places[i].text;
	return NULL;
}

static bool read_process(struct pull *reader, struct form *form, struct text key)
{
	struct process *process = &form->alert->process;
	const struct place places[] = {
		{"name", &process->name},
		{"exe", &process->exe},
		{"cmdline", &process->cmdline},
		{"parent", &process->parent},
		{"parent_exe", &process->parent_exe},
		{"user", &process->user},
		{"exec_id", &process->exec_id},
	};
	if (text_is(key, "pid"))
		return read_number(reader, &process->pid);
	if (text_is(key, "uid"))
		return read_number(reader, &process->uid);
	struct text *text = place_of(places, sizeof places / sizeof places[0], key);
	return text ? read_text(reader, text) : pull_skip(reader);
}

static bool read_workload(struct pull *reader, struct form *form, struct text key)
{
	struct workload *workload = &form->alert->workload;
	if (text_is(key, "kind"))
		return read_text(reader, &workload->kind);
	if (text_is(key, "name"))
		return read_text(reader, &workload->name);
	if (!text_is(key, "inferred"))
		return pull_skip(reader);
	enum pull_event what = pull_next(reader);
	workload->inferred = what == PULL_TRUE;
	while (what != PULL_BAD && reader->depth > 2)
		what = pull_next(reader);
	return what != PULL_BAD;
}

static bool read_count(struct pull *reader, struct alert *alert)
{
	struct text text;
	uint64_t count;
	if (!read_text(reader, &text))
		return false;
	if (text_to_u64(text, &count) && count > 0 && count <= INT64_MAX)
		alert->count = count;
	return true;
}

static bool read_top(struct pull *reader, struct form *form, struct text key)
{
	struct alert *alert = form->alert;
	const struct place places[] = {
		{"id", &form->id},
		{"time", &form->time},
		{"sensor", &form->sensor},
		{"node", &alert->node},
		{"namespace", &alert->namespace},
		{"pod", &alert->pod},
		{"pod_uid", &alert->pod_uid},
		{"container", &alert->container},
		{"container_id", &alert->container_id},
		{"image", &alert->image},
		{"image_digest", &alert->image_digest},
		{"runtime_class", &alert->runtime_class},
		{"rule", &alert->rule},
		{"severity", &form->severity},
		{"severity_reported", &alert->severity_reported},
		{"action", &form->action},
		{"message", &alert->message},
		{"resource", &alert->resource},
		{"operation", &alert->operation},
	};
	const struct {
		const char *key;
		struct text_list *list;
	} lists[] = {
		{"tags", &alert->tags},
		{"via", &alert->via},
		{"attack_reported", &alert->attack_reported},
		{"tactics", &form->tactics},
		{"techniques", &form->techniques},
		{"flags", &form->flags},
	};
	struct text *text = place_of(places, sizeof places / sizeof places[0], key);
	if (text)
		return read_text(reader, text);
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (text_is(key, lists[i].key))
			return read_list(reader, lists[i].list);
	if (text_is(key, "process"))
		return read_members(reader, form, read_process);
	if (text_is(key, "workload"))
		return read_members(reader, form, read_workload);
	return text_is(key, "count") ? read_count(reader, alert) : pull_skip(reader);
}

static int read_form(struct form *form, struct arena *arena, struct err *err)
{
	struct pull reader;
	pull_init(&reader, form->alert->raw, arena, &pull_limits_alert);
	if (!read_members(&reader, form, read_top))
		return pull_error(&reader, err);
	if (!text_starts(form->alert->raw, TEXT("{")))
		return err_set(err, ERR_INPUT, "not a JSON object");
	if (text_trim(pull_rest(&reader)).size)
		return err_set(err, ERR_INPUT, "more follows the JSON object");
	return 0;
}

/* Is it written as we write it? */
static bool is_current(struct text word, const struct attack_tag *tag)
{
	char id[ATTACK_TECHNIQUE_BYTES];
	unsigned rank = tag->tactics ? (unsigned)__builtin_ctz(tag->tactics) + 1 : 0;
	return (tag->technique && text_is(word, technique_format(tag->technique, id))) ||
	       (rank && text_is(word, tactic_info(rank)->id));
}

/* Current ids are taken as they are; all else is what was reported, for normalising to read. */
static void read_attack(const struct text_list *list, struct arena *arena, struct alert *alert)
{
	struct text_list *reported = &alert->attack_reported;
	for (size_t i = 0; i < list->n; i++) {
		struct attack_tag tag = attack_tag_parse(list->items[i]);
		if (is_current(list->items[i], &tag)) {
			alert->tactics |= tag.tactics;
			alert_add_technique(alert, tag.technique);
			continue;
		}
		if (reported->n < ALERT_TAGS_MAX)
			arena_list_add(arena, reported, list->items[i]);
	}
}

static void interpret(const struct form *form, struct arena *arena)
{
	struct alert *alert = form->alert;
	alert->sensor = TEXT("tocsin");
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (text_is(form->sensor, families[i]))
			alert->sensor = text_of(families[i]);
	if (!clock_parse(form->time, &alert->time_ns))
		alert->time_ns = TIME_UNKNOWN_NS;
	for (size_t i = 0; i < form->flags.n; i++) {
		if (text_is(form->flags.items[i], "prevented"))
			alert->flags |= ALERT_PREVENTED;
		if (text_is(form->flags.items[i], "context"))
			alert->flags |= ALERT_CONTEXT;
		if (text_is(form->flags.items[i], "attack_inferred"))
			alert->flags |= ALERT_ATTACK_INFERRED;
	}
	read_attack(&form->tactics, arena, alert);
	read_attack(&form->techniques, arena, alert);
}

/* An id of ours stands for the alert; otherwise what makes one happening differ from another. */
static void identify(const struct form *form, struct alert *alert)
{
	unsigned char id[OCCURRENCE_BYTES];
	bool has_id = text_to_bytes(form->id, id, sizeof id);
	if (!has_id && alert->time_ns == TIME_UNKNOWN_NS) {
		occurrence_of_raw(alert, TEXT("tocsin"));
		return;
	}
	struct digest_state room, *state = occurrence_start(&room, alert, TEXT("tocsin"));
	digest_add_part(state, alert->sensor);
	if (has_id) {
		digest_add_part(state, (struct text){(const char *)id, sizeof id});
	} else {
		digest_add_part(state, alert->node);
		digest_add_part(state, alert->rule);
		occurrence_add_i64(state, alert->time_ns);
		digest_add_part(state, alert->pod_uid);
		digest_add_part(state, alert->container_id);
		digest_add_part(state, text_part(alert->message, 0, IDENTITY_TEXT_BYTES));
	}
	occurrence_end(state, alert);
}

static int tocsin_decode(struct arena *arena, struct alert *alert, struct err *err)
{
	struct form form = {.alert = alert};
	if (read_form(&form, arena, err) < 0)
		return -1;
	if (!text_trim(alert->rule).size)
		return err_set(err, ERR_INPUT, "no rule: not an alert");
	if (!severity_parse(form.severity, &alert->severity))
		return err_set(err, ERR_INPUT,
			"severity must be info, low, medium, high or critical, not '%.*s'",
			(int)utf8_prefix(form.severity, 32).size,
			form.severity.data ? form.severity.data : "");
	if (form.action.size && !alert_action_parse(form.action, &alert->action))
		return err_set(
			err, ERR_INPUT, "action must be observed, blocked, audited or killed");
	interpret(&form, arena);
	identify(&form, alert);
	return 0;
}

static bool tocsin_sniff(struct text event)
{
	return text_starts(event, TEXT("{")) &&
	       text_find(event, TEXT("\"severity\""), 0) != SIZE_MAX &&
	       text_find(event, TEXT("\"rule\""), 0) != SIZE_MAX &&
	       text_find(event, TEXT("\"output_fields\""), 0) == SIZE_MAX;
}

const struct decoder decoder_tocsin = {
	.name = "tocsin",
	.source = SOURCE_TOCSIN,
	.sensor = "tocsin",
	.sniff = tocsin_sniff,
	.decode = tocsin_decode,
};
