/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/secret_rows.h"

#include <assert.h>
#include <string.h>

#include "base/pull.h"

/*
 * Falco's Kubernetes audit plugin and its JSON plugin, by both roads. ka.req.configmap.obj is what
 * is in a ConfigMap; jevt.value[POINTER] (json.value in newer ones) any part of the audit event,
 * jevt.obj all of it. A field may be wrapped, as in "tolower(…)", and falcosidekick may write the
 * brackets as something else.
 * Source: falcosecurity/plugins k8saudit and json, falcosidekick bracketreplacer; seen 2026-11.
 */
static const struct secret_row falco_rows[] = {
	{.path = "/output_fields/*ka.req.configmap.obj*"},
	{.path = "/output_fields/*jevt.obj*"},
	{.path = "/output_fields/*json.obj*"},
	{.path = "/output_fields/*.value*Object"},
	{.path = "/output_fields/*.value*Object]*"},
	{.path = "/output_fields/*.value*Object~1data*"},
	{.path = "/output_fields/*.value*Object~1stringData*"},
	{.path = "/output_fields/*.value*Object~1items*"},
	{.path = "/output_fields/*.value*Object~1status"},
	{.path = "/output_fields/*.value*Object~1status]*"},
	{.path = "/output_fields/*.value*Object~1status~1token*"},
	{.path = "/output_fields/*.value*Object~1spec~1token*"},
	{.path = "/output_fields/*.value*Object~1metadata"},
	{.path = "/output_fields/*.value*Object~1metadata]*"},
	{.path = "/output_fields/*.value*Object~1metadata~1annotations"},
	{.path = "/output_fields/*.value*Object~1metadata~1annotations]*"},
	{.path = "/output_fields/*.value*Object~1metadata~1annotations*last-applied*"},
	{.path = "/rule", .what = SECRET_NAME},
	{.path = "/priority", .what = SECRET_NAME},
	{.path = "/source", .what = SECRET_NAME},
	{.path = "/hostname", .what = SECRET_NAME},
	{.path = "/time", .what = SECRET_NAME},
	{.path = "/uuid", .what = SECRET_NAME},
	{.path = "/tags/*", .what = SECRET_NAME},
	{.path = "/output_fields/evt.time*", .what = SECRET_NAME},
	{.path = "/output_fields/container.*", .what = SECRET_NAME},
	{.path = "/output_fields/k8s.*", .what = SECRET_NAME},
	{.path = "/output_fields/k8smeta.*", .what = SECRET_NAME},
	{.path = "/output_fields/ka.target.*", .what = SECRET_NAME},
	{.path = "/output_fields/ka.user.name", .what = SECRET_NAME},
	{.path = "/output_fields/ka.verb", .what = SECRET_NAME},
	{.path = "/output_fields/ka.resp.name", .what = SECRET_NAME},
};

static bool is_secret_pointer(struct text pointer)
{
	static const char *const whole[] = {
		"", "/", "/metadata", "/metadata/annotations", "/spec", "/status"};
	static const char *const begins[] = {"/data", "/stringData", "/spec/token", "/status/token",
		"/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"};
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		if (text_is(pointer, whole[i]))
			return true;
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (text_starts(pointer, text_of(begins[i])))
			return true;
	return false;
}

/* One operation of a JSON patch (RFC 6902): is its value put where secrets are? */
static bool is_secret_patch(struct text rest, struct arena *arena)
{
	struct pull reader;
	pull_init(&reader, rest, arena, &pull_limits_alert);
	enum pull_event what = pull_next(&reader);
	while (what != PULL_BAD && (what = pull_next(&reader)) == PULL_KEY) {
		if (!text_is(reader.value, "path")) {
			if (!pull_skip(&reader))
				return true;
			continue;
		}
		return pull_next(&reader) != PULL_STRING || is_secret_pointer(reader.value);
	}
	return true;
}

#define LAST_APPLIED "metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"

/*
 * The API server's audit events, alone and in an EventList. What is called data is cut whatever the
 * object's kind: a patch does not name it, and passwords stand in ConfigMaps as well. The objects
 * of a list name no kind either; a Table has them as rows.
 * Source: audit.k8s.io/v1, TokenRequest, TokenReview, Secret, kubectl apply.
 */
