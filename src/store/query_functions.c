/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query_functions.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "model/edit.h"
#include "model/entity.h"
#include "model/query_eval.h"
#include "model/workload.h"

enum { ARGUMENTS_MAX = 8, HEX_BYTES = 2 * FINGERPRINT_BYTES + 1 };

static struct text value_text(sqlite3_value *value)
{
	const void *bytes = sqlite3_value_blob(value); /* of text, its UTF-8 */
	return (struct text){bytes, bytes ? (size_t)sqlite3_value_bytes(value) : 0};
}

static const struct query_term *term_of(sqlite3_value *value)
{
	return sqlite3_value_pointer(value, QUERY_POINTER);
}

static void answer(sqlite3_context *context, bool yes)
{
	sqlite3_result_int(context, yes);
}

static void run_texts(sqlite3_context *context, int n, sqlite3_value **values)
{
	struct text texts[ARGUMENTS_MAX];
	size_t n_texts = 0;
	const struct query_term *term = term_of(values[0]);
	for (int i = 1; i < n && n_texts < ARGUMENTS_MAX; i++) {
		struct text text = value_text(values[i]);
		if (text.size)
			texts[n_texts++] = text;
	}
	answer(context, term && match_has_any(&term->match, texts, n_texts));
}

static void run_hex(sqlite3_context *context, int n, sqlite3_value **values)
{
	char hex[HEX_BYTES];
	const struct query_term *term = term_of(values[0]);
	struct text bytes = value_text(values[1]);
	(void)n;
	if (!term || bytes.size != FINGERPRINT_BYTES) {
		answer(context, false);
		return;
	}
	text_hex(hex, bytes.data, bytes.size);
	answer(context, match_has(&term->match, text_of(hex)));
}

static void run_codes(sqlite3_context *context, int n, sqlite3_value **values)
{
	bool found = false;
	const struct query_term *term = term_of(values[0]);
	struct cursor cursor = cursor_of(value_text(values[1]));
	(void)n;
	while (term && !found && cursor_left(&cursor) >= 4) {
		int64_t code = cursor_be32(&cursor);
		found = code >= term->low && code <= term->high;
	}
	answer(context, found);
}

/* What an observed tuple says about a term. */
enum saying { SAYS_NO, SAYS_YES, SAYS_NOTHING };

static enum saying text_says(const struct query_term *term, struct text text)
{
	return match_has_any(&term->match, &text, text.size > 0) ? SAYS_YES : SAYS_NO;
}

/* Namespace and pod are in the tuple only where both were known. */
static enum saying name_says(const struct query_term *term, struct text name)
{
	struct text pod = name, namespace = TEXT_NONE;
	if (!name.size)
		return SAYS_NOTHING;
	text_split(&pod, '/', &namespace);
	if (term->field->id == FIELD_WORKLOAD)
		return text_says(term, workload_guess(pod).name);
	return text_says(term, term->field->id == FIELD_POD ? pod : namespace);
}

static enum saying seen_says(const struct query_term *term, const struct identity_seen *seen)
{
	switch (term->field->id) {
	case FIELD_CLUSTER:
		return text_says(term, seen->cluster);
	case FIELD_POD_UID:
		return text_says(term, seen->uid);
	case FIELD_NODE:
		return text_says(term, seen->node);
	case FIELD_CONTAINER_ID:
		return text_says(term, seen->container);
	case FIELD_CONTAINER: /* the id is there, the name is not */
		return seen->container.size && text_says(term, seen->container) == SAYS_YES
			       ? SAYS_YES
			       : SAYS_NOTHING;
	case FIELD_NAMESPACE:
	case FIELD_POD:
	case FIELD_WORKLOAD:
		return name_says(term, seen->name);
	default:
		return SAYS_NOTHING;
	}
}

static enum saying packed_says(const struct query_term *term, struct text packed)
{
	struct identity_seen seen;
	if (!term || !identity_seen_unpack(packed, &seen))
		return SAYS_NOTHING;
	return seen_says(term, &seen);
}

static void run_seen(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct query_term *term = term_of(values[0]);
	enum saying saying = packed_says(term, value_text(values[1]));
	(void)n;
	answer(context, saying == SAYS_NOTHING ? sqlite3_value_int(values[2]) : saying == SAYS_YES);
}

static void run_place(sqlite3_context *context, int n, sqlite3_value **values)
{
	(void)n;
	answer(context, packed_says(term_of(values[0]), value_text(values[1])) != SAYS_NO);
}

/* The key's own part of what is known about an incident. */
static bool key_says(const struct query_term *term, struct text key)
{
	enum entity_kind kind;
	struct identity_seen seen = {.cluster = TEXT_NONE};
	struct text value;
	size_t carved = key.size > CARVED_BYTES ? key.size - CARVED_BYTES - 1 : 0;
	if (carved && key.data[carved] == '#')
		key.size = carved;
	if (!entity_key_parse(key, &kind, &seen.cluster, &value))
		return true;
	if (kind == ENTITY_POD)
		seen.uid = value;
	else if (kind == ENTITY_POD_NAME)
		seen.name = value;
	else if (kind == ENTITY_CONTAINER)
		seen.container = value;
	else if (kind == ENTITY_NODE)
		seen.node = value;
	return seen_says(term, &seen) == SAYS_YES;
}

static void run_key(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct query_term *term = term_of(values[0]);
	(void)n;
	answer(context, !term || key_says(term, value_text(values[1])));
}

static int compare_ids(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

static void run_rules(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct query_ids *ids = sqlite3_value_pointer(values[0], QUERY_POINTER);
	struct cursor cursor = cursor_of(value_text(values[1]));
	bool found = ids && cursor_left(&cursor) == 0 && ids->empty;
	(void)n;
	while (ids && ids->n && !found && cursor_left(&cursor)) {
		int64_t id = (int64_t)cursor_varint(&cursor);
		found = bsearch(&id, ids->ids, ids->n, sizeof id, compare_ids);
		cursor_varint(&cursor); /* points */
		cursor_varint(&cursor); /* tactics */
	}
	answer(context, found);
}

int query_functions_add(struct connection *connection, struct err *err)
{
	static const struct {
		const char *name;
		int n;
		void (*run)(sqlite3_context *context, int n, sqlite3_value **values);
	} functions[] = {
		{"query_texts", -1, run_texts},
		{"query_hex", 2, run_hex},
		{"query_codes", 2, run_codes},
		{"query_seen", 3, run_seen},
		{"query_place", 2, run_place},
		{"query_key", 2, run_key},
		{"query_rules", 2, run_rules},
	};
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		int code = sqlite3_create_function_v2(connection->db, functions[i].name,
			functions[i].n, flags, NULL, functions[i].run, NULL, NULL, NULL);
		if (code != SQLITE_OK)
			return connection_error(connection->db, code, err);
	}
	return 0;
}
