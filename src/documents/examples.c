/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/emit.h"
#include "base/utf8.h"
#include "documents/documents.h"
#include "store/alerts.h"
#include "store/incidents.h"

/* An example reads a frame of raw bytes for each row of the story. */
enum {
	ARENA_BYTES = 256 * 1024 * 1024,
	EXAMPLES_MAX = 64,
	EXAMPLE_BYTES_MAX = 512,
};

/* Samples are those with the smallest occurrence ids; people expect the first. */
static uint64_t earliest(const struct incident_print *print)
{
	uint64_t leaf = UINT64_MAX;
	for (size_t i = 0; i < print->n_samples; i++)
		if (print->sample_leaves[i] < leaf)
			leaf = print->sample_leaves[i];
	return leaf;
}

static void write_example(
	struct emitter *out, const struct incident_print *print, const struct alert *alert)
{
	char hex[2 * FINGERPRINT_BYTES + 1];
	struct text cmdline = alert->process.cmdline;
	text_hex(hex, print->fingerprint, FINGERPRINT_BYTES);
	emit_object(out);
	emit_member_string(out, "fingerprint", hex);
	if (print->context)
		emit_member_bool(out, "context", true);
	emit_key(out, "leaf");
	emit_big(out, alert->leaf);
	emit_member_text(out, "example",
		utf8_prefix(cmdline.size ? cmdline : alert->message, EXAMPLE_BYTES_MAX));
	emit_object_end(out);
}

/* An alert that has left with its age is no example any more. */
static int add_example(struct connection *connection, const struct incident_print *print,
	struct emitter *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct alert alert;
	uint64_t leaf = earliest(print);
	arena_init(&arena, ARENA_BYTES);
	if (leaf == UINT64_MAX)
		return 0;
	if (alert_read(connection, leaf, &arena, &alert, err) < 0)
		return err->kind == ERR_MISSING ? 0 : -1;
	write_example(out, print, &alert);
	return 0;
}

int document_incident_examples(
	struct connection *connection, struct text number, struct buf *out, struct err *err)
{
	AUTO(arena_done) struct arena arena;
	struct emitter emitter;
	struct incident incident;
	uint64_t wanted;
	arena_init(&arena, ARENA_BYTES);
	if (!incident_number_parse(number, &wanted))
		return err_set(err, ERR_INPUT, "give the incident's number, as INC-12");
	if (incident_read(connection, wanted, &arena, &incident, err) < 0)
		return -1;
	emit_init(&emitter, out);
	emit_object(&emitter);
	emit_key(&emitter, "items");
	emit_array(&emitter);
	for (size_t i = 0; i < incident.n_prints && i < EXAMPLES_MAX; i++)
		if (add_example(connection, &incident.prints[i], &emitter, err) < 0)
			return -1;
	emit_array_end(&emitter);
	emit_object_end(&emitter);
	return 0;
}
