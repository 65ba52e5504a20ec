/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pull reader: what it takes, what it refuses, its limits, and where it means to differ from
 * jansson (tests/fuzz/fuzz_pull.c holds it against jansson for everything else).
 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/pull.h"
#include "base/utf8.h"

static struct arena arena;
static struct pull reader;
static struct err err;

static void setup(void)
{
	arena_init(&arena, 1 << 26);
}

static void teardown(void)
{
	arena_done(&arena);
}

/*
 * One character an event, values behind KEY, STRING and NUMBER; 'i' an integer, 'r' another number;
 * '.' the end, '!' a broken document, '^' one over a limit.
 */
static void events_of(struct buf *out, struct text source, const struct pull_limits *limits)
{
	static const char marks[] = "{}[]ks#tfn.!";
	enum pull_event what;
	buf_clear(out);
	pull_init(&reader, source, &arena, limits);
	do {
		what = pull_next(&reader);
		char mark = what == PULL_NUMBER ? (reader.integer ? 'i' : 'r') : marks[what];
		if (what == PULL_BAD && reader.error_kind == ERR_LIMIT)
			mark = '^';
		buf_add_byte(out, (unsigned char)mark);
		if (what == PULL_KEY || what == PULL_STRING || what == PULL_NUMBER) {
			buf_add(out, reader.value);
			buf_add_byte(out, ' ');
		}
	} while (what != PULL_END && what != PULL_BAD);
	ck_assert_int_eq(pull_next(&reader), what); /* for ever */
}

static void expect(struct text source, struct text expected)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	events_of(&out, source, &pull_limits_alert);
	ck_assert_msg(text_equal(buf_text(&out), expected), "'%.*s' gave '%s'", TEXT_ARG(source),
		buf_string(&out));
	buf_done(&out);
}

struct row {
	struct text source, events;
	const char *reason;
};

/* Where jansson 2.14 (JSON_DECODE_ANY, JSON_ALLOW_NUL) says something else. */
static const struct row differences[] = {
	{TEXT("[\"a\xff\"]"), TEXT("[sa\xef\xbf\xbd ]."),
		"attackers choose the bytes of names: an alert is not lost for one that is not "
		"UTF-8"},
	{TEXT("{\"\xe2\x82\":1}"), TEXT("{k\xef\xbf\xbd i1 }."),
		"keys too; a character that is cut short is one U+FFFD, as in browsers and Python"},
	{TEXT("[\"\xed\xa0\x80\"]"), TEXT("[s\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd ]."),
		"a surrogate that was written as UTF-8 is three invalid bytes"},
	{TEXT("[\"\\ud800\",\"\\udc00\",\"\\ud800\\u0041\"]"),
		TEXT("[s\xef\xbf\xbd s\xef\xbf\xbd s\xef\xbf\xbd"
		     "A ]."),
		"lone surrogates: Go's and Java's senders write them"},
	{TEXT("{\"a\\u0000b\":1}"), TEXT("{ka\0b i1 }."),
		"jansson takes NUL in values, not in keys"},
	{TEXT("[18446744073709551616,-9223372036854775809]"),
		TEXT("[i18446744073709551616 i-9223372036854775809 ]."),
		"numbers are texts: whoever wants one in 64 bits asks text_to_i64"},
	{TEXT("[1e999,-1e-999]"), TEXT("[r1e999 r-1e-999 ]."), "as above: no double overflows"},
	{TEXT("[1\0]"), TEXT("[i1 !"),
		"jansson loses a NUL byte behind a number or a word; it is no white space"},
	{TEXT("{\"a\":1,\"a\":2}"), TEXT("{ka i1 ka i2 }."),
		"both are given, jansson keeps the last: which one counts is the decoder's to say"},
	{TEXT("{} 1"), TEXT("{}."),
		"the rest is the caller's: NDJSON is read document by document"},
	{TEXT("01"), TEXT("i0 ."), "as above: the next document would begin with 1"},
	{TEXT("truex"), TEXT("t."), "as above"},
};

START_TEST(differs_where_it_means_to)
{
	expect(differences[_i].source, differences[_i].events);
	ck_assert_ptr_nonnull(differences[_i].reason);
}
END_TEST

