/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What tocsind was told: flags beat the environment, which beats the file. */

#include <stdbool.h>

#include "base/err.h"
#include "settings/settings.h"

struct options {
	struct settings settings;
	bool check_only;
	bool help, version;
};

/** ERR_INPUT: a flag is wrong; ERR_DENIED: a setting is wrong, or they do not go together. */
CHECKED int options_read(struct options *options, int argc, char **argv, struct err *err);

extern const char options_usage[];
