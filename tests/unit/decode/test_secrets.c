/* SPDX-License-Identifier: Apache-2.0 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "decode/body.h"
#include "decode/secret_rows.h"
#include "decode/secret_texts.h"
#include "decode/secrets.h"

#define RECEIVED_NS INT64_C(1795478400000000000)
#define TOKEN       "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl"
#define FALCO(output, fields)                                                                      \
	"{\"rule\":\"r\",\"priority\":\"Notice\",\"time\":\"2026-11-21T19:52:28Z\",\"output\":"    \
	"\"" output "\",\"output_fields\":{" fields "}}"

static struct batch *batch;
static struct alert *alert;
static unsigned char salt;

/* Salts that a test can foretell: 16 bytes of 1, of 2, of 3 … */
static void counted(void *out, size_t size)
{
	for (size_t at = 0; at < size; at += 16)
		memset((char *)out + at, ++salt, 16);
}

static void start(void)
{
	batch_free(batch);
	batch = batch_new();
	ck_assert_ptr_nonnull(batch);
	batch->random = counted;
	batch->cluster = TEXT("c");
	salt = 0;
}

/* The bytes with every mark replaced by what was there are those that came. */
static void check_restores(struct text raw)
{
	struct buf out;
	size_t at = 0;
	buf_init(&out, 64 * 1024 * 1024);
	for (size_t i = 0; i < alert->n_redactions; i++) {
		struct text value = alert->redactions[i].value;
		size_t mark = text_find(alert->raw, TEXT(SECRET_MARK), at);
		ck_assert_uint_ne(mark, SIZE_MAX);
		size_t end = mark + sizeof SECRET_MARK - 1;
		size_t offset = (size_t)(value.data - raw.data);
		bool is_piece = buf_text(&out).size + mark - at == offset;
		buf_add(&out, text_part(alert->raw, at, mark - at - !is_piece));
		ck_assert_uint_eq(buf_text(&out).size, offset);
		buf_add(&out, value);
		at = end + !is_piece;
		for (size_t j = 0; j < sizeof alert->redactions[i].salt; j++)
			ck_assert_uint_eq(alert->redactions[i].salt[j], (unsigned char)(i + 1));
	}
	buf_add(&out, text_part(alert->raw, at, alert->raw.size));
	ck_assert(text_equal(buf_text(&out), raw));
	buf_done(&out);
}

/* What is left of @raw as an event of @source, whose decoder need not exist. */
static const char *cut(const char *source, struct text raw)
{
	struct err err;
	start();
	alert = batch_alert_new(batch);
	ck_assert_ptr_nonnull(alert);
	alert->raw = raw;
	if (secrets_cut(secrets_of(text_of(source)), batch, alert, &err) < 0)
		secrets_cut_broken(secrets_of(text_of(source)), batch, alert);
	ck_assert(!batch->arena.failed);
	check_restores(raw);
	return arena_string(&batch->arena, alert->raw);
}

static void check_cut(const char *source, const char *raw, const char *wanted)
{
	ck_assert_str_eq(cut(source, text_of(raw)), wanted);
}

static void check_whole(const char *source, const char *raw)
{
	check_cut(source, raw, raw);
	ck_assert_uint_eq(alert->n_redactions, 0);
}

static const struct alert *decode(enum source source, const char *body)
{
	struct err err;
	start();
	batch->source = source;
	ck_assert_msg(body_decode(text_of(body), RECEIVED_NS, batch, &err) == 0, "%s", err.text);
	ck_assert_ptr_nonnull(batch->first);
	return batch->first;
}

static void check_redaction(size_t i, const char *path, const char *value)
{
	ck_assert_uint_lt(i, alert->n_redactions);
	ck_assert_str_eq(arena_string(&batch->arena, alert->redactions[i].path), path);
	ck_assert_str_eq(arena_string(&batch->arena, alert->redactions[i].value), value);
}

