/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/secrets.h"

#include <assert.h>
#include <string.h>

#include "base/pull.h"
#include "decode/secret_cuts.h"
#include "decode/secret_rows.h"
#include "decode/secret_texts.h"
#include "decode/secret_unit.h"

enum { MEMBERS_MAX = 4096, JOINED_BYTES_MAX = 1024 };

/* Where a value is. In memory of the function that reads it. */
struct place {
	const struct place *above; /* NULL: the document */
	struct text key;
	size_t index;  /* in an array; SIZE_MAX: behind a key */
	size_t opened; /* the brace of the object it is in */
	size_t joined; /* size of the dotted name so far, in walk->joined */
	struct secret_rows_left left;
};

/*
 * One way through an event. The first finds the values, the second the texts that repeat them, the
 * third, if there was too much, cuts whole members of the top level.
 */
struct walk {
	const struct secrets *secrets;
	struct arena *arena;
	struct pull reader;
	struct secret_cuts *cuts;
	struct secret_texts *texts;
	bool in_texts;
	size_t member; /* of the top level */
	uint64_t *has_secret;
	char joined[JOINED_BYTES_MAX];
};

const struct secrets *secrets_of(struct text source)
{
	for (const struct secrets *secrets = secret_sources; secrets->source; secrets++)
		if (text_is(source, secrets->source))
			return secrets;
	return NULL;
}

static void add_pointer_step(struct buf *out, const struct place *place)
{
	if (place->index != SIZE_MAX) {
		buf_addf(out, "/%zu", place->index);
		return;
	}
	buf_add_byte(out, '/');
	for (size_t i = 0; i < place->key.size; i++) {
		char byte = place->key.data[i];
		if (byte == '~' || byte == '/')
			buf_add_string(out, byte == '~' ? "~0" : "~1");
		else
			buf_add_byte(out, (unsigned char)byte);
	}
}

/* The JSON pointer; absent if it is too long. */
static struct text pointer_to(struct arena *arena, const struct place *place)
{
	const struct place *steps[PULL_DEPTH_MAX + 1];
	size_t n = 0;
	struct buf out;
	struct text pointer = TEXT_NONE;
	for (; place->above; place = place->above)
		steps[n++] = place;
	buf_init(&out, SECRET_PATH_BYTES_MAX);
	while (n-- > 0)
		add_pointer_step(&out, steps[n]);
	if (buf_ok(&out))
		pointer = arena_copy(arena, buf_text(&out));
	arena->failed |= out.no_memory; /* not too long: the whole body fails */
	buf_done(&out);
	return pointer;
}

static void add_cut(struct walk *walk, struct text path, struct secret_cut cut)
{
	cut.path = path;
	walk->has_secret[walk->member / 64] |= UINT64_C(1) << walk->member % 64;
	if (path.size)
		secret_cuts_add(walk->cuts, walk->arena, &cut);
	else
		walk->cuts->over = true;
}

static bool is_worth_cutting(const struct pull *reader, enum pull_event what)
{
	if (what == PULL_STRING)
		return reader->value.size && !text_is(reader->value, "<NA>") &&
		       !text_is(reader->value, SECRET_MARK);
	return what != PULL_NULL && what != PULL_BAD;
}

/* The value that begins with @what, to its end. */
static bool cut_value(struct walk *walk, const struct place *place, const struct secret_row *row,
	enum pull_event what)
{
	struct pull *reader = &walk->reader;
	size_t start = reader->start;
	unsigned above = reader->depth - (what == PULL_OBJECT || what == PULL_ARRAY);
	for (;;) {
		if (!walk->in_texts && !row->alone && (what == PULL_STRING || what == PULL_NUMBER))
			secret_texts_add(walk->texts, walk->arena, reader->value);
		if (what == PULL_BAD || reader->depth <= above)
			break;
		what = pull_next(reader);
	}
	if (what != PULL_BAD && !walk->in_texts)
		add_cut(walk, pointer_to(walk->arena, place),
			(struct secret_cut){.start = start, .end = pull_offset(reader)});
	return what != PULL_BAD;
}

