/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/utf8.h"
#include "net/http_private.h"

struct text http_query(struct http_request *request, const char *name)
{
	struct text value = text_of(
		MHD_lookup_connection_value(request->connection->mhd, MHD_GET_ARGUMENT_KIND, name));
	struct text decoded = {NULL, 0};
	return http_decode(value, &request->arena, &decoded) ? decoded : TEXT_NONE;
}

/* The value of one parameter of several of a name. */
struct wanted_value {
	const char *name;
	unsigned left; /* of its values to be passed over */
	const char *found;
};

static enum MHD_Result find_value(
	void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct wanted_value *wanted = ctx;
	(void)kind;
	if (strcmp(name, wanted->name) != 0)
		return MHD_YES;
	if (wanted->left-- > 0)
		return MHD_YES;
	wanted->found = value ? value : "";
	return MHD_NO;
}

struct text http_query_at(struct http_request *request, const char *name, unsigned i)
{
	struct wanted_value wanted = {.name = name, .left = i};
	struct text decoded = {NULL, 0};
	MHD_get_connection_values(
		request->connection->mhd, MHD_GET_ARGUMENT_KIND, find_value, &wanted);
	return wanted.found && http_decode(text_of(wanted.found), &request->arena, &decoded)
		       ? decoded
		       : TEXT_NONE;
}

/* Escapes are still there; microhttpd has made spaces of plus signs. */
static void write_plain(struct buf *out, const char *text)
{
	for (; text && *text; text++)
		buf_add_byte(out, *text == ' ' ? '+' : (unsigned char)*text);
}

static enum MHD_Result write_parameter(
	void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct buf *out = ctx;
	(void)kind;
	buf_add_byte(out, '&');
	write_plain(out, name);
	if (value)
		buf_add_byte(out, '=');
	write_plain(out, value);
	return MHD_YES;
}

void http_query_write(struct http_request *request, struct buf *out)
{
	size_t at = out->size;
	MHD_get_connection_values(
		request->connection->mhd, MHD_GET_ARGUMENT_KIND, write_parameter, out);
	if (out->size > at)
		out->data[at] = '?';
}

/* What is allowed, and what was found that is not. */
struct query_check {
	struct http_request *request;
	const struct http_query_rules *rules;
	char *fault;
	size_t size;
	uint64_t seen; /* bit i: name i was there */
};

static size_t count_characters(struct text text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.size; i++)
		n += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return n;
}

static size_t place_of(const char *const *names, const char *name)
{
	size_t i = 0;
	while (names[i] && strcmp(names[i], name) != 0)
		i++;
	return i;
}

/* What is wrong with one value; NULL: nothing. */
static const char *find_fault(const struct http_query_rules *rules, struct text value, bool phrase)
{
	if (!utf8_valid(value))
		return "is not UTF-8";
	if (!value.size && !phrase && !rules->may_be_empty)
		return "is empty: leave it out";
	if (count_characters(value) >
		(phrase ? rules->phrase_characters_max : rules->characters_max))
		return "is too long";
	return NULL;
}

/* What is wrong with one parameter; NULL: nothing. */
static const char *look_at(struct query_check *check, size_t place, const char *value)
{
	const struct http_query_rules *rules = check->rules;
	const char *name = rules->names[place];
	struct text decoded = TEXT_NONE;
	uint64_t bit = UINT64_C(1) << (place & 63);
	bool again = check->seen & bit;
	if (!name)
		return "is no parameter of this path";
	check->seen |= bit;
	if (again && !rules->may_repeat)
		return "is there twice";
	if (!http_decode(text_of(value), &check->request->arena, &decoded))
		return "has a broken escape: give % and two hex digits, and no NUL";
	return find_fault(rules, decoded, rules->phrase && strcmp(name, rules->phrase) == 0);
}

static enum MHD_Result check_parameter(
	void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct query_check *check = ctx;
	size_t place = place_of(check->rules->names, name);
	(void)kind;
	const char *why = look_at(check, place, value);
	if (!why)
		return MHD_YES;
	text_format(check->fault, check->size, "'%.60s' %s", name, why);
	return MHD_NO;
}

bool http_query_is_good(struct http_request *request, const struct http_query_rules *rules,
	char *fault, size_t size)
{
	struct query_check check = {
		.request = request, .rules = rules, .fault = fault, .size = size};
	fault[0] = '\0';
	MHD_get_connection_values(
		request->connection->mhd, MHD_GET_ARGUMENT_KIND, check_parameter, &check);
	return fault[0] == '\0';
}
