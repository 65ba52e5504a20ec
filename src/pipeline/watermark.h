/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Up to when all senders that are heard have probably said everything (correlation.md section 4).
 * It decides when an incident is shown as sealed, never what belongs to it. The writer thread's.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/batch.h"

struct watermark;

struct watermark *watermark_new(int64_t now_ns); /* NULL without memory */
void watermark_free(struct watermark *watermark);

/** An agent that was heard before this process began: it is waited for as if heard now. */
void watermark_expect(struct watermark *watermark, const struct agent_report *report);

/** A batch that was stored: how far its sender has got. */
void watermark_note(struct watermark *watermark, const struct batch *batch, int64_t now_ns);

/**
 * The least of what the senders heard in the last two minutes, and the agents heard in the last
 * fifteen, have reached, less ten minutes; when there are none, ten minutes ago. Never falls.
 * INT64_MIN in the first two minutes without any sender.
 */
int64_t watermark_at(struct watermark *watermark, int64_t now_ns);

/** The nodes whose agents were not heard for fifteen minutes. Texts are borrowed until the next
 * call that is not const; without memory there are none. */
struct unheard_nodes watermark_unheard(
	const struct watermark *watermark, int64_t now_ns, struct arena *arena);
