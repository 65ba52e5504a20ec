/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a burst needed goes back to the system. glibc keeps freed memory, all of it below a single
 * piece that is still in use: after 500 nodes had sent at once, 150 MiB for good.
 */

#include <stddef.h>

/** Bytes of the process that are resident and nobody has allocated; 0 if that cannot be told. Some
 * ms where there are many pieces. Any thread. */
size_t memory_idle_bytes(void);

/** Gives it back. Allocations of all threads wait meanwhile: some ms for 100 MiB. */
void memory_give_back(void);
