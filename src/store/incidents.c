/* SPDX-License-Identifier: Apache-2.0 */
#include "store/incidents.h"

#include <string.h>

#include "base/cleanup.h"
#include "model/query_eval.h"
#include "model/title.h"
#include "model/workload.h"
#include "store/activities.h"
#include "store/edits.h"
#include "store/facts.h"
#include "store/frozen.h"
#include "store/incident_story.h"
#include "store/links.h"
#include "store/pieces.h"
#include "store/query_sql.h"
#include "store/reach.h"
#include "store/rollups.h"
#include "store/rules.h"
#include "store/suppressed.h"

enum {
	SCANNED_MAX = 20000,
	MEMBERS_SHOWN = 16,
	CRITICALITY_PLAIN = 100,
	CLAIMS_BYTES_MAX = 1024 * 1024
};

static int no_memory(struct err *err)
{
	return err_set(err, ERR_MEMORY, "out of memory reading incidents");
}

int incident_extent_read(struct connection *connection, uint64_t number, struct arena *arena,
	struct incident *incident, struct err *err)
{
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT first_slot, last_slot, claims FROM piece WHERE number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (!found)
		return err_set(
			err, ERR_MISSING, "no incident INC-%llu", (unsigned long long)number);
	incident->number = number;
	incident->first_slot = sql_i64(statement, 0);
	incident->last_slot = sql_i64(statement, 1);
	bool valid = claims_read(sql_blob(statement, 2), arena, &incident->claims);
	sqlite3_reset(statement);
	return valid ? 0 : no_memory(err);
}

/* Splits "namespace/pod". */
static void set_name(struct incident *incident, struct text name)
{
	struct text rest = name;
	text_split(&rest, '/', &incident->namespace);
	incident->pod = rest;
}

static void fill_from_key(struct incident *incident, struct text value)
{
	switch (incident->kind) {
	case ENTITY_POD:
		incident->pod_uid = value;
		break;
	case ENTITY_POD_NAME:
		set_name(incident, value);
		break;
	case ENTITY_CONTAINER:
		incident->container = value;
		break;
	case ENTITY_NODE:
		incident->node = value;
		break;
	case ENTITY_CLUSTER:
		break;
	}
}

/* What the key does not say, from what the members' alerts gave. */
static int fill_from_members(struct connection *connection, struct incident *incident,
	struct arena *arena, struct err *err)
{
	struct member_list members;
	if (members_read(connection, incident->number, arena, &members, err) < 0)
		return -1;
	for (size_t i = 0; i < members.n && i < MEMBERS_SHOWN; i++) {
		struct identity_seen seen;
		if (entity_read(connection, members.items[i].entity, arena, &seen, err) < 0)
			return -1;
		if (!incident->node.size)
			incident->node = seen.node;
		if (!incident->pod.size && seen.name.size)
			set_name(incident, seen.name);
		if (!incident->container.size && members.n == 1)
			incident->container = seen.container;
	}
	return 0;
}

/* Where it happened. */
static int fill_entity(struct connection *connection, struct incident *incident,
	struct arena *arena, struct err *err)
{
	struct text value = TEXT_NONE;
	size_t cut = incident->claims.carved ? CARVED_BYTES + 1 : 0;
	struct text key = text_part(incident->key, 0, incident->key.size - cut);
	if (!entity_key_parse(key, &incident->kind, &incident->cluster, &value))
		return err_set(err, ERR_CORRUPT, "incident INC-%llu has no entity",
			(unsigned long long)incident->number);
	fill_from_key(incident, value);
	int failed = incident->frozen ? frozen_read(connection, incident, arena, err)
				      : fill_from_members(connection, incident, arena, err);
	if (failed)
		return -1;
	if (incident->pod.size)
		incident->workload = workload_guess(incident->pod);
	return 0;
}

static int fill_rules(struct connection *connection, const struct piece_sums *sums,
	struct incident *incident, struct arena *arena, struct err *err)
{
	incident->rules = arena_array(arena, sums->n_rules + 1, sizeof *incident->rules);
	if (!incident->rules)
		return no_memory(err);
	for (size_t i = 0; i < sums->n_rules; i++) {
		struct incident_rule *rule = &incident->rules[i];
		rule->points = sums->rules[i].points;
		rule->tactics = sums->rules[i].tactics;
		if (rule_name_read(connection, sums->rules[i].rule, arena, &rule->name, err) < 0)
			return -1;
	}
	incident->n_rules = sums->n_rules;
	return 0;
}