static const struct row documents[] = {
	{.source = TEXT("{}"), .events = TEXT("{}.")},
	{.source = TEXT(" \t\r\n[ ] "), .events = TEXT("[].")},
	{.source = TEXT("[true,false,null]"), .events = TEXT("[tfn].")},
	{.source = TEXT("{\"a\":{\"b\":[{}]},\"\":[]}"), .events = TEXT("{ka {kb [{}]}k []}.")},
	{.source = TEXT("\"a\""), .events = TEXT("sa .")},
	{.source = TEXT("[\"a\\u0000b\"]"), .events = TEXT("[sa\0b ].")},
	{.source = TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
		.events = TEXT("[s\"\\/\b\f\n\r\t ].")},
	{.source = TEXT("[\"\\u0041\\u00E9\\u20aC\\uD83D\\ude00\"]"),
		.events = TEXT("[sA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 ].")},
	{.source = TEXT("[\"\xc3\xa9\xf4\x8f\xbf\xbf\x7f\"]"),
		.events = TEXT("[s\xc3\xa9\xf4\x8f\xbf\xbf\x7f ].")},
	/* numbers of all forms */
	{.source = TEXT("[0,-0,10,-1,9223372036854775807,-9223372036854775808]"),
		.events = TEXT("[i0 i-0 i10 i-1 i9223372036854775807 i-9223372036854775808 ].")},
	{.source = TEXT("[18446744073709551615,9007199254740993]"),
		.events = TEXT("[i18446744073709551615 i9007199254740993 ].")},
	{.source = TEXT("[0.0,-0.10,1e5,1E+05,1.5e-7,0e0]"),
		.events = TEXT("[r0.0 r-0.10 r1e5 r1E+05 r1.5e-7 r0e0 ].")},
	{.source = TEXT("-12 \n"), .events = TEXT("i-12 .")},
	/* refused */
	{.source = TEXT(""), .events = TEXT("!")},
	{.source = TEXT("\xef\xbb\xbf[]"), .events = TEXT("!")},
	{.source = TEXT("\0"), .events = TEXT("!")},
	{.source = TEXT("[1,\0"), .events = TEXT("[i1 !")},
	{.source = TEXT("{\"a\":1,\0"), .events = TEXT("{ka i1 !")},
	{.source = TEXT("{\"a\":\0"), .events = TEXT("{ka !")},
	{.source = TEXT("[1,]"), .events = TEXT("[i1 !")},
	{.source = TEXT("[,1]"), .events = TEXT("[!")},
	{.source = TEXT("[1 2]"), .events = TEXT("[i1 !")},
	{.source = TEXT("[1}"), .events = TEXT("[i1 !")},
	{.source = TEXT("{\"a\":1]"), .events = TEXT("{ka i1 !")},
	{.source = TEXT("{\"a\":1,}"), .events = TEXT("{ka i1 !")},
	{.source = TEXT("{\"a\" 1}"), .events = TEXT("{ka !")},
	{.source = TEXT("{\"a\":}"), .events = TEXT("{ka !")},
	{.source = TEXT("{1:2}"), .events = TEXT("{!")},
	{.source = TEXT("{,}"), .events = TEXT("{!")},
	{.source = TEXT("[\v1]"), .events = TEXT("[!")},
	{.source = TEXT("[1/**/]"), .events = TEXT("[i1 !")},
	{.source = TEXT("['a']"), .events = TEXT("[!")},
	{.source = TEXT("[\xc3\xa9]"), .events = TEXT("[!")},
	{.source = TEXT("[tru]"), .events = TEXT("[!")},
	{.source = TEXT("[nulll]"), .events = TEXT("[n!")},
	{.source = TEXT("[True]"), .events = TEXT("[!")},
	{.source = TEXT("[01]"), .events = TEXT("[i0 !")},
	{.source = TEXT("[-]"), .events = TEXT("[!")},
	{.source = TEXT("[+1]"), .events = TEXT("[!")},
	{.source = TEXT("[.5]"), .events = TEXT("[!")},
	{.source = TEXT("[1.]"), .events = TEXT("[!")},
	{.source = TEXT("[1.e1]"), .events = TEXT("[!")},
	{.source = TEXT("[1e]"), .events = TEXT("[!")},
	{.source = TEXT("[1e+]"), .events = TEXT("[!")},
	{.source = TEXT("[0x1]"), .events = TEXT("[i0 !")},
	{.source = TEXT("[NaN]"), .events = TEXT("[!")},
	{.source = TEXT("[\"\\x41\"]"), .events = TEXT("[!")},
	{.source = TEXT("[\"\\u12g4\"]"), .events = TEXT("[!")},
	{.source = TEXT("[\"\\u123\"]"), .events = TEXT("[!")},
	{.source = TEXT("[\"\\\0\"]"), .events = TEXT("[!")},
	{.source = TEXT("[\"\\\xff\"]"), .events = TEXT("[!")},
	{.source = TEXT("[\"a\nb\"]"), .events = TEXT("[!")},
	{.source = TEXT("[\"\0\"]"), .events = TEXT("[!")},
	{.source = TEXT("[\"\x1f\"]"), .events = TEXT("[!")},
};

