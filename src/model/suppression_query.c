/* SPDX-License-Identifier: Apache-2.0 */
#include "model/suppression_query.h"

#include <string.h>

#include "model/query_eval.h"
#include "model/scope.h"

/* The fields that say what a label says. */
static const struct {
	enum query_field_id field;
	enum suppression_label label;
} known[] = {
	{FIELD_RULE, LABEL_ALERTNAME},
	{FIELD_SEVERITY, LABEL_SEVERITY},
	{FIELD_SENSOR, LABEL_SOURCE},
	{FIELD_CLUSTER, LABEL_CLUSTER},
	{FIELD_NAMESPACE, LABEL_NAMESPACE},
	{FIELD_POD, LABEL_POD},
	{FIELD_NODE, LABEL_NODE},
	{FIELD_CONTAINER_ID, LABEL_CONTAINER},
	{FIELD_WORKLOAD, LABEL_WORKLOAD},
	{FIELD_FINGERPRINT, LABEL_FINGERPRINT},
	{FIELD_EXE, LABEL_EXE},
};

/* N_SUPPRESSION_LABELS: none says that. */
static unsigned label_of(const struct query_field *field)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].field == field->id)
			return known[i].label;
	return N_SUPPRESSION_LABELS;
}

static int check_node(const struct query_node *node, struct err *err)
{
	if (node->kind == QUERY_TERM && label_of(node->term.field) == N_SUPPRESSION_LABELS) {
		err_set(err, ERR_INPUT,
			"alerts of one fingerprint and place differ in this: a suppression may ask "
			"for"
			" rule, severity, sensor, cluster, namespace, pod, node, container_id,"
			" workload, fingerprint, exe");
		return err_place(err, node->term.place, node->term.size ? node->term.size : 1);
	}
	for (const struct query_node *inner = node->first; inner; inner = inner->next)
		if (check_node(inner, err) < 0)
			return -1;
	return 0;
}

/* Of whatever severity: does it hide what says nothing? */
static bool hides_all(const struct query *query)
{
	struct suppression_labels labels = {0};
	for (unsigned i = 0; i < N_SEVERITIES; i++) {
		labels.values[LABEL_SEVERITY] = text_of(severity_name((enum severity)i));
		if (!suppression_query_fits(query, &labels))
			return false;
	}
	return true;
}

