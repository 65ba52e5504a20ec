/* SPDX-License-Identifier: Apache-2.0 */
#include "model/regex.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

enum { RANGES_MAX = 64, UNKNOWN = 0x110000, OPEN_END = -1 };

/* Parts that are written out, copies too: an empty one makes no step, and could be repeated for
 * ever. */
enum { WRITES_MAX = 4096 };

struct range {
	uint32_t first, last;
};

/* Characters; n 0 and negated: all of them. */
struct set {
	struct range ranges[RANGES_MAX];
	size_t n;
	bool negated;
};

/* One part of the pattern; the parts of a sequence or of alternatives are linked by next. */
struct part {
	enum { PART_SET, PART_BEGIN, PART_END, PART_SEQUENCE, PART_ALTERNATIVES, PART_REPEAT } kind;
	const struct set *set;
	struct part *first, *next;
	int min, max;
};

struct step {
	enum { STEP_SET, STEP_SPLIT, STEP_JUMP, STEP_BEGIN, STEP_END, STEP_MATCH } kind;
	const struct set *set;
	uint16_t to, other;
};

struct regex {
	size_t n;
	bool any_case;
	struct step steps[];
};

/* A regular expression while it is compiled. */
struct program {
	struct step steps[REGEX_PROGRAM_MAX];
	size_t n, n_writes;
	bool failed; /* too many */
};

struct parser {
	struct text source;
	size_t at;
	struct arena *arena;
	unsigned depth;
	struct err *err; /* NULL once it is set: the first one counts */
	bool failed;
};

static void fail(struct parser *parser, enum err_kind kind, size_t at, const char *why)
{
	if (!parser->failed) {
		err_set(parser->err, kind, "%s", why);
		err_place(parser->err, at, 1);
	}
	parser->failed = true;
}

static int peek(const struct parser *parser)
{
	return parser->failed || parser->at >= parser->source.size
		       ? -1
		       : (unsigned char)parser->source.data[parser->at];
}

static bool take(struct parser *parser, char byte)
{
	if (peek(parser) != (unsigned char)byte)
		return false;
	parser->at++;
	return true;
}

/* The character at @at, and how many bytes it has. */
static uint32_t decode(struct text text, size_t at, size_t *size)
{
	unsigned char lead = (unsigned char)text.data[at];
	*size = utf8_length(text, at);
	if (*size <= 1) {
		uint32_t code = *size ? lead : UNKNOWN;
		*size = 1;
		return code;
	}
	uint32_t code = lead & (0xffU >> (*size + 1));
	for (size_t i = 1; i < *size; i++)
		code = code << 6 | ((unsigned char)text.data[at + i] & 0x3fU);
	return code;
}

static uint32_t take_code(struct parser *parser)
{
	size_t size;
	uint32_t code = decode(parser->source, parser->at, &size);
	parser->at += size;
	return code;
}

static struct part *new_part(struct parser *parser)
{
	struct part *part = arena_alloc(parser->arena, sizeof *part);
	if (!part)
		fail(parser, ERR_MEMORY, parser->at, "out of memory for a regular expression");
	return part;
}

static void add_range(struct parser *parser, struct set *set, uint32_t first, uint32_t last)
{
	if (set->n == RANGES_MAX)
		fail(parser, ERR_LIMIT, parser->at, "a set has at most 64 ranges");
	else
		set->ranges[set->n++] = (struct range){first, last};
}

/* What is not in @ranges, which ascend. */
static void add_others(struct parser *parser, struct set *set, const struct range *ranges, size_t n)
{
	uint32_t first = 0;
	for (size_t i = 0; i < n; i++) {
		if (ranges[i].first > first)
			add_range(parser, set, first, ranges[i].first - 1);
		first = ranges[i].last + 1;
	}
	add_range(parser, set, first, UNKNOWN);
}

