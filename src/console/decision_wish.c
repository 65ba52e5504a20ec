/* SPDX-License-Identifier: Apache-2.0 */
#include "console/decision_wish.h"

#include <string.h>

#include "base/pull.h"
#include "model/slot.h"

enum { SHOWN_BYTES_MAX = 40, BODY_BYTES_MAX = 128 * 1024, MEMBERS_MAX = 4, YEAR_S = 31622400 };

static const struct pull_limits limits = {.max_depth = 2,
	.max_string_bytes = BODY_BYTES_MAX,
	.max_keys = 16,
	.max_bytes = BODY_BYTES_MAX};

/* What a body may hold, and what it held. */
struct body {
	const char *members[MEMBERS_MAX]; /* ended by NULL or full */
	struct text values[MEMBERS_MAX];  /* of strings, and of "slot" the number's text */
	bool given[MEMBERS_MAX];
	struct text fingerprints[EDIT_PRINTS_MAX];
	size_t n_fingerprints;
	int64_t now_ns; /* what "for" counts from */
};

bool wish_refuse(struct wish_refusal *refusal, unsigned status)
{
	refusal->status = refusal->err.kind == ERR_MEMORY ? 503 : status;
	return false;
}

static int shown(struct text text)
{
	return (int)(text.size < SHOWN_BYTES_MAX ? text.size : SHOWN_BYTES_MAX);
}

/* The member's place; MEMBERS_MAX: there is none of that name. */
static size_t place_of(const struct body *body, struct text key)
{
	size_t i = 0;
	while (i < MEMBERS_MAX && !(body->members[i] && text_is(key, body->members[i])))
		i++;
	return i;
}

static int refuse_unknown(
	const struct pull *pull, const struct body *body, struct text key, struct err *err)
{
	const char *const *members = body->members;
	if (!members[0])
		return err_set(err, ERR_INPUT,
			"offset %zu: unknown member '%.*s': this body has none", pull->start,
			shown(key), key.data);
	return err_set(err, ERR_INPUT, "offset %zu: unknown member '%.*s': %s%s%s%s%s", pull->start,
		shown(key), key.data, members[0], members[1] ? ", " : "",
		members[1] ? members[1] : "", members[2] ? ", " : "", members[2] ? members[2] : "");
}

static int read_fingerprints(struct pull *pull, struct body *body, struct err *err)
{
	enum pull_event event = pull_next(pull);
	size_t at = pull->start;
	if (event == PULL_ARRAY)
		while ((event = pull_next(pull)) == PULL_STRING) {
			if (body->n_fingerprints == EDIT_PRINTS_MAX)
				return err_set(err, ERR_INPUT,
					"offset %zu: at most %d fingerprints at once", pull->start,
					EDIT_PRINTS_MAX);
			body->fingerprints[body->n_fingerprints++] = pull->value;
		}
	if (event == PULL_BAD)
		return pull_error(pull, err);
	if (event != PULL_ARRAY_END)
		return err_set(
			err, ERR_INPUT, "offset %zu: fingerprints must be an array of strings", at);
	return 0;
}

static int read_member(struct pull *pull, struct body *body, struct err *err)
{
	struct text key = pull->value;
	size_t place = place_of(body, key);
	if (place == MEMBERS_MAX)
		return refuse_unknown(pull, body, key, err);
	if (body->given[place])
		return err_set(err, ERR_INPUT, "offset %zu: '%.*s' is there twice", pull->start,
			shown(key), key.data);
	body->given[place] = true;
	if (text_is(key, "fingerprints"))
		return read_fingerprints(pull, body, err);
	bool number = text_is(key, "slot");
	enum pull_event event = pull_next(pull);
	if (event == PULL_BAD)
		return pull_error(pull, err);
	if (event != (number ? PULL_NUMBER : PULL_STRING))
		return err_set(err, ERR_INPUT, "offset %zu: '%.*s' must be a %s", pull->start,
			shown(key), key.data, number ? "number" : "string");
	body->values[place] = pull->value;
	return 0;
}

