/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query_sql.h"

#include "base/cleanup.h"
#include "model/alert.h"
#include "store/query_functions.h"

enum { SQL_BYTES = 64 * 1024, RULES_MAX = 100000 };

/* What is written: at least what matches, or (inside a "not") at most. */
struct writer {
	struct query_sql *sql;
	struct connection *connection;
	bool at_least;
	struct err *err;
	bool failed;
};

static void add_binding(struct writer *writer, const struct query_binding *binding)
{
	struct query_sql *sql = writer->sql;
	if (sql->n_bindings == QUERY_SQL_BINDINGS_MAX) {
		err_set(writer->err, ERR_LIMIT, "the query has too many values");
		writer->failed = true;
		return;
	}
	sql->bindings[sql->n_bindings++] = *binding;
	buf_addf(&sql->text, "?%zu", QUERY_SQL_FIRST + sql->n_bindings - 1);
}

static void add_number(struct writer *writer, int64_t number)
{
	add_binding(writer, &(struct query_binding){.kind = BINDING_NUMBER, .number = number});
}

static void add_pointer(struct writer *writer, const void *pointer)
{
	add_binding(writer, &(struct query_binding){.kind = BINDING_POINTER, .pointer = pointer});
}

/* "%" stands for a parameter with the number, "@" for one with the term, "^" for what is so where
 * rows do not say. */
static void add_sql(
	struct writer *writer, const char *format, const struct query_term *term, int64_t number)
{
	for (; *format; format++) {
		if (*format == '%')
			add_number(writer, number);
		else if (*format == '@')
			add_pointer(writer, term);
		else if (*format == '^')
			buf_add_byte(&writer->sql->text, writer->at_least ? '1' : '0');
		else
			buf_add_byte(&writer->sql->text, (unsigned char)*format);
	}
}

static void add_range(struct writer *writer, const char *column, const struct query_term *term)
{
	buf_addf(&writer->sql->text, "(%s BETWEEN ", column);
	add_number(writer, term->low);
	buf_add_string(&writer->sql->text, " AND ");
	add_number(writer, term->high);
	buf_add_byte(&writer->sql->text, ')');
}

/* Rows do not say: the evaluator will. */
static void add_unknown(struct writer *writer)
{
	buf_add_byte(&writer->sql->text, writer->at_least ? '1' : '0');
}

/* Columns with numbers. NULL: not in a row. */
static const char *range_column(enum query_of of, enum query_field_id field)
{
	static const struct {
		enum query_field_id field;
		const char *alert, *incident;
	} columns[] = {
		{FIELD_FIRST, "a.time_ns", "p.lo"},
		{FIELD_LAST, "a.time_ns", "p.hi"},
		{FIELD_RECEIVED, "a.received_ns", NULL},
		{FIELD_COUNT, "a.count", NULL},
		{FIELD_LEAF, "a.leaf", NULL},
		{FIELD_RISK, NULL, "p.risk"},
		{FIELD_NUMBER, NULL, "i.number"},
		{FIELD_ALERTS, NULL, "p.n"},
		{FIELD_RESOLVED, NULL, "coalesce(i.resolved_ns, 0)"},
	};
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		if (columns[i].field == field)
			return of == QUERY_OF_ALERTS ? columns[i].alert : columns[i].incident;
	return NULL;
}

/* Bits: "%" is the mask. NULL: not in a row. */
static const char *mask_sql(enum query_of of, enum query_kind kind)
{
	static const struct {
		enum query_kind kind;
		const char *alert, *incident;
	} rows[] = {
		{QUERY_SEVERITY, "(% >> (a.bits & 15) & 1)", "(% >> p.severity & 1)"},
		{QUERY_ACTION, "(% >> (a.bits >> 4 & 15) & 1)", NULL},
		{QUERY_ALERT_FLAG, "(a.bits >> 8 & % <> 0)", NULL},
		{QUERY_TACTIC, "a.attack IN (SELECT id FROM attack WHERE tactics & % <> 0)",
			"(p.tactics & % <> 0)"},
		{QUERY_SOURCE, "a.origin IN (SELECT id FROM origin WHERE % >> source & 1)", NULL},
		{QUERY_STATE, NULL, "(% >> i.state & 1)"},
		{QUERY_VERDICT, NULL, "(% >> i.verdict & 1)"},
		{QUERY_INCIDENT_FLAG, NULL,
			"(((coalesce(i.sealed_ns, 0) <> 0)"
			" | ((coalesce(i.snoozed_until_ns, 0) <> 0) << 1) | ((p.frozen <> 0) << 2)"
			" | ((coalesce(i.recurrence_of, 0) <> 0) << 3)"
			" | ((coalesce(i.split_from, 0) <> 0) << 4)) & % <> 0)"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].kind == kind)
			return of == QUERY_OF_ALERTS ? rows[i].alert : rows[i].incident;
	return NULL;
}

