/* SPDX-License-Identifier: Apache-2.0 */

/* A body with several events of each decoder. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decode/body.h"
#include "model/alert_record.h"
#include "tests/lib/torture.h"

enum { BODY_BYTES = 24 * 1024 };

struct body {
	enum source source;
	const char *file;
	const char *text; /* instead of a file */
	char bytes[BODY_BYTES];
	size_t size;
	struct digest expected;
	size_t n_alerts;
};

/* Escapes need a buffer each, and what comes after them must not be missed. */
#define ESCAPED_TOCSIN                                                                             \
	"{\"rule\":\"r\",\"time\":\"2026-11-21T19:52:28Z\",\"message\":\"a\\nb\",\"severity\":"    \
	"\"high\","                                                                                \
	"\"tags\":[\"x\\ty\"],\"process\":{\"cmdline\":\"sh -c "                                   \
	"\\\"id\\\"\",\"name\":\"s\\u0068\"}}\n"
#define ESCAPED_FALCO                                                                              \
	"{\"rule\":\"r\",\"priority\":\"Notice\",\"time\":\"2026-11-21T19:52:28Z\",\"output\":"    \
	"\"a\\nb\","                                                                               \
	"\"output_fields\":{\"proc.cmdline\":\"sh -c \\\"id\\\"\",\"k8s.pod.name\":\"p\\u0070\"}," \
	"\"tags\":[\"mitre_\\u0065xecution\"],\"hostname\":\"n\\u0031\"}\n"

static struct body bodies[] = {
	{.source = SOURCE_FALCO, .file = "own/seeds.jsonl"},
	{.source = SOURCE_FALCO, .file = "own/odd.jsonl"},
	{.source = SOURCE_FALCO, .file = "own/broken.jsonl"},
	{.source = SOURCE_FALCO, .file = "own/text.txt"},
	{.source = SOURCE_FALCOSIDEKICK, .file = "falcosidekick/forwarded.jsonl"},
	{.source = SOURCE_TOCSIN, .file = "own/tocsin.jsonl"},
	{.source = SOURCE_TOCSIN, .text = ESCAPED_TOCSIN ESCAPED_TOCSIN},
	{.source = SOURCE_FALCO, .text = ESCAPED_FALCO ESCAPED_FALCO "[" ESCAPED_FALCO "]"},
	{.source = SOURCE_TETRAGON, .file = "own/tetragon.jsonl"},
	{.source = SOURCE_FALCO, .file = "own/secrets.jsonl"},
};
enum { N_BODIES = sizeof bodies / sizeof bodies[0] };

/* Whole lines, at most BODY_BYTES. */
static void read_body(struct body *body)
{
	char path[4096];
	const char *source = getenv("TOCSIN_SOURCE");
	text_format(path, sizeof path, "%s/tests/corpus/%s", source ? source : ".", body->file);
	FILE *file = fopen(path, "re");
	if (!file) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	body->size = fread(body->bytes, 1, sizeof body->bytes, file);
	fclose(file);
	while (body->size && body->bytes[body->size - 1] != '\n')
		body->size--;
	assert(body->size);
}

static struct digest digest_of_batch(const struct batch *batch)
{
	AUTO(buf_done) struct buf record;
	struct digest_state room, *state = digest_start(&room);
	buf_init(&record, 1 << 24);
	for (const struct alert *alert = batch->first; alert; alert = alert->next) {
		buf_clear(&record);
		alert_record_write(&record, alert);
		buf_add_bytes(&record, alert->occ, sizeof alert->occ);
		buf_add_bytes(&record, alert->fingerprint, sizeof alert->fingerprint);
		buf_addf(&record, "%d %lld", (int)alert->kind, (long long)alert->time_ns);
		buf_add(&record, alert->quarantine_reason);
		buf_add(&record, alert->raw);
		buf_addf(&record, " %zu", alert->n_redactions);
		assert(buf_ok(&record));
		digest_add_part(state, buf_text(&record));
	}
	return digest_end(state);
}

static struct batch *decode(const struct body *body, struct err *err)
{
	struct batch *batch = batch_new();
	if (!batch) {
		err_set(err, ERR_MEMORY, "no batch");
		return NULL;
	}
	batch->source = body->source;
	batch->cluster = TEXT("c");
	struct text text = {body->bytes, body->size};
	if (body_decode(text, INT64_C(1795478400000000000), batch, err) == 0)
		return batch;
	batch_free(batch);
	return NULL;
}

static void prepare(struct body *body)
{
	struct err err;
	if (body->text)
		body->size = text_format(body->bytes, sizeof body->bytes, "%s", body->text);
	else
		read_body(body);
	struct batch *batch = decode(body, &err);
	assert(batch && batch->n_alerts > 1);
	body->expected = digest_of_batch(batch);
	body->n_alerts = batch->n_alerts;
	batch_free(batch);
}

static bool decodes(const struct body *body)
{
	struct err err;
	struct batch *batch = decode(body, &err);
	torture_end();
	if (!batch)
		return torture_reported(&err);
	assert(!batch->arena.failed && batch->n_alerts == body->n_alerts);
	struct digest digest = digest_of_batch(batch);
	assert(memcmp(&digest, &body->expected, sizeof digest) == 0);
	batch_free(batch);
	return true;
}

/* One function each: a case has no argument. */
static bool decodes_seeds(void)
{
	return decodes(&bodies[0]);
}

static bool decodes_odd(void)
{
	return decodes(&bodies[1]);
}

static bool decodes_broken(void)
{
	return decodes(&bodies[2]);
}

static bool decodes_text(void)
{
	return decodes(&bodies[3]);
}

static bool decodes_sidekick(void)
{
	return decodes(&bodies[4]);
}

static bool decodes_tocsin(void)
{
	return decodes(&bodies[5]);
}

static bool decodes_escaped_tocsin(void)
{
	return decodes(&bodies[6]);
}

static bool decodes_escaped_falco(void)
{
	return decodes(&bodies[7]);
}

static bool decodes_tetragon(void)
{
	return decodes(&bodies[8]);
}

static bool cuts_secrets(void)
{
	return decodes(&bodies[9]);
}

int main(void)
{
	static const struct torture_case cases[] = {
		{.name = "falco", .run = decodes_seeds},
		{.name = "falco, odd", .run = decodes_odd},
		{.name = "falco, broken", .run = decodes_broken},
		{.name = "falco, text", .run = decodes_text},
		{.name = "falcosidekick", .run = decodes_sidekick},
		{.name = "tocsin", .run = decodes_tocsin},
		{.name = "tocsin, escapes", .run = decodes_escaped_tocsin},
		{.name = "falco, escapes", .run = decodes_escaped_falco},
		{.name = "tetragon", .run = decodes_tetragon},
		{.name = "falco, secrets", .run = cuts_secrets},
		{0},
	};
	for (unsigned i = 0; i < N_BODIES; i++)
		prepare(&bodies[i]);
	return torture_run("decode", cases);
}
