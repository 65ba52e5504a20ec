/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From one Falco event to an alert, whatever road it came by. */

#include "decode/falco_event.h"
#include "model/alert.h"

/**
 * Fills *alert (its raw, cluster and source are set) from what falco_event_read gave, occurrence id
 * included.
 *
 * Fails with ERR_INPUT when there is no rule: then it is no alert. Text in *alert lives where the
 * event's does, or in @arena.
 */
CHECKED int falco_alert_fill(
	const struct falco_event *event, struct arena *arena, struct alert *alert, struct err *err);

/** Falco's word for a source: "syscall" for "syscalls" and for none, "internal" for its test. */
struct text falco_source(const struct falco_event *event);
