/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/query.h"

#include "base/clock.h"

struct text *document_query_member(struct document_query *query, struct text name)
{
	const struct {
		const char *name;
		struct text *place;
	} members[] = {
		{"limit", &query->limit},
		{"after", &query->after},
		{"severity", &query->severity},
		{"source", &query->source},
		{"rule", &query->rule},
		{"cluster", &query->cluster},
		{"namespace", &query->namespace},
		{"pod", &query->pod},
		{"node", &query->node},
		{"container", &query->container},
		{"since", &query->since},
		{"until", &query->until},
		{"incident", &query->incident},
		{"sort", &query->sort},
		{"group", &query->group},
		{"rollup", &query->rollup},
		{"q", &query->q},
		{"suppressed", &query->suppressed},
		{"show", &query->show},
		{"at", &query->at},
		{"of", &query->of},
		{"format", &query->format},
	};
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (text_is(name, members[i].name))
			return members[i].place;
	return NULL;
}

int query_page(const struct document_query *query, size_t *limit, uint64_t *after, struct err *err)
{
	uint64_t number = LIST_LIMIT_DEFAULT;
	if (query->limit.size &&
		(!text_to_u64(query->limit, &number) || number < 1 || number > LIST_LIMIT_MAX))
		return err_set(
			err, ERR_INPUT, "limit must be a number from 1 to %d", LIST_LIMIT_MAX);
	*limit = (size_t)number;
	*after = 0;
	if (query->after.size && (!text_to_u64(query->after, after) || *after > INT64_MAX))
		return err_set(err, ERR_INPUT, "after must be what 'next' of the last page said");
	return 0;
}

int query_severity(const struct document_query *query, enum severity *out, struct err *err)
{
	*out = SEVERITY_INFO;
	if (query->severity.size && !severity_parse(query->severity, out))
		return err_set(
			err, ERR_INPUT, "severity must be info, low, medium, high or critical");
	return 0;
}

int query_filter(const struct document_query *query, enum query_of of, struct arena *arena,
	const struct query **out, struct err *err)
{
	const struct query_options options = {.of = of, .now_ns = query->now_ns, .me = query->me};
	*out = NULL;
	return query->q.size ? query_parse(query->q, &options, arena, out, err) : 0;
}

int query_time(struct text word, int64_t *out, struct err *err)
{
	*out = 0;
	if (word.size && !clock_parse_bound(word, out))
		return err_set(err, ERR_INPUT,
			"'%.*s' is no time: give RFC 3339, as 2026-11-24T03:00:00Z",
			(int)(word.size < 40 ? word.size : 40), word.data);
	return 0;
}
