/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tocsin-agent: its parts, from start to end. */

/** The program. Exit codes: 0, 1 failure, 64 usage, 74 I/O, 78 configuration. */
int agent_main(int argc, char **argv);