/* @pattern with its first '@' replaced. */
static const char *with(char out[512], const char *pattern, const char *value)
{
	const char *at = strchr(pattern, '@');
	ck_assert_ptr_nonnull(at);
	text_format(out, 512, "%.*s%s%s", (int)(at - pattern), pattern, value, at + 1);
	return out;
}

START_TEST(cuts_values_and_keeps_the_other_bytes)
{
	check_cut("k8s-audit",
		"{ \"responseObject\" :{\"status\":{\"token\" : \"" TOKEN "\" } }}\t",
		"{ \"responseObject\" :{\"status\":{\"token\" : \"[redacted]\" } }}\t");
	ck_assert_uint_eq(alert->n_redactions, 1);
	check_redaction(0, "/responseObject/status/token", "\"" TOKEN "\"");
	check_cut("k8s-audit",
		"{\"requestObject\":{\"data\":{\"a/"
		"b~\":\"c2hvcnQ=\",\"n\":1,\"o\":{\"p\":[]},\"z\":null}}}",
		"{\"requestObject\":{\"data\":{\"a/b~\":\"[redacted]\",\"n\":\"[redacted]\","
		"\"o\":\"[redacted]\",\"z\":null}}}");
	check_redaction(0, "/requestObject/data/a~1b~0", "\"c2hvcnQ=\"");
	check_redaction(1, "/requestObject/data/n", "1");
	check_redaction(2, "/requestObject/data/o", "{\"p\":[]}");
}
END_TEST

START_TEST(cuts_every_row_of_the_audit_log)
{
	static const char *const rows[] = {
		"{\"responseObject\":{\"stringData\":{\"k\":@}}}",
		"{\"requestObject\":{\"spec\":{\"token\":@}}}",
		"{\"requestObject\":{\"data\":@}}",
		"{\"responseObject\":{\"kind\":\"SecretList\",\"items\":[{},{\"data\":{\"k\":@}}]}"
		"}",
		"{\"responseObject\":{\"items\":[{\"stringData\":{\"k\":@}}]}}",
		"{\"requestObject\":{\"metadata\":{\"annotations\":{"
		"\"kubectl.kubernetes.io/last-applied-configuration\":@}}}}",
		"{\"responseObject\":{\"items\":[{\"metadata\":{\"annotations\":{"
		"\"kubectl.kubernetes.io/last-applied-configuration\":@}}}]}}",
		"{\"responseObject\":{\"rows\":[{\"object\":{\"data\":{\"k\":@}}}]}}",
		"{\"requestObject\":[{\"op\":\"add\",\"path\":\"/data/k\",\"value\":@}]}",
		"{\"requestObject\":[{\"value\":@,\"path\":\"/stringData\",\"op\":\"add\"}]}",
		"{\"requestObject\":[{\"value\":@}]}",
		"{\"requestObject\":{\"d\\u0061ta\":{\"k\":@}}}",
		"{\"kind\":\"EventList\",\"items\":[{\"responseObject\":{\"status\":{\"token\":@}}"
		"}]}",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char raw[512], wanted[512];
		check_cut("k8s-audit", with(raw, rows[i], "\"" TOKEN "\""),
			with(wanted, rows[i], "\"[redacted]\""));
		ck_assert_uint_eq(alert->n_redactions, 1);
	}
}
END_TEST

