/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/lineage.h"

#include "base/tree.h"

static int64_t pid_of(const struct node *node, const char *key)
{
	int64_t pid;
	return text_to_i64(tree_member_text(node, key), &pid) && pid > 0 ? pid : -1;
}

/* {"process_exec": {"process": {…}, "parent": {…}}}, whichever kind of event it is. */
static struct lineage of_tetragon(const struct node *event)
{
	for (const struct node *item = event->first; item; item = item->next) {
		const struct node *process = tree_member(item, "process");
		if (item->type != PULL_OBJECT || !process)
			continue;
		const struct node *parent = tree_member(item, "parent");
		struct text exec_id = tree_member_text(process, "parent_exec_id");
		if (!exec_id.size)
			exec_id = tree_member_text(parent, "exec_id");
		return (struct lineage){pid_of(parent, "pid"), exec_id};
	}
	return (struct lineage){.parent_pid = -1};
}

struct lineage lineage_read(const struct alert *alert, struct arena *arena)
{
	struct lineage none = {.parent_pid = -1};
	struct node *event;
	struct err err;
	if (!alert->raw.size || tree_read(alert->raw, arena, &event, &err) < 0 ||
		event->type != PULL_OBJECT)
		return none;
	const struct node *fields = tree_member(event, "output_fields");
	if (fields)
		return (struct lineage){.parent_pid = pid_of(fields, "proc.ppid")};
	/* the numbers of the host, as the decoder takes the process's own */
	if (tree_member(event, "HostPPID"))
		return (struct lineage){.parent_pid = pid_of(event, "HostPPID")};
	return of_tetragon(event);
}
