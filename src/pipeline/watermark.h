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

/** A batch that was stored: how far its sender has got. */
void watermark_note(struct watermark *watermark, const struct batch *batch, int64_t now_ns);

/**
 * The least of what the senders heard in the last two minutes have reached, less ten minutes; when
 * none was, ten minutes ago. Never falls. INT64_MIN in the first two minutes without any sender.
 */
int64_t watermark_at(struct watermark *watermark, int64_t now_ns);
