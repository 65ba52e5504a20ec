/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who an alert is about. The observed identity is what the alert itself gave and never changes; the
 * key is what it resolves to with all that is known (correlation.md section 2).
 */

#include "base/arena.h"
#include "base/text.h"

/** The observed tuple. Any of uid, container, name, node may be absent (size 0). */
struct identity_seen {
	struct text cluster;
	struct text uid;       /* pod uid */
	struct text container; /* 12 hex digits, or "node/string" */
	struct text name;      /* "namespace/pod" */
	struct text node;
};

/** A key's parts: "pod:c/uid", "podname:c/ns/name", "ctr:c/id", "node:c/n", "cluster:c". */
enum entity_kind {
	ENTITY_POD,
	ENTITY_POD_NAME,
	ENTITY_CONTAINER,
	ENTITY_NODE,
	ENTITY_CLUSTER,
};

const char *entity_kind_prefix(
	enum entity_kind kind); /* "pod", "podname", "ctr", "node", "cluster" */

/** The canonical key text in @arena; the absent text without memory. */
struct text entity_key(
	struct arena *arena, enum entity_kind kind, struct text cluster, struct text value);

/** Takes a key apart; false if it is none. The parts point into @key. */
bool entity_key_parse(
	struct text key, enum entity_kind *kind, struct text *cluster, struct text *value);

/** One line that two tuples share if and only if they are equal; in @arena. */
struct text identity_seen_pack(struct arena *arena, const struct identity_seen *seen);
bool identity_seen_unpack(struct text packed, struct identity_seen *out);