int suppression_query_read(
	struct text source, struct arena *arena, const struct query **out, struct err *err)
{
	const struct query_options options = {.of = QUERY_OF_ALERTS};
	struct text kept = arena_copy(arena, source);
	if (arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory for a suppression");
	if (query_parse(kept, &options, arena, out, err) < 0 || check_node((*out)->root, err) < 0)
		return -1;
	return !hides_all(*out) ? 0
				: err_set(err, ERR_INPUT,
					  "the query is true of what says nothing, so it might hide"
					  " everything: say where, or what");
}

static unsigned names_of(const struct query_node *node)
{
	unsigned names = 0;
	if (node->kind == QUERY_TERM)
		return 1U << label_of(node->term.field);
	for (const struct query_node *inner = node->first; inner; inner = inner->next)
		names |= names_of(inner);
	return names;
}

int suppression_query_take(
	struct text source, struct arena *arena, struct suppression *out, struct err *err)
{
	if (suppression_query_read(source, arena, &out->query, err) < 0)
		return -1;
	out->query_text = source;
	out->query_names = names_of(out->query->root);
	return 0;
}

bool suppression_query_fits(const struct query *query, const struct suppression_labels *labels)
{
	const struct text *values = labels->values;
	struct alert like = {.rule = values[LABEL_ALERTNAME],
		.sensor = values[LABEL_SOURCE],
		.cluster = values[LABEL_CLUSTER],
		.namespace = values[LABEL_NAMESPACE],
		.pod = values[LABEL_POD],
		.node = values[LABEL_NODE],
		.container_id = values[LABEL_CONTAINER],
		.workload = {.name = values[LABEL_WORKLOAD]},
		.process = {.exe = values[LABEL_EXE]}};
	if (!severity_parse(values[LABEL_SEVERITY], &like.severity))
		like.severity = SEVERITY_INFO;
	if (values[LABEL_FINGERPRINT].size == 2 * (size_t)FINGERPRINT_BYTES &&
		!text_to_bytes(values[LABEL_FINGERPRINT], like.fingerprint, FINGERPRINT_BYTES))
		return false;
	return query_has_alert(query, &like, 0);
}

/* Stands for whichever cluster: a pattern that names one does not include it. */
static const struct text any_cluster = {"\1", 1};

/* Are all of "a|b" inside? What is more than literals is not looked into. */
static bool are_inside(
	struct text values, bool is_pattern, struct text cluster, const struct scope *scope)
{
	struct text rest = values, one;
	if (!is_pattern)
		return values.size && scope_includes(scope, cluster, values);
	while (text_split(&rest, '|', &one)) {
		for (size_t i = 0; i < one.size; i++)
			if (strchr(".*+?()[]{}^$\\", one.data[i]))
				return false;
		if (!one.size || !scope_includes(scope, cluster, one))
			return false;
	}
	return values.size > 0;
}

static bool matchers_are_inside(
	const struct matcher_list *matchers, struct text cluster, const struct scope *scope)
{
	for (size_t i = 0; i < matchers->n; i++) {
		const struct matcher *matcher = &matchers->items[i];
		if (suppression_label_parse(matcher->name) == LABEL_NAMESPACE &&
			!matcher->negated &&
			are_inside(matcher->value, matcher->pattern != NULL, cluster, scope))
			return true;
	}
	return false;
}

/* The cluster that matchers name; absent: none. */
static struct text matchers_cluster(const struct matcher_list *matchers)
{
	for (size_t i = 0; i < matchers->n; i++) {
		const struct matcher *matcher = &matchers->items[i];
		if (suppression_label_parse(matcher->name) == LABEL_CLUSTER && !matcher->negated &&
			!matcher->pattern)
			return matcher->value;
	}
	return TEXT_NONE;
}

/* Likewise of a query, on its top level. */
static struct text query_cluster(const struct query *query)
{
	const struct query_node *root = query->root;
	for (const struct query_node *node = root->kind == QUERY_AND ? root->first : root; node;
		node = root->kind == QUERY_AND ? node->next : NULL)
		if (node->kind == QUERY_TERM && node->term.field->id == FIELD_CLUSTER &&
			node->term.match.kind == MATCH_EXACT)
			return node->term.match.text;
	return TEXT_NONE;
}

/* The cluster that it names; else whichever. */
static struct text cluster_of(const struct suppression *suppression)
{
	struct text cluster = matchers_cluster(&suppression->matchers);
	if (!cluster.size && suppression->query)
		cluster = query_cluster(suppression->query);
	return cluster.size ? cluster : any_cluster;
}

/* Does the node let through nothing but what is inside? */
static bool node_is_inside(
	const struct query_node *node, struct text cluster, const struct scope *scope)
{
	const struct match *match = &node->term.match;
	switch (node->kind) {
	case QUERY_TERM:
		return node->term.field->id == FIELD_NAMESPACE &&
		       (match->kind == MATCH_EXACT || match->kind == MATCH_REGEX) &&
		       are_inside(match->text, match->kind == MATCH_REGEX, cluster, scope);
	case QUERY_AND:
		for (const struct query_node *inner = node->first; inner; inner = inner->next)
			if (node_is_inside(inner, cluster, scope))
				return true;
		return false;
	case QUERY_OR:
		for (const struct query_node *inner = node->first; inner; inner = inner->next)
			if (!node_is_inside(inner, cluster, scope))
				return false;
		return node->first != NULL;
	case QUERY_NOT:
		return false;
	}
	return false;
}

bool suppression_is_inside(const struct suppression *suppression, const struct scope *scope)
{
	if (scope_is_all(scope))
		return true;
	struct text cluster = cluster_of(suppression);
	/* All of a cluster is seen by who sees what has no namespace. */
	if (!text_equal(cluster, any_cluster) && scope_includes(scope, cluster, TEXT_NONE))
		return true;
	return matchers_are_inside(&suppression->matchers, cluster, scope) ||
	       (suppression->query && node_is_inside(suppression->query->root, cluster, scope));
}

static int cannot_say(const struct suppression *suppression, const struct query_node *node,
	const char *why, struct err *err)
{
	struct text part = suppression->query_text;
	if (node->kind == QUERY_TERM)
		part = text_part(part, node->term.place, node->term.size);
	return err_set(err, ERR_DENIED, "matchers cannot say '%.*s': %s",
		(int)(part.size < 60 ? part.size : 60), part.data, why);
}

static int add_term(const struct suppression *suppression, const struct query_node *node,
	bool negated, struct arena *arena, struct matcher_list *out, struct err *err)
{
	const struct query_term *term = &node->term;
	bool is_text = term->test == QUERY_TEST_MATCH && term->field->id != FIELD_FINGERPRINT;
	bool is_pattern = is_text && term->match.kind == MATCH_REGEX;
	if (!is_text || !(is_pattern || term->match.kind == MATCH_EXACT))
		return cannot_say(
			suppression, node, "only =, !=, =~ and !~ of texts are alike", err);
	if (out->n == MATCHERS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d matchers", MATCHERS_MAX);
	struct matcher *matcher = &out->items[out->n++];
	*matcher = (struct matcher){.name = text_of(suppression_label_name(label_of(term->field))),
		.value = term->match.text,
		.negated = negated};
	return matcher_make(matcher, is_pattern, arena, err);
}

static int add_node(const struct suppression *suppression, const struct query_node *node,
	struct arena *arena, struct matcher_list *out, struct err *err)
{
	const struct query_node *inner = node->first;
	switch (node->kind) {
	case QUERY_TERM:
		return add_term(suppression, node, false, arena, out, err);
	case QUERY_NOT:
		if (inner->kind == QUERY_TERM)
			return add_term(suppression, inner, true, arena, out, err);
		return cannot_say(suppression, node, "a 'not' of more than one comparison", err);
	case QUERY_OR:
		return cannot_say(
			suppression, node, "matchers are all of them, never one of them", err);
	case QUERY_AND:
		for (; inner; inner = inner->next)
			if (add_node(suppression, inner, arena, out, err) < 0)
				return -1;
		return 0;
	}
	return 0;
}

int suppression_as_matchers(const struct suppression *suppression, struct arena *arena,
	struct matcher_list *out, struct err *err)
{
	*out = suppression->matchers;
	if (!suppression->query)
		return 0;
	out->items = arena_array(arena, MATCHERS_MAX, sizeof *out->items);
	if (!out->items)
		return err_set(err, ERR_MEMORY, "out of memory for matchers");
	if (out->n)
		memcpy(out->items, suppression->matchers.items, out->n * sizeof *out->items);
	return add_node(suppression, suppression->query->root, arena, out, err);
}
