/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode-dump SOURCE FILE [facts]: reads one body and prints each alert as one JSON line, as the
 * API shows it and with what only the inside knows. With "facts" only what was decided, not what
 * the sender wrote. Received at a fixed time, in cluster "test".
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "decode/body.h"
#include "model/alert_json.h"

enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };

/* 2026-11-24T00:00:00Z */
#define RECEIVED_NS INT64_C(1795478400000000000)

static int read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char bytes[8192];
	size_t n;
	if (!file)
		return -1;
	while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
		buf_add_bytes(out, bytes, n);
	int failed = ferror(file);
	fclose(file);
	return failed || !buf_ok(out) ? -1 : 0;
}

static void write_hex(struct emitter *writer, const char *key, const unsigned char *bytes)
{
	char hex[2 * OCCURRENCE_BYTES + 1];
	text_hex(hex, bytes, OCCURRENCE_BYTES);
	emit_member_string(writer, key, hex);
}

static void write_health(struct emitter *writer, const struct health_fact *health)
{
	emit_key(writer, "health");
	emit_object(writer);
	emit_member_u64(writer, "kind", health->kind);
	emit_member_text(writer, "version", health->version);
	emit_member_i64(writer, "n_events", health->n_events);
	emit_member_i64(writer, "n_drops", health->n_drops);
	emit_member_i64(writer, "n_output_drops", health->n_output_drops);
	emit_member_i64(writer, "started_at_ns", health->started_at_ns);
	emit_object_end(writer);
}

static void write_facts(struct emitter *writer, const struct alert *alert)
{
	emit_member_u64(writer, "kind", alert->kind);
	write_hex(writer, "occ", alert->occ);
	write_hex(writer, "fingerprint", alert->fingerprint);
	write_hex(writer, "raw_digest", alert->raw_digest.bytes);
	emit_member_text(writer, "quarantine_reason", alert->quarantine_reason);
	emit_member_string(writer, "severity", severity_name(alert->severity));
	emit_member_u64(writer, "flags", alert->flags);
	emit_member_u64(writer, "tactics", alert->tactics);
	emit_member_time(writer, "time", alert->time_ns);
	if (alert->health)
		write_health(writer, alert->health);
}

/* What would be stored, and where something is gone. */
static void write_cuts(struct emitter *writer, const struct alert *alert)
{
	emit_member_text(writer, "raw", alert->raw);
	emit_key(writer, "cut");
	emit_array(writer);
	for (size_t i = 0; i < alert->n_redactions; i++)
		emit_text(writer, alert->redactions[i].path);
	emit_array_end(writer);
}

static void print_alert(const struct alert *alert, bool facts_only)
{
	struct buf out;
	struct emitter writer;
	buf_init(&out, FILE_BYTES_MAX);
	emit_init(&writer, &out);
	emit_object(&writer);
	if (!facts_only) {
		emit_key(&writer, "alert");
		alert_write_json(&writer, alert, 0);
		emit_member_text(&writer, "sensor_source", alert->sensor_source);
		emit_member_text(&writer, "parent_exe", alert->process.parent_exe);
		if (alert->n_redactions)
			write_cuts(&writer, alert);
	}
	write_facts(&writer, alert);
	emit_object_end(&writer);
	puts(buf_string(&out));
	buf_done(&out);
}

int main(int argc, char **argv)
{
	struct buf body;
	struct err err = {0};
	struct batch *batch = batch_new();
	buf_init(&body, FILE_BYTES_MAX);
	if (argc < 3 || !batch || read_file(argv[2], &body) < 0) {
		fprintf(stderr, "decode-dump SOURCE FILE [facts]\n");
		return 64;
	}
	batch->source = source_parse(text_of(argv[1]));
	batch->cluster = TEXT("test");
	if (!decoder_of(batch->source) ||
		body_decode(buf_text(&body), RECEIVED_NS, batch, &err) < 0) {
		printf("{\"error\":\"%s\"}\n", err.text);
		return 1;
	}
	for (const struct alert *alert = batch->first; alert; alert = alert->next)
		print_alert(alert, argc > 3 && strcmp(argv[3], "facts") == 0);
	batch_free(batch);
	buf_done(&body);
	return 0;
}