/* \d and its like, and \D; false: @letter is none. */
static bool add_class(struct parser *parser, struct set *set, char letter)
{
	static const struct range digits[] = {{'0', '9'}};
	static const struct range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
	static const struct range spaces[] = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
	static const struct {
		char letter;
		const struct range *ranges;
		size_t n;
	} classes[] = {{'d', digits, 1}, {'w', words, 4}, {'s', spaces, 3}};
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		if (text_lower(letter) != classes[i].letter)
			continue;
		if (letter != classes[i].letter)
			add_others(parser, set, classes[i].ranges, classes[i].n);
		for (size_t k = 0; letter == classes[i].letter && k < classes[i].n; k++)
			add_range(
				parser, set, classes[i].ranges[k].first, classes[i].ranges[k].last);
		return true;
	}
	return false;
}

/* What stands behind a backslash, where it means one character. */
static uint32_t take_escaped(struct parser *parser)
{
	static const char letters[] = "nrtfv", meant[] = "\n\r\t\f\v";
	int byte = peek(parser);
	size_t at = parser->at - 1;
	if (byte < 0 || byte >= 0x80) {
		fail(parser, ERR_INPUT, at, "nothing that could be escaped follows the backslash");
		return 0;
	}
	parser->at++;
	const char *found = memchr(letters, byte, sizeof letters - 1);
	if (found)
		return (unsigned char)meant[found - letters];
	if ((byte >= '0' && byte <= '9') ||
		(text_lower((char)byte) >= 'a' && text_lower((char)byte) <= 'z'))
		fail(parser, ERR_INPUT, at,
			"of escaped letters there are \\d \\w \\s \\D \\W \\S \\n \\r \\t \\f \\v");
	return (uint32_t)byte;
}

/* The character that begins or ends a range of a set. */
static uint32_t take_bound(struct parser *parser)
{
	if (take(parser, '\\'))
		return take_escaped(parser);
	if (peek(parser) < 0) {
		fail(parser, ERR_INPUT, parser->at, "the set is not closed: ']' is missing");
		return 0;
	}
	return take_code(parser);
}

/* \d in a set; false: something else is there. */
static bool take_class(struct parser *parser, struct set *set)
{
	struct text two = text_part(parser->source, parser->at, 2);
	if (two.size < 2 || two.data[0] != '\\' || !add_class(parser, set, two.data[1]))
		return false;
	parser->at += 2;
	return true;
}

static void read_set(struct parser *parser, struct set *set)
{
	size_t began = parser->at - 1;
	set->negated = take(parser, '^');
	for (bool first = true; !parser->failed; first = false) {
		size_t at = parser->at;
		if (!first && take(parser, ']'))
			return;
		if (peek(parser) < 0) {
			fail(parser, ERR_INPUT, began, "the set is not closed: ']' is missing");
			return;
		}
		if (text_starts(text_part(parser->source, at, 2), TEXT("[:")))
			fail(parser, ERR_INPUT, at, "there are no [:names:] here");
		if (take_class(parser, set))
			continue;
		uint32_t low = take_bound(parser), high = low;
		struct text two = text_part(parser->source, parser->at, 2);
		if (two.size == 2 && two.data[0] == '-' && two.data[1] != ']') {
			parser->at++;
			high = take_bound(parser);
		}
		if (high < low)
			fail(parser, ERR_INPUT, at, "the range ends before it begins");
		add_range(parser, set, low, high);
	}
}

static struct part *read_alternatives(struct parser *parser);

/* "P<name>": names are for those who want what was matched. */
static bool take_name(struct parser *parser)
{
	if (!text_starts(text_part(parser->source, parser->at, 2), TEXT("P<")))
		return false;
	size_t end = text_find_byte(parser->source, '>', parser->at);
	parser->at = end == SIZE_MAX ? parser->source.size : end + 1;
	return end != SIZE_MAX;
}

static struct part *read_group(struct parser *parser)
{
	size_t began = parser->at - 1;
	if (take(parser, '?') && !take(parser, ':') && !take_name(parser))
		fail(parser, ERR_INPUT, began,
			"of groups there are ( ), (?: ) and (?P<name> ), and (?i) in front of all");
	if (++parser->depth > REGEX_DEPTH_MAX)
		fail(parser, ERR_LIMIT, began, "groups stand at most 32 deep");
	struct part *inner = read_alternatives(parser);
	parser->depth--;
	if (!take(parser, ')'))
		fail(parser, ERR_INPUT, began, "the group is not closed: ')' is missing");
	return inner;
}

