/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Alerts over HTTP and gRPC: authenticated, decoded, handed to the writer, answered after COMMIT.
 *
 * All of it runs on the loop's thread. Nothing that was read is dropped: a batch is in the writer's
 * queue, held until it fits, or its sender was answered with an error that is counted.
 */

#include "base/clock.h"
#include "base/metric.h"
#include "base/queue.h"
#include "base/snapshot.h"
#include "model/status.h"
#include "net/http_server.h"
#include "net/loop.h"

struct grpc_method; /* net/grpc_server.h */
struct intake;

struct intake_options {
	struct loop *loop;
	struct queue *writer;              /* takes struct batch */
	struct snapshot_slot *credentials; /* read */
	struct snapshot_slot *senders;     /* written: struct sender_set; NULL: not wanted */
	struct status *status;             /* n_held, held_since_ns are written */
	const struct clock *clock;
};

/** One at a time: its metric families are static. Before the loop runs. */
CHECKED int intake_new(struct intake **out, const struct intake_options *options, struct err *err);

/**
 * After http_server_stop and grpc_server_stop, and after the writer has given back all batches.
 * Frees what is held (their senders were not answered).
 */
void intake_free(struct intake *intake); /* accepts NULL */

/** For http_server_options.routes; ends with a NULL path. */
const struct http_route *intake_routes(struct intake *intake);

/** tocsin.intake.v1.Intake, for grpc_server_options.methods; ends with a NULL path. */
const struct grpc_method *intake_grpc_methods(struct intake *intake);

/** No more of streams than what they have sent: each ends when that is stored. Loop thread. */
void intake_quiesce(struct intake *intake);

/** Requests whose answer is due: held, or with the writer. Any thread; 0 when it has drained. */
size_t intake_waiting(const struct intake *intake);

/** Ended by NULL. */
struct metric_family *const *intake_metrics(void);
