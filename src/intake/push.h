/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The collector's side of tocsin.intake.v1.Intake: Push (push.c), PushBatch over gRPC
 * (push_unary.c) and as a plain POST (push_http.c). Private to intake/; the loop's thread.
 */

#include "intake/delivery.h"
#include "intake/push_message.h"
#include "net/grpc_server.h"

#define PUSH_ONCE_PATH "/tocsin.intake.v1.Intake/PushBatch"

/* push_unary.c */
extern const struct grpc_method push_unary_method;

/* push_once.c */
/**
 * Makes the batch of a PushBatchRequest, which is delivery->body. ERR_INPUT, ERR_LIMIT, ERR_DENIED,
 * ERR_MEMORY.
 */
CHECKED int push_once_begin(struct delivery *delivery, const struct credential *credential,
	struct text address, struct err *err);
/** The PushBatchResponse. */
void push_once_answer(const struct batch *batch, struct buf *out);

/* push_http.c: its routes, from routes[first] on. */
void push_routes_init(struct intake *intake, unsigned first);

/* push_call.c */
/** Who calls? false: the call is finished with the reason. */
bool push_call_admit(struct intake *intake, struct grpc_call *call, uint64_t *credential_id);
/** Counts the refusal and ends the call. */
void push_call_refuse(
	struct intake *intake, struct grpc_call *call, enum grpc_code code, struct text why);
/** Ends a call; @why may be absent. */
void push_call_finish(struct grpc_call *call, enum grpc_code code, struct text why);
enum grpc_code push_code_of(enum err_kind kind);