static void fill_title(struct incident *incident, struct arena *arena)
{
	struct text title = incident_title(incident, arena);
	if (!incident->title.size || incident->n_rolled_up)
		incident->title = title;
	else if (!text_equal(incident->title, title))
		incident->suggested_title = title;
}

static int fill_sensors(struct connection *connection, uint64_t sensors, struct incident *incident,
	struct arena *arena, struct err *err)
{
	incident->sensors.items = arena_array(arena, 64, sizeof *incident->sensors.items);
	sqlite3_stmt *statement =
		connection_statement(connection, "SELECT id, name FROM sensor ORDER BY name", err);
	if (!incident->sensors.items)
		return no_memory(err);
	if (!statement)
		return -1;
	int step;
	while ((step = sql_step(statement, err)) > 0)
		if (sensors & UINT64_C(1) << sql_i64(statement, 0))
			incident->sensors.items[incident->sensors.n++] =
				arena_copy(arena, sql_text(statement, 1));
	return step < 0 ? -1 : arena->failed ? no_memory(err) : 0;
}

/* What the row of both tables says; the order of columns is that of QUERY. */
#define QUERY                                                                                      \
	"SELECT i.number, i.state, i.redirect_to, i.split_from, i.title, k.text, p.first_slot,"    \
	" p.last_slot, p.lo, p.hi, p.n, p.severity, p.base, p.risk, p.tactics, p.credited,"        \
	" p.sensors, p.rules, p.revision, p.claims, p.criticality, p.novelty, p.terminals,"        \
	" i.sealed_ns, p.frozen,"                                                                  \
	" i.verdict, i.assignee, i.snoozed_until_ns, i.resolved_ns, i.alias_of, i.recurrence_of,"  \
	" p.rollup, i.unheard"                                                                     \
	" FROM incident i"                                                                         \
	" LEFT JOIN piece p ON p.number = i.number LEFT JOIN key k ON k.id = p.key"

/* What does not go into struct incident as it is. */
struct row_rest {
	struct arena *arena; /* in: where texts go */
	int64_t base_milli;
	int64_t criticality, novelty; /* hundredths */
	uint64_t sensors;
	struct piece_sums sums;
};

static void row_rest_done_auto(struct row_rest *rest)
{
	piece_sums_done(&rest->sums);
}

static void add_term(
	struct incident *incident, const char *name, int64_t value_milli, struct text why)
{
	incident->terms[incident->n_terms++] = (struct risk_term){name, value_milli, why};
}

static struct text novelty_why(int64_t novelty)
{
	if (novelty > 100)
		return TEXT(
			"the strongest rule was not seen on this workload in the 7 days before");
	if (novelty < 100)
		return TEXT("the strongest rule is seen on this workload nearly every day");
	return TEXT("the strongest rule is neither new nor common here, or history is short");
}

/* Why the risk is what it is, term by term (correlation.md section 6). */
static void fill_terms(struct incident *incident, const struct row_rest *rest, struct arena *arena)
{
	const struct incident_rule *top = incident_top_rule(incident);
	if (!top)
		return;
	int64_t strongest = (int64_t)top->points * 1000;
	add_term(incident, "strongest rule", strongest,
		arena_format(arena, "%.*s", TEXT_ARG(top->name)));
	add_term(incident, "corroboration", rest->base_milli - strongest,
		arena_format(arena, "%zu distinct rules; repeats of one rule add nothing",
			incident->n_rules));
	add_term(incident, "tactics", incident_tactics_factor(incident->tactics_credited) * 10,
		arena_format(arena, "%u tactics shown by different rules multiply the odds",
			incident->tactics_credited));
	add_term(incident, "criticality", rest->criticality * 10,
		rest->criticality == CRITICALITY_PLAIN
			? TEXT("no setting says that this matters more or less than others")
			: TEXT("as the settings have it for this workload"));
	add_term(incident, "novelty", rest->novelty * 10, novelty_why(rest->novelty));
}

