/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What tocsind was told: flags beat the environment, which beats the file. */

#include "base/err.h"
#include "settings/flags.h"
#include "settings/settings.h"

struct options {
	struct settings settings;
	struct switches switches;
};

/** ERR_INPUT: a flag is wrong; ERR_DENIED: a setting is wrong, or they do not go together. */
CHECKED int options_read(struct options *options, int argc, char **argv, struct err *err);

extern const char options_usage[];