START_TEST(cuts_every_row_of_falco)
{
	static const char *const keys[] = {"ka.req.configmap.obj", "jevt.obj", "json.obj",
		"jevt.value[/requestObject]", "jevt.value[/responseObject/status]",
		"jevt.value[/requestObject/data]", "jevt.value[/responseObject/data/password]",
		"json.value[/requestObject/stringData/p]", "jevt.value[/responseObject/items/0]",
		"jevt.value[/responseObject/status/token]",
		"jevt.value_/responseObject/status/token", "jevt.value_/requestObject",
		"tolower(jevt.value[/requestObject/data/p])",
		"jevt.value[/requestObject/spec/token]", "jevt.value[/requestObject/metadata]",
		"jevt.value[/requestObject/metadata/annotations]",
		"jevt.value[/requestObject/metadata/annotations/"
		"kubectl.kubernetes.io~1last-applied-configuration]"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char raw[512], wanted[512];
		text_format(raw, sizeof raw, FALCO("o", "\"%s\":\"%s\""), keys[i], TOKEN);
		text_format(wanted, sizeof wanted, FALCO("o", "\"%s\":\"[redacted]\""), keys[i]);
		check_cut("falco", raw, wanted);
		check_cut("falcosidekick", raw, wanted);
	}
	check_cut("falco", FALCO("o", "\"ka\":{\"req\":{\"configmap\":{\"obj\":\"x\"}}}"),
		FALCO("o", "\"ka\":{\"req\":{\"configmap\":{\"obj\":\"[redacted]\"}}}"));
	check_redaction(0, "/output_fields/ka/req/configmap/obj", "\"x\"");
	check_cut("falco", "{\"Output_Fields\":{\"ka.req.configmap.obj\":\"x\"}}",
		"{\"Output_Fields\":{\"ka.req.configmap.obj\":\"[redacted]\"}}");
}
END_TEST

/* Only the value: among an environment's are the pod's name and the program's path. */
START_TEST(cuts_environments_of_tetragon)
{
	check_cut("tetragon",
		"{\"process_exec\":{\"process\":{\"binary\":\"/usr/bin/"
		"curl\",\"environment_variables\":["
		"{\"key\":\"_\",\"value\":\"/usr/bin/curl\"},{\"key\":\"TOKEN\",\"value\":\"x\"}]},"
		"\"ancestors\":[{\"environment_variables\":[{\"key\":\"K\",\"value\":\"y\"}]}]}}",
		"{\"process_exec\":{\"process\":{\"binary\":\"/usr/bin/"
		"curl\",\"environment_variables\":["
		"{\"key\":\"_\",\"value\":\"[redacted]\"},{\"key\":\"TOKEN\",\"value\":\"[redacted]"
		"\"}]},"
		"\"ancestors\":[{\"environment_variables\":[{\"key\":\"K\",\"value\":\"[redacted]"
		"\"}]}]}}");
	check_redaction(1, "/process_exec/process/environment_variables/1/value", "\"x\"");
}
END_TEST

START_TEST(leaves_what_is_no_secret)
{
	check_whole("falco", FALCO("o", "\"jevt.value[/requestObject/spec/volumes]\":\"x\""));
	check_whole("falco", FALCO("o", "\"ka.req.configmap.name\":\"x\""));
	check_whole("falco", FALCO("o", "\"ka.req.configmap.obj\":null"));
	check_whole("falco", FALCO("o", "\"ka.req.configmap.obj\":\"<NA>\""));
	check_whole("falco", FALCO("o", "\"ka.req.configmap.obj\":\"\""));
	check_whole("k8s-audit", "{\"objectRef\":{\"name\":\"data\"},\"verb\":\"get\"}");
	check_whole("k8s-audit", "{\"requestObject\":[{\"op\":\"replace\",\"path\":\"/spec/"
				 "replicas\",\"value\":3}]}");
	check_whole("k8s-audit", "{\"requestObject\":{\"spec\":{\"value\":\"x\"}}}");
	ck_assert_ptr_null(secrets_of(TEXT("tocsin")));
}
END_TEST

/* What was cut is not cut again: a replay of stored bytes is the same event. */
START_TEST(cuts_once)
{
	const char *once = cut("falco", TEXT(FALCO("a " TOKEN, "\"jevt.obj\":\"" TOKEN "\"")));
	char copy[512];
	text_format(copy, sizeof copy, "%s", once);
	check_whole("falco", copy);
}
END_TEST

