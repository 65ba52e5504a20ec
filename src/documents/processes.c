/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/emit.h"
#include "base/utf8.h"
#include "documents/documents.h"
#include "documents/involved.h"
#include "model/alert.h"

/*
 * The processes of an incident as a tree, as far as its alerts tell. Sensors say who a process is
 * in different ways: an execution id, a pid, or only names. A parent is the last process of its
 * name that was seen before; where none was, it stands there by its name alone.
 */

enum {
	ARENA_BYTES = 512 * 1024 * 1024,
	NODES_MAX = 200,
	SHOWN_BYTES_MAX = 512,
	NONE = -1,
};

struct shown {
	const struct alert *first; /* NULL: known as a parent only */
	struct text name;
	int parent; /* an earlier one; NONE */
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

static int find_same(const struct forest *forest, const struct alert *alert)
{
	for (int i = forest->n - 1; i >= 0; i--)
		if (forest->nodes[i].first && is_same(forest->nodes[i].first, alert))
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

/* By its name: the last one before, else a new one of which only the name is known. */
static int find_parent(struct forest *forest, const struct alert *alert)
{
	struct text name = base_name(alert->process.parent);
	if (!name.size)
		return NONE;
	for (int i = forest->n - 1; i >= 0; i--)
		if (text_equal(forest->nodes[i].name, name))
			return i;
	return append(forest, (struct shown){.name = name, .parent = NONE});
}

static void add(struct forest *forest, const struct alert *alert)
{
	struct text name = name_of(&alert->process);
	int at = name.size ? find_same(forest, alert) : NONE;
	if (!name.size)
		return;
	if (at == NONE) {
		int parent = find_parent(forest, alert);
		at = append(forest, (struct shown){.first = alert, .name = name, .parent = parent});
	}
	if (at == NONE)
		return;
	forest->nodes[at].n_alerts++;
	if (alert->severity > forest->nodes[at].severity)
		forest->nodes[at].severity = alert->severity;
}

static void write_node(struct emitter *out, const struct forest *forest, int at)
{
	const struct shown *node = &forest->nodes[at];
	emit_object(out);
	emit_member_u64(out, "id", (uint64_t)at + 1);
	if (node->parent != NONE)
		emit_member_u64(out, "parent", (uint64_t)node->parent + 1);
	emit_member_text(out, "name", node->name);
	if (node->first) {
		const struct process *process = &node->first->process;
		char id[2 * OCCURRENCE_BYTES + 1];
		text_hex(id, node->first->occ, OCCURRENCE_BYTES);
		emit_member_text(out, "exe", process->exe);
		emit_member_text(out, "cmdline", utf8_prefix(process->cmdline, SHOWN_BYTES_MAX));
		if (process->pid >= 0)
			emit_member_i64(out, "pid", process->pid);
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
		add(forest, involved.alerts[i]);
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
