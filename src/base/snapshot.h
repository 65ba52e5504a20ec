/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Immutable objects that threads share: one thread publishes a new version, others keep reading the
 * old one until they let go. The only reference counts in the program.
 *
 * An object embeds `struct snapshot` as its first member and never changes after snapshot_publish.
 * One that goes from hand to hand without a slot starts with n_refs 1.
 */

#include <stdatomic.h>

struct snapshot {
	atomic_uint n_refs;
	void (*free)(struct snapshot *snapshot);
};

struct snapshot_slot;

/** NULL without memory. The slot starts empty. */
struct snapshot_slot *snapshot_slot_new(void);
void snapshot_slot_free(struct snapshot_slot *slot); /* lets go of the current object */

/** Takes the object (n_refs is set to one for the slot) and lets go of the one before. */
void snapshot_publish(struct snapshot_slot *slot, struct snapshot *snapshot);

/** The current object with a reference for the caller, or NULL when none was published. */
struct snapshot *snapshot_ref(struct snapshot_slot *slot);
/** One more reference: the caller has one already. */
void snapshot_share(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* accepts NULL */