/* The parts of the string just read that say a secret; SIZE_MAX: cut all of it. */
static size_t find_pieces(struct walk *walk, struct secret_cut pieces[SECRET_PIECES_MAX])
{
	const struct pull *reader = &walk->reader;
	struct secret_unit unit = {reader->source, reader->start + 1, 0};
	size_t n = 0, size;
	bool is_plain = reader->value.data == reader->source.data + unit.at;
	size_t at = secret_texts_find(walk->texts, reader->value, 0, &size);
	if (at != SIZE_MAX && !is_plain &&
		!utf8_valid(text_part(unit.source, unit.at, pull_offset(reader) - 1 - unit.at)))
		return SIZE_MAX; /* repaired: no telling where in it */
	while (at != SIZE_MAX) {
		if (n == SECRET_PIECES_MAX)
			return SIZE_MAX;
		size_t start = secret_unit_seek(&unit, at, is_plain);
		pieces[n++] = (struct secret_cut){.start = start,
			.end = secret_unit_seek(&unit, at + size, is_plain),
			.is_piece = true};
		at = secret_texts_find(walk->texts, reader->value, at + size, &size);
	}
	bool may_say = walk->texts->blind && reader->value.size >= SECRET_TEXT_BYTES_MIN;
	return may_say && !text_is(reader->value, SECRET_MARK) ? SIZE_MAX : n;
}

static void cut_pieces(struct walk *walk, const struct place *place)
{
	struct secret_cut pieces[SECRET_PIECES_MAX];
	size_t n = find_pieces(walk, pieces);
	if (n == SIZE_MAX) {
		n = 1;
		pieces[0] = (struct secret_cut){
			.start = walk->reader.start, .end = pull_offset(&walk->reader)};
	}
	struct text path = n ? pointer_to(walk->arena, place) : TEXT_NONE;
	for (size_t i = 0; i < n; i++)
		add_cut(walk, path, pieces[i]);
}

static bool is_dotted(const struct walk *walk, const struct place *object)
{
	return walk->secrets->dotted && object->above;
}

/* The name of place->key in nested objects; false: too long to be one that is known. */
static bool join(struct walk *walk, const struct place *object, struct place *place)
{
	size_t size = object->joined;
	if (place->key.size >= JOINED_BYTES_MAX - size)
		return false;
	if (size)
		walk->joined[size++] = '.';
	if (place->key.size)
		memcpy(walk->joined + size, place->key.data, place->key.size);
	place->joined = size + place->key.size;
	return true;
}

static void find_rows(struct walk *walk, const struct place *object, struct place *place)
{
	const struct secrets *secrets = walk->secrets;
	bool is_joined = is_dotted(walk, object) && join(walk, object, place);
	struct text key = object->joined && is_joined ? (struct text){walk->joined, place->joined}
						      : place->key;
	secret_rows_below(secrets, &object->left, key, is_joined, &place->left);
}

static bool take_begun(struct walk *walk, const struct place *place, enum pull_event what);

/* The value of a key. */
static bool take_value(struct walk *walk, const struct place *place)
{
	if (place->left.n == 0 && !walk->in_texts)
		return pull_skip(&walk->reader);
	return take_begun(walk, place, pull_next(&walk->reader));
}

static bool take_object(struct walk *walk, const struct place *object)
{
	size_t opened = walk->reader.start;
	for (size_t n = 0;; n++) {
		enum pull_event what = pull_next(&walk->reader);
		if (what != PULL_KEY)
			return what == PULL_OBJECT_END;
		struct place place = {.above = object,
			.key = walk->reader.value,
			.index = SIZE_MAX,
			.opened = opened};
		if (!object->above)
			walk->member = n;
		find_rows(walk, object, &place);
		if (!take_value(walk, &place))
			return false;
	}
}

static bool take_array(struct walk *walk, const struct place *array)
{
	for (size_t n = 0;; n++) {
		struct place place = {.above = array, .index = n, .opened = array->opened};
		enum pull_event what = pull_next(&walk->reader);
		if (what == PULL_ARRAY_END)
			return true;
		secret_rows_of_element(walk->secrets, &array->left, &place.left);
		if (!take_begun(walk, &place, what))
			return false;
	}
}