#define AUDIT_ROWS(event)                                                                          \
	{.path = event "/*Object/data/*"}, {.path = event "/*Object/stringData/*"},                \
		{.path = event "/*Object/status/token"}, {.path = event "/*Object/spec/token"},    \
		{.path = event "/*Object/" LAST_APPLIED},                                          \
		{.path = event "/*Object/items/*/data/*"},                                         \
		{.path = event "/*Object/items/*/stringData/*"},                                   \
		{.path = event "/*Object/items/*/" LAST_APPLIED},                                  \
		{.path = event "/*Object/rows/*/object/data/*"},                                   \
		{.path = event "/*Object/rows/*/object/" LAST_APPLIED},                            \
		{.path = event "/*Object/#/value", .applies = is_secret_patch},                    \
		{.path = event "/kind", .what = SECRET_NAME},                                      \
		{.path = event "/apiVersion", .what = SECRET_NAME},                                \
		{.path = event "/level", .what = SECRET_NAME},                                     \
		{.path = event "/auditID", .what = SECRET_NAME},                                   \
		{.path = event "/stage", .what = SECRET_NAME},                                     \
		{.path = event "/verb", .what = SECRET_NAME},                                      \
		{.path = event "/user/*", .what = SECRET_NAME},                                    \
		{.path = event "/user/groups/*", .what = SECRET_NAME},                             \
		{.path = event "/impersonatedUser/*", .what = SECRET_NAME},                        \
		{.path = event "/sourceIPs/*", .what = SECRET_NAME},                               \
		{.path = event "/objectRef/*", .what = SECRET_NAME},                               \
		{.path = event "/*Timestamp", .what = SECRET_NAME},                                \
		{.path = event "/*Object/kind", .what = SECRET_NAME},                              \
		{.path = event "/*Object/metadata/name", .what = SECRET_NAME},                     \
		{.path = event "/*Object/metadata/namespace", .what = SECRET_NAME},                \
	{                                                                                          \
		.path = event "/*Object/metadata/uid", .what = SECRET_NAME                         \
	}

static const struct secret_row audit_rows[] = {AUDIT_ROWS(""), AUDIT_ROWS("/items/*")};

/*
 * The values of environments; their names stay. They are not looked for elsewhere: among them are
 * the pod's name, the program's path and its folder.
 * Source: tetragon v1.7 EnvVar, in process, parent and ancestors.
 */
static const struct secret_row tetragon_rows[] = {
	{.path = "/*/*/environment_variables/*/value", .alone = true},
	{.path = "/*/ancestors/*/environment_variables/*/value", .alone = true},
};

/*
 * How Falco's own rules call %ka.req.configmap.obj in their text.
 * Source: falcosecurity/plugins k8s_audit_rules.yaml, "Create/Modify Configmap With Private
 * Credentials"; seen 2026-11.
 */
static const char *const falco_line_names[] = {"config", NULL};

#define FALCO_SECRETS                                                                              \
	.marks = {{.rare = 'j', .at = 0, .words = {"jevt", "json"}},                               \
		{.rare = 'q', .at = 2, .words = {"req"}}},                                         \
	.rows = falco_rows, .n_rows = sizeof falco_rows / sizeof *falco_rows, .dotted = true,      \
	.line_source = "k8s-audit", .line_names = falco_line_names, .texts = {"output", "message"}

/* No row for tocsin: its form has no field that is made to hold a secret. */
const struct secrets secret_sources[] = {
	{.source = "falco", FALCO_SECRETS},
	{.source = "falcosidekick", FALCO_SECRETS},
	{
		.source = "k8s-audit",
		.marks = {{.rare = 'j', .at = 2, .words = {"Object\""}}},
		.rows = audit_rows,
		.n_rows = sizeof audit_rows / sizeof *audit_rows,
	},
	{
		.source = "tetragon",
		.marks = {{.rare = 'v', .at = 2, .words = {"environment_variables"}}},
		.rows = tetragon_rows,
		.n_rows = sizeof tetragon_rows / sizeof *tetragon_rows,
	},
	{.source = NULL},
};

_Static_assert(sizeof falco_rows / sizeof *falco_rows <= SECRET_ROWS_MAX, "too many rows");
_Static_assert(sizeof audit_rows / sizeof *audit_rows <= SECRET_ROWS_MAX, "too many rows");

/* text_lower, where the compiler sees it: this is where the time goes. */
static inline char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

/* One byte of a segment, and behind it. */
static inline char segment_byte(struct text segment, size_t at, size_t *next)
{
	char byte = segment.data[at];
	*next = at + 1;
	if (byte != '~' || at + 1 >= segment.size)
		return byte;
	*next = at + 2;
	return segment.data[at + 1] == '1' ? '/' : '~';
}

/* Case does not count: some readers take keys in any. Goes back to the last asterisk only. */
static bool segment_matches(struct text segment, struct text key)
{
	size_t at = 0, i = 0, star = SIZE_MAX, taken = 0, next;
	while (i < key.size) {
		if (at < segment.size && segment.data[at] == '*') {
			star = ++at;
			taken = i;
		} else if (at < segment.size &&
			   lower(segment_byte(segment, at, &next)) == lower(key.data[i])) {
			at = next;
			i++;
		} else if (star != SIZE_MAX) {
			at = star;
			i = ++taken;
		} else {
			return false;
		}
	}
	while (at < segment.size && segment.data[at] == '*')
		at++;
	return at == segment.size;
}

