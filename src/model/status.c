/* SPDX-License-Identifier: Apache-2.0 */
#include "model/status.h"

const char *store_state_name(enum store_state state)
{
	static const char *const names[] = {
		[STORE_STARTING] = "starting",
		[STORE_WORKS] = "works",
		[STORE_DISK_FULL] = "disk full",
		[STORE_RECOVERING] = "recovering",
		[STORE_DRAINING] = "draining",
	};
	return names[state];
}