#define SEEN "a.entity IN (SELECT id FROM entity WHERE query_seen(@, packed, ^))"

/* Texts of alerts: "@" is the term. NULL: not in a row. */
static const char *alert_text_sql(enum query_field_id field)
{
	static const char *const rows[] = {
		[FIELD_CLUSTER] = SEEN,
		[FIELD_NAMESPACE] = SEEN,
		[FIELD_POD] = SEEN,
		[FIELD_POD_UID] = SEEN,
		[FIELD_NODE] = SEEN,
		[FIELD_CONTAINER] = SEEN,
		[FIELD_CONTAINER_ID] = SEEN,
		[FIELD_RULE] = ("a.fingerprint IN (SELECT id FROM fingerprint WHERE rule IN"
				" (SELECT id FROM rule WHERE query_texts(@, name)))"),
		[FIELD_SENSOR] = ("a.fingerprint IN (SELECT id FROM fingerprint WHERE sensor IN"
				  " (SELECT id FROM sensor WHERE query_texts(@, name)))"),
		[FIELD_FINGERPRINT] =
			"a.fingerprint IN (SELECT id FROM fingerprint WHERE query_hex(@, hash))",
		[FIELD_PROCESS] =
			"a.process IN (SELECT id FROM process WHERE query_texts(@, name))",
		[FIELD_EXE] = "a.process IN (SELECT id FROM process WHERE query_texts(@, exe))",
		[FIELD_PARENT] =
			"a.process IN (SELECT id FROM process WHERE query_texts(@, parent))",
		[FIELD_USER] = "a.process IN (SELECT id FROM process WHERE query_texts(@, user))",
		[FIELD_IMAGE] =
			"a.image IN (SELECT id FROM image WHERE query_texts(@, name, digest))",
		[FIELD_ANY_TEXT] = NULL,
	};
	return rows[field];
}

/* One rule by its whole name: an index finds it. */
static bool add_rule_name(struct writer *writer, const struct query_term *term)
{
	const struct query_binding name = {.kind = BINDING_TEXT, .text = term->match.text};
	if (term->field->id != FIELD_RULE || term->match.kind != MATCH_EXACT)
		return false;
	buf_add_string(&writer->sql->text, "a.fingerprint IN (SELECT id FROM fingerprint WHERE"
					   " rule = (SELECT id FROM rule WHERE name = ");
	add_binding(writer, &name);
	buf_add_string(&writer->sql->text, "))");
	return true;
}

/* Likewise a whole fingerprint. */
static bool add_fingerprint(struct writer *writer, const struct query_term *term)
{
	if (term->field->id != FIELD_FINGERPRINT || term->match.kind != MATCH_WILDCARD ||
		term->match.text.size != 2 * (size_t)FINGERPRINT_BYTES)
		return false;
	char *hash = arena_bytes(writer->sql->arena, FINGERPRINT_BYTES);
	if (!hash || !text_to_bytes(term->match.text, hash, FINGERPRINT_BYTES))
		return false;
	const struct query_binding value = {
		.kind = BINDING_BLOB, .text = {hash, FINGERPRINT_BYTES}};
	buf_add_string(
		&writer->sql->text, "a.fingerprint IN (SELECT id FROM fingerprint WHERE hash = ");
	add_binding(writer, &value);
	buf_add_byte(&writer->sql->text, ')');
	return true;
}

static void add_alert_text(struct writer *writer, const struct query_term *term)
{
	const char *sql = alert_text_sql(term->field->id);
	if (add_rule_name(writer, term) || add_fingerprint(writer, term))
		return;
	if (sql)
		add_sql(writer, sql, term, 0);
	else
		add_unknown(writer);
}