static struct text path_of(const struct secrets *secrets, size_t row)
{
	return text_of(secrets->rows[row].path);
}

/* The segment that begins at @at, without its slash. */
static struct text segment_at(struct text path, size_t at)
{
	size_t end = text_find_byte(path, '/', at);
	return text_part(path, at, (end == SIZE_MAX ? path.size : end) - at);
}

static void put(struct secret_rows_left *left, size_t row, size_t at)
{
	assert(left->n < SECRET_ROWS_MAX);
	left->rows[left->n].row = (unsigned char)row;
	left->rows[left->n++].at = (unsigned short)at;
}

/* Everything in a name is one. */
static bool is_name(const struct secrets *secrets, size_t row)
{
	return secrets->rows[row].what == SECRET_NAME;
}

/* Behind the segment and its slash; the path's size + 1: it is done. */
static size_t behind(struct text segment, size_t at)
{
	return at + segment.size + 1;
}

void secret_rows_at_top(const struct secrets *secrets, struct secret_rows_left *left)
{
	left->n = 0;
	for (size_t i = 0; i < secrets->n_rows; i++)
		put(left, i, 1);
}

void secret_rows_below(const struct secrets *secrets, const struct secret_rows_left *above,
	struct text key, bool same, struct secret_rows_left *left)
{
	left->n = 0;
	for (size_t i = 0; i < above->n; i++) {
		size_t row = above->rows[i].row, at = above->rows[i].at;
		struct text path = path_of(secrets, row);
		struct text segment = segment_at(path, at);
		if (at <= path.size && segment_matches(segment, key))
			put(left, row, behind(segment, at));
		else if (at > path.size ? is_name(secrets, row) : same)
			put(left, row, at);
	}
}

void secret_rows_of_element(const struct secrets *secrets, const struct secret_rows_left *above,
	struct secret_rows_left *left)
{
	left->n = 0;
	for (size_t i = 0; i < above->n; i++) {
		size_t row = above->rows[i].row, at = above->rows[i].at;
		struct text path = path_of(secrets, row);
		struct text segment = segment_at(path, at);
		if (at <= path.size && (text_is(segment, "*") || text_is(segment, "#")))
			put(left, row, behind(segment, at));
		else if (at > path.size && is_name(secrets, row))
			put(left, row, at);
	}
}

const struct secret_row *secret_row_here(const struct secrets *secrets,
	const struct secret_rows_left *left, enum secret_what what, bool scalar)
{
	for (size_t i = 0; i < left->n; i++) {
		const struct secret_row *row = &secrets->rows[left->rows[i].row];
		struct text rest = text_part(text_of(row->path), left->rows[i].at, SIZE_MAX);
		bool ends = left->rows[i].at > strlen(row->path) || (scalar && text_is(rest, "*"));
		if (row->what == what && ends)
			return row;
	}
	return NULL;
}

bool secret_key_is_last(const struct secrets *secrets, struct text key)
{
	for (size_t i = 0; i < secrets->n_rows; i++) {
		struct text path = path_of(secrets, i);
		if (secrets->rows[i].what != SECRET_VALUE)
			continue;
		if (text_ends(path, TEXT("/*")))
			path.size -= 2;
		size_t at = path.size;
		while (at > 0 && path.data[at - 1] != '/')
			at--;
		if (segment_matches(text_part(path, at, path.size), key))
			return true;
	}
	return false;
}

static bool has_word(struct text raw, const struct secret_marks *marks)
{
	for (size_t at = 0; (at = text_find_byte(raw, marks->rare, at)) != SIZE_MAX; at++) {
		struct text found = text_part(raw, at - marks->at, raw.size);
		for (size_t i = 0; i < SECRET_WORDS_MAX && marks->words[i]; i++)
			if (at >= marks->at && text_starts(found, text_of(marks->words[i])))
				return true;
	}
	return false;
}

/* No encoder escapes letters; who does hides a key. */
static bool has_escaped_letter(struct text raw)
{
	for (size_t at = 0; (at = text_find_byte(raw, '\\', at)) != SIZE_MAX; at += 2) {
		struct text escape = text_part(raw, at, 6);
		if (text_starts(escape, TEXT("\\u00")) && escape.size == 6 &&
			escape.data[4] >= '4' && escape.data[4] <= '7')
			return true;
	}
	return false;
}

bool secrets_are_possible(const struct secrets *secrets, struct text raw)
{
	for (size_t i = 0; i < SECRET_MARKS_MAX && secrets->marks[i].rare; i++)
		if (has_word(raw, &secrets->marks[i]))
			return true;
	return has_escaped_letter(raw);
}
