/* SPDX-License-Identifier: Apache-2.0 */
#include "console/decision_wish.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/slot.h"

#define NOW_NS (INT64_C(1790000400) * NS_PER_S)

static struct arena arena;
static struct wish_refusal refusal;

static void setup(void)
{
	arena_init(&arena, 1024 * 1024);
}

static void teardown(void)
{
	arena_done(&arena);
}

static bool ask(enum decision_kind kind, const char *body, struct decision *out)
{
	*out = (struct decision){.kind = kind, .actor = TEXT("token:ann")};
	return decision_wish_read(text_of(body), NOW_NS, &arena, out, &refusal);
}

#define PRINT "\"00112233445566778899aabbccddeeff\""

START_TEST(reads_what_each_may_say)
{
	struct decision got;
	ck_assert(ask(DECISION_ACK, "", &got) && ask(DECISION_ACK, " {} ", &got));
	ck_assert(ask(DECISION_ASSIGN, "", &got) && text_is(got.incident.who, "ann"));
	ck_assert(ask(DECISION_ASSIGN, "{\"assignee\":\"me\"}", &got));
	ck_assert(text_is(got.incident.who, "ann"));
	ck_assert(ask(DECISION_ASSIGN, "{\"assignee\":\"Bob O'Hara\"}", &got));
	ck_assert(text_is(got.incident.who, "Bob O'Hara"));
	ck_assert(ask(DECISION_ASSIGN, "{\"assignee\":\"\"}", &got) && !got.incident.who.size);
	ck_assert(ask(DECISION_COMMENT, "{\"text\":\"a\\nb\"}", &got));
	ck_assert(text_is(got.incident.text, "a\nb"));
	ck_assert(ask(DECISION_RESOLVE, "{\"verdict\":\"benign-expected\"}", &got));
	ck_assert_int_eq(got.incident.verdict, VERDICT_BENIGN_EXPECTED);
	ck_assert(ask(DECISION_MERGE, "{\"with\":\"INC-4\"}", &got));
	ck_assert_uint_eq(got.incident.other, 4);
	ck_assert(ask(DECISION_UNDO, "{\"edit\":\"abc\"}", &got));
	ck_assert(text_is(got.incident.edit, "abc"));
}
END_TEST

START_TEST(reads_times)
{
	struct decision got;
	ck_assert(ask(DECISION_SNOOZE, "{\"for\":\"2h\"}", &got));
	ck_assert_int_eq(got.incident.until_ns, NOW_NS + 7200 * NS_PER_S);
	ck_assert(ask(DECISION_SNOOZE, "{\"for\":\"366d\"}", &got));
	ck_assert(ask(DECISION_SNOOZE, "{\"for\":\"0\"}", &got) && got.incident.until_ns == 0);
	ck_assert(ask(DECISION_SNOOZE, "{\"until\":\"1970-01-01T00:00:00Z\"}", &got));
	ck_assert_int_ne(got.incident.until_ns, 0); /* the past, refused later; no waking */
	ck_assert(ask(DECISION_CUT, "{}", &got) && !got.incident.has_slot);
	ck_assert(ask(DECISION_CUT, "{\"slot\":7}", &got) && got.incident.has_slot);
	ck_assert_int_eq(got.incident.from_slot, 7);
	ck_assert(ask(DECISION_CUT, "{\"at\":\"1970-01-01T00:09:59Z\"}", &got));
	ck_assert_int_eq(got.incident.from_slot, 1);
	ck_assert(ask(DECISION_UNLINK, "{\"fingerprints\":[" PRINT "]}", &got));
	ck_assert(!got.incident.has_slot && got.incident.n_prints == 1);
	ck_assert_uint_eq(got.incident.prints[0][15], 0xff);
	ck_assert(ask(DECISION_UNLINK,
		"{\"to\":\"1970-01-01T00:09:59Z\",\"fingerprints\":[" PRINT "]}", &got));
	ck_assert(got.incident.has_slot && got.incident.to_slot == 1);
	ck_assert_int_eq(got.incident.from_slot, INT64_MIN);
}
END_TEST

