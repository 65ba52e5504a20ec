/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Observed entities and identity facts (model/fact.h): what correlation resolves names with.
 * Lists come back in @arena, in no order that matters.
 */

#include "base/arena.h"
#include "model/entity.h"
#include "model/fact.h"
#include "store/connection.h"

/* A value within a cluster. */
struct cluster_text {
	struct text cluster, value;
};

struct id_list {
	int64_t *ids;
	size_t n;
};

/** The tuple of an interned entity. ERR_MISSING. */
CHECKED int entity_read(struct connection *connection, int64_t entity, struct arena *arena,
	struct identity_seen *seen, struct err *err);

enum entity_column { ENTITY_BY_UID, ENTITY_BY_CONTAINER, ENTITY_BY_NAME, ENTITY_BY_NODE };

/** Entities whose tuple has @value in that column. */
CHECKED int entities_find(struct connection *connection, enum entity_column column,
	struct cluster_text value, struct arena *arena, struct id_list *out, struct err *err);

/** The entity that gave nothing but its cluster, if there is one. */
CHECKED int entities_of_cluster(struct connection *connection, struct text cluster,
	struct arena *arena, struct id_list *out, struct err *err);

/** What is known of a container; uid and name absent when nothing is. */
CHECKED int container_fact_read(struct connection *connection, struct cluster_text container,
	struct arena *arena, struct container_fact *out, struct err *err);

/** Replaces what is known of the container. */
CHECKED int container_fact_write(struct connection *connection, const struct container_fact *fact,
	int64_t day, struct err *err);

/** Containers known to belong to a pod, by its uid or (@by_name) its name. */
CHECKED int containers_find(struct connection *connection, bool by_name, struct cluster_text value,
	struct arena *arena, struct text_list *out, struct err *err);

struct name_owners {
	struct name_owner *items;
	size_t n;
};

/** All owners a name ever had. */
CHECKED int name_owners_read(struct connection *connection, struct cluster_text name,
	struct arena *arena, struct name_owners *out, struct err *err);

/** Adds or replaces one owner of a name. */
CHECKED int name_owner_write(struct connection *connection, struct cluster_text name,
	const struct name_owner *owner, int64_t day, struct err *err);

/** Names that a uid ever owned. */
CHECKED int names_find(struct connection *connection, struct cluster_text uid, struct arena *arena,
	struct text_list *out, struct err *err);
