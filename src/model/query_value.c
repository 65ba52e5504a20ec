/* SPDX-License-Identifier: Apache-2.0 */
#include "model/query_value.h"

#include "base/buf.h"
#include "base/clock.h"
#include "model/alert.h"
#include "model/attack.h"
#include "model/incident.h"

enum { SHOWN_BYTES = 40, FINGERPRINT_DIGITS_MIN = 4, WORDS_BYTES = 400 };

#define SHOWN(value)                                                                               \
	(int)((value).size < SHOWN_BYTES ? (value).size : SHOWN_BYTES),                            \
		(value).data ? (value).data : ""

static const struct text star = {"\1", 1};

/* As it was written, for messages. */
static struct text shown(struct text value, struct arena *arena)
{
	char *bytes = arena_string(arena, value);
	for (size_t i = 0; bytes && i < value.size; i++)
		if (bytes[i] == MATCH_STAR)
			bytes[i] = '*';
	return (struct text){bytes, bytes ? value.size : 0};
}

static int read_match(const struct query_value *value, enum query_operator op, struct arena *arena,
	struct match *match, struct err *err)
{
	match->text = value->text;
	match->kind = MATCH_EXACT;
	if (op == QUERY_MATCHES || op == QUERY_MATCHES_NOT) {
		match->kind = MATCH_REGEX;
		return regex_parse(value->text, arena, &match->regex, err);
	}
	if (!value->text.size)
		match->kind = MATCH_ABSENT;
	else if (op == QUERY_HAS)
		match->kind = text_equal(value->text, star) ? MATCH_PRESENT : MATCH_WILDCARD;
	return 0;
}

static int read_assignee(struct match *match, const struct query_options *options, struct err *err)
{
	if (match->kind != MATCH_EXACT && match->kind != MATCH_WILDCARD)
		return 0;
	if (text_is(match->text, "none")) {
		match->kind = MATCH_ABSENT;
	} else if (text_is(match->text, "me")) {
		if (!options->me.size)
			return err_set(err, ERR_INPUT, "nobody asks who could be meant by 'me'");
		match->kind = MATCH_EXACT;
		match->text = options->me;
	}
	return 0;
}

/* A prefix becomes a pattern. */
static int read_fingerprint(struct match *match, struct arena *arena, struct err *err)
{
	if (match->kind == MATCH_REGEX || match->kind == MATCH_PRESENT)
		return 0;
	struct text digits = match->text;
	if (digits.size && digits.data[digits.size - 1] == MATCH_STAR)
		digits.size--;
	if (digits.size < FINGERPRINT_DIGITS_MIN || digits.size > 2 * (size_t)FINGERPRINT_BYTES ||
		!text_is_hex(digits))
		return err_set(err, ERR_INPUT,
			"a fingerprint is 32 hex digits; its first ones, at least %d, will do",
			FINGERPRINT_DIGITS_MIN);
	match->kind = MATCH_WILDCARD;
	match->text = arena_format(arena, "%.*s%s", TEXT_ARG(digits),
		digits.size == 2 * (size_t)FINGERPRINT_BYTES ? "" : star.data);
	return 0;
}

static void list_words(enum query_kind kind, struct buf *out)
{
	struct query_word word = {0};
	for (size_t i = 0; query_word_at(kind, i, &word); i++)
		buf_addf(out, "%s%s", i ? ", " : "", word.name);
}

static int no_word(
	const struct query_term *term, struct text value, struct arena *arena, struct err *err)
{
	struct buf words;
	struct text word = shown(value, arena);
	buf_init(&words, WORDS_BYTES);
	list_words(term->field->kind, &words);
	err_set(err, ERR_INPUT, "there is no %s '%.*s': %s", term->field->name, SHOWN(word),
		buf_string(&words));
	buf_done(&words);
	return -1;
}

/* Words that are spelled in more ways than the list has. */
static uint32_t other_spelling(enum query_kind kind, enum query_operator op, struct text value)
{
	unsigned rank = kind == QUERY_TACTIC ? tactic_parse(value) : 0;
	if (rank)
		return 1U << (rank - 1);
	if (kind == QUERY_STATE && op == QUERY_HAS && text_equal_nocase(value, TEXT("closed")))
		return 1U << INCIDENT_RESOLVED | 1U << INCIDENT_CLOSED;
	return 0;
}