static int read_row(
	sqlite3_stmt *statement, struct incident *incident, struct row_rest *rest, struct err *err)
{
	struct arena *arena = rest->arena;
	*incident = (struct incident){
		.number = (uint64_t)sql_i64(statement, 0),
		.state = (enum incident_state)sql_i64(statement, 1),
		.redirect_to = (uint64_t)sql_i64(statement, 2),
		.split_from = (uint64_t)sql_i64(statement, 3),
		.title = arena_copy(arena, sql_text(statement, 4)),
		.key = arena_copy(arena, sql_text(statement, 5)),
		.first_slot = sql_i64(statement, 6),
		.last_slot = sql_i64(statement, 7),
		.first_seen_ns = sql_i64(statement, 8),
		.last_seen_ns = sql_i64(statement, 9),
		.n_alerts = (uint64_t)sql_i64(statement, 10),
		.severity = (enum severity)sql_i64(statement, 11),
		.risk_milli = sql_i64(statement, 13),
		.tactic_set = (tactic_mask)sql_i64(statement, 14),
		.tactics_credited = (unsigned)sql_i64(statement, 15),
		.revision = (uint64_t)sql_i64(statement, 18),
		.verdict = (enum verdict)sql_i64(statement, 25),
		.assignee = arena_copy(arena, sql_text(statement, 26)),
		.snoozed_until_ns = sql_i64(statement, 27),
		.resolved_ns = sql_i64(statement, 28),
		.alias_of = (uint64_t)sql_i64(statement, 29),
		.recurrence_of = (uint64_t)sql_i64(statement, 30),
		.unheard = arena_copy(arena, sql_text(statement, 32)),
	};
	rest->base_milli = sql_i64(statement, 12);
	rest->sensors = (uint64_t)sql_i64(statement, 16);
	incident->terminals = (unsigned)sql_i64(statement, 22);
	incident->sealed_ns = sql_i64(statement, 23);
	incident->frozen = sql_i64(statement, 24) != 0;
	incident->rollup = sql_i64(statement, 31);
	rest->criticality = sql_i64(statement, 20);
	rest->novelty = sql_i64(statement, 21);
	if (arena->failed || !piece_rules_read(&rest->sums, sql_blob(statement, 17)) ||
		!claims_read(sql_blob(statement, 19), arena, &incident->claims))
		return err_set(err, arena->failed ? ERR_MEMORY : ERR_CORRUPT,
			"incident INC-%llu does not read back",
			(unsigned long long)incident->number);
	return 0;
}

static int complete(struct connection *connection, struct incident *incident,
	const struct row_rest *rest, struct arena *arena, struct err *err)
{
	if (fill_entity(connection, incident, arena, err) < 0 ||
		fill_rules(connection, &rest->sums, incident, arena, err) < 0 ||
		fill_sensors(connection, rest->sensors, incident, arena, err) < 0)
		return -1;
	fill_title(incident, arena);
	fill_terms(incident, rest, arena);
	return arena->failed ? no_memory(err) : 0;
}

int incident_summary_read(struct connection *connection, uint64_t number, struct arena *arena,
	struct incident *out, struct err *err)
{
	AUTO(row_rest_done) struct row_rest rest = {.arena = arena};
	sqlite3_stmt *statement =
		connection_statement(connection, QUERY " WHERE i.number = ?1", err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, (int64_t)number);
	int found = sql_step(statement, err);
	if (found < 0)
		return -1;
	if (!found)
		return err_set(
			err, ERR_MISSING, "no incident INC-%llu", (unsigned long long)number);
	int failed = read_row(statement, out, &rest, err);
	sqlite3_reset(statement);
	if (failed || out->redirect_to)
		return failed;
	if (!out->key.size)
		return err_set(err, ERR_MISSING, "incident INC-%llu has no alerts any more",
			(unsigned long long)number);
	return complete(connection, out, &rest, arena, err);
}

int incident_read(struct connection *connection, uint64_t number, struct arena *arena,
	struct incident *out, struct err *err)
{
	if (incident_summary_read(connection, number, arena, out, err) < 0 ||
		activities_count(connection, number, &out->n_activities, err) < 0)
		return -1;
	if (out->redirect_to)
		return 0;
	return incident_story_read(connection, out, arena, err) < 0 ||
			       links_read(connection, out, arena, err) < 0
		       ? -1
		       : edits_of_incident(connection, out, arena, err);
}