static void read_escaped_atom(struct parser *parser, struct set *set)
{
	int letter = peek(parser);
	if (letter > 0 && add_class(parser, set, (char)letter)) {
		parser->at++;
		return;
	}
	uint32_t code = take_escaped(parser);
	add_range(parser, set, code, code);
}

static void read_literal(struct parser *parser, struct set *set)
{
	size_t at = parser->at;
	uint32_t code = take_code(parser);
	if (code < 0x80 && memchr("*+?{", (int)code, 4))
		fail(parser, ERR_INPUT, at,
			"this character has a meaning here: put a backslash before it");
	add_range(parser, set, code, code);
}

/* One character, set or group; NULL where none can stand. */
static struct part *read_atom(struct parser *parser)
{
	if (take(parser, '('))
		return read_group(parser);
	struct part *part = new_part(parser);
	if (part && (peek(parser) == '^' || peek(parser) == '$')) {
		part->kind = take(parser, '^') ? PART_BEGIN : PART_END;
		parser->at += part->kind == PART_END;
		return part;
	}
	struct set *set = part ? arena_alloc(parser->arena, sizeof *set) : NULL;
	if (!set) {
		fail(parser, ERR_MEMORY, parser->at, "out of memory for a regular expression");
		return NULL;
	}
	*part = (struct part){.kind = PART_SET, .set = set};
	if (take(parser, '.'))
		set->negated = true;
	else if (take(parser, '['))
		read_set(parser, set);
	else if (take(parser, '\\'))
		read_escaped_atom(parser, set);
	else
		read_literal(parser, set);
	return part;
}

static int take_number(struct parser *parser)
{
	size_t at = parser->at;
	int number = 0;
	while (peek(parser) >= '0' && peek(parser) <= '9' && number <= REGEX_REPEAT_MAX)
		number = number * 10 + (parser->source.data[parser->at++] - '0');
	if (parser->at == at)
		fail(parser, ERR_INPUT, at, "a number is missing: {n}, {n,} or {n,m}");
	if (number > REGEX_REPEAT_MAX)
		fail(parser, ERR_LIMIT, at, "a part repeats at most 500 times");
	return number;
}

/* Behind an atom: how often. false: once. */
static bool read_count(struct parser *parser, int *min, int *max)
{
	size_t at = parser->at;
	*min = 0;
	*max = OPEN_END;
	if (take(parser, '*'))
		return true;
	if (take(parser, '+')) {
		*min = 1;
		return true;
	}
	if (take(parser, '?')) {
		*max = 1;
		return true;
	}
	if (!take(parser, '{'))
		return false;
	*min = *max = take_number(parser);
	if (take(parser, ','))
		*max = peek(parser) == '}' ? OPEN_END : take_number(parser);
	if (!take(parser, '}'))
		fail(parser, ERR_INPUT, at, "the count is not closed: '}' is missing");
	if (*max != OPEN_END && *max < *min)
		fail(parser, ERR_INPUT, at, "the count ends before it begins");
	return true;
}

static struct part *read_repeated(struct parser *parser)
{
	int min, max;
	struct part *part = read_atom(parser);
	if (!part || !read_count(parser, &min, &max))
		return part;
	take(parser, '?'); /* lazy: what matches is the same */
	struct part *repeat = new_part(parser);
	if (repeat)
		*repeat = (struct part){.kind = PART_REPEAT, .first = part, .min = min, .max = max};
	return repeat;
}

static struct part *read_sequence(struct parser *parser)
{
	struct part *sequence = new_part(parser);
	struct part **last = sequence ? &sequence->first : NULL;
	if (sequence)
		sequence->kind = PART_SEQUENCE;
	while (last && peek(parser) >= 0 && peek(parser) != '|' && peek(parser) != ')') {
		*last = read_repeated(parser);
		last = *last ? &(*last)->next : NULL;
	}
	return sequence;
}

