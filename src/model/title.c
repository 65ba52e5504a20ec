/* SPDX-License-Identifier: Apache-2.0 */
#include "model/title.h"

#include "model/attack.h"

const struct incident_rule *incident_top_rule(const struct incident *incident)
{
	const struct incident_rule *top = NULL;
	for (size_t i = 0; i < incident->n_rules; i++) {
		const struct incident_rule *rule = &incident->rules[i];
		if (!top || rule->points > top->points ||
			(rule->points == top->points && text_compare(rule->name, top->name) < 0))
			top = rule;
	}
	return top;
}

/* Furthest first: by the rank of the tactic that it ends in. */
static const struct {
	enum attack_terminal terminal;
	const char *headline;
} terminals[] = {
	{TERMINAL_IMPACT, "Impact"},
	{TERMINAL_EXFILTRATION, "Exfiltration"},
	{TERMINAL_COMMAND_AND_CONTROL, "Command and control"},
	{TERMINAL_NODE_CREDENTIAL, "Node credential access"},
	{TERMINAL_ESCAPE, "Container escape attempt"},
};

/* What a reader asks next when the headline is a tactic: through which rule. */
static struct text terminal_headline(const struct incident *incident, struct arena *arena)
{
	const struct incident_rule *top = incident_top_rule(incident);
	for (size_t i = 0; i < sizeof terminals / sizeof terminals[0]; i++) {
		if (!(incident->terminals & terminals[i].terminal))
			continue;
		if (incident->n_rules == 1 && top)
			return arena_format(
				arena, "%s: %.*s", terminals[i].headline, TEXT_ARG(top->name));
		return text_of(terminals[i].headline);
	}
	return TEXT_NONE;
}

/* The last two tactics in the order of the matrix, where different rules show at least two. */
static struct text tactics_headline(const struct incident *incident, struct arena *arena)
{
	unsigned last = 0, before = 0;
	for (unsigned rank = 1; rank <= N_TACTICS; rank++) {
		if (!(incident->tactic_set & 1U << (rank - 1)))
			continue;
		before = last;
		last = rank;
	}
	if (incident->tactics_credited < 2 || !before)
		return TEXT_NONE;
	return arena_format(
		arena, "%s, then %s", tactic_info(before)->name, tactic_info(last)->name);
}

/* 950, 12.3 k, 1.0 M */
static struct text short_count(uint64_t n, struct arena *arena)
{
	if (n < 1000)
		return arena_format(arena, "%u", (unsigned)n);
	uint64_t unit = n < 1000000 ? 1000 : 1000000;
	return arena_format(arena, "%llu.%llu %s", (unsigned long long)(n / unit),
		(unsigned long long)(n % unit * 10 / unit), unit == 1000 ? "k" : "M");
}

static struct text rule_headline(const struct incident *incident, struct arena *arena)
{
	const struct incident_rule *top = incident_top_rule(incident);
	if (!top)
		return TEXT("Alerts");
	if (incident->n_rules > 1)
		return arena_format(arena, "%.*s and %zu more %s", TEXT_ARG(top->name),
			incident->n_rules - 1, incident->n_rules == 2 ? "rule" : "rules");
	if (incident->n_alerts < 2)
		return top->name;
	struct text count = short_count(incident->n_alerts, arena);
	return arena_format(arena, "%.*s ×%.*s", TEXT_ARG(top->name), TEXT_ARG(count));
}

static struct text place(const struct incident *incident, struct arena *arena)
{
	if (incident->workload.name.size && incident->namespace.size)
		return arena_format(arena, "in %.*s/%.*s", TEXT_ARG(incident->namespace),
			TEXT_ARG(incident->workload.name));
	if (incident->pod.size)
		return arena_format(arena, "in %.*s/%.*s", TEXT_ARG(incident->namespace),
			TEXT_ARG(incident->pod));
	if (incident->pod_uid.size)
		return arena_format(arena, "in pod %.*s", TEXT_ARG(incident->pod_uid));
	if (incident->container.size)
		return arena_format(arena, "in container %.*s", TEXT_ARG(incident->container));
	if (incident->node.size)
		return arena_format(arena, "on node %.*s", TEXT_ARG(incident->node));
	return arena_format(arena, "in cluster %.*s", TEXT_ARG(incident->cluster));
}

/* Many alike, shown as one. */
static struct text widespread(const struct incident *incident, struct arena *arena)
{
	const struct incident_rule *top = incident_top_rule(incident);
	return arena_format(arena, "Widespread: %.*s in %.*s (%llu pods)",
		TEXT_ARG(top ? top->name : TEXT("alerts")), TEXT_ARG(incident->namespace),
		(unsigned long long)incident->n_rolled_up);
}

struct text incident_title(const struct incident *incident, struct arena *arena)
{
	if (incident->n_rolled_up)
		return widespread(incident, arena);
	struct text headline = terminal_headline(incident, arena);
	if (!headline.size)
		headline = tactics_headline(incident, arena);
	if (!headline.size)
		headline = rule_headline(incident, arena);
	struct text where = place(incident, arena);
	return arena_format(arena, "%.*s %.*s", TEXT_ARG(headline), TEXT_ARG(where));
}
