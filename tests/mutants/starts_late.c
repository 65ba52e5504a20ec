/* SPDX-License-Identifier: Apache-2.0 */

/* A late alert is looked at alone, not from the incident on that began before it. */

#include "store/pieces.h"

int __wrap_piece_first_slot_before(struct connection *connection, int64_t key, int64_t slot,
	int64_t *first_slot, bool *found, struct err *err);

int __wrap_piece_first_slot_before(struct connection *connection, int64_t key, int64_t slot,
	int64_t *first_slot, bool *found, struct err *err)
{
	(void)connection;
	(void)key;
	(void)slot;
	(void)first_slot;
	(void)err;
	*found = false;
	return 0;
}
