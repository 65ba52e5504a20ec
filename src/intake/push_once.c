/* SPDX-License-Identifier: Apache-2.0 */

/* PushBatch, whichever way it came: the batch of its request, and the answer. */

#include "base/utf8.h"
#include "base/wire.h"
#include "intake/push.h"
#include "intake_fields.h"

enum { SOURCE_SHOWN_BYTES = 64 };

static int judge(
	const struct push_records *records, const struct credential *credential, struct err *err)
{
	struct text source;
	if (credential->node.size && records->node.size &&
		!text_equal(credential->node, records->node))
		return err_set(err, ERR_DENIED, "this credential speaks for node %.*s, not %.*s",
			TEXT_ARG(credential->node), TEXT_ARG(records->node));
	if (push_records_may_be_sent(records, credential, &source))
		return 0;
	if (source_parse(source) == SOURCE_NONE)
		return err_set(err, ERR_INPUT, "no such source: '%.*s'; known are %s",
			TEXT_ARG(utf8_prefix(source, SOURCE_SHOWN_BYTES)), source_names());
	return err_set(err, ERR_DENIED, "this credential may not send for %.*s", TEXT_ARG(source));
}

int push_once_begin(struct delivery *delivery, const struct credential *credential,
	struct text address, struct err *err)
{
	struct push_records records;
	uint64_t passed[N_SOURCES] = {0}; /* none: there are no numbers */
	struct text message = {delivery->body, delivery->body_size};
	if (push_batch_request_read(message, &records, err) < 0 ||
		judge(&records, credential, err) < 0)
		return -1;
	delivery->source = push_records_source(&records);
	delivery->push_back = source_info(delivery->source)->push_back;
	/* It is not the sensor that calls: whoever does looks at the answer, and has the batch. */
	if (delivery->push_back == PUSH_BACK_HOLD)
		delivery->push_back = PUSH_BACK_UNAVAILABLE;
	delivery->sender = senders_get(delivery->intake->senders, address, delivery->source, false);
	if (!delivery_begin(delivery, credential, delivery->source, address))
		return err_set(err, ERR_MEMORY, "no memory for a batch");
	struct arena *arena = &delivery->batch->arena;
	struct push_speaker speaker = {.credential = credential,
		.node = arena_copy(arena, records.node.size ? records.node : credential->node),
		.now_ns = clock_wall_ns(delivery->intake->clock)};
	if (push_records_decode(&records, 0, &speaker, passed, delivery->batch, err) < 0)
		return -1;
	delivery_heard(delivery);
	return 0;
}

void push_once_answer(const struct batch *batch, struct buf *out)
{
	wire_add_varint(out, INTAKE_PUSH_BATCH_RESPONSE_ACCEPTED, batch->n_accepted);
	wire_add_varint(out, INTAKE_PUSH_BATCH_RESPONSE_DUPLICATE, batch->n_duplicate);
	wire_add_varint(out, INTAKE_PUSH_BATCH_RESPONSE_QUARANTINED, batch->n_quarantined);
}
