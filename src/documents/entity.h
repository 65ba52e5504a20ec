/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What there is to say of one entity, while it is collected. */

#include "documents/groups.h"
#include "model/entity.h"
#include "store/known.h"

struct entity_facts {
	struct text kind, id;
	struct arena *arena;
	struct groups rules;
	struct groups neighbours; /* kind and id, as namespace and value */
	struct known_numbers numbers;
	uint64_t n_alerts;
	enum severity severity;
	int64_t first_ns, last_ns;
	size_t n_tuples;
	bool is_partial; /* there is more than was looked at */
};

static inline void entity_facts_done_auto(struct entity_facts *facts)
{
	groups_done(&facts->rules);
	groups_done(&facts->neighbours);
}

/** false without memory. */
CHECKED bool entity_facts_note(struct entity_facts *facts, const char *kind, struct text id);
CHECKED bool entity_facts_note_place(struct entity_facts *facts, const struct identity_seen *seen);
void entity_facts_see(struct entity_facts *facts, enum severity severity, uint64_t n,
	int64_t first_ns, int64_t last_ns);

/** An image's, from alerts that name it: what can be counted in a second, newest first. */
CHECKED int entity_image_read(struct connection *connection, struct text image,
	const struct document_query *query, struct entity_facts *facts, struct err *err);