START_TEST(cuts_texts_that_say_it)
{
	check_cut("falco",
		FALCO("a " TOKEN " b=" TOKEN ".",
			"\"jevt.obj\":\"" TOKEN "\",\"x\":[\"" TOKEN "\"]"),
		FALCO("a [redacted] b=[redacted].",
			"\"jevt.obj\":\"[redacted]\",\"x\":[\"[redacted]\"]"));
	ck_assert_uint_eq(alert->n_redactions, 4);
	check_redaction(0, "/output", TOKEN);
	check_redaction(2, "/output_fields/jevt.obj", "\"" TOKEN "\"");
	check_redaction(3, "/output_fields/x/0", TOKEN);
	/* Written in another way; the bytes around it stay as they are. */
	check_cut("falco",
		FALCO("\\u0041\\n\\ud83d\\ude00\\\"\\u0070ass\\/\\u00e9\\nword\\t\xc3\xa9",
			"\"jevt.obj\":\"pass/\xc3\xa9\\nword\""),
		FALCO("\\u0041\\n\\ud83d\\ude00\\\"[redacted]\\t\xc3\xa9",
			"\"jevt.obj\":\"[redacted]\""));
	check_redaction(0, "/output", "\\u0070ass\\/\\u00e9\\nword");
	/* Seven bytes may be any word. */
	check_cut("falco", FALCO("hunter2", "\"jevt.obj\":\"hunter2\""),
		FALCO("hunter2", "\"jevt.obj\":\"[redacted]\""));
	check_cut("falco", FALCO("hunter22", "\"jevt.obj\":\"hunter22\""),
		FALCO("[redacted]", "\"jevt.obj\":\"[redacted]\""));
	check_cut("falco", FALCO("12345678", "\"jevt.obj\":12345678"),
		FALCO("[redacted]", "\"jevt.obj\":\"[redacted]\""));
	check_cut("falco", FALCO("a-password", "\"jevt.obj\":{\"k\":[\"a-password\"]}"),
		FALCO("[redacted]", "\"jevt.obj\":\"[redacted]\""));
	/* Bytes that are no UTF-8: nobody can say where in it, so all of it. */
	check_cut("falco", FALCO("\xff\\n hunter22", "\"jevt.obj\":\"hunter22\""),
		FALCO("[redacted]", "\"jevt.obj\":\"[redacted]\""));
}
END_TEST

START_TEST(prefers_the_longest)
{
	check_cut("k8s-audit",
		"{\"message\":\"password password-more\",\"requestObject\":{\"data\":{"
		"\"a\":\"password\",\"b\":\"password-more\"}}}",
		"{\"message\":\"[redacted] [redacted]\",\"requestObject\":{\"data\":{"
		"\"a\":\"[redacted]\",\"b\":\"[redacted]\"}}}");
}
END_TEST

/* falcosidekick's cuts: the text ends inside the secret, the secret itself is cut. */
START_TEST(knows_a_secret_that_was_cut)
{
	check_cut("falco", FALCO("a eyJhbGciOi.eyJ\xef\xbf\xbd[...]", "\"jevt.obj\":\"" TOKEN "\""),
		FALCO("a [redacted]\xef\xbf\xbd[...]", "\"jevt.obj\":\"[redacted]\""));
	check_cut("falco", FALCO("a eyJhbGciOi.eyJ b", "\"jevt.obj\":\"eyJhbGciOi.eyJ[...]\""),
		FALCO("a [redacted] b", "\"jevt.obj\":\"[redacted]\""));
}
END_TEST

/* Else who may write a Secret could make a rule or a pod vanish. */
START_TEST(keeps_names)
{
	const char *body =
		"{\"rule\":\"K8s Secret "
		"Created\",\"priority\":\"Notice\",\"hostname\":\"node-four\","
		"\"output_fields\":{\"jevt.obj\":[\"K8s Secret "
		"Created\",\"node-four\",\"web-12345\"],"
		"\"k8s.pod.name\":\"web-12345\",\"k8s\":{\"ns\":{\"name\":\"web-12345\"}},"
		"\"web-12345\":1},\"time\":\"2026-11-21T19:52:28Z\",\"tags\":[\"web-12345\"]}";
	const struct alert *found = decode(SOURCE_FALCO, body);
	ck_assert_uint_eq(found->n_redactions, 1);
	ck_assert(text_is(found->rule, "K8s Secret Created"));
	ck_assert(text_is(found->pod, "web-12345"));
	ck_assert(text_is(found->namespace, "web-12345"));
	ck_assert_uint_eq(found->tags.n, 1);
	ck_assert(text_is(found->tags.items[0], "web-12345"));
}
END_TEST

