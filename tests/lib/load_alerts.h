/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Alert number i of a load: line i (modulo) of a file with its times rewritten, so that every alert
 * is another occurrence and the same number always gives the same bytes. Lines without a time are
 * left out.
 */

#include "base/buf.h"
#include "base/err.h"

struct load_alerts;

/** @first_ns is alert 0's time, @step_ns the distance to the next. */
CHECKED int load_alerts_read(struct load_alerts **out, const char *path, int64_t first_ns,
	int64_t step_ns, struct err *err);
void load_alerts_free(struct load_alerts *alerts); /* accepts NULL */

/** Appends alert @i, without a line end. */
void load_alert_write(const struct load_alerts *alerts, uint64_t i, struct buf *out);