START_TEST(reads_the_grammar)
{
	expect(documents[_i].source, documents[_i].events);
}
END_TEST

/* The eight bytes at a time must stop at each byte that needs a look, wherever it stands. */
START_TEST(sees_special_bytes_at_every_place)
{
	for (size_t at = 0; at < 24; at++) {
		char source[] = "\"________________________\"";
		source[1 + at] = '\x1f';
		expect(text_of(source), TEXT("!"));
		source[1 + at] = '"';
		struct text value = text_part(text_of(source), 1, at);
		pull_init(&reader, text_of(source), &arena, &pull_limits_alert);
		ck_assert_int_eq(pull_next(&reader), PULL_STRING);
		ck_assert(text_equal(reader.value, value));
		source[1 + at] = '\x80';
		pull_init(&reader, text_of(source), &arena, &pull_limits_alert);
		ck_assert_int_eq(pull_next(&reader), PULL_STRING);
		ck_assert_uint_eq(reader.value.size, 26);
		ck_assert_int_eq(memcmp(reader.value.data + at, "\xef\xbf\xbd", 3), 0);
	}
}
END_TEST

#define WHOLE                                                                                      \
	"{\"a\":[-1.5e+3,\"\\ud83d\\ude00\xf0\x9f\x98\x80\",true,false,null,{}],\"b\\n\":{\"c\":[" \
	"[]]}}"

/* From an exact copy, so that AddressSanitizer sees a read past the end. */
START_TEST(refuses_what_is_cut_anywhere)
{
	struct text whole = TEXT(WHOLE);
	struct buf out;
	buf_init(&out, 4096);
	for (size_t size = 0; size <= whole.size; size++) {
		char *cut = malloc(size ? size : 1);
		memcpy(cut, whole.data, size);
		events_of(&out, (struct text){cut, size}, &pull_limits_alert);
		char last = out.data[out.size - 1];
		ck_assert_msg(last == (size == whole.size ? '.' : '!'), "cut at %zu", size);
		ck_assert_uint_le(reader.error_at, size);
		free(cut);
	}
	buf_done(&out);
}
END_TEST

START_TEST(leaves_the_source_as_it_is)
{
	struct text source = TEXT(" {\"k\xff\" : \"v\xff\\n\" , \"n\" : [ 1 ] } rest");
	pull_init(&reader, source, &arena, &pull_limits_alert);
	ck_assert_int_eq(pull_next(&reader), PULL_OBJECT);
	ck_assert_int_eq(pull_next(&reader), PULL_KEY);
	ck_assert(text_is(reader.value, "k\xef\xbf\xbd"));
	ck_assert_int_eq(pull_next(&reader), PULL_STRING);
	ck_assert(text_is(reader.value, "v\xef\xbf\xbd\n"));
	ck_assert(text_is(text_part(source, reader.start, pull_offset(&reader) - reader.start),
		"\"v\xff\\n\""));
	ck_assert_int_eq(pull_next(&reader), PULL_KEY);
	ck_assert_ptr_eq(reader.value.data, source.data + 19); /* nothing to change: no copy */
	ck_assert(pull_skip(&reader));
	ck_assert(text_is(
		text_part(source, reader.start, pull_offset(&reader) - reader.start), "[ 1 ]"));
	ck_assert_int_eq(pull_next(&reader), PULL_OBJECT_END);
	ck_assert_int_eq(pull_next(&reader), PULL_END);
	ck_assert(text_is(pull_rest(&reader), " rest"));
}
END_TEST

