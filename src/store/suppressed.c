/* SPDX-License-Identifier: Apache-2.0 */
#include "store/suppressed.h"

#include "base/cleanup.h"
#include "store/incident_story.h"

enum {
	/* What the summary of an incident tells of each of its fingerprints. */
	OF_PLACE = 1 << LABEL_CLUSTER | 1 << LABEL_NAMESPACE | 1 << LABEL_POD | 1 << LABEL_NODE |
		   1 << LABEL_CONTAINER | 1 << LABEL_WORKLOAD,
	OF_RULE = OF_PLACE | 1 << LABEL_ALERTNAME,
	STORY_BYTES = 64 * 1024 * 1024
};

int suppressed_begin(struct suppressed *suppressed, struct connection *connection, int64_t now_ns,
	struct arena *arena, struct err *err)
{
	struct suppression_list *list = &suppressed->active;
	size_t n = 0;
	suppressed->arena = arena;
	if (suppressions_live(connection, now_ns, arena, list, err) < 0)
		return -1;
	for (size_t i = 0; i < list->n; i++)
		if (suppression_state_at(&list->items[i], now_ns) == SUPPRESSION_ACTIVE)
			list->items[n++] = list->items[i];
	list->n = n;
	return 0;
}

/* The judgement on one incident. */
struct judging {
	const struct suppression **candidates; /* those that its place does not rule out */
	size_t n;
	bool *fits; /* by candidate: it matched something */
};

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_PERHAPS };

/* Of a row of which @known is known: will one of the candidates match it? */
static enum answer ask(
	struct judging *judging, const struct suppression_labels *labels, unsigned known)
{
	enum answer answer = ANSWER_NO;
	for (size_t i = 0; i < judging->n; i++) {
		const struct suppression *candidate = judging->candidates[i];
		if (!suppression_fits(candidate, labels, known))
			continue;
		bool sure = (suppression_names(candidate) & ~known) == 0;
		judging->fits[i] |= sure;
		if (answer != ANSWER_YES)
			answer = sure ? ANSWER_YES : ANSWER_PERHAPS;
	}
	return answer;
}

static enum answer ask_summary(
	struct judging *judging, struct suppression_labels *labels, const struct incident *incident)
{
	enum answer all = ANSWER_YES;
	for (size_t i = 0; i < incident->n_rules; i++) {
		labels->values[LABEL_ALERTNAME] = incident->rules[i].name;
		enum answer answer = ask(judging, labels, OF_RULE);
		if (answer == ANSWER_NO)
			return ANSWER_NO;
		if (answer == ANSWER_PERHAPS)
			all = ANSWER_PERHAPS;
	}
	return incident->n_rules ? all : ANSWER_NO;
}

static int ask_story(struct judging *judging, struct suppression_labels *labels,
	struct connection *connection, const struct incident *incident, enum answer *answer,
	struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct incident whole = *incident;
	arena_init(&arena, STORY_BYTES);
	/* Counting it would count in what lists share. */
	whole.n_rules = 0;
	if (incident_story_read(connection, &whole, &arena, err) < 0)
		return -1;
	*answer = ANSWER_YES;
	for (size_t i = 0; i < whole.n_prints && *answer == ANSWER_YES; i++) {
		if (whole.prints[i].context)
			continue;
		suppression_labels_of_print(labels, &whole.prints[i]);
		*answer = ask(judging, labels, LABELS_ALL);
	}
	return 0;
}

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory judging incidents");
}

/* Those that may match something of the incident. */
static int find_candidates(struct judging *judging, const struct suppressed *suppressed,
	const struct suppression_labels *labels, struct err *err)
{
	size_t n = suppressed->active.n;
	judging->candidates = arena_array(suppressed->arena, n, sizeof(*judging->candidates));
	judging->fits = arena_array(suppressed->arena, n, sizeof *judging->fits);
	if (!judging->candidates || !judging->fits)
		return no_memory(err);
	for (size_t i = 0; i < n; i++)
		if (suppression_fits(&suppressed->active.items[i], labels, OF_PLACE))
			judging->candidates[judging->n++] = &suppressed->active.items[i];
	return 0;
}

static int name_them(const struct judging *judging, const struct suppressed *suppressed,
	struct incident *incident, struct err *err)
{
	struct text_list *ids = &incident->suppressed_by;
	ids->items = arena_array(suppressed->arena, judging->n, sizeof *ids->items);
	if (!ids->items)
		return no_memory(err);
	for (size_t i = 0; i < judging->n; i++)
		if (judging->fits[i])
			ids->items[ids->n++] = judging->candidates[i]->id;
	return 0;
}

int incident_judge(struct suppressed *suppressed, struct connection *connection,
	struct incident *incident, struct err *err)
{
	struct suppression_labels labels = {0};
	struct judging judging = {0};
	incident->suppressed_by = (struct text_list){NULL, 0};
	if (suppressed->active.n == 0 || incident->redirect_to)
		return 0;
	suppression_labels_of_incident(&labels, incident);
	if (find_candidates(&judging, suppressed, &labels, err) < 0)
		return -1;
	enum answer answer = judging.n ? ask_summary(&judging, &labels, incident) : ANSWER_NO;
	if (answer == ANSWER_PERHAPS &&
		ask_story(&judging, &labels, connection, incident, &answer, err) < 0)
		return -1;
	return answer == ANSWER_YES ? name_them(&judging, suppressed, incident, err) : 0;
}

int suppressed_look(const struct incident_filter *filter, struct connection *connection,
	struct incident *incident, bool *wanted, struct err *err)
{
	if (incident_judge(filter->suppressed, connection, incident, err) < 0)
		return -1;
	bool suppressed = incident->suppressed_by.n != 0;
	*wanted = filter->suppressed_wish == SUPPRESSED_TOO ||
		  suppressed == (filter->suppressed_wish == SUPPRESSED_ONLY);
	return 0;
}
