/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * SQLite's memory goes through the wrapped malloc too, each piece of it for itself (no lookaside),
 * and fails only where that was asked for: it asks a hundred times as often as we do.
 */

#include <stdbool.h>

/** Before SQLite is used. */
void torture_sqlite_start(void);

/** From now on: does SQLite's memory fail as ours does? */
void torture_sqlite_fails(bool fails);