static int read_body(struct text text, struct arena *arena, struct body *body, struct err *err)
{
	struct pull pull;
	enum pull_event event;
	pull_init(&pull, text, arena, &limits);
	event = pull_next(&pull);
	if (event != PULL_OBJECT && event != PULL_BAD)
		return err_set(err, ERR_INPUT, "the body must be a JSON object");
	while (event != PULL_BAD && (event = pull_next(&pull)) == PULL_KEY)
		if (read_member(&pull, body, err) < 0)
			return -1;
	if (event == PULL_BAD || pull_next(&pull) != PULL_END)
		return pull_error(&pull, err);
	if (text_trim(pull_rest(&pull)).size)
		return err_set(err, ERR_INPUT, "offset %zu: something follows the JSON object",
			pull_offset(&pull));
	return 0;
}

/* Names are shown in lists: one line of printable characters. */
static bool is_name(struct text name)
{
	if (name.size > ASSIGNEE_BYTES_MAX || text_trim(name).size != name.size)
		return false;
	for (size_t i = 0; i < name.size; i++)
		if ((unsigned char)name.data[i] < ' ' || name.data[i] == 0x7f)
			return false;
	return true;
}

static int take_assignee(const struct body *body, struct decision *decision, struct err *err)
{
	struct text who = body->values[0];
	if (!body->given[0] || text_is(who, "me"))
		who = decision_actor_name(decision->actor);
	decision->incident.who = who;
	return is_name(who) ? 0
			    : err_set(err, ERR_INPUT,
				      "assignee must be at most %d bytes of one line, without space"
				      " at its ends",
				      ASSIGNEE_BYTES_MAX);
}

static int take_comment(const struct body *body, struct decision *decision, struct err *err)
{
	struct text text = body->values[0];
	if (!text_trim(text).size)
		return err_set(err, ERR_INPUT, "a comment needs a text");
	if (text.size > COMMENT_BYTES_MAX)
		return err_set(err, ERR_INPUT, "a comment has at most %d bytes", COMMENT_BYTES_MAX);
	decision->incident.text = text;
	return 0;
}

static int take_verdict(const struct body *body, struct decision *decision, struct err *err)
{
	if (!verdict_parse(body->values[0], &decision->incident.verdict))
		return err_set(err, ERR_INPUT,
			"resolving needs a verdict: true-positive, benign-expected,"
			" false-positive, duplicate or test");
	return 0;
}

bool duration_parse(struct text word, int64_t *out)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	uint64_t n;
	if (text_is(word, "0")) {
		*out = 0;
		return true;
	}
	if (!word.size || !text_to_u64(text_part(word, 0, word.size - 1), &n) || n > YEAR_S)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (word.data[word.size - 1] != units[i].letter)
			continue;
		*out = (int64_t)n * units[i].seconds * NS_PER_S;
		return (int64_t)n * units[i].seconds <= YEAR_S;
	}
	return false;
}

static int take_snooze(const struct body *body, struct decision *decision, struct err *err)
{
	int64_t now_ns = body->now_ns, for_ns = 0, *until_ns = &decision->incident.until_ns;
	if (body->given[0] == body->given[1])
		return err_set(err, ERR_INPUT, "snoozing needs either until or for");
	if (body->given[0] && !clock_parse(body->values[0], until_ns))
		return err_set(err, ERR_INPUT, "until must be RFC 3339, as 2026-11-24T03:00:00Z");
	if (body->given[1] && !duration_parse(body->values[1], &for_ns))
		return err_set(err, ERR_INPUT,
			"for must be a number with s, m, h or d, at most a year, as 2h; 0 wakes");
	if (body->given[1])
		*until_ns = for_ns ? now_ns + for_ns : 0;
	if (*until_ns > now_ns && *until_ns - now_ns > YEAR_S * NS_PER_S)
		return err_set(err, ERR_INPUT, "until must be within a year");
	/* 0 would wake: 1970 is as past as what follows it. */
	if (body->given[0] && *until_ns == 0)
		*until_ns = 1;
	return 0;
}

static int read_time(struct text word, const char *name, int64_t *slot, struct err *err)
{
	int64_t time_ns;
	if (!clock_parse(word, &time_ns))
		return err_set(
			err, ERR_INPUT, "%s must be RFC 3339, as 2026-11-24T03:00:00Z", name);
	*slot = slot_of(time_ns);
	return 0;
}