static bool text_wanted(struct text wanted, struct text value)
{
	return !wanted.size || text_equal(wanted, value);
}

static bool is_wanted(const struct incident_filter *filter, const struct incident *incident)
{
	return reach_has_incident(filter->scope, incident) &&
	       text_wanted(filter->cluster, incident->cluster) &&
	       text_wanted(filter->namespace, incident->namespace) &&
	       text_wanted(filter->pod, incident->pod) && text_wanted(filter->node, incident->node);
}

/* Does its query find it? */
static int ask_query(struct connection *connection, const struct query *query,
	struct incident *incident, struct arena *arena, bool *found, struct err *err)
{
	if (query_needs_story(query) && incident_story_read(connection, incident, arena, err) < 0)
		return -1;
	*found = query_has_incident(query, incident);
	return 0;
}

/* What is suppressed is judged last, unless the query asks for it: it may cost reading a story. */
static int is_found(struct connection *connection, const struct incident_filter *filter,
	struct incident *incident, struct arena *arena, bool *found, struct err *err)
{
	const struct query *query = filter->query;
	bool judge = filter->suppressed;
	bool judge_first = judge && query && query_needs_judgement(query);
	*found = is_wanted(filter, incident);
	if (*found && judge_first && suppressed_look(filter, connection, incident, found, err) < 0)
		return -1;
	if (*found && query && ask_query(connection, query, incident, arena, found, err) < 0)
		return -1;
	return *found && judge && !judge_first
		       ? suppressed_look(filter, connection, incident, found, err)
		       : 0;
}

/* The incident that many alike are shown as, if this is one of them; 0: it stands for itself. */
static int stands_for(struct connection *connection, const struct incident_filter *filter,
	const struct incident *incident, uint64_t *number, struct err *err)
{
	*number = 0;
	if (!filter->roll_up || !incident->rollup)
		return 0;
	return rollup_newest(connection, incident->rollup, number, err);
}

static int roll_up(struct connection *connection, struct incident *incident, struct arena *arena,
	struct err *err)
{
	struct rollup_extent extent;
	if (rollup_read(connection, incident->rollup, &extent, err) < 0)
		return -1;
	incident->n_rolled_up = extent.n_incidents;
	incident->n_alerts = extent.n_alerts;
	incident->first_seen_ns = extent.first_seen_ns;
	incident->last_seen_ns = extent.last_seen_ns;
	incident->title = incident_title(incident, arena);
	incident->suggested_title = TEXT_NONE;
	return 0;
}

int incident_is_shown(struct connection *connection, const struct incident_filter *filter,
	struct incident *incident, struct arena *arena, bool *shown, struct err *err)
{
	uint64_t number;
	struct incident other;
	if (is_found(connection, filter, incident, arena, shown, err) < 0)
		return -1;
	if (!*shown)
		return 0;
	if (stands_for(connection, filter, incident, &number, err) < 0)
		return -1;
	if (!number)
		return 0;
	if (number == incident->number)
		return roll_up(connection, incident, arena, err);
	if (incident_summary_read(connection, number, arena, &other, err) < 0 ||
		is_found(connection, filter, &other, arena, shown, err) < 0)
		return -1;
	*shown = !*shown;
	return 0;
}

/* Rows that the filter's numbers and its query's condition let through, by falling number. */
static sqlite3_stmt *prepare_rows(struct connection *connection,
	const struct incident_filter *filter, uint64_t before, const struct query_sql *condition,
	struct err *err)
{
	sqlite3_stmt *statement = query_sql_prepare(connection, condition,
		QUERY " WHERE i.number < ?1 AND i.redirect_to IS NULL AND p.number IS NOT NULL"
		      " AND p.severity >= ?2 AND p.risk >= ?3 AND p.hi >= ?4 AND ",
		" ORDER BY i.number DESC", err);
	if (!statement)
		return NULL;
	sql_bind_i64(statement, 1, before ? (int64_t)before : INT64_MAX);
	sql_bind_i64(statement, 2, filter->severity_min);
	sql_bind_i64(statement, 3, filter->risk_min_milli);
	sql_bind_i64(statement, 4, filter->since_ns ? filter->since_ns : INT64_MIN);
	return statement;
}

