/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Senders that say at a fixed rate what they have to say, whatever becomes of it: when each alert
 * is due, and how long after that it was acknowledged. What waits in the sender because the
 * collector is slow counts, too. One thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pace {
	uint64_t rate;       /* alerts a second of one sender */
	uint64_t n_each;     /* alerts of one sender */
	uint32_t *waited_us; /* of each acknowledged alert */
	size_t n_waited, n_max;
	size_t n_in_time; /* acknowledged before their sender's last was due */
};

/* One sender; begins when it may send. */
struct pace_sender {
	int64_t began_ns;
};

/** false without memory. @n_senders send @n_each alerts each. */
bool pace_init(struct pace *pace, uint64_t rate, uint64_t n_each, uint64_t n_senders);
void pace_done(struct pace *pace);

/** The time that all of this goes by. */
int64_t pace_now_ns(void);
/** Senders begin one after the other within the time of one alert: @i of @n. */
void pace_begin(const struct pace *pace, struct pace_sender *sender, uint64_t i, uint64_t n,
	int64_t now_ns);
/** How many alerts of the sender are due by now, since it began. */
uint64_t pace_due(const struct pace *pace, const struct pace_sender *sender, int64_t now_ns);
/** Until the alert with this number (from 0) is due; at least 1. */
int64_t pace_wait_ms(
	const struct pace *pace, const struct pace_sender *sender, uint64_t number, int64_t now_ns);
/** The sender's alerts @from up to @to, not included, are acknowledged. */
void pace_acknowledged(struct pace *pace, const struct pace_sender *sender, uint64_t from,
	uint64_t to, int64_t now_ns);
/** One JSON object: latencies, and the share of what was offered that came through in its time. */
void pace_print(struct pace *pace);
