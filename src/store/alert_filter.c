/* SPDX-License-Identifier: Apache-2.0 */
#include "store/alert_filter.h"

#include "store/alerts.h"

/* A term of its own in front of the others. */
static struct query_term *add_term(
	struct query_node *root, enum query_field_id field, struct arena *arena)
{
	const struct query_field *found = query_fields;
	struct query_node *node = arena_alloc(arena, sizeof *node);
	while (found->id != field)
		found++;
	if (!node)
		return NULL;
	node->kind = QUERY_TERM;
	node->term.field = found;
	node->next = root->first;
	root->first = node;
	return &node->term;
}

static void add_text(
	struct query_node *root, enum query_field_id field, struct text wanted, struct arena *arena)
{
	struct query_term *term = wanted.size ? add_term(root, field, arena) : NULL;
	if (!term)
		return;
	term->test = QUERY_TEST_MATCH;
	term->match = (struct match){.kind = MATCH_EXACT, .text = wanted};
}

static void add_mask(
	struct query_node *root, enum query_field_id field, uint32_t mask, struct arena *arena)
{
	struct query_term *term = add_term(root, field, arena);
	if (!term)
		return;
	term->test = QUERY_TEST_MASK;
	term->mask = mask;
}

const struct query *alert_filter_query(const struct alert_filter *filter, struct arena *arena)
{
	struct query *query = arena_alloc(arena, sizeof *query);
	struct query_node *root = arena_alloc(arena, sizeof *root);
	struct query_node *asked = filter->query ? arena_alloc(arena, sizeof *asked) : NULL;
	if (!query || !root)
		return NULL;
	*query = (struct query){.of = QUERY_OF_ALERTS, .root = root};
	root->kind = QUERY_AND;
	if (asked) {
		*asked = *filter->query->root;
		asked->next = NULL;
		root->first = asked;
	}
	add_text(root, FIELD_RULE, filter->rule, arena);
	add_text(root, FIELD_CLUSTER, filter->cluster, arena);
	add_text(root, FIELD_NAMESPACE, filter->namespace, arena);
	add_text(root, FIELD_POD, filter->pod, arena);
	add_text(root, FIELD_NODE, filter->node, arena);
	add_text(root, FIELD_CONTAINER_ID, filter->container_id, arena);
	if (filter->source != SOURCE_NONE)
		add_mask(root, FIELD_SOURCE, UINT32_C(1) << filter->source, arena);
	if (filter->severity_min > SEVERITY_INFO)
		add_mask(root, FIELD_SEVERITY, ~((UINT32_C(1) << filter->severity_min) - 1), arena);
	return arena->failed ? NULL : query;
}
