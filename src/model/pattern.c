/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pattern.h"

#include <string.h>

#include "base/utf8.h"

enum step_kind {
	STEP_CHARACTER,
	STEP_ANY,
	STEP_CLASS,
	STEP_SPLIT, /* goes on at both `to` and `other` */
	STEP_JUMP,
	STEP_BEGIN,
	STEP_END,
	STEP_MATCH
};

struct range {
	uint32_t from, to;
};

enum { RANGES_MAX = 64, RUNE_MAX = 0x10FFFF, ATOMS_MAX = 4096 };

/* A set of characters. */
struct class
{
	bool negated;
	size_t n;
	struct range ranges[RANGES_MAX];
};

/* Jumps are relative, so that a part can be moved as a whole. */
struct step {
	enum step_kind kind;
	uint32_t character;
	int to, other;
	const struct class *class;
};

struct pattern {
	bool any_case; /* ASCII letters */
	size_t n;
	struct step steps[PATTERN_STEPS_MAX];
};

/* A pattern being read. */
struct reader {
	struct text source;
	size_t at;
	unsigned depth;
	unsigned n_atoms; /* read so far, copies too: empty groups make no steps */
	struct arena *arena;
	struct pattern *out;
	struct err *err;
};

static int complain(struct reader *reader, enum err_kind kind, const char *why)
{
	return err_set(reader->err, kind, "pattern, character %zu: %s", reader->at + 1, why);
}

static char peek(const struct reader *reader)
{
	return reader->at < reader->source.size ? reader->source.data[reader->at] : '\0';
}

static bool ended(const struct reader *reader)
{
	return reader->at >= reader->source.size;
}

static bool take(struct reader *reader, const char *word)
{
	struct text rest = text_part(reader->source, reader->at, reader->source.size);
	if (!text_starts(rest, text_of(word)))
		return false;
	reader->at += strlen(word);
	return true;
}

/* The character at *at, which moves behind it. Invalid bytes are characters above all others. */
static uint32_t next_rune(struct text text, size_t *at)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t size = utf8_length(text, *at);
	unsigned char first = (unsigned char)text.data[*at];
	if (size == 0) {
		(*at)++;
		return RUNE_MAX + 1U + first;
	}
	uint32_t rune = first & masks[size];
	for (size_t i = 1; i < size; i++)
		rune = rune << 6 | ((unsigned char)text.data[*at + i] & 0x3fU);
	*at += size;
	return rune;
}

static int add(struct reader *reader, struct step step)
{
	struct pattern *out = reader->out;
	if (out->n == PATTERN_STEPS_MAX - 1)
		return complain(reader, ERR_LIMIT, "too long, or repeated too often");
	out->steps[out->n++] = step;
	return 0;
}

/* Puts a step before those from @at on. */
static int insert(struct reader *reader, size_t at, struct step step)
{
	struct pattern *out = reader->out;
	if (add(reader, step) < 0)
		return -1;
	memmove(out->steps + at + 1, out->steps + at, (out->n - 1 - at) * sizeof step);
	out->steps[at] = step;
	return 0;
}

static void add_range(struct class *class, uint32_t from, uint32_t to)
{
	if (class->n < RANGES_MAX)
		class->ranges[class->n] = (struct range){from, to};
	class->n++;
}

/* The characters between the ranges of a class of few. */
static void add_others(struct class *class, const struct range *ranges, size_t n)
{
	uint32_t from = 0;
	for (size_t i = 0; i < n; i++) {
		if (ranges[i].from > from)
			add_range(class, from, ranges[i].from - 1);
		from = ranges[i].to + 1;
	}
	add_range(class, from, UINT32_MAX);
}

/* \d, \w, \s and what they are not. false: it is none of them. */
static bool add_named(struct class *class, char name)
{
	static const struct range digits[] = {{'0', '9'}};
	static const struct range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
	static const struct range spaces[] = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
	const struct {
		char name;
		const struct range *ranges;
		size_t n;
	} known[] = {{'d', digits, 1}, {'w', words, 4}, {'s', spaces, 3}};
	for (size_t i = 0; i < 3; i++) {
		if (text_lower(name) != known[i].name)
			continue;
		if (name != known[i].name)
			add_others(class, known[i].ranges, known[i].n);
		for (size_t j = 0; name == known[i].name && j < known[i].n; j++)
			add_range(class, known[i].ranges[j].from, known[i].ranges[j].to);
		return true;
	}
	return false;
}

