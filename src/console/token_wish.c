/* SPDX-License-Identifier: Apache-2.0 */
#include "console/token_wish.h"

#include <string.h>

#include "base/clock.h"
#include "base/pull.h"
#include "model/source.h"

enum { NAME_BYTES_MAX = 64, NODE_BYTES_MAX = 253, SHOWN_BYTES_MAX = 40 };

static const struct pull_limits limits = {
	.max_depth = 2, .max_string_bytes = 256, .max_keys = 16, .max_bytes = 16 * 1024};

struct wish {
	struct text name, role, cluster, node, subject, expires;
	uint32_t sources; /* 0: all */
	struct scope scope;
};

static struct text *find_member(struct wish *wish, struct text key)
{
	const struct {
		const char *key;
		struct text *place;
	} members[] = {{"name", &wish->name}, {"role", &wish->role}, {"cluster", &wish->cluster},
		{"node", &wish->node}, {"subject", &wish->subject}, {"expires", &wish->expires}};
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (text_is(key, members[i].key))
			return members[i].place;
	return NULL;
}

/* The array behind "sources". An empty one is refused: it would read as "all". */
static int read_sources(struct pull *pull, uint32_t *sources, struct err *err)
{
	enum pull_event event = pull_next(pull);
	size_t n = 0;
	if (event == PULL_ARRAY)
		for (; (event = pull_next(pull)) == PULL_STRING; n++) {
			enum source source = source_parse(pull->value);
			if (source == SOURCE_NONE)
				return err_set(err, ERR_INPUT, "sources: %s", source_names());
			*sources |= 1U << source;
		}
	if (event == PULL_BAD)
		return pull_error(pull, err);
	if (event != PULL_ARRAY_END || n == 0)
		return err_set(err, ERR_INPUT,
			"sources must be an array of names; leave it out for all sources");
	return 0;
}

/* The array behind "namespaces". An empty one is refused: it would read as "none". */
static int read_namespaces(struct pull *pull, struct wish *wish, struct err *err)
{
	enum pull_event event = pull_next(pull);
	if (wish->scope.patterns.n)
		return err_set(err, ERR_INPUT, "'namespaces' is there twice");
	if (event == PULL_ARRAY)
		while ((event = pull_next(pull)) == PULL_STRING)
			if (scope_add(&wish->scope, pull->arena, pull->value, err) < 0)
				return -1;
	if (event == PULL_BAD)
		return pull_error(pull, err);
	if (event != PULL_ARRAY_END || wish->scope.patterns.n == 0)
		return err_set(err, ERR_INPUT,
			"namespaces must be an array of NAMESPACE or CLUSTER/NAMESPACE; leave it "
			"out for everything");
	return 0;
}

static int read_member(struct pull *pull, struct wish *wish, struct err *err)
{
	struct text key = pull->value;
	if (text_is(key, "namespaces"))
		return read_namespaces(pull, wish, err);
	if (text_is(key, "sources"))
		return read_sources(pull, &wish->sources, err);
	struct text *place = find_member(wish, key);
	int shown = (int)(key.size < SHOWN_BYTES_MAX ? key.size : SHOWN_BYTES_MAX);
	if (!place)
		return err_set(err, ERR_INPUT,
			"unknown member '%.*s': name, role, cluster, sources, node, subject, "
			"namespaces, expires",
			shown, key.data);
	enum pull_event event = pull_next(pull);
	if (event == PULL_BAD)
		return pull_error(pull, err);
	if (event != PULL_STRING)
		return err_set(err, ERR_INPUT, "'%.*s' must be a string", shown, key.data);
	*place = pull->value;
	return 0;
}

static int read_wish(struct text body, struct arena *arena, struct wish *wish, struct err *err)
{
	struct pull pull;
	enum pull_event event;
	pull_init(&pull, body, arena, &limits);
	event = pull_next(&pull);
	if (event != PULL_OBJECT && event != PULL_BAD)
		return err_set(err, ERR_INPUT, "the body must be a JSON object");
	while (event != PULL_BAD && (event = pull_next(&pull)) == PULL_KEY)
		if (read_member(&pull, wish, err) < 0)
			return -1;
	if (event == PULL_BAD || pull_next(&pull) != PULL_END)
		return pull_error(&pull, err);
	if (text_trim(pull_rest(&pull)).size)
		return err_set(err, ERR_INPUT, "something follows the JSON object");
	return 0;
}

