/* SPDX-License-Identifier: Apache-2.0 */
#include "model/query.h"

#include <stdarg.h>
#include <string.h>

#include "base/utf8.h"
#include "model/query_value.h"

enum { SHOWN_BYTES = 40 };

struct parser {
	struct text source;
	size_t at;
	const struct query_options *options;
	struct arena *arena;
	unsigned depth, n_terms;
	struct err *err; /* the first failure */
	bool failed;
};

static const char *const operator_names[] = {
	[QUERY_HAS] = ":",
	[QUERY_EQUAL] = "=",
	[QUERY_UNEQUAL] = "!=",
	[QUERY_GREATER_EQUAL] = ">=",
	[QUERY_GREATER] = ">",
	[QUERY_LESS_EQUAL] = "<=",
	[QUERY_LESS] = "<",
	[QUERY_MATCHES] = "=~",
	[QUERY_MATCHES_NOT] = "!~",
};

const char *query_operator_name(enum query_operator op)
{
	return operator_names[op];
}

bool query_operator_read(struct text rest, enum query_operator *out)
{
	size_t longest = 0;
	for (unsigned i = 0; i < N_QUERY_OPERATORS; i++) {
		struct text name = text_of(operator_names[i]);
		if (name.size <= longest || !text_starts(rest, name))
			continue;
		longest = name.size;
		*out = (enum query_operator)i;
	}
	return longest > 0;
}

bool query_operator_fits(enum query_operator op, enum query_kind kind)
{
	if (op == QUERY_HAS || op == QUERY_EQUAL || op == QUERY_UNEQUAL)
		return true;
	if (op == QUERY_MATCHES || op == QUERY_MATCHES_NOT)
		return query_kind_is_text(kind) || query_kind_has_words(kind);
	return kind == QUERY_SEVERITY || (kind >= QUERY_COUNT && kind != QUERY_TECHNIQUE);
}

static bool is_negative(enum query_operator op)
{
	return op == QUERY_UNEQUAL || op == QUERY_MATCHES_NOT;
}

static bool is_regex(enum query_operator op)
{
	return op == QUERY_MATCHES || op == QUERY_MATCHES_NOT;
}

__attribute__((format(printf, 5, 6))) static void fail(struct parser *parser, enum err_kind kind,
	size_t place, size_t size, const char *format, ...)
{
	va_list args;
	if (parser->failed)
		return;
	va_start(args, format);
	err_vset(parser->err, kind, format, args);
	va_end(args);
	err_place(parser->err, place, size);
	parser->failed = true;
}

static void no_memory(struct parser *parser)
{
	fail(parser, ERR_MEMORY, parser->at, 1, "out of memory for a query");
}