/* Where an incident is: its key, its members or what is kept of them says so. */
static void add_place(struct writer *writer, const struct query_term *term, const char *frozen)
{
	if (!writer->at_least || match_has(&term->match, TEXT_NONE)) {
		add_unknown(writer);
		return;
	}
	add_sql(writer,
		"(query_key(@, k.text) OR EXISTS (SELECT 1 FROM member m JOIN entity e ON e.id ="
		" m.entity WHERE m.number = i.number AND query_place(@, e.packed))",
		term, 0);
	add_sql(writer, frozen, term, 0);
	buf_add_byte(&writer->sql->text, ')');
}

#define FROZEN(texts)                                                                              \
	" OR p.frozen <> 0 AND EXISTS (SELECT 1 FROM frozen_incident z WHERE z.number = i.number"  \
	" AND " texts ")"

/* Ids of what the term finds in a table of names, ascending. */
static bool find_ids(
	struct writer *writer, const struct match *match, const char *sql, struct query_ids *ids)
{
	sqlite3_stmt *statement = connection_statement(writer->connection, sql, writer->err);
	ids->ids = arena_array(writer->sql->arena, RULES_MAX, sizeof *ids->ids);
	ids->empty = match_has(match, TEXT_NONE);
	int step = statement && ids->ids ? 1 : -1;
	while (step > 0 && (step = sql_step(statement, writer->err)) > 0)
		if (match_has(match, sql_text(statement, 1)) && ids->n < RULES_MAX)
			ids->ids[ids->n++] = sql_i64(statement, 0);
	if (statement && !ids->ids)
		err_set(writer->err, ERR_MEMORY, "out of memory for a query");
	if (step < 0)
		writer->failed = true;
	return step == 0;
}

static void add_rules(struct writer *writer, const struct query_term *term)
{
	struct query_ids *ids = arena_alloc(writer->sql->arena, sizeof *ids);
	if (!ids) {
		err_set(writer->err, ERR_MEMORY, "out of memory for a query");
		writer->failed = true;
		return;
	}
	if (!find_ids(writer, &term->match, "SELECT id, name FROM rule ORDER BY id", ids))
		return;
	if (ids->n == RULES_MAX) {
		add_unknown(writer);
		return;
	}
	buf_add_string(&writer->sql->text, "query_rules(");
	add_pointer(writer, ids);
	buf_add_string(&writer->sql->text, ", p.rules)");
}

static void add_sensors(struct writer *writer, const struct query_term *term)
{
	uint64_t mask = 0;
	struct query_ids ids = {0};
	if (!find_ids(writer, &term->match, "SELECT id, name FROM sensor ORDER BY id", &ids))
		return;
	for (size_t i = 0; i < ids.n; i++)
		mask |= UINT64_C(1) << ids.ids[i];
	add_sql(writer, "(p.sensors & % <> 0 OR p.sensors = 0 AND ", term, (int64_t)mask);
	buf_addf(&writer->sql->text, "%d)", ids.empty);
}

static void add_incident_text(struct writer *writer, const struct query_term *term)
{
	switch (term->field->id) {
	case FIELD_ASSIGNEE:
		add_sql(writer, "query_texts(@, i.assignee)", term, 0);
		break;
	case FIELD_RULE:
		add_rules(writer, term);
		break;
	case FIELD_SENSOR:
		add_sensors(writer, term);
		break;
	case FIELD_CLUSTER:
	case FIELD_POD_UID:
		add_place(writer, term, "");
		break;
	case FIELD_NAMESPACE:
		add_place(writer, term, FROZEN("query_texts(@, z.namespace)"));
		break;
	case FIELD_POD:
		add_place(writer, term, FROZEN("query_texts(@, z.pod)"));
		break;
	case FIELD_WORKLOAD:
		add_place(writer, term, " OR p.frozen <> 0");
		break;
	case FIELD_NODE:
		add_place(writer, term, FROZEN("query_texts(@, z.node)"));
		break;
	case FIELD_CONTAINER:
	case FIELD_CONTAINER_ID:
		add_place(writer, term, FROZEN("query_texts(@, z.container)"));
		break;
	default:
		add_unknown(writer);
		break;
	}
}