START_TEST(marks_the_alert_and_its_fields)
{
	const struct alert *found = decode(SOURCE_FALCO,
		FALCO("a " TOKEN, "\"jevt.obj\":\"" TOKEN "\",\"proc.cmdline\":\"x " TOKEN "\""));
	ck_assert(found->kind == LEAF_ALERT);
	ck_assert(alert_is(found, ALERT_REDACTED_AT_INGEST));
	ck_assert(text_is(found->message, "a [redacted]"));
	ck_assert(text_is(found->process.cmdline, "x [redacted]"));
	struct digest digest = digest_of(found->raw);
	ck_assert_mem_eq(digest.bytes, found->raw_digest.bytes, DIGEST_BYTES);
	ck_assert(!alert_is(
		decode(SOURCE_FALCO, FALCO("a", "\"x\":\"y\"")), ALERT_REDACTED_AT_INGEST));
}
END_TEST

START_TEST(gives_an_id_that_tells_nothing)
{
	unsigned char first[OCCURRENCE_BYTES];
	memcpy(first, decode(SOURCE_FALCO, FALCO("a hunter22 x", "\"jevt.obj\":\"hunter22\""))->occ,
		sizeof first);
	ck_assert_mem_eq(
		decode(SOURCE_FALCO, FALCO("a hunter33 x", "\"jevt.obj\":\"hunter33\""))->occ,
		first, sizeof first);
	/* Nor does the id of an event without a time, which is made of all its bytes. */
	memcpy(first,
		decode(SOURCE_FALCO, "{\"rule\":\"r\",\"output_fields\":{\"jevt.obj\":\"a\"}}")
			->occ,
		sizeof first);
	ck_assert_mem_eq(
		decode(SOURCE_FALCO, "{\"rule\":\"r\",\"output_fields\":{\"jevt.obj\":\"b\"}}")
			->occ,
		first, sizeof first);
}
END_TEST

START_TEST(cuts_in_quarantine)
{
	const struct alert *found = decode(SOURCE_FALCO,
		"{\"output\":\"a " TOKEN "\",\"output_fields\":{\"jevt.obj\":\"" TOKEN "\"}}");
	ck_assert(found->kind == LEAF_QUARANTINED && alert_is(found, ALERT_REDACTED_AT_INGEST));
	ck_assert_uint_eq(text_find(found->raw, TEXT(TOKEN), 0), SIZE_MAX);
	ck_assert_uint_eq(text_find(found->quarantine_reason, TEXT("eyJ"), 0), SIZE_MAX);
	found = decode(SOURCE_FALCO,
		"{\"output\":\"a " TOKEN "\",\"output_fields\":{\"jevt.obj\":\"" TOKEN "\",}}");
	ck_assert(found->kind == LEAF_QUARANTINED && found->n_redactions == 2);
	ck_assert(text_is(found->raw,
		"{\"output\":\"[redacted]\",\"output_fields\":{\"jevt.obj\":\"[redacted]\",}}"));
}
END_TEST

