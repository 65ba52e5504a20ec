/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A compression dictionary on its way from the thread that trained it to the writer. */

#include "model/source.h"

struct dictionary_made {
	enum source source;
	struct text bytes;
};