START_TEST(skips_whole_values)
{
	static const char *const values[] = {"1", "\"s\"", "null", "{}", "[]", "{\"a\":[{}]}"};
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct text source = arena_format(&arena, "{\"k\":%s,\"l\":2}", values[i]);
		pull_init(&reader, source, &arena, &pull_limits_alert);
		pull_next(&reader);
		pull_next(&reader);
		ck_assert(pull_skip(&reader));
		ck_assert_int_eq(pull_next(&reader), PULL_KEY);
		ck_assert(text_is(reader.value, "l"));
	}
	pull_init(&reader, TEXT("[[1,]]"), &arena, &pull_limits_alert);
	ck_assert(!pull_skip(&reader));
	ck_assert_int_eq(pull_next(&reader), PULL_BAD);
}
END_TEST

static const struct pull_limits small = {
	.max_depth = 2,
	.max_string_bytes = 4,
	.max_keys = 2,
	.max_bytes = 48,
};

/* Each limit: exactly at it, and one over. */
static const struct row edges[] = {
	{.source = TEXT("[{}]"), .events = TEXT("[{}].")},
	{.source = TEXT("[{\"a\":[]}]"), .events = TEXT("[{ka ^")},
	{.source = TEXT("{\"a\":1,\"b\":2}"), .events = TEXT("{ka i1 kb i2 }.")},
	{.source = TEXT("{\"a\":1,\"a\":2,\"a\":3}"), .events = TEXT("{ka i1 ka i2 ^")},
	{.source = TEXT("[{\"a\":1,\"b\":2},{\"a\":1,\"b\":2}]"),
		.events = TEXT("[{ka i1 kb i2 }{ka i1 kb i2 }].")},
	{.source = TEXT("[\"abcd\"]"), .events = TEXT("[sabcd ].")},
	{.source = TEXT("[\"abcde\"]"), .events = TEXT("[^")},
	{.source = TEXT("{\"abcd\":1}"), .events = TEXT("{kabcd i1 }.")},
	{.source = TEXT("{\"abcde\":1}"), .events = TEXT("{^")},
	/* a string is measured decoded: escapes are longer than what they mean */
	{.source = TEXT("[\"\\u0041\\u0042\\u0043\\u0044\"]"), .events = TEXT("[sABCD ].")},
	{.source = TEXT("[\"\\u0041\\u0042\\u0043\\u0044a\"]"), .events = TEXT("[^")},
	{.source = TEXT("[\"\\u0041\\u0042\\u0043\\u0044\\u0045\"]"), .events = TEXT("[^")},
	{.source = TEXT("[\"\\ud83d\\ude00\"]"), .events = TEXT("[s\xf0\x9f\x98\x80 ].")},
	{.source = TEXT("[\"\xff"
			"a\"]"),
		.events = TEXT("[s\xef\xbf\xbd"
			       "a ].")},
	{.source = TEXT("[\"\xff"
			"ab\"]"),
		.events = TEXT("[^")},
	{.source = TEXT("[                                              ]"), .events = TEXT("[].")},
	{.source = TEXT("[                                               ]"), .events = TEXT("^")},
};

START_TEST(limits_hold_at_their_edge)
{
	struct buf out;
	buf_init(&out, 4096);
	events_of(&out, edges[_i].source, &small);
	ck_assert_msg(text_equal(buf_text(&out), edges[_i].events), "'%.*s' gave '%s'",
		TEXT_ARG(edges[_i].source), buf_string(&out));
	buf_done(&out);
}
END_TEST

/* @n times @unit between @open and @close, under the alerts' limits. */
static char last_event(const char *open, const char *unit, size_t n, const char *close)
{
	struct buf source, out;
	buf_init(&source, 1 << 24);
	buf_init(&out, 1 << 24);
	buf_add_string(&source, open);
	for (size_t i = 0; i < n; i++)
		buf_add_string(&source, unit);
	buf_add_string(&source, close);
	ck_assert(buf_ok(&source));
	events_of(&out, buf_text(&source), &pull_limits_alert);
	char last = out.data[out.size - 1];
	buf_done(&source);
	buf_done(&out);
	return last;
}

START_TEST(limits_of_alerts_are_what_they_say)
{
	ck_assert_int_eq(last_event("", "[", 64, ""), '!');
	ck_assert_int_eq(last_event("", "[", 65, ""), '^');
	ck_assert_int_eq(last_event("{", "\"k\":0,", 4095, "\"l\":0}"), '.');
	ck_assert_int_eq(last_event("{", "\"k\":0,", 4096, "\"l\":0}"), '^');
	ck_assert_int_eq(last_event("[\"", "x", 1 << 20, "\"]"), '.');
	ck_assert_int_eq(last_event("[\"", "x", (1 << 20) + 1, "\"]"), '^');
	ck_assert_int_eq(last_event("[", " ", (8 << 20) - 2, "]"), '.');
	ck_assert_int_eq(last_event("[", " ", (8 << 20) - 1, "]"), '^');
}
END_TEST

