/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Alerts of one place and kind, as lists of what is hidden have them. */

#include "base/emit.h"
#include "store/suppressions.h"

/** One object; leaves are left out where they are not known. */
void hit_write(struct emitter *out, const struct suppression_hit *hit);