static struct part *read_alternatives(struct parser *parser)
{
	struct part *all = new_part(parser);
	struct part **last = all ? &all->first : NULL;
	if (all)
		all->kind = PART_ALTERNATIVES;
	do {
		struct part *sequence = read_sequence(parser);
		if (!sequence || !last)
			return all;
		*last = sequence;
		last = &sequence->next;
	} while (take(parser, '|'));
	return all;
}

static size_t add_step(struct program *program, const struct step *step)
{
	if (program->n == REGEX_PROGRAM_MAX) {
		program->failed = true;
		return 0;
	}
	program->steps[program->n] = *step;
	return program->n++;
}

static void write_part(struct program *program, const struct part *part);

/* Each but the last: try it, or the next one. */
static void write_alternatives(struct program *program, const struct part *part)
{
	const struct part *first = part->first;
	if (!first || program->failed)
		return;
	if (!first->next) {
		write_part(program, first);
		return;
	}
	const struct part rest = {.kind = PART_ALTERNATIVES, .first = first->next};
	size_t split = add_step(program, &(struct step){.kind = STEP_SPLIT});
	program->steps[split].to = (uint16_t)program->n;
	write_part(program, first);
	size_t jump = add_step(program, &(struct step){.kind = STEP_JUMP});
	program->steps[split].other = (uint16_t)program->n;
	write_alternatives(program, &rest);
	program->steps[jump].to = (uint16_t)program->n;
}

/* The part up to @n times. */
static void write_optional(struct program *program, const struct part *part, int n)
{
	if (n == 0 || program->failed)
		return;
	size_t split = add_step(program, &(struct step){.kind = STEP_SPLIT});
	program->steps[split].to = (uint16_t)program->n;
	write_part(program, part);
	write_optional(program, part, n - 1);
	program->steps[split].other = (uint16_t)program->n;
}

static void write_repeat(struct program *program, const struct part *part)
{
	for (int i = 0; i < part->min && !program->failed; i++)
		write_part(program, part->first);
	if (part->max != OPEN_END) {
		write_optional(program, part->first, part->max - part->min);
		return;
	}
	size_t split = add_step(program, &(struct step){.kind = STEP_SPLIT});
	program->steps[split].to = (uint16_t)program->n;
	write_part(program, part->first);
	add_step(program, &(struct step){.kind = STEP_JUMP, .to = (uint16_t)split});
	program->steps[split].other = (uint16_t)program->n;
}

static void write_part(struct program *program, const struct part *part)
{
	program->failed |= ++program->n_writes > WRITES_MAX;
	switch (part->kind) {
	case PART_BEGIN:
	case PART_END:
		add_step(program,
			&(struct step){.kind = part->kind == PART_BEGIN ? STEP_BEGIN : STEP_END});
		break;
	case PART_SET:
		add_step(program, &(struct step){.kind = STEP_SET, .set = part->set});
		break;
	case PART_SEQUENCE:
		for (const struct part *inner = part->first; inner && !program->failed;
			inner = inner->next)
			write_part(program, inner);
		break;
	case PART_ALTERNATIVES:
		write_alternatives(program, part);
		break;
	case PART_REPEAT:
		write_repeat(program, part);
		break;
	}
}

static struct part *read_whole(struct parser *parser, bool *any_case)
{
	if (parser->source.size > REGEX_BYTES_MAX)
		fail(parser, ERR_LIMIT, REGEX_BYTES_MAX,
			"a regular expression has at most 1024 bytes");
	*any_case = text_starts(parser->source, TEXT("(?i)"));
	parser->at = *any_case ? 4 : 0;
	struct part *whole = read_alternatives(parser);
	if (peek(parser) == ')')
		fail(parser, ERR_INPUT, parser->at, "no group is open that this could close");
	return whole;
}

static int compile(
	const struct part *whole, struct text source, struct program *program, struct err *err)
{
	write_part(program, whole);
	add_step(program, &(struct step){.kind = STEP_MATCH});
	if (!program->failed)
		return 0;
	err_set(err, ERR_LIMIT,
		"the regular expression is too long: its parts may repeat less often");
	return err_place(err, 0, source.size);
}