/* Every level remembers whether it is an object: mixed, to the deepest that a limit may say. */
START_TEST(remembers_each_level)
{
	static const struct pull_limits deepest = {
		.max_depth = PULL_DEPTH_MAX,
		.max_string_bytes = 8,
		.max_keys = 8,
		.max_bytes = 4096,
	};
	struct buf source, out;
	buf_init(&source, 4096);
	buf_init(&out, 4096);
	for (unsigned i = 0; i < PULL_DEPTH_MAX; i++)
		buf_add_string(&source, i % 3 ? "{\"a\":" : "[");
	buf_add_string(&source, "0");
	for (unsigned i = PULL_DEPTH_MAX; i-- > 0;)
		buf_add_byte(&source, i % 3 ? '}' : ']');
	events_of(&out, buf_text(&source), &deepest);
	ck_assert_int_eq(out.data[out.size - 1], '.');
	source.data[source.size - 1] = '}'; /* the outermost was an array */
	events_of(&out, buf_text(&source), &deepest);
	ck_assert_int_eq(out.data[out.size - 1], '!');
	buf_done(&source);
	buf_done(&out);
}
END_TEST

START_TEST(says_what_and_where)
{
	static const struct {
		const char *source, *text;
		enum err_kind kind;
	} faults[] = {
		{"[1,2", "offset 4: expected a comma or an end", ERR_INPUT},
		{"[1,", "offset 3: the document ends too early", ERR_INPUT},
		{"{\"a\" 1}", "offset 5: expected a colon", ERR_INPUT},
		{"{1", "offset 1: a key must be a string", ERR_INPUT},
		{"[\"a\\q\"]", "offset 3: an unknown escape in a string", ERR_INPUT},
		{"[\"a\n\"]", "offset 3: a control character in a string", ERR_INPUT},
		{"[\"abc", "offset 5: a string without an end", ERR_INPUT},
		{"[1.x]", "offset 3: no digit after the point", ERR_INPUT},
		{"[1ex]", "offset 3: no digit in the exponent", ERR_INPUT},
		{"[x]", "offset 1: not a JSON value", ERR_INPUT},
		{"[[[", "offset 2: nested too deep", ERR_LIMIT},
		{"[\"abcde\"]", "offset 2: a string is too long", ERR_LIMIT},
		{"{\"a\":1,\"b\":2,\"c\"", "offset 13: too many keys in one object", ERR_LIMIT},
	};
	struct buf out;
	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		events_of(&out, text_of(faults[i].source), &small);
		ck_assert_int_eq(pull_error(&reader, &err), -1);
		ck_assert_str_eq(err.text, faults[i].text);
		ck_assert_int_eq(err.kind, faults[i].kind);
	}
	buf_done(&out);
}
END_TEST

START_TEST(a_full_arena_is_no_fault_of_the_sender)
{
	arena_done(&arena);
	arena_init(&arena, 1);
	expect(TEXT("[\"plain\"]"), TEXT("[splain ]."));
	expect(TEXT("[\"\\n\"]"), TEXT("[!"));
	ck_assert_int_eq(pull_error(&reader, &err), -1);
	ck_assert_int_eq(err.kind, ERR_MEMORY);
}
END_TEST

#define N_ROWS(rows) ((int)(sizeof(rows) / sizeof(rows)[0]))

int main(void)
{
	Suite *suite = suite_create("pull");
	TCase *tests = tcase_create("pull");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, differs_where_it_means_to, 0, N_ROWS(differences));
	tcase_add_loop_test(tests, reads_the_grammar, 0, N_ROWS(documents));
	tcase_add_test(tests, sees_special_bytes_at_every_place);
	tcase_add_test(tests, refuses_what_is_cut_anywhere);
	tcase_add_test(tests, leaves_the_source_as_it_is);
	tcase_add_test(tests, skips_whole_values);
	tcase_add_loop_test(tests, limits_hold_at_their_edge, 0, N_ROWS(edges));
	tcase_add_test(tests, limits_of_alerts_are_what_they_say);
	tcase_add_test(tests, remembers_each_level);
	tcase_add_test(tests, says_what_and_where);
	tcase_add_test(tests, a_full_arena_is_no_fault_of_the_sender);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