START_TEST(scans_broken_bytes)
{
	check_cut("k8s-audit", "{\"responseObject\":{\"status\":{\"token\": \"abc\"}",
		"{\"responseObject\":{\"status\":{\"token\": \"[redacted]\"}");
	check_redaction(0, "/token", "\"abc\"");
	check_cut("k8s-audit",
		"{\"requestObject\":{\"data\":{\"a\":\"}\\\"\",\"b\":[1,\"x\"]},\"c\":",
		"{\"requestObject\":{\"data\":\"[redacted]\",\"c\":");
	check_cut("k8s-audit", "{\"requestObject\":{\"data\":{\"a\":\"abc",
		"{\"requestObject\":{\"data\":\"[redacted]\"");
	check_cut("k8s-audit", "{\"requestObject\":{\"data\":12\n}\n",
		"{\"requestObject\":{\"data\":\"[redacted]\"\n}\n");
	/* Begins inside a string. */
	check_cut("k8s-audit", "{bc\",\"requestObject\":{\"token\":\"abc\"}",
		"{bc\",\"requestObject\":{\"token\":\"[redacted]\"}");
	check_cut("k8s-audit", "{\"requestObject\":{\"d\\u0061ta\":{\"a\":\"abc\"}",
		"{\"requestObject\":{\"d\\u0061ta\":\"[redacted]\"");
	/* More follows the object, too deep, two members of one name. */
	check_cut("k8s-audit", "{\"requestObject\":{\"data\":{\"a\":\"x\"}}} {",
		"{\"requestObject\":{\"data\":\"[redacted]\"}} {");
}
END_TEST

#define LINE "12:00:00.000000000: Notice K8s "

START_TEST(cuts_in_text_lines)
{
	/* Falco's own rule about ConfigMaps. */
	check_cut("falco",
		LINE "configmap (user=ann configmap=c config={\"a\":\"pass } \\\" word\"} x=1)",
		LINE "configmap (user=ann configmap=c config=[redacted] x=1)");
	check_redaction(0, "/config", "{\"a\":\"pass } \\\" word\"}");
	/* Keys of the audit log's objects, also in JSON that is a string itself. */
	check_cut("falco",
		LINE "x obj={\"kind\":\"Secret\",\"data\":{\"k\":\"dmFs\"},\"type\":\"t\"} y",
		LINE "x obj={\"kind\":\"Secret\",\"data\":[redacted],\"type\":\"t\"} y");
	check_redaction(0, "/data", "{\"k\":\"dmFs\"}");
	check_cut("falco", LINE "x {\"status\":{\"token\": \"" TOKEN "\"}} y",
		LINE "x {\"status\":{\"token\": [redacted]}} y");
	check_cut("falco", LINE "x {\\\"stringData\\\":{\\\"k\\\":\\\"v\\\"}} y",
		LINE "x {\\\"stringData\\\":[redacted]");
	/* Fields of the table by their names; what is no object ends with the line. */
	check_cut("falco", LINE "x ka.req.configmap.obj={\"a\":\"b\"} user=ann",
		LINE "x ka.req.configmap.obj=[redacted] user=ann");
	check_cut("falco", LINE "x (jevt.value[/requestObject/data/password]=hunter2 or 3)",
		LINE "x (jevt.value[/requestObject/data/password]=[redacted]");
	check_redaction(0, "/jevt.value[~1requestObject~1data~1password]", "hunter2 or 3)");
	/* Without an end: all of it. */
	check_cut("falco", LINE "x config={\"a\":\"b", LINE "x config=[redacted]");
}
END_TEST

START_TEST(leaves_text_lines_without_secrets)
{
	check_whole("falco",
		LINE "a shell (user=root cmdline=curl -d {\"a\":1} config=x data={1} k8s.ns=n)");
	check_whole("falco", LINE "x {\"kind\":\"Pod\",\"metadata\":{\"name\":\"n\"}} config= {}");
	check_whole("falco",
		LINE "x \"data\" \"token\":null \"token\":\"\" \"data\":[redacted] config=");
	check_whole(
		"falco", LINE "ka.target.name=n jevt.value[/user/username]=ann myconfig={\"a\":1}");
	/* No text lines: what is no object is left to quarantine's scan. */
	check_whole("k8s-audit", LINE "config={\"a\":\"b\"}");
}
END_TEST