static int read_words(const struct query_value *value, enum query_operator op, struct arena *arena,
	struct query_term *term, struct err *err)
{
	struct match match;
	struct query_word word = {0};
	enum query_kind kind = term->field->kind;
	if (read_match(value, op, arena, &match, err) < 0)
		return -1;
	if (match.kind == MATCH_EXACT)
		match.kind = MATCH_WILDCARD;
	term->test = QUERY_TEST_MASK;
	term->mask = match.kind == MATCH_REGEX ? 0 : other_spelling(kind, op, value->text);
	for (size_t i = 0; query_word_at(kind, i, &word); i++)
		if (match_has(&match, text_of(word.name)))
			term->mask |= word.mask;
	if (!term->mask)
		return no_word(term, value->text, arena, err);
	return 0;
}

/* Everything on one side of what was named. */
static int read_severity(enum query_operator op, struct query_term *term)
{
	uint32_t below = (term->mask & (0 - term->mask)) - 1;
	uint32_t all = (1U << N_SEVERITIES) - 1;
	if (op == QUERY_GREATER_EQUAL)
		term->mask = all & ~below;
	else if (op == QUERY_GREATER)
		term->mask = all & ~below & ~term->mask;
	else if (op == QUERY_LESS_EQUAL)
		term->mask |= below;
	else if (op == QUERY_LESS)
		term->mask = below;
	return 0;
}

/* From what one value covers to what the operator makes of it. */
static void set_range(struct query_term *term, enum query_operator op, int64_t low, int64_t high)
{
	term->test = QUERY_TEST_RANGE;
	term->low = low;
	term->high = high;
	if (op == QUERY_GREATER) {
		term->low = high == INT64_MAX ? INT64_MAX : high + 1;
		term->high = INT64_MAX;
	} else if (op == QUERY_GREATER_EQUAL) {
		term->high = INT64_MAX;
	} else if (op == QUERY_LESS) {
		term->high = low == INT64_MIN ? INT64_MIN : low - 1;
		term->low = INT64_MIN;
	} else if (op == QUERY_LESS_EQUAL) {
		term->low = INT64_MIN;
	}
}

static int read_count(
	struct text value, enum query_operator op, struct query_term *term, struct err *err)
{
	uint64_t number;
	bool good = term->field->kind == QUERY_INCIDENT ? incident_number_parse(value, &number)
							: text_to_u64(value, &number);
	if (!good || number > INT64_MAX)
		return err_set(err, ERR_INPUT,
			term->field->kind == QUERY_INCIDENT
				? "'%.*s' is no incident: give its number, as INC-12"
				: "'%.*s' is no number",
			SHOWN(value));
	set_range(term, op, (int64_t)number, (int64_t)number);
	return 0;
}

/* "58.7" in thousandths; *decimals: how many it was given with. */
static bool milli_parse(struct text value, int64_t *milli, size_t *decimals)
{
	struct text rest = value, whole = TEXT_NONE;
	uint64_t units, part = 0;
	bool point = text_find_byte(value, '.', 0) != SIZE_MAX;
	if (!text_split(&rest, '.', &whole) || !text_to_u64(whole, &units) || units > 100)
		return false;
	if (point && (!text_to_u64(rest, &part) || rest.size > 3))
		return false;
	*decimals = rest.size;
	for (size_t i = rest.size; i < 3; i++)
		part *= 10;
	*milli = (int64_t)(units * 1000 + part);
	return true;
}

/* What is shown has one decimal: 58.7 stands for all that is rounded to it. */
static int read_risk(
	struct text value, enum query_operator op, struct query_term *term, struct err *err)
{
	int64_t milli;
	size_t decimals;
	if (!milli_parse(value, &milli, &decimals))
		return err_set(
			err, ERR_INPUT, "'%.*s' is no risk: a number from 0 to 100", SHOWN(value));
	bool equal = op == QUERY_HAS || op == QUERY_EQUAL || op == QUERY_UNEQUAL;
	bool rounded = equal && decimals < 2;
	set_range(term, op, rounded ? milli - 50 : milli, rounded ? milli + 49 : milli);
	return 0;
}

static int read_technique(
	struct text value, enum query_operator op, struct query_term *term, struct err *err)
{
	struct attack_tag tag = attack_tag_parse(value);
	if (!tag.technique)
		return err_set(err, ERR_INPUT,
			"'%.*s' is no technique of ATT&CK %s: give its id, as T1059.004",
			SHOWN(value), attack_version());
	int64_t code = tag.technique;
	set_range(term, op, code, code % 1000 ? code : code + 999);
	return 0;
}

