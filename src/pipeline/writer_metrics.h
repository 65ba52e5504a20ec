/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the writer counts. Series are made on its thread; any thread may expose them. */

#include "base/clock.h"
#include "model/batch.h"

/** Counts one committed batch. */
void writer_metrics_batch(const struct batch *batch, const struct clock *clock);

/** One commit that took @seconds and left the ledger at @n_leaves. */
void writer_metrics_commit(double seconds, uint64_t n_leaves, const struct clock *clock);

/** The queue's weight just now. */
void writer_metrics_queue(size_t bytes, const struct clock *clock);
