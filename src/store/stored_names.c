/* SPDX-License-Identifier: Apache-2.0 */
#include "store/stored_names.h"

#include "base/buf.h"
#include "base/cleanup.h"

enum { PREFIX_BYTES_MAX = 256, LOOKED_AT_MAX = 20000 };

#define PLACE_PARTS                                                                                \
	"substr(name, 1, instr(name, '/') - 1) AS cluster,"                                        \
	" substr(name, instr(name, '/') + 1) AS rest FROM workload WHERE name NOT LIKE 'node:%'"

/* Each gives name, cluster and namespace ('' where it has none) by the pattern ?1. */
static const struct {
	enum query_field_id field;
	bool tells_of_places; /* its rows say whose they are; others are for those who see all */
	const char *sql;
} sources[] = {
	{FIELD_RULE, true,
		"SELECT name, '', '' FROM rule WHERE name LIKE ?1 ESCAPE '\\' ORDER BY 1"},
	{FIELD_SENSOR, true,
		"SELECT name, '', '' FROM sensor WHERE name LIKE ?1 ESCAPE '\\' ORDER BY 1"},
	{FIELD_CLUSTER, false,
		"SELECT DISTINCT cluster, '', '' FROM origin WHERE cluster LIKE ?1 ESCAPE '\\'"
		" ORDER BY 1"},
	{FIELD_NAMESPACE, true,
		"SELECT DISTINCT ns, cluster, ns FROM"
		" (SELECT substr(rest, 1, instr(rest, '/') - 1) AS ns, cluster FROM"
		" (SELECT " PLACE_PARTS ")) WHERE ns LIKE ?1 ESCAPE '\\' ORDER BY 1"},
	{FIELD_WORKLOAD, true,
		"SELECT DISTINCT wl, cluster, ns FROM"
		" (SELECT substr(rest, 1, instr(rest, '/') - 1) AS ns,"
		" substr(rest, instr(rest, '/') + 1) AS wl, cluster FROM"
		" (SELECT " PLACE_PARTS ")) WHERE wl LIKE ?1 ESCAPE '\\' ORDER BY 1"},
	{FIELD_POD, true,
		"SELECT DISTINCT pod, cluster, ns FROM"
		" (SELECT substr(name, 1, instr(name, '/') - 1) AS ns,"
		" substr(name, instr(name, '/') + 1) AS pod, cluster FROM entity"
		" WHERE name IS NOT NULL) WHERE pod LIKE ?1 ESCAPE '\\' ORDER BY 1"},
	{FIELD_NODE, false,
		"SELECT DISTINCT node, '', '' FROM entity WHERE node LIKE ?1 ESCAPE '\\' ORDER BY "
		"1"},
	{FIELD_IMAGE, false,
		"SELECT DISTINCT name, '', '' FROM image WHERE name LIKE ?1 ESCAPE '\\' ORDER BY "
		"1"},
	{FIELD_PROCESS, false,
		"SELECT DISTINCT name, '', '' FROM process WHERE name LIKE ?1 ESCAPE '\\' ORDER BY "
		"1"},
	{FIELD_EXE, false,
		"SELECT DISTINCT exe, '', '' FROM process WHERE exe LIKE ?1 ESCAPE '\\' ORDER BY "
		"1"},
	{FIELD_PARENT, false,
		"SELECT DISTINCT parent, '', '' FROM process WHERE parent LIKE ?1 ESCAPE '\\'"
		" ORDER BY 1"},
	{FIELD_USER, false,
		"SELECT DISTINCT user, '', '' FROM process WHERE user LIKE ?1 ESCAPE '\\' ORDER BY "
		"1"},
	{FIELD_ASSIGNEE, false,
		"SELECT DISTINCT assignee, '', '' FROM incident WHERE assignee LIKE ?1 ESCAPE '\\'"
		" ORDER BY 1"},
};

/* The prefix as LIKE reads it. */
static void write_pattern(struct text prefix, struct buf *out)
{
	for (size_t i = 0; i < prefix.size; i++) {
		char byte = prefix.data[i];
		if (byte == '%' || byte == '_' || byte == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, (unsigned char)byte);
	}
	buf_add_byte(out, '%');
}

static bool is_wanted(const struct stored_names_wish *wish, sqlite3_stmt *row, struct text name)
{
	struct text namespace = sql_text(row, 2);
	bool again = wish->n && text_equal(wish->items[wish->n - 1], name);
	return name.size && !again &&
	       (!namespace.size || scope_includes(wish->scope, sql_text(row, 1), namespace));
}

static int read_names(struct connection *connection, const char *sql,
	struct stored_names_wish *wish, struct err *err)
{
	AUTO(buf_done) struct buf pattern;
	int step = 0;
	buf_init(&pattern, 4 * PREFIX_BYTES_MAX);
	write_pattern(text_part(wish->prefix, 0, PREFIX_BYTES_MAX), &pattern);
	sqlite3_stmt *statement = connection_statement(connection, sql, err);
	if (!statement)
		return -1;
	sql_bind_text(statement, 1, buf_text(&pattern));
	for (size_t i = 0; i < LOOKED_AT_MAX && wish->n < STORED_NAMES_MAX; i++) {
		step = sql_step(statement, err);
		if (step <= 0)
			break;
		struct text name = sql_text(statement, 0);
		if (is_wanted(wish, statement, name))
			wish->items[wish->n++] = arena_copy(wish->arena, name);
	}
	sqlite3_reset(statement);
	if (wish->arena->failed)
		return err_set(err, ERR_MEMORY, "out of memory for completions");
	return step < 0 ? -1 : 0;
}

int stored_names_find(
	struct connection *connection, struct stored_names_wish *wish, struct err *err)
{
	wish->n = 0;
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
		if (sources[i].field == wish->field &&
			(sources[i].tells_of_places || scope_is_all(wish->scope)))
			return read_names(connection, sources[i].sql, wish, err);
	return 0;
}