/* Behind a backslash: the character that is meant. */
static int read_escape(struct reader *reader, uint32_t *out)
{
	static const char known[] = "tnrfv", meant[] = "\t\n\r\f\v";
	char byte = peek(reader);
	const char *found = byte ? strchr(known, byte) : NULL;
	if (ended(reader))
		return complain(reader, ERR_INPUT, "nothing follows the backslash");
	if (found) {
		*out = (uint32_t)meant[found - known];
		reader->at++;
		return 0;
	}
	if ((text_lower(byte) >= 'a' && text_lower(byte) <= 'z') || (byte >= '0' && byte <= '9'))
		return complain(reader, ERR_INPUT, "this escape is not known here");
	*out = next_rune(reader->source, &reader->at);
	return 0;
}

static struct class *new_class(struct reader *reader)
{
	struct class *class = arena_alloc(reader->arena, sizeof *class);
	if (!class)
		err_set(reader->err, ERR_MEMORY, "out of memory for a pattern");
	return class;
}

static int add_class(struct reader *reader, const struct class *class)
{
	if (class->n > RANGES_MAX)
		return complain(reader, ERR_LIMIT, "this class has too many parts");
	return add(reader, (struct step){.kind = STEP_CLASS, .class = class});
}

/* One end of a range, or a named class (*named). */
static int read_class_part(struct reader *reader, struct class *class, uint32_t *rune, bool *named)
{
	*named = false;
	if (ended(reader))
		return complain(reader, ERR_INPUT, "the class is not closed: ']' is missing");
	if (!take(reader, "\\")) {
		*rune = next_rune(reader->source, &reader->at);
		return 0;
	}
	*named = add_named(class, peek(reader));
	reader->at += *named;
	return *named ? 0 : read_escape(reader, rune);
}

/* Behind the '['. */
static int read_class(struct reader *reader)
{
	struct class *class = new_class(reader);
	if (!class)
		return -1;
	class->negated = take(reader, "^");
	for (bool first = true; first || peek(reader) != ']'; first = false) {
		uint32_t from = 0, to;
		bool named, ignored;
		if (take(reader, "[:"))
			return complain(reader, ERR_INPUT, "[:names:] are not known here");
		if (read_class_part(reader, class, &from, &named) < 0)
			return -1;
		if (named)
			continue;
		to = from;
		bool range = peek(reader) == '-' && reader->at + 1 < reader->source.size &&
			     reader->source.data[reader->at + 1] != ']';
		reader->at += range;
		if (range && read_class_part(reader, class, &to, &ignored) < 0)
			return -1;
		if (to < from)
			return complain(reader, ERR_INPUT, "this range is the wrong way round");
		add_range(class, from, to);
	}
	reader->at++;
	return add_class(reader, class);
}

static int read_backslash(struct reader *reader)
{
	uint32_t rune = 0;
	struct class *class = new_class(reader);
	if (!class)
		return -1;
	if (add_named(class, peek(reader))) {
		reader->at++;
		return add_class(reader, class);
	}
	if (read_escape(reader, &rune) < 0)
		return -1;
	return add(reader, (struct step){.kind = STEP_CHARACTER, .character = rune});
}

static int read_alternatives(struct reader *reader);

/* Behind the '('. */
static int read_group(struct reader *reader)
{
	if (take(reader, "?P<")) {
		while (!ended(reader) && peek(reader) != '>')
			reader->at++;
		reader->at++;
	} else if (peek(reader) == '?' && !take(reader, "?:")) {
		return complain(reader, ERR_INPUT,
			"of groups with '?' only (?:…) and (?P<name>…) are known here");
	}
	if (++reader->depth > PATTERN_DEPTH_MAX)
		return complain(reader, ERR_LIMIT, "groups are too deep");
	if (read_alternatives(reader) < 0)
		return -1;
	reader->depth--;
	return take(reader, ")") ? 0 : complain(reader, ERR_INPUT, "')' is missing");
}

static int read_atom(struct reader *reader)
{
	if (++reader->n_atoms > ATOMS_MAX)
		return complain(reader, ERR_LIMIT, "too long, or repeated too often");
	if (take(reader, "("))
		return read_group(reader);
	if (take(reader, "["))
		return read_class(reader);
	if (take(reader, "\\"))
		return read_backslash(reader);
	if (take(reader, "."))
		return add(reader, (struct step){.kind = STEP_ANY});
	if (take(reader, "^"))
		return add(reader, (struct step){.kind = STEP_BEGIN});
	if (take(reader, "$"))
		return add(reader, (struct step){.kind = STEP_END});
	if (peek(reader) && strchr("*+?{", peek(reader)))
		return complain(reader, ERR_INPUT, "there is nothing to repeat");
	uint32_t rune = next_rune(reader->source, &reader->at);
	return add(reader, (struct step){.kind = STEP_CHARACTER, .character = rune});
}