static char peek(const struct parser *parser)
{
	return parser->failed || parser->at >= parser->source.size
		       ? '\0'
		       : parser->source.data[parser->at];
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void skip_space(struct parser *parser)
{
	while (is_space(peek(parser)))
		parser->at++;
}

static bool take(struct parser *parser, char byte)
{
	if (peek(parser) != byte)
		return false;
	parser->at++;
	return true;
}

/* Is this word here, with nothing of a word behind it? */
static bool at_word(const struct parser *parser, const char *word)
{
	size_t size = strlen(word);
	struct text here = text_part(parser->source, parser->at, size + 1);
	if (parser->failed || !text_starts(here, text_of(word)))
		return false;
	return here.size == size || is_space(here.data[size]) || strchr("(){\"", here.data[size]);
}

static bool take_word(struct parser *parser, const char *word)
{
	if (!at_word(parser, word))
		return false;
	parser->at += strlen(word);
	skip_space(parser);
	return true;
}

static struct query_node *new_node(struct parser *parser, enum query_node_kind kind)
{
	struct query_node *node = arena_alloc(parser->arena, sizeof *node);
	if (node)
		node->kind = kind;
	else
		no_memory(parser);
	return node;
}

static struct query_node *negate(struct parser *parser, struct query_node *inner)
{
	struct query_node *node = inner ? new_node(parser, QUERY_NOT) : NULL;
	if (node)
		node->first = inner;
	return node;
}

static bool is_letter(char byte)
{
	byte = text_lower(byte);
	return (byte >= 'a' && byte <= 'z') || byte == '_';
}

/* The name that begins here; of size 0: there is none. */
static struct text name_at(const struct parser *parser)
{
	size_t size = 0;
	struct text rest = text_part(parser->source, parser->at, QUERY_BYTES_MAX);
	while (size < rest.size && (is_letter(rest.data[size]) || (size && rest.data[size] >= '0' &&
									  rest.data[size] <= '9')))
		size++;
	return text_part(rest, 0, size);
}

/* How a value is read: what ends it where it has no quotes, and what '*' and '\' are. */
struct reading {
	const char *ends;
	bool wildcards, is_regex;
};

static void add_byte(struct parser *parser, char *out, size_t *n, char byte)
{
	if (*n == QUERY_VALUE_MAX)
		fail(parser, ERR_LIMIT, parser->at - 1, 1, "a value has at most %d bytes",
			QUERY_VALUE_MAX);
	else
		out[(*n)++] = byte;
}

/* A backslash takes the meaning from a quote, itself and a star; before others it is one. */
static void take_escape(struct parser *parser, const struct reading *how, char *out, size_t *n)
{
	char next = peek(parser);
	if (next == '\\' || next == '"' || (next == '*' && !how->is_regex)) {
		parser->at++;
		add_byte(parser, out, n, next);
	} else {
		add_byte(parser, out, n, '\\');
	}
}

static void take_byte(struct parser *parser, const struct reading *how, char *out, size_t *n)
{
	char byte = peek(parser);
	parser->at++;
	if (byte == '\\')
		take_escape(parser, how, out, n);
	else
		add_byte(parser, out, n, byte == '*' && how->wildcards ? MATCH_STAR : byte);
}

static void take_quoted(struct parser *parser, const struct reading *how, char *out, size_t *n)
{
	size_t began = parser->at++;
	while (peek(parser) && peek(parser) != '"')
		take_byte(parser, how, out, n);
	if (!take(parser, '"'))
		fail(parser, ERR_INPUT, began, parser->source.size - began,
			"the quotes are not closed");
}

static void take_bare(struct parser *parser, const struct reading *how, char *out, size_t *n)
{
	while (peek(parser) && !is_space(peek(parser)) && !strchr(how->ends, peek(parser))) {
		if (strchr("\"(){}", peek(parser)))
			fail(parser, ERR_INPUT, parser->at, 1,
				"'%c' can stand in quotes only: put the value in quotes",
				peek(parser));
		else
			take_byte(parser, how, out, n);
	}
}

static struct query_value take_value(struct parser *parser, const struct reading *how)
{
	char bytes[QUERY_VALUE_MAX];
	size_t n = 0;
	struct query_value value = {.quoted = peek(parser) == '"'};
	if (value.quoted)
		take_quoted(parser, how, bytes, &n);
	else
		take_bare(parser, how, bytes, &n);
	value.text = arena_copy(parser->arena, (struct text){bytes, n});
	if (n && !value.text.size)
		no_memory(parser);
	return value;
}

static struct query_node *new_term(
	struct parser *parser, const struct query_field *field, size_t place)
{
	if (++parser->n_terms > QUERY_TERMS_MAX)
		fail(parser, ERR_LIMIT, place, 1, "a query has at most %d terms", QUERY_TERMS_MAX);
	struct query_node *node = new_node(parser, QUERY_TERM);
	if (!node)
		return NULL;
	node->term.field = field;
	node->term.place = place;
	return node;
}

/* What the value's own reader says is about the value; a regular expression says where in it. */
static void place_failure(struct parser *parser, size_t began, const struct query_value *value)
{
	struct err *err = parser->err;
	size_t size = parser->at - began, quotes = value->quoted ? 2 : 0;
	bool literal = size == value->text.size + quotes;
	if (err->place_size && literal)
		err_place(err, began + quotes / 2 + err->place, err->place_size);
	else
		err_place(err, began, size);
	parser->failed = true;
}

/* What is compared: a field and how, and where that stands. */
struct comparison {
	const struct query_field *field;
	enum query_operator op;
	size_t place;
};

static struct query_node *take_compared(
	struct parser *parser, const struct comparison *what, const struct reading *how)
{
	size_t began = parser->at;
	struct query_value value = take_value(parser, how);
	struct query_node *node = new_term(parser, what->field, what->place);
	if (parser->failed || !node)
		return NULL;
	if (parser->at == began)
		fail(parser, ERR_INPUT, what->place, began - what->place,
			"a value is missing behind '%s'", query_operator_name(what->op));
	else if (query_value_read(&value, what->op, parser->options, parser->arena, &node->term,
			 parser->err) < 0)
		place_failure(parser, began, &value);
	node->term.size = parser->at - what->place;
	return node;
}

/* "a,b" is either of them. */
static struct query_node *take_list(struct parser *parser, const struct comparison *what)
{
	bool list = what->op == QUERY_HAS || what->op == QUERY_EQUAL || what->op == QUERY_UNEQUAL;
	struct reading how = {.ends = list ? ",)" : ")",
		.wildcards = what->op == QUERY_HAS,
		.is_regex = is_regex(what->op)};
	struct query_node *first = take_compared(parser, what, &how);
	if (!first || !list || peek(parser) != ',')
		return first;
	struct query_node *any = new_node(parser, QUERY_OR);
	if (any)
		any->first = first;
	while (take(parser, ',')) {
		first->next = take_compared(parser, what, &how);
		first = first->next;
		if (!first)
			return NULL;
	}
	return any;
}

/* Something stuck to a value's end would be read as a term of its own. */
static void check_end(struct parser *parser)
{
	char next = peek(parser);
	if (next && !is_space(next) && next != ')')
		fail(parser, ERR_INPUT, parser->at, 1, "a space is missing before '%c'", next);
}

static const struct query_field *find_field(struct parser *parser, struct text name, size_t place)
{
	unsigned elsewhere;
	enum query_of of = parser->options->of;
	const struct query_field *field = query_field_find(name, of, &elsewhere);
	int shown = (int)(name.size < SHOWN_BYTES ? name.size : SHOWN_BYTES);
	if (field)
		return field;
	if (elsewhere)
		fail(parser, ERR_INPUT, place, name.size, "%s have no '%.*s': %s do",
			query_of_name(of), shown, name.data,
			query_of_name((enum query_of)(elsewhere & (0 - elsewhere))));
	else
		fail(parser, ERR_INPUT, place, name.size,
			"there is no field '%.*s': put what should be found as it stands in quotes",
			shown, name.data);
	return NULL;
}

static bool read_comparison(struct parser *parser, struct comparison *what)
{
	if (!query_operator_fits(what->op, what->field->kind))
		fail(parser, ERR_INPUT, parser->at, strlen(query_operator_name(what->op)),
			"'%s' cannot be compared by '%s'", what->field->name,
			query_operator_name(what->op));
	parser->at += strlen(query_operator_name(what->op));
	return !parser->failed;
}

static struct query_node *take_field(
	struct parser *parser, struct text name, enum query_operator op)
{
	struct comparison what = {.op = op, .place = parser->at};
	what.field = find_field(parser, name, what.place);
	parser->at += name.size;
	if (!what.field || !read_comparison(parser, &what))
		return NULL;
	struct query_node *node = take_list(parser, &what);
	check_end(parser);
	return is_negative(op) ? negate(parser, node) : node;
}

/* A word without a field is looked for in all that is text. */
static struct query_node *take_free(struct parser *parser)
{
	const struct reading how = {.ends = ")", .wildcards = true};
	const char star = MATCH_STAR;
	size_t began = parser->at;
	struct query_value value = take_value(parser, &how);
	struct query_node *node = new_term(parser, &query_any_text, began);
	if (parser->failed || !node)
		return NULL;
	node->term.size = parser->at - began;
	node->term.match = (struct match){.kind = MATCH_WILDCARD,
		.text = arena_format(parser->arena, "%c%.*s%c", star, TEXT_ARG(value.text), star)};
	if (!node->term.match.text.size)
		no_memory(parser);
	check_end(parser);
	return node;
}

static struct query_node *take_term(struct parser *parser)
{
	enum query_operator op;
	struct text name = name_at(parser);
	struct text rest = text_part(parser->source, parser->at + name.size, 2);
	bool compares = query_operator_read(rest, &op);
	if (name.size && compares)
		return take_field(parser, name, op);
	if (compares) {
		fail(parser, ERR_INPUT, parser->at, strlen(query_operator_name(op)),
			"a field is missing before '%s'", query_operator_name(op));
		return NULL;
	}
	return take_free(parser);
}

/* The name and operator of one matcher in braces. */
static bool take_matcher_head(struct parser *parser, struct comparison *what)
{
	struct text name = name_at(parser);
	what->place = parser->at;
	what->field = name.size ? find_field(parser, name, what->place) : NULL;
	parser->at += name.size;
	skip_space(parser);
	bool compares = query_operator_read(text_part(parser->source, parser->at, 2), &what->op);
	bool equals = what->op == QUERY_EQUAL || what->op == QUERY_UNEQUAL;
	if (!name.size || !compares || (!equals && !is_regex(what->op)))
		fail(parser, ERR_INPUT, parser->at, 1,
			"braces hold name=\"value\" with =, !=, =~ or !~, separated by commas");
	return !parser->failed && what->field && read_comparison(parser, what);
}

/* name="value" as Alertmanager has it. */
static struct query_node *take_matcher(struct parser *parser)
{
	struct comparison what = {.op = QUERY_HAS};
	if (!take_matcher_head(parser, &what))
		return NULL;
	skip_space(parser);
	const struct reading how = {.ends = ",}", .is_regex = is_regex(what.op)};
	struct query_node *node = take_compared(parser, &what, &how);
	skip_space(parser);
	return is_negative(what.op) ? negate(parser, node) : node;
}

static struct query_node *take_braces(struct parser *parser)
{
	size_t began = parser->at++;
	struct query_node *all = new_node(parser, QUERY_AND);
	struct query_node **last = all ? &all->first : NULL;
	skip_space(parser);
	while (last && peek(parser) && peek(parser) != '}') {
		*last = take_matcher(parser);
		if (!*last)
			return NULL;
		last = &(*last)->next;
		if (!take(parser, ','))
			break;
		skip_space(parser);
	}
	if (!take(parser, '}'))
		fail(parser, ERR_INPUT, began, parser->at - began,
			"the braces are not closed: ',' or '}' is missing");
	return all;
}

static struct query_node *take_any(struct parser *parser);

static struct query_node *take_group(struct parser *parser)
{
	size_t began = parser->at++;
	struct query_node *inner = take_any(parser);
	if (!take(parser, ')'))
		fail(parser, ERR_INPUT, began, 1, "the parenthesis is not closed: ')' is missing");
	if (!parser->failed && inner && inner->kind == QUERY_AND && !inner->first)
		fail(parser, ERR_INPUT, began, parser->at - began, "nothing is in the parentheses");
	return inner;
}

static struct query_node *take_one(struct parser *parser);

static struct query_node *take_nested(struct parser *parser)
{
	size_t began = parser->at;
	if (++parser->depth > QUERY_DEPTH_MAX) {
		fail(parser, ERR_LIMIT, began, 1, "parentheses and negations stand at most %d deep",
			QUERY_DEPTH_MAX);
		return NULL;
	}
	struct query_node *node;
	if (peek(parser) == '(')
		node = take_group(parser);
	else if (take_word(parser, "NOT") || take(parser, '-'))
		node = negate(parser, take_one(parser));
	else
		node = NULL;
	parser->depth--;
	return node;
}

static struct query_node *take_one(struct parser *parser)
{
	char next = peek(parser);
	if (!next || is_space(next) || next == ')' || at_word(parser, "OR") ||
		at_word(parser, "AND")) {
		fail(parser, ERR_INPUT, parser->at, 1, "a term is missing here");
		return NULL;
	}
	if (next == '(' || next == '-' || at_word(parser, "NOT"))
		return take_nested(parser);
	return next == '{' ? take_braces(parser) : take_term(parser);
}

static bool at_end(const struct parser *parser)
{
	return !peek(parser) || peek(parser) == ')';
}

static struct query_node *take_all(struct parser *parser)
{
	struct query_node *all = new_node(parser, QUERY_AND);
	struct query_node **last = all ? &all->first : NULL;
	bool more = false;
	while (last && (more || (!at_end(parser) && !at_word(parser, "OR")))) {
		*last = take_one(parser);
		if (!*last)
			return NULL;
		last = &(*last)->next;
		skip_space(parser);
		more = take_word(parser, "AND");
	}
	return all && all->first && !all->first->next ? all->first : all;
}

static struct query_node *take_any(struct parser *parser)
{
	skip_space(parser);
	struct query_node *first = take_all(parser);
	if (!first || !at_word(parser, "OR"))
		return first;
	struct query_node *any = new_node(parser, QUERY_OR);
	struct query_node **last = any ? &any->first : NULL;
	for (struct query_node *next = first; last; next = take_all(parser)) {
		if (!next)
			return NULL;
		if (next->kind == QUERY_AND && !next->first)
			fail(parser, ERR_INPUT, parser->at, 1, "a term is missing beside OR");
		*last = next;
		last = &next->next;
		if (!take_word(parser, "OR"))
			break;
	}
	return any;
}

static bool check_text(struct parser *parser)
{
	struct text source = parser->source;
	if (source.size > QUERY_BYTES_MAX)
		fail(parser, ERR_LIMIT, QUERY_BYTES_MAX, 1, "a query has at most %d bytes",
			QUERY_BYTES_MAX);
	for (size_t at = 0; at < source.size && !parser->failed;) {
		unsigned char byte = (unsigned char)source.data[at];
		size_t size = utf8_length(source, at);
		if (!size)
			fail(parser, ERR_INPUT, at, 1, "this byte is not UTF-8");
		else if ((byte < ' ' && !is_space((char)byte)) || byte == 0x7f)
			fail(parser, ERR_INPUT, at, 1, "a control character cannot stand here");
		at += size;
	}
	return !parser->failed;
}

int query_parse(struct text source, const struct query_options *options, struct arena *arena,
	const struct query **out, struct err *err)
{
	struct parser parser = {.source = source, .options = options, .arena = arena, .err = err};
	struct query *query = arena_alloc(arena, sizeof *query);
	if (!query)
		return err_set(err, ERR_MEMORY, "out of memory for a query");
	if (!check_text(&parser))
		return -1;
	query->of = options->of;
	query->root = take_any(&parser);
	if (peek(&parser) == ')')
		fail(&parser, ERR_INPUT, parser.at, 1,
			"no parenthesis is open that this could close");
	if (!query->root || arena->failed)
		no_memory(&parser);
	if (parser.failed)
		return -1;
	*out = query;
	return 0;
}
