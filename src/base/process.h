/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What our programs have in common as processes. */

#include "base/err.h"

/* Beside EXIT_SUCCESS and EXIT_FAILURE; as sysexits.h has them. */
enum { EXIT_USAGE = 64, EXIT_IO = 74, EXIT_CONFIG = 78 };

/** At the start, before any file is made: files are their owner's, no new privileges, no core
 * files, and a peer that hangs up is no reason to die. */
void process_harden(void);

/** As many open files as the system allows, up to 65536. */
void process_raise_files(void);

/** How a program ends whose start or run failed so. */
int process_exit_code(const struct err *err);
