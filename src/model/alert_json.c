/* SPDX-License-Identifier: Apache-2.0 */
#include "model/alert_json.h"

static void write_list(struct emitter *writer, const char *key, const struct text_list *list)
{
	if (list->n == 0)
		return;
	emit_key(writer, key);
	emit_array(writer);
	for (size_t i = 0; i < list->n; i++)
		emit_text(writer, list->items[i]);
	emit_array_end(writer);
}

static void write_place(struct emitter *writer, const struct alert *alert)
{
	emit_member_text(writer, "cluster", alert->cluster);
	emit_member_text(writer, "node", alert->node);
	emit_member_text(writer, "namespace", alert->namespace);
	emit_member_text(writer, "pod", alert->pod);
	emit_member_text(writer, "pod_uid", alert->pod_uid);
	emit_member_text(writer, "container", alert->container);
	emit_member_text(writer, "container_id", alert->container_id);
	emit_member_text(writer, "image", alert->image);
	emit_member_text(writer, "image_digest", alert->image_digest);
	emit_member_text(writer, "runtime_class", alert->runtime_class);
	if (!alert->workload.name.size)
		return;
	emit_key(writer, "workload");
	emit_object(writer);
	emit_member_text(writer, "kind", alert->workload.kind);
	emit_member_text(writer, "name", alert->workload.name);
	emit_member_bool(writer, "inferred", alert->workload.inferred);
	emit_object_end(writer);
}

static void write_process(struct emitter *writer, const struct process *process)
{
	bool any = process->pid >= 0 || process->uid >= 0 || process->name.size ||
		   process->exe.size || process->cmdline.size || process->parent.size ||
		   process->user.size || process->exec_id.size;
	if (!any)
		return;
	emit_key(writer, "process");
	emit_object(writer);
	if (process->pid >= 0)
		emit_member_i64(writer, "pid", process->pid);
	emit_member_text(writer, "name", process->name);
	emit_member_text(writer, "exe", process->exe);
	emit_member_text(writer, "cmdline", process->cmdline);
	emit_member_text(writer, "parent", process->parent);
	emit_member_text(writer, "user", process->user);
	if (process->uid >= 0)
		emit_member_i64(writer, "uid", process->uid);
	emit_member_text(writer, "exec_id", process->exec_id);
	emit_object_end(writer);
}

static void write_attack(struct emitter *writer, const struct alert *alert)
{
	char technique[ATTACK_TECHNIQUE_BYTES];
	emit_key(writer, "tactics");
	emit_array(writer);
	for (unsigned rank = 1; rank <= N_TACTICS; rank++)
		if (alert->tactics & 1U << (rank - 1))
			emit_text(writer, text_of(tactic_info(rank)->id));
	emit_array_end(writer);
	emit_key(writer, "techniques");
	emit_array(writer);
	for (size_t i = 0; i < alert->n_techniques; i++)
		emit_text(writer, text_of(technique_format(alert->techniques[i], technique)));
	emit_array_end(writer);
	write_list(writer, "attack_reported", &alert->attack_reported);
}

static void write_flags(struct emitter *writer, uint32_t flags)
{
	if (!flags)
		return;
	emit_key(writer, "flags");
	emit_array(writer);
	for (unsigned i = 0; i < N_ALERT_FLAGS; i++)
		if (flags & 1U << i)
			emit_text(writer, text_of(alert_flag_name((enum alert_flag)(1U << i))));
	emit_array_end(writer);
}

static void write_id(struct emitter *writer, const char *key, const unsigned char bytes[16])
{
	char hex[33];
	text_hex(hex, bytes, 16);
	emit_member_string(writer, key, hex);
}

static void write_number(struct emitter *writer, uint64_t incident)
{
	char number[32];
	text_format(number, sizeof number, "INC-%llu", (unsigned long long)incident);
	emit_member_string(writer, "incident", number);
}

void alert_write_json(struct emitter *writer, const struct alert *alert, uint64_t incident)
{
	emit_object(writer);
	if (alert->kind == LEAF_ALERT)
		write_id(writer, "id", alert->occ);
	emit_key(writer, "leaf");
	emit_big(writer, alert->leaf);
	emit_member_time(writer, "time", alert->time_ns);
	emit_member_time(writer, "received", alert->received_ns);
	emit_member_string(writer, "source", source_info(alert->source)->name);
	emit_member_text(writer, "sensor", alert->sensor);
	write_place(writer, alert);
	emit_member_text(writer, "rule", alert->rule);
	if (alert->kind == LEAF_ALERT) {
		emit_member_string(writer, "severity", severity_name(alert->severity));
		emit_member_text(writer, "severity_reported", alert->severity_reported);
		emit_member_string(writer, "action", alert_action_name(alert->action));
		emit_member_text(writer, "message", alert->message);
		write_process(writer, &alert->process);
		emit_member_text(writer, "resource", alert->resource);
		emit_member_text(writer, "operation", alert->operation);
		write_attack(writer, alert);
		write_list(writer, "tags", &alert->tags);
		emit_member_u64(writer, "count", alert->count);
		write_list(writer, "via", &alert->via);
		write_id(writer, "fingerprint", alert->fingerprint);
	}
	if (alert->resolved_ns)
		emit_member_time(writer, "resolved", alert->resolved_ns);
	else if (alert->firing_until_ns)
		emit_member_time(writer, "firing_until", alert->firing_until_ns);
	emit_member_text(writer, "quarantine_reason", alert->quarantine_reason);
	if (incident)
		write_number(writer, incident);
	write_flags(writer, alert->flags);
	emit_object_end(writer);
}
