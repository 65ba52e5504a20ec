/* SPDX-License-Identifier: Apache-2.0 */

/* PushBatch over gRPC. */

#include <stdlib.h>

#include "intake/admission.h"
#include "intake/limits.h"
#include "intake/push.h"

/* One call, from its headers to its end and until its batch is back. */
struct once {
	struct delivery delivery; /* first */
	struct grpc_call *call;   /* NULL: closed, nobody waits for the answer */
	uint64_t credential_id;
};

static struct once *once_of(struct delivery *delivery)
{
	return (struct once *)(void *)delivery;
}

static void once_free(struct once *once)
{
	delivery_done(&once->delivery);
	free(once);
}

static void answer(struct grpc_call *call, const struct batch *batch)
{
	struct err err = {0};
	struct buf out;
	buf_init(&out, ANSWER_BYTES);
	push_once_answer(batch, &out);
	int failed = buf_ok(&out) ? grpc_call_send(call, buf_text(&out), &err)
				  : buf_error(&out, &err, "an answer");
	buf_done(&out);
	push_call_finish(call, failed ? GRPC_UNAVAILABLE : GRPC_OK, text_of(err.text));
}

static void finish(struct delivery *delivery, unsigned status)
{
	struct once *once = once_of(delivery);
	struct grpc_call *call = once->call;
	const struct err *err = &delivery->batch->err;
	if (call) {
		grpc_call_set_owner(call, NULL);
		if (status == 200)
			answer(call, delivery->batch);
		else
			push_call_refuse(delivery->intake, call,
				status == 429 ? GRPC_RESOURCE_EXHAUSTED : GRPC_UNAVAILABLE,
				err->kind ? text_of(err->text)
					  : TEXT("the store does not keep up"));
	}
	once_free(once);
}

static void drop(struct delivery *delivery)
{
	once_free(once_of(delivery));
}

static void open_call(struct grpc_call *call, void *ctx)
{
	struct intake *intake = ctx;
	uint64_t credential_id;
	if (!push_call_admit(intake, call, &credential_id))
		return;
	struct once *once = calloc(1, sizeof *once);
	if (!once) {
		push_call_finish(call, GRPC_UNAVAILABLE, TEXT("no memory now"));
		return;
	}
	once->call = call;
	once->credential_id = credential_id;
	once->delivery = (struct delivery){.intake = intake,
		.finish = finish,
		.drop = drop,
		.arrived_after_ms = clock_monotonic_ms(intake->clock)};
	grpc_call_set_owner(call, once);
}

static int begin(struct once *once, struct err *err)
{
	struct intake *intake = once->delivery.intake;
	struct credential_set *set = admission_set(intake);
	const struct credential *credential =
		set ? credential_of_id(set, once->credential_id, clock_wall_ns(intake->clock))
		    : NULL;
	int failed =
		credential ? push_once_begin(
				     &once->delivery, credential, grpc_call_peer(once->call), err)
			   : err_set(err, ERR_DENIED, "this call's token is not in force any more");
	snapshot_unref(set ? &set->snapshot : NULL);
	return failed;
}

static void message(struct grpc_call *call, char *data, size_t size, void *ctx)
{
	struct err err = {0};
	struct intake *intake = ctx;
	struct once *once = grpc_call_owner(call);
	if (!once || once->delivery.body) {
		free(data);
		return;
	}
	once->delivery.body = data;
	once->delivery.body_size = size;
	if (begin(once, &err) < 0) {
		grpc_call_set_owner(call, NULL);
		once_free(once);
		push_call_refuse(intake, call, push_code_of(err.kind), text_of(err.text));
		return;
	}
	delivery_submit(&once->delivery);
}

/* Its caller sends it again: what is only held goes with the call, else calls that are given up one
 * after the other would fill the hold. What the writer has is stored, its answer is nobody's. */
static void close_call(struct grpc_call *call, void *ctx)
{
	struct once *once = grpc_call_owner(call);
	(void)ctx;
	if (!once)
		return;
	if (!once->delivery.batch || hold_withdraw(&once->delivery))
		once_free(once);
	else
		once->call = NULL;
}

const struct grpc_method push_unary_method = {
	.path = PUSH_ONCE_PATH,
	.message_bytes_max = PUSH_MESSAGE_BYTES_MAX,
	.open = open_call,
	.message = message,
	.closed = close_call,
};