static int take_cut(const struct body *body, struct decision *decision, struct err *err)
{
	enum { SLOT_MAX = 30000000 }; /* year 2255: times in nanoseconds end a little later */
	struct incident_decision *wish = &decision->incident;
	if (body->given[0] && body->given[1])
		return err_set(err, ERR_INPUT, "a cut is at a time or at a slot, not both");
	wish->has_slot = body->given[0] || body->given[1];
	if (body->given[0])
		return read_time(body->values[0], "at", &wish->from_slot, err);
	if (body->given[1] && (!text_to_i64(body->values[1], &wish->from_slot) ||
				      wish->from_slot < 0 || wish->from_slot > SLOT_MAX))
		return err_set(err, ERR_INPUT,
			"slot must be a whole number: seconds since 1970 / %d", 300);
	return 0;
}

static int take_other(const struct body *body, struct decision *decision, struct err *err)
{
	if (!incident_number_parse(body->values[0], &decision->incident.other))
		return err_set(err, ERR_INPUT, "with must be an incident's number, as INC-12");
	return 0;
}

static int take_prints(const struct body *body, struct decision *decision, struct err *err)
{
	struct incident_decision *wish = &decision->incident;
	wish->has_slot = body->given[1] || body->given[2];
	wish->from_slot = INT64_MIN;
	wish->to_slot = INT64_MAX;
	if (body->given[1] && read_time(body->values[1], "from", &wish->from_slot, err) < 0)
		return -1;
	if (body->given[2] && read_time(body->values[2], "to", &wish->to_slot, err) < 0)
		return -1;
	for (size_t i = 0; i < body->n_fingerprints; i++)
		if (!text_to_bytes(body->fingerprints[i], wish->prints[i], FINGERPRINT_BYTES))
			return err_set(err, ERR_INPUT, "'%.*s' is no fingerprint: %d hex digits",
				shown(body->fingerprints[i]), body->fingerprints[i].data,
				2 * FINGERPRINT_BYTES);
	wish->n_prints = body->n_fingerprints;
	return wish->n_prints ? 0
			      : err_set(err, ERR_INPUT,
					"fingerprints must name what is to be unlinked: 1 to %d",
					EDIT_PRINTS_MAX);
}

static int take_edit(const struct body *body, struct decision *decision, struct err *err)
{
	if (!body->values[0].size || body->values[0].size > EDIT_ID_MAX)
		return err_set(err, ERR_INPUT, "edit must be the id of an edit");
	decision->incident.edit = body->values[0];
	return 0;
}

/* What a kind's body may hold, and who takes its values. */
static const struct {
	enum decision_kind kind;
	const char *members[MEMBERS_MAX];
	int (*take)(const struct body *body, struct decision *decision, struct err *err);
} bodies[] = {
	{DECISION_ASSIGN, {"assignee"}, take_assignee},
	{DECISION_COMMENT, {"text"}, take_comment},
	{DECISION_RESOLVE, {"verdict"}, take_verdict},
	{DECISION_SNOOZE, {"until", "for"}, take_snooze},
	{DECISION_CUT, {"at", "slot"}, take_cut},
	{DECISION_MERGE, {"with"}, take_other},
	{DECISION_UNLINK, {"fingerprints", "from", "to"}, take_prints},
	{DECISION_UNDO, {"edit"}, take_edit},
};

bool decision_wish_read(struct text text, int64_t now_ns, struct arena *arena,
	struct decision *decision, struct wish_refusal *refusal)
{
	struct body body = {.now_ns = now_ns};
	size_t n = sizeof bodies / sizeof bodies[0], i = 0;
	while (i < n && bodies[i].kind != decision->kind)
		i++;
	if (i < n)
		memcpy(body.members, bodies[i].members, sizeof body.members);
	if (text_trim(text).size && read_body(text, arena, &body, &refusal->err) < 0)
		return wish_refuse(refusal, text.size > BODY_BYTES_MAX ? 413 : 400);
	if (i < n && bodies[i].take(&body, decision, &refusal->err) < 0)
		return wish_refuse(refusal, 422);
	return true;
}