/* Whatever is overlooked would be taken for done. */
static const struct {
	enum decision_kind kind;
	unsigned status;
	const char *body, *says;
} refused[] = {
	{DECISION_ACK, 400, "{\"comment\":\"x\"}", "offset 1: unknown member 'comment'"},
	{DECISION_ACK, 400, "[]", "object"},
	{DECISION_ACK, 400, "null", "object"},
	{DECISION_ACK, 400, "{}{}", "offset 2"},
	{DECISION_ACK, 400, "{", "offset"},
	{DECISION_COMMENT, 400, "{\"text\":\"x\",\"state\":\"closed\"}", "offset 12"},
	{DECISION_COMMENT, 400, "{\"text\":\"x\",\"text\":\"y\"}", "text"},
	{DECISION_COMMENT, 400, "{\"text\":{\"text\":\"x\"}}", "offset 8"},
	{DECISION_COMMENT, 400, "{\"text\":[\"x\"]}", "string"},
	{DECISION_COMMENT, 400, "{\"text\":null}", "string"},
	{DECISION_COMMENT, 422, "{}", "text"},
	{DECISION_COMMENT, 422, "{\"text\":\" \\n\"}", "text"},
	{DECISION_ASSIGN, 400, "{\"who\":\"bob\"}", "assignee"},
	{DECISION_ASSIGN, 400, "{\"assignee\":null}", "string"},
	{DECISION_ASSIGN, 422, "{\"assignee\":\"a\\u0007b\"}", "one line"},
	{DECISION_ASSIGN, 422, "{\"assignee\":\" bob\"}", "space"},
	{DECISION_RESOLVE, 422, "", "verdict"},
	{DECISION_RESOLVE, 422, "{\"verdict\":\"\"}", "verdict"},
	{DECISION_RESOLVE, 422, "{\"verdict\":\"True-Positive\"}", "true-positive"},
	{DECISION_RESOLVE, 400, "{\"verdict\":1}", "string"},
	{DECISION_SNOOZE, 422, "", "until or for"},
	{DECISION_SNOOZE, 422, "{\"for\":\"2h\",\"until\":\"2027-01-01T00:00:00Z\"}", "either"},
	{DECISION_SNOOZE, 422, "{\"for\":\"2\"}", "2h"},
	{DECISION_SNOOZE, 422, "{\"for\":\"-2h\"}", "2h"},
	{DECISION_SNOOZE, 422, "{\"for\":\"367d\"}", "year"},
	{DECISION_SNOOZE, 422, "{\"for\":\"99999999999999999999d\"}", "year"},
	{DECISION_SNOOZE, 422, "{\"until\":\"tomorrow\"}", "RFC 3339"},
	{DECISION_SNOOZE, 422, "{\"until\":\"2200-01-01T00:00:00Z\"}", "year"},
	{DECISION_CUT, 422, "{\"at\":\"2026-01-01T00:00:00Z\",\"slot\":1}", "not both"},
	{DECISION_CUT, 400, "{\"slot\":\"1\"}", "number"},
	{DECISION_CUT, 422, "{\"slot\":1.5}", "whole"},
	{DECISION_CUT, 422, "{\"slot\":-1}", "whole"},
	{DECISION_CUT, 422, "{\"slot\":9223372036854775807}", "whole"},
	{DECISION_MERGE, 422, "{}", "with"},
	{DECISION_MERGE, 422, "{\"with\":\"0\"}", "INC-12"},
	{DECISION_MERGE, 400, "{\"with\":4}", "string"},
	{DECISION_UNLINK, 422, "{}", "fingerprints"},
	{DECISION_UNLINK, 422, "{\"fingerprints\":[]}", "fingerprints"},
	{DECISION_UNLINK, 422, "{\"fingerprints\":[\"0011\"]}", "'0011' is no fingerprint"},
	{DECISION_UNLINK, 400, "{\"fingerprints\":" PRINT "}", "array"},
	{DECISION_UNLINK, 400, "{\"fingerprints\":[[" PRINT "]]}", "offset 17"},
	{DECISION_UNLINK, 400, "{\"fingerprints\":[" PRINT ",1]}", "array"},
	{DECISION_UNDO, 422, "{}", "edit"},
	{DECISION_UNDO, 422, "{\"edit\":\"\"}", "edit"},
};

enum { N_REFUSED = sizeof refused / sizeof refused[0] };

START_TEST(refuses_what_it_does_not_understand)
{
	struct decision got;
	const char *body = refused[_i].body;
	ck_assert_msg(!ask(refused[_i].kind, body, &got), "accepted: %s", body);
	ck_assert_msg(refusal.status == refused[_i].status, "%s: %u %s", body, refusal.status,
		refusal.err.text);
	ck_assert_msg(strstr(refusal.err.text, refused[_i].says) != NULL, "%s: %s", body,
		refusal.err.text);
}
END_TEST

/* {"text":"aaa…"} of that many bytes */
static bool comment(size_t size)
{
	struct decision got;
	char *body = calloc(1, size + 16);
	memcpy(body, "{\"text\":\"", 9);
	memset(body + 9, 'a', size);
	memcpy(body + 9 + size, "\"}", 2);
	bool taken = ask(DECISION_COMMENT, body, &got);
	free(body);
	return taken && got.incident.text.size == size;
}

START_TEST(comments_have_a_limit)
{
	ck_assert(comment(COMMENT_BYTES_MAX));
	ck_assert(!comment(COMMENT_BYTES_MAX + 1) && refusal.status == 422);
	ck_assert(!comment(100 * 1024) && refusal.status == 422);
	ck_assert(!comment(130 * 1024) && refusal.status == 413);
}
END_TEST

static bool unlink_of(unsigned n)
{
	struct decision got;
	struct buf body;
	buf_init(&body, 4096);
	buf_add_string(&body, "{\"fingerprints\":[");
	for (unsigned i = 0; i < n; i++)
		buf_addf(&body, "%s" PRINT, i ? "," : "");
	buf_add_string(&body, "]}");
	bool taken = ask(DECISION_UNLINK, buf_string(&body), &got);
	buf_done(&body);
	return taken && got.incident.n_prints == n;
}

START_TEST(unlinks_have_a_limit)
{
	ck_assert(unlink_of(EDIT_PRINTS_MAX));
	ck_assert(!unlink_of(EDIT_PRINTS_MAX + 1) && refusal.status == 400);
	ck_assert(strstr(refusal.err.text, "offset 577: at most 16") != NULL);
}
END_TEST

START_TEST(edit_ids_are_easy_and_differ)
{
	char a[EDIT_ID_BYTES], b[EDIT_ID_BYTES];
	edit_id_make(a);
	edit_id_make(b);
	ck_assert_uint_eq(strlen(a), 10);
	ck_assert_uint_eq(strspn(a, "abcdefghijklmnopqrstuvwxyz234567"), 10);
	ck_assert_str_ne(a, b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("console/decision_wish");
	TCase *tests = tcase_create("decision_wish");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, reads_what_each_may_say);
	tcase_add_test(tests, reads_times);
	tcase_add_loop_test(tests, refuses_what_it_does_not_understand, 0, N_REFUSED);
	tcase_add_test(tests, comments_have_a_limit);
	tcase_add_test(tests, unlinks_have_a_limit);
	tcase_add_test(tests, edit_ids_are_easy_and_differ);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