static bool is_name(struct text name, size_t max)
{
	if (name.size == 0 || name.size > max)
		return false;
	for (size_t i = 0; i < name.size; i++) {
		char byte = text_lower(name.data[i]);
		bool letter = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
		if (!letter && !memchr("._-", byte, 3))
			return false;
	}
	return true;
}

/* As RFC 4514 writes it: other forms would never be a certificate's. */
static int check_subject(struct text subject, struct err *err)
{
	bool good = subject.size == 0 || text_find(subject, TEXT("="), 1) != SIZE_MAX;
	for (size_t i = 0; i < subject.size; i++) {
		bool is_gap = i > 1 && subject.data[i] == ' ' && subject.data[i - 1] == ',' &&
			      subject.data[i - 2] != '\\';
		good = good && (unsigned char)subject.data[i] >= ' ' && !is_gap &&
		       !(subject.data[i] == ' ' && subject.data[i - (i > 0)] == '=');
	}
	return good ? 0
		    : err_set(err, ERR_INPUT,
			      "subject must be as \"openssl x509 -noout -subject -nameopt "
			      "RFC2253\" "
			      "shows it, as CN=node-1,O=example");
}

static int check_names(const struct wish *wish, struct err *err)
{
	if (!is_name(wish->name, NAME_BYTES_MAX) || !is_name(wish->cluster, NAME_BYTES_MAX))
		return err_set(err, ERR_INPUT,
			"name and cluster must be 1 to %d letters, digits, '.', '_' or '-'",
			NAME_BYTES_MAX);
	if (wish->node.size && !is_name(wish->node, NODE_BYTES_MAX))
		return err_set(err, ERR_INPUT,
			"node must be at most %d letters, digits, '.', '_' or '-'", NODE_BYTES_MAX);
	return 0;
}

static int check_scope(const struct wish *wish, enum role role, struct err *err)
{
	if (wish->scope.patterns.n == 0 || (role != ROLE_SOURCE && role != ROLE_ADMIN))
		return 0;
	return err_set(err, ERR_INPUT,
		"namespaces go with viewer, analyst and responder: an admin sees everything, a "
		"source reads nothing");
}

/* Without memory for its bounds it would have none. */
static int copy_texts(
	const struct wish *wish, struct arena *arena, struct credential *out, struct err *err)
{
	out->name = arena_copy(arena, wish->name);
	out->cluster = arena_copy(arena, wish->cluster);
	out->node = arena_copy(arena, wish->node);
	out->subject = arena_copy(arena, wish->subject);
	return arena->failed ? err_set(err, ERR_MEMORY, "out of memory for a token") : 0;
}

int token_wish_read(struct text body, struct arena *arena, struct credential *out, struct err *err)
{
	struct wish wish = {.role = TEXT("source"), .cluster = TEXT("default")};
	struct credential credential = {0};
	if (read_wish(body, arena, &wish, err) < 0)
		return -1;
	if (check_names(&wish, err) < 0)
		return -1;
	if (!role_parse(wish.role, &credential.role))
		return err_set(
			err, ERR_INPUT, "role must be source, viewer, analyst, responder or admin");
	if (check_scope(&wish, credential.role, err) < 0 || check_subject(wish.subject, err) < 0)
		return -1;
	if (wish.expires.data && !clock_parse_bound(wish.expires, &credential.expires_at_ns))
		return err_set(err, ERR_INPUT, "expires must be RFC 3339, as 2027-01-01T00:00:00Z");
	credential.scope = wish.scope;
	credential.sources = wish.sources ? wish.sources : UINT32_MAX & ~1U;
	if (copy_texts(&wish, arena, &credential, err) < 0)
		return -1;
	*out = credential;
	return 0;
}
