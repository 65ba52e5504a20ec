/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/emit.h"
#include "base/utf8.h"
#include "documents/documents.h"
#include "documents/involved.h"
#include "model/alert.h"
#include "model/workload.h"

/* What an incident's alerts name: where it ran, what ran, what it touched; and what belongs to
 * what. */

enum {
	ARENA_BYTES = 512 * 1024 * 1024,
	ENTITIES_MAX = 150,
	EDGES_MAX = 300,
	NAME_BYTES_MAX = 256,
	NONE = -1,
};

struct named {
	const char *kind;
	struct text name;
	uint64_t n_alerts;
	enum severity severity;
	int64_t first_ns, last_ns;
};

struct edge {
	int from, to;
};

struct web {
	struct named nodes[ENTITIES_MAX];
	struct edge edges[EDGES_MAX];
	int n_nodes, n_edges;
	bool full;
};

static int find(const struct web *web, const char *kind, struct text name)
{
	for (int i = 0; i < web->n_nodes; i++)
		if (web->nodes[i].kind == kind && text_equal(web->nodes[i].name, name))
			return i;
	return NONE;
}

/* The entity, made if new, with one alert more. */
static int touch(struct web *web, const char *kind, struct text name, const struct alert *alert)
{
	struct text shown = utf8_prefix(name, NAME_BYTES_MAX);
	if (!shown.size)
		return NONE;
	int at = find(web, kind, shown);
	if (at == NONE && web->n_nodes == ENTITIES_MAX) {
		web->full = true;
		return NONE;
	}
	if (at == NONE) {
		at = web->n_nodes++;
		web->nodes[at] =
			(struct named){.kind = kind, .name = shown, .first_ns = alert->time_ns};
	}
	struct named *node = &web->nodes[at];
	node->n_alerts++;
	node->last_ns = alert->time_ns;
	if (alert->severity > node->severity)
		node->severity = alert->severity;
	return at;
}

static void join(struct web *web, int from, int to)
{
	if (from == NONE || to == NONE || from == to)
		return;
	for (int i = 0; i < web->n_edges; i++)
		if (web->edges[i].from == from && web->edges[i].to == to)
			return;
	if (web->n_edges == EDGES_MAX) {
		web->full = true;
		return;
	}
	web->edges[web->n_edges++] = (struct edge){from, to};
}

static const char kind_node[] = "node", kind_workload[] = "workload", kind_pod[] = "pod",
		  kind_container[] = "container", kind_image[] = "image", kind_user[] = "user",
		  kind_process[] = "process", kind_file[] = "file", kind_address[] = "address",
		  kind_other[] = "resource";

/* "10.0.0.1:39292->10.96.0.1:443" → the far end. */
static struct text far_end(struct text resource)
{
	size_t arrow = text_find(resource, TEXT("->"), 0);
	return arrow == SIZE_MAX ? resource : text_part(resource, arrow + 2, resource.size);
}

static const char *kind_of_resource(const struct alert *alert)
{
	struct text resource = alert->resource;
	if (text_find(resource, TEXT("->"), 0) != SIZE_MAX ||
		text_is(alert->operation, "connect") || text_is(alert->operation, "sendto"))
		return kind_address;
	return resource.size && resource.data[0] == '/' ? kind_file : kind_other;
}

static struct text workload_name(const struct alert *alert, struct arena *arena)
{
	struct workload workload = alert->workload;
	if (!workload.name.size && alert->pod.size)
		workload = workload_guess(alert->pod);
	if (!workload.name.size)
		return TEXT_NONE;
	return arena_format(
		arena, "%.*s/%.*s", TEXT_ARG(alert->namespace), TEXT_ARG(workload.name));
}

static void add(struct web *web, const struct alert *alert, struct arena *arena)
{
	struct text pod = alert->pod.size
				  ? arena_format(arena, "%.*s/%.*s", TEXT_ARG(alert->namespace),
					    TEXT_ARG(alert->pod))
				  : TEXT_NONE;
	int node = touch(web, kind_node, alert->node, alert);
	int workload = touch(web, kind_workload, workload_name(alert, arena), alert);
	int of_pod = touch(web, kind_pod, pod, alert);
	int container = touch(web, kind_container, alert->container_id, alert);
	int image = touch(web, kind_image, alert->image, alert);
	struct text exe = alert->process.exe.size ? alert->process.exe : alert->process.name;
	int process = touch(web, kind_process, exe, alert);
	int user = touch(web, kind_user, alert->process.user, alert);
	const char *kind = kind_of_resource(alert);
	int resource = touch(web, kind,
		kind == kind_address ? far_end(alert->resource) : alert->resource, alert);
	join(web, workload, of_pod);
	join(web, of_pod, node);
	join(web, of_pod, container);
	if (of_pod == NONE)
		join(web, container, node);
	join(web, container, image);
	join(web, container != NONE ? container : of_pod != NONE ? of_pod : node, process);
	join(web, process, user);
	join(web, process, resource);
}

static void write_entity(struct emitter *out, const struct web *web, int at)
{
	const struct named *node = &web->nodes[at];
	emit_object(out);
	emit_member_u64(out, "id", (uint64_t)at + 1);
	emit_member_string(out, "kind", node->kind);
	emit_member_text(out, "name", node->name);
	emit_member_string(out, "severity", severity_name(node->severity));
	emit_member_u64(out, "alerts", node->n_alerts);
	emit_member_time(out, "first_seen", node->first_ns);
	emit_member_time(out, "last_seen", node->last_ns);
	emit_object_end(out);
}

static void write_edges(struct emitter *out, const struct web *web)
{
	emit_key(out, "edges");
	emit_array(out);
	for (int i = 0; i < web->n_edges; i++) {
		emit_object(out);
		emit_member_u64(out, "from", (uint64_t)web->edges[i].from + 1);
		emit_member_u64(out, "to", (uint64_t)web->edges[i].to + 1);
		emit_object_end(out);
	}
	emit_array_end(out);
}

int document_incident_entities(
	struct connection *connection, struct text number, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct involved involved;
	arena_init(&arena, ARENA_BYTES);
	struct web *web = arena_alloc(&arena, sizeof *web);
	if (!web)
		return err_set(err, ERR_MEMORY, "out of memory for an incident's entities");
	if (involved_read(connection, number, &arena, &involved, err) < 0)
		return -1;
	for (size_t i = 0; i < involved.n; i++)
		add(web, involved.alerts[i], &arena);
	if (arena.failed)
		return err_set(err, ERR_MEMORY, "out of memory for an incident's entities");
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (int i = 0; i < web->n_nodes; i++)
		write_entity(&emitter, web, i);
	emit_array_end(&emitter);
	write_edges(&emitter, web);
	emit_member_bool(&emitter, "partial", involved.sampled || web->full);
	emit_object_end(&emitter);
	return 0;
}
