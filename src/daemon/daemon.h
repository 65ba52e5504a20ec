/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tocsind: makes the parts, ties them together, runs the loop, takes them apart again. */

/** The whole program. Returns its exit code: 0, 1 failure, 64 usage, 74 I/O, 78 configuration. */
int daemon_main(int argc, char **argv);
