/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "documents/documents.h"
#include "model/suppression_query.h"
#include "store/suppressions.h"

/*
 * A suppression as an exception of Falco's rules, so that the sensor does not raise what nobody
 * wants to be told of: a list item for each rule, appended to the rule's exceptions (Falco 0.38 and
 * later). What an exception cannot say is refused, never approximated.
 */

enum { RULES_MAX = 64, ALTERNATIVES_MAX = 64, ARENA_BYTES = 16 * 1024 * 1024, PAGE = 1000 };

/* How one matcher is compared. */
struct comparison {
	const char *field, *comparator;
	struct text values[ALTERNATIVES_MAX];
	size_t n_values;
};

/* The fields of Falco's that say the same; NULL: it has none. */
static const char *const fields[N_SUPPRESSION_LABELS] = {
	[LABEL_NAMESPACE] = "k8s.ns.name",
	[LABEL_POD] = "k8s.pod.name",
	[LABEL_NODE] = "evt.hostname",
	[LABEL_CONTAINER] = "container.id",
	[LABEL_EXE] = "proc.exepath",
};

static bool is_literal(struct text text)
{
	static const struct text special = {".*+?()[]{}|^$\\", 14};
	for (size_t i = 0; i < text.size; i++)
		if (text_find_byte(special, text.data[i], 0) != SIZE_MAX)
			return false;
	return true;
}

/* "a|b|c" of literals. */
static bool split_alternatives(struct text source, struct comparison *out)
{
	struct text part;
	out->n_values = 0;
	while (text_split(&source, '|', &part)) {
		if (!is_literal(part) || out->n_values == ALTERNATIVES_MAX)
			return false;
		out->values[out->n_values++] = part;
	}
	return out->n_values > 0;
}

/* The pattern without ".*" at one or both of its ends, if that is a literal. */
static bool cut_ends(struct text source, struct comparison *out)
{
	static const char *const comparators[] = {NULL, "startswith", "endswith", "contains"};
	bool front = text_starts(source, TEXT(".*"));
	struct text rest = text_part(source, front ? 2 : 0, source.size);
	bool back = text_ends(rest, TEXT(".*"));
	if (back)
		rest.size -= 2;
	out->comparator = comparators[(back ? 1 : 0) + (front ? 2 : 0)];
	out->values[0] = rest;
	out->n_values = 1;
	return out->comparator && rest.size && is_literal(rest);
}

static int refuse(struct err *err, const struct matcher *matcher, const char *why)
{
	return err_set(err, ERR_DENIED, "%.*s%s\"%.*s\": %s", TEXT_ARG(matcher->name),
		matcher_operator(matcher),
		(int)(matcher->value.size < 60 ? matcher->value.size : 60),
		matcher->value.data ? matcher->value.data : "", why);
}

/* 1: it is one; 0: it need not be said; -1: it cannot be said. */
static int compare_by(const struct matcher *matcher, struct comparison *out, struct err *err)
{
	unsigned label = suppression_label_parse(matcher->name);
	*out = (struct comparison){.n_values = 1, .values = {matcher->value}};
	/* Rules are of one sensor, and files of one cluster; a rule has one priority. */
	if (label == LABEL_ALERTNAME || label == LABEL_CLUSTER || label == LABEL_SEVERITY)
		return 0;
	if (label == LABEL_SOURCE)
		return matcher_fits(matcher, TEXT("falco"))
			       ? 0
			       : refuse(err, matcher,
					 "only Falco's alerts have Falco's exceptions");
	out->field = fields[label];
	if (!out->field)
		return refuse(err, matcher, "Falco has no field for it");
	if (!matcher->pattern) {
		out->comparator = matcher->negated ? "!=" : "=";
		return 1;
	}
	if (matcher->negated)
		return refuse(err, matcher, "Falco's exceptions have no such comparison");
	if (split_alternatives(matcher->value, out)) {
		out->comparator = "in";
		return 1;
	}
	return cut_ends(matcher->value, out)
		       ? 1
		       : refuse(err, matcher,
				 "Falco's exceptions compare with whole values, and with begin, end"
				 " or middle: as web-.*, .*-db or a|b");
}

/* YAML's double quotes: JSON's are among them. */
static void write_quoted(struct buf *out, struct text text)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < text.size; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		struct text rest = text_part(text, i, 3);
		if (byte == '"' || byte == '\\')
			buf_addf(out, "\\%c", byte);
		else if (text_starts(rest, TEXT("\xc2\x85"))) /* these end lines, too */
			buf_add_string(out, (i += 1, "\\N"));
		else if (text_starts(rest, TEXT("\xe2\x80\xa8")))
			buf_add_string(out, (i += 2, "\\L"));
		else if (text_starts(rest, TEXT("\xe2\x80\xa9")))
			buf_add_string(out, (i += 2, "\\P"));
		else if (byte < ' ' || byte == 0x7f)
			buf_addf(out, "\\x%02x", byte);
		else
			buf_add_byte(out, byte);
	}
	buf_add_byte(out, '"');
}