START_TEST(decodes_what_is_left_of_a_text_line)
{
	const struct alert *found = decode(
		SOURCE_FALCO, LINE "configmap changed (user=ann config={\"a\":\"" TOKEN "\"})");
	ck_assert(found->kind == LEAF_ALERT && alert_is(found, ALERT_REDACTED_AT_INGEST));
	ck_assert_uint_eq(text_find(found->message, TEXT("eyJ"), 0), SIZE_MAX);
	ck_assert_uint_ne(text_find(found->message, TEXT("config=[redacted])"), 0), SIZE_MAX);
	ck_assert_uint_eq(found->n_redactions, 1);
	/* Quarantined text, too. */
	found = decode(SOURCE_FALCO, "no falco line config={\"a\":\"" TOKEN "\"}");
	ck_assert(found->kind == LEAF_QUARANTINED && alert_is(found, ALERT_REDACTED_AT_INGEST));
	ck_assert(text_is(found->raw, "no falco line config=[redacted]"));
}
END_TEST

START_TEST(cuts_a_text_line_of_many_whole)
{
	struct buf line;
	buf_init(&line, 1024 * 1024);
	buf_add_string(&line, LINE);
	for (size_t i = 0; i <= SECRET_CUTS_MAX; i++)
		buf_add_string(&line, " config={1}");
	ck_assert_str_eq(cut("falco", buf_text(&line)), "[redacted]");
	buf_done(&line);
}
END_TEST

/* An object of @n members, each a secret. */
static void many(struct buf *out, size_t n)
{
	buf_clear(out);
	buf_add_string(out, "{\"verb\":\"list\",\"requestObject\":{\"data\":{\"k\":\"secret-x\"");
	for (size_t i = 1; i < n; i++)
		buf_addf(out, ",\"k%zu\":\"secret-%zu\"", i, i);
	buf_add_string(out, "}},\"z\":1}");
	ck_assert(buf_ok(out));
}

START_TEST(cuts_members_over_its_limit)
{
	struct buf raw;
	buf_init(&raw, 1024 * 1024);
	many(&raw, SECRET_CUTS_MAX);
	cut("k8s-audit", buf_text(&raw));
	ck_assert_uint_eq(alert->n_redactions, SECRET_CUTS_MAX);
	many(&raw, SECRET_CUTS_MAX + 1);
	ck_assert_str_eq(cut("k8s-audit", buf_text(&raw)),
		"{\"verb\":\"list\",\"requestObject\":\"[redacted]\",\"z\":1}");
	ck_assert_uint_eq(alert->n_redactions, 1);
	buf_done(&raw);
}
END_TEST

START_TEST(cuts_a_text_of_many_pieces_whole)
{
	struct buf raw;
	buf_init(&raw, 65536);
	for (size_t n = SECRET_PIECES_MAX; n <= SECRET_PIECES_MAX + 1; n++) {
		buf_clear(&raw);
		buf_add_string(
			&raw, "{\"output_fields\":{\"jevt.obj\":\"hunter22\"},\"output\":\"a");
		for (size_t i = 0; i < n; i++)
			buf_add_string(&raw, " hunter22");
		buf_add_string(&raw, "\"}");
		cut("falco", buf_text(&raw));
		ck_assert_uint_eq(alert->n_redactions, n > SECRET_PIECES_MAX ? 2 : n + 1);
	}
	buf_done(&raw);
}
END_TEST

/* A path that is too long is no path: the member goes. */
START_TEST(cuts_the_member_of_a_long_path)
{
	struct buf raw;
	const size_t before = sizeof "/requestObject/data/" - 1;
	buf_init(&raw, 65536);
	for (size_t size = SECRET_PATH_BYTES_MAX - before;
		size <= SECRET_PATH_BYTES_MAX - before + 1; size++) {
		buf_clear(&raw);
		buf_add_string(&raw, "{\"requestObject\":{\"data\":{\"");
		for (size_t i = 0; i < size; i++)
			buf_add_byte(&raw, 'k');
		buf_add_string(&raw, "\":\"x\"}}}");
		cut("k8s-audit", buf_text(&raw));
		ck_assert_uint_eq(alert->n_redactions, 1);
		ck_assert_uint_eq(alert->redactions[0].path.size,
			size + before > SECRET_PATH_BYTES_MAX ? sizeof "/requestObject" - 1
							      : SECRET_PATH_BYTES_MAX);
	}
	buf_done(&raw);
}
END_TEST