static void add_term(struct writer *writer, enum query_of of, const struct query_term *term)
{
	const char *range = range_column(of, term->field->id);
	const char *mask = mask_sql(of, term->field->kind);
	bool of_suppressed =
		term->field->id == FIELD_INCIDENT_FLAG && term->mask & QUERY_IS_SUPPRESSED;
	if (term->test == QUERY_TEST_RANGE && range)
		add_range(writer, range, term);
	else if (term->test == QUERY_TEST_MASK && mask && !of_suppressed)
		add_sql(writer, mask, term, term->mask);
	else if (term->field->id == FIELD_TECHNIQUE && of == QUERY_OF_ALERTS)
		add_sql(writer,
			"a.attack IN (SELECT id FROM attack WHERE query_codes(@, techniques))",
			term, 0);
	else if (term->test != QUERY_TEST_MATCH)
		add_unknown(writer);
	else if (of == QUERY_OF_ALERTS)
		add_alert_text(writer, term);
	else
		add_incident_text(writer, term);
}

static void add_node(struct writer *writer, enum query_of of, const struct query_node *node)
{
	struct buf *out = &writer->sql->text;
	const char *between = "";
	if (node->kind == QUERY_TERM) {
		add_term(writer, of, &node->term);
		return;
	}
	if (node->kind == QUERY_NOT) {
		buf_add_string(out, "NOT ");
		writer->at_least = !writer->at_least;
	}
	buf_add_byte(out, '(');
	for (const struct query_node *inner = node->first; inner; inner = inner->next) {
		buf_add_string(out, between);
		between = node->kind == QUERY_OR ? " OR " : " AND ";
		add_node(writer, of, inner);
	}
	if (!node->first)
		buf_add_byte(out, '1');
	buf_add_byte(out, ')');
	if (node->kind == QUERY_NOT)
		writer->at_least = !writer->at_least;
}

int query_sql_init(struct query_sql *sql, struct connection *connection, const struct query *query,
	struct arena *arena, struct err *err)
{
	struct writer writer = {.sql = sql, .connection = connection, .at_least = true, .err = err};
	sql->n_bindings = 0;
	sql->arena = arena;
	buf_init(&sql->text, SQL_BYTES);
	if (!query) {
		buf_add_byte(&sql->text, '1');
		return buf_ok(&sql->text) ? 0 : buf_error(&sql->text, err, "a query");
	}
	if (query_functions_add(connection, err) < 0)
		return -1;
	add_node(&writer, query->of, query->root);
	if (writer.failed)
		return -1;
	return buf_ok(&sql->text) ? 0 : buf_error(&sql->text, err, "a query");
}

void query_sql_done(struct query_sql *sql)
{
	buf_done(&sql->text);
}

static void bind(sqlite3_stmt *statement, const struct query_sql *sql)
{
	for (size_t i = 0; i < sql->n_bindings; i++) {
		const struct query_binding *binding = &sql->bindings[i];
		int at = QUERY_SQL_FIRST + (int)i;
		switch (binding->kind) {
		case BINDING_NUMBER:
			sql_bind_i64(statement, at, binding->number);
			break;
		case BINDING_TEXT:
			sql_bind_text(statement, at, binding->text);
			break;
		case BINDING_BLOB:
			sql_bind_blob(statement, at, binding->text.data, binding->text.size);
			break;
		case BINDING_POINTER:
			sqlite3_bind_pointer(statement, at, (void *)(uintptr_t)binding->pointer,
				QUERY_POINTER, NULL);
			break;
		}
	}
}

sqlite3_stmt *query_sql_prepare(struct connection *connection, const struct query_sql *sql,
	const char *head, const char *tail, struct err *err)
{
	AUTO(buf_done) struct buf text;
	sqlite3_stmt *statement = NULL;
	buf_init(&text, 2 * SQL_BYTES);
	buf_addf(&text, "%s(%s)%s", head, buf_string(&sql->text), tail);
	if (!buf_ok(&text)) {
		buf_error(&text, err, "a query");
		return NULL;
	}
	int code = sqlite3_prepare_v2(
		connection->db, buf_string(&text), (int)text.size, &statement, NULL);
	if (code != SQLITE_OK) {
		connection_error(connection->db, code, err);
		return NULL;
	}
	bind(statement, sql);
	return statement;
}