static void write_value(struct buf *out, const struct comparison *comparison)
{
	bool list = text_is(text_of(comparison->comparator), "in");
	buf_add_string(out, list ? "[" : "");
	for (size_t i = 0; i < comparison->n_values; i++) {
		buf_add_string(out, i ? ", " : "");
		write_quoted(out, comparison->values[i]);
	}
	buf_add_string(out, list ? "]" : "");
}

static void write_rule(struct buf *out, struct text rule, struct text id,
	const struct comparison *comparisons, size_t n)
{
	buf_add_string(out, "- rule: ");
	write_quoted(out, rule);
	buf_addf(out, "\n  exceptions:\n  - name: tocsin_%.8s\n    fields: [", id.data);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s%s", i ? ", " : "", comparisons[i].field);
	buf_add_string(out, "]\n    comps: [");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s\"%s\"", i ? ", " : "", comparisons[i].comparator);
	buf_add_string(out, "]\n    values:\n    - [");
	for (size_t i = 0; i < n; i++) {
		buf_add_string(out, i ? ", " : "");
		write_value(out, &comparisons[i]);
	}
	buf_add_string(out, "]\n  override:\n    exceptions: append\n");
}

/* Rules are named, or are those of what it hid. */
struct rules {
	struct text names[RULES_MAX];
	size_t n;
};

static void add_rule(struct rules *rules, struct text name)
{
	for (size_t i = 0; i < rules->n; i++)
		if (text_equal(rules->names[i], name))
			return;
	if (rules->n < RULES_MAX)
		rules->names[rules->n++] = name;
}

static int find_rules(struct connection *connection, const struct suppression *suppression,
	struct arena *arena, struct rules *rules, struct err *err)
{
	struct suppression_hit_page page = {
		.suppression = suppression->number, .limit = PAGE, .arena = arena};
	for (size_t i = 0; i < suppression->matchers.n; i++) {
		const struct matcher *matcher = &suppression->matchers.items[i];
		struct comparison named = {.values = {matcher->value}, .n_values = 1};
		if (suppression_label_parse(matcher->name) != LABEL_ALERTNAME || matcher->negated ||
			(matcher->pattern && !split_alternatives(matcher->value, &named)))
			continue;
		for (size_t j = 0; j < named.n_values; j++)
			add_rule(rules, named.values[j]);
		return 0;
	}
	if (suppression_hits_read(connection, &page, err) < 0)
		return -1;
	for (size_t i = 0; i < page.n; i++)
		if (text_is(page.items[i].sensor, "falco"))
			add_rule(rules, page.items[i].rule);
	return rules->n ? 0
			: err_set(err, ERR_DENIED,
				  "no rule is named, and no alert of Falco was hidden so far: an"
				  " exception belongs to a rule");
}

int document_falco_exceptions(
	struct connection *connection, struct text id, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct suppression suppression;
	size_t n = 0;
	arena_init(&arena, ARENA_BYTES);
	struct rules *rules = arena_alloc(&arena, sizeof *rules);
	struct comparison *all = arena_array(&arena, MATCHERS_MAX, sizeof *all);
	if (!rules || !all)
		return err_set(err, ERR_MEMORY, "out of memory for exceptions");
	if (suppression_find(connection, id, &arena, &suppression, err) < 0 ||
		suppression_as_matchers(&suppression, &arena, &suppression.matchers, err) < 0 ||
		find_rules(connection, &suppression, &arena, rules, err) < 0)
		return -1;
	for (size_t i = 0; i < suppression.matchers.n; i++) {
		int said = compare_by(&suppression.matchers.items[i], &all[n], err);
		if (said < 0)
			return -1;
		n += (size_t)said;
	}
	if (n == 0)
		return err_set(err, ERR_DENIED,
			"it hides whole rules: disable them in Falco instead (enabled: false)");
	buf_add_string(out, "# Made by Tocsin of suppression ");
	buf_add(out, suppression.id);
	buf_add_string(out, "; needs Falco 0.38 or later. Why: ");
	write_quoted(out, suppression.reason);
	buf_add_byte(out, '\n');
	for (size_t i = 0; i < rules->n; i++)
		write_rule(out, rules->names[i], suppression.id, all, n);
	return 0;
}
