/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/emit.h"
#include "base/utf8.h"
#include "documents/documents.h"
#include "documents/involved.h"
#include "documents/lineage.h"
#include "model/alert.h"

/*
 * The processes of an incident as a tree, as far as its alerts tell. Sensors say who a process is
 * in different ways: an execution id, a pid, or only names; and so whose child it is. A parent is
 * the process with the execution id or pid that the child names; else the last one of its name that
 * was seen before and may be it. Where none was, it stands there by what is known of it, and
 * becomes that process when its own alert follows.
 */

enum {
	ARENA_BYTES = 512 * 1024 * 1024,
	NODES_MAX = 200,
	SHOWN_BYTES_MAX = 512,
	NONE = -1,
};

struct shown {
	const struct alert *first; /* NULL: known as a parent only */
	struct text name, container, exec_id;
	int64_t pid; /* -1: not known */
	int parent;  /* an earlier one; NONE */
	enum severity severity;
	uint64_t n_alerts;
};

struct forest {
	struct shown nodes[NODES_MAX];
	int n;
	bool full; /* there were more */
};

static struct text base_name(struct text path)
{
	size_t at = path.size;
	while (at > 0 && path.data[at - 1] != '/')
		at--;
	return at < path.size ? text_part(path, at, path.size) : path;
}

static struct text name_of(const struct process *process)
{
	return process->name.size ? process->name : base_name(process->exe);
}

static bool is_same(const struct alert *a, const struct alert *b)
{
	const struct process *left = &a->process, *right = &b->process;
	if (!text_equal(a->container_id, b->container_id))
		return false;
	if (left->exec_id.size || right->exec_id.size)
		return text_equal(left->exec_id, right->exec_id);
	return left->pid == right->pid && text_equal(name_of(left), name_of(right)) &&
	       text_equal(left->cmdline, right->cmdline) && text_equal(left->parent, right->parent);
}

/* Is what is known as a parent only the process of this alert? Only ids tell: names are many's. */
static bool is_awaited(const struct shown *node, const struct alert *alert)
{
	const struct process *process = &alert->process;
	if (node->first || !text_equal(node->container, alert->container_id))
		return false;
	if (node->exec_id.size && process->exec_id.size)
		return text_equal(node->exec_id, process->exec_id);
	return node->pid >= 0 && node->pid == process->pid &&
	       text_equal(node->name, name_of(process));
}

static int find_same(const struct forest *forest, const struct alert *alert)
{
	for (int i = forest->n - 1; i >= 0; i--)
		if (forest->nodes[i].first ? is_same(forest->nodes[i].first, alert)
					   : is_awaited(&forest->nodes[i], alert))
			return i;
	return NONE;
}

static int append(struct forest *forest, struct shown node)
{
	if (forest->n == NODES_MAX) {
		forest->full = true;
		return NONE;
	}
	forest->nodes[forest->n] = node;
	return forest->n++;
}

/* May this one be the parent that the child means? What both know must agree. */
static bool may_be_parent(
	const struct shown *node, const struct alert *child, const struct lineage *lineage)
{
	struct text name = base_name(child->process.parent);
	if (node->exec_id.size && lineage->parent_exec_id.size)
		return text_equal(node->exec_id, lineage->parent_exec_id);
	if (node->pid >= 0 && !text_equal(node->container, child->container_id))
		return false;
	if (node->pid >= 0 && lineage->parent_pid >= 0)
		return node->pid == lineage->parent_pid &&
		       (!name.size || text_equal(node->name, name));
	return name.size && text_equal(node->name, name);
}

/* Does it say so by an id, or only by its name? */
static bool is_told_by_id(const struct shown *node, const struct lineage *lineage)
{
	return (node->exec_id.size && lineage->parent_exec_id.size) ||
	       (node->pid >= 0 && lineage->parent_pid >= 0);
}

