/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What must hold for whatever body comes in. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "decode/body.h"
#include "tests/fuzz/check_secrets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_alert(const struct alert *alert, struct text body)
{
	const struct text texts[] = {alert->rule, alert->message, alert->node, alert->pod,
		alert->container_id, alert->resource, alert->process.cmdline};
	assert(alert->n_redactions ||
		(alert->raw.data >= body.data &&
			alert->raw.data + alert->raw.size <= body.data + body.size));
	assert(alert_is(alert, ALERT_REDACTED_AT_INGEST) == (alert->n_redactions > 0));
	assert((alert->kind == LEAF_QUARANTINED) == (alert->quarantine_reason.size > 0));
	assert(alert->kind == LEAF_QUARANTINED || alert->rule.size > 0);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert(utf8_valid(texts[i]) && texts[i].size <= 4096 + 512);
}

static struct batch *decode_batch(enum source source, struct text body)
{
	struct err err;
	struct batch *batch = batch_new();
	assert(batch);
	batch->source = source;
	batch->cluster = TEXT("fuzz");
	if (body_decode(body, INT64_C(1795478400000000000), batch, &err) == 0)
		return batch;
	/* A falco sender loses what is refused: only limits may refuse it. */
	assert(source != SOURCE_FALCO || err.kind == ERR_LIMIT || err.kind == ERR_MEMORY);
	batch_free(batch);
	return NULL;
}

/* Twice the same bytes are twice the same alerts. */
static int check_decode(enum source source, struct text body)
{
	struct batch *once = decode_batch(source, body), *again = decode_batch(source, body);
	assert(!once == !again);
	const struct alert *other = again ? again->first : NULL;
	for (const struct alert *alert = once ? once->first : NULL; alert; alert = alert->next) {
		check_alert(alert, body);
		if (alert->kind == LEAF_ALERT &&
			source != SOURCE_TETRAGON) /* its values are alone */
			check_secrets_gone(alert, &again->arena);
		assert(memcmp(alert->occ, other->occ, OCCURRENCE_BYTES) == 0);
		assert(memcmp(alert->fingerprint, other->fingerprint, FINGERPRINT_BYTES) == 0);
		other = other->next;
	}
	batch_free(once);
	batch_free(again);
	return 0;
}