int regex_parse(struct text source, struct arena *arena, const struct regex **out, struct err *err)
{
	struct parser parser = {.source = source, .arena = arena, .err = err};
	bool any_case;
	const struct part *whole = read_whole(&parser, &any_case);
	if (parser.failed)
		return -1;
	AUTO(free) struct program *program = calloc(1, sizeof *program);
	if (!whole || !program)
		return err_set(err, ERR_MEMORY, "out of memory for a regular expression");
	if (compile(whole, source, program, err) < 0)
		return -1;
	size_t size = program->n * sizeof program->steps[0];
	struct regex *regex = arena_alloc(arena, sizeof *regex + size);
	if (!regex)
		return err_set(err, ERR_MEMORY, "out of memory for a regular expression");
	regex->any_case = any_case;
	regex->n = program->n;
	memcpy(regex->steps, program->steps, size);
	*out = regex;
	return 0;
}

static bool set_has(const struct set *set, uint32_t code)
{
	bool found = false;
	for (size_t i = 0; i < set->n && !found; i++)
		found = code >= set->ranges[i].first && code <= set->ranges[i].last;
	return found != set->negated;
}

static bool is_letter(uint32_t code)
{
	return (code | 0x20) >= 'a' && (code | 0x20) <= 'z';
}

static bool step_takes(const struct regex *regex, const struct step *step, uint32_t code)
{
	if (!regex->any_case || !is_letter(code) || step->set->negated)
		return set_has(step->set, code) &&
		       (!regex->any_case || !is_letter(code) || set_has(step->set, code ^ 0x20));
	return set_has(step->set, code) || set_has(step->set, code ^ 0x20);
}

/* Steps that wait for a character, each once. */
struct waiting {
	uint16_t steps[REGEX_PROGRAM_MAX];
	size_t n;
};

struct run {
	const struct regex *regex;
	struct waiting lists[2];
	unsigned char seen[REGEX_PROGRAM_MAX]; /* generation of the list that has it */
	unsigned char generation;
	bool at_begin, at_end; /* of the text */
	bool matched;
};

/* Follows jumps from @from; what takes a character goes into @list. */
static void add_waiting(struct run *run, struct waiting *list, uint16_t from)
{
	uint16_t stack[REGEX_PROGRAM_MAX + 1];
	size_t n = 0;
	stack[n++] = from;
	while (n) {
		uint16_t at = stack[--n];
		const struct step *step = &run->regex->steps[at];
		if (run->seen[at] == run->generation)
			continue;
		run->seen[at] = run->generation;
		if (step->kind == STEP_MATCH)
			run->matched = true;
		else if (step->kind == STEP_SET)
			list->steps[list->n++] = at;
		else if (step->kind == STEP_SPLIT || step->kind == STEP_JUMP)
			stack[n++] = step->to;
		else if (step->kind == STEP_BEGIN ? run->at_begin : run->at_end)
			stack[n++] = (uint16_t)(at + 1);
		if (step->kind == STEP_SPLIT)
			stack[n++] = step->other;
	}
}

static void next_generation(struct run *run)
{
	run->matched = false;
	if (++run->generation == 0) {
		memset(run->seen, 0, sizeof run->seen);
		run->generation = 1;
	}
}

bool regex_matches(const struct regex *regex, struct text text)
{
	struct run run = {
		.regex = regex, .generation = 1, .at_begin = true, .at_end = text.size == 0};
	struct waiting *now = &run.lists[0], *next = &run.lists[1];
	size_t at = 0, size;
	add_waiting(&run, now, 0);
	run.at_begin = false;
	for (; at < text.size && now->n; at += size) {
		uint32_t code = decode(text, at, &size);
		next_generation(&run);
		run.at_end = at + size == text.size;
		next->n = 0;
		for (size_t i = 0; i < now->n; i++)
			if (step_takes(regex, &regex->steps[now->steps[i]], code))
				add_waiting(&run, next, (uint16_t)(now->steps[i] + 1));
		struct waiting *swap = now;
		now = next;
		next = swap;
	}
	return at == text.size && run.matched;
}
