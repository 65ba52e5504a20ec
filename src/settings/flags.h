/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The command line of our daemons: --NAME VALUE, --NAME=VALUE, and the switches that all have. */

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"

struct switches {
	bool check_only, help, version;
};

struct flags {
	const char *program; /* for what is refused: "tocsind" */
	int argc;
	char **argv;
	int at; /* the word that was read last; 0 at first */
	/* the last flag */
	struct text name;
	const char *value; /* NULL: it is a switch */
};

/** 1: the next flag; 0: there is none; -1: ERR_INPUT. */
CHECKED int flags_next(struct flags *flags, struct err *err);

/** false: @name is no switch. */
bool switches_set(struct switches *switches, struct text name);