/* How often an atom is wanted. */
struct repetition {
	unsigned least, most; /* most UINT32_MAX: any number of times */
};

static int read_number(struct reader *reader, unsigned *out)
{
	size_t from = reader->at;
	uint64_t number;
	while (peek(reader) >= '0' && peek(reader) <= '9')
		reader->at++;
	if (!text_to_u64(text_part(reader->source, from, reader->at - from), &number) ||
		number > PATTERN_STEPS_MAX)
		return complain(reader, ERR_INPUT, "repetitions are {2}, {2,} or {2,5}");
	*out = (unsigned)number;
	return 0;
}

static int read_counted(struct reader *reader, struct repetition *out)
{
	if (read_number(reader, &out->least) < 0)
		return -1;
	out->most = out->least;
	if (take(reader, ",")) {
		out->most = UINT32_MAX;
		if (peek(reader) != '}' && read_number(reader, &out->most) < 0)
			return -1;
	}
	if (!take(reader, "}") || out->most < out->least)
		return complain(reader, ERR_INPUT, "repetitions are {2}, {2,} or {2,5}");
	return 0;
}

/* 1: there is one behind the atom. */
static int read_repetition(struct reader *reader, struct repetition *out)
{
	if (take(reader, "*"))
		*out = (struct repetition){0, UINT32_MAX};
	else if (take(reader, "+"))
		*out = (struct repetition){1, UINT32_MAX};
	else if (take(reader, "?"))
		*out = (struct repetition){0, 1};
	else if (!take(reader, "{"))
		return 0;
	else if (read_counted(reader, out) < 0)
		return -1;
	take(reader, "?"); /* how greedy it is does not matter to whether all of it matches */
	if (peek(reader) && strchr("*+?{", peek(reader)))
		return complain(reader, ERR_INPUT, "this is repeated already: use a group");
	return 1;
}

/* The steps from @from on may be passed over. */
static int make_optional(struct reader *reader, size_t from)
{
	int size = (int)(reader->out->n - from);
	return insert(reader, from, (struct step){.kind = STEP_SPLIT, .to = 1, .other = size + 1});
}

/* … and may come again. */
static int make_loop(struct reader *reader, size_t from)
{
	int size = (int)(reader->out->n - from);
	if (insert(reader, from, (struct step){.kind = STEP_SPLIT, .to = 1, .other = size + 2}) < 0)
		return -1;
	return add(reader, (struct step){.kind = STEP_JUMP, .to = -(size + 1)});
}

/* The atom stands at steps @from on, and at source @begin on: copies are read from there. */
static int repeat(
	struct reader *reader, size_t from, size_t begin, const struct repetition *repetition)
{
	size_t end = reader->at;
	bool endless = repetition->most == UINT32_MAX;
	unsigned copies = endless ? repetition->least + 1 : repetition->most;
	reader->out->n = from;
	for (unsigned i = 0; i < copies; i++) {
		size_t copy = reader->out->n;
		reader->at = begin;
		if (read_atom(reader) < 0)
			return -1;
		if (i < repetition->least)
			continue;
		if ((endless ? make_loop(reader, copy) : make_optional(reader, copy)) < 0)
			return -1;
	}
	reader->at = end;
	return 0;
}

static int read_sequence(struct reader *reader)
{
	while (!ended(reader) && peek(reader) != '|' && peek(reader) != ')') {
		struct repetition repetition;
		size_t from = reader->out->n, begin = reader->at;
		if (read_atom(reader) < 0)
			return -1;
		int repeated = read_repetition(reader, &repetition);
		if (repeated < 0 || (repeated && repeat(reader, from, begin, &repetition) < 0))
			return -1;
	}
	return 0;
}

/* a|b|c: a split before each but the last, and a jump to the end behind it. */
static int read_alternatives(struct reader *reader)
{
	size_t jumps = 0; /* the last jump behind an alternative; each knows the one before it */
	for (;;) {
		size_t from = reader->out->n;
		if (read_sequence(reader) < 0)
			return -1;
		if (!take(reader, "|"))
			break;
		int size = (int)(reader->out->n - from);
		struct step split = {.kind = STEP_SPLIT, .to = 1, .other = size + 2};
		struct step jump = {.kind = STEP_JUMP, .other = (int)jumps};
		if (insert(reader, from, split) < 0 || add(reader, jump) < 0)
			return -1;
		jumps = reader->out->n; /* of the jump, plus one: 0 is none */
	}
	while (jumps) {
		struct step *jump = &reader->out->steps[jumps - 1];
		jump->to = (int)(reader->out->n - (jumps - 1));
		jumps = (size_t)jump->other;
	}
	return 0;
}