/* Of an incident of which the row was read: one that is shown elsewhere needs no more reading. */
static int is_elsewhere(struct connection *connection, const struct incident_filter *filter,
	const struct incident *incident, bool *elsewhere, struct err *err)
{
	uint64_t number = 0;
	if (!filter->query && stands_for(connection, filter, incident, &number, err) < 0)
		return -1;
	*elsewhere = number && number != incident->number;
	return 0;
}

/* Reads the row, and the rest where it is wanted: NULL in *out where it is not. */
static int read_listed(struct connection *connection, sqlite3_stmt *statement,
	const struct incident_filter *filter, struct arena *arena, struct incident **out,
	struct err *err)
{
	AUTO(row_rest_done) struct row_rest rest = {.arena = arena};
	struct incident *incident = arena_alloc(arena, sizeof *incident);
	bool shown, elsewhere;
	*out = NULL;
	if (!incident)
		return no_memory(err);
	if (read_row(statement, incident, &rest, err) < 0 ||
		is_elsewhere(connection, filter, incident, &elsewhere, err) < 0)
		return -1;
	if (elsewhere)
		return 0;
	if (complete(connection, incident, &rest, arena, err) < 0 ||
		incident_is_shown(connection, filter, incident, arena, &shown, err) < 0)
		return -1;
	if (shown)
		*out = incident;
	return 0;
}

int incidents_list(struct connection *connection, const struct incident_filter *filter,
	struct incident_page *page, struct err *err)
{
	AUTO(query_sql_done) struct query_sql condition;
	AUTO(query_statement) sqlite3_stmt *statement = NULL;
	struct incident **last = &page->first;
	uint64_t before = page->before;
	page->first = NULL;
	page->next_before = 0;
	if (query_sql_init(&condition, connection, filter->query, page->arena, err) < 0)
		return -1;
	statement = prepare_rows(connection, filter, before, &condition, err);
	int step = statement ? 1 : -1;
	for (size_t scanned = 0, n = 0; step > 0; scanned++) {
		struct incident *incident;
		struct arena_mark mark = arena_mark(page->arena);
		step = sql_step(statement, err);
		if (step <= 0)
			break;
		if (n == page->limit || scanned == SCANNED_MAX ||
			(scanned && connection_is_late(connection))) {
			page->next_before = before;
			break;
		}
		before = (uint64_t)sql_i64(statement, 0);
		if (read_listed(connection, statement, filter, page->arena, &incident, err) < 0)
			return -1;
		if (!incident) {
			arena_back(page->arena, mark);
			continue;
		}
		*last = incident;
		last = &incident->next;
		n++;
	}
	return step < 0 ? -1 : 0;
}

/* Is the alert the piece's own, by its claims? */
static int is_own(sqlite3_stmt *statement, const struct alert *alert, bool *own, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct claims claims;
	arena_init(&arena, CLAIMS_BYTES_MAX);
	if (!claims_read(sql_blob(statement, 1), &arena, &claims))
		return no_memory(err);
	*own = claims_have(&claims, alert->slot, alert->fingerprint_id << 1);
	return 0;
}

int incident_of_alert(
	struct connection *connection, const struct alert *alert, uint64_t *number, struct err *err)
{
	*number = 0;
	if (alert->slot < 0)
		return 0;
	sqlite3_stmt *statement = connection_statement(connection,
		"SELECT m.number, p.claims FROM member m JOIN piece p ON p.number = m.number"
		" WHERE m.entity = ?1"
		" AND m.from_ns <= ?2 AND (m.to_ns > ?2 OR m.to_ns = 9223372036854775807)"
		" AND p.first_slot <= ?3 AND p.last_slot >= ?3",
		err);
	if (!statement)
		return -1;
	sql_bind_i64(statement, 1, alert->entity_id);
	sql_bind_i64(statement, 2, alert->time_ns);
	sql_bind_i64(statement, 3, alert->slot);
	int found;
	while ((found = sql_step(statement, err)) > 0) {
		bool own = false;
		if (is_own(statement, alert, &own, err) < 0) {
			found = -1;
			break;
		}
		if (!own)
			continue;
		*number = (uint64_t)sql_i64(statement, 0);
		break;
	}
	sqlite3_reset(statement);
	return found < 0 ? -1 : 0;
}
