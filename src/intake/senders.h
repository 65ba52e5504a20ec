/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What was seen of each sender (address and source); published as immutable copies. */

#include "base/clock.h"
#include "model/sender.h"

struct senders;

enum { SENDER_AGENT_BYTES = 256 };

/* `sender` is what is published; the rest is for the log. */
struct sender_entry {
	struct sender sender;
	int64_t held_warning_after_ms; /* not before */
	int64_t refusal_warning_after_ms;
	uint64_t n_refused_warned;
	char agent[SENDER_AGENT_BYTES]; /* sender.agent */
};

struct senders *senders_new(void);          /* NULL without memory */
void senders_free(struct senders *senders); /* accepts NULL */

/**
 * The entry, made if new; valid as long as @senders.
 *
 * NULL when the table is full (counted in n_overflow). Strangers may fill half of it, so that they
 * cannot hide those who belong here.
 */
struct sender_entry *senders_get(
	struct senders *senders, struct text address, enum source source, bool is_stranger);

/** It sends by way of the agent of this node. */
void sender_set_agent(struct sender_entry *entry, struct text node);

/** All entries: calls back for each. */
struct sender_entry *senders_at(struct senders *senders, size_t i); /* NULL past the end */

/** A copy for snapshot_publish; NULL without memory. */
struct sender_set *senders_copy(const struct senders *senders);
