/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/emit.h"
#include "documents/documents.h"
#include "documents/query.h"
#include "model/query_complete.h"
#include "store/stored_names.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, VALUE_BYTES = 8192 };

static void write_item(struct emitter *out, const char *kind, struct text text, const char *detail)
{
	emit_object(out);
	emit_member_string(out, "kind", kind);
	emit_key(out, "text");
	emit_text(out, text);
	if (detail)
		emit_member_string(out, "detail", detail);
	emit_object_end(out);
}

static void write_value(struct emitter *out, struct text value)
{
	AUTO(buf_done) struct buf written;
	buf_init(&written, VALUE_BYTES);
	query_value_write(value, &written);
	if (buf_ok(&written))
		write_item(out, "value", buf_text(&written), NULL);
}

static bool begins(struct text text, struct text prefix)
{
	return text_equal_nocase(text_part(text, 0, prefix.size), prefix);
}

static void write_fields(struct emitter *out, const struct query_spot *spot, enum query_of of)
{
	char text[64];
	for (const struct query_field *field = query_fields; field->name; field++) {
		if (!(field->of & (unsigned)of) || field == spot->field ||
			!begins(text_of(field->name), spot->prefix))
			continue;
		size_t size = text_format(text, sizeof text, "%s:", field->name);
		write_item(out, "field", (struct text){text, size}, field->text);
	}
}

/* For a whole name: how its values can be compared. */
static void write_operators(struct emitter *out, const struct query_spot *spot)
{
	char text[64];
	for (unsigned i = 0; i < N_QUERY_OPERATORS; i++) {
		enum query_operator op = (enum query_operator)i;
		if (!query_operator_fits(op, spot->field->kind))
			continue;
		size_t size = text_format(
			text, sizeof text, "%s%s", spot->field->name, query_operator_name(op));
		write_item(out, "operator", (struct text){text, size}, NULL);
	}
}

static void write_words(struct emitter *out, const struct query_spot *spot)
{
	static const char *const ages[] = {"15m", "1h", "2h", "12h", "24h", "7d", "30d"};
	static const char *const people[] = {"me", "none"};
	struct query_word word = {0};
	enum query_kind kind = spot->field->kind;
	for (size_t i = 0; query_word_at(kind, i, &word); i++)
		if (begins(text_of(word.name), spot->prefix))
			write_value(out, text_of(word.name));
	for (size_t i = 0; kind == QUERY_TIME && i < sizeof ages / sizeof ages[0]; i++)
		if (begins(text_of(ages[i]), spot->prefix))
			write_value(out, text_of(ages[i]));
	for (size_t i = 0; kind == QUERY_ASSIGNEE && i < 2; i++)
		if (begins(text_of(people[i]), spot->prefix))
			write_value(out, text_of(people[i]));
}

static int write_names(struct emitter *out, struct connection *connection,
	const struct query_spot *spot, const struct scope *scope, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	arena_init(&arena, ARENA_BYTES);
	struct stored_names_wish wish = {
		.field = spot->field->id, .prefix = spot->prefix, .scope = scope, .arena = &arena};
	if (stored_names_find(connection, &wish, err) < 0)
		return -1;
	for (size_t i = 0; i < wish.n; i++)
		write_value(out, wish.items[i]);
	return 0;
}

static int read_place(const struct document_query *query, size_t *at, struct err *err)
{
	uint64_t number = query->q.size;
	if (query->at.size && (!text_to_u64(query->at, &number) || number > QUERY_BYTES_MAX))
		return err_set(err, ERR_INPUT,
			"at must be where the cursor is in q, in bytes: a number up to %d",
			QUERY_BYTES_MAX);
	*at = (size_t)number;
	if (query->q.size > QUERY_BYTES_MAX)
		return err_set(err, ERR_INPUT, "a query has at most %d bytes", QUERY_BYTES_MAX);
	return 0;
}

static int read_of(const struct document_query *query, enum query_of *of, struct err *err)
{
	*of = QUERY_OF_INCIDENTS;
	if (!query->of.size || query_of_parse(query->of, of))
		return 0;
	return err_set(err, ERR_INPUT, "of must be incidents, alerts or fingerprints");
}

int document_complete(struct connection *connection, const struct document_query *query,
	struct buf *out, struct err *err)
{
	struct emitter emitter;
	struct query_spot spot;
	enum query_of of;
	size_t at = 0;
	if (read_place(query, &at, err) < 0 || read_of(query, &of, err) < 0)
		return -1;
	query_spot_find(query->q, at, of, &spot);
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_member_u64(&emitter, "position", spot.place);
	emit_member_u64(&emitter, "length", spot.size);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	if (spot.wanted == QUERY_WANTS_FIELD) {
		write_fields(&emitter, &spot, of);
		if (spot.field)
			write_operators(&emitter, &spot);
	} else if (spot.wanted == QUERY_WANTS_VALUE) {
		write_words(&emitter, &spot);
		if (query_kind_is_text(spot.field->kind) &&
			write_names(&emitter, connection, &spot, query->scope, err) < 0)
			return -1;
	}
	emit_array_end(&emitter);
	emit_object_end(&emitter);
	return 0;
}