int pattern_read(struct text source, struct arena *arena, struct pattern **out, struct err *err)
{
	struct reader reader = {.source = source, .arena = arena, .err = err};
	if (source.size > PATTERN_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "a pattern has at most %d bytes", PATTERN_BYTES_MAX);
	reader.out = arena_alloc(arena, sizeof *reader.out);
	if (!reader.out)
		return err_set(err, ERR_MEMORY, "out of memory for a pattern");
	reader.out->any_case = take(&reader, "(?i)");
	if (read_alternatives(&reader) < 0)
		return -1;
	if (!ended(&reader))
		return complain(&reader, ERR_INPUT, "this ')' closes nothing");
	reader.out->steps[reader.out->n++] = (struct step){.kind = STEP_MATCH};
	*out = reader.out;
	return 0;
}

/* Steps at which the text read so far may stand; each once. */
struct states {
	size_t n;
	uint16_t at[PATTERN_STEPS_MAX];
};

struct run {
	const struct pattern *pattern;
	struct text text;
	size_t position;
	uint32_t generation, seen[PATTERN_STEPS_MAX];
	bool matched;
};

static bool may_pass(const struct run *run, enum step_kind kind)
{
	return kind == STEP_BEGIN ? run->position == 0 : run->position == run->text.size;
}

/* Adds a step and all that is reached from it without reading a character. */
static void follow(struct run *run, struct states *states, size_t first)
{
	uint16_t waiting[PATTERN_STEPS_MAX + 1];
	size_t n = 0;
	waiting[n++] = (uint16_t)first;
	while (n) {
		size_t at = waiting[--n];
		const struct step *step = &run->pattern->steps[at];
		if (run->seen[at] == run->generation)
			continue;
		run->seen[at] = run->generation;
		switch (step->kind) {
		case STEP_SPLIT:
			waiting[n++] = (uint16_t)((int)at + step->other);
			waiting[n++] = (uint16_t)((int)at + step->to);
			break;
		case STEP_JUMP:
			waiting[n++] = (uint16_t)((int)at + step->to);
			break;
		case STEP_BEGIN:
		case STEP_END:
			if (may_pass(run, step->kind))
				waiting[n++] = (uint16_t)(at + 1);
			break;
		case STEP_MATCH:
			run->matched = run->position == run->text.size;
			break;
		case STEP_CHARACTER:
		case STEP_ANY:
		case STEP_CLASS:
			states->at[states->n++] = (uint16_t)at;
			break;
		}
	}
}

static bool in_class(const struct class *class, uint32_t rune)
{
	for (size_t i = 0; i < class->n; i++)
		if (rune >= class->ranges[i].from && rune <= class->ranges[i].to)
			return true;
	return false;
}

/* The same letter, large for small and small for large. */
static uint32_t other_case(uint32_t rune)
{
	bool letter = (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z');
	return letter ? rune ^ 0x20U : rune;
}

static bool reads(const struct run *run, const struct step *step, uint32_t rune)
{
	uint32_t other = run->pattern->any_case ? other_case(rune) : rune;
	if (step->kind == STEP_ANY)
		return true;
	if (step->kind == STEP_CHARACTER)
		return step->character == rune || step->character == other;
	return (in_class(step->class, rune) || in_class(step->class, other)) !=
	       step->class->negated;
}

bool pattern_matches(const struct pattern *pattern, struct text text)
{
	struct run run = {.pattern = pattern, .text = text, .generation = 1};
	struct states sets[2], *now = &sets[0], *next = &sets[1];
	now->n = 0;
	follow(&run, now, 0);
	while (run.position < text.size && now->n) {
		uint32_t rune = next_rune(text, &run.position);
		struct states *spare = now;
		run.generation++;
		run.matched = false;
		next->n = 0;
		for (size_t i = 0; i < now->n; i++)
			if (reads(&run, &pattern->steps[now->at[i]], rune))
				follow(&run, next, now->at[i] + 1U);
		now = next;
		next = spare;
	}
	return run.matched && run.position == text.size;
}