/* One number and unit off the front of *rest, in nanoseconds. */
static bool take_duration(struct text *rest, int64_t *ns)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	size_t digits = 0, unit = 0;
	uint64_t number;
	while (digits < rest->size && rest->data[digits] >= '0' && rest->data[digits] <= '9')
		digits++;
	while (digits < rest->size && unit < 5 && units[unit].unit != rest->data[digits])
		unit++;
	if (digits == rest->size || unit == 5 ||
		!text_to_u64(text_part(*rest, 0, digits), &number) || number > INT64_MAX)
		return false;
	*rest = text_part(*rest, digits + 1, rest->size);
	return !__builtin_mul_overflow((int64_t)number, units[unit].seconds * NS_PER_S, ns);
}

/* "1h30m" in nanoseconds; false: it is none. */
static bool duration_parse(struct text value, int64_t *out)
{
	int64_t total = 0, part;
	struct text rest = value;
	while (rest.size)
		if (!take_duration(&rest, &part) || __builtin_add_overflow(total, part, &total))
			return false;
	*out = total;
	return value.size > 0;
}

/* "2026-11-24": the whole day, UTC. */
static bool day_parse(struct text value, int64_t *begin_ns)
{
	char text[sizeof "2026-11-24T00:00:00Z"];
	if (value.size != sizeof "2026-11-24" - 1)
		return false;
	size_t size = text_format(text, sizeof text, "%.*sT00:00:00Z", TEXT_ARG(value));
	return clock_parse((struct text){text, size}, begin_ns);
}

/* An age points back: less of it is later. */
static void set_age(struct query_term *term, enum query_operator op, int64_t then_ns)
{
	static const enum query_operator turned[N_QUERY_OPERATORS] = {
		[QUERY_HAS] = QUERY_GREATER_EQUAL,
		[QUERY_EQUAL] = QUERY_GREATER_EQUAL,
		[QUERY_UNEQUAL] = QUERY_GREATER_EQUAL,
		[QUERY_GREATER_EQUAL] = QUERY_LESS_EQUAL,
		[QUERY_GREATER] = QUERY_LESS,
		[QUERY_LESS_EQUAL] = QUERY_GREATER_EQUAL,
		[QUERY_LESS] = QUERY_GREATER,
	};
	set_range(term, turned[op], then_ns, then_ns);
}

static int read_time(struct text value, enum query_operator op, const struct query_options *options,
	struct query_term *term, struct err *err)
{
	int64_t ns, then;
	if (duration_parse(value, &ns)) {
		if (__builtin_sub_overflow(options->now_ns, ns, &then))
			then = INT64_MIN + 1;
		set_age(term, op, then);
	} else if (day_parse(value, &ns)) {
		int64_t end = ns;
		if (__builtin_add_overflow(ns, 86400 * NS_PER_S - 1, &end))
			end = INT64_MAX;
		set_range(term, op, ns, end);
	} else if (clock_parse(value, &ns)) {
		set_range(term, op, ns, ns);
	} else {
		return err_set(err, ERR_INPUT,
			"'%.*s' is no time: an age as 30m, 2h or 7d, a day as 2026-11-24, or "
			"2026-11-24T03:00:00Z",
			SHOWN(value));
	}
	/* 0 stands for "never". */
	if (term->low < 1)
		term->low = 1;
	return 0;
}

int query_value_read(const struct query_value *value, enum query_operator op,
	const struct query_options *options, struct arena *arena, struct query_term *term,
	struct err *err)
{
	enum query_kind kind = term->field->kind;
	struct text text = shown(value->text, arena);
	if (query_kind_is_text(kind)) {
		term->test = QUERY_TEST_MATCH;
		if (read_match(value, op, arena, &term->match, err) < 0)
			return -1;
		return kind == QUERY_ASSIGNEE && !value->quoted
			       ? read_assignee(&term->match, options, err)
		       : kind == QUERY_FINGERPRINT ? read_fingerprint(&term->match, arena, err)
						   : 0;
	}
	if (query_kind_has_words(kind)) {
		if (read_words(value, op, arena, term, err) < 0)
			return -1;
		return kind == QUERY_SEVERITY ? read_severity(op, term) : 0;
	}
	if (kind == QUERY_TIME)
		return read_time(text, op, options, term, err);
	if (kind == QUERY_RISK)
		return read_risk(text, op, term, err);
	return kind == QUERY_TECHNIQUE ? read_technique(text, op, term, err)
				       : read_count(text, op, term, err);
}
