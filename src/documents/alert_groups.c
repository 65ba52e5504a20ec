/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "documents/alerts.h"
#include "documents/groups.h"
#include "model/workload.h"
#include "store/alert_sums.h"

enum { ARENA_BYTES = 256 * 1024 * 1024 };

enum what {
	RULE,
	SEVERITY,
	SOURCE,
	SENSOR,
	CLUSTER,
	NAMESPACE,
	POD,
	NODE,
	WORKLOAD,
	CONTAINER,
	IMAGE,
	PRINT
};

static const struct group_field fields[] = {
	{"rule", RULE},
	{"severity", SEVERITY},
	{"source", SOURCE},
	{"sensor", SENSOR},
	{"cluster", CLUSTER},
	{"namespace", NAMESPACE},
	{"pod", POD},
	{"node", NODE},
	{"workload", WORKLOAD},
	{"container_id", CONTAINER},
	{"image", IMAGE},
	{"fingerprint", PRINT},
	{0},
};

/* What has to be told apart for a field, and where an alert has its text; 0: not as a text. */
static const struct {
	unsigned by;
	size_t place;
} columns[] = {
	[RULE] = {SUM_BY_KIND, offsetof(struct alert, rule)},
	[SEVERITY] = {SUM_BY_SEVERITY, 0},
	[SOURCE] = {SUM_BY_SOURCE, 0},
	[SENSOR] = {SUM_BY_KIND, offsetof(struct alert, sensor)},
	[CLUSTER] = {SUM_BY_PLACE, offsetof(struct alert, cluster)},
	[NAMESPACE] = {SUM_BY_PLACE, offsetof(struct alert, namespace)},
	[POD] = {SUM_BY_PLACE, offsetof(struct alert, pod)},
	[NODE] = {SUM_BY_PLACE, offsetof(struct alert, node)},
	[WORKLOAD] = {SUM_BY_PLACE, 0},
	[CONTAINER] = {SUM_BY_PLACE, offsetof(struct alert, container_id)},
	[IMAGE] = {SUM_BY_IMAGE, offsetof(struct alert, image)},
	[PRINT] = {SUM_BY_KIND, 0},
};

static struct text workload_name(const struct alert *like)
{
	return like->workload.name.size ? like->workload.name : workload_guess(like->pod).name;
}

static struct text value_of(enum what what, const struct alert *like, char *hex)
{
	struct text text;
	if (what == SEVERITY)
		return text_of(severity_name(like->severity));
	if (what == SOURCE)
		return text_of(source_info(like->source)->name);
	if (what == WORKLOAD)
		return workload_name(like);
	if (what == PRINT) {
		text_hex(hex, like->fingerprint, FINGERPRINT_BYTES);
		return text_of(hex);
	}
	memcpy(&text, (const char *)like + columns[what].place, sizeof text);
	return text;
}

static bool add(void *ctx, const struct alert_sum *sum)
{
	char hex[2 * FINGERPRINT_BYTES + 1];
	struct groups *groups = ctx;
	const enum what what = (enum what)groups->field->what;
	struct group more = {.value = value_of(what, sum->like, hex),
		.n = sum->n,
		.severity = sum->like->severity,
		.first_ns = sum->first_ns,
		.last_ns = sum->last_ns};
	if (groups->has_namespace && more.value.size)
		more.namespace = sum->like->namespace;
	return groups_add(groups, &more);
}

int document_alert_groups(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	AUTO(groups_done) struct groups groups = {.arena = &arena};
	struct alert_filter filter;
	arena_init(&arena, ARENA_BYTES);
	if (group_field_find(query->group, fields, &groups.field, err) < 0 ||
		alert_filter_read(connection, query, &arena, &filter, err) < 0)
		return -1;
	const enum what what = (enum what)groups.field->what;
	groups.has_namespace = what == POD || what == WORKLOAD;
	struct alert_sums sums = {.filter = &filter,
		.by = columns[what].by,
		.visit = add,
		.ctx = &groups,
		.arena = &arena};
	if (alert_sums_read(connection, &sums, err) < 0)
		return -1;
	const struct groups_extent extent = {sums.complete, "from_leaf", sums.from_leaf};
	return groups_write(&groups, query, &extent, out, err);
}
