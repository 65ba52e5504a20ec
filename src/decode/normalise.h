/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The last step of every decoder: what means absent becomes absent, names become canonical, tags
 * become ATT&CK, fields get their limits, and the fingerprint is taken. Also the small helpers that
 * decoders share.
 */

#include "model/alert.h"

#define TIME_UNKNOWN_NS  INT64_MIN
#define TIME_EARLIEST_NS INT64_C(1420070400000000000) /* 2015: before there were such sensors */
#define TIME_AHEAD_NS    INT64_C(86400000000000)      /* a clock may be a day wrong */

/**
 * Finishes an alert that a decoder filled (raw, cluster, received_ns are set; time_ns is the
 * sensor's or TIME_UNKNOWN_NS). Check arena->failed afterwards.
 */
void alert_normalise(struct arena *arena, struct alert *alert);

/** Is it a value, and not one of the ways to say that there is none? */
bool text_says(struct text text);

/** The parts one after another in @arena; the absent text without memory. */
struct text text_join(struct arena *arena, const struct text *parts, size_t n);

/** @text itself if it is valid UTF-8, else a repaired copy in @arena. */
struct text text_repaired(struct arena *arena, struct text text);
