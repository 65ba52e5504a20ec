/* SPDX-License-Identifier: Apache-2.0 */
/* The table of secrets on whatever bytes, also for sources that have no decoder yet. */
#include <stdint.h>

#include "decode/secret_rows.h"
#include "tests/fuzz/check_secrets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With each mark replaced by what was there, the bytes are those that came. */
static void check_restores(const struct alert *alert, struct text raw)
{
	size_t at = 0, from = 0;
	for (size_t i = 0; i < alert->n_redactions; i++) {
		struct text value = alert->redactions[i].value;
		size_t kept = (size_t)(value.data - raw.data) - from;
		assert(value.data >= raw.data && kept <= raw.size - from);
		assert(value.size <= raw.size - from - kept);
		assert(text_equal(text_part(alert->raw, at, kept), text_part(raw, from, kept)));
		at += kept;
		from += kept + value.size;
		size_t quote = text_starts(text_part(alert->raw, at, 1), TEXT("\""));
		assert(text_starts(
			text_part(alert->raw, at + quote, alert->raw.size), TEXT(SECRET_MARK)));
		at += sizeof SECRET_MARK - 1 + 2 * quote;
	}
	assert(text_equal(
		text_part(alert->raw, at, alert->raw.size), text_part(raw, from, raw.size)));
}

/* No map of values is left in a text line. */
static void check_line(const struct secrets *secrets, const struct alert *alert)
{
	if (!secrets->line_source)
		return;
	assert(text_find(alert->raw, TEXT("\"data\":{\""), 0) == SIZE_MAX);
	assert(text_find(alert->raw, TEXT("\"stringData\":{\""), 0) == SIZE_MAX);
	assert(text_find(alert->raw, TEXT(" config={\""), 0) == SIZE_MAX);
}

static void check_source(const struct secrets *secrets, struct text raw)
{
	struct err err;
	struct batch *batch = batch_new();
	assert(batch);
	struct alert *alert = batch_alert_new(batch);
	assert(alert);
	alert->raw = raw;
	if (secrets_cut(secrets, batch, alert, &err) < 0)
		secrets_cut_broken(secrets, batch, alert);
	else if (!text_starts(raw, TEXT("{")))
		check_line(secrets, alert);
	else if (!secrets->rows->alone)
		check_secrets_gone(alert, &batch->arena);
	check_restores(alert, raw);
	batch_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (const struct secrets *secrets = secret_sources; secrets->source; secrets++)
		check_source(secrets, (struct text){(const char *)data, size});
	return 0;
}
