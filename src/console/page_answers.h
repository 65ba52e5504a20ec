/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The pages: what each is made of. Answered on a reader, by console/pages.c. */

#include "console/api.h"

/** Ends with a NULL path. */
extern const struct endpoint page_endpoints[];