/* The row by which the value that begins with @what is a secret, or NULL. */
static const struct secret_row *secret_row_of(
	struct walk *walk, const struct place *place, enum pull_event what)
{
	bool scalar = what != PULL_OBJECT && what != PULL_ARRAY;
	const struct secret_row *row =
		secret_row_here(walk->secrets, &place->left, SECRET_VALUE, scalar);
	if (!row || !is_worth_cutting(&walk->reader, what))
		return NULL;
	struct text object = text_part(walk->reader.source, place->opened, SIZE_MAX);
	return !row->applies || row->applies(object, walk->arena) ? row : NULL;
}

static bool is_name(const struct walk *walk, const struct place *place)
{
	return secret_row_here(walk->secrets, &place->left, SECRET_NAME, true) != NULL;
}

static bool take_begun(struct walk *walk, const struct place *place, enum pull_event what)
{
	const struct secret_row *row = secret_row_of(walk, place, what);
	if (row)
		return cut_value(walk, place, row, what);
	if (what == PULL_OBJECT)
		return take_object(walk, place);
	if (what == PULL_ARRAY)
		return take_array(walk, place);
	if (what == PULL_STRING && walk->in_texts && !is_name(walk, place))
		cut_pieces(walk, place);
	return what != PULL_BAD;
}

/* The document, which must be one object and no more. */
static int take_document(struct walk *walk, struct text raw, struct err *err)
{
	struct place top = {.index = SIZE_MAX};
	pull_init(&walk->reader, raw, walk->arena, &pull_limits_alert);
	secret_rows_at_top(walk->secrets, &top.left);
	if (pull_next(&walk->reader) != PULL_OBJECT || !take_object(walk, &top))
		return pull_error(&walk->reader, err);
	if (text_trim(pull_rest(&walk->reader)).size)
		return err_set(err, ERR_INPUT, "more follows the JSON object");
	return 0;
}

/* Too much to cut one by one: the members of the top level that have any, else everything. */
static void cut_members(struct walk *walk, struct text raw)
{
	struct place top = {.index = SIZE_MAX};
	*walk->cuts = (struct secret_cuts){0};
	pull_init(&walk->reader, raw, walk->arena, &pull_limits_alert);
	bool good = pull_next(&walk->reader) == PULL_OBJECT;
	for (size_t n = 0; good && pull_next(&walk->reader) == PULL_KEY; n++) {
		struct place place = {.above = &top, .key = walk->reader.value, .index = SIZE_MAX};
		walk->member = n;
		good = pull_skip(&walk->reader);
		if (good && walk->has_secret[n / 64] >> n % 64 & 1)
			add_cut(walk, pointer_to(walk->arena, &place),
				(struct secret_cut){.start = walk->reader.start,
					.end = pull_offset(&walk->reader)});
	}
	if (!walk->cuts->over)
		return;
	*walk->cuts = (struct secret_cuts){0};
	secret_cuts_add(walk->cuts, walk->arena, &(struct secret_cut){.end = raw.size});
}

int secrets_cut(
	const struct secrets *secrets, struct batch *batch, struct alert *alert, struct err *err)
{
	if (!text_starts(alert->raw, TEXT("{"))) {
		secrets_cut_line(secrets, batch, alert);
		return 0;
	}
	if (!secrets_are_possible(secrets, alert->raw))
		return 0;
	uint64_t has_secret[MEMBERS_MAX / 64] = {0};
	struct secret_cuts cuts = {0};
	struct secret_texts texts = {0};
	struct walk walk = {.secrets = secrets,
		.arena = &batch->arena,
		.cuts = &cuts,
		.texts = &texts,
		.has_secret = has_secret};
	assert(pull_limits_alert.max_keys <= MEMBERS_MAX);
	int result = take_document(&walk, alert->raw, err);
	secret_texts_ready(&texts, walk.arena);
	walk.in_texts = texts.n > 0;
	if (result == 0 && walk.in_texts && !walk.arena->failed)
		result = take_document(&walk, alert->raw, err);
	if (result < 0) {
		walk.arena->failed |= err->kind == ERR_MEMORY;
		return -1;
	}
	if (cuts.over)
		cut_members(&walk, alert->raw);
	secret_cuts_make(&cuts, batch, alert);
	return 0;
}
