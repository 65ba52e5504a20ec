/* SPDX-License-Identifier: Apache-2.0 */
#include "model/entity.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/cursor.h"

enum { PACKED_BYTES = 64 * 1024 };

static const char *const prefixes[] = {
	[ENTITY_POD] = "pod",
	[ENTITY_POD_NAME] = "podname",
	[ENTITY_CONTAINER] = "ctr",
	[ENTITY_NODE] = "node",
	[ENTITY_CLUSTER] = "cluster",
};

const char *entity_kind_prefix(enum entity_kind kind)
{
	return prefixes[kind];
}

struct text entity_key(
	struct arena *arena, enum entity_kind kind, struct text cluster, struct text value)
{
	if (kind == ENTITY_CLUSTER)
		return arena_format(arena, "cluster:%.*s", TEXT_ARG(cluster));
	return arena_format(
		arena, "%s:%.*s/%.*s", prefixes[kind], TEXT_ARG(cluster), TEXT_ARG(value));
}

bool entity_key_parse(
	struct text key, enum entity_kind *kind, struct text *cluster, struct text *value)
{
	struct text rest = key, prefix;
	if (!text_split(&rest, ':', &prefix) || !rest.data)
		return false;
	for (unsigned i = ENTITY_POD; i <= ENTITY_CLUSTER; i++) {
		if (!text_is(prefix, prefixes[i]))
			continue;
		*kind = (enum entity_kind)i;
		if (i == ENTITY_CLUSTER) {
			*cluster = rest;
			*value = TEXT("");
			return true;
		}
		return text_split(&rest, '/', cluster) && (*value = rest).data != NULL;
	}
	return false;
}

struct text identity_seen_pack(struct arena *arena, const struct identity_seen *seen)
{
	const struct text parts[] = {
		seen->cluster, seen->uid, seen->container, seen->name, seen->node};
	AUTO(buf_done) struct buf packed;
	buf_init(&packed, PACKED_BYTES);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		buf_add_sized(&packed, parts[i]);
	arena->failed |= packed.no_memory;
	return buf_ok(&packed) ? arena_copy(arena, buf_text(&packed)) : TEXT_NONE;
}

bool identity_seen_unpack(struct text packed, struct identity_seen *out)
{
	struct cursor cursor = cursor_of(packed);
	struct text *parts[] = {&out->cluster, &out->uid, &out->container, &out->name, &out->node};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		uint64_t size = cursor_varint(&cursor);
		*parts[i] = cursor_take(&cursor, size);
	}
	return cursor_at_end(&cursor);
}