/* The last of the first @n that is it, by an id rather than by its name. */
static int search_parent(const struct forest *forest, int n, const struct alert *alert,
	const struct lineage *lineage)
{
	int by_name = NONE;
	for (int i = n - 1; i >= 0; i--) {
		if (!may_be_parent(&forest->nodes[i], alert, lineage))
			continue;
		if (is_told_by_id(&forest->nodes[i], lineage))
			return i;
		if (by_name == NONE)
			by_name = i;
	}
	return by_name;
}

static int append_process(
	struct forest *forest, const struct alert *alert, const struct lineage *lineage)
{
	struct text name = base_name(alert->process.parent);
	int parent = search_parent(forest, forest->n, alert, lineage);
	if (parent == NONE && name.size)
		parent = append(forest, (struct shown){.name = name,
						.container = alert->container_id,
						.exec_id = lineage->parent_exec_id,
						.pid = lineage->parent_pid,
						.parent = NONE});
	return append(forest, (struct shown){.first = alert,
				      .name = name_of(&alert->process),
				      .container = alert->container_id,
				      .exec_id = alert->process.exec_id,
				      .pid = alert->process.pid,
				      .parent = parent});
}

static void add(struct forest *forest, const struct alert *alert, struct arena *arena)
{
	if (!name_of(&alert->process).size)
		return;
	struct lineage lineage = lineage_read(alert, arena);
	int at = find_same(forest, alert);
	if (at == NONE)
		at = append_process(forest, alert, &lineage);
	if (at == NONE)
		return;
	struct shown *node = &forest->nodes[at];
	if (!node->first) {
		/* it stood there as a parent: a parent of its own comes before it, or is not shown
		 */
		node->first = alert;
		node->name = name_of(&alert->process);
		node->pid = alert->process.pid;
		node->parent = search_parent(forest, at, alert, &lineage);
	}
	node->n_alerts++;
	if (alert->severity > node->severity)
		node->severity = alert->severity;
}

static void write_node(struct emitter *out, const struct forest *forest, int at)
{
	const struct shown *node = &forest->nodes[at];
	emit_object(out);
	emit_member_u64(out, "id", (uint64_t)at + 1);
	if (node->parent != NONE)
		emit_member_u64(out, "parent", (uint64_t)node->parent + 1);
	emit_member_text(out, "name", node->name);
	if (node->pid >= 0)
		emit_member_i64(out, "pid", node->pid);
	if (node->first) {
		const struct process *process = &node->first->process;
		char id[2 * OCCURRENCE_BYTES + 1];
		text_hex(id, node->first->occ, OCCURRENCE_BYTES);
		emit_member_text(out, "exe", process->exe);
		emit_member_text(out, "cmdline", utf8_prefix(process->cmdline, SHOWN_BYTES_MAX));
		emit_member_text(out, "user", process->user);
		emit_member_text(out, "rule", node->first->rule);
		emit_member_string(out, "severity", severity_name(node->severity));
		emit_member_u64(out, "alerts", node->n_alerts);
		emit_member_time(out, "first_seen", node->first->time_ns);
		emit_member_string(out, "alert", id);
	}
	emit_object_end(out);
}

int document_incident_processes(
	struct connection *connection, struct text number, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct involved involved;
	arena_init(&arena, ARENA_BYTES);
	struct forest *forest = arena_alloc(&arena, sizeof *forest);
	if (!forest)
		return err_set(err, ERR_MEMORY, "out of memory for an incident's processes");
	if (involved_read(connection, number, &arena, &involved, err) < 0)
		return -1;
	for (size_t i = 0; i < involved.n; i++)
		add(forest, involved.alerts[i], &arena);
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (int i = 0; i < forest->n; i++)
		write_node(&emitter, forest, i);
	emit_array_end(&emitter);
	emit_member_bool(&emitter, "partial", involved.sampled || forest->full);
	emit_object_end(&emitter);
	return 0;
}
