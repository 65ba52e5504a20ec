/* SPDX-License-Identifier: Apache-2.0 */
#include "correlate/identity.h"

#include <stdlib.h>

#include "model/fact.h"

/* By start; at one start the smallest uid comes last, because the last one wins. */
static int compare_owners(const void *left, const void *right)
{
	const struct name_owner *a = left, *b = right;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return text_compare(b->uid, a->uid);
}

/* Once a stronger witness has given a start, later starts from weaker ones are not heard. */
static bool is_heard(const struct name_owner *owner, const struct identity_known *known)
{
	for (size_t i = 0; i < known->n_owners; i++)
		if (known->owners[i].rank > owner->rank &&
			known->owners[i].start_ns <= owner->start_ns)
			return false;
	return true;
}

static void one_segment(struct identity_segment *segment, struct text key)
{
	*segment = (struct identity_segment){INT64_MIN, INT64_MAX, key};
}

static int64_t before_tolerance(int64_t start_ns)
{
	int64_t from;
	return __builtin_sub_overflow(start_ns, NAME_TOLERANCE_NS, &from) ? INT64_MIN : from;
}

/* The segments of a name: provisional until the first start - tolerance, then one owner after
 * another. */
static size_t name_segments(struct text cluster, struct text name,
	const struct identity_known *known, struct arena *arena, struct identity_segment *out)
{
	struct name_owner *owners = arena_array(arena, known->n_owners + 1, sizeof *owners);
	size_t n_owners = 0, n = 0;
	one_segment(&out[n++], entity_key(arena, ENTITY_POD_NAME, cluster, name));
	if (!owners)
		return n;
	for (size_t i = 0; i < known->n_owners; i++)
		if (is_heard(&known->owners[i], known))
			owners[n_owners++] = known->owners[i];
	qsort(owners, n_owners, sizeof *owners, compare_owners);
	for (size_t i = 0; i < n_owners; i++) {
		if (i + 1 < n_owners && owners[i + 1].start_ns == owners[i].start_ns)
			continue;
		int64_t from = n == 1 ? before_tolerance(owners[i].start_ns) : owners[i].start_ns;
		out[n - 1].to_ns = from;
		out[n++] = (struct identity_segment){
			from, INT64_MAX, entity_key(arena, ENTITY_POD, cluster, owners[i].uid)};
	}
	return n;
}

bool identity_resolve(const struct identity_seen *seen, const struct identity_known *known,
	struct arena *arena, struct identity_segment **segments, size_t *n)
{
	struct text name = seen->name.size ? seen->name : known->container_name;
	struct identity_segment *out = arena_array(arena, known->n_owners + 2, sizeof *out);
	if (!out)
		return false;
	*segments = out;
	*n = 1;
	if (seen->uid.size)
		one_segment(out, entity_key(arena, ENTITY_POD, seen->cluster, seen->uid));
	else if (known->container_uid.size)
		one_segment(
			out, entity_key(arena, ENTITY_POD, seen->cluster, known->container_uid));
	else if (name.size)
		*n = name_segments(seen->cluster, name, known, arena, out);
	else if (seen->container.size)
		one_segment(
			out, entity_key(arena, ENTITY_CONTAINER, seen->cluster, seen->container));
	else if (seen->node.size)
		one_segment(out, entity_key(arena, ENTITY_NODE, seen->cluster, seen->node));
	else
		one_segment(out, entity_key(arena, ENTITY_CLUSTER, seen->cluster, TEXT_NONE));
	return !arena->failed;
}
