/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/entity.h"
#include "model/query_complete.h"
#include "store/alert_sums.h"
#include "store/incidents.h"

enum { ALERTS_LOOKED_AT = 200, QUERY_BYTES = 16 * 1024 };

static bool add(void *ctx, const struct alert_sum *sum)
{
	struct entity_facts *facts = ctx;
	const struct alert *like = sum->like;
	const struct group rule = {.value = like->rule,
		.n = sum->n,
		.severity = like->severity,
		.first_ns = sum->first_ns,
		.last_ns = sum->last_ns};
	struct identity_seen seen = {.cluster = like->cluster,
		.uid = like->pod_uid,
		.container = like->container_id,
		.node = like->node};
	if (like->pod.size)
		seen.name = arena_format(
			facts->arena, "%.*s/%.*s", TEXT_ARG(like->namespace), TEXT_ARG(like->pod));
	entity_facts_see(facts, like->severity, sum->n, sum->first_ns, sum->last_ns);
	return groups_add(&facts->rules, &rule) && entity_facts_note_place(facts, &seen);
}

/* Incidents of its newest alerts. */
static int add_incidents(struct connection *connection, const struct alert_filter *filter,
	struct entity_facts *facts, struct err *err)
{
	struct alert_page page = {.limit = ALERTS_LOOKED_AT, .arena = facts->arena};
	if (alerts_list(connection, filter, &page, err) < 0)
		return -1;
	facts->is_partial |= page.next_before != 0;
	for (const struct alert *alert = page.first; alert; alert = alert->next) {
		uint64_t number;
		if (incident_of_alert(connection, alert, &number, err) < 0)
			return -1;
		if (number)
			known_numbers_note(&facts->numbers, number);
	}
	return 0;
}

int entity_image_read(struct connection *connection, struct text image,
	const struct document_query *query, struct entity_facts *facts, struct err *err)
{
	struct buf text;
	const struct query *tree;
	const struct query_options options = {.of = QUERY_OF_ALERTS, .now_ns = query->now_ns};
	buf_init(&text, QUERY_BYTES);
	buf_add_string(&text, "image=");
	query_value_write(image, &text);
	struct text source = arena_copy(facts->arena, buf_text(&text));
	bool is_written = buf_ok(&text);
	buf_done(&text);
	if (!is_written || query_parse(source, &options, facts->arena, &tree, err) < 0)
		return err_set(err, ERR_MISSING, "no image is called that");
	struct alert_filter filter = {
		.query = tree, .cluster = query->cluster, .scope = query->scope};
	struct alert_sums sums = {.filter = &filter,
		.by = SUM_BY_PLACE | SUM_BY_KIND,
		.visit = add,
		.ctx = facts,
		.arena = facts->arena};
	if (alert_sums_read(connection, &sums, err) < 0)
		return -1;
	facts->is_partial |= !sums.complete;
	return facts->n_alerts ? add_incidents(connection, &filter, facts, err) : 0;
}