/* Texts made to be compared for ever are cut whole instead. */
START_TEST(gives_up_on_texts_safely)
{
	enum { LONG = 200 * 1024 };
	struct buf raw;
	buf_init(&raw, 16 * 1024 * 1024);
	buf_add_string(&raw, "{\"output_fields\":{\"jevt.obj\":\"");
	for (size_t i = 0; i < LONG; i++)
		buf_add_byte(&raw, 'a');
	buf_add_string(&raw, "b\"},\"output\":\"x");
	for (size_t i = 0; i < LONG * 2; i++)
		buf_add_byte(&raw, 'a');
	buf_add_string(&raw, "\",\"rule\":\"a rule name\"}");
	ck_assert_str_eq(cut("falco", buf_text(&raw)),
		"{\"output_fields\":{\"jevt.obj\":\"[redacted]\"},\"output\":\"[redacted]\","
		"\"rule\":\"a rule name\"}");
	buf_done(&raw);
}
END_TEST

/* More values than are looked for: a list with long arrays in it. */
START_TEST(gives_up_on_many_values_safely)
{
	struct buf raw;
	buf_init(&raw, 16 * 1024 * 1024);
	for (size_t n = SECRET_TEXTS_MAX; n <= SECRET_TEXTS_MAX + 1; n++) {
		buf_clear(&raw);
		buf_add_string(&raw, "{\"output_fields\":{\"jevt.obj\":[0");
		for (size_t i = 0; i < n; i++)
			buf_addf(&raw, ",\"secret-%zu\"", 1000 + i);
		buf_add_string(&raw, "]},\"output\":\"something else\"}");
		const char *left = cut("falco", buf_text(&raw));
		ck_assert_int_eq(!strstr(left, "something else"), n > SECRET_TEXTS_MAX);
	}
	buf_done(&raw);
}
END_TEST

START_TEST(has_a_sound_table)
{
	for (const struct secrets *secrets = secret_sources; secrets->source; secrets++) {
		ck_assert(secrets_of(text_of(secrets->source)) == secrets);
		ck_assert_uint_gt(secrets->n_rows, 0);
		ck_assert_uint_le(secrets->n_rows, SECRET_ROWS_MAX);
		for (size_t i = 0; i < secrets->n_rows; i++)
			ck_assert(*secrets->rows[i].path == '/' &&
				  !text_ends(text_of(secrets->rows[i].path), TEXT("/")));
		for (size_t i = 0; i < SECRET_MARKS_MAX && secrets->marks[i].rare; i++)
			for (size_t j = 0; j < SECRET_WORDS_MAX && secrets->marks[i].words[j]; j++)
				ck_assert_int_eq(secrets->marks[i].words[j][secrets->marks[i].at],
					secrets->marks[i].rare);
	}
}
END_TEST

int main(void)
{
	const TTest *const all[] = {cuts_values_and_keeps_the_other_bytes,
		cuts_every_row_of_the_audit_log, cuts_every_row_of_falco,
		cuts_environments_of_tetragon, leaves_what_is_no_secret, cuts_once,
		cuts_texts_that_say_it, prefers_the_longest, knows_a_secret_that_was_cut,
		keeps_names, marks_the_alert_and_its_fields, gives_an_id_that_tells_nothing,
		cuts_in_quarantine, scans_broken_bytes, cuts_in_text_lines,
		leaves_text_lines_without_secrets, decodes_what_is_left_of_a_text_line,
		cuts_a_text_line_of_many_whole, cuts_members_over_its_limit,
		cuts_a_text_of_many_pieces_whole, cuts_the_member_of_a_long_path,
		gives_up_on_texts_safely, gives_up_on_many_values_safely, has_a_sound_table};
	Suite *suite = suite_create("secrets");
	TCase *tests = tcase_create("secrets");
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		tcase_add_test(tests, all[i]);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	batch_free(batch);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
